"""Hits of a screen: genes with an effect, each list with the share of it that is false."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from scipy import special

from poolscreen.arrays import FloatArray
from poolscreen.effects.efficacy import Scatter, estimate, of_sgrnas, residuals
from poolscreen.errors import PoolscreenError
from poolscreen.families.mixture.guides import guides
from poolscreen.inference import store
from poolscreen.inference.exact import ENDS
from poolscreen.inference.quadrature import GENES, Effects, Mode, effects, find_mode
from poolscreen.progress import Say, silence
from poolscreen.screens.differences import (
    OTHERS,
    OVERALL,
    differences,
    others,
    overall,
    why_apart,
)
from poolscreen.screens.table import EXPECTED, INITIAL, LABELS, Screen

COLUMNS = ["gene", "cell_line", "n_sgrnas", "mean", "sd", *ENDS, "lfsr", "fdr", "rank"]
FEW = 200  # genes, below which the parameters rest on their priors
READS = 100.0  # of an sgRNA before the screen, where they are not known
LISTED = 0.05  # false discovery rate of a list
NEEDED = 20  # genes on the lists of all lines, which tell how strong a line is
FAR = 0.001  # probability below which a guide disagrees with the others of its gene


@dataclass(frozen=True)
class Hits:
    """What model 9 says of a screen.

    Attributes
    ----------
    genes : pandas.DataFrame
        A row per gene and cell line, the most depleted first: `gene`, `cell_line`, `n_sgrnas`,
        `mean`, `sd`, `hdi_3%`, `hdi_97%` (log fold changes); `lfsr`, the probability that the gene
        has no effect, or one of the other sign; `fdr`, the mean of `lfsr` over all genes of the
        line with the same sign that are at least as certain; `rank`, 1 for the most depleted.
    guides : pandas.DataFrame
        sgRNAs that disagree with the others of their gene, the most surprising first: `sgRNA`,
        `gene`, `cell_line`, `mean`, `expected`, `it is` (higher or lower) and `tail`.
    sgrnas : pandas.DataFrame
        What each sgRNA does alike in all lines, see `poolscreen.effects.efficacy.of_sgrnas`;
        without rows where there is one line.
    scatter : Scatter or None
        How sgRNAs differ, in all lines and in each, where there are several.
    overall, differences : pandas.DataFrame
        The same columns as `genes`, of the mean over the lines, and of the difference between each
        line and the mean of the others; without rows where there are none.
    notes : list of str
        What was left out, and why; how strong the lines are.
    modes : dict of str to Mode
        The parameters, by `cell_line` of these tables.
    posteriors : dict of str to xarray.DataArray
        The posterior of each gene on a grid of effects, likewise.
    """

    genes: pd.DataFrame
    guides: pd.DataFrame
    sgrnas: pd.DataFrame
    scatter: Scatter | None
    overall: pd.DataFrame
    differences: pd.DataFrame
    notes: list[str]
    modes: dict[str, Mode]
    posteriors: dict[str, xr.DataArray]

    def tree(self) -> xr.DataTree:
        """Return what a file holds of it: a group per cell line, mean and difference.

        Returns
        -------
        xarray.DataTree
            Groups `line_0`, `line_1`, ..., each with the attribute `cell_line`: `probability`
            (dimensions `gene`, `effect`), and the `mode` and `sd` of each
            `parameter`.
        """
        groups = {}
        for number, (line, posterior) in enumerate(self.posteriors.items()):
            table = self.modes[line].table().set_index("parameter")
            groups[f"line_{number}"] = xr.Dataset(
                {"probability": posterior, **table.to_xarray()},
                attrs={"cell_line": line},
            )
        tree = xr.DataTree.from_dict(groups)
        tree.attrs = {"model": "m9", **store.environment()}
        return tree


def find_hits(screen: Screen, say: Say = silence) -> Hits:
    """Find the genes with an effect in each cell line of a screen, by model 9.

    Of a screen of several lines the mean of each sgRNA over the lines is analysed as well, and the
    difference between each line and the mean of the others. An sgRNA that cuts badly does so in all
    lines: it is one sgRNA in the mean, and drops out of the differences. These are between effects
    in units of an average line, see `strengths`.

    Parameters
    ----------
    screen : Screen
        The data. Where its table has a column `initial_reads`, the noise follows the reads.
    say : callable, optional
        Takes messages: how far the work is.

    Returns
    -------
    Hits

    Raises
    ------
    PoolscreenError
        If the measurements of a cell line are all equal, or beyond any sense, or the parameters are
        not found. Where this happens to a mean over the lines or a difference, that alone is left
        out.

    Examples
    --------
    >>> screen = Screen(simulate(Design(n_cell_lines=1, sgrnas_per_gene=(4,) * 50))[0])
    >>> find_hits(screen).genes[["n_sgrnas", "rank"]].head(2).to_numpy().tolist()
    [[4, 1], [4, 2]]
    """
    found = {line: fit_part(screen, line, say) for line in screen.cell_lines}
    left_out, names = {}, comparisons(screen)
    compared = comparable(screen, found)[0] if names else screen
    for name in names:
        try:
            found[name] = fit_part(of_comparison(screen, compared, name), name, say)
        except PoolscreenError as error:
            left_out[name] = str(error)
    return join(screen, found, left_out, say)


@dataclass(frozen=True)
class Part:
    """A cell line, or a mean or difference of lines, by model 9: its parameters and its genes."""

    mode: Mode
    effects: Effects


def comparisons(screen: Screen) -> list[str]:
    """Return what of a screen is fitted besides its lines: their mean, and how they differ.

    Parameters
    ----------
    screen : Screen
        The data.

    Returns
    -------
    list of str
        None where there is one line, or the lines cannot be compared.

    Examples
    --------
    >>> comparisons(small_screen)
    ['all lines', 'cell_0:cell_1']
    """
    lines = screen.cell_lines
    if len(lines) == 1 or why_apart(screen):
        return []
    differ = [":".join(lines)] if len(lines) == 2 else [f"{line}:{OTHERS}" for line in lines]
    return [OVERALL, *differ]


def of_comparison(screen: Screen, compared: Screen, name: str) -> Screen:
    """Return the measurements that a comparison is fitted to.

    Parameters
    ----------
    screen, compared : Screen
        The data, and these brought to one strength, see `comparable`.
    name : str
        See `comparisons`.

    Returns
    -------
    Screen
        Of one cell line, which is called `name`.

    Examples
    --------
    >>> of_comparison(small_screen, small_screen, "cell_0:cell_1").cell_lines
    ['cell_0:cell_1']
    """
    if name == OVERALL:
        return overall(screen)
    lines = screen.cell_lines
    if len(lines) == 2:
        return differences(compared, *lines)
    line = name.removesuffix(f":{OTHERS}")
    return differences(others(compared, line), line, OTHERS)


def fit_part(screen: Screen, line: str, say: Say = silence) -> Part:
    """Fit model 9 to a cell line.

    Parameters
    ----------
    screen : Screen
        The data.
    line : str
        Name of the line.
    say : callable, optional
        Takes messages: how far the work is.

    Returns
    -------
    Part

    Raises
    ------
    PoolscreenError
        See `find_hits`.

    Examples
    --------
    >>> screen = Screen(simulate(Design(n_cell_lines=1, sgrnas_per_gene=(4,) * 50))[0])
    >>> len(fit_part(screen, "cell_0").effects.genes)
    50
    """
    data = guides(screen, line)
    if len(data.genes) < FEW:
        say(f"mind: {few_genes(line, len(data.genes))}")
    say(f"{line}: estimating the parameters from {min(len(data.genes), GENES):,} genes")
    mode = find_mode(data)
    return Part(mode, effects(mode.parameters, data, say=say))


def join(
    screen: Screen, found: Mapping[str, Part], left_out: Mapping[str, str], say: Say = silence
) -> Hits:
    """Join the parts of a screen.

    Parameters
    ----------
    screen : Screen
        The data.
    found : mapping of str to Part
        Its cell lines, then its comparisons, by their names.
    left_out : mapping of str to str
        Why a comparison could not be fitted.
    say : callable, optional
        Takes messages.

    Returns
    -------
    Hits

    Examples
    --------
    >>> screen = Screen(simulate(Design(n_cell_lines=1, sgrnas_per_gene=(4,) * 50))[0])
    >>> len(join(screen, {"cell_0": fit_part(screen, "cell_0")}, {}).genes)
    50
    """
    lines, notes = screen.cell_lines, []
    sgrnas, scatter = pd.DataFrame(), None
    if len(lines) > 1 and (apart := why_apart(screen)):
        notes.append(f"the cell lines are not compared: {apart}")
    elif len(lines) > 1:
        parameters = {line: found[line].mode.parameters for line in lines}
        alike = residuals({line: guides(screen, line) for line in lines}, parameters)
        scatter = estimate(alike)
        sgrnas = of_sgrnas(scatter, alike)
        notes.append(comparable(screen, {line: found[line] for line in lines})[1])
    notes += [f"{name} is left out: {why}" for name, why in left_out.items()]
    for note in notes:
        say(f"mind: {note}")
    tables = {
        name: ranked(part.effects.genes).assign(cell_line=name)[COLUMNS]
        for name, part in found.items()
    }
    none = pd.DataFrame(columns=COLUMNS)
    differ = [table for name, table in tables.items() if name not in (*lines, OVERALL)]
    return Hits(
        genes=pd.concat([tables[line] for line in lines], ignore_index=True),
        guides=_disagreeing({name: part.effects for name, part in found.items()}),
        sgrnas=sgrnas,
        scatter=scatter,
        overall=tables.get(OVERALL, none),
        differences=pd.concat(differ, ignore_index=True) if differ else none,
        notes=notes,
        modes={name: part.mode for name, part in found.items()},
        posteriors={name: part.effects.posterior for name, part in found.items()},
    )


def contrast(screen: Screen, line: str, other: str, say: Say = silence) -> tuple[Screen, list[str]]:
    """Return what two cell lines, or arms, differ by, with the reads that its noise follows.

    The reads that are expected after the screen depend on the effect of a gene in each line, so the
    two lines are fitted first.

    Parameters
    ----------
    screen : Screen
        The data.
    line, other : str
        Two of its cell lines.
    say : callable, optional
        Takes messages: how far the work is.

    Returns
    -------
    difference : Screen
        See `poolscreen.screens.differences.differences`.
    notes : list of str
        How strong the two lines are.

    Raises
    ------
    PoolscreenError
        If there is no such line, or no sgRNA was measured in both; see also `find_hits`.

    Examples
    --------
    >>> screen = Screen(simulate(Design(n_cell_lines=2, sgrnas_per_gene=(4,) * 20))[0])
    >>> contrast(screen, "cell_0", "cell_1")[0].cell_lines
    ['cell_0:cell_1']
    """
    differences(screen, line, other)  # refuses what is not there before anything is fitted
    chosen = screen.table["cell_line"].isin([line, other])
    both = Screen(screen.table[chosen].astype(dict.fromkeys(LABELS, str)))
    compared, note = comparable(both, {name: fit_part(both, name, say) for name in both.cell_lines})
    say(f"mind: {note}")
    return differences(compared, line, other), [note]


def strengths(found: Mapping[str, Part]) -> dict[str, float]:
    """Return how strong the effects of each cell line are, relative to the mean of the lines.

    A screen that lasts longer, or cells in which Cas9 cuts better, have stronger effects of all
    genes. That is no difference between the genes of these lines, so it is taken out.

    Parameters
    ----------
    found : mapping of str to Part
        The cell lines.

    Returns
    -------
    dict of str to float
        The median of the effect in the line over the mean over the lines, of the genes that are
        depleted in every line; empty where these are fewer than `NEEDED`.

    Examples
    --------
    >>> screen = Screen(simulate(Design(n_cell_lines=2, sgrnas_per_gene=(4,) * 20))[0])
    >>> strengths({line: fit_part(screen, line) for line in screen.cell_lines})
    {}
    """
    tables = {line: ranked(of.effects.genes).set_index("gene") for line, of in found.items()}
    lists = [of[(of["fdr"] < LISTED) & (of["mean"] < 0)].index for of in tables.values()]
    needed = sorted(set(lists[0]).intersection(*lists[1:]))
    if len(needed) < NEEDED:
        return {}
    means = pd.DataFrame({line: of.loc[needed, "mean"] for line, of in tables.items()})
    relative = means.div(means.mean(axis=1), axis=0)
    return {str(line): float(value) for line, value in relative.median().items()}


def comparable(screen: Screen, found: Mapping[str, Part]) -> tuple[Screen, str]:
    """Bring the lines of a screen to one strength, and add the reads expected after the screen.

    The reads follow from the fitted effect of each gene. Where those before the screen are not
    known, all sgRNAs are taken to have had as many: then it is only said that noise grows as an
    effect falls, and the data say how much.

    Parameters
    ----------
    screen : Screen
        The data.
    found : mapping of str to Part
        Its cell lines.

    Returns
    -------
    compared : Screen
    note : str
        What is said of the strengths.

    Examples
    --------
    >>> screen = Screen(simulate(Design(n_cell_lines=2, sgrnas_per_gene=(4,) * 20))[0])
    >>> parts = {line: fit_part(screen, line) for line in screen.cell_lines}
    >>> comparable(screen, parts)[1]
    'fewer than 20 genes are depleted in all lines, ...'
    """
    strong = strengths(found)
    listed = ", ".join(f"{line} {value:.2f}" for line, value in strong.items())
    note = (
        "differences are between effects divided by how strong a line is, by the genes that all "
        f"lines need: {listed}"
        if strong
        else f"fewer than {NEEDED} genes are depleted in all lines, so it is not known whether one "
        "line has stronger effects of all genes than another; differences are as they are"
    )
    strength = screen.table["cell_line"].astype(str).map(strong).fillna(1.0)
    means = pd.concat(
        {line: of.effects.genes.set_index("gene")["mean"] for line, of in found.items()}
    )
    index = pd.MultiIndex.from_frame(screen.table[["cell_line", "gene"]].astype(str))
    before = screen.table[INITIAL].astype(float) if INITIAL in screen.table else READS
    after = before * 2.0 ** means.reindex(index).to_numpy(np.float64)
    # The variance of the noise goes with one over the reads.
    columns = {"log_fc": screen.table["log_fc"] / strength, EXPECTED: after * strength**2}
    return Screen(screen.table.assign(**columns)), note


def _disagreeing(found: dict[str, Effects]) -> pd.DataFrame:
    """List the sgRNAs that disagree with the others of their gene."""
    parts = [of.guides.assign(cell_line=line) for line, of in found.items()]
    apart = pd.concat(parts, ignore_index=True).sort_values("tail", kind="stable")
    apart = apart[apart["tail"] < FAR]
    apart["it is"] = np.where(apart["mean"] > apart["expected"], "higher", "lower")
    return apart[["sgRNA", "gene", "cell_line", "mean", "expected", "it is", "tail"]]


def few_genes(line: str, number: int) -> str:
    """Say what a cell line with few genes means for its hits."""
    return (
        f"{line} has {number:,} genes: what share of them has no effect, and how sgRNAs and "
        "replicates scatter, can hardly be learnt from so few, so lfsr and fdr rest on the priors "
        "of model 9; `poolscreen report` is the better choice"
    )


def ranked(genes: pd.DataFrame) -> pd.DataFrame:
    """Rank the genes of a cell line, and say of each list what share of it is false.

    Parameters
    ----------
    genes : pandas.DataFrame
        See `poolscreen.inference.quadrature.Effects`.

    Returns
    -------
    pandas.DataFrame
        The same in the order of `rank`, with `lfsr`, `fdr` and `rank`.

    Examples
    --------
    >>> genes = pd.DataFrame({"down": [2.2, 4.6, -9.0], "up": [-3.0, -9.0, 0.4]})
    >>> ranked(genes)[["lfsr", "fdr", "rank"]].round(2).to_numpy().tolist()
    [[0.01, 0.01, 1.0], [0.1, 0.05, 2.0], [0.4, 0.4, 3.0]]
    """
    table = genes.sort_values("down", ascending=False, kind="stable").reset_index(drop=True)
    down = table["down"] >= table["up"]
    lfsr = pd.Series(special.expit(-table[["down", "up"]].max(axis=1).to_numpy()))
    fdr = np.empty(len(table))
    for sign in (down, ~down):
        fdr[sign] = _running_mean(lfsr[sign].to_numpy())
    return table.assign(lfsr=lfsr, fdr=fdr, rank=np.arange(1, len(table) + 1))


def _running_mean(values: FloatArray) -> FloatArray:
    """Return the mean of each value and all that are smaller."""
    order = np.argsort(values, kind="stable")
    means = np.empty(len(values))
    means[order] = np.cumsum(values[order]) / np.arange(1, len(values) + 1)
    return means

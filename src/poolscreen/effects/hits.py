"""Hits of a screen: genes with an effect, each list with the share of it that is false."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from scipy import special

from poolscreen.arrays import FloatArray
from poolscreen.families.mixture.guides import guides
from poolscreen.inference import store
from poolscreen.inference.exact import ENDS
from poolscreen.inference.quadrature import GENES, Effects, Mode, effects, find_mode
from poolscreen.progress import Say, silence
from poolscreen.screens.differences import OTHERS, OVERALL, differences, others, overall
from poolscreen.screens.table import Screen

COLUMNS = ["gene", "cell_line", "n_sgrnas", "mean", "sd", *ENDS, "lfsr", "fdr", "rank"]
FEW = 200  # genes, below which the parameters rest on their priors
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
    overall, differences : pandas.DataFrame
        The same columns as `genes`, of the mean over the lines, and of the difference between each
        line and the mean of the others; without rows for a screen of one line.
    modes : dict of str to Mode
        The parameters, by `cell_line` of these tables.
    posteriors : dict of str to xarray.DataArray
        The posterior of each gene on a grid of effects, likewise.
    """

    genes: pd.DataFrame
    guides: pd.DataFrame
    overall: pd.DataFrame
    differences: pd.DataFrame
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
    lines: it is one sgRNA in the mean, and drops out of the differences.

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
        If the measurements of a cell line are all equal, or beyond any sense, or no sgRNA was
        measured in a line and in another.

    Examples
    --------
    >>> screen = Screen(simulate(Design(n_cell_lines=1, sgrnas_per_gene=(4,) * 50))[0])
    >>> find_hits(screen).genes[["n_sgrnas", "rank"]].head(2).to_numpy().tolist()
    [[4, 1], [4, 2]]
    """
    found, modes = {}, {}
    for line, part in _parts(screen).items():
        data = guides(part, line)
        if len(data.genes) < FEW:
            say(f"mind: {few_genes(line, len(data.genes))}")
        say(f"{line}: estimating the parameters from {min(len(data.genes), GENES):,} genes")
        modes[line] = find_mode(data)
        found[line] = effects(modes[line].parameters, data, say=say)
    tables = {line: ranked(of.genes).assign(cell_line=line)[COLUMNS] for line, of in found.items()}
    lines, rest = screen.cell_lines, [of for of in found if of not in screen.cell_lines]
    return Hits(
        genes=pd.concat([tables[line] for line in lines], ignore_index=True),
        guides=_disagreeing(found),
        overall=tables.get(OVERALL, pd.DataFrame(columns=COLUMNS)),
        differences=pd.concat(
            [pd.DataFrame(columns=COLUMNS), *(tables[of] for of in rest if of != OVERALL)],
            ignore_index=True,
        ),
        modes=modes,
        posteriors={line: of.posterior for line, of in found.items()},
    )


def _parts(screen: Screen) -> dict[str, Screen]:
    """Return each cell line; if there are several, also their mean, and what they differ by."""
    lines = screen.cell_lines
    parts = dict.fromkeys(lines, screen)
    if len(lines) > 1:
        parts[OVERALL] = overall(screen)
    if len(lines) == 2:
        parts[":".join(lines)] = differences(screen, *lines)
    if len(lines) > 2:
        parts |= {
            f"{line}:{OTHERS}": differences(others(screen, line), line, OTHERS) for line in lines
        }
    return parts


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

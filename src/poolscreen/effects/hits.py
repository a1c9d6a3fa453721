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
from poolscreen.inference.quadrature import GENES, Mode, effects, find_mode
from poolscreen.progress import Say, silence
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
    modes : dict of str to Mode
        The parameters, by cell line.
    posteriors : dict of str to xarray.DataArray
        The posterior of each gene on a grid of effects, by cell line.
    """

    genes: pd.DataFrame
    guides: pd.DataFrame
    modes: dict[str, Mode]
    posteriors: dict[str, xr.DataArray]

    def tree(self) -> xr.DataTree:
        """Return what a file holds of it: a group per cell line, in the order of its lines.

        Returns
        -------
        xarray.DataTree
            Groups `line_0`, `line_1`, ..., each with the attribute `cell_line`: `probability`
            (dimensions `gene`, `effect`), and the `mode` and `sd` of each `parameter`.
        """
        groups = {}
        for number, (line, mode) in enumerate(self.modes.items()):
            table = mode.table().set_index("parameter")
            of_line = xr.Dataset({"probability": self.posteriors[line], **table.to_xarray()})
            groups[f"line_{number}"] = of_line.assign_attrs(cell_line=line)
        tree = xr.DataTree.from_dict(groups)
        tree.attrs = {"model": "m9", **store.environment()}
        return tree


def find_hits(screen: Screen, say: Say = silence) -> Hits:
    """Find the genes with an effect in each cell line of a screen, by model 9.

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
        If the measurements of a cell line are all equal, or beyond any sense.

    Examples
    --------
    >>> screen = Screen(simulate(Design(n_cell_lines=1, sgrnas_per_gene=(4,) * 50))[0])
    >>> find_hits(screen).genes[["n_sgrnas", "rank"]].head(2).to_numpy().tolist()
    [[4, 1], [4, 2]]
    """
    tables, others, modes, posteriors = [], [], {}, {}
    for line in screen.cell_lines:
        data = guides(screen, line)
        if len(data.genes) < FEW:
            say(f"mind: {few_genes(line, len(data.genes))}")
        say(f"{line}: estimating the parameters from {min(len(data.genes), GENES):,} genes")
        modes[line] = find_mode(data)
        found = effects(modes[line].parameters, data, say=say)
        tables.append(ranked(found.genes).assign(cell_line=line)[COLUMNS])
        others.append(found.guides.assign(cell_line=line))
        posteriors[line] = found.posterior
    apart = pd.concat(others, ignore_index=True).sort_values("tail", kind="stable")
    apart = apart[apart["tail"] < FAR]
    apart["it is"] = np.where(apart["mean"] > apart["expected"], "higher", "lower")
    columns = ["sgRNA", "gene", "cell_line", "mean", "expected", "it is", "tail"]
    return Hits(pd.concat(tables, ignore_index=True), apart[columns], modes, posteriors)


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

"""What a genome-wide screen looks like before any model: noise by reads, scatter by effect."""

import numpy as np
import pandas as pd

from poolscreen.arrays import FloatArray
from poolscreen.errors import PoolscreenError
from poolscreen.families.mixture.guides import Guides

FEWEST = 50  # values of a bin


def noise_by_reads(guides: Guides, bins: int = 20) -> pd.DataFrame:
    """Tabulate the noise of a measurement by the reads that are expected after the screen.

    The expected reads of an sgRNA are those before the screen, times two to the power of the mean
    of its gene. Its own count after the screen would not do: where it is low by chance, the log
    fold change is low as well.

    Parameters
    ----------
    guides : Guides
        A cell line with replicates and reads.
    bins : int
        Number of bins, each with as many sgRNAs.

    Returns
    -------
    pandas.DataFrame
        A row per bin: `reads` (the median) and `sd` of replicates about the mean of their sgRNA.

    Raises
    ------
    PoolscreenError
        If the reads are not known.

    Examples
    --------
    >>> from poolscreen.families.mixture.densities import START
    >>> from poolscreen.families.mixture.guides import guides
    >>> from poolscreen.families.mixture.simulation import simulate_mixture
    >>> data = guides(simulate_mixture(START, n_genes=200, seed=1)[0], "A")
    >>> found = noise_by_reads(data, bins=2)
    >>> bool(found["sd"][0] > found["sd"][1])
    True
    """
    if guides.initial is None:
        raise PoolscreenError("the reads of this screen are not known")
    of_gene = _of_genes(np.nanmean(guides.log_fc, axis=1), guides)
    expected = guides.initial * 2.0 ** of_gene[guides.gene]
    variance = np.nanvar(guides.log_fc, axis=1, ddof=1)
    return _binned(expected, variance, bins, "reads")


def scatter_by_effect(guides: Guides, bins: int = 20) -> pd.DataFrame:
    """Tabulate the scatter of sgRNAs about their gene by the mean of the gene.

    The noise that is left in the mean of an sgRNA's replicates is taken away.

    Parameters
    ----------
    guides : Guides
        A cell line with replicates.
    bins : int
        Number of bins between the lowest and the highest gene, of equal width.

    Returns
    -------
    pandas.DataFrame
        A row per bin with genes enough: `effect` (the median) and `sd`.

    Examples
    --------
    >>> from poolscreen.families.mixture.densities import START
    >>> from poolscreen.families.mixture.guides import guides
    >>> from poolscreen.families.mixture.simulation import simulate_mixture
    >>> data = guides(simulate_mixture(START, n_genes=3000, seed=1)[0], "A")
    >>> found = scatter_by_effect(data, bins=4)
    >>> bool(found["sd"].iloc[0] > found["sd"].iloc[-1])
    True
    """
    means = np.nanmean(guides.log_fc, axis=1)
    left = np.nanvar(guides.log_fc, axis=1, ddof=1) / np.isfinite(guides.log_fc).sum(axis=1)
    of_gene, several = _of_genes(means, guides), guides.sizes > 1
    squares = np.add.reduceat((means - of_gene[guides.gene]) ** 2, guides.starts)
    variance = squares / np.maximum(guides.sizes - 1, 1) - _of_genes(left, guides)
    edges = np.linspace(of_gene.min(), of_gene.max(), bins + 1)
    table = pd.DataFrame({"effect": of_gene, "variance": variance})[several]
    grouped = table.groupby(np.digitize(table["effect"], edges))
    rows = [
        (float(rows["effect"].median()), float(np.sqrt(max(rows["variance"].mean(), 0.0))))
        for _, rows in grouped
        if len(rows) >= FEWEST
    ]
    return pd.DataFrame(rows, columns=["effect", "sd"])


def _of_genes(values: FloatArray, guides: Guides) -> FloatArray:
    """Return the mean of the values of each gene's sgRNAs."""
    means: FloatArray = np.add.reduceat(values, guides.starts) / guides.sizes
    return means


def _binned(x: FloatArray, variance: FloatArray, bins: int, name: str) -> pd.DataFrame:
    order = np.argsort(x, kind="stable")
    parts = np.array_split(order, bins)
    return pd.DataFrame(
        {
            name: [float(np.median(x[part])) for part in parts],
            "sd": [float(np.sqrt(np.nanmean(variance[part]))) for part in parts],
        }
    )

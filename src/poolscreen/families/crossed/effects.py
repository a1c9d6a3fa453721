"""The effects of crossed models, drawn back exactly."""

import numpy as np

from poolscreen.arrays import FloatArray
from poolscreen.screens.table import Screen


def _in_genes(screen: Screen, values: FloatArray) -> FloatArray:
    """Add up the sgRNAs of each gene; shape (draws, sgRNAs) to (draws, genes)."""
    order = np.argsort(screen.gene_of_sgrna, kind="stable")
    starts = np.searchsorted(screen.gene_of_sgrna[order], np.arange(len(screen.genes)))
    return np.add.reduceat(values[:, order], starts, axis=1)

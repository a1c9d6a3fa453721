"""The design of a screen as the closed form of a crossed model sees it: what is alike together."""

import numpy as np

from poolscreen.arrays import IntArray
from poolscreen.families.crossed.data import informative
from poolscreen.families.crossed.levels import Levels
from poolscreen.families.layouts import layouts
from poolscreen.screens.table import Screen


class Groups:
    """Genes and sgRNAs by how they were observed, and the model that is to take them in.

    Parameters
    ----------
    levels : Levels
        The model.
    screen : Screen
        The data.

    Attributes
    ----------
    n, totals : numpy.ndarray, shape (sgRNAs, cell lines)
        Number of observations, and their sum.
    patterns, pattern : numpy.ndarray, shapes (P, cell lines) and (sgRNAs,)
        The different rows of `n`, and which of them that of each sgRNA is.
    number : numpy.ndarray, shape (P,)
        Number of sgRNAs of each pattern.
    like : Layouts
        The genes, by the patterns of their sgRNAs.
    in_line : numpy.ndarray, shape (L, K, cell lines)
        Observations of each sgRNA of a stratum, by cell line.
    order, starts : numpy.ndarray, shapes (sgRNAs,) and (genes + 1,)
        The sgRNAs gene by gene, and where each gene begins among them.

    Raises
    ------
    PoolscreenError
        If all observations are equal.
    """

    def __init__(self, levels: Levels, screen: Screen) -> None:
        informative(screen)
        self.levels, self.screen = levels, screen
        n, self.totals = screen.sums("sgRNA")
        self.n = n.astype(np.float64)
        self.patterns, self.pattern = np.unique(self.n, axis=0, return_inverse=True)
        self.number = np.bincount(self.pattern).astype(np.float64)
        self.like = layouts(screen.gene_of_sgrna, self.pattern)
        self.in_line = self.patterns[self.like.kind]
        self.order = np.argsort(screen.gene_of_sgrna, kind="stable")
        bounds = np.arange(len(screen.genes) + 1)
        self.starts = np.searchsorted(screen.gene_of_sgrna[self.order], bounds)

    def sgrnas_of(self, genes: slice) -> IntArray:
        """Return the sgRNAs of some genes, gene by gene."""
        rows: IntArray = self.order[self.starts[genes.start] : self.starts[genes.stop]]
        return rows

    def column(self, sgrnas: IntArray) -> IntArray:
        """Return the number of the stratum of some sgRNAs within their gene."""
        columns: IntArray = self.like.column[self.like.stratum[sgrnas]]
        return columns

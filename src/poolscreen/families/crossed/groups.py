"""A screen as the closed form of a crossed model sees it: what is alike stands together."""

from dataclasses import dataclass

import numpy as np

from poolscreen.arrays import FloatArray, IntArray
from poolscreen.families.crossed.data import informative
from poolscreen.families.crossed.levels import Levels
from poolscreen.families.layouts import layouts
from poolscreen.screens.table import Screen


@dataclass(frozen=True)
class Genes:
    """What a screen tells of genes, all with the same layout together: see `Layouts`.

    Attributes
    ----------
    layout : numpy.ndarray, shape (genes,)
        Layout of each gene.
    genes : numpy.ndarray, shape (L,)
        Number of genes of each layout.
    seen : numpy.ndarray, shape (L, K)
        Observations of each sgRNA of a stratum.
    sgrnas : numpy.ndarray, shape (L, K)
        Number of sgRNAs of the stratum in each gene.
    pattern : numpy.ndarray, shape (L, K)
        Their pattern, see `Sgrnas`.
    in_line : numpy.ndarray, shape (L, K, cell lines)
        Observations of each of them, by cell line.
    total : numpy.ndarray, shape (genes, K)
        Sum of the observations of the stratum.
    sums : numpy.ndarray, shape (L, K)
        The same, summed over the genes of the layout.
    products : numpy.ndarray, shape (L, K, K)
        Products of the totals, summed over the genes of the layout.
    """

    layout: IntArray
    genes: IntArray
    seen: FloatArray
    sgrnas: FloatArray
    pattern: IntArray
    in_line: FloatArray
    total: FloatArray
    sums: FloatArray
    products: FloatArray

    def one_hot(self, patterns: int) -> FloatArray:
        """Return 1 where a stratum is of a pattern; shape (L, K, patterns)."""
        marked: FloatArray = np.eye(patterns)[self.pattern]
        return marked


@dataclass(frozen=True)
class Sgrnas:
    """What a screen tells of sgRNAs, all with the same pattern of observation together.

    Attributes
    ----------
    number : numpy.ndarray, shape (P,)
        Number of sgRNAs of each pattern.
    in_line : numpy.ndarray, shape (P, cell lines)
        Observations of each of them, by cell line.
    total, squares : numpy.ndarray, shape (P,)
        Sum of the totals of these sgRNAs, and of their squares.
    """

    number: FloatArray
    in_line: FloatArray
    total: FloatArray
    squares: FloatArray

    @property
    def seen(self) -> FloatArray:
        """Observations of each of them, shape (P,)."""
        seen: FloatArray = self.in_line.sum(axis=1)
        return seen

    def products(self) -> FloatArray:
        """Return the outer product of each pattern with itself; shape (P, lines squared)."""
        outer = self.in_line[:, :, None] * self.in_line[:, None, :]
        return outer.reshape(len(outer), -1)


class Groups:
    """What a screen tells of genes and sgRNAs, and the model that is to take it in.

    Parameters
    ----------
    levels : Levels
        The model.
    screen : Screen
        The data.

    Attributes
    ----------
    n, total : numpy.ndarray, shapes (sgRNAs, cell lines) and (sgRNAs,)
        Number of observations, and the sum of all of an sgRNA.
    line_n, line_total : numpy.ndarray, shape (cell lines,)
        The same of all sgRNAs together.
    sum_of_squares : float
        Of all observations.
    sgrnas : Sgrnas
    genes : Genes
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
        n, total = screen.sums("sgRNA")
        self.n, self.total = n.astype(np.float64), total.sum(axis=1)
        self.line_total, self.line_n = total.sum(axis=0), self.n.sum(axis=0)
        self.sum_of_squares = float((screen.log_fc**2).sum())
        patterns, pattern = np.unique(self.n, axis=0, return_inverse=True)
        self.sgrnas = Sgrnas(
            number=np.bincount(pattern).astype(np.float64),
            in_line=patterns,
            total=np.bincount(pattern, self.total),
            squares=np.bincount(pattern, self.total**2),
        )
        self.genes = self._in_genes(patterns, pattern)
        self.order = np.argsort(screen.gene_of_sgrna, kind="stable")
        bounds = np.arange(len(screen.genes) + 1)
        self.starts = np.searchsorted(screen.gene_of_sgrna[self.order], bounds)

    def _in_genes(self, patterns: FloatArray, pattern: IntArray) -> Genes:
        like = layouts(self.screen.gene_of_sgrna, pattern)
        total = like.by_group(np.bincount(like.stratum, self.total))
        return Genes(
            layout=like.layout,
            genes=like.groups.astype(np.float64),
            seen=patterns.sum(axis=1)[like.kind],
            sgrnas=like.units.astype(np.float64),
            pattern=like.kind,
            in_line=patterns[like.kind],
            total=total,
            sums=like.over_groups(total),
            products=like.over_groups(total[:, :, None] * total[:, None, :]),
        )

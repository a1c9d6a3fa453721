"""A screen as a crossed model without interactions sees it: sums of its observations."""

import numpy as np

from poolscreen.families.crossed.groups import Groups


class Sums:
    """Sums of the observations, which are all that such a model wants to know of a screen.

    Attributes
    ----------
    total : numpy.ndarray, shape (sgRNAs,)
        Sum of the observations of an sgRNA.
    line_total, line_n : numpy.ndarray, shape (cell lines,)
        Sum and number of the observations in a cell line.
    of_patterns, squares : numpy.ndarray, shape (P,)
        Sum of the totals of the sgRNAs of a pattern, and of their squares.
    of_genes : numpy.ndarray, shape (genes, K)
        Sum of the observations of each stratum.
    of_layouts, products : numpy.ndarray, shapes (L, K) and (L, K, K)
        These sums, and their products, summed over the genes of a layout.
    """

    def __init__(self, groups: Groups) -> None:
        self.groups, like = groups, groups.like
        self.total = groups.totals.sum(axis=1)
        self.line_total, self.line_n = groups.totals.sum(axis=0), groups.n.sum(axis=0)
        self.sum_of_squares = float((groups.screen.log_fc**2).sum())
        self.of_patterns = np.bincount(groups.pattern, self.total)
        self.squares = np.bincount(groups.pattern, self.total**2)
        self.of_genes = like.by_group(np.bincount(like.stratum, self.total))
        self.of_layouts = like.over_groups(self.of_genes)
        self.products = like.over_groups(self.of_genes[:, :, None] * self.of_genes[:, None, :])
        self.size = groups.in_line.size + groups.number.size

"""A screen as a crossed model with interactions sees it: means of sgRNAs in cell lines."""

import numpy as np

from poolscreen.arrays import FloatArray, IntArray
from poolscreen.families.crossed.groups import Groups


class Means:
    """Means of the observations of each sgRNA in each cell line.

    Only squares and products of the means enter the density, so that of many genes of a layout, or
    sgRNAs of a pattern, few rows are kept that have the same: the triangle of a QR decomposition.

    Attributes
    ----------
    mean : numpy.ndarray, shape (sgRNAs, cell lines)
        0 where there is no observation.
    of_genes : numpy.ndarray, shape (genes, K, cell lines)
        Sum of the means of each stratum.
    of_layouts : numpy.ndarray, shape (L, K, cell lines)
        The same, summed over the genes of a layout.
    rows, layout : numpy.ndarray, shapes (rows, K, cell lines) and (rows,)
        Rows with the squares and products of `of_genes`, and their layout.
    sgrna_rows, sgrna_pattern : numpy.ndarray, shapes (rows, cell lines) and (rows,)
        Rows with the squares and products of `mean`, and their pattern.
    ss_within : float
        Sum of squares about the means.
    """

    def __init__(self, groups: Groups) -> None:
        self.groups, like, screen = groups, groups.like, groups.screen
        self.mean = groups.totals / np.maximum(groups.n, 1)
        of_strata = np.zeros((len(like.group), self.mean.shape[1]))
        np.add.at(of_strata, like.stratum, self.mean)
        self.of_genes = like.by_group(of_strata)
        self.of_layouts = like.over_groups(self.of_genes)
        flat = self.of_genes.reshape(len(self.of_genes), -1)
        rows, self.layout = _with_the_products_of(flat, like.layout)
        self.rows = rows.reshape(-1, *self.of_genes.shape[1:])
        self.sgrna_rows, self.sgrna_pattern = _with_the_products_of(self.mean, groups.pattern)
        about = screen.log_fc - self.mean[screen.sgrna_idx, screen.cell_idx]
        self.ss_within = float((about**2).sum())
        matrices = groups.in_line.shape[0] * groups.n.shape[1] ** 2
        self.size = 4 * matrices + self.rows.size + self.sgrna_rows.size

    def as_data(self) -> dict[str, FloatArray | IntArray]:
        """Return what the sampled form takes: arrays by name."""
        groups, like = self.groups, self.groups.like
        return {
            "n": groups.patterns,
            "number": groups.number,
            "kind": like.kind,
            "units": like.units.astype(np.float64),
            "genes": like.groups.astype(np.float64),
            "of_layouts": self.of_layouts,
            "rows": self.rows,
            "layout": self.layout,
            "sgrna_rows": self.sgrna_rows,
            "sgrna_pattern": self.sgrna_pattern,
            "ss_within": np.asarray(self.ss_within),
        }


def _with_the_products_of(values: FloatArray, group: IntArray) -> tuple[FloatArray, IntArray]:
    """Return as few rows as have the same sums of squares and products in each group."""
    kept = [
        members if len(members) <= members.shape[1] else np.linalg.qr(members, mode="r")
        for members in np.split(values[np.argsort(group, kind="stable")], _ends(group))
    ]
    return np.concatenate(kept), np.repeat(np.arange(len(kept)), [len(rows) for rows in kept])


def _ends(group: IntArray) -> IntArray:
    ends: IntArray = np.cumsum(np.bincount(group))[:-1]
    return ends

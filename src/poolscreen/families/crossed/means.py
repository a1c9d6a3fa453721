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
        Mean over the sgRNAs of each stratum.
    rows, layout : numpy.ndarray, shapes (rows, K, cell lines) and (rows,)
        Rows with the squares and products of `of_genes`, and their layout. The first of a layout is
        the mean of its genes times the square root of their number.
    first : numpy.ndarray, shape (L,)
        Which row is the first of each layout.
    within, pattern : numpy.ndarray, shapes (rows, cell lines) and (rows,)
        Rows with the squares and products of what `mean` differs by from that of its stratum, and
        their pattern.
    freedom : numpy.ndarray, shape (P,)
        Number of such differences that are free, of the sgRNAs of a pattern.
    ss_within : float
        Sum of squares of the observations about the means.
    complete : bool
        Whether each gene has one stratum, whose sgRNAs are observed equally often in all lines.
    """

    def __init__(self, groups: Groups) -> None:
        self.groups, like, screen = groups, groups.like, groups.screen
        self.mean = groups.totals / np.maximum(groups.n, 1)
        units = np.bincount(like.stratum)
        of_strata = np.zeros((len(units), self.mean.shape[1]))
        np.add.at(of_strata, like.stratum, self.mean)
        of_strata /= units[:, None]
        self.of_genes = like.by_group(of_strata)
        flat = self.of_genes.reshape(len(self.of_genes), -1)
        rows, self.layout = _with_the_products_of(flat, like.layout)
        self.rows = rows.reshape(-1, *self.of_genes.shape[1:])
        self.first = np.searchsorted(self.layout, np.arange(len(like.groups)))
        differences = self.mean - of_strata[like.stratum]
        self.within, self.pattern = _with_the_products_of(differences, groups.pattern)
        of_pattern = groups.pattern[np.unique(like.stratum, return_index=True)[1]]
        self.freedom = groups.number - np.bincount(of_pattern, minlength=len(groups.number))
        about = screen.log_fc - self.mean[screen.sgrna_idx, screen.cell_idx]
        self.ss_within = float((about**2).sum())
        alike = (groups.patterns == groups.patterns[:, :1]).all()
        self.complete = bool(alike) and groups.in_line.shape[1] == 1
        strata = groups.in_line.size * (1 + groups.in_line.shape[1])
        self.size = 4 * strata + (0 if self.complete else self.rows.size + self.within.size)

    def in_sums(self) -> dict[str, FloatArray]:
        """Return what the density of a complete screen needs of the rows.

        Returns
        -------
        dict of str to numpy.ndarray
            By layout `sums` of the means (L, cell lines), `squares` of the rows, and squares of
            `totals` over the lines; by pattern the squares of `within` about its `means` over the
            lines, and of these.
        """
        rows, within, pattern = self.rows[:, 0], self.within, self.pattern
        mean = within.mean(axis=1)
        about = ((within - mean[:, None]) ** 2).sum(axis=1)
        return {
            "sums": rows[self.first] * np.sqrt(self.groups.like.groups)[:, None],
            "squares": np.bincount(self.layout, (rows**2).sum(axis=1)),
            "totals": np.bincount(self.layout, rows.sum(axis=1) ** 2),
            "within": np.bincount(pattern, about),
            "means": np.bincount(pattern, mean**2),
        }

    def as_data(self) -> dict[str, FloatArray | IntArray]:
        """Return what the sampled form takes: arrays by name.

        Rows that belong together stand in one table, filled up with zeros, which add nothing.
        """
        groups, like = self.groups, self.groups.like
        design = {
            "n": groups.patterns,
            "number": groups.number,
            "freedom": self.freedom,
            "kind": like.kind,
            "units": like.units.astype(np.float64),
            "genes": like.groups.astype(np.float64),
            "ss_within": np.asarray(self.ss_within),
        }
        if self.complete:
            return design | self.in_sums()
        rows = _filled_up(self.rows, self.layout)
        return design | {"rows": rows, "within": _filled_up(self.within, self.pattern)}


def _filled_up(rows: FloatArray, group: IntArray) -> FloatArray:
    """Return a table with the rows of each group, which follow each other."""
    sizes = np.bincount(group)
    table = np.zeros((len(sizes), int(sizes.max()), *rows.shape[1:]))
    table[group, np.arange(len(rows)) - (np.cumsum(sizes) - sizes)[group]] = rows
    return table


def _with_the_products_of(values: FloatArray, group: IntArray) -> tuple[FloatArray, IntArray]:
    """Return as few rows as have the same sums of squares and products in each group.

    The first row of a group is the mean of its rows times the square root of their number.
    """
    ends = np.cumsum(np.bincount(group))[:-1]
    kept = []
    for members in np.split(values[np.argsort(group, kind="stable")], ends):
        mean = members.mean(axis=0)
        rest = np.linalg.qr(members - mean, mode="r")[: None if len(members) > 1 else 0]
        kept.append(np.vstack([mean * np.sqrt(len(members)), rest]))
    return np.concatenate(kept), np.repeat(np.arange(len(kept)), [len(rows) for rows in kept])

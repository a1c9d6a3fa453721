"""Nested models of a screen of any size: exact, cell line by cell line, from sums of its rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.interpolate import CubicSpline

from poolscreen.arrays import FloatArray, IntArray
from poolscreen.errors import PoolscreenError
from poolscreen.families.nested.closed import Reduced
from poolscreen.families.nested.data import Statistics, Units, check_spread, merged, reduced
from poolscreen.families.nested.effects import Conditional
from poolscreen.families.nested.levels import Levels
from poolscreen.inference.exact import ENDS
from poolscreen.inference.mixtures import Mixture, weighted_interval
from poolscreen.inference.scales import MAX_PARETO_K, Weighted, integrate
from poolscreen.processes import ahead
from poolscreen.progress import Progress, Say, silence
from poolscreen.screens.matrix import Matrix, pieces

UNITS = 2**21  # sgRNAs in cell lines at a time
POINTS = 32  # of the scales, which a screen of this size leaves little doubt about
KNOTS = 257  # means of a gene at which its posterior is computed, with splines between them
DIRECT = 20_000  # genes in cell lines that are computed without splines at a time


@dataclass(frozen=True)
class Large:
    """The posterior of a nested model of a large screen.

    Attributes
    ----------
    levels : Levels
        The model.
    matrix : Matrix
        The data.
    model : Reduced
        The model of the data, given its scales.
    points : Weighted
        The posterior of the scales.
    """

    levels: Levels
    matrix: Matrix
    model: Reduced
    points: Weighted

    def scalars(self) -> pd.DataFrame:
        """Summarise the mean and the scales: `parameter`, `mean`, `sd`, `hdi_3%`, `hdi_97%`."""
        rows = {}
        few = self.points.fewer(POINTS)
        if isinstance(self.levels.mean, str):
            of_mean = self.model.mean(few.scales)
            mixture = Mixture(
                few.weights, of_mean.mean[:, None], np.sqrt(of_mean.variance)[:, None]
            )
            found = (*mixture.moments(), *mixture.hdi())
            rows[self.levels.mean] = [float(value[0]) for value in found]
        for name, values in self.points.scales.items():
            mean = self.points.weights @ values
            sd = np.sqrt(self.points.weights @ (values - mean) ** 2)
            rows[name] = [float(mean), float(sd), *weighted_interval(values, self.points.weights)]
        table = pd.DataFrame.from_dict(rows, orient="index", columns=["mean", "sd", *ENDS])
        return table.rename_axis("parameter").reset_index()

    def gene_effects(
        self, thresholds: Sequence[float] = (), say: Say = silence
    ) -> Iterator[pd.DataFrame]:
        """Summarise the effects of the genes, some cell lines at a time.

        Given the scales, the effect of a gene depends on the mean of its sgRNAs alone, among genes
        with as many sgRNAs and replicates. So its summaries are computed at `KNOTS` means, and by
        cubic splines between these. Genes whose sgRNAs differ in their replicates are computed one
        by one.

        Parameters
        ----------
        thresholds : sequence of float
            Log fold changes.
        say : callable, optional
            Takes messages: how far the work is.

        Yields
        ------
        pandas.DataFrame
            A row per gene and cell line that was measured: `gene` and `cell_line` (categories),
            `n_sgrnas`, `mean`, `sd`, `hdi_3%`, `hdi_97%`, and `P(below ...)`.
        """
        few, progress = self.points.fewer(POINTS), Progress(say)
        of_mean = self.model.mean(few.scales)
        values = {**few.scales, str(self.levels.mean): of_mean.mean}
        summaries = _Summaries(self.levels, few.weights, values, of_mean.variance, thresholds)
        genes, cell_lines = pd.Index(self.matrix.genes), pd.Index(self.matrix.cell_lines)

        def of_lines(lines: slice) -> pd.DataFrame:
            sgrnas = _of_genes(self.matrix, np.minimum(self.matrix.n[lines], 1))
            line, gene = np.nonzero(sgrnas)
            found = summaries(_units(self.levels, self.matrix, lines), line, gene)
            labels = {
                "gene": pd.Categorical.from_codes(gene, genes),
                "cell_line": pd.Categorical.from_codes(line + lines.start, cell_lines),
                "n_sgrnas": sgrnas[line, gene],
            }
            return pd.DataFrame(labels | found)

        done = 0
        for table in ahead(of_lines, pieces(self.matrix, UNITS)):
            done += len(table)
            progress(f"{done:,} effects of genes in {len(cell_lines):,} cell lines")
            yield table


def solve_large(levels: Levels, matrix: Matrix, say: Say = silence) -> Large:
    """Find the posterior of a nested model of a large screen.

    Parameters
    ----------
    levels : Levels
        A model whose top effects are those of genes in cell lines, such as 7a and 7b.
    matrix : Matrix
        The data.
    say : callable, optional
        Takes messages: how far the work is.

    Returns
    -------
    Large

    Raises
    ------
    PoolscreenError
        If the model has other effects, there is no variance to learn from, or the scales cannot be
        integrated.

    Examples
    --------
    >>> from poolscreen.inference.exact import solve
    >>> from poolscreen.models import m7b
    >>> screen = Screen(simulate(Design(n_cell_lines=3, sgrnas_per_gene=(3,) * 30))[0])
    >>> n, total = screen.sums("sgRNA")
    >>> labels = screen.genes, screen.sgrnas, screen.cell_lines, screen.gene_of_sgrna
    >>> matrix = Matrix(*labels, n.T, total.T, float((screen.log_fc**2).sum()))
    >>> large, small = solve_large(m7b.FAMILY, matrix), solve(m7b.FAMILY, screen)
    >>> np.allclose(large.scalars()["mean"], small.scalars()["mean"], atol=0.01)
    True
    """
    if levels.level != "gene":
        raise PoolscreenError("a screen of this size can be fitted by m7a and m7b")

    def of_lines(lines: slice) -> Statistics:
        return reduced(_units(levels, matrix, lines))

    say(f"reducing {len(matrix.cell_lines):,} cell lines")
    data = merged(list(ahead(of_lines, pieces(matrix, UNITS))))
    within = max(matrix.squares + data.ss_within, 0.0) if data.df_within else 0.0
    data = replace(data, ss_within=within)
    mean = float(matrix.total.sum()) / matrix.rows
    spread = matrix.squares - matrix.rows * mean**2
    check_spread(data, matrix.rows, mean, spread, zero=1e-12 * matrix.squares)
    model = Reduced(levels, data)
    points = integrate(model)
    if not points.pareto_k < MAX_PARETO_K:
        raise PoolscreenError(
            f"the scales cannot be integrated by importance sampling: Pareto k is "
            f"{points.pareto_k:.2f}, and {MAX_PARETO_K} is the limit"
        )
    return Large(levels, matrix, model, points)


def _units(levels: Levels, matrix: Matrix, lines: slice) -> Units:
    """Return the observations of some cell lines by the units of a model."""
    n, total = matrix.n[lines], matrix.total[lines]
    group = matrix.gene_of_sgrna
    if not levels.nested:
        n, total = _of_genes(matrix, n), _of_genes(matrix, total)
        group = np.arange(len(matrix.genes))
    mean = total / np.maximum(n, 1)
    # What is within units is the squares of all rows, less these.
    squares = float((n * mean**2).sum())
    return Units(n.T, mean.T, np.empty(0, dtype=np.int64), group, -squares)


def _of_genes[Array: (FloatArray, IntArray)](matrix: Matrix, values: Array) -> Array:
    """Add up the sgRNAs of each gene; shape (cell lines, genes)."""
    order = np.argsort(matrix.gene_of_sgrna, kind="stable")
    starts = np.searchsorted(matrix.gene_of_sgrna[order], np.arange(len(matrix.genes)))
    sums: Array = np.add.reduceat(values[:, order], starts, axis=1)
    return sums


class _Summaries:
    """Summaries of genes, given points of the scales."""

    def __init__(
        self,
        levels: Levels,
        weights: FloatArray,
        values: dict[str, FloatArray],
        variance_of_mean: FloatArray,
        thresholds: Sequence[float],
    ) -> None:
        self.levels, self.weights, self.values = levels, weights, values
        self.variance_of_mean, self.thresholds = variance_of_mean, thresholds

    def __call__(self, units: Units, line: IntArray, gene: IntArray) -> dict[str, FloatArray]:
        """Summarise genes in cell lines."""
        order = np.argsort(units.group_of_row, kind="stable")
        starts = np.searchsorted(units.group_of_row[order], np.arange(units.group_of_row.max() + 1))

        def of_groups[Array: (FloatArray, IntArray)](values: Array, add: np.ufunc) -> Array:
            found: Array = add.reduceat(values[order], starts, axis=0)[gene, line]
            return found

        seen = units.n > 0
        size = of_groups(seen.astype(np.int64), np.add)
        most = of_groups(units.n, np.maximum)
        fewest = of_groups(np.where(seen, units.n, most.max()), np.minimum)
        mean = of_groups(np.where(seen, units.mean, 0.0), np.add) / size
        found = {name: np.empty(len(gene)) for name in self._names()}
        alike = most == fewest
        layout = size * (most.max() + 1) + most
        for which in np.flatnonzero(np.bincount(layout[alike])):
            chosen = np.flatnonzero(alike & (layout == which))
            rows, replicates = divmod(int(which), int(most.max()) + 1)
            for name, values in self._between(rows, replicates, mean[chosen]).items():
                found[name][chosen] = values
        others = np.flatnonzero(~alike)
        for start in range(0, len(others), DIRECT):
            chosen = others[start : start + DIRECT]
            direct = self._direct(units, order, starts, line[chosen], gene[chosen])
            for name, values in direct.items():
                found[name][chosen] = values
        return found

    def _names(self) -> list[str]:
        return ["mean", "sd", *ENDS, *(f"P(below {value:g})" for value in self.thresholds)]

    def _between(self, rows: int, replicates: int, mean: FloatArray) -> dict[str, FloatArray]:
        """Summarise genes of one layout by splines."""
        low, high = float(mean.min()), float(mean.max())
        knots = np.linspace(low, max(high, low + 1e-6), KNOTS)
        block = Units(
            n=np.full((rows, KNOTS), replicates),
            mean=np.broadcast_to(knots, (rows, KNOTS)),
            row=np.empty(0, dtype=np.int64),
            group_of_row=np.zeros(rows, dtype=np.int64),
            ss_within=0.0,
        )
        at_knots = self._summarised(block)
        splines = CubicSpline(knots, np.stack(list(at_knots.values()), axis=1))
        return dict(zip(at_knots, splines(mean).T, strict=True))

    def _direct(
        self, units: Units, order: IntArray, starts: IntArray, line: IntArray, gene: IntArray
    ) -> dict[str, FloatArray]:
        """Summarise genes one by one."""
        ends = np.append(starts[1:], len(order))
        sizes = ends[gene] - starts[gene]
        group = np.repeat(np.arange(len(gene)), sizes)
        within = np.arange(len(group)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        row, column = order[starts[gene][group] + within], line[group]
        block = Units(
            n=units.n[row, column][:, None],
            mean=units.mean[row, column][:, None],
            row=np.empty(0, dtype=np.int64),
            group_of_row=group,
            ss_within=0.0,
        )
        return self._summarised(block)

    def _summarised(self, block: Units) -> dict[str, FloatArray]:
        location, sd, slope = Conditional(self.levels, block, self.values).top()
        variance = sd**2 + slope**2 * self.variance_of_mean[:, None, None]
        flat = location.reshape(len(location), -1)
        spread = np.sqrt(np.broadcast_to(variance, location.shape)).reshape(flat.shape)
        mixture = Mixture(self.weights, flat, spread)
        below = [mixture.below(value) for value in self.thresholds]
        return dict(zip(self._names(), [*mixture.moments(), *mixture.hdi(), *below], strict=True))

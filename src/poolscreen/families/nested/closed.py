"""The nested models in closed form: density of the scales, and effects given these, without draws.

Everything is computed for many points of the scales at once, with NumPy: a second way to what the
sampled form of `poolscreen.families.nested.likelihood` gives.
"""

from collections.abc import Mapping

import numpy as np

from poolscreen.arrays import FloatArray, IntArray
from poolscreen.families.family import MEAN_SD, Moments, Points, log_normal
from poolscreen.families.nested.data import (
    Statistics,
    Units,
    check_informative,
    statistics,
    units,
)
from poolscreen.families.nested.effects import Conditional, draw_effects
from poolscreen.families.nested.levels import Levels
from poolscreen.families.nested.likelihood import together
from poolscreen.screens.table import Screen


class Reduced:
    """A nested model of sufficient statistics, given its scales.

    Parameters
    ----------
    levels : Levels
        The model.
    data : Statistics
        What a screen tells of the mean and the scales.
    """

    def __init__(self, levels: Levels, data: Statistics) -> None:
        self.levels, self.data = levels, data
        self.together = together(levels, self.data)
        self.size = self.data.scatter.size

    def log_likelihood(self, scales: Points) -> FloatArray:
        r"""Log density of all observations given the scales; the mean is integrated out as well.

        As in `poolscreen.families.nested.likelihood.log_marginal_likelihood`, whose names these
        are. The means of the groups are then normal about one mean, with variances `variance`; with
        :math:`S = \sum 1 / \text{variance}` their weighted average :math:`\hat\mu` is
        :math:`\text{Normal}(\mu, S^{-1/2})`, and :math:`\mu` itself :math:`\text{Normal}(0, 5)`.

        """
        data, of = self.data, self._variances(scales)
        noise, scatter = of["noise"][:, None, None], of["scatter"][:, None, None]
        v = scatter + noise / data.replicates
        weight = data.units / v
        precision = weight.sum(axis=2)
        share = weight / precision[:, :, None]
        differences = precision / 2 * _quadratic(share, data.difference)
        spread = _quadratic(share, data.scatter)
        mean = (share * data.mean).sum(axis=2)
        variance = of["group"][:, None] + 1 / precision

        total, centre = self._centre(mean, variance)
        about = spread + data.groups * (mean - centre[:, None]) ** 2
        groups = data.groups * np.log(precision * variance) + differences + about / variance
        strata = data.groups[:, None] * data.units * np.log(v) + data.ss_between / v
        within = data.df_within * np.log(of["noise"]) + data.ss_within / of["noise"]
        density: FloatArray = data.constant - 0.5 * (
            within + strata.sum(axis=(1, 2)) + groups.sum(axis=1)
        )
        if isinstance(self.levels.mean, str):
            density += 0.5 * np.log(2 * np.pi / total)
            density += log_normal(centre, MEAN_SD**2 + 1 / total)
        return density

    def _variances(self, scales: Points) -> dict[str, FloatArray]:
        """Return variances of groups about the mean, of units about a group, and of the noise."""
        noise = np.square(scales["sigma"])

        def variance(of: str | float | None) -> FloatArray:
            return np.square(scales[of] if isinstance(of, str) else np.full_like(noise, of or 0.0))

        nested = self.levels.nested_sd
        return {"noise": noise, "scatter": variance(nested), "group": variance(self.levels.sd)}

    def _centre(self, mean: FloatArray, variance: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return what the groups know of the mean: its precision, and their average."""
        weight = self.data.groups / variance
        total = weight.sum(axis=1)
        if isinstance(self.levels.mean, str):
            return total, (weight * mean).sum(axis=1) / total
        return total, np.full_like(total, self.levels.mean)

    def mean(self, scales: Points) -> Moments:
        """Return mean and variance of the mean of the top effects; a fixed one has none."""
        of = self._variances(scales)
        if not isinstance(self.levels.mean, str):
            return Moments(np.full_like(of["noise"], self.levels.mean), np.zeros_like(of["noise"]))
        data = self.data
        v = of["scatter"][:, None, None] + of["noise"][:, None, None] / data.replicates
        weight = data.units / v
        precision = weight.sum(axis=2)
        mean = (weight * data.mean).sum(axis=2) / precision
        total, centre = self._centre(mean, of["group"][:, None] + 1 / precision)
        variance = 1 / (total + MEAN_SD**-2)
        return Moments(variance * total * centre, variance)


class Closed(Reduced):
    """A nested model of a screen, given its scales: see `poolscreen.families.family.Closed`.

    Parameters
    ----------
    levels : Levels
        The model.
    screen : Screen
        The data.

    Raises
    ------
    PoolscreenError
        If there is no variance to learn from.

    Examples
    --------
    >>> from poolscreen.models import m7b
    >>> closed = Closed(m7b.FAMILY, small_screen)
    >>> closed.together  # no replicates: the data do not tell sgRNAs and noise apart
    [['sigma_gamma'], ['sigma_alpha', 'sigma']]
    >>> scales = {name: np.array([0.3, 3.0]) for name in m7b.FAMILY.scales}
    >>> closed.log_likelihood(scales).round(1).tolist()
    [-9.1, -16.2]
    """

    def __init__(self, levels: Levels, screen: Screen) -> None:
        super().__init__(levels, statistics(levels, screen))
        self.screen = screen
        check_informative(screen, self.data)
        self.units = units(levels, screen)
        by_gene = levels.level == "gene" and not levels.nested
        self.gene_of_row = np.arange(len(screen.genes)) if by_gene else screen.gene_of_sgrna
        self.order = np.argsort(self.gene_of_row, kind="stable")
        bounds = np.arange(len(screen.genes) + 1)
        self.starts = np.searchsorted(self.gene_of_row[self.order], bounds)

    def given(self, scales: Points) -> "Given":
        """Return the mean and the effects, given the scales."""
        return Given(self, scales)

    def draw_effects(
        self, values: Mapping[str, FloatArray], rng: np.random.Generator
    ) -> dict[str, FloatArray]:
        """Draw the effects, one draw for each of the scales and the mean."""
        return draw_effects(self.levels, self.units, values, rng)


class Given:
    """The mean and the effects of a nested model, given its scales."""

    def __init__(self, closed: Closed, scales: Points) -> None:
        self.closed, self.levels = closed, closed.levels
        self.mean = closed.mean(scales)
        fixed = not isinstance(self.levels.mean, str)
        self.values = scales if fixed else {**scales, str(self.levels.mean): self.mean.mean}
        self.variance_of_mean = self.mean.variance[:, None, None]

    def means(self) -> dict[str, Moments]:
        """Return the mean of the top effects, if it is not fixed."""
        return {self.levels.mean: self.mean} if isinstance(self.levels.mean, str) else {}

    def effects(self, genes: slice) -> dict[str, tuple[IntArray, Moments]]:
        """Return mean and variance of the effects of some genes, and of their sgRNAs."""
        rows, given = self._rows(genes)
        top = self._top(given)
        own = np.arange(genes.start, genes.stop) if self.levels.level == "gene" else rows
        moments = {self.levels.top: (own, top)}
        if self.levels.nested:
            location, sd, share = given.nested(top.mean)
            inherited = share**2 * top.variance[:, given.by_unit.group_of_row]
            moments[self.levels.nested] = rows, Moments(location, sd**2 + inherited)
        return moments

    def gene_effects(self, genes: slice, weights: FloatArray) -> Moments:
        """Return mean and variance of combinations, over the cell lines, of effects of genes."""
        rows, given = self._rows(genes)
        location, sd, slope = given.top()
        if self.levels.level == "sgRNA":  # a gene has no effect of its own: it is their average
            gene = self.closed.gene_of_row[rows]
            starts, size = np.unique(gene, return_index=True, return_counts=True)[1:]
        else:
            starts = np.arange(location.shape[1])
            size = np.ones_like(starts)

        def average(values: FloatArray, power: int = 1) -> FloatArray:
            of_rows = np.broadcast_to(values, location.shape) @ weights**power
            mean: FloatArray = np.add.reduceat(of_rows, starts, axis=1) / size[:, None] ** power
            return mean

        variance = average(sd**2, 2) + average(slope) ** 2 * self.variance_of_mean
        return Moments(average(location), variance)

    def _rows(self, genes: slice) -> tuple[IntArray, Conditional]:
        """Return the rows of some genes, one after the other, and their effects given all else.

        The mean of the top effects stands at its own mean.
        """
        rows = self.closed.order[self.closed.starts[genes.start] : self.closed.starts[genes.stop]]
        in_gene = self.closed.gene_of_row[rows] - genes.start
        group = in_gene if self.levels.level == "gene" else np.arange(len(rows))
        block = Units(self.closed.units.n[rows], self.closed.units.mean[rows], rows, group, 0.0)
        return rows, Conditional(self.levels, block, self.values)

    def _top(self, given: Conditional) -> Moments:
        location, sd, slope = given.top()
        variance = sd**2 + slope**2 * self.variance_of_mean
        return Moments(location, np.broadcast_to(variance, location.shape))


def _quadratic(share: FloatArray, matrix: FloatArray) -> FloatArray:
    """Return share' matrix share; shapes (points, L, K) and (L, K, K)."""
    half = np.einsum("nlk,lkj->nlj", share, matrix)
    product: FloatArray = np.einsum("nlj,nlj->nl", half, share)
    return product

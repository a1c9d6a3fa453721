r"""The crossed models in closed form: density of the scales, and effects given these; no draws.

Everything is computed for many points of the scales at once, with NumPy: a second way to what the
sampled form of `poolscreen.families.crossed.likelihood` gives. The names are these. Vectors stand
for the cell lines, :math:`z_c` for the level of a line (all means together, and its effect), and
:math:`x_g` for the effect of a gene, independent of each other with variance
:math:`\sigma_\gamma^2`.

Given `z` the genes are independent, and given `z` and `x` the sgRNAs are. With `n_s` the
observations of an sgRNA by cell line, `T_s` their sum and
:math:`d_s = 1 / (\sigma^2 + \sigma_\alpha^2 \sum n_s)`,

.. math::

    x_g \mid z &\sim \text{Normal}\bigl(t_g (q_g - w_g' z),\ t_g\bigr), \quad
    t_g = 1 / (1 / \sigma_\gamma^2 + \textstyle\sum_s d_s \sum n_s), \quad
    q_g = \sum_s d_s T_s, \quad w_g = \sum_s d_s n_s, \\
    u_s \mid x, z &\sim \text{Normal}\bigl(\sigma_\alpha^2 d_s (T_s - n_s' z - x_g \textstyle\sum
    n_s),\ \sigma_\alpha^2 \sigma^2 d_s\bigr)

where `u_s` is the deviation of the sgRNA from its gene (completing the square, level by level).
Effects of genes that sum to zero are independent ones on the condition that their mean is zero.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from poolscreen.arrays import FloatArray, IntArray
from poolscreen.families.crossed.data import informative
from poolscreen.families.crossed.levels import Levels
from poolscreen.families.family import MEAN_SD, Moments, Points, log_normal
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

    def products(self) -> FloatArray:
        """Return the outer product of each pattern with itself; shape (P, lines squared)."""
        outer = self.in_line[:, :, None] * self.in_line[:, None, :]
        return outer.reshape(len(outer), -1)


class Closed:
    """A crossed model of a screen, given its scales: see `poolscreen.families.family.Closed`.

    Parameters
    ----------
    levels : Levels
        The model.
    screen : Screen
        The data.

    Raises
    ------
    PoolscreenError
        If all observations are equal.

    Examples
    --------
    >>> closed = Closed(Levels(), small_screen)
    >>> scales = {name: np.array([0.3, 3.0]) for name in Levels().parameters}
    >>> closed.log_likelihood(scales).round(1).tolist()
    [-8.0, -15.8]
    """

    def __init__(self, levels: Levels, screen: Screen) -> None:
        informative(screen)
        self.levels, self.screen = levels, screen
        self.together = [[name] for name in levels.parameters]
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
        # Numbers that a point of the scales takes, from which it follows how many go together.
        self.size = self.genes.in_line.size + self.sgrnas.number.size
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

    def log_likelihood(self, scales: Points) -> FloatArray:
        """Log density of all observations given the scales."""
        given = Given(self, scales)
        density = given.log_density()
        if not self.levels.two_means:
            # p(y | mean of x is 0) = p(y) p(mean of x is 0 | y) / p(mean of x is 0)
            before = given.gene / len(self.screen.genes)
            density += log_normal(given.mean_of_genes, given.variance_of_mean)
            density -= log_normal(np.zeros_like(before), before)
        return density

    def given(self, scales: Points) -> "Given":
        """Return means and effects, given the scales."""
        return Given(self, scales)


class Given:
    """What is known once the scales are given; the first dimension of every array is the point.

    Attributes
    ----------
    level, covariance : numpy.ndarray, shapes (points, cell lines), (points, cell lines, cell lines)
        Posterior mean and covariance of `z`, the genes' mean not yet being zero.
    common, common_variance : numpy.ndarray, shapes (points, 1, cell lines) and (points, 1)
        The level of the genes, from which `beta_c` are counted, is `common` times `z` and a rest of
        this variance: with two means the data leave their difference open.
    mean_of_genes, variance_of_mean : numpy.ndarray, shape (points,)
        Of the mean of the effects of the genes, if these are independent.
    """

    def __init__(self, closed: Closed, scales: Points) -> None:
        self.closed, self.levels = closed, closed.levels
        self.noise, self.gene, self.line = (
            np.square(scales[name]) for name in ("sigma", "sigma_gamma", "sigma_beta")
        )
        nested = self.levels.nested_sd
        self.sgrna = np.square(scales[nested]) if nested else np.zeros_like(self.noise)
        genes, sgrnas = closed.genes, closed.sgrnas

        # By layout of the genes: d, the information on x, the variance t that is left, and w.
        self.d = self.precision_of(genes.seen)
        weight = genes.sgrnas * self.d
        self.information = (weight * genes.seen).sum(axis=2)
        self.t = self.gene[:, None] / (1 + self.gene[:, None] * self.information)
        self.w = np.einsum("nlk,lkc->nlc", weight, genes.in_line)
        self.q = (self.d * genes.sums).sum(axis=2)  # summed over the genes of a layout

        # What the observations say of z, sgRNAs and genes integrated out: the pull on it ...
        self.own = (self.sgrna / self.noise)[:, None] * self.precision_of(_seen(sgrnas))
        self.pull = closed.line_total / self.noise[:, None]
        self.pull = self.pull - (self.own * sgrnas.total) @ sgrnas.in_line
        self.pull -= np.einsum("nl,nlc->nc", self.t * self.q, self.w)
        # ... and the information, which is diagonal but for what sgRNAs and genes share.
        self.lines = self._lines(weight)
        self.level = self.lines.solve(self.pull[:, :, None])[:, :, 0]

        n_genes, n_lines = len(closed.screen.genes), closed.n.shape[1]
        of_mean = self.t * genes.genes / n_genes
        self.u = np.einsum("nl,nlc->nc", of_mean, self.w)  # x depends on z by -t w; its mean by -u
        self.u_covariance = self.lines.solve(self.u[:, :, None])[:, :, 0]
        self.mean_of_genes = (self.t * self.q).sum(axis=1) / n_genes
        self.mean_of_genes -= (self.u * self.level).sum(axis=1)
        self.variance_of_mean = of_mean.sum(axis=1) / n_genes
        self.variance_of_mean += (self.u * self.u_covariance).sum(axis=1)

        # The mean of all lines, or a half of both means together: their sum given z has the
        # variance `rest`, and their difference is as open as before.
        if self.levels.two_means:
            prior = 2 * MEAN_SD**2
            share = n_lines * prior / (self.line + n_lines * prior)
            self.rest, of_z = prior * self.line / (self.line + n_lines * prior), share / 2
            self.common_variance = (self.rest + prior)[:, None] / 4
        else:
            of_z = np.ones_like(self.line)
            self.common_variance = np.zeros((len(of_z), 1))
        self.common = np.repeat(of_z[:, None, None] / n_lines, n_lines, axis=2)

    def _lines(self, weight: FloatArray) -> "_Lines":
        """Return the posterior covariance of z, by whichever matrices are smaller."""
        genes, sgrnas = self.closed.genes, self.closed.sgrnas
        n = self.closed.n.shape[1]
        diagonal, own = self.closed.line_n / self.noise[:, None], self.own * sgrnas.number
        of_genes = (self.t * genes.genes)[:, :, None]
        known: _Few | _Many
        if len(sgrnas.number) < n:
            linked = np.einsum("nlk,lkp->nlp", weight, genes.one_hot(len(sgrnas.number)))
            shared = linked.transpose(0, 2, 1) @ (of_genes * linked)
            shared += own[:, :, None] * np.eye(len(sgrnas.number))
            known = _Few(self.line, diagonal, sgrnas.in_line, shared)
        else:
            information = diagonal[:, :, None] * np.eye(n)
            information -= (own @ sgrnas.products()).reshape(-1, n, n)
            information -= self.w.transpose(0, 2, 1) @ (of_genes * self.w)
            known = _Many(self.line, information)
        # Lines share their means; effects that sum to zero are independent ones less their mean.
        shared = np.full_like(self.line, 2 * MEAN_SD**2)
        return _Lines(
            self.line, shared if self.levels.two_means else MEAN_SD**2 - self.line / n, known
        )

    def means(self) -> dict[str, Moments]:
        """Return the means, and the effects of the cell lines."""
        common = self.moments(self.common, self.common_variance)
        names = ["mu_gamma", "mu_beta"] if self.levels.two_means else ["mu"]
        each = np.eye(len(self.closed.screen.cell_lines))[None]
        line = self.moments(each - self.common, self.common_variance)
        return {
            **{name: Moments(*(part[:, 0] for part in common)) for name in names},
            "beta_c": line,
        }

    def effects(self, genes: slice) -> dict[str, tuple[IntArray, Moments]]:
        """Return mean and variance of the effects of some genes, and of their sgRNAs."""
        t, q, w = self.of_genes(genes)
        common = self.common if self.levels.two_means else 0.0
        rest = self.common_variance
        moments = {
            "gamma_g": (
                np.arange(genes.start, genes.stop),
                self.moments(common - t[:, :, None] * w, rest, t * q, t),
            )
        }
        if self.levels.nested_sd:
            rows = self.closed.order[
                self.closed.starts[genes.start] : self.closed.starts[genes.stop]
            ]
            of = self.closed.screen.gene_of_sgrna[rows] - genes.start
            t, q, w = t[:, of], q[:, of], w[:, of]
            d = self.precision_of(self.closed.n[rows].sum(axis=1))
            of_noise, of_sgrna = self.noise[:, None] * d, self.sgrna[:, None] * d
            z = self.common - of_sgrna[:, :, None] * self.closed.n[rows]
            z = z - (of_noise * t)[:, :, None] * w
            centre = of_sgrna * self.closed.total[rows] + of_noise * t * q
            own = of_sgrna * self.noise[:, None] + rest
            moments["alpha_s"] = rows, self.moments(z, own, centre, t, of_noise)
        return moments

    def gene_effects(self, genes: slice, weights: FloatArray) -> Moments:
        """Return mean and variance of combinations, over the cell lines, of effects of genes."""
        t, q, w = self.of_genes(genes)
        combined = [
            self.moments(
                column - (column.sum() * t)[:, :, None] * w,
                np.zeros((1, 1)),
                column.sum() * t * q,
                t,
                np.full((1, 1), column.sum()),
            )
            for column in weights.T
        ]
        return Moments(*(np.stack(part, axis=2) for part in zip(*combined, strict=True)))

    def draw_means(self, z: FloatArray, rng: np.random.Generator) -> dict[str, FloatArray]:
        """Draw the means given z, that of the genes first; shape (points,)."""
        half = (self.common[:, 0] * z).sum(axis=1)
        if not self.levels.two_means:
            return {"mu": half}
        both, difference = rng.standard_normal((2, len(half)))
        both, difference = both * np.sqrt(self.rest), difference * np.sqrt(2) * MEAN_SD
        half = half + both / 2
        return {"mu_gamma": half + difference / 2, "mu_beta": half - difference / 2}

    def precision_of(self, seen: FloatArray) -> FloatArray:
        """Return d of sgRNAs that were observed so often."""
        shape = (-1, *[1] * seen.ndim)
        result: FloatArray = 1 / (self.noise.reshape(shape) + self.sgrna.reshape(shape) * seen)
        return result

    def of_genes(self, genes: slice) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return t, q and w of some genes; shapes (points, genes), and cell lines for w."""
        layout = self.closed.genes.layout[genes]
        return self.t[:, layout], self.pulls(genes), self.w[:, layout]

    def pulls(self, genes: slice) -> FloatArray:
        """Return q of some genes; shape (points, genes)."""
        of = self.closed.genes
        d = self.d[:, of.layout[genes]]
        q: FloatArray = np.einsum("ngk,gk->ng", d, of.total[genes])
        return q

    def log_density(self) -> FloatArray:
        """Log density of the observations, if the effects of the genes are independent."""
        genes, sgrnas = self.closed.genes, self.closed.sgrnas
        n_obs, noise = self.closed.line_n.sum(), self.noise
        of_sgrnas = np.log(noise[:, None] * self.precision_of(_seen(sgrnas))) @ sgrnas.number
        of_genes = np.log1p(self.gene[:, None] * self.information) @ genes.genes
        log_det = n_obs * np.log(noise) - of_sgrnas + of_genes + self.lines.log_det
        squares = self.closed.sum_of_squares / noise - self.own @ sgrnas.squares
        in_genes = np.einsum("nlk,lkj->nlj", self.d, genes.products)
        in_genes = np.einsum("nlj,nlj->nl", in_genes, self.d)
        squares -= (self.t * in_genes).sum(axis=1) + (self.pull * self.level).sum(axis=1)
        density: FloatArray = -0.5 * (n_obs * np.log(2 * np.pi) + log_det + squares)
        return density

    def moments(
        self,
        z: FloatArray,
        rest: FloatArray,
        centre: FloatArray | float = 0.0,
        t: FloatArray | float = 0.0,
        gene: FloatArray | float = 1.0,
    ) -> Moments:
        """Return mean and variance of `centre` + `z` times z + `gene` times a rest of x + a rest.

        `t` and `rest` are the variances of the two rests; `z` has the shape (points, rows, cell
        lines). Where effects of genes sum to zero, the condition that they do moves the mean and
        takes from the variance.
        """
        mean = centre + np.einsum("nrc,nc->nr", z, self.level)
        variance = np.einsum("nrc,nrc->nr", z @ self.lines.covariance, z) + gene**2 * t + rest
        if not self.levels.two_means:
            linked = gene * t / len(self.closed.screen.genes)
            linked = linked - np.einsum("nrc,nc->nr", z, self.u_covariance)
            slope = linked / self.variance_of_mean[:, None]
            mean = mean - slope * self.mean_of_genes[:, None]
            variance = np.maximum(variance - slope * linked, 0)
        return Moments(mean, variance)


def _seen(sgrnas: Sgrnas) -> FloatArray:
    """Return how often sgRNAs of each pattern were observed."""
    seen: FloatArray = sgrnas.in_line.sum(axis=1)
    return seen


class _Lines:
    r"""The posterior covariance of z.

    With the information `J` of the observations, :math:`H = (I + \sigma_\beta^2 J)^{-1}` and the
    prior covariance :math:`\sigma_\beta^2 I + \omega 1 1'` it is :math:`\sigma_\beta^2 H +
    H 1\, 1' H\, \omega / (1 + \omega 1' J H 1)` (Henderson and Searle 1981, SIAM Review 23,
    53-60): nothing is divided by a scale that may be zero.

    Attributes
    ----------
    log_det : numpy.ndarray, shape (points,)
        Log determinant of the prior covariance times the posterior precision.
    """

    def __init__(self, line: FloatArray, omega: FloatArray, known: "_Few | _Many") -> None:
        self.line, self.known = line[:, None, None], known
        ones = np.ones((len(line), known.n_lines, 1))
        self.of_mean = known.apply_h(ones)
        growth = 1 + omega * known.apply_j(self.of_mean).sum(axis=(1, 2))
        self.weight = (omega / growth)[:, None, None]
        self.log_det = known.log_det + np.log(growth)

    def solve(self, vectors: FloatArray) -> FloatArray:
        """Apply the covariance to vectors; shape (points, cell lines, vectors)."""
        shared = self.weight * (self.of_mean.transpose(0, 2, 1) @ vectors)
        solved: FloatArray = self.line * self.known.apply_h(vectors) + self.of_mean * shared
        return solved

    @cached_property
    def covariance(self) -> FloatArray:
        """The covariance; shape (points, cell lines, cell lines)."""
        return self.solve(np.eye(self.known.n_lines)[None])


class _Many:
    """J and H of `_Lines` as matrices."""

    def __init__(self, line: FloatArray, information: FloatArray) -> None:
        self.n_lines = information.shape[1]
        matrix = np.eye(self.n_lines) + line[:, None, None] * information
        self.j, self.h = information, np.linalg.inv(matrix)
        self.log_det = np.linalg.slogdet(matrix)[1]

    def apply_j(self, vectors: FloatArray) -> FloatArray:
        product: FloatArray = self.j @ vectors
        return product

    def apply_h(self, vectors: FloatArray) -> FloatArray:
        product: FloatArray = self.h @ vectors
        return product


class _Few:
    """The same where sgRNAs have fewer patterns N than there are lines: J = D - N' `shared` N.

    The lemma makes H from a matrix that has a row for each pattern.
    """

    def __init__(
        self, line: FloatArray, diagonal: FloatArray, rows: FloatArray, shared: FloatArray
    ) -> None:
        self.n_lines = diagonal.shape[1]
        self.diagonal, self.rows, self.shared = diagonal, rows, shared
        self.growth = 1 + line[:, None] * diagonal
        middle = line[:, None, None] * shared
        inner = np.eye(len(rows)) - middle @ ((rows / self.growth[:, None, :]) @ rows.T)
        self.inner = np.linalg.solve(inner, middle)
        self.log_det = np.log(self.growth).sum(axis=1) + np.linalg.slogdet(inner)[1]

    def apply_j(self, vectors: FloatArray) -> FloatArray:
        through = self.rows.T @ (self.shared @ (self.rows @ vectors))
        product: FloatArray = self.diagonal[:, :, None] * vectors - through
        return product

    def apply_h(self, vectors: FloatArray) -> FloatArray:
        scaled = vectors / self.growth[:, :, None]
        through = self.rows.T @ (self.inner @ (self.rows @ scaled))
        product: FloatArray = scaled + through / self.growth[:, :, None]
        return product

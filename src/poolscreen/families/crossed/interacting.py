r"""Genes whose effects differ by cell line, and their sgRNAs, integrated out.

An observation is of :math:`\theta_{gc} = z_c + x_g + \delta_{gc}`, of the deviation `u_s` of its
sgRNA, and perhaps of that of this sgRNA in this line, with variances :math:`\sigma_\delta^2`,
:math:`\sigma_\alpha^2` and :math:`\sigma_\eta^2`. The mean of an sgRNA in a line has the precision
:math:`p_{sc} = 1 / (\sigma_\eta^2 + \sigma^2 / n_{sc})`. The sgRNAs of a stratum are alike, and
what they differ by says nothing of the gene. Their mean :math:`\bar y_{kc}` has the precision
:math:`w_{kc}`, the sum of theirs, and the mean of their deviations the variance
:math:`\sigma_\alpha^2 / k`. In a line, let

.. math::

    d_c = \sum_k w_{kc}, \quad m_c = \sum_k w_{kc} \bar y_{kc} / d_c, \quad
    b_c = 1 / (1 + \sigma_\delta^2 d_c), \quad f_{kc} = w_{kc} b_c.

Interactions integrated out, the strata's deviations have the precision matrix `T`, and what the
gene says of :math:`z + x_g 1` is a precision matrix `M` and a pull:

.. math::

    T_{kl} &= 1_{k = l} \bigl(k / \sigma_\alpha^2 + \textstyle\sum_c w_{kc}\bigr) -
    \sum_c \sigma_\delta^2 w_{kc} f_{lc}, \quad
    g_k = \sum_c w_{kc} (\bar y_{kc} - m_c) + f_{kc} m_c, \\
    M &= D(d b) - F' T^{-1} F, \quad \text{pull} = d b m - F' T^{-1} g

with `D` for a diagonal matrix (completing the square, level by level). So in the names of
`poolscreen.families.crossed.given` `w` is :math:`M 1`, and `q` the sum of the pull. Given `x` and
`z`, :math:`\theta` is normal with the mean :math:`R (z + x_g 1) + \sigma_\delta^2 \text{pull}` and
the covariance matrix :math:`\sigma_\delta^2 R`, with :math:`R = I - \sigma_\delta^2 M`.

All matrices are those of a layout of genes. A complete screen has few, and one stratum in each. In
a screen with gaps most genes have a layout of their own, and the cost is per gene.
"""

from functools import cached_property

import numpy as np

from poolscreen.arrays import FloatArray, IntArray
from poolscreen.families.crossed.linear import Linear
from poolscreen.families.crossed.lines import Few, Many
from poolscreen.families.crossed.means import Means
from poolscreen.families.family import Points


class Interacting:
    """Genes and sgRNAs, given the scales: see `poolscreen.families.crossed.given.Within`."""

    def __init__(self, means: Means, scales: Points) -> None:
        self.means, self.groups = means, means.groups
        self.levels, like = self.groups.levels, self.groups.like

        of = self.levels.at(scales)
        self.noise, self.gene, self.sgrna = of.noise, of.gene, of.sgrna
        self.delta, self.eta = of.interaction, of.own
        # By pattern of the sgRNAs: p, and the variance of a deviation given all else.
        n = self.groups.patterns
        spread = self.eta[:, None, None] * n + self.noise[:, None, None]
        self.p = n / spread
        self.growth = 1 + self.sgrna[:, None] * self.p.sum(axis=2)

        seen = self.groups.number[:, None] * (n > 0)
        of_noise = len(self.groups.screen.log_fc) - seen.sum()
        self.log_det = of_noise * np.log(self.noise) + np.log(self.growth) @ means.freedom
        self.log_det += np.einsum("npc,pc->n", np.log(spread), seen)
        self.squares = means.ss_within / self.noise

        groups = like.groups.astype(np.float64)
        sums = _Complete(self) if means.complete else _General(self)
        self.w, self.t, self.q, self.pull = sums.w, sums.t, sums.q, sums.pull
        self.known = sums.known(of.line)
        self.squares = self.squares + sums.squares
        self.log_det += (sums.log_det - np.log(self.t / self.gene[:, None])) @ groups

    def pulls(self, genes: slice) -> FloatArray:
        """Return q of some genes; shape (points, genes)."""
        return _Genes(self, genes).pull.sum(axis=2)

    def within(self, genes: slice) -> dict[str, Linear]:
        """Return the interactions of some genes, and the deviations of their sgRNAs."""
        of, found = _Genes(self, genes), {}
        if self.levels.interaction_sd:
            each = np.eye(self.groups.n.shape[1])
            found["delta_gc"] = of.combinations(each, interactions=True)
        if self.levels.nested_sd:
            found["alpha_s"] = of.sgrnas()
        if self.levels.own_sd:
            found["eta_sc"] = of.sgrnas_in_lines()
        return found

    def in_lines(self, genes: slice, weights: FloatArray) -> Linear:
        """Return combinations, over the cell lines, of the effects of some genes in these."""
        return _Genes(self, genes).combinations(weights)

    def draw(self, z: FloatArray, x: FloatArray, rng: np.random.Generator) -> dict[str, FloatArray]:
        """Draw interactions and deviations given z and x, one for each point."""
        like, means = self.groups.like, self.means
        about = z[:, None, :] + x[:, :, None]
        layouts = _Layouts(self, np.arange(len(like.groups)))
        theta = about + layouts.draw(means.of_genes[None], about, like.layout, rng)
        drawn = {"delta_gc": theta - about} if self.levels.interaction_sd else {}
        screen, pattern = self.groups.screen, self.groups.pattern
        rest = means.mean - theta[:, screen.gene_of_sgrna]
        if self.levels.nested_sd:
            variance = (self.sgrna[:, None] / self.growth)[:, pattern]
            own = np.sqrt(variance) * rng.standard_normal(variance.shape)
            drawn["alpha_s"] = variance * (self.p[:, pattern] * rest).sum(axis=2) + own
            rest -= drawn["alpha_s"][..., None]
        if self.levels.own_sd:
            share = self.eta[:, None, None] * self.p[:, pattern]
            sd = np.sqrt(self.eta[:, None, None] * (1 - share))
            drawn["eta_sc"] = share * rest + sd * rng.standard_normal(rest.shape)
        return drawn


class _General:
    """What all genes say of the cell lines, in any design.

    Attributes
    ----------
    w, t, q, pull, squares : numpy.ndarray
        See `poolscreen.families.crossed.given.Within`.
    log_det : numpy.ndarray, shape (points, L)
        What a gene adds, its effect being known.
    """

    def __init__(self, given: Interacting) -> None:
        means, groups = given.means, given.groups.like.groups.astype(np.float64)
        self.layouts, self.groups = _Layouts(given, np.arange(len(groups))), groups
        self.log_det = self.layouts.log_det
        self.w = self.layouts.apply(np.ones_like(self.layouts.d))
        self.t = _left(given.gene, self.w.sum(axis=2))
        pull, squares = self.layouts.pull(means.rows[None], means.layout)
        self.squares = squares.sum(axis=1) + self._squares_within(given)
        self.squares -= (self.t[:, means.layout] * pull.sum(axis=2) ** 2).sum(axis=1)
        pull = pull[:, means.first] * np.sqrt(groups)[:, None]
        self.q = pull.sum(axis=2)
        self.pull = (pull - (self.t * self.q)[:, :, None] * self.w).sum(axis=1)

    def _squares_within(self, given: Interacting) -> FloatArray:
        """Return what sgRNAs of a stratum differ by among themselves adds to the squares."""
        rows, pattern = given.means.within, given.means.pattern
        p = given.p[:, pattern]
        total = p.sum(axis=2)
        mean = (p * rows).sum(axis=2) / total
        squares: FloatArray = (p * (rows - mean[..., None]) ** 2).sum(axis=(1, 2))
        squares += (total / given.growth[:, pattern] * mean**2).sum(axis=1)
        return squares

    def known(self, line: FloatArray) -> Few | Many:
        """Return what is known of z; `line` is the variance of the effects of lines."""
        of_genes = (self.t * self.groups)[:, :, None]
        shared = self.w.swapaxes(1, 2) @ (of_genes * self.w)
        return Many(line, self.layouts.information(self.groups) - shared)


class _Complete:
    """The same in a complete screen: M is a multiple of I less one of 11', and so is the rest."""

    def __init__(self, given: Interacting) -> None:
        means, like = given.means, given.groups.like
        self.groups, self.lines = like.groups.astype(np.float64), given.p.shape[2]
        p, lines, units = given.p[:, :, 0], self.lines, like.units[:, 0]
        w = units * p[:, like.kind[:, 0]]
        f = w / (1 + given.delta[:, None] * w)
        prior = given.sgrna[:, None] / units
        growth = 1 + prior * lines * f
        self.log_det = np.log(growth) + lines * np.log1p(given.delta[:, None] * w)
        self.w = np.repeat((f / growth)[:, :, None], lines, axis=2)
        self.t = _left(given.gene, lines * f / growth)
        self.f, self.shared = f, f**2 * (prior / growth + self.t / growth**2)

        of = means.in_sums()
        self.q = f / growth * of["sums"].sum(axis=1)
        self.pull = f @ of["sums"] - (self.shared @ of["sums"].sum(axis=1))[:, None]
        self.squares = f @ of["squares"] - self.shared @ of["totals"]
        self.squares += p @ of["within"] + (lines * p / given.growth) @ of["means"]

    def known(self, line: FloatArray) -> Few | Many:
        """Return what is known of z; `line` is the variance of the effects of lines."""
        diagonal = np.repeat((self.f @ self.groups)[:, None], self.lines, axis=1)
        return Few(
            line, diagonal, np.ones((1, self.lines)), (self.shared @ self.groups)[:, None, None]
        )


def _left(gene: FloatArray, information: FloatArray) -> FloatArray:
    """Return the variance that is left of the effect of a gene."""
    left: FloatArray = gene[:, None] / (1 + gene[:, None] * information)
    return left


class _Layouts:
    """Some layouts of genes, given the scales; the names are those of this module.

    Attributes
    ----------
    pattern : numpy.ndarray, shape (layouts, K)
        Of the sgRNAs of a stratum.
    w, f : numpy.ndarray, shape (points, layouts, K, cell lines)
    d, b : numpy.ndarray, shape (points, layouts, cell lines)
    inverse : numpy.ndarray, shape (points, layouts, K, K)
        That of T.
    log_det : numpy.ndarray, shape (points, layouts)
        What interactions and deviations of strata add to that of a gene's observations.
    """

    def __init__(self, given: Interacting, layouts: IntArray) -> None:
        like, delta = given.groups.like, given.delta[:, None, None]
        self.pattern, units = like.kind[layouts], like.units[layouts]
        self.w = units[:, :, None] * given.p[:, self.pattern]
        self.d = self.w.sum(axis=2)
        self.b = 1 / (1 + delta * self.d)
        self.f = self.w * self.b[:, :, None]
        # T from its prior upwards: a deviation that is known beforehand divides by nothing.
        sd = np.sqrt(given.sgrna[:, None, None] / np.maximum(units, 1))
        known = -delta[..., None] * (self.w @ self.f.swapaxes(2, 3))
        others = self.d[:, :, None] - self.w
        diagonal = (self.f * (1 + delta[..., None] * others)).sum(axis=3)
        known[..., np.arange(sd.shape[2]), np.arange(sd.shape[2])] = diagonal
        matrix = np.eye(sd.shape[2]) + sd[..., None] * known * sd[..., None, :]
        if sd.shape[2] == 1:  # as in a complete screen
            inverse, log_det = 1 / matrix, np.log(matrix[..., 0, 0])
        else:
            inverse, log_det = np.linalg.inv(matrix), np.linalg.slogdet(matrix)[1]
        self.delta, self.sd, self.scaled = delta, sd, inverse
        self.inverse = sd[..., None] * inverse * sd[..., None, :]
        self.log_det = log_det - np.log(self.b).sum(axis=2)

    def apply(self, vectors: FloatArray, layout: IntArray | slice = slice(None)) -> FloatArray:
        """Apply M of each layout, or of those of some rows, to vectors of cell lines."""
        f = self.f[:, layout]
        through = self.inverse[:, layout] @ (f @ vectors[..., None])
        diagonal = (self.d * self.b)[:, layout]
        applied: FloatArray = diagonal * vectors - (through * f).sum(axis=2)
        return applied

    def information(self, genes: FloatArray) -> FloatArray:
        """Return M, summed over so many genes of each layout."""
        points, _, _, lines = self.f.shape
        diagonal = np.einsum("nlc,l->nc", self.d * self.b, genes)
        through = genes[:, None, None] * (self.inverse @ self.f)
        shared = self.f.reshape(points, -1, lines).swapaxes(1, 2) @ through.reshape(
            points, -1, lines
        )
        summed: FloatArray = diagonal[..., None] * np.eye(lines) - shared
        return summed

    def matrices(self) -> FloatArray:
        """Return M of each layout; shape (points, layouts, cell lines, cell lines)."""
        diagonal = (self.d * self.b)[..., None] * np.eye(self.d.shape[2])
        matrices: FloatArray = diagonal - self.f.swapaxes(2, 3) @ (self.inverse @ self.f)
        return matrices

    def pull(self, mean: FloatArray, layout: IntArray | slice) -> tuple[FloatArray, FloatArray]:
        """Return the pull of genes, shape (points, genes, cell lines), and their squares.

        Parameters
        ----------
        mean : numpy.ndarray, shape (1, genes, K, cell lines)
            Means of their strata.
        layout : numpy.ndarray, shape (genes,), or slice
            Their layouts.
        """
        w, f, d, b = (of[:, layout] for of in (self.w, self.f, self.d, self.b))
        m, about = self._in_lines(mean, layout)
        g = (w * about + f * m[:, :, None]).sum(axis=3)
        through = (self.inverse[:, layout] @ g[..., None])[..., 0]
        pull = d * b * m - (through[..., None] * f).sum(axis=2)
        squares = (w * about**2).sum(axis=(2, 3)) + (d * b * m**2).sum(axis=2)
        return pull, squares - (g * through).sum(axis=2)

    def draw(
        self, mean: FloatArray, level: FloatArray, layout: IntArray, rng: np.random.Generator
    ) -> FloatArray:
        """Draw interactions of genes whose effects in the lines would be `level` without them.

        The deviations of the strata are drawn first; given these, the lines are independent.
        """
        w, f, d, b = (of[:, layout] for of in (self.w, self.f, self.d, self.b))
        m, about = self._in_lines(mean, layout)
        g = (w * about + f * (m - level)[:, :, None]).sum(axis=3)
        deviation = (self.inverse[:, layout] @ g[..., None])[..., 0]
        factor = np.linalg.cholesky(self.scaled)[:, layout]
        own = (factor @ rng.standard_normal((*deviation.shape, 1)))[..., 0]
        deviation += self.sd[:, layout] * own
        m = m - (w * deviation[..., None]).sum(axis=2) / np.where(d > 0, d, 1)
        drawn: FloatArray = self.delta * d * b * (m - level)
        drawn += np.sqrt(self.delta * b) * rng.standard_normal(drawn.shape)
        return drawn

    def _in_lines(
        self, mean: FloatArray, layout: IntArray | slice
    ) -> tuple[FloatArray, FloatArray]:
        """Return the mean over the strata in each line, and the differences from it."""
        w, d = self.w[:, layout], self.d[:, layout]
        m = (w * mean).sum(axis=2) / np.where(d > 0, d, 1)
        return m, mean - m[:, :, None]


class _Genes:
    """Some genes, given the scales: what is linear in z and x.

    Attributes
    ----------
    layouts, layout : _Layouts, and numpy.ndarray of shape (genes,)
        Those that the genes have, and which of them each has.
    pull : numpy.ndarray, shape (points, genes, cell lines)
    """

    def __init__(self, given: Interacting, genes: slice) -> None:
        self.given, self.genes = given, genes
        of_genes = given.groups.like.layout[genes]
        self.numbers, self.layout = np.unique(of_genes, return_inverse=True)
        self.layouts = _Layouts(given, self.numbers)
        self.pull, _ = self.layouts.pull(given.means.of_genes[None, genes], self.layout)

    @cached_property
    def r(self) -> FloatArray:
        """R of each layout."""
        known: FloatArray = self.given.delta[:, None, None, None] * self.layouts.matrices()
        return np.eye(known.shape[3]) - known

    def combinations(self, weights: FloatArray, *, interactions: bool = False) -> Linear:
        """Return combinations over the cell lines of effects of genes, or of interactions."""
        points, n_layouts, number = len(self.pull), len(self.numbers), weights.shape[1]
        delta = self.given.delta[:, None, None]
        z = weights.T @ self.r
        variance = delta * np.einsum("nlkc,ck->nlk", z, weights)
        if interactions:
            z = -delta[..., None] * (weights.T @ self.layouts.matrices())
        return Linear(
            gene=np.repeat(np.arange(len(self.layout)), number),
            kind=(self.layout[:, None] * number + np.arange(number)).ravel(),
            layout=np.repeat(self.numbers, number),
            z=z.reshape(points, n_layouts * number, -1),
            x=z.sum(axis=3).reshape(points, -1),
            variance=variance.reshape(points, -1),
            centre=(delta * (self.pull @ weights)).reshape(points, -1),
        )

    def sgrnas(self) -> Linear:
        """Return the deviations of the sgRNAs: a share of p' (y - theta)."""
        rows, gene, kind = self._rows()
        p, share, pr = self._shares()
        z = -share[..., None] * pr
        variance = share + share**2 * self.given.delta[:, None, None] * (pr * p).sum(axis=3)
        points, columns = len(z), p.shape[2]
        of_rows = self.given.p[:, self.given.groups.pattern[rows]]
        seen = (of_rows * self._rest(rows, gene)).sum(axis=2)
        return Linear(
            gene=gene,
            kind=kind,
            layout=np.repeat(self.numbers, columns),
            z=z.reshape(points, -1, z.shape[3]),
            x=z.sum(axis=3).reshape(points, -1),
            variance=variance.reshape(points, -1),
            centre=share.reshape(points, -1)[:, kind] * seen,
        )

    def sgrnas_in_lines(self) -> Linear:
        """Return the deviations of the sgRNAs in each line: a share of y - theta - u."""
        rows, gene, kind = self._rows()
        p, of_sgrna, pr = self._shares()
        delta, eta = (of[:, None, None, None] for of in (self.given.delta, self.given.eta))
        own, of_sgrna = eta * p, of_sgrna[..., None]
        # How theta + u moves with z, line by line, and what is left of it given z and x.
        z = -own[..., None] * (self.r[:, :, None] - (of_sgrna * pr)[:, :, :, None, :])
        left = delta * np.diagonal(self.r, axis1=2, axis2=3)[:, :, None] - 2 * of_sgrna * delta * pr
        left = left + of_sgrna + of_sgrna**2 * delta * (pr * p).sum(axis=3)[..., None]
        points, n_lines = len(z), z.shape[4]
        of_rows = self.given.p[:, self.given.groups.pattern[rows]]
        rest = self._rest(rows, gene)
        seen = (of_rows * rest).sum(axis=2, keepdims=True)
        rest = rest - of_sgrna.reshape(points, -1, 1)[:, kind] * seen
        return Linear(
            gene=np.repeat(gene, n_lines),
            kind=(kind[:, None] * n_lines + np.arange(n_lines)).ravel(),
            layout=np.repeat(self.numbers, own.shape[2] * n_lines),
            z=z.reshape(points, -1, n_lines),
            x=z.sum(axis=4).reshape(points, -1),
            variance=(eta * (1 - own) + own**2 * left).reshape(points, -1),
            centre=(own.reshape(points, -1, n_lines)[:, kind] * rest).reshape(points, -1),
        )

    def _shares(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return p, the variance of a deviation given all else, and p' R, of each stratum."""
        p = self.given.p[:, self.layouts.pattern]
        share = (self.given.sgrna[:, None] / self.given.growth)[:, self.layouts.pattern]
        return p, share, p @ self.r

    def _rest(self, rows: IntArray, gene: IntArray) -> FloatArray:
        """Return what the means of sgRNAs differ by from theta, z and x being zero."""
        rest: FloatArray = (
            self.given.means.mean[rows] - self.given.delta[:, None, None] * self.pull[:, gene]
        )
        return rest

    def _rows(self) -> tuple[IntArray, IntArray, IntArray]:
        """Return the sgRNAs of the genes, the gene of each, and its stratum."""
        groups = self.given.groups
        rows = groups.sgrnas_of(self.genes)
        gene = groups.screen.gene_of_sgrna[rows] - self.genes.start
        return rows, gene, self.layout[gene] * self.layouts.pattern.shape[1] + groups.column(rows)

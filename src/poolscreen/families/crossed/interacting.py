r"""Genes whose effects differ by cell line, and their sgRNAs, integrated out.

An observation is of :math:`\theta_{gc} = z_c + x_g + \delta_{gc}`, of the deviation `u_s` of its
sgRNA, and perhaps of that of this sgRNA in this line, with variances :math:`\sigma_\delta^2`,
:math:`\sigma_\alpha^2` and :math:`\sigma_\eta^2`. Vectors stand for the cell lines, `D` for a
diagonal matrix. With the precision :math:`p_{sc} = 1 / (\sigma_\eta^2 + \sigma^2 / n_{sc})` of the
mean of an sgRNA in a line, :math:`\bar y_{sc}`, and
:math:`h_s = 1 / (1 / \sigma_\alpha^2 + 1' p_s)`, the observations say of :math:`\theta_g`

.. math::

    A_g = \sum_s D(p_s) - h_s p_s p_s', \quad
    b_g = \sum_s D(p_s) \bar y_s - h_s p_s\, p_s' \bar y_s

as precision and pull. With :math:`R_g = (I + \sigma_\delta^2 A_g)^{-1}`, and in the names of
`poolscreen.families.crossed.given`,

.. math::

    w_g = A_g R_g 1, \quad q_g = 1' R_g b_g, \quad
    \theta_g \mid x, z \sim \text{Normal}\bigl(R_g (z + x_g 1 + \sigma_\delta^2 b_g),\
    \sigma_\delta^2 R_g\bigr).

The matrices are those of a layout of genes. A complete screen has few; in one with gaps most genes
have a layout of their own, and the cost is that of a matrix of all cell lines for each.
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

        def variance(name: str | None) -> FloatArray:
            return np.square(scales[name]) if name else np.zeros_like(scales["sigma"])

        self.noise, self.gene = variance("sigma"), variance("sigma_gamma")
        self.delta, self.eta = variance(self.levels.interaction_sd), variance(self.levels.own_sd)
        self.sgrna = variance(self.levels.nested_sd)
        # By pattern of the sgRNAs: p and h.
        n = self.groups.patterns
        spread = self.eta[:, None, None] * n + self.noise[:, None, None]
        self.p = n / spread
        self.h = self.sgrna[:, None] / (1 + self.sgrna[:, None] * self.p.sum(axis=2))

        of = _Layouts(self, np.arange(len(like.groups)))
        self.w = of.seen.sum(axis=3)
        information = self.w.sum(axis=2)
        self.t = self.gene[:, None] / (1 + self.gene[:, None] * information)
        pull = (of.r @ self._pull(means.of_layouts, like.kind)[..., None])[..., 0]
        self.q = pull.sum(axis=2)
        self.pull = (pull - (self.t * self.q)[:, :, None] * self.w).sum(axis=1)
        groups = like.groups.astype(np.float64)
        shared = self.w.transpose(0, 2, 1) @ ((self.t * groups)[:, :, None] * self.w)
        known = np.einsum("nlcd,l->ncd", of.seen, groups) - shared
        self.known: Few | Many = Many(np.square(scales["sigma_beta"]), known)

        freedom = len(self.groups.screen.log_fc) - (self.groups.n > 0).sum()
        self.log_det = freedom * np.log(self.noise) + of.log_det @ groups
        self.log_det += np.log1p(self.gene[:, None] * information) @ groups
        seen = self.groups.number[:, None] * (n > 0)
        self.log_det += np.einsum("npc,pc->n", np.log(spread), seen)
        self.log_det += np.log1p(self.sgrna[:, None] * self.p.sum(axis=2)) @ self.groups.number
        self.squares = means.ss_within / self.noise + self._squares_of_sgrnas()
        self.squares -= self._squares_of_genes(of)

    def _pull(self, of_strata: FloatArray, pattern: IntArray) -> FloatArray:
        """Return b, summed over the strata; shape (points, rows, cell lines).

        Parameters
        ----------
        of_strata : numpy.ndarray, shape (rows, K, cell lines)
        pattern : numpy.ndarray, shape (rows, K)
        """
        p = self.p[:, pattern]
        known = p * of_strata
        shared = self.h[:, pattern] * known.sum(axis=3)
        pull: FloatArray = (known - shared[..., None] * p).sum(axis=2)
        return pull

    def _squares_of_sgrnas(self) -> FloatArray:
        rows, pattern = self.means.sgrna_rows, self.means.sgrna_pattern
        p = self.p[:, pattern]
        squares: FloatArray = np.einsum("nrc,rc->n", p, rows**2)
        squares -= (self.h[:, pattern] * np.einsum("nrc,rc->nr", p, rows) ** 2).sum(axis=1)
        return squares

    def _squares_of_genes(self, of: "_Layouts") -> FloatArray:
        layout = self.means.layout
        b = self._pull(self.means.rows, self.groups.like.kind[layout])
        rb = (of.r[:, layout] @ b[..., None])[..., 0]
        squares: FloatArray = self.delta * (b * rb).sum(axis=(1, 2))
        squares += (self.t[:, layout] * rb.sum(axis=2) ** 2).sum(axis=1)
        return squares

    def pulls(self, genes: slice) -> FloatArray:
        """Return q of some genes; shape (points, genes)."""
        return _Genes(self, genes).rb.sum(axis=2)

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
        of = _Genes(self, slice(0, x.shape[1]))
        about = z[:, None, :] + x[:, :, None]
        centre = of.rb * self.delta[:, None, None] + (of.r @ about[..., None])[..., 0]
        factor = np.linalg.cholesky(of.of.r)[:, of.layout]
        own = (factor @ rng.standard_normal((*centre.shape, 1)))[..., 0]
        theta = centre + np.sqrt(self.delta)[:, None, None] * own
        drawn = {"delta_gc": theta - about} if self.levels.interaction_sd else {}
        screen, pattern = self.groups.screen, self.groups.pattern
        rest = self.means.mean - theta[:, screen.gene_of_sgrna]
        if self.levels.nested_sd:
            p, h = self.p[:, pattern], self.h[:, pattern]
            own = np.sqrt(h) * rng.standard_normal(h.shape)
            drawn["alpha_s"] = h * (p * rest).sum(axis=2) + own
            rest -= drawn["alpha_s"][..., None]
        if self.levels.own_sd:
            share = self.eta[:, None, None] * self.p[:, pattern]
            sd = np.sqrt(self.eta[:, None, None] * (1 - share))
            drawn["eta_sc"] = share * rest + sd * rng.standard_normal(rest.shape)
        return drawn


class _Layouts:
    """The matrices of some layouts of genes, shape (points, layouts, cell lines, cell lines).

    Attributes
    ----------
    r, seen : numpy.ndarray
        `R`, and `A R`: what the observations of a gene say of its lines, its interactions
        integrated out.
    log_det : numpy.ndarray, shape (points, layouts)
        Of the inverse of `R`.
    """

    def __init__(self, given: Interacting, layouts: IntArray) -> None:
        like = given.groups.like
        self.pattern, units = like.kind[layouts], like.units[layouts]
        self.p, self.h = given.p[:, self.pattern], given.h[:, self.pattern]
        n_lines = self.p.shape[3]
        information = (units[:, :, None] * self.p).sum(axis=2)[..., None] * np.eye(n_lines)
        information -= self.p.swapaxes(2, 3) @ ((units * self.h)[..., None] * self.p)
        matrix = given.delta[:, None, None, None] * information
        # Far out, rounding would take the 1 away and leave the matrix singular.
        rounded = 4 * np.finfo(float).eps * np.trace(matrix, axis1=2, axis2=3)
        matrix += (1 + rounded)[..., None, None] * np.eye(n_lines)
        self.r = np.linalg.inv(matrix)
        self.seen = information @ self.r
        self.log_det = np.linalg.slogdet(matrix)[1]


class _Genes:
    """Some genes, given the scales: what is linear in z and x.

    Attributes
    ----------
    b, rb : numpy.ndarray, shape (points, genes, cell lines)
        `b` and `R b`.
    """

    def __init__(self, given: Interacting, genes: slice) -> None:
        self.given, self.genes = given, genes
        like = given.groups.like
        self.layouts, self.layout = np.unique(like.layout[genes], return_inverse=True)
        self.of = _Layouts(given, self.layouts)
        of_strata = given.means.of_genes[genes]
        self.b = given._pull(of_strata, self.of.pattern[self.layout])
        self.rb = (self.r @ self.b[..., None])[..., 0]

    @cached_property
    def r(self) -> FloatArray:
        """`R` of each gene."""
        r: FloatArray = self.of.r[:, self.layout]
        return r

    def combinations(self, weights: FloatArray, *, interactions: bool = False) -> Linear:
        """Return combinations over the cell lines of effects of genes, or of interactions."""
        points, (n_layouts, number) = len(self.b), (len(self.layouts), weights.shape[1])
        z = weights.T @ self.of.r
        delta = self.given.delta
        variance = delta[:, None, None] * np.einsum("nlkc,ck->nlk", z, weights)
        if interactions:
            z = z - weights.T
        centre = delta[:, None, None] * (self.rb @ weights)
        return Linear(
            gene=np.repeat(np.arange(len(self.layout)), number),
            kind=(self.layout[:, None] * number + np.arange(number)).ravel(),
            layout=np.repeat(self.layouts, number),
            z=z.reshape(points, n_layouts * number, -1),
            x=z.sum(axis=3).reshape(points, -1),
            variance=variance.reshape(points, -1),
            centre=centre.reshape(points, -1),
        )

    def sgrnas(self) -> Linear:
        """Return the deviations of the sgRNAs: their mean is h p' (y - theta)."""
        rows, gene, kind = self._rows()
        of, delta = self.of, self.given.delta[:, None, None]
        pr = of.p @ of.r
        z = -of.h[..., None] * pr
        variance = of.h + of.h**2 * delta * (pr * of.p).sum(axis=3)
        p, h = (self.given.p[:, self.given.groups.pattern[rows]], of.h)
        rest = self.given.means.mean[rows] - delta * self.rb[:, gene]
        points = len(z)
        return Linear(
            gene=gene,
            kind=kind,
            layout=np.repeat(self.layouts, of.h.shape[2]),
            z=z.reshape(points, -1, z.shape[3]),
            x=z.sum(axis=3).reshape(points, -1),
            variance=variance.reshape(points, -1),
            centre=h.reshape(points, -1)[:, kind] * (p * rest).sum(axis=2),
        )

    def sgrnas_in_lines(self) -> Linear:
        """Return the deviations of the sgRNAs in each line: eta p (y - theta - u)."""
        rows, gene, kind = self._rows()
        of, delta = self.of, self.given.delta[:, None, None, None]
        share = self.given.eta[:, None, None, None] * of.p  # (points, layouts, K, cell lines)
        n_lines, points = share.shape[3], len(share)
        pr = of.p @ of.r
        # z of theta + u, line by line: R less h 1 p' R
        z = of.r[:, :, None] - (of.h[..., None] * pr)[:, :, :, None, :]
        z = -share[..., None] * z
        h = of.h[..., None]
        spread = delta * np.diagonal(of.r, axis1=2, axis2=3)[:, :, None] - 2 * h * delta * pr
        spread = spread + h + h**2 * delta * (pr * of.p).sum(axis=3)[..., None]
        variance = self.given.eta[:, None, None, None] * (1 - share) + share**2 * spread
        rest = self.given.means.mean[rows] - self.given.delta[:, None, None] * self.rb[:, gene]
        p = self.given.p[:, self.given.groups.pattern[rows]]
        rest -= of.h.reshape(points, -1, 1)[:, kind] * (p * rest).sum(axis=2, keepdims=True)
        columns = share.shape[2]
        return Linear(
            gene=np.repeat(gene, n_lines),
            kind=(kind[:, None] * n_lines + np.arange(n_lines)).ravel(),
            layout=np.repeat(self.layouts, columns * n_lines),
            z=z.reshape(points, -1, n_lines),
            x=z.sum(axis=4).reshape(points, -1),
            variance=variance.reshape(points, -1),
            centre=(share.reshape(points, -1, n_lines)[:, kind] * rest).reshape(points, -1),
        )

    def _rows(self) -> tuple[IntArray, IntArray, IntArray]:
        """Return the sgRNAs of the genes, the gene of each, and its stratum."""
        groups = self.given.groups
        rows = groups.sgrnas_of(self.genes)
        gene = groups.screen.gene_of_sgrna[rows] - self.genes.start
        return rows, gene, self.layout[gene] * self.of.h.shape[2] + groups.column(rows)

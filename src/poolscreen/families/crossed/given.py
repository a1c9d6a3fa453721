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

import numpy as np

from poolscreen.arrays import FloatArray, IntArray
from poolscreen.families.crossed.groups import Groups
from poolscreen.families.crossed.lines import Few, Lines, Many
from poolscreen.families.family import MEAN_SD, Moments, Points


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

    def __init__(self, groups: Groups, scales: Points) -> None:
        self.groups, self.levels = groups, groups.levels
        self.noise, self.gene, self.line = (
            np.square(scales[name]) for name in ("sigma", "sigma_gamma", "sigma_beta")
        )
        nested = self.levels.nested_sd
        self.sgrna = np.square(scales[nested]) if nested else np.zeros_like(self.noise)
        genes, sgrnas = groups.genes, groups.sgrnas

        # By layout of the genes: d, the information on x, the variance t that is left, and w.
        self.d = self.precision_of(genes.seen)
        weight = genes.sgrnas * self.d
        self.information = (weight * genes.seen).sum(axis=2)
        self.t = self.gene[:, None] / (1 + self.gene[:, None] * self.information)
        self.w = np.einsum("nlk,lkc->nlc", weight, genes.in_line)
        self.q = (self.d * genes.sums).sum(axis=2)  # summed over the genes of a layout

        # What the observations say of z, sgRNAs and genes integrated out: the pull on it ...
        self.own = (self.sgrna / self.noise)[:, None] * self.precision_of(sgrnas.seen)
        self.pull = groups.line_total / self.noise[:, None]
        self.pull = self.pull - (self.own * sgrnas.total) @ sgrnas.in_line
        self.pull -= np.einsum("nl,nlc->nc", self.t * self.q, self.w)
        # ... and the information, which is diagonal but for what sgRNAs and genes share.
        self.lines = self._lines(weight)
        self.level = self.lines.solve(self.pull[:, :, None])[:, :, 0]

        n_genes, n_lines = len(groups.screen.genes), groups.n.shape[1]
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

    def _lines(self, weight: FloatArray) -> Lines:
        """Return the posterior covariance of z, by whichever matrices are smaller."""
        genes, sgrnas = self.groups.genes, self.groups.sgrnas
        n = self.groups.n.shape[1]
        diagonal, own = self.groups.line_n / self.noise[:, None], self.own * sgrnas.number
        of_genes = (self.t * genes.genes)[:, :, None]
        known: Few | Many
        if len(sgrnas.number) < n:
            linked = np.einsum("nlk,lkp->nlp", weight, genes.one_hot(len(sgrnas.number)))
            shared = linked.transpose(0, 2, 1) @ (of_genes * linked)
            shared += own[:, :, None] * np.eye(len(sgrnas.number))
            known = Few(self.line, diagonal, sgrnas.in_line, shared)
        else:
            information = diagonal[:, :, None] * np.eye(n)
            information -= (own @ sgrnas.products()).reshape(-1, n, n)
            information -= self.w.transpose(0, 2, 1) @ (of_genes * self.w)
            known = Many(self.line, information)
        # Lines share their means; effects that sum to zero are independent ones less their mean.
        shared = np.full_like(self.line, 2 * MEAN_SD**2)
        return Lines(
            self.line, shared if self.levels.two_means else MEAN_SD**2 - self.line / n, known
        )

    def means(self) -> dict[str, Moments]:
        """Return the means, and the effects of the cell lines."""
        common = self.moments(self.common, self.common_variance)
        names = ["mu_gamma", "mu_beta"] if self.levels.two_means else ["mu"]
        each = np.eye(len(self.groups.screen.cell_lines))[None]
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
            rows = self.groups.order[
                self.groups.starts[genes.start] : self.groups.starts[genes.stop]
            ]
            of = self.groups.screen.gene_of_sgrna[rows] - genes.start
            t, q, w = t[:, of], q[:, of], w[:, of]
            d = self.precision_of(self.groups.n[rows].sum(axis=1))
            of_noise, of_sgrna = self.noise[:, None] * d, self.sgrna[:, None] * d
            z = self.common - of_sgrna[:, :, None] * self.groups.n[rows]
            z = z - (of_noise * t)[:, :, None] * w
            centre = of_sgrna * self.groups.total[rows] + of_noise * t * q
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
        layout = self.groups.genes.layout[genes]
        return self.t[:, layout], self.pulls(genes), self.w[:, layout]

    def pulls(self, genes: slice) -> FloatArray:
        """Return q of some genes; shape (points, genes)."""
        of = self.groups.genes
        d = self.d[:, of.layout[genes]]
        q: FloatArray = np.einsum("ngk,gk->ng", d, of.total[genes])
        return q

    def log_density(self) -> FloatArray:
        """Log density of the observations, if the effects of the genes are independent."""
        genes, sgrnas = self.groups.genes, self.groups.sgrnas
        n_obs, noise = self.groups.line_n.sum(), self.noise
        of_sgrnas = np.log(noise[:, None] * self.precision_of(sgrnas.seen)) @ sgrnas.number
        of_genes = np.log1p(self.gene[:, None] * self.information) @ genes.genes
        log_det = n_obs * np.log(noise) - of_sgrnas + of_genes + self.lines.log_det
        squares = self.groups.sum_of_squares / noise - self.own @ sgrnas.squares
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
            linked = gene * t / len(self.groups.screen.genes)
            linked = linked - np.einsum("nrc,nc->nr", z, self.u_covariance)
            slope = linked / self.variance_of_mean[:, None]
            mean = mean - slope * self.mean_of_genes[:, None]
            variance = np.maximum(variance - slope * linked, 0)
        return Moments(mean, variance)

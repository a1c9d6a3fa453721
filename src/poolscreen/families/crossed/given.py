r"""The crossed models in closed form: density of the scales, and effects given these; no draws.

Everything is computed for many points of the scales at once, with NumPy: a second way to what the
sampled form of `poolscreen.families.crossed.likelihood` gives. The names are these. Vectors stand
for the cell lines, :math:`z_c` for the level of a line (all means together, and its effect), and
:math:`x_g` for the effect of a gene, independent of each other with variance
:math:`\sigma_\gamma^2`. Given `z` the genes are independent:

.. math::

    x_g \mid z \sim \text{Normal}\bigl(t_g (q_g - w_g' z),\ t_g\bigr), \quad
    t_g = 1 / (1 / \sigma_\gamma^2 + 1' w_g).

What `q` and `w` are, and what lies within a gene, depends on whether its effect is the same in all
lines: `poolscreen.families.crossed.additive` and `poolscreen.families.crossed.interacting` say it.
Effects of genes that sum to zero are independent ones on the condition that their mean is zero.
"""

from typing import Protocol

import numpy as np

from poolscreen.arrays import FloatArray, IntArray
from poolscreen.families.crossed.additive import Additive
from poolscreen.families.crossed.interacting import Interacting
from poolscreen.families.crossed.linear import Linear
from poolscreen.families.crossed.lines import Few, Lines, Many
from poolscreen.families.crossed.means import Means
from poolscreen.families.crossed.sums import Sums
from poolscreen.families.family import MEAN_SD, Moments, Points

# The variance of what is known for certain: the only effect of a kind whose effects sum to zero.
NEXT_TO_NOTHING = 1e-24


class Within(Protocol):
    """Genes, and what lies within them, given the scales.

    Attributes
    ----------
    t, w : numpy.ndarray, shapes (points, L) and (points, L, cell lines)
        By layout of the genes.
    q : numpy.ndarray, shape (points, L)
        Summed over the genes of a layout.
    pull : numpy.ndarray, shape (points, cell lines)
        Of the observations on z, all else integrated out.
    known : Few or Many
        Their information on z.
    log_det, squares : numpy.ndarray, shape (points,)
        Parts of the log density: of the determinant, and of the sum of squares.
    """

    t: FloatArray
    w: FloatArray
    q: FloatArray
    pull: FloatArray
    known: Few | Many
    log_det: FloatArray
    squares: FloatArray

    def pulls(self, genes: slice) -> FloatArray:
        """Return q of some genes; shape (points, genes)."""

    def within(self, genes: slice) -> dict[str, Linear]:
        """Return the effects within some genes by name; of sgRNAs, their deviations."""

    def in_lines(self, genes: slice, weights: FloatArray) -> Linear:
        """Return combinations, over the cell lines, of the effects of some genes in these."""

    def draw(self, z: FloatArray, x: FloatArray, rng: np.random.Generator) -> dict[str, FloatArray]:
        """Draw what lies within all genes given z and x, one for each point."""


class Given:
    """What is known once the scales are given; the first dimension of every array is the point.

    Attributes
    ----------
    within : Within
        Genes and sgRNAs.
    level, lines : numpy.ndarray, shape (points, cell lines), and Lines
        Posterior mean and covariance of `z`, the genes' mean not yet being zero.
    common, common_variance : numpy.ndarray, shapes (points, 1, cell lines) and (points, 1)
        The level of the genes, from which `beta_c` are counted, is `common` times `z` and a rest of
        this variance: with two means the data leave their difference open.
    mean_of_genes, variance_of_mean : numpy.ndarray, shape (points,)
        Of the mean of the effects of the genes, if these are independent.
    """

    def __init__(self, data: Sums | Means, scales: Points) -> None:
        self.groups, self.levels = data.groups, data.groups.levels
        within: Within
        within = Additive(data, scales) if isinstance(data, Sums) else Interacting(data, scales)
        self.within = within
        line = self.levels.at(scales).line
        n_genes, n_lines = len(self.groups.screen.genes), self.groups.n.shape[1]
        # Lines share their means; effects that sum to zero are independent ones less their mean.
        shared = np.full_like(line, 2 * MEAN_SD**2)
        if not self.levels.two_means:
            shared = MEAN_SD**2 - line / n_lines
        self.lines = Lines(line, shared, within.known)
        self.level = self.lines.solve(within.pull[:, :, None])[:, :, 0]

        of_mean = within.t * self.groups.like.groups / n_genes
        u = np.einsum("nl,nlc->nc", of_mean, within.w)  # x depends on z by -t w; its mean by -u
        self.u_covariance = self.lines.solve(u[:, :, None])[:, :, 0]
        self.mean_of_genes = (within.t * within.q).sum(axis=1) / n_genes
        self.mean_of_genes -= (u * self.level).sum(axis=1)
        self.variance_of_mean = of_mean.sum(axis=1) / n_genes
        self.variance_of_mean += (u * self.u_covariance).sum(axis=1)

        # The mean of all lines, or a half of both means together: their sum given z has the
        # variance `rest`, and their difference is as open as before.
        if self.levels.two_means:
            prior = 2 * MEAN_SD**2
            share = n_lines * prior / (line + n_lines * prior)
            self.rest, of_z = prior * line / (line + n_lines * prior), share / 2
            self.common_variance = (self.rest + prior)[:, None] / 4
        else:
            of_z = np.ones_like(line)
            self.common_variance = np.zeros((len(of_z), 1))
        self.common = np.repeat(of_z[:, None, None] / n_lines, n_lines, axis=2)

    def log_density(self) -> FloatArray:
        """Log density of the observations, if the effects of the genes are independent."""
        log_det = self.within.log_det + self.lines.log_det
        squares = self.within.squares - (self.within.pull * self.level).sum(axis=1)
        constant = len(self.groups.screen.log_fc) * np.log(2 * np.pi)
        density: FloatArray = -0.5 * (constant + log_det + squares)
        return density

    def means(self) -> dict[str, Moments]:
        """Return the means, and the effects of the cell lines."""
        common = self._of_lines(self.common, self.common_variance)
        names = ["mu_gamma", "mu_beta"] if self.levels.two_means else ["mu"]
        each = np.eye(len(self.groups.screen.cell_lines))[None]
        line = self._of_lines(each - self.common, self.common_variance)
        return {
            **{name: Moments(*(part[:, 0] for part in common)) for name in names},
            "beta_c": line,
        }

    def effects(self, genes: slice) -> dict[str, tuple[IntArray, Moments]]:
        """Return mean and variance of the effects of some genes, and of what is within them."""
        layouts, kind = np.unique(self.groups.like.layout[genes], return_inverse=True)
        number, lines = genes.stop - genes.start, self.common.shape[2]
        shape = (len(self.common), len(layouts))
        gene = Linear(
            gene=np.arange(number),
            kind=kind,
            layout=layouts,
            z=np.zeros((*shape, lines)),
            x=np.ones(shape),
            variance=np.zeros(shape),
            centre=np.zeros((shape[0], number)),
        )
        rows = {"gamma_g": np.arange(genes.start, genes.stop)}
        parts = {"gamma_g": self._about_the_level(gene) if self.levels.two_means else gene}
        for name, part in self.within.within(genes).items():
            of_sgrnas = self.levels.dims[name][0] == "sgRNA"
            rows[name] = self.groups.sgrnas_of(genes) if of_sgrnas else rows["gamma_g"]
            parts[name] = part
        if self.levels.nested_sd:
            deviation = parts["alpha_s"]
            parts["alpha_s"] = self._about_the_level(deviation._replace(x=deviation.x + 1))
        pulls = self.within.pulls(genes)
        return {name: (rows[name], self._moments(part, pulls)) for name, part in parts.items()}

    def gene_effects(self, genes: slice, weights: FloatArray) -> Moments:
        """Return mean and variance of combinations, over the cell lines, of effects of genes."""
        linear, pulls = self.within.in_lines(genes, weights), self.within.pulls(genes)
        moments = self._moments(linear, pulls)
        return Moments(*(part.reshape(len(part), -1, weights.shape[1]) for part in moments))

    def draw_means(self, z: FloatArray, rng: np.random.Generator) -> dict[str, FloatArray]:
        """Draw the means given z, that of the genes first; shape (points,)."""
        half = (self.common[:, 0] * z).sum(axis=1)
        if not self.levels.two_means:
            return {"mu": half}
        both, difference = rng.standard_normal((2, len(half)))
        both, difference = both * np.sqrt(self.rest), difference * np.sqrt(2) * MEAN_SD
        half = half + both / 2
        return {"mu_gamma": half + difference / 2, "mu_beta": half - difference / 2}

    def _about_the_level(self, linear: Linear) -> Linear:
        """Add the level of the genes."""
        return linear._replace(
            z=linear.z + self.common, variance=linear.variance + self.common_variance
        )

    def _moments(self, linear: Linear, pulls: FloatArray) -> Moments:
        """Return mean and variance of the rows of `linear`, with q of their genes."""
        t, w = self.within.t[:, linear.layout], self.within.w[:, linear.layout]
        moved = linear.x * t
        z = linear.z - moved[:, :, None] * w
        mean, variance = self._of_lines(z, linear.x * moved + linear.variance, moved)
        pulled = moved[:, linear.kind] * pulls[:, linear.gene]
        mean = mean[:, linear.kind] + linear.centre + pulled
        return Moments(mean, variance[:, linear.kind])

    def _of_lines(
        self, z: FloatArray, rest: FloatArray, moved: FloatArray | float = 0.0
    ) -> Moments:
        """Return mean and variance of `z` times z, shape (points, rows, cell lines), and a rest.

        `rest` is the variance of the rest, and `moved` its covariance with the effect of a gene.
        Where effects of genes sum to zero, the condition that they do moves the mean and takes from
        the variance.
        """
        mean = np.einsum("nrc,nc->nr", z, self.level)
        variance = np.einsum("nrc,nrc->nr", z @ self.lines.covariance, z) + rest
        if not self.levels.two_means:
            linked = moved / len(self.groups.screen.genes)
            linked = linked - np.einsum("nrc,nc->nr", z, self.u_covariance)
            slope = linked / self.variance_of_mean[:, None]
            mean = mean - slope * self.mean_of_genes[:, None]
            variance = np.maximum(variance - slope * linked, NEXT_TO_NOTHING)
        return Moments(mean, variance)

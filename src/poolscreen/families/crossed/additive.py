r"""Genes and sgRNAs whose effects are the same in all cell lines, integrated out.

With `n_s` the observations of an sgRNA by cell line, `T_s` their sum and
:math:`d_s = 1 / (\sigma^2 + \sigma_\alpha^2 \sum n_s)`, in the names of
`poolscreen.families.crossed.given`,

.. math::

    q_g = \sum_s d_s T_s, \quad w_g = \sum_s d_s n_s, \quad
    u_s \mid x, z \sim \text{Normal}\bigl(\sigma_\alpha^2 d_s (T_s - n_s' z - x_g \textstyle\sum
    n_s),\ \sigma_\alpha^2 \sigma^2 d_s\bigr)

where `u_s` is the deviation of the sgRNA from its gene (completing the square, level by level).
"""

import numpy as np

from poolscreen.arrays import FloatArray
from poolscreen.families.crossed.linear import Linear
from poolscreen.families.crossed.lines import Few, Many
from poolscreen.families.crossed.sums import Sums
from poolscreen.families.family import Points


class Additive:
    """Genes and sgRNAs, given the scales: see `poolscreen.families.crossed.given.Within`."""

    def __init__(self, sums: Sums, scales: Points) -> None:
        self.sums, groups = sums, sums.groups
        self.groups, self.nested = groups, groups.levels.nested_sd
        of = groups.levels.at(scales)
        self.noise, self.gene, self.line, self.sgrna = of.noise, of.gene, of.line, of.sgrna
        like, seen = groups.like, groups.in_line.sum(axis=2)

        # By layout of the genes: d, the information on x, the variance t that is left, and w.
        self.d = self._precision_of(seen)
        weight = like.units * self.d
        information = (weight * seen).sum(axis=2)
        self.t = self.gene[:, None] / (1 + self.gene[:, None] * information)
        self.w = np.einsum("nlk,lkc->nlc", weight, groups.in_line)
        self.q = (self.d * sums.of_layouts).sum(axis=2)

        # What the observations say of z: the pull on it ...
        d = self._precision_of(groups.patterns.sum(axis=1))
        own = (self.sgrna / self.noise)[:, None] * d
        self.pull = sums.line_total / self.noise[:, None]
        self.pull = self.pull - (own * sums.of_patterns) @ groups.patterns
        self.pull -= np.einsum("nl,nlc->nc", self.t * self.q, self.w)
        # ... and the information, which is diagonal but for what sgRNAs and genes share.
        self.known = self._known(weight, own * groups.number)

        self.log_det = sums.line_n.sum() * np.log(self.noise)
        self.log_det -= np.log(self.noise[:, None] * d) @ groups.number
        self.log_det += np.log1p(self.gene[:, None] * information) @ like.groups.astype(np.float64)
        self.squares = sums.sum_of_squares / self.noise - own @ sums.squares
        in_genes = np.einsum("nlk,lkj->nlj", self.d, sums.products)
        in_genes = np.einsum("nlj,nlj->nl", in_genes, self.d)
        self.squares -= (self.t * in_genes).sum(axis=1)

    def _precision_of(self, seen: FloatArray) -> FloatArray:
        """Return d of sgRNAs that were observed so often."""
        shape = (-1, *[1] * seen.ndim)
        result: FloatArray = 1 / (self.noise.reshape(shape) + self.sgrna.reshape(shape) * seen)
        return result

    def _known(self, weight: FloatArray, own: FloatArray) -> Few | Many:
        """Return what is known of z, by whichever matrices are smaller."""
        patterns, like = self.groups.patterns, self.groups.like
        number, n = patterns.shape
        diagonal = self.sums.line_n / self.noise[:, None]
        of_genes = (self.t * like.groups)[:, :, None]
        if number < n:
            linked = np.einsum("nlk,lkp->nlp", weight, np.eye(number)[like.kind])
            shared = linked.transpose(0, 2, 1) @ (of_genes * linked)
            shared += own[:, :, None] * np.eye(number)
            return Few(self.line, diagonal, patterns, shared)
        outer = (patterns[:, :, None] * patterns[:, None, :]).reshape(number, -1)
        information = diagonal[:, :, None] * np.eye(n) - (own @ outer).reshape(-1, n, n)
        information -= self.w.transpose(0, 2, 1) @ (of_genes * self.w)
        return Many(self.line, information)

    def pulls(self, genes: slice) -> FloatArray:
        """Return q of some genes; shape (points, genes)."""
        d = self.d[:, self.groups.like.layout[genes]]
        q: FloatArray = np.einsum("ngk,gk->ng", d, self.sums.of_genes[genes])
        return q

    def within(self, genes: slice) -> dict[str, Linear]:
        """Return the deviations of the sgRNAs of some genes."""
        if not self.nested:
            return {}
        rows = self.groups.sgrnas_of(genes)
        gene = self.groups.screen.gene_of_sgrna[rows]
        layouts, layout = np.unique(self.groups.like.layout[gene], return_inverse=True)
        d, in_line = self.d[:, layouts], self.groups.in_line[layouts]
        share = self.sgrna[:, None, None] * d
        points, (_, columns, lines) = len(d), in_line.shape
        kind = layout * columns + self.groups.column(rows)
        return {
            "alpha_s": Linear(
                gene=gene - genes.start,
                kind=kind,
                layout=np.repeat(layouts, columns),
                z=(-share[..., None] * in_line).reshape(points, -1, lines),
                x=(-share * in_line.sum(axis=2)).reshape(points, -1),
                variance=(share * self.noise[:, None, None]).reshape(points, -1),
                centre=share.reshape(points, -1)[:, kind] * self.sums.total[rows],
            )
        }

    def in_lines(self, genes: slice, weights: FloatArray) -> Linear:
        """Return combinations, over the cell lines, of the effects of some genes in these."""
        n_genes, (n_lines, number) = genes.stop - genes.start, weights.shape
        points = len(self.noise)
        layouts, layout = np.unique(self.groups.like.layout[genes], return_inverse=True)
        shape = (points, len(layouts) * number)
        return Linear(
            gene=np.repeat(np.arange(n_genes), number),
            kind=(layout[:, None] * number + np.arange(number)).ravel(),
            layout=np.repeat(layouts, number),
            z=np.broadcast_to(np.tile(weights.T, (len(layouts), 1)), (*shape, n_lines)),
            x=np.broadcast_to(np.tile(weights.sum(axis=0), len(layouts)), shape),
            variance=np.zeros(shape),
            centre=np.zeros((points, n_genes * number)),
        )

    def draw(self, z: FloatArray, x: FloatArray, rng: np.random.Generator) -> dict[str, FloatArray]:
        """Draw the deviations of all sgRNAs given z and x, one for each point."""
        if not self.nested:
            return {}
        of_gene, n = self.groups.screen.gene_of_sgrna, self.groups.n
        seen = n.sum(axis=1)
        share = self.sgrna[:, None] * self._precision_of(seen)
        centre = share * (self.sums.total - z @ n.T - seen * x[:, of_gene])
        own = rng.standard_normal(centre.shape)
        return {"alpha_s": centre + np.sqrt(share * self.noise[:, None]) * own}

"""The crossed models without interactions, everything but their scales integrated out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytensor.tensor as pt

from poolscreen.families.crossed.data import Statistics
from poolscreen.families.crossed.levels import Levels


def log_marginal_likelihood(levels: Levels, data: Statistics, scales: Mapping[str, Any]) -> Any:
    r"""Log density of all observations given the scales, everything else integrated out.

    Without what all observations share, their covariance matrix is
    :math:`V_0 = \sigma^2 I + \sigma_\alpha^2 Z_s Z_s' + \sigma_\gamma^2 Z_g Z_g' +
    \sigma_\beta^2 Z_c Z_c'`, with indicator matrices of sgRNAs, genes and cell lines. Its
    levels are eliminated one at a time by the matrix inversion lemma (Henderson and Searle
    1981, SIAM Review 23, 53-60). What is shared adds :math:`c\,\mathbf{1}\mathbf{1}'`: the
    variances of two means, :math:`c = 2 \cdot 5^2`; or that of an intercept,
    :math:`c = 5^2 - \sigma_\gamma^2 / G - \sigma_\beta^2 / C`, as effects that sum to zero are
    independent ones less their mean.

    Parameters
    ----------
    levels : Levels
        The model.
    data : Statistics
        The data, as arrays or tensors.
    scales : mapping of str to tensor or float
        The scales by name.

    Returns
    -------
    tensor
        Scalar; all constants are included.

    Examples
    --------
    One observation, with two means: its variance is that of all its parts together.

    >>> from poolscreen.families.crossed.data import statistics
    >>> table = pd.DataFrame({"cell_line": ["A"], "sgRNA": "s", "gene": "g", "log_fc": [2.0]})
    >>> scales = {"sigma_gamma": 1.0, "sigma_alpha": 2.0, "sigma_beta": 3.0, "sigma": 4.0}
    >>> log_p = log_marginal_likelihood(Levels(two_means=True), statistics(Screen(table)), scales)
    >>> sd = (2 * 5**2 + 1**2 + 2**2 + 3**2 + 4**2) ** 0.5
    >>> log_p.eval().round(4).item(), stats.norm.logpdf(2, 0, sd).round(4).item()
    (-3.135, -3.135)
    """
    in_floats = {name: pt.cast(value, "float64") for name, value in scales.items()}
    noise, gene, line, sgrna, _, _ = levels.at(in_floats)
    n, k, total = map(pt.as_tensor, (data.n, data.sgrnas, data.total))

    # V_2 = sigma^2 I + sigma_alpha^2 Z_s Z_s' + sigma_gamma^2 Z_g Z_g': noise, sgRNAs and genes.
    # Of it we need the products y' V_2^-1 y, y' V_2^-1 1 and 1' V_2^-1 1, where 1 is the vector of
    # ones; vectors enter as their sums by gene and pattern.
    nested = _Nested(n, k, noise, sgrna, gene)
    seen = n.sum(axis=1)  # observations of one sgRNA, by pattern
    in_line = (k.sum(axis=0)[:, None] * n).sum(axis=0)  # observations in each cell line
    ones = k * seen
    yy = nested.product(total, total, data.sum_of_squares, data.squares)
    y1 = nested.product(total, ones, total.sum(), (total * seen).sum(axis=0))
    one1 = nested.product(ones, ones, ones.sum(), (ones * seen).sum(axis=0))

    # V_3 = V_2 + sigma_beta^2 Z_c Z_c': the cell lines take their part from each of the products.
    by_pattern = n.type.shape[0] < n.type.shape[1]
    lines = (_lines_by_pattern if by_pattern else _lines)(nested, line, in_line)
    y_line = nested.by_line(total, data.cell_total)
    one_line = nested.by_line(ones, in_line)
    yy -= lines.product(y_line, y_line)
    y1 -= lines.product(y_line, one_line)
    one1 -= lines.product(one_line, one_line)

    # V = V_3 + c 1 1': what all share is one more column, so that
    # |V| = |V_3| (1 + c 1' V_3^-1 1) and y' V^-1 y = y' V_3^-1 y - c (y' V_3^-1 1)^2 / (1 + c ...).
    shared = levels.shared(gene, line, k.shape[0], n.shape[1])
    growth = 1 + shared * one1
    log_det = nested.log_det() + lines.log_det + pt.log(growth)
    n_obs = ones.sum()
    return -0.5 * (n_obs * np.log(2 * np.pi) + log_det + yy - shared * y1**2 / growth)


@dataclass(frozen=True)
class _Nested:
    """The covariance matrix V_2 of noise, sgRNAs and genes, by its inverse and determinant.

    Vectors enter as sums over the observations, by gene and pattern. `n` and `k` are
    `Statistics.n` and `Statistics.sgrnas`; the others are variances. What is computed twice stands
    once in the compiled graph.
    """

    n: Any
    k: Any
    noise: Any
    sgrna: Any
    gene: Any

    # First level: V_1 = sigma^2 I + sigma_alpha^2 Z_s Z_s' is a block for each sgRNA. With n_s
    # observations and d = 1 / (sigma^2 + n_s sigma_alpha^2) the inverse of a block is
    # I / sigma^2 - (sigma_alpha^2 / sigma^2) d 1 1', its determinant sigma^(2 n_s) / (sigma^2 d).
    # So 1' V_1^-1 u, for one sgRNA, is d times the sum of u.

    @property
    def d(self) -> Any:
        """Precision that an observation of an sgRNA adds to what is known of its gene."""
        return 1 / (self.noise + self.sgrna * self.n.sum(axis=1))

    # Second level: V_2 = V_1 + sigma_gamma^2 Z_g Z_g'. By the matrix inversion lemma
    # V_2^-1 = V_1^-1 - V_1^-1 Z_g diag(shrink) Z_g' V_1^-1 with shrink = sigma_gamma^2 / growth and
    # growth = 1 + sigma_gamma^2 Z_g' V_1^-1 Z_g, which is diagonal: genes share no sgRNA.

    @property
    def growth(self) -> Any:
        """Variance of the effect of a gene before it is observed, relative to that after."""
        return 1 + self.gene * (self.k * self.n.sum(axis=1) * self.d).sum(axis=1)

    @property
    def shrink(self) -> Any:
        """Variance of the effect of a gene that is left when its sgRNAs have been observed."""
        return self.gene / self.growth

    @property
    def linked(self) -> Any:
        """Sum of `d` over the sgRNAs of a gene and pattern: how these link its cell lines."""
        return self.k * self.d

    @property
    def own(self) -> Any:
        """What cell lines share through the sgRNAs of a pattern, the genes aside."""
        return self.sgrna / self.noise * self.linked.sum(axis=0)

    def log_det(self) -> Any:
        """Return log |V_2|: of the noise, of each sgRNA, of each gene."""
        of_sgrnas = (self.k.sum(axis=0) * pt.log(self.noise * self.d)).sum()
        n_obs = (self.k * self.n.sum(axis=1)).sum()
        return n_obs * pt.log(self.noise) - of_sgrnas + pt.log(self.growth).sum()

    def product(self, u: Any, v: Any, uv: Any, uv_by_pattern: Any) -> Any:
        """Return u' V_2^-1 v: the noise alone, less what sgRNAs share, less what genes share.

        `uv` is the sum of products over the observations, `uv_by_pattern` that of the products of
        the sums of each sgRNA.
        """
        of_u, of_v = (u * self.d).sum(axis=1), (v * self.d).sum(axis=1)
        by_sgrna = self.sgrna / self.noise * (self.d * uv_by_pattern).sum()
        return uv / self.noise - by_sgrna - (self.shrink * of_u * of_v).sum()

    def by_line(self, u: Any, in_lines: Any) -> Any:
        """Return Z_c' V_2^-1 u, by cell line; `in_lines` are the sums of u itself."""
        pull = self.shrink * (u * self.d).sum(axis=1)
        weight = self.sgrna / self.noise * self.d * u.sum(axis=0)
        weight += (self.linked * pull[:, None]).sum(axis=0)
        return in_lines / self.noise - (weight[:, None] * self.n).sum(axis=0)


@dataclass(frozen=True)
class _Lines:
    """What the cell lines add: to the log determinant, and to take from products."""

    log_det: Any
    product: Callable[[Any, Any], Any]


def _lines(nested: _Nested, line: Any, in_line: Any) -> _Lines:
    """Eliminate the cell lines by a matrix with a row for each.

    By the same lemma, with M = I + sigma_beta^2 Z_c' V_2^-1 Z_c: |V_3| = |V_2| |M|, and
    u' V_3^-1 v = u' V_2^-1 v - sigma_beta^2 (Z_c' V_2^-1 u)' M^-1 (Z_c' V_2^-1 v).
    """
    # Z_c' V_2^-1 Z_c: the noise on the diagonal, less what lines share through sgRNAs and genes.
    n, seen_in = nested.n, pt.dot(nested.linked, nested.n)
    pulled = pt.dot(n.T, nested.own[:, None] * n)
    pulled += pt.dot(seen_in.T, nested.shrink[:, None] * seen_in)
    left = pt.diag(1 + line * in_line / nested.noise) - line * pulled
    inverse = pt.linalg.inv(left)
    return _Lines(
        log_det=pt.linalg.slogdet(left)[1],
        product=lambda u, v: line * pt.dot(u, pt.dot(inverse, v)),
    )


def _lines_by_pattern(nested: _Nested, line: Any, in_line: Any) -> _Lines:
    """Eliminate the cell lines by a matrix with a row for each pattern, where these are fewer.

    M of `_lines` is D - sigma_beta^2 N' B N, with a diagonal D, the patterns N and a matrix B that
    has a row for each pattern. The lemma once more turns its inverse into that of
    I - sigma_beta^2 N D^-1 N' B.
    """
    n, linked = nested.n, nested.linked
    diagonal = 1 + line * in_line / nested.noise
    pulled = pt.diag(nested.own) + pt.dot(linked.T, nested.shrink[:, None] * linked)
    left = pt.eye(n.shape[0]) - line * pt.dot(pt.dot(n / diagonal, n.T), pulled)
    inner = line * pt.dot(pulled, pt.linalg.inv(left))

    def product(u: Any, v: Any) -> Any:
        nu, nv = (pt.dot(n, w / diagonal) for w in (u, v))
        return line * ((u * v / diagonal).sum() + pt.dot(nu, pt.dot(inner, nv)))

    log_det = pt.log(diagonal).sum() + pt.linalg.slogdet(left)[1]
    return _Lines(log_det=log_det, product=product)

"""The crossed models with everything but their scales integrated out, level by level."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytensor.tensor as pt

from poolscreen.arrays import FloatArray


@dataclass(frozen=True)
class _Nested:
    """The covariance matrix V of all observations without the cell lines, by its inverse.

    Vectors enter as sums over the observations, by gene and pattern. `n` and `k` are `Counts.n`
    and `Counts.sgrnas`; the others are variances. What is computed twice stands once in the
    compiled graph.
    """

    n: Any
    k: Any
    noise: Any
    sgrna: Any
    gene: Any

    @property
    def d(self) -> Any:
        """Precision of what an sgRNA tells of its gene, by observation of it."""
        return 1 / (self.noise + self.sgrna * self.n.sum(axis=1))

    @property
    def growth(self) -> Any:
        """Variance of the effect of a gene before it is observed, relative to that after."""
        return 1 + self.gene * (self.k * self.n.sum(axis=1) * self.d).sum(axis=1)

    @property
    def shrink(self) -> Any:
        return self.gene / self.growth

    @property
    def linked(self) -> Any:
        return self.k * self.d

    @property
    def own(self) -> Any:
        """What cell lines share through the sgRNAs of a pattern, the genes aside."""
        return self.sgrna / self.noise * self.linked.sum(axis=0)

    def log_det(self) -> Any:
        of_sgrnas = (self.k.sum(axis=0) * pt.log(self.noise * self.d)).sum()
        n_obs = (self.k * self.n.sum(axis=1)).sum()
        return n_obs * pt.log(self.noise) - of_sgrnas + pt.log(self.growth).sum()

    def product(self, u: Any, v: Any, uv: Any, uv_by_pattern: Any) -> Any:
        """Return u' V^-1 v; `uv` sums over observations, `uv_by_pattern` over sums of sgRNAs."""
        of_u, of_v = (u * self.d).sum(axis=1), (v * self.d).sum(axis=1)
        by_sgrna = self.sgrna / self.noise * (self.d * uv_by_pattern).sum()
        return uv / self.noise - by_sgrna - (self.shrink * of_u * of_v).sum()

    def by_line(self, u: Any, in_lines: Any) -> Any:
        """Return Z' V^-1 u, by cell line; `in_lines` are the sums of u itself."""
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
    """Eliminate the cell lines by a matrix with a row for each."""
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
    """Eliminate the cell lines by a matrix with a row for each pattern, where these are fewer."""
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


def _sum_to_zero(effects: FloatArray, sd: float) -> float:
    """Log density of PyMC's ZeroSumNormal: of all directions but one."""
    free = len(effects) - 1
    constant = free * np.log(2 * np.pi * sd**2)
    return float(-0.5 * (constant + (effects**2).sum() / sd**2))

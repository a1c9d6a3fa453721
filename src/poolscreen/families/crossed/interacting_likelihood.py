"""The crossed models with interactions, everything but their scales integrated out."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytensor.tensor as pt

from poolscreen.families.crossed.levels import Levels


def log_marginal_likelihood(
    levels: Levels, data: Mapping[str, Any], scales: Mapping[str, Any]
) -> Any:
    r"""Log density of all observations given the scales, everything else integrated out.

    The levels are eliminated one at a time, as in `poolscreen.families.crossed.interacting`, whose
    names these are. What all observations share adds a constant to their covariances, see
    `Levels.shared`: so effects that sum to zero need no condition.

    Parameters
    ----------
    levels : Levels
        The model.
    data : mapping of str to tensor or numpy.ndarray
        See `poolscreen.families.crossed.means.Means.as_data`.
    scales : mapping of str to tensor or float
        The scales by name.

    Returns
    -------
    tensor
        Scalar; all constants are included.

    Examples
    --------
    Two observations of different sgRNAs, genes and cell lines, which share two means alone:

    >>> from scipy import stats
    >>> from poolscreen.families.crossed.groups import Groups
    >>> from poolscreen.families.crossed.means import Means
    >>> levels = Levels(two_means=True, interaction_sd="sigma_delta")
    >>> scales = dict(zip(levels.parameters, [1.0, 2.0, 3.0, 1.0, 4.0], strict=True))
    >>> screen = Screen(
    ...     pd.DataFrame(
    ...         {"cell_line": list("AB"), "sgRNA": list("st"), "gene": list("gh"), "log_fc": [2, 0]}
    ...     )
    ... )
    >>> log_p = log_marginal_likelihood(levels, Means(Groups(levels, screen)).as_data(), scales)
    >>> covariance = 2 * 5**2 + (1 + 4 + 9 + 1 + 16) * np.eye(2)
    >>> expected = stats.multivariate_normal([0, 0], covariance).logpdf(screen.log_fc)
    >>> bool(np.isclose(log_p.eval(), expected))
    True
    """
    of = {name: pt.cast(value, "float64") ** 2 for name, value in scales.items()}
    noise, gene, line = of["sigma"], of["sigma_gamma"], of["sigma_beta"]
    delta, eta, sgrna = (
        of[name] if name else pt.constant(0.0)
        for name in (levels.interaction_sd, levels.own_sd, levels.nested_sd)
    )
    known = {name: pt.as_tensor(values) for name, values in data.items()}
    genes, layout, first = known["genes"], known["layout"], known["first"]
    n_obs = (known["number"][:, None] * known["n"]).sum()

    p, log_det, squares = _sgrnas(known, noise, eta, sgrna)
    strata = _Strata(known["units"], p[known["kind"]], delta, sgrna)
    log_det += (genes * strata.log_det).sum()

    # Genes, by layout: M 1 (w of the engine) and t; then the pull of each row.
    moved = strata.solved(strata.parts(strata.f), pt.arange(genes.shape[0]))
    diagonal = strata.d * strata.b
    of_one = diagonal - sum(each * each.sum(axis=1)[:, None] for each in moved)
    growth = 1 + gene * of_one.sum(axis=1)
    t = gene / growth
    log_det += (genes * pt.log(growth)).sum()
    m, g, of_rows = strata.taken_in(known["rows"], layout)
    through = strata.solved(strata.parts(g), layout)
    pull = diagonal[layout] * m
    pull -= sum(each[layout] * t_k[:, None] for each, t_k in zip(moved, through, strict=True))
    squares += of_rows - sum((each**2).sum() for each in through)
    squares -= (t[layout] * pull.sum(axis=1) ** 2).sum()

    # Cell lines, and what all observations share.
    pull = pull[first] * pt.sqrt(genes)[:, None]
    pulled = (pull - (t * pull.sum(axis=1))[:, None] * of_one).sum(axis=0)
    information = pt.diag((genes[:, None] * diagonal).sum(axis=0))
    for each in [*moved, pt.sqrt(t)[:, None] * of_one]:
        information -= pt.dot(each.T, genes[:, None] * each)
    n_lines = known["n"].type.shape[1]
    eye = pt.eye(n_lines)
    prior = line * eye + levels.shared(gene, line, genes.sum(), n_lines)
    matrix = eye + pt.dot(information, prior)
    log_det += pt.linalg.slogdet(matrix)[1]
    squares -= pt.dot(pulled, pt.dot(prior, pt.linalg.solve(matrix, pulled)))
    return -0.5 * (n_obs * np.log(2 * np.pi) + log_det + squares)


def _sgrnas(known: Mapping[str, Any], noise: Any, eta: Any, sgrna: Any) -> tuple[Any, Any, Any]:
    """Return the precision of the means of sgRNAs, by pattern and line, and what they add.

    To the log determinant and to the squares, but for what the means of strata add.
    """
    n, number, pattern, rows = (known[name] for name in ("n", "number", "pattern", "within"))
    spread = eta * n + noise
    p = n / spread
    growth = 1 + sgrna * p.sum(axis=1)
    seen = pt.gt(n, 0) * number[:, None]
    freedom = (number[:, None] * n).sum() - seen.sum()
    log_det = (seen * pt.log(spread)).sum() + freedom * pt.log(noise)
    log_det += (known["freedom"] * pt.log(growth)).sum()
    total = p[pattern].sum(axis=1)
    mean = (p[pattern] * rows).sum(axis=1) / total
    squares = known["ss_within"] / noise + (p[pattern] * (rows - mean[:, None]) ** 2).sum()
    return p, log_det, squares + (total / growth[pattern] * mean**2).sum()


class _Strata:
    """Interactions, and then the deviations of strata, taken in layout by layout.

    T in units of the strata's standard deviations is B B', and products with the inverse of B are
    all that is needed of it. B is computed entry by entry, since a complete screen has one: to
    compile inverses of many matrices would take minutes.
    """

    def __init__(self, units: Any, p: Any, delta: Any, sgrna: Any) -> None:
        self.number = units.type.shape[1]
        self.w = units[:, :, None] * p
        self.d = self.w.sum(axis=1)
        self.b = 1 / (1 + delta * self.d)
        self.f = self.w * self.b[:, None, :]
        self.sd = pt.sqrt(sgrna / pt.maximum(units, 1))
        self.triangle: dict[tuple[int, int], Any] = {}
        self.log_det = -pt.log(self.b).sum(axis=1)
        for k in range(self.number):
            for j in range(k):
                linked = -delta * (self.w[:, k] * self.f[:, j]).sum(axis=1)
                linked = self.sd[:, k] * linked * self.sd[:, j]
                for i in range(j):
                    linked -= self.triangle[k, i] * self.triangle[j, i]
                self.triangle[k, j] = linked / self.triangle[j, j]
            others = 1 + delta * (self.d - self.w[:, k])
            own = 1 + self.sd[:, k] ** 2 * (self.f[:, k] * others).sum(axis=1)
            for i in range(k):
                own -= self.triangle[k, i] ** 2
            self.triangle[k, k] = pt.sqrt(own)
            self.log_det += pt.log(own)

    def parts(self, values: Any) -> list[Any]:
        """Return what belongs to each stratum, which is the second dimension."""
        return [values[:, k] for k in range(self.number)]

    def solved(self, parts: list[Any], layout: Any) -> list[Any]:
        """Apply the inverse of B, of these layouts, to what belongs to each stratum."""
        found: list[Any] = []
        for k, part in enumerate(parts):
            rest = (self.sd[:, k][layout] * part.T).T
            for j in range(k):
                rest -= (self.triangle[k, j][layout] * found[j].T).T
            found.append((rest.T / self.triangle[k, k][layout]).T)
        return found

    def taken_in(self, means: Any, layout: Any) -> tuple[Any, Any, Any]:
        """Return m and g of genes with these means of strata, and their sum of squares."""
        w, d, b, f = (of[layout] for of in (self.w, self.d, self.b, self.f))
        m = (w * means).sum(axis=1) / pt.switch(pt.gt(d, 0), d, 1.0)
        about = means - m[:, None, :]
        squares = (w * about**2).sum() + (d * b * m**2).sum()
        return m, (w * about + f * m[:, None, :]).sum(axis=2), squares

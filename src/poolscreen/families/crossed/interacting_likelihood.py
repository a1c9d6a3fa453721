"""The crossed models with interactions, everything but their scales integrated out."""

from collections.abc import Mapping
from dataclasses import dataclass
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
    in_floats = {name: pt.cast(value, "float64") for name, value in scales.items()}
    noise, gene, line, sgrna, delta, eta = levels.at(in_floats)
    known = {name: pt.as_tensor(values) for name, values in data.items()}
    genes, n_obs = known["genes"], (known["number"][:, None] * known["n"]).sum()
    p, log_det = _sgrnas(known, noise, eta, sgrna)
    taken_in = _general if "rows" in data else _complete
    of_genes, squares, pulled, information = taken_in(known, p, delta, sgrna, gene)
    log_det += (genes * of_genes).sum()

    # Cell lines, and what all observations share.
    shared = levels.shared(gene, line, genes.sum(), known["n"].type.shape[1])
    of_lines, explained = information.lines(line, shared, pulled)
    squares += known["ss_within"] / noise - explained
    return -0.5 * (n_obs * np.log(2 * np.pi) + log_det + of_lines + squares)


Known = Mapping[str, Any]


def _sgrnas(known: Known, noise: Any, eta: Any, sgrna: Any) -> tuple[Any, Any]:
    """Return the precision of the means of sgRNAs, by pattern and line, and a log determinant.

    It is that of the observations given all means but those of strata.
    """
    n, number = known["n"], known["number"]
    spread = eta * n + noise
    p = n / spread
    seen = pt.gt(n, 0) * number[:, None]
    freedom = (number[:, None] * n).sum() - seen.sum()
    log_det = (seen * pt.log(spread)).sum() + freedom * pt.log(noise)
    return p, log_det + (known["freedom"] * pt.log1p(sgrna * p.sum(axis=1))).sum()


def _complete(known: Known, p: Any, delta: Any, sgrna: Any, gene: Any) -> tuple[Any, Any, Any, Any]:
    """Take in the genes of a complete screen.

    Returns
    -------
    log_det, squares, pulled : tensor
        Of a gene by layout, of all genes, and their pull on z.
    information : _Alike or _Matrix
        Their precision of z.
    """
    n_lines, units, genes = known["n"].type.shape[1], known["units"][:, 0], known["genes"]
    of_sgrna = p[:, 0]
    w = units * of_sgrna[known["kind"][:, 0]]
    f = w / (1 + delta * w)
    growth = 1 + sgrna / units * n_lines * f
    of_one = n_lines * f / growth
    t = gene / (1 + gene * of_one)
    log_det = pt.log(growth) + n_lines * pt.log1p(delta * w) + pt.log1p(gene * of_one)
    shared = f**2 * (sgrna / units / growth + t / growth**2)
    squares = (f * known["squares"] - shared * known["totals"]).sum()
    squares += (of_sgrna * known["within"]).sum()
    total = n_lines * of_sgrna
    squares += (total / (1 + sgrna * total) * known["means"]).sum()
    pulled = pt.dot(f, known["sums"]) - (shared * known["sums"].sum(axis=1)).sum()
    information = _Alike((genes * f).sum(), (genes * shared).sum(), n_lines)
    return log_det, squares, pulled, information


def _general(known: Known, p: Any, delta: Any, sgrna: Any, gene: Any) -> tuple[Any, Any, Any, Any]:
    """Take in the genes of any screen; see `_complete`."""
    genes = known["genes"]
    strata = _Strata(known["units"], p[known["kind"]], delta, sgrna)
    # By layout M 1 (w of the engine) and t; then the pull of each row.
    moved = strata.solved(strata.f)
    diagonal = strata.d * strata.b
    of_one = diagonal - sum(each * each.sum(axis=1)[:, None] for each in moved)
    growth = 1 + gene * of_one.sum(axis=1)
    t = gene / growth
    m, g, squares = strata.taken_in(known["rows"])
    through = strata.solved(g)
    pull = diagonal[:, None] * m
    pull -= sum(f[:, None] * each[:, :, None] for f, each in zip(moved, through, strict=True))
    squares -= sum((each**2).sum() for each in through)
    squares -= (t[:, None] * pull.sum(axis=2) ** 2).sum()
    total, rows = p.sum(axis=1), known["within"]
    mean = (p[:, None] * rows).sum(axis=2) / total[:, None]
    squares += (p[:, None] * (rows - mean[:, :, None]) ** 2).sum()
    squares += ((total / (1 + sgrna * total))[:, None] * mean**2).sum()
    # The first row of a layout is the mean of its genes times the root of their number.
    pull = pull[:, 0] * pt.sqrt(genes)[:, None]
    pulled = (pull - (t * pull.sum(axis=1))[:, None] * of_one).sum(axis=0)
    known_of_lines = pt.diag((genes[:, None] * diagonal).sum(axis=0))
    for each in [*moved, pt.sqrt(t)[:, None] * of_one]:
        known_of_lines -= pt.dot(each.T, genes[:, None] * each)
    return strata.log_det + pt.log(growth), squares, pulled, _Matrix(known_of_lines)


@dataclass(frozen=True)
class _Alike:
    """A precision matrix of the cell lines, `own` times I less `shared` times 11'."""

    own: Any
    shared: Any
    n_lines: int

    def lines(self, line: Any, shared: Any, pulled: Any) -> tuple[Any, Any]:
        """Integrate cell lines with the prior covariance `line` times I and `shared` times 11'.

        Returns
        -------
        log_det, squares : tensor
            What they add to the log determinant, and take from the squares: for the mean of the
            lines, and for what they differ by.
        """
        n = self.n_lines
        of_mean, information = line + n * shared, self.own - n * self.shared
        apart, mean = 1 + line * self.own, 1 + of_mean * information
        total = pulled.sum() ** 2 / n
        squares = ((pulled**2).sum() - total) * line / apart + total * of_mean / mean
        return (n - 1) * pt.log(apart) + pt.log(mean), squares


@dataclass(frozen=True)
class _Matrix:
    """Any precision matrix of the cell lines; see `_Alike`."""

    known: Any

    def lines(self, line: Any, shared: Any, pulled: Any) -> tuple[Any, Any]:
        """Integrate cell lines, see `_Alike.lines`."""
        eye = pt.eye(self.known.type.shape[0])
        prior = line * eye + shared
        matrix = eye + pt.dot(self.known, prior)
        squares = pt.dot(pulled, pt.dot(prior, pt.linalg.solve(matrix, pulled)))
        return pt.linalg.slogdet(matrix)[1], squares


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

    def solved(self, values: Any) -> list[Any]:
        """Apply the inverse of B to what belongs to each stratum, the second dimension."""
        found: list[Any] = []
        for k in range(self.number):
            rest = self.sd[:, k, None] * values[:, k]
            for j in range(k):
                rest -= self.triangle[k, j][:, None] * found[j]
            found.append(rest / self.triangle[k, k][:, None])
        return found

    def taken_in(self, means: Any) -> tuple[Any, Any, Any]:
        """Return m and g of genes with these means of strata, and their sum of squares.

        Shapes are (layouts, rows, cell lines) and (layouts, strata, rows).
        """
        w, d, b, f = (of[:, None] for of in (self.w, self.d, self.b, self.f))
        m = (w * means).sum(axis=2) / pt.switch(pt.gt(d, 0), d, 1.0)
        about = means - m[:, :, None]
        squares = (w * about**2).sum() + (d * b * m**2).sum()
        g = (w * about + f * m[:, :, None]).sum(axis=3)
        return m, g.dimshuffle(0, 2, 1), squares

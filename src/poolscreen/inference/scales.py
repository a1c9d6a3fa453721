"""Integrating the scales: their posterior as weighted points, without a Markov chain."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
from scipy import optimize, special
from scipy.stats import qmc

from poolscreen.arrays import FloatArray
from poolscreen.errors import PoolscreenError
from poolscreen.families.family import SCALE_RATE, OfScales

TOLERANCE = 0.005  # Monte Carlo error of means and standard deviations, in standard deviations
MAX_PARETO_K = 0.7  # from which on importance weights are not to be trusted
SEQUENCES = 8  # scrambled anew, so that they tell how large the error is
FIRST, LAST = 128, 2**14  # points of each sequence
PILOT = 512  # points that the proposal is adapted with
ENOUGH = 0.7  # efficiency of the weights with which a proposal is left as it is
WORK = 2**29  # numbers that all points may take together, which is some seconds
LIMITS = (-15.0, 10.0)  # of logarithms; beyond them there is no posterior, and no arithmetic
# Of a right angle at either end, left out: of differences of numbers that are larger than these
# by its inverse square no digits would be left.
SLIVER = 1e-4
DEGREES = 3.0  # of freedom of the proposal
# A half-normal scale: its standard deviation, which is the mode of the logarithm, is that far from
# the middle of the coordinate that suits it, times the standard deviation of the logarithm.
NEAR_ZERO, FAR = 0.35, 6.0
NUMBERS = 2**18  # of a block of points: what stays close to the processor is computed faster

LogDensity = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True)
class Weighted:
    """Weighted points that stand for the posterior of the scales.

    Attributes
    ----------
    scales : dict of str to numpy.ndarray, shape (points,)
        The scales by name.
    weights : numpy.ndarray, shape (points,)
        They sum to 1. The points of `SEQUENCES` sequences follow each other.
    error : float
        The largest Monte Carlo error of a scale's posterior mean or standard deviation, in units
        of this standard deviation.
    pareto_k : float
        How heavy the tail of the weights is; above `MAX_PARETO_K` they are not to be trusted.
    """

    scales: dict[str, FloatArray]
    weights: FloatArray
    error: float
    pareto_k: float

    @property
    def efficiency(self) -> float:
        """Number of equally weighted points that are worth as much, as a share of all."""
        return float(1 / (np.square(self.weights).sum() * len(self.weights)))

    def drawn(self, size: int, rng: np.random.Generator) -> dict[str, FloatArray]:
        """Draw points by their weights, independently and with replacement."""
        chosen = rng.choice(len(self.weights), size, p=self.weights)
        return {name: values[chosen] for name, values in self.scales.items()}

    def fewer(self, size: int) -> "Weighted":
        """Return the first of these points, at most so many of them, as evenly spread as all."""
        each = max(1, size // SEQUENCES)
        if each * SEQUENCES >= len(self.weights):
            return self
        chosen = np.arange(len(self.weights)).reshape(SEQUENCES, -1)[:, :each].ravel()
        weights = self.weights[chosen] / self.weights[chosen].sum()
        scales = {name: values[chosen] for name, values in self.scales.items()}
        return Weighted(scales, weights, self.error, self.pareto_k)

    def under(self, log_ratio: FloatArray) -> "Weighted":
        """Return the same points with the weights that another prior gives them.

        Parameters
        ----------
        log_ratio : numpy.ndarray, shape (points,)
            Log density of the other prior less that of the model's, up to a constant.

        Returns
        -------
        Weighted
            Its `error` is that of a mean or a standard deviation under the other prior.

        Examples
        --------
        A prior that expects little noise:

        >>> from poolscreen.models import m7a
        >>> points = integrate(m7a.FAMILY.closed(small_screen))
        >>> other = points.under(-9 * points.scales["sigma"])
        >>> [round(float(p.weights @ p.scales["sigma"]), 1) for p in (points, other)]
        [0.4, 0.2]
        """
        with np.errstate(divide="ignore"):
            log_weights = np.log(self.weights) + log_ratio
        weights, pareto_k = normalised(log_weights)
        together = log_weights.reshape(SEQUENCES, -1)
        values = np.stack(list(self.scales.values())).reshape(-1, *together.shape)
        return Weighted(self.scales, weights, _error(values, together), pareto_k)


def integrate(closed: OfScales, *, tolerance: float = TOLERANCE) -> Weighted:
    r"""Integrate over the scales of a model: importance sampling with a low-discrepancy sequence.

    The scales are looked at in coordinates on the whole line, see `Coordinates`. There the mode and
    the curvature of the posterior give a multivariate *t* distribution, which is adapted to the
    weighted points of a pilot. Scrambled Sobol sequences are drawn through it and weighted
    by density over proposal. The sequences are scrambled independently of each other, and what they
    differ by says how large the error is (Owen 1997, SIAM Journal on Numerical Analysis 34,
    1884-1910).

    Parameters
    ----------
    closed : OfScales
        A model of a screen, see `poolscreen.families.family.OfScales`.
    tolerance : float
        Points are added until the Monte Carlo errors of the posterior mean and standard deviation
        of every scale are below this share of the standard deviation, or there are
        `SEQUENCES` × `LAST`, or as many as some seconds allow. The error is returned with them.

    Returns
    -------
    Weighted
        The same points at each call.

    Raises
    ------
    PoolscreenError
        If no finite density is found.

    Examples
    --------
    >>> from poolscreen.models import m7a
    >>> points = integrate(m7a.FAMILY.closed(Screen(simulate(Design())[0])))
    >>> {name: round(float(points.weights @ values), 2) for name, values in points.scales.items()}
    {'sigma_alpha': 1.11, 'sigma': 0.35}
    >>> points.pareto_k < MAX_PARETO_K, points.error < TOLERANCE
    (True, True)
    """
    coordinates, proposal = _suited(closed)
    log_density = partial(_log_density, closed, coordinates)
    proposal = _adapted(log_density, proposal)
    size, points, log_weights = 0, [], []
    for wanted in _sizes(closed):
        standard, log_standard = sequences(coordinates.dimension, wanted)
        new = slice(size, wanted)
        x = proposal.place(standard[:, new].reshape(-1, coordinates.dimension))
        weight = log_density(x) - log_standard[:, new].ravel()
        points.append(x.reshape(SEQUENCES, -1, coordinates.dimension))
        log_weights.append(weight.reshape(SEQUENCES, -1))
        size = wanted
        together = np.concatenate(log_weights, axis=1)
        scales, _ = coordinates.scales(np.concatenate(points, axis=1).reshape(-1, x.shape[1]))
        error = _error(np.stack(list(scales.values())).reshape(-1, *together.shape), together)
        weights, pareto_k = normalised(together.ravel())
        if error < tolerance and pareto_k < MAX_PARETO_K:
            break
    return Weighted(scales, weights, error, pareto_k)


def in_blocks(closed: OfScales, scales: dict[str, FloatArray]) -> FloatArray:
    """Return the log likelihood at many points, as many at a time as memory is meant to hold."""
    step, size = max(1, NUMBERS // closed.size), len(next(iter(scales.values())))
    blocks = (slice(start, start + step) for start in range(0, size, step))
    density = [closed.log_likelihood({k: v[at] for k, v in scales.items()}) for at in blocks]
    return np.concatenate(density)


def normalised(log_weights: FloatArray) -> tuple[FloatArray, float]:
    """Return weights that sum to 1, and how heavy their tail is (Pareto k)."""
    weights = np.exp(log_weights - log_weights.max())
    # ArviZ takes log likelihoods, whose inverses are its weights.
    from arviz_stats.base import array_stats  # takes seconds to import

    _, pareto_k = array_stats.psislw(-log_weights[np.isfinite(log_weights)])
    return weights / weights.sum(), float(pareto_k)


class Coordinates:
    r"""Coordinates of the scales on the whole line, in which their posterior is like a normal one.

    Of a scale the logarithm; of scales that the data hardly tell apart the logarithm of a radius,
    and of each angle the normal quantile of its share in a right one. A scale that may be zero has
    a density there, and its logarithm a tail as long as that of an exponential distribution. So
    where a scale (or radius) `s` is known from which on this may happen, the logarithm is
    :math:`\log s + x / 2 + \log \Phi(x)`: below `s` the tail of `x` is that of a normal
    distribution, above it `x` is the logarithm again.

    Parameters
    ----------
    together : list of list of str
        Names of the scales; those in one list are a radius and angles.
    typical : dict of str to float
        `s`, by the name of the scale, or of the first of those that share a radius.

    Examples
    --------
    Two scales as a radius of 1, and an angle in the middle between 0 and a right one:

    >>> scales, _ = Coordinates([["sigma_alpha", "sigma"]]).scales(np.zeros((1, 2)))
    >>> {name: value.round(3).tolist() for name, value in scales.items()}
    {'sigma_alpha': [0.707], 'sigma': [0.707]}
    """

    def __init__(
        self, together: list[list[str]], typical: Mapping[str, float] | None = None
    ) -> None:
        self.together, self.typical = together, typical or {}
        self.dimension = sum(map(len, together))

    def scales(self, x: FloatArray) -> tuple[dict[str, FloatArray], FloatArray]:
        """Return the scales at points, and the log Jacobian of this change of coordinates.

        Parameters
        ----------
        x : numpy.ndarray, shape (points, scales)

        Returns
        -------
        scales : dict of str to numpy.ndarray, shape (points,)
        log_jacobian : numpy.ndarray, shape (points,)
        """
        scales, log_jacobian, column = {}, np.zeros(len(x)), 0
        for names in self.together:
            log_rest, slope = x[:, column], np.ones(len(x))
            if names[0] in self.typical:
                log_rest, slope = _with_short_tail(log_rest, self.typical[names[0]])
            log_jacobian += log_rest + np.log(slope)
            log_rest = np.clip(log_rest, *LIMITS)
            for number, name in enumerate(names[:-1], start=column + 1):
                share = special.ndtr(x[:, number])
                angle = np.pi / 2 * share
                log_jacobian += log_rest + np.log(np.pi / 2) + _log_normal(x[:, number])
                log_jacobian[np.abs(share - 0.5) > 0.5 - SLIVER] = -np.inf
                scales[name] = np.exp(log_rest) * np.sin(angle)
                log_rest = log_rest + np.log(np.cos(angle))
            scales[names[-1]] = np.exp(log_rest)
            column += len(names)
        return scales, log_jacobian


def _with_short_tail(x: FloatArray | float, typical: float) -> tuple[FloatArray, FloatArray]:
    """Return the logarithm of a scale that may be zero, and its slope; see `Coordinates`."""
    log_share = special.log_ndtr(x)
    slope = 0.5 + np.exp(_log_normal(x) - log_share)
    return np.log(typical) + x / 2 + log_share, slope


def _log_normal(x: FloatArray | float) -> FloatArray:
    density: FloatArray = -0.5 * (np.log(2 * np.pi) + np.square(x))
    return density


def _log_density(closed: OfScales, coordinates: Coordinates, x: FloatArray) -> FloatArray:
    """Log posterior density at points, shape (points, scales), up to a constant."""
    scales, log_jacobian = coordinates.scales(x)
    with np.errstate(all="ignore"):  # far out, where a point has no weight
        density = in_blocks(closed, scales) - SCALE_RATE * sum(scales.values()) + log_jacobian
    return np.where(np.isfinite(density), density, -np.inf)


def _suited(closed: OfScales) -> tuple[Coordinates, "_Proposal"]:
    """Return coordinates that suit the posterior of a model, and a proposal near its mode.

    The logarithm of a scale or radius tells how many standard deviations lie between its mode
    and zero, and so where its tail would become long.
    """
    coordinates = Coordinates(closed.together)
    log_density = partial(_log_density, closed, coordinates)
    mode = _mode(log_density, coordinates.dimension)
    uncertainty = np.linalg.norm(_factor(log_density, mode), axis=1)
    column, typical = 0, {}
    for names in closed.together:
        # Where the mode lies in the new coordinate, beyond FAR that of the logarithm.
        place = min(NEAR_ZERO / uncertainty[column], FAR)
        log_scale, _ = _with_short_tail(place, 1.0)
        typical[names[0]] = float(np.exp(mode[column] - log_scale))
        mode[column] = place
        column += len(names)
    coordinates = Coordinates(closed.together, typical)
    log_density = partial(_log_density, closed, coordinates)
    return coordinates, _Proposal(mode, _factor(log_density, mode))


@dataclass(frozen=True)
class _Proposal:
    """A multivariate t distribution."""

    centre: FloatArray
    factor: FloatArray  # its square is the covariance matrix, but for a constant

    def place(self, standard: FloatArray) -> FloatArray:
        """Return points of it, from those of the standard one."""
        return np.clip(self.centre + standard @ self.factor.T, -100, 100)


@cache
def sequences(dimension: int, size: int) -> tuple[FloatArray, FloatArray]:
    """Return points of the standard multivariate t distribution, and their log densities.

    Parameters
    ----------
    dimension, size : int
        Number of coordinates, and of points in each of `SEQUENCES` sequences.

    Returns
    -------
    points : numpy.ndarray, shape (SEQUENCES, size, dimension)
    log_density : numpy.ndarray, shape (SEQUENCES, size)
        Up to a constant.
    """
    points = np.empty((SEQUENCES, size, dimension))
    for number in range(SEQUENCES):
        uniform = qmc.Sobol(dimension + 1, rng=number).random(size)
        uniform = np.clip(uniform, 1e-12, 1 - 1e-12)
        chi_squared = 2 * special.gammaincinv(DEGREES / 2, uniform[:, -1])
        points[number] = special.ndtri(uniform[:, :-1]) * np.sqrt(DEGREES / chi_squared)[:, None]
    squares = np.square(points).sum(axis=2)
    return points, -(DEGREES + dimension) / 2 * np.log1p(squares / DEGREES)


def _sizes(closed: OfScales) -> list[int]:
    """Return how many points of each sequence there are at first, then twice as many and so on."""
    last = min(LAST, max(FIRST, WORK // (SEQUENCES * closed.size)))
    return [FIRST * 2**n for n in range(int(np.log2(last / FIRST)) + 1)]


def _mode(log_density: LogDensity, dimension: int) -> FloatArray:
    """Return the mode of a density; the search starts at the best point of a line."""
    starts = np.linspace(-4, 1, 11)[:, None] * np.ones(dimension)
    heights = log_density(starts)
    if not np.isfinite(heights).any():
        raise PoolscreenError(
            "the density of the scales is finite nowhere; are there values beyond any sense?"
        )
    step = 1e-3 * np.eye(dimension)

    @cache  # value, slope and curvature are asked for one after the other
    def around(x: tuple[float, ...]) -> tuple[float, FloatArray, FloatArray]:
        at = np.array(x)
        places = np.concatenate([at[None], at + step, at - step, at + _corners(step)])
        values = -log_density(places)
        up, down, corners = np.split(values[1:], [dimension, 2 * dimension])
        return values[0], (up - down) / 2e-3, _second_differences(corners, dimension) / 1e-6

    found = optimize.minimize(
        lambda x: around(tuple(x))[0],
        starts[heights.argmax()],
        jac=lambda x: around(tuple(x))[1],
        hess=lambda x: around(tuple(x))[2],
        method="trust-exact",
        options={"gtol": 1e-2, "maxiter": 100},
    )
    mode: FloatArray = found.x
    return mode


def _corners(steps: FloatArray) -> FloatArray:
    """Return the places that second differences along steps (rows) are taken between."""
    one, other = (steps[of_pair] for of_pair in np.triu_indices(len(steps)))
    places = np.stack([one + other, one - other, other - one, -one - other], axis=1)
    return places.reshape(-1, steps.shape[1])


def _second_differences(values: FloatArray, dimension: int) -> FloatArray:
    """Return the matrix of second differences, from values at the `_corners`.

    It is the matrix of second derivatives times the lengths of the steps.
    """
    matrix = np.zeros((dimension, dimension))
    matrix[np.triu_indices(dimension)] = values.reshape(-1, 4) @ [1, -1, -1, 1] / 4
    matrix += np.triu(matrix, 1).T
    return matrix


def _factor(log_density: LogDensity, mode: FloatArray) -> FloatArray:
    """Return a matrix whose square is the inverse of the curvature at a mode.

    The curvature is taken from differences: first close to the mode, then over a standard deviation
    in each direction, which says more of a peak that is no parabola.
    """
    factor = 1e-3 * np.eye(len(mode))
    for _ in range(2):
        values = -log_density(mode + _corners(factor.T))
        curvature = _second_differences(values, len(mode))
        if not np.isfinite(curvature).all():
            break
        lengths, directions = np.linalg.eigh(curvature)
        factor = factor @ directions / np.sqrt(np.clip(lengths, 1e-12, None))
        lengths, directions = np.linalg.eigh(factor @ factor.T)
        factor = directions * np.sqrt(np.clip(lengths, 1e-16, 9.0))
    return factor


def _adapted(log_density: LogDensity, proposal: _Proposal) -> _Proposal:
    """Move and widen a proposal until it is like the density, by the moments of weighted points."""
    standard, log_standard = sequences(len(proposal.centre), PILOT // SEQUENCES)
    standard = standard.reshape(-1, len(proposal.centre))
    before = 0.0
    for _ in range(8):
        x = proposal.place(standard)
        log_weights = log_density(x) - log_standard.ravel()
        log_weights -= log_weights.max()
        weights = np.exp(log_weights)
        efficiency = _efficiency(weights)
        if efficiency > ENOUGH or 0.3 < efficiency < 1.05 * before:
            break
        before = efficiency
        while _efficiency(weights) < 0.1:  # tempered, as too few points say nothing of a spread
            log_weights /= 2
            weights = np.exp(log_weights)
        weights /= weights.sum()
        centre = weights @ x
        covariance = (weights[:, None] * (x - centre)).T @ (x - centre)
        covariance += 1e-12 * np.eye(len(centre))
        proposal = _Proposal(centre, np.linalg.cholesky(covariance))
    return proposal


def _efficiency(weights: FloatArray) -> float:
    return float(weights.sum() ** 2 / np.square(weights).sum() / len(weights))


def _error(values: FloatArray, log_weights: FloatArray) -> float:
    """Return the largest error of a mean or standard deviation, in standard deviations.

    Parameters
    ----------
    values : numpy.ndarray, shape (quantities, sequences, points)
    log_weights : numpy.ndarray, shape (sequences, points)
    """
    weights = np.exp(log_weights - log_weights.max())
    weights = weights / weights.sum(axis=1, keepdims=True)
    mean = (weights * values).sum(axis=2)
    sd = np.sqrt((weights * np.square(values - mean[:, :, None])).sum(axis=2))
    spread = np.concatenate([mean, sd]).std(axis=1, ddof=1) / np.sqrt(len(weights))
    return float((spread / np.tile(sd.mean(axis=1), 2)).max())

"""Finite mixtures of normal distributions: what an effect is when the scales are points."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from poolscreen.arrays import FloatArray, IntArray
from poolscreen.errors import PoolscreenError
from poolscreen.inference.posterior import HDI_PROB

PRECISION = 1e-9  # of probabilities
STEPS = 100
NEWTON = 10  # steps, of which most mixtures take fewer
ACCURACY = 1e-7  # of an interval: of its probability, and of the densities at its ends
LONGEST = 0.2  # step, in standard deviations


@dataclass(frozen=True)
class Mixture:
    """Mixtures of normal distributions with the same weights, any number of them.

    Attributes
    ----------
    weights : numpy.ndarray, shape (points,)
        They sum to 1.
    mean, sd : numpy.ndarray, shape (points, mixtures)
        Of the parts.

    Examples
    --------
    Two parts that lie apart, and two that are one:

    >>> mixture = Mixture(np.array([0.5, 0.5]), np.array([[-1.0, 0], [1, 0]]), np.ones((2, 2)))
    >>> mixture.moments()[1].round(3).tolist()
    [1.414, 1.0]
    >>> mixture.below(0.0).tolist()
    [0.5, 0.5]
    >>> [end.round(2).tolist() for end in mixture.hdi()]
    [[-2.56, -1.88], [2.56, 1.88]]
    """

    weights: FloatArray
    mean: FloatArray
    sd: FloatArray

    def moments(self) -> tuple[FloatArray, FloatArray]:
        """Return the mean and standard deviation of each mixture."""
        mean = self.weights @ self.mean
        variance = self.weights @ (self.sd**2 + (self.mean - mean) ** 2)
        return mean, np.sqrt(variance)

    def below(self, value: FloatArray | float) -> FloatArray:
        """Return the probability of each mixture to lie below a value."""
        probability: FloatArray = self.weights @ special.ndtr((value - self.mean) / self.sd)
        return probability

    def quantile(
        self, probability: FloatArray | float, start: FloatArray | None = None
    ) -> FloatArray:
        """Return the value that each mixture lies below with this probability.

        Parameters
        ----------
        probability : numpy.ndarray, shape (mixtures,), or float
        start : numpy.ndarray, shape (mixtures,), optional
            Where the search begins.

        Raises
        ------
        PoolscreenError
            If it is not found.
        """
        # It lies between the quantiles of the parts, where Newton's steps are taken, or a half.
        of_parts = self.mean + self.sd * special.ndtri(probability)
        low, high = of_parts.min(axis=0), of_parts.max(axis=0)
        value = np.clip(self.weights @ of_parts if start is None else start, low, high)
        for _ in range(STEPS):
            z = (value - self.mean) / self.sd
            excess = self.weights @ special.ndtr(z) - probability
            if np.abs(excess).max(initial=0) < PRECISION:
                return value
            low, high = np.where(excess < 0, value, low), np.where(excess > 0, value, high)
            density = self.weights @ _density(z, self.sd)
            step = value - excess / np.maximum(density, 1e-300)
            value = np.where((low <= step) & (step <= high), step, (low + high) / 2)
        raise PoolscreenError("a quantile of a mixture was not found; are there values of 1e29?")

    def hdi(self, probability: float = HDI_PROB) -> tuple[FloatArray, FloatArray]:
        """Return the ends of the shortest interval of each mixture, if it has one peak.

        At its ends the densities are equal, which Newton's method finds from the central interval;
        where it does not, the lower end is looked for by its probability.

        Parameters
        ----------
        probability : float
            Of the interval.

        Returns
        -------
        low, high : numpy.ndarray, shape (mixtures,)
        """
        tail = (1 - probability) / 2
        mean, sd = self.moments()
        low, high = (mean + sign * special.ndtri(1 - tail) * sd for sign in (-1, 1))
        rest, part = np.arange(len(mean)), self  # those that are not found yet
        with np.errstate(all="ignore"):  # a step that leads nowhere ends in the search below
            for _ in range(NEWTON):
                below, density, slope = part._at(low[rest])
                above, other, other_slope = part._at(high[rest])
                held, gap = above - below - probability, density - other
                off = ~((np.abs(held) < ACCURACY) & (np.abs(gap * sd[rest]) < ACCURACY))
                determinant = density * other_slope - other * slope
                down = (held * other_slope + gap * other) / determinant
                up = (held * slope + gap * density) / determinant
                longest = LONGEST * sd[rest]  # so that a step from afar does not lead astray
                low[rest] += np.where(off, np.clip(down, -longest, longest), 0)
                high[rest] += np.where(off, np.clip(up, -longest, longest), 0)
                rest = rest[off]
                if not rest.size:
                    return low, high
                if not off.all():
                    part = self._of(rest)
        low[rest], high[rest] = self._of(rest)._searched(probability)
        return low, high

    def _of(self, chosen: IntArray) -> "Mixture":
        return Mixture(self.weights, self.mean[:, chosen], self.sd[:, chosen])

    def _at(self, value: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the distribution function, the density, and its slope."""
        z = (value - self.mean) / self.sd
        density = _density(z, self.sd)
        slope = self.weights @ (-z / self.sd * density)
        return self.weights @ special.ndtr(z), self.weights @ density, slope

    def _searched(self, probability: float) -> tuple[FloatArray, FloatArray]:
        """Find the shortest interval by its lower end, between which and the peak density rises."""
        left, right = (self.quantile(p) for p in (PRECISION, 1 - probability - PRECISION))
        low = self.quantile((1 - probability) / 2)
        high = self.quantile((1 + probability) / 2)
        for _ in range(STEPS):
            below, density, slope = self._at(low)
            target = np.minimum(below + probability, 1 - PRECISION / 2)
            high = self.quantile(target, high)
            _, other, other_slope = self._at(high)
            gap = density - other
            left, right = np.where(gap < 0, low, left), np.where(gap > 0, low, right)
            step = low - gap / (slope - other_slope * density / np.maximum(other, 1e-300))
            step = np.where((left < step) & (step < right), step, (left + right) / 2)
            if (np.abs(step - low) <= 1e-7 * (high - low)).all():
                break
            low = step
        return low, high


def _density(z: FloatArray, sd: FloatArray) -> FloatArray:
    density: FloatArray = np.exp(-0.5 * z**2) / (np.sqrt(2 * np.pi) * sd)
    return density


def weighted_interval(
    values: FloatArray, weights: FloatArray, probability: float = HDI_PROB
) -> tuple[float, float]:
    """Return the shortest interval that holds a share of weighted points.

    Parameters
    ----------
    values, weights : numpy.ndarray, shape (points,)
        The weights sum to 1.
    probability : float
        The share.

    Returns
    -------
    low, high : float

    Examples
    --------
    >>> low, high = weighted_interval(np.arange(100.0), np.full(100, 0.01), 0.5)
    >>> high - low
    50.0
    """
    order = np.argsort(values)
    values, cumulative = values[order], np.cumsum(weights[order])
    ends = np.searchsorted(cumulative, cumulative + probability)
    starts = np.flatnonzero(ends < len(values))
    widths = values[ends[starts]] - values[starts]
    shortest = starts[widths.argmin()]
    return float(values[shortest]), float(values[ends[shortest]])

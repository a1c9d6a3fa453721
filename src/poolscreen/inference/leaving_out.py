"""How well a model predicts what it has not seen, and finds what was simulated.

Every model of the book is, given its scales, one normal distribution of all observations: the
sum of independent parts, each shared by the observations with a label in common. What some of them
say of the others is then known exactly, and the draws of the scales are reweighted as if the others
(an observation, an sgRNA, a cell line) had been left out (Vehtari, Gelman and Gabry 2017;
Bürkner, Gabry and Vehtari 2021).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr
from arviz_stats.base import array_stats

from poolscreen.arrays import FloatArray, IntArray
from poolscreen.errors import PoolscreenError
from poolscreen.families.family import Family, samples
from poolscreen.progress import Progress, Say, silence
from poolscreen.screens.table import Screen

MAX_OBSERVATIONS = 4000  # a matrix as large as the number of groups is inverted for every draw


@dataclass(frozen=True)
class _Precision:
    """The inverse of the covariance matrix of all observations, of which blocks are read.

    Attributes
    ----------
    noise : float
        Variance of what each observation has by itself.
    groups : list of numpy.ndarray, shape (observations,)
        Of each part that is shared, the group that an observation belongs to.
    pulled : numpy.ndarray, shape (observations, groups)
        What is taken off the inverse of the noise, summed over the groups of an observation.
    """

    noise: float
    groups: list[IntArray]
    pulled: FloatArray

    def blocks(self, rows: IntArray) -> FloatArray:
        """Return the square of each set of observations; `rows` has shape (sets, size)."""
        result = np.tile(np.eye(rows.shape[1]) / self.noise, (len(rows), 1, 1))
        for group in self.groups:
            result -= self.pulled[rows[:, :, None], group[rows][:, None, :]]
        return result

    def times(self, y: FloatArray) -> FloatArray:
        """Return the product of the whole matrix with a vector."""
        size = self.pulled.shape[1]
        sums = sum((np.bincount(group, y, size) for group in self.groups), np.zeros(size))
        result: FloatArray = y / self.noise - self.pulled @ sums
        return result


class _Precisions:
    """The inverse of the covariance matrix of all observations, draw by draw.

    A part whose groups have one observation each adds to the noise; the others enter by the matrix
    inversion lemma, with matrices as large as the number of their groups.
    """

    def __init__(self, family: Family, screen: Screen) -> None:
        self.family, self.screen = family, screen
        found = family.parts(screen)
        self.single = [name for name, group in found.items() if np.bincount(group).max() == 1]
        self.shared = [name for name in found if name not in self.single]
        codes = [np.unique(found[name], return_inverse=True)[1] for name in self.shared]
        self.sizes = [code.max() + 1 for code in codes]
        starts = np.cumsum([0, *self.sizes])
        self.groups = [start + code for start, code in zip(starts, codes, strict=False)]
        member = np.zeros((len(screen.log_fc), starts[-1]))
        for group in self.groups:
            member[np.arange(len(group)), group] = 1
        self.cross = member.T @ member

    def at(self, scales: Mapping[str, float]) -> _Precision:
        """Return the matrix at a draw of the scales."""
        variance = self.family.variances(self.screen, scales)
        noise = scales["sigma"] ** 2 + sum(variance[name] for name in self.single)
        prior = np.repeat([variance[name] for name in self.shared], self.sizes)
        # A variance may be zero, or less (see Crossed.variances), so nothing is divided by it.
        left = np.eye(len(prior)) + prior[:, None] * self.cross / noise
        inner = np.linalg.solve(left, np.diag(prior)) / noise**2
        none = np.zeros((len(self.screen.log_fc), len(prior)))
        pulled = sum((inner[group] for group in self.groups), none)
        return _Precision(noise, self.groups, pulled)


def parts_left_out(screen: Screen) -> dict[str, list[IntArray]]:
    """Return what is left out at a time, to be predicted from all other observations.

    Parameters
    ----------
    screen : Screen
        The data.

    Returns
    -------
    dict of str to list of numpy.ndarray
        Indices of the observations of each part: of every `observation`, every `sgRNA`, every
        `cell_line`; and of the half of each, `half_sgRNA` (every other cell line of it) and
        `half_cell_line` (every other sgRNA in it), whose other half has been seen.

    Examples
    --------
    >>> table = pd.DataFrame(
    ...     {"cell_line": list("ABAB"), "sgRNA": list("ssrr"), "gene": "g", "log_fc": 0.0}
    ... )
    >>> parts = parts_left_out(Screen(table))
    >>> {kind: [part.tolist() for part in of_kind] for kind, of_kind in parts.items()}
    {'observation': [[0], [1], [2], [3]], 'sgRNA': [[0, 1], [2, 3]], 'cell_line': [[0, 2], [1, 3]],
     'half_sgRNA': [[1], [3]], 'half_cell_line': [[2], [3]]}
    """
    sgrna, line = screen.sgrna_idx, screen.cell_idx
    parts = {
        "observation": [np.array([number]) for number in range(len(screen.log_fc))],
        "sgRNA": [np.flatnonzero(sgrna == s) for s in range(len(screen.sgrnas))],
        "cell_line": [np.flatnonzero(line == c) for c in range(len(screen.cell_lines))],
    }
    within = {"sgRNA": line, "cell_line": sgrna}
    for name, other in within.items():
        halves = [part[other[part] % 2 == 1] for part in parts[name]]
        parts[f"half_{name}"] = [half for half in halves if half.size]
    return parts


def predict(
    family: Family,
    screen: Screen,
    posterior: xr.Dataset,
    say: Say = silence,
) -> xr.DataTree:
    r"""Predict each part of a screen from the rest of it, exactly given the scales.

    With the covariance matrix `V` of all observations and :math:`Q = V^{-1}`, a part `T` given all
    others is normal with mean :math:`y_T - Q_{TT}^{-1} (Q y)_T` and covariance
    :math:`Q_{TT}^{-1}` (Rue and Held, Gaussian Markov Random Fields, 2005, theorem 2.5).

    Parameters
    ----------
    family : Family
        The model.
    screen : Screen
        The data.
    posterior : xarray.Dataset
        Some hundred draws of the scales, dimensions `chain` and `draw`, from all observations.
    say : callable, optional
        Takes a message every few seconds: how far the work is.

    Returns
    -------
    xarray.DataTree
        `posterior`: the scales. `log_likelihood`: for
        each of `parts_left_out` the joint log density of the part given all other observations,
        dimensions `chain`, `draw` and the part; ArviZ's leave-one-out takes it. `predicted`: for
        each kind of part the `mean` and `sd` of every observation when it was left out, dimensions
        `left_out` and `obs`; NaN where it was not.

    Raises
    ------
    PoolscreenError
        If the screen has more than `MAX_OBSERVATIONS` rows.

    Examples
    --------
    >>> from poolscreen.models import m7
    >>> screen = Screen(simulate(Design(n_cell_lines=4, sgrnas_per_gene=(1, 2)))[0])
    >>> rng = np.random.default_rng(103)
    >>> draws = {
    ...     name: (("chain", "draw"), rng.uniform(0.4, 0.6, (2, 20)))
    ...     for name in m7.FAMILY.parameters
    ... }
    >>> predictions = predict(m7.FAMILY, screen, xr.Dataset(draws))
    >>> predictions["log_likelihood"]["sgRNA"].shape
    (2, 20, 3)
    >>> bool(np.isnan(predictions["predicted"]["mean"].sel(left_out="half_sgRNA")).mean() == 0.5)
    True
    """
    y = screen.log_fc
    if len(y) > MAX_OBSERVATIONS:
        raise PoolscreenError(
            f"the screen has {len(y):,} rows, and a matrix of all pairs of more than "
            f"{MAX_OBSERVATIONS:,} is too large; choose some of its genes"
        )
    posterior = posterior[family.scales]
    scales, parts = samples(posterior), parts_left_out(screen)
    matrices = _Precisions(family, screen)
    size, progress = scales["sigma"].size, Progress(say)
    density = {name: np.empty((size, len(of_kind))) for name, of_kind in parts.items()}
    mean, variance = (np.full((len(parts), size, len(y)), np.nan) for _ in range(2))
    alike = {name: _of_equal_size(of_kind) for name, of_kind in parts.items()}
    for number in range(size):
        draw = {name: float(values[number]) for name, values in scales.items()}
        precision = matrices.at(draw)
        pull = precision.times(y)
        for kind, (name, of_size) in enumerate(alike.items()):
            for places, rows in of_size:
                given = _given_others(y[rows], precision.blocks(rows), pull[rows])
                mean[kind, number, rows], variance[kind, number, rows] = given[:2]
                density[name][number, places] = given[2]
        progress(f"{number + 1} of {size} draws")

    predicted = np.full((2, len(parts), len(y)), np.nan)
    for kind, (name, of_kind) in enumerate(parts.items()):
        for place, part in enumerate(of_kind):
            log_weights, _ = array_stats.psislw(density[name][:, place])
            weights = np.exp(log_weights)[:, None]
            centre = (weights * mean[kind][:, part]).sum(0)
            square = variance[kind][:, part] + mean[kind][:, part] ** 2
            predicted[0, kind, part] = centre
            predicted[1, kind, part] = np.sqrt((weights * square).sum(0) - centre**2)

    sample = {dim: posterior[dim] for dim in ("chain", "draw")}
    sizes = [posterior.sizes[dim] for dim in sample]
    log_likelihood = {
        name: ((*sample, f"{name}_left_out"), values.reshape(*sizes, -1))
        for name, values in density.items()
    }
    dims = ("left_out", "obs")
    return xr.DataTree.from_dict(
        {
            "posterior": posterior,
            "log_likelihood": xr.Dataset(log_likelihood, coords=sample),
            "predicted": xr.Dataset(
                {"mean": (dims, predicted[0]), "sd": (dims, predicted[1])},
                coords={"left_out": list(parts)},
            ),
        }
    )


def _of_equal_size(parts: list[IntArray]) -> list[tuple[IntArray, IntArray]]:
    """Gather parts of equal size: their places in the list, and their rows as one array."""
    sizes = np.array([len(part) for part in parts])
    return [
        (places, np.stack([parts[place] for place in places]))
        for size in np.unique(sizes)
        for places in [np.flatnonzero(sizes == size)]
    ]


def _given_others(
    y: FloatArray, precision: FloatArray, pull: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Mean and variance of each observation, and log density of each part, given all others.

    `y` and `pull`, the product of the whole precision matrix with all observations, have the shape
    (parts, observations of a part); `precision` are the blocks of the parts.
    """
    inverse = np.linalg.inv(precision)
    error = (inverse @ pull[:, :, None])[:, :, 0]
    spread = np.linalg.slogdet(2 * np.pi * inverse)[1]
    density = -0.5 * ((error * pull).sum(1) + spread)
    return y - error, np.diagonal(inverse, axis1=1, axis2=2), density

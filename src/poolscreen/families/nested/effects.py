"""The effects of nested models, drawn back exactly."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from poolscreen.arrays import FloatArray
from poolscreen.families.family import DRAWS_AT_A_TIME, samples
from poolscreen.families.nested.data import Units, units
from poolscreen.families.nested.levels import Levels
from poolscreen.screens.table import Screen


def draw_effects(
    levels: Levels,
    screen: Screen,
    posterior: xr.Dataset,
    rng: np.random.Generator,
) -> xr.Dataset:
    r"""Draw all effects, exactly: one conjugate normal draw per draw of means and scales.

    Given the scales, the top effects have precision :math:`1/\tau^2 + P` and mean
    :math:`(\mu/\tau^2 + P m) / (1/\tau^2 + P)`, the nested ones about them precision
    :math:`1/\sigma_\alpha^2 + n/\sigma^2`. A combination without observations gets its prior.

    Parameters
    ----------
    levels : Levels
        The model.
    screen : Screen
        The data that the posterior was sampled with.
    posterior : xarray.Dataset
        Draws of the model's means and scales, dimensions `chain` and `draw`.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    xarray.Dataset
        The effects, dimensions `chain`, `draw`, `gene` or `sgRNA`, `cell_line`.

    Examples
    --------
    With many draws of one value of the scales, the effects' means are known:

    >>> from poolscreen.models import m7a
    >>> table = pd.DataFrame({"cell_line": ["A"], "sgRNA": "s", "gene": "g", "log_fc": [-2.0]})
    >>> scales = {"mu_alpha_gc": 0.0, "sigma_alpha": 1.0, "sigma": 1.0}
    >>> posterior = xr.Dataset(
    ...     {name: (("chain", "draw"), np.full((4, 2500), v)) for name, v in scales.items()}
    ... )
    >>> effects = draw_effects(m7a.FAMILY, Screen(table), posterior, np.random.default_rng(103))
    >>> effects["alpha_gc"].dims
    ('chain', 'draw', 'gene', 'cell_line')
    >>> effects["alpha_gc"].mean().round(1).item()  # half way from -2 to 0
    -1.0
    """
    by_unit, values = units(levels, screen), samples(posterior)
    n_samples, (n_rows, n_cells) = values["sigma"].size, by_unit.n.shape
    n_top = int(by_unit.group_of_row.max()) + 1
    drawn = {levels.top: np.empty((n_samples, n_top, n_cells))}
    if levels.nested:
        drawn[levels.nested] = np.empty((n_samples, n_rows, n_cells))
    # A few draws at a time: what is only needed in between then stays in the processor's cache.
    for start in range(0, n_samples, DRAWS_AT_A_TIME):
        some = slice(start, start + DRAWS_AT_A_TIME)
        given = Conditional(levels, by_unit, {k: v[some] for k, v in values.items()})
        location, sd, _ = given.top()
        top = drawn[levels.top][some] = _normal(rng, location, sd)
        if levels.nested:
            location, sd, _ = given.nested(top)
            drawn[levels.nested][some] = _normal(rng, location, sd)
    sample = {dim: posterior[dim] for dim in ("chain", "draw")}
    sizes = (posterior.sizes["chain"], posterior.sizes["draw"])
    effects = {k: v.reshape(*sizes, *v.shape[1:]) for k, v in drawn.items()}
    return labelled(levels, screen, effects, sample)


def _normal(rng: np.random.Generator, location: FloatArray, sd: FloatArray) -> FloatArray:
    # Several times as fast as rng.normal, which looks every location up by itself.
    drawn = rng.standard_normal(location.shape)
    drawn *= sd
    drawn += location
    return drawn


def labelled(
    levels: Levels,
    screen: Screen,
    effects: Mapping[str, FloatArray],
    leading: Mapping[str, Any],
) -> xr.Dataset:
    """Label effects, whose last dimensions are the gene or sgRNA and the cell line.

    Parameters
    ----------
    levels : Levels
        The model.
    screen : Screen
        For the labels.
    effects : mapping of str to numpy.ndarray
        By the names of the levels.
    leading : mapping
        The dimensions before, with their labels.

    Returns
    -------
    xarray.Dataset

    Examples
    --------
    >>> from poolscreen.models import m7a
    >>> found = labelled(m7a.FAMILY, small_screen, {"alpha_gc": np.zeros((1, 2, 2))}, {"n": [0]})
    >>> found["alpha_gc"].dims
    ('n', 'gene', 'cell_line')
    """
    rows = {levels.top: levels.level, levels.nested: "sgRNA"}
    used = {rows[name] for name in effects} | {"cell_line"}
    return xr.Dataset(
        {name: ((*leading, rows[name], "cell_line"), values) for name, values in effects.items()},
        coords=dict(leading) | {d: v for d, v in screen.coords.items() if d in used},
    )


class Conditional:
    """Distributions of the effects given the data and draws of means and scales.

    Shapes are (sample, row, cell line); parameters have 1 for the last two.
    """

    def __init__(self, levels: Levels, by_unit: Units, samples: Mapping[str, FloatArray]) -> None:
        def draws(value: str | float | None) -> FloatArray:
            if isinstance(value, str):
                return samples[value][:, None, None]
            return np.full((1, 1, 1), value or 0.0)

        self.by_unit = by_unit
        self.mean, self.sd = draws(levels.mean), draws(levels.sd)
        self.nested_sd, self.sigma = draws(levels.nested_sd), draws("sigma")

    def weight(self) -> FloatArray:
        """Precision of each unit's mean about its group's effect; 0 without observations."""
        n = self.by_unit.n
        return n / (n * self.nested_sd**2 + self.sigma**2)

    def top(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Mean and standard deviation of the top effects, and by how much their mean moves it."""
        weight, prior = self.weight(), 1 / self.sd**2
        precision = prior + self.in_groups(weight)
        pulled = self.in_groups(weight * self.by_unit.mean)
        return (self.mean * prior + pulled) / precision, 1 / np.sqrt(precision), prior / precision

    def nested(self, top: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Mean and standard deviation of the nested effects given the top ones, and the slope.

        The slope is by how much the mean moves with the top effect.
        """
        noise = self.nested_sd**2 * self.by_unit.n
        slope = self.sigma**2 / (self.sigma**2 + noise)
        location = slope * (top[:, self.by_unit.group_of_row] - self.by_unit.mean)
        location += self.by_unit.mean
        return location, self.nested_sd * np.sqrt(slope), slope

    def in_groups(self, values: FloatArray) -> FloatArray:
        """Add up the rows of each group."""
        group = self.by_unit.group_of_row
        if np.array_equal(group, np.arange(len(group))):
            return values
        # reduceat wants the rows of a group together, and no group is empty.
        order = np.argsort(group, kind="stable")
        starts = np.searchsorted(group[order], np.arange(group.max() + 1))
        return np.add.reduceat(values[:, order], starts, axis=1)

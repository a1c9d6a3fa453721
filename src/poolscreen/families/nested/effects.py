"""The effects of nested models, drawn back exactly."""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import xarray as xr
from scipy import stats

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
        given = _Conditional(levels, by_unit, {k: v[some] for k, v in values.items()})
        top = drawn[levels.top][some] = _normal(rng, *given.top())
        if levels.nested:
            location, sd, _ = given.nested(top)
            drawn[levels.nested][some] = _normal(rng, location, sd)
    sample = {dim: posterior[dim] for dim in ("chain", "draw")}
    sizes = (posterior.sizes["chain"], posterior.sizes["draw"])
    effects = {k: v.reshape(*sizes, *v.shape[1:]) for k, v in drawn.items()}
    return _labelled(levels, screen, effects, sample)


def _normal(rng: np.random.Generator, location: FloatArray, sd: FloatArray) -> FloatArray:
    # Several times as fast as rng.normal, which looks every location up by itself.
    drawn = rng.standard_normal(location.shape)
    drawn *= sd
    drawn += location
    return drawn


def effect_moments(levels: Levels, screen: Screen, posterior: xr.Dataset) -> xr.Dataset:
    """Posterior means and standard deviations of all effects, without drawing them.

    The moments of the effects given the scales are known; they are averaged over the draws of the
    scales, one at a time. For a screen with so many effects that their draws find no room.

    Parameters
    ----------
    levels : Levels
        The model.
    screen : Screen
        The data that the posterior was sampled with.
    posterior : xarray.Dataset
        Draws of the model's means and scales, dimensions `chain` and `draw`.

    Returns
    -------
    xarray.Dataset
        The effects, dimensions `moment` ("mean", "sd"), `gene` or `sgRNA`, `cell_line`.

    Examples
    --------
    >>> from poolscreen.models import m7a
    >>> table = pd.DataFrame({"cell_line": ["A"], "sgRNA": "s", "gene": "g", "log_fc": [-2.0]})
    >>> scales = {"mu_alpha_gc": 0.0, "sigma_alpha": 1.0, "sigma": 1.0}
    >>> posterior = xr.Dataset({n: (("chain", "draw"), [[v]]) for n, v in scales.items()})
    >>> moments = effect_moments(m7a.FAMILY, Screen(table), posterior)["alpha_gc"]
    >>> moments.sel(gene="g", cell_line="A").round(3).to_series().to_dict()
    {'mean': -1.0, 'sd': 0.707}
    """
    by_unit, values = units(levels, screen), samples(posterior)
    n_samples = values["sigma"].size
    sums: dict[str, list[Any]] = {}
    for number in range(n_samples):
        one = {name: v[number : number + 1] for name, v in values.items()}
        given = _Conditional(levels, by_unit, one)
        location, sd = given.top()
        found = {levels.top: (location, sd**2)}
        if levels.nested:
            below, sd_below, slope = given.nested(location)
            variance = (sd**2)[:, by_unit.group_of_row]
            found[levels.nested] = (below, sd_below**2 + slope**2 * variance)
        for name, (mean, variance) in found.items():
            total = sums.setdefault(name, [0.0, 0.0])
            total[0] += mean[0] / n_samples
            total[1] += (variance + mean**2)[0] / n_samples
    moments = {
        name: np.stack([mean, np.sqrt(np.maximum(square - mean**2, 0))])
        for name, (mean, square) in sums.items()
    }
    return _labelled(levels, screen, moments, {"moment": ["mean", "sd"]})


def _labelled(
    levels: Levels,
    screen: Screen,
    effects: Mapping[str, FloatArray],
    leading: Mapping[str, Any],
) -> xr.Dataset:
    rows = {levels.top: levels.level, levels.nested: "sgRNA"}
    used = {rows[name] for name in effects} | {"cell_line"}
    return xr.Dataset(
        {name: ((*leading, rows[name], "cell_line"), values) for name, values in effects.items()},
        coords=dict(leading) | {d: v for d, v in screen.coords.items() if d in used},
    )


def log_likelihood(
    levels: Levels,
    screen: Screen,
    posterior: xr.Dataset,
    *,
    form: Literal["conditional", "marginal"],
) -> xr.DataArray:
    r"""Log density of each observation, for each draw: what leave-one-out works with.

    The conditional form is that of an observation given its own effect. Where an effect has one
    observation, that observation all but decides it, and leaving it out changes the posterior too
    much for importance sampling. The marginal form is the density of an observation given the
    scales *and all other observations*, :math:`p(y_i \mid y_{-i}, \mu, \tau, \sigma_\alpha,
    \sigma)`, every effect integrated out; dividing by it leaves an observation out exactly
    (Bürkner, Gabry and Vehtari 2021, Computational Statistics 36, 1243-1261, section 2).

    Parameters
    ----------
    levels : Levels
        The model.
    screen : Screen
        The data that the posterior was sampled with.
    posterior : xarray.Dataset
        Draws of means and scales, dimensions `chain` and `draw`; for the conditional form also
        of the effects.
    form : {"conditional", "marginal"}
        Which of the two.

    Returns
    -------
    xarray.DataArray
        Named `log_fc`, dimensions `chain`, `draw`, `obs`.

    Examples
    --------
    The second of two sgRNAs of a gene lies at -2, and in the marginal form it moves what is
    expected of the first:

    >>> from poolscreen.models import m7a
    >>> table = pd.DataFrame(
    ...     {"cell_line": "A", "sgRNA": ["s1", "s2"], "gene": "g", "log_fc": [0.0, -2.0]}
    ... )
    >>> draws = {"mu_alpha_gc": [[0.0]], "sigma_alpha": [[1.0]], "sigma": [[1.0]]}
    >>> posterior = xr.Dataset({name: (("chain", "draw"), v) for name, v in draws.items()})
    >>> posterior["alpha_gc"] = (("chain", "draw", "gene", "cell_line"), [[[[0.0]]]])
    >>> for form in ("conditional", "marginal"):
    ...     print(log_likelihood(m7a.FAMILY, Screen(table), posterior, form=form).round(3).values)
    [[[-0.919 -2.919]]]
    [[[-1.455 -2.455]]]
    """
    by_unit = units(levels, screen)
    unit = (slice(None), by_unit.row, screen.cell_idx)
    given = _Conditional(levels, by_unit, samples(posterior[levels.parameters]))
    noise = given.sigma[:, :, 0] ** 2
    if form == "conditional":
        effects = posterior[levels.nested or levels.top].to_numpy()
        location = effects.reshape(-1, *effects.shape[2:])[unit]
        variance = noise
    else:
        group = (unit[0], by_unit.group_of_row[by_unit.row], screen.cell_idx)
        y_unit, n_unit = (of[unit[1:]] for of in (by_unit.mean, by_unit.n))
        # The effect of the group without the unit; that of the unit without the observation. What
        # the unit adds is taken off before the prior is added, which could be lost beside it.
        weight = given.weight()
        others = given.in_groups(weight)[group] - weight[unit]
        pull = given.in_groups(weight * by_unit.mean)[group] - weight[unit] * y_unit
        of_prior = given.sd[:, :, 0] ** -2
        precision = of_prior + others
        location = (given.mean[:, :, 0] * of_prior + pull) / precision
        prior = 1 / (1 / precision + given.nested_sd[:, :, 0] ** 2)
        precision = prior + (n_unit - 1) / noise
        sum_of_others = n_unit * y_unit - screen.log_fc
        location = (location * prior + sum_of_others / noise) / precision
        variance = 1 / precision + noise
    density = stats.norm.logpdf(screen.log_fc, location, np.sqrt(variance))
    sample = {dim: posterior[dim] for dim in ("chain", "draw")}
    shape = (posterior.sizes["chain"], posterior.sizes["draw"], -1)
    return xr.DataArray(density.reshape(shape), coords=sample, dims=(*sample, "obs"), name="log_fc")


class _Conditional:
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

    def top(self) -> tuple[FloatArray, FloatArray]:
        """Mean and standard deviation of the top effects."""
        weight = self.weight()
        precision = 1 / self.sd**2 + self.in_groups(weight)
        pulled = self.in_groups(weight * self.by_unit.mean)
        return (self.mean / self.sd**2 + pulled) / precision, 1 / np.sqrt(precision)

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

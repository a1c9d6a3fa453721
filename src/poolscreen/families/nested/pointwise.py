"""What chapters ask of nested models besides a fit: densities by observation and draw."""

from typing import Literal

import numpy as np
import pytensor
import pytensor.tensor as pt
import xarray as xr
from scipy import stats

from poolscreen.families.family import MEAN_SD, SCALE_RATE, samples
from poolscreen.families.nested.data import statistics, units
from poolscreen.families.nested.effects import Conditional
from poolscreen.families.nested.levels import Levels
from poolscreen.families.nested.likelihood import log_marginal_likelihood
from poolscreen.screens.table import Screen


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
    given = Conditional(levels, by_unit, samples(posterior[levels.parameters]))
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


def log_density(levels: Levels, screen: Screen, posterior: xr.Dataset) -> xr.Dataset:
    """Log density of the prior of means and scales and of the data, effects integrated out.

    Parameters
    ----------
    levels : Levels
        The model.
    screen : Screen
        The data.
    posterior : xarray.Dataset
        Draws of the model's means and scales, dimensions `chain` and `draw`.

    Returns
    -------
    xarray.Dataset
        One variable per mean and scale with its log prior density, and `log_fc` with the log
        density of all observations; dimensions `chain` and `draw`.

    Examples
    --------
    >>> from poolscreen.models import m7a
    >>> from poolscreen.screens.simulate import Design, simulate
    >>> screen = Screen(simulate(Design(n_cell_lines=2, sgrnas_per_gene=(1, 2)))[0])
    >>> draws = {"mu_alpha_gc": [[-1, -1]], "sigma_alpha": [[0.5, 0.5]], "sigma": [[0.3, 9]]}
    >>> posterior = xr.Dataset({name: (("chain", "draw"), v) for name, v in draws.items()})
    >>> found = log_density(m7a.FAMILY, screen, posterior)
    >>> found["sigma"].to_numpy().tolist()  # Exponential(1)
    [[-0.3, -9.0]]
    >>> found["log_fc"].round(1).to_numpy().tolist()  # a noise of 9 does not fit
    [[-5.7, -18.7]]
    """
    prior = {
        name: stats.expon.logpdf(posterior[name], scale=1 / SCALE_RATE) for name in levels.scales
    }
    if isinstance(levels.mean, str):
        prior[levels.mean] = stats.norm.logpdf(posterior[levels.mean], 0, MEAN_SD)
    inputs = [pt.dscalar(name) for name in levels.parameters]
    of = dict(zip(levels.parameters, inputs, strict=True))
    mean, sd = (of[v] if isinstance(v, str) else v for v in (levels.mean, levels.sd))
    nested_sd = of[levels.nested_sd] if levels.nested_sd else 0.0
    data = statistics(levels, screen)
    total = log_marginal_likelihood(data, mean, sd, nested_sd, of["sigma"])
    likelihood = xr.apply_ufunc(
        pytensor.function(inputs, total),
        *(posterior[name] for name in levels.parameters),
        vectorize=True,
    )
    densities = {name: (("chain", "draw"), values) for name, values in prior.items()}
    return xr.Dataset({**densities, "log_fc": likelihood}, coords=posterior.coords)

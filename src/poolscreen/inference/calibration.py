"""Simulation-based calibration: whether the posteriors of a model are right, all over its prior.

Draw parameters from the prior, a screen from them, and fit the screen. If the posterior is right,
the rank of each true value among its posterior draws is uniform (Talts et al. 2018,
arXiv:1804.06788).
"""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pymc as pm
import xarray as xr
from pymc.model.transform.conditioning import remove_value_transforms
from pytensor.compile.sharedvalue import SharedVariable

from poolscreen import models
from poolscreen.arrays import FloatArray
from poolscreen.errors import PoolscreenError
from poolscreen.families.family import Family, in_rows
from poolscreen.inference.refitting import refit
from poolscreen.progress import Progress, Say, silence
from poolscreen.screens.simulate import Design, simulate
from poolscreen.screens.table import Screen

DATA_SETS = 1000
SEED = 103  # of everything random
LOG_LIKELIHOOD = "log likelihood"  # what is ranked beside the parameters


def design() -> Screen:
    """Return the design that the book's models are calibrated on: that of its own screen.

    Returns
    -------
    Screen
        1,100 rows; its fold changes are not used.

    Examples
    --------
    >>> screen = design()
    >>> len(screen.log_fc), len(screen.genes), len(screen.sgrnas), len(screen.cell_lines)
    (1100, 10, 55, 20)
    """
    return Screen(simulate(Design())[0])


def calibrate(
    model: models.Model,
    screen: Screen,
    *,
    data_sets: int = DATA_SETS,
    seed: int | list[int] = SEED,
    say: Say = silence,
) -> xr.Dataset:
    """Rank true values among their posterior draws, for many data sets drawn from the prior.

    The data sets come from the model as it is written down. Where its effects integrate out, they
    are fitted without a Markov chain, see `poolscreen.inference.exact`; else by NUTS.

    Parameters
    ----------
    model : Model
        Module of the model.
    screen : Screen
        The design: labels and how often each combination is observed.
    data_sets : int
        How many data sets.
    seed : int or list of int
        Seed of everything random.
    say : callable, optional
        Takes a message every few seconds: how far the work is.

    Returns
    -------
    xarray.Dataset
        `rank` (dimensions `data_set`, `quantity`): how many of the posterior draws lie below the
        true value, for every scalar parameter, the first and the last of each effect, and the log
        likelihood; `fault` (`data_set`): why the fit is no result, or empty. Attributes `draws`,
        the number of posterior draws ranked among, and `seconds`.

    Raises
    ------
    PoolscreenError
        If the observations of the model are no `pm.Data`, or more than one variable.

    Examples
    --------
    A model is compiled once for all data sets, which its observations must allow:

    >>> from types import SimpleNamespace
    >>> with pm.Model() as fixed:
    ...     _ = pm.Normal("y", pm.Normal("mu"), observed=[-1.0, 0.5])
    >>> model = SimpleNamespace(TITLE="one mean", FAMILY=None, build=lambda screen: fixed)
    >>> calibrate(model, design(), data_sets=10)
    Traceback (most recent call last):
    poolscreen.errors.PoolscreenError: one mean: the observations are no pm.Data, ...
    """
    started, progress = time.monotonic(), Progress(say)
    rng = np.random.default_rng(seed)
    written, refitted = _write_down(model, screen), refit(model, screen)
    drawn = _drawn(written, screen, data_sets, rng)
    ranks, faults = [], []
    for number, (truth, data_set) in enumerate(drawn):
        posterior, fault = refitted.fit(data_set, seed=int(rng.integers(2**31)))
        ranks.append(_ranks(written, truth, data_set, posterior))
        faults.append(fault)
        progress(f"{number + 1} of {data_sets} data sets")
    table = pd.DataFrame(ranks)
    return xr.Dataset(
        {
            "rank": (("data_set", "quantity"), table.to_numpy()),
            "fault": ("data_set", np.array(faults, dtype=object)),
        },
        coords={"quantity": list(table)},
        attrs={
            "draws": posterior.sizes["chain"] * posterior.sizes["draw"],
            "seconds": round(time.monotonic() - started, 1),
        },
    )


def from_prior(
    model: models.Model, screen: Screen, size: int, seed: int | list[int] = SEED
) -> Iterator[Screen]:
    """Draw the screens that a calibration is made with.

    Parameters
    ----------
    model : Model
        Module of the model.
    screen : Screen
        The design.
    size : int
        How many of them.
    seed : int or list of int
        That of the calibration.

    Yields
    ------
    Screen

    Examples
    --------
    >>> from poolscreen.models import m7a
    >>> widths = [float(screen.log_fc.std()) for screen in from_prior(m7a, design(), 3)]
    >>> max(widths) > 2 * min(widths)
    True
    """
    rng = np.random.default_rng(seed)
    for _, data_set in _drawn(_write_down(model, screen), screen, size, rng):
        yield data_set


def pit(calibration: xr.Dataset) -> xr.DataArray:
    """Return the ranks as numbers between 0 and 1, uniform if the posteriors are right.

    A rank among `L` draws has `L + 1` values; each is spread evenly over its share of the interval,
    so that what is tested is uniform exactly, not on a grid.

    Parameters
    ----------
    calibration : xarray.Dataset
        See `calibrate`.

    Returns
    -------
    xarray.DataArray
        Dimensions `data_set`, `quantity`; the same numbers at each call.

    Examples
    --------
    The lowest and the highest of the ranks among 400 draws:

    >>> ranks = xr.Dataset(
    ...     {"rank": (("data_set", "quantity"), [[0], [400]])},
    ...     coords={"quantity": ["sigma"]},
    ...     attrs={"draws": 400},
    ... )
    >>> pit(ranks).sel(quantity="sigma").round(2).to_numpy().tolist()
    [0.0, 1.0]
    """
    spread = np.random.default_rng(SEED).random(calibration["rank"].shape)
    values: xr.DataArray = calibration["rank"] + spread
    return values / float(calibration.attrs["draws"] + 1)


LogLikelihood = Callable[[Screen, dict[str, FloatArray]], FloatArray]


@dataclass(frozen=True)
class _Written:
    """A model as it is written down: data sets are drawn from it, and it has the likelihood."""

    form: pm.Model
    observed: str
    log_likelihood: LogLikelihood

    @property
    def free(self) -> list[str]:
        """Names of what a data set is drawn from, and of what is ranked."""
        return [rv.name for rv in self.form.free_RVs]


def _write_down(model: models.Model, screen: Screen) -> _Written:
    form = model.build(screen)
    if len(form.observed_RVs) != 1:
        raise PoolscreenError(
            f"{model.TITLE}: calibration takes a model of one observed variable, and this has "
            f"{len(form.observed_RVs)}"
        )
    (observed,) = form.observed_RVs
    data = form.rvs_to_values[observed]
    if not isinstance(data, SharedVariable):
        raise PoolscreenError(
            f"{model.TITLE}: the observations are no pm.Data, so that one compilation cannot "
            f'serve many data sets; write observed=pm.Data("y", ...) for {observed.name}'
        )
    log_likelihood = _in_closed_form(model.FAMILY) if model.FAMILY else _compiled(form, data.name)
    return _Written(form=form, observed=observed.name, log_likelihood=log_likelihood)


def _drawn(
    written: _Written, screen: Screen, size: int, rng: np.random.Generator
) -> Iterator[tuple[dict[str, FloatArray], Screen]]:
    """Draw parameters from the prior, and a screen from them, so many times."""
    logging.getLogger("pymc").setLevel(logging.ERROR)
    drawn = pm.sample_prior_predictive(
        size, model=written.form, random_seed=int(rng.integers(2**31))
    )
    truths = in_rows(drawn["prior"].to_dataset()[written.free])
    screens = drawn["prior_predictive"][written.observed][0].to_numpy()
    for number, log_fc in enumerate(screens):
        truth = {name: values[number] for name, values in truths.items()}
        yield truth, screen.measured(log_fc)


def _in_closed_form(family: Family) -> LogLikelihood:
    def log_likelihood(screen: Screen, draws: dict[str, FloatArray]) -> FloatArray:
        sd = draws["sigma"][:, None]
        z = (screen.log_fc - family.expected(screen, draws)) / sd
        total: FloatArray = -(0.5 * z**2 + np.log(sd)).sum(axis=1)
        return total  # up to a constant

    return log_likelihood


def _compiled(form: pm.Model, data: str) -> LogLikelihood:
    """Return the log likelihood of a model of which only its graph is known, draw by draw."""
    untransformed = remove_value_transforms(form)
    function = untransformed.compile_logp(untransformed.observed_RVs)

    def log_likelihood(screen: Screen, draws: dict[str, FloatArray]) -> FloatArray:
        untransformed[data].set_value(screen.log_fc)
        points = zip(*draws.values(), strict=True)
        return np.array([float(function(dict(zip(draws, point, strict=True)))) for point in points])

    return log_likelihood


def _ranks(
    written: _Written, truth: dict[str, FloatArray], screen: Screen, posterior: xr.Dataset
) -> dict[str, int]:
    """Return how many draws lie below the truth, by quantity."""
    draws = in_rows(posterior[written.free])
    ranks = {}
    for name, true in truth.items():
        below = (draws[name] < true).sum(axis=0)
        for index, label in _shown(posterior[name]):
            ranks[label] = int(below[index])
    of_draws = written.log_likelihood(screen, draws)
    of_truth = written.log_likelihood(screen, {name: true[None] for name, true in truth.items()})
    ranks[LOG_LIKELIHOOD] = int((of_draws < of_truth).sum())
    return ranks


def _shown(draws: xr.DataArray) -> list[tuple[tuple[int, ...], str]]:
    """Return the index and the label of a scalar, or of the first and last of an effect."""
    dims = draws.dims[2:]
    if not dims:
        return [((), str(draws.name))]
    shown = []
    for place in (0, -1):
        index = (place,) * len(dims)
        labels = ", ".join(str(draws[dim].to_numpy()[place]) for dim in dims)
        shown.append((index, f"{draws.name}[{labels}]"))
    return shown

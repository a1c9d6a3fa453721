"""Attempts at a model: PyMC's own NUTS, nutpie, and the marginal form, diagnosed and timed."""

import logging
import time

import pymc as pm
import xarray as xr

from poolscreen import models
from poolscreen.errors import PoolscreenError
from poolscreen.inference import gate, sampling
from poolscreen.screens.table import Screen

SAMPLERS = ("pymc", "nutpie", "marginal")
DEFAULT_ACCEPT = 0.8  # PyMC's default for the target acceptance; the book's is higher


def attempt(
    model: models.Model,
    screen: Screen,
    sampler: str,
    settings: sampling.Settings,
    *,
    cores: int | None = None,
) -> xr.DataTree:
    """Sample a model with one sampler, take the time, and diagnose every parameter.

    Parameters
    ----------
    model : Model
        Module of the model.
    screen : Screen
        The data.
    sampler : {"pymc", "nutpie", "marginal"}
        PyMC's own NUTS or nutpie's, both on the model as it is written down; or nutpie's on the
        marginal form, with the exact draws of the effects.
    settings : Settings
        Draws, chains and seed.
    cores : int, optional
        How many chains run at a time; by default as many as there are cores.

    Returns
    -------
    xarray.DataTree
        Groups `posterior` (means and scales only) and `sample_stats`; attributes those of
        `poolscreen.inference.gate.diagnose`, over **all** parameters, `seconds_compiling` and
        `seconds_sampling` (drawing the effects included).

    Raises
    ------
    PoolscreenError
        If there is no such sampler, or the marginal form is asked for and the model has none; see
        `poolscreen.inference.sampling.sample`.

    Examples
    --------
    The effects count in the diagnostics, and are not kept:

    >>> from poolscreen.models import m7a
    >>> short = sampling.Settings(draws=50, tune=100, chains=2)
    >>> sampled = attempt(m7a, small_screen, "pymc", short)
    >>> sorted(sampled["posterior"].data_vars)
    ['mu_alpha_gc', 'sigma', 'sigma_alpha']
    >>> sampled.attrs["min_ess_bulk"] < gate.MIN_ESS  # 100 draws are too few
    True
    """
    if sampler not in SAMPLERS:
        raise PoolscreenError(f"there is no sampler {sampler!r}; there are {', '.join(SAMPLERS)}")
    if sampler == "pymc":
        sampled = sample_with_pymc(model.build(screen), settings, cores=cores)
    else:
        form = sampler == "marginal"
        sampled = sampling.sample(model, screen, settings, marginal_form=form, cores=cores)
    posterior, stats = (sampled[g].to_dataset() for g in ("posterior", "sample_stats"))
    diagnostics = gate.diagnose_draws(posterior, stats)
    scalars = [name for name, values in posterior.items() if values.ndim == 2]
    kept = xr.DataTree.from_dict(
        {
            "posterior": posterior[scalars],
            "sample_stats": stats[["diverging", "energy", "tree_depth"]],
        }
    )
    kept.attrs = {**sampled.attrs, **diagnostics}
    return kept


def sample_with_pymc(
    model: pm.Model, settings: sampling.Settings, *, cores: int | None = None
) -> xr.DataTree:
    """Sample a model with PyMC's own NUTS.

    Parameters
    ----------
    model : pymc.Model
        The model as it is written down.
    settings : Settings
        Draws, chains and seed.
    cores : int, optional
        How many chains run at a time; by default as many as there are cores.

    Returns
    -------
    xarray.DataTree
        As PyMC gives it; attributes `seconds_compiling` and `seconds_sampling`.

    Examples
    --------
    >>> from poolscreen.models import m7a
    >>> short = sampling.Settings(draws=50, tune=100, chains=2)
    >>> sampled = sample_with_pymc(m7a.build(small_screen), short)
    >>> dict(sampled["posterior"]["alpha_gc"].sizes)
    {'chain': 2, 'draw': 50, 'gene': 2, 'cell_line': 2}
    """
    logging.getLogger("pymc").setLevel(logging.ERROR)  # what fails is diagnosed below
    started = time.perf_counter()
    with model:
        sampled: xr.DataTree = pm.sample(
            draws=settings.draws,
            tune=settings.tune,
            chains=settings.chains,
            cores=cores,
            target_accept=settings.target_accept,
            random_seed=settings.seed,
            nuts_sampler="pymc",
            progressbar=False,
            compute_convergence_checks=False,
        )
    seconds = time.perf_counter() - started
    sampling_seconds = sampled["posterior"].attrs["sampling_time"]
    sampled.attrs = {
        "seconds_compiling": seconds - sampling_seconds,
        "seconds_sampling": sampling_seconds,
    }
    return sampled

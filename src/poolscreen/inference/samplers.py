"""Samplers side by side: PyMC's own NUTS, nutpie, and the marginal form, on the same models."""

import logging
import time
from dataclasses import replace
from typing import Literal

import pymc as pm
import xarray as xr

from poolscreen import models
from poolscreen.inference import gate, sampling
from poolscreen.models import m7, m7_two_means, m7a, m7a_unpooled, m7b, m7b_unpooled
from poolscreen.progress import Say, silence
from poolscreen.screens.table import Screen

Sampler = Literal["pymc", "nutpie", "marginal"]
SAMPLERS: dict[Sampler, str] = {
    "pymc": "PyMC's NUTS",
    "nutpie": "nutpie's NUTS",
    "marginal": "marginal form",
}
# The models of chapters 2 and 3; one that comes later does not change what is said of them.
COMPARED: dict[str, models.Model] = {
    "m7a": m7a,
    "m7a_unpooled": m7a_unpooled,
    "m7b": m7b,
    "m7b_unpooled": m7b_unpooled,
}
# Those of chapter 6, without PyMC's own NUTS, which takes minutes.
CROSSED: dict[str, models.Model] = {"m7": m7, "m7_two_means": m7_two_means}
DEFAULT_ACCEPT = 0.8  # PyMC's default for the target acceptance; the book's is higher


def attempt(
    model: models.Model, screen: Screen, sampler: Sampler, settings: sampling.Settings
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

    Returns
    -------
    xarray.DataTree
        Groups `posterior` (means and scales only) and `sample_stats`; attributes those of
        `poolscreen.inference.gate.diagnose`, over **all** parameters, `seconds_compiling` and
        `seconds_sampling` (drawing the effects included).

    Raises
    ------
    PoolscreenError
        If the marginal form is asked for and the model has none; see
        `poolscreen.inference.sampling.sample`.

    Examples
    --------
    The effects count in the diagnostics, and are not kept:

    >>> short = sampling.Settings(draws=50, tune=100, chains=2)
    >>> sampled = attempt(m7a, small_screen, "pymc", short)
    >>> sorted(sampled["posterior"].data_vars)
    ['mu_alpha_gc', 'sigma', 'sigma_alpha']
    >>> sampled.attrs["min_ess_bulk"] < gate.MIN_ESS  # 100 draws are too few
    True
    """
    if sampler == "pymc":
        sampled = sample_with_pymc(model.build(screen), settings)
    else:
        form = sampler == "marginal"
        sampled = sampling.sample(model, screen, settings, marginal_form=form)
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


def sample_with_pymc(model: pm.Model, settings: sampling.Settings) -> xr.DataTree:
    """Sample a model with PyMC's own NUTS.

    Parameters
    ----------
    model : pymc.Model
        The model as it is written down.
    settings : Settings
        Draws, chains and seed.

    Returns
    -------
    xarray.DataTree
        As PyMC gives it; attributes `seconds_compiling` and `seconds_sampling`.

    Examples
    --------
    >>> short = sampling.Settings(draws=50, tune=100, chains=2)
    >>> sampled = sample_with_pymc(m7a.build(small_screen), short)
    >>> dict(sampled["posterior"]["alpha_gc"].sizes)
    {'chain': 2, 'draw': 50, 'gene': 2, 'cell_line': 2}
    """
    started = time.perf_counter()
    with model:
        sampled: xr.DataTree = pm.sample(
            draws=settings.draws,
            tune=settings.tune,
            chains=settings.chains,
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


def compare(
    screen: Screen,
    settings: sampling.Settings | None = None,
    say: Say = silence,
) -> dict[str, xr.DataTree]:
    """Sample the models of chapters 2, 3 and 6 with one sampler after the other.

    Parameters
    ----------
    screen : Screen
        The data.
    settings : Settings, optional
        Draws, chains and seed; by default those of the book's fits.
    say : callable, optional
        Takes a message: what is sampled next.

    Returns
    -------
    dict of str to xarray.DataTree
        See `attempt`, by `model/sampler`; also model 7b with PyMC's NUTS and its default target
        acceptance, as `m7b/pymc_default`.

    Notes
    -----
    It takes minutes; `load_samplers` loads what came of it on the screen of the book.
    """
    logging.getLogger("pymc").setLevel(logging.ERROR)
    small = sampling.Settings(draws=10, tune=10, chains=1)
    # What is only slow the first time is not part of the comparison.
    for sampler in SAMPLERS:
        attempt(m7a, screen, sampler, small)
    settings, done = settings or sampling.Settings(), {}
    for name, model in (COMPARED | CROSSED).items():
        for sampler, title in SAMPLERS.items():
            if sampler == "pymc" and name in CROSSED:
                continue
            say(f"{name}: {title}")
            done[f"{name}/{sampler}"] = attempt(model, screen, sampler, settings)
    lax = replace(settings, target_accept=DEFAULT_ACCEPT)
    done["m7b/pymc_default"] = attempt(m7b, screen, "pymc", lax)
    return done

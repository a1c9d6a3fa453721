"""Fitting: from a model and a screen to a fit that has passed the gate."""

import json
import logging
from dataclasses import asdict, replace
from datetime import UTC, datetime

import pandas as pd
import pymc as pm
import pytensor
import xarray as xr

from poolscreen import models
from poolscreen.families.family import AT_ONCE, Family
from poolscreen.inference import gate, store
from poolscreen.inference.exact import solve
from poolscreen.inference.posterior import summarise
from poolscreen.inference.sampling import Settings, sample
from poolscreen.progress import Say, silence
from poolscreen.screens.table import Screen

# Of the scales that draws are held against: their error in standard deviations, and their number.
TOLERANCE, POINTS = 0.002, 2**14


def fit(
    name: str, screen: Screen, settings: Settings, say: Say = silence
) -> tuple[xr.DataTree, dict[str, pd.DataFrame]]:
    """Fit a model: sample it, let it pass the gate, predict from it.

    Where the effects integrate out, the draws are also held against the posterior that is computed
    without them.

    Parameters
    ----------
    name : str
        Name of the model.
    screen : Screen
        The data.
    settings : Settings
        Draws, chains and seed.
    say : callable, optional
        Takes messages: how far the work is.

    Returns
    -------
    fit : xarray.DataTree
        See `press.results.load_fit`.
    tables : dict of str to pandas.DataFrame
        See `poolscreen.inference.posterior.summarise`.

    Raises
    ------
    PoolscreenError
        If there is no model of this name, or the fit has not converged, or its draws are not of the
        posterior that is computed without them; see also `sample`.

    Examples
    --------
    >>> screen = Screen(simulate(Design(n_cell_lines=3, sgrnas_per_gene=(3, 3)))[0])
    >>> quick = Settings(draws=1000, tune=500, backend="jax")
    >>> fitted, tables = fit("m7a_unpooled", screen, quick)
    >>> {name: len(table) for name, table in tables.items()}
    {'scalars': 1, 'alpha_gc': 6}
    >>> dict(fitted["posterior_predictive"]["log_fc"].sizes)
    {'chain': 4, 'draw': 250, 'obs': 18}
    >>> fitted.attrs["form"], gate.faults(fitted.attrs)
    ('marginal', [])
    """
    logging.getLogger("pymc").setLevel(logging.ERROR)
    model = models.get(name)
    say(f"compiling and sampling {settings.chains} chains of {settings.draws:,} draws")
    sampled = sample(model, screen, settings, say=say)
    posterior, stats = (sampled[g].to_dataset() for g in ("posterior", "sample_stats"))
    say(f"sampled in {sampled.attrs['seconds_sampling']:.1f} s; checking convergence")
    tables = summarise(posterior)
    diagnostics = gate.diagnose(tables, stats)
    gate.check_gate(name, tables, diagnostics)
    if model.FAMILY:
        diagnostics["off_exact"] = off_exact(model.FAMILY, screen, tables)
        gate.check_distance(name, diagnostics["off_exact"])

    say("converged; predicting from the prior and the posterior")
    with pytensor.config.change_flags(mode=AT_ONCE):
        predictions = _predictions(model.build(screen), posterior, settings)
    result = xr.DataTree.from_dict({"posterior": posterior, "sample_stats": stats, **predictions})
    result.attrs = {
        "model": name,
        "title": model.TITLE,
        "sampler": "nutpie",
        "form": "marginal" if model.FAMILY else "joint",
        "seed": settings.seed,
        "settings": json.dumps(asdict(settings)),
        "created": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"),
        **sampled.attrs,
        **diagnostics,
        **store.environment(),
    }
    return result, tables


def off_exact(family: Family, screen: Screen, tables: dict[str, pd.DataFrame]) -> float:
    """Hold draws against the posterior without draws; see `poolscreen.inference.gate.distance`.

    Parameters
    ----------
    family : Family
        The model.
    screen : Screen
        The data.
    tables : dict of str to pandas.DataFrame
        Summaries of the draws.

    Returns
    -------
    float
        The largest difference of a mean or a standard deviation, in its Monte Carlo errors.

    Examples
    --------
    >>> from poolscreen.models import m7a
    >>> draws = solve(m7a.FAMILY, small_screen).draws(1000)
    >>> off_exact(m7a.FAMILY, small_screen, summarise(draws)) < gate.MAX_OFF
    True
    """
    # With many points, as their own error adds to that of the draws.
    exact = replace(solve(family, screen, tolerance=TOLERANCE), most=POINTS)
    return gate.distance(tables, exact.tables(intervals=False))


def _predictions(
    model: pm.Model, posterior: xr.Dataset, settings: Settings
) -> dict[str, xr.Dataset]:
    """Draw from the prior, predict from both, and take each observation's log likelihood."""
    prior = pm.sample_prior_predictive(settings.prior_draws, model=model, random_seed=settings.seed)
    constant = prior["constant_data"].to_dataset()
    thinned = xr.DataTree.from_dict(
        {
            "posterior": posterior.isel(draw=slice(None, None, settings.predict_every)),
            "constant_data": constant,  # unchanged, so nothing is resampled
        }
    )
    predicted = pm.sample_posterior_predictive(
        thinned, model=model, random_seed=settings.seed, progressbar=False
    )
    likelihood = pm.compute_log_likelihood(thinned, model=model, progressbar=False)
    return {
        "prior": prior["prior"].to_dataset(),
        "prior_predictive": prior["prior_predictive"].to_dataset(),
        "posterior_predictive": predicted["posterior_predictive"].to_dataset(),
        "log_likelihood": likelihood["log_likelihood"].to_dataset(),
        "observed_data": prior["observed_data"].to_dataset(),
        "constant_data": constant,
    }

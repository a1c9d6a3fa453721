"""Fitting: from a model and a screen to a fit that has passed the gate."""

import json
import logging
from dataclasses import asdict
from datetime import UTC, datetime

import pandas as pd
import pymc as pm
import xarray as xr

from poolscreen import models
from poolscreen.inference import gate, store
from poolscreen.inference.posterior import summarise
from poolscreen.inference.sampling import Settings, sample
from poolscreen.progress import Say, silence
from poolscreen.screens.table import Screen


def fit(
    name: str, screen: Screen, settings: Settings, say: Say = silence
) -> tuple[xr.DataTree, dict[str, pd.DataFrame]]:
    """Fit a model: sample it, let it pass the gate, predict from it.

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
        If there is no model of this name, or the fit has not converged; see also `sample`.

    Examples
    --------
    >>> from poolscreen.screens.simulate import Design, simulate
    >>> screen = Screen(simulate(Design(n_cell_lines=5, sgrnas_per_gene=(3, 3, 3)))[0])
    >>> fitted, tables = fit("m7a", screen, Settings(tune=1000))
    >>> {name: len(table) for name, table in tables.items()}
    {'scalars': 3, 'alpha_gc': 15}
    >>> dict(fitted["posterior_predictive"]["log_fc"].sizes)
    {'chain': 4, 'draw': 500, 'obs': 45}
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

    say("converged; predicting from the prior and the posterior")
    plain = model.build(screen)
    prior = pm.sample_prior_predictive(settings.prior_draws, model=plain, random_seed=settings.seed)
    thinned = xr.DataTree.from_dict(
        {
            "posterior": posterior.isel(draw=slice(None, None, settings.predict_every)),
            "constant_data": prior["constant_data"].to_dataset(),  # unchanged, so nothing resampled
        }
    )
    predicted = pm.sample_posterior_predictive(
        thinned, model=plain, random_seed=settings.seed, progressbar=False
    )
    likelihood = pm.compute_log_likelihood(thinned, model=plain, progressbar=False)
    result = xr.DataTree.from_dict(
        {
            "posterior": posterior,
            "sample_stats": stats,
            "prior": prior["prior"].to_dataset(),
            "prior_predictive": prior["prior_predictive"].to_dataset(),
            "posterior_predictive": predicted["posterior_predictive"].to_dataset(),
            "log_likelihood": likelihood["log_likelihood"].to_dataset(),
            "observed_data": prior["observed_data"].to_dataset(),
            "constant_data": prior["constant_data"].to_dataset(),
        }
    )
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

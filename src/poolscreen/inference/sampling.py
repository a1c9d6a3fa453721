"""Sampling: from a model and a screen to draws."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import nutpie
import pymc as pm
import xarray as xr
from nutpie.sample import CompiledModel

from poolscreen import models
from poolscreen.errors import PoolscreenError
from poolscreen.families.family import Family, check_member, in_rows, labelled
from poolscreen.progress import Progress, Say, silence
from poolscreen.screens.table import Screen

# What a reader of a fit looks for: nutpie's names, and those that ArviZ and PyMC use.
SAMPLE_STATS = {
    "logp": "lp",
    "energy": "energy",
    "diverging": "diverging",
    "depth": "tree_depth",
    "n_steps": "n_steps",
    "step_size": "step_size",
    "mean_tree_accept": "acceptance_rate",
}


@dataclass(frozen=True)
class Settings:
    """How a model is sampled; the defaults suit a model that is sampled as it is written down.

    Attributes
    ----------
    draws, tune : int
        Draws of each chain, kept and for tuning.
    chains : int
        Number of chains.
    target_accept : float
        Acceptance rate that the step size is tuned to.
    seed : int
        Seed of everything random in the fit.
    prior_draws : int
        Draws of the prior and of the prior predictive distribution.
    predict_every : int
        Every how many draws one posterior prediction and log likelihood is kept.
    backend : {"numba", "jax"}
        What compiles the density. Numba's code is the fastest, but where a machine has not compiled
        the like before, its compiling may take minutes; JAX's takes seconds.

    Examples
    --------
    >>> from dataclasses import replace
    >>> quick = replace(Settings(), draws=200, chains=2)
    >>> quick.chains * quick.draws, Settings().chains * Settings().draws  # posterior draws
    (400, 8000)
    """

    draws: int = 2000
    tune: int = 2000
    chains: int = 4
    target_accept: float = 0.95
    seed: int = 103
    prior_draws: int = 500
    predict_every: int = 4
    backend: Literal["numba", "jax"] = "numba"


# Of a few means and scales, in coordinates that suit them: so the fits of the book are sampled.
MARGINAL = Settings(draws=1000, tune=1000, target_accept=0.95, predict_every=2, backend="jax")


def compile_model(model: pm.Model, settings: Settings) -> CompiledModel:
    """Compile the density of a model, and its gradient, for `sample_compiled`."""
    # PyTensor's gradient in either case: that of JAX stalled chains of model 8.
    compiled: CompiledModel = nutpie.compile_pymc_model(
        model, backend=settings.backend, gradient_backend="pytensor"
    )
    return compiled


def sample_compiled(
    compiled: CompiledModel,
    settings: Settings,
    *,
    cores: int | None = None,
    say: Say = silence,
) -> xr.DataTree:
    """Sample a compiled model; `compiled.with_data()` gives it other data.

    Parameters
    ----------
    compiled : nutpie.sample.CompiledModel
        See `compile_model`.
    settings : Settings
        Draws, chains and seed.
    cores : int, optional
        How many chains run at a time; by default as many as there are cores.
    say : callable, optional
        Takes a message every few seconds: how far the chains are.

    Returns
    -------
    xarray.DataTree
        Groups `posterior` (dimensions `chain`, `draw` and those of the model) and
        `sample_stats` (`chain`, `draw`).

    Examples
    --------
    One compilation serves every screen of the same layout:

    >>> from poolscreen.models import m7a_unpooled
    >>> compiled = nutpie.compile_pymc_model(m7a_unpooled.build(small_screen))
    >>> short = Settings(draws=50, tune=200, chains=2, backend="jax")
    >>> for level in (-3.0, 3.0):
    ...     other = compiled.with_data(y=np.linspace(level - 1, level + 1, 6))
    ...     effects = sample_compiled(other, short)["posterior"]["alpha_gc"]
    ...     print(effects.shape, "below 0" if effects.mean() < 0 else "above 0")
    (2, 50, 2, 2) below 0
    (2, 50, 2, 2) above 0
    """
    sampled = nutpie.sample(
        compiled,
        draws=settings.draws,
        tune=settings.tune,
        chains=settings.chains,
        cores=cores,
        seed=settings.seed,
        target_accept=settings.target_accept,
        save_warmup=False,
        progress_bar=False,
        progress_callback=_of_chains(Progress(say)),
    )
    stats = sampled["sample_stats"].to_dataset()
    return xr.DataTree.from_dict(
        {
            "posterior": sampled["posterior"].to_dataset(),
            "sample_stats": stats[list(SAMPLE_STATS)].rename(SAMPLE_STATS),
        }
    )


def sample(
    model: models.Model,
    screen: Screen,
    settings: Settings,
    *,
    marginal_form: bool | None = None,
    cores: int | None = None,
    say: Say = silence,
) -> xr.DataTree:
    """Sample the posterior of a model, all effects included.

    Parameters
    ----------
    model : Model
        Module of the model, for example `poolscreen.models.m7b`.
    screen : Screen
        The data.
    settings : Settings
        Draws, chains and seed.
    marginal_form : bool, optional
        Whether to sample with the effects integrated out and to draw them exactly afterwards.
        By default where the model has a `FAMILY`.
    cores : int, optional
        How many chains run at a time; by default as many as there are cores.
    say : callable, optional
        Takes a message every few seconds: how far the chains are.

    Returns
    -------
    xarray.DataTree
        Groups `posterior` (effects have the dimensions `chain`, `draw`, `gene` or `sgRNA`, and
        `cell_line`) and `sample_stats`, the same for both forms; attributes `seconds_compiling`
        and `seconds_sampling`, drawing the effects included.

    Raises
    ------
    PoolscreenError
        If the marginal form is asked for and the model names no family, if its family is not the
        model that is written down, or if the data are degenerate (see
        `poolscreen.families.nested.likelihood.build`).

    Examples
    --------
    The effects are there in either form; here the model is sampled as it is written down:

    >>> from poolscreen.models import m7a_unpooled
    >>> short = Settings(draws=50, tune=200, chains=2, backend="jax")
    >>> sampled = sample(m7a_unpooled, small_screen, short, marginal_form=False)
    >>> list(sampled["posterior"].data_vars)
    ['alpha_gc', 'sigma']
    >>> dict(sampled["posterior"]["alpha_gc"].sizes)
    {'chain': 2, 'draw': 50, 'gene': 2, 'cell_line': 2}
    """
    if marginal_form is None:
        marginal_form = model.FAMILY is not None
    started = time.perf_counter()
    form = model.build(screen)
    if marginal_form:
        if model.FAMILY is None:
            raise PoolscreenError(
                f"{model.TITLE}: the model names no FAMILY, so its effects cannot be integrated "
                "out; sample it as it stands (marginal_form=False)"
            )
        check_member(model.FAMILY, screen, form)
        form = model.FAMILY.build(screen)
    compiled = compile_model(form, settings)
    compiled_at = time.perf_counter()
    sampled = sample_compiled(compiled, settings, cores=cores, say=say)
    if marginal_form and model.FAMILY:
        sampled = add_effects(model.FAMILY, screen, sampled, settings.seed)
    sampled.attrs = {
        "seconds_compiling": round(compiled_at - started, 3),
        "seconds_sampling": round(time.perf_counter() - compiled_at, 3),
    }
    return sampled


def add_effects(family: Family, screen: Screen, sampled: xr.DataTree, seed: int) -> xr.DataTree:
    """Give a sampled marginal form the effects of its draws, and drop its coordinates.

    Parameters
    ----------
    family : Family
        The model.
    screen : Screen
        The data that were sampled with.
    sampled : xarray.DataTree
        See `sample_compiled`.
    seed : int
        Seed of the chains.

    Returns
    -------
    xarray.DataTree
        With the parameters and effects of the model as `posterior`.

    Examples
    --------
    >>> from poolscreen.models import m7a
    >>> draws = {"mu_alpha_gc": -1, "sigma_alpha_signed": -0.5, "sigma_alpha": 0.5, "sigma": 0.3}
    >>> dims = ("chain", "draw")
    >>> scales = xr.Dataset({name: (dims, np.full((2, 5), v)) for name, v in draws.items()})
    >>> sampled = xr.DataTree.from_dict({"posterior": scales})
    >>> whole = add_effects(m7a.FAMILY, small_screen, sampled, seed=103)["posterior"]
    >>> list(whole.data_vars), whole["alpha_gc"].shape
    (['mu_alpha_gc', 'sigma_alpha', 'sigma', 'alpha_gc'], (2, 5, 2, 2))
    """
    scales = sampled["posterior"].to_dataset()[family.parameters]
    # A stream of its own: the chains used the seed itself.
    rng = np.random.default_rng([seed, 1])
    effects = family.closed(screen).draw_effects(in_rows(scales), rng)
    sample = {dim: scales[dim] for dim in ("chain", "draw")}
    result = sampled.copy()
    result["posterior"] = xr.DataTree(scales.merge(labelled(family, screen, effects, sample)))
    return result


def _of_chains(progress: Progress) -> Callable[[list[Any]], None]:
    """Return what nutpie calls, several times a second, with the state of each chain."""

    def count(chains: list[Any]) -> None:
        done = sum(chain.finished_draws for chain in chains)
        total = sum(chain.total_draws for chain in chains)
        progress(f"{done:,} of {total:,} draws ({done / total:.0%})")

    return count

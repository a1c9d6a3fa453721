"""Samplers and the weighted points, side by side: rounds in which all of them take turns.

Each round has a seed of its own. Chapters 4 and 6 show what came of it.
"""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
import xarray as xr

from poolscreen import models
from poolscreen.inference.exact import solve
from poolscreen.inference.samplers import DEFAULT_ACCEPT, SAMPLERS, attempt
from poolscreen.inference.sampling import Settings
from poolscreen.screens.simulate import Design, simulate
from poolscreen.screens.table import Screen
from poolscreen.tables.fits import ess_per_second
from poolscreen.tables.growth import best_and_median
from press import measurements

ROUNDS = 3
NESTED = ("m7a", "m7a_unpooled", "m7b", "m7b_unpooled")
CROSSED = ("m7", "m7_two_means")
# PyMC's own NUTS takes minutes on the crossed models.
RUNS = [
    *((model, sampler) for model in NESTED for sampler in (*SAMPLERS, "points")),
    *((model, sampler) for model in CROSSED for sampler in ("nutpie", "marginal", "points")),
    ("m7b", "pymc_default"),
    ("_m7b_noncentred", "pymc"),
]

type Figure = dict[str, Any]


def sampled(model: str, sampler: str, screen: Screen, settings: Settings) -> Figure:
    """Sample a model with a sampler; see `attempt`."""
    if sampler == "pymc_default":
        settings = replace(settings, target_accept=DEFAULT_ACCEPT)
    tree = attempt(models.get(model), screen, "pymc" if "pymc" in sampler else sampler, settings)
    posterior = tree["posterior"].to_dataset()
    return {**tree.attrs, "ess_per_second": ess_per_second(tree), **moments(posterior)}


def pointed(model: str, screen: Screen, settings: Settings) -> Figure:
    """Integrate the scales of a model, and draw as often from it; the draws are independent."""
    family, size = models.get(model).FAMILY, settings.chains * settings.draws
    assert family is not None  # of each of these models the effects integrate out
    started = time.perf_counter()
    posterior = solve(family, screen)
    posterior.draws(size, seed=settings.seed)
    seconds = time.perf_counter() - started
    found = posterior.scalars().set_index("parameter")
    return {
        "seconds_compiling": 0.0,
        "seconds_sampling": seconds,
        "min_ess_bulk": size,
        "ess_per_second": size / seconds,
        "mean": found["mean"].to_dict(),
        "sd": found["sd"].to_dict(),
    }


def moments(posterior: xr.Dataset) -> Mapping[str, dict[str, float]]:
    """Return the posterior mean and standard deviation of each mean and scale."""
    return {
        "mean": {str(name): float(values.mean()) for name, values in posterior.items()},
        "sd": {str(name): float(values.std()) for name, values in posterior.items()},
    }


def main() -> None:
    """Sample everything in turn, so often, and keep every figure."""
    screen = Screen(simulate(Design())[0])
    small = Settings(draws=10, tune=10, chains=1)
    # What is only slow the first time is not part of the comparison.
    for sampler in SAMPLERS:
        sampled("m7a", sampler, screen, small)
    rounds = []
    for number in range(ROUNDS):
        settings = replace(Settings(), seed=Settings().seed + number)
        for model, sampler in RUNS:
            print(f"round {number}: {model}, {sampler}", flush=True)
            figure = (
                pointed(model, screen, settings)
                if sampler == "points"
                else sampled(model, sampler, screen, settings)
            )
            of_run = {"round": number, "model": model, "sampler": sampler, "seed": settings.seed}
            rounds.append(of_run | figure)
    measurements.record("samplers", rounds)
    columns = {
        "seconds_compiling": "compiling, s",
        "seconds_sampling": "sampling, s",
        "ess_per_second": "ESS per second",
    }
    by = ["model", "sampler"]
    shown = pd.DataFrame(rounds)[[*by, *columns]].rename(columns=columns)
    summary = best_and_median(shown, by)
    print(summary.to_string(index=False, float_format="{:,.1f}".format))

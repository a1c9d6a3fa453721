"""How plain NUTS fails on model 7b: the same run with a hundred seeds.

What a chain that does not converge does differs from seed to seed, and from processor to
processor. What chapter 4 says of it holds in all of these runs.
"""

import logging
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache

import nutpie
import pandas as pd
import xarray as xr
from nutpie.compile_pymc import CompiledPyMCModel

from poolscreen.inference.gate import diagnose_draws, faults
from poolscreen.inference.samplers import sample_with_pymc
from poolscreen.inference.sampling import Settings, sample_compiled
from poolscreen.models import m7b
from poolscreen.screens.simulate import Design, simulate
from poolscreen.screens.table import Screen
from press import measurements

SEEDS = 100
KEPT_EVERY = 10  # seeds, so that a run that is interrupted leaves what it has
SCALARS = m7b.FAMILY.parameters


@cache  # in each process
def compiled() -> CompiledPyMCModel:
    """Return model 7b as it is written down, compiled for the screen of the book."""
    return nutpie.compile_pymc_model(m7b.build(Screen(simulate(Design())[0])))


def sample(sampler: str, seed: int) -> xr.DataTree:
    """Sample model 7b as it is written down, with the settings of the book and another seed."""
    settings = replace(Settings(), seed=seed)
    if sampler == "nutpie":
        return sample_compiled(compiled(), settings, cores=1)
    logging.getLogger("pymc").setLevel(logging.ERROR)
    return sample_with_pymc(m7b.build(Screen(simulate(Design())[0])), settings)


def attempt(run: tuple[str, int]) -> dict[str, float | str]:
    """Return the diagnostics of the mean and the scales: all parameters can only be worse."""
    sampled = sample(*run)
    posterior, stats = (sampled[group].to_dataset() for group in ("posterior", "sample_stats"))
    diagnostics = diagnose_draws(posterior[SCALARS], stats)
    return dict(zip(("sampler", "seed"), run, strict=True)) | diagnostics


def main() -> None:
    """Sample with both samplers and every seed, as many at a time as there are cores."""
    runs = [(sampler, seed) for seed in range(SEEDS) for sampler in ("pymc", "nutpie")]
    figures = []
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for number, figure in enumerate(pool.map(attempt, runs), start=1):
            figures.append(figure)
            print(f"{number} of {len(runs)}: {figure} {faults(figure)}", flush=True)
            if number % (2 * KEPT_EVERY) == 0:
                measurements.record("seeds", figures)
    shown = pd.DataFrame(figures).drop(columns="seed").groupby("sampler")
    print(shown.quantile([0, 0.5, 1]).to_string(float_format="{:,.2f}".format))

"""How plain NUTS fails where the data leave a direction open: the same runs with a hundred seeds.

What a chain that does not converge does differs from seed to seed, and from processor to
processor. What chapters 4 and 6 say of it holds in all of these runs.

Runs that stand in the record are kept, unless packages that matter have changed since; each names
its processor.
"""

import logging
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache
from typing import Any

import nutpie
import pandas as pd
import xarray as xr
from nutpie.compile_pymc import CompiledPyMCModel

from poolscreen import models
from poolscreen.inference.gate import diagnose_draws, faults
from poolscreen.inference.samplers import sample_with_pymc
from poolscreen.inference.sampling import Settings, sample_compiled
from poolscreen.screens.simulate import Design, simulate
from poolscreen.screens.table import Screen
from press import measurements, paths
from press.results import load_benchmark

SEEDS = 100
KINDS = [("m7b", "pymc"), ("m7b", "nutpie"), ("m7_two_means", "nutpie")]
KEPT_EVERY = 10  # seeds, so that a run that is interrupted leaves what it has
MATTER = ("Python", "pymc", "nutpie", "numba", "pytensor")  # of these the versions

type Run = tuple[str, str, int]  # model, sampler and seed
type Figure = dict[str, Any]


@cache  # in each process
def compiled(model: str) -> CompiledPyMCModel:
    """Return a model as it is written down, compiled for the screen of the book."""
    return nutpie.compile_pymc_model(models.get(model).build(Screen(simulate(Design())[0])))


def sample(model: str, sampler: str, seed: int) -> xr.DataTree:
    """Sample a model as it is written down, with the settings of the book and another seed."""
    settings = replace(Settings(), seed=seed)
    if sampler == "nutpie":
        return sample_compiled(compiled(model), settings, cores=1)
    logging.getLogger("pymc").setLevel(logging.ERROR)
    return sample_with_pymc(models.get(model).build(Screen(simulate(Design())[0])), settings)


def attempt(run: Run) -> Figure:
    """Return the diagnostics of means and scales: over all parameters they can only be worse."""
    sampled = sample(*run)
    posterior, stats = (sampled[group].to_dataset() for group in ("posterior", "sample_stats"))
    scalars = [name for name, values in posterior.items() if values.ndim == 2]
    diagnostics = diagnose_draws(posterior[scalars], stats)
    of_run = dict(zip(("model", "sampler", "seed"), run, strict=True))
    return of_run | diagnostics | {"processor": measurements.machine()["processor"]}


def recorded() -> dict[Run, Figure]:
    """Return what is recorded, if it was measured with the versions that are installed here."""
    if not paths.benchmark_path("seeds").is_file():
        return {}
    record, here = load_benchmark("seeds"), measurements.machine()
    if any(record["machine"][name] != here[name] for name in MATTER):
        return {}
    return {
        (figure["model"], figure["sampler"], figure["seed"]): figure for figure in record["figures"]
    }


def plan() -> tuple[list[Figure], list[Run]]:
    """Return the figures that are kept, and the runs that are still to be made."""
    runs = [(*kind, seed) for seed in range(SEEDS) for kind in KINDS]
    known = recorded()
    kept = [figure for run, figure in known.items() if run in runs]
    return kept, [run for run in runs if run not in known]


def main() -> None:
    """Sample what is missing, as many at a time as there are cores."""
    figures, missing = plan()
    n_runs = len(figures) + len(missing)
    print(f"{len(figures)} of {n_runs} are kept as they are recorded", flush=True)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for number, figure in enumerate(pool.map(attempt, missing), start=len(figures) + 1):
            figures.append(figure)
            print(f"{number} of {n_runs}: {figure} {faults(figure)}", flush=True)
            if number % (len(KINDS) * KEPT_EVERY) == 0:
                measurements.record("seeds", figures)
    shown = pd.DataFrame(figures).drop(columns=["seed", "processor"]).groupby(["model", "sampler"])
    print(shown.quantile([0, 0.5, 1]).to_string(float_format="{:,.2f}".format))

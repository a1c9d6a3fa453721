"""The sampler table of chapter 4, repeated: best and median of interleaved rounds.

Each round has a seed of its own. Beside the table's rows it samples model 7b not centred.
"""

from dataclasses import replace

import pandas as pd

from poolscreen import models
from poolscreen.inference.samplers import attempt, compare
from poolscreen.inference.sampling import Settings
from poolscreen.screens.simulate import Design, simulate
from poolscreen.screens.table import Screen
from poolscreen.tables.fits import ess_per_second
from poolscreen.tables.growth import best_and_median
from press import measurements

ROUNDS = 3


def main() -> None:
    """Sample everything in turn, so often, and keep every figure."""
    screen = Screen(simulate(Design())[0])
    rounds = []
    for number in range(ROUNDS):
        settings = replace(Settings(), seed=Settings().seed + number)
        done = compare(
            screen,
            settings,
            say=lambda text, number=number: print(f"round {number}: {text}"),
        )
        done["_m7b_noncentred/pymc"] = attempt(
            models.get("_m7b_noncentred"), screen, "pymc", settings
        )
        for key, sampled in done.items():
            model, sampler = key.split("/")
            rounds.append(
                {
                    "round": number,
                    "model": model,
                    "sampler": sampler,
                    "seed": settings.seed,
                    **sampled.attrs,
                    "ess_per_second": ess_per_second(sampled),
                }
            )
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

"""NUTS on screens from the prior, where a scale may well be near zero.

The marginal form of every model with a family is held against the weighted points on some of the
screens of its calibration; model 7 is sampled as it is written down on more of them.
"""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pandas as pd

from poolscreen import models
from poolscreen.inference import calibration, gate, sampling
from poolscreen.inference.fitting import off_exact
from poolscreen.inference.posterior import summarise
from poolscreen.inference.refitting import refit
from poolscreen.models import m7
from press import measurements, steps

SCREENS = 20  # of each model, in the marginal form
AS_WRITTEN = 100  # of model 7

type Figure = dict[str, Any]


def marginal(name: str) -> list[Figure]:
    """Sample the marginal form of a model, and hold it against the weighted points."""
    model, design = models.get(name), calibration.design()
    family = model.FAMILY
    assert family is not None
    figures = []
    for number, screen in enumerate(calibration.from_prior(model, design, SCREENS)):
        settings = replace(sampling.MARGINAL, seed=number)
        compiled = sampling.compile_model(family.build(screen), settings)
        drawn = sampling.sample_compiled(compiled, settings, cores=1)
        drawn = sampling.add_effects(family, screen, drawn, number)
        posterior, stats = (drawn[group].to_dataset() for group in ("posterior", "sample_stats"))
        tables = summarise(posterior)
        faults = gate.faults(gate.diagnose(tables, stats))
        of_screen = {"model": name, "form": "marginal", "screen": number}
        off = off_exact(family, screen, tables)
        figures.append(of_screen | {"faults": "; ".join(faults), "off": off})
        print(figures[-1], flush=True)
    return figures


def as_written() -> list[Figure]:
    """Sample model 7 as it is written down, by nutpie's NUTS."""
    model = SimpleNamespace(TITLE=m7.TITLE, FAMILY=None, build=m7.build)
    design = calibration.design()
    refitted = refit(model, design)
    figures = []
    for number, screen in enumerate(calibration.from_prior(m7, design, AS_WRITTEN)):
        _, faults = refitted.fit(screen, number)
        figures.append({"model": "m7", "form": "joint", "screen": number, "faults": faults})
        print(figures[-1], flush=True)
    return figures


def main() -> None:
    """Sample everything, and keep what came of each screen."""
    named = [name for name in steps.fit_names() if "/" not in name and models.get(name).FAMILY]
    figures = [figure for name in named for figure in marginal(name)] + as_written()
    measurements.record("prior_screens", figures)
    found = pd.DataFrame(figures).assign(failed=lambda table: table["faults"] != "")
    summary = found.groupby(["model", "form"]).agg({"failed": "sum", "off": ["median", "max"]})
    print(summary.to_string(float_format="{:,.1f}".format))

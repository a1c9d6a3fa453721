"""Time and peak memory of exact fits, as the screen grows to ten million rows."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import nutpie
import pandas as pd

from poolscreen import models
from poolscreen.families.family import Family, samples
from poolscreen.families.nested.likelihood import build
from poolscreen.inference import gate, sampling
from poolscreen.screens.table import Screen
from press import measurements

# Genes, sgRNAs of each, cell lines: the last one is a genome-wide library in a hundred lines.
SIZES = [
    (20, 5, 10),
    (200, 5, 10),
    (2_000, 5, 10),
    (20_000, 5, 10),
    (20_000, 5, 100),
]
# What is fitted, and to which design. With gaps, an sgRNA is measured in a cell line not at all,
# once or twice, so that a group of five has one of 20 layouts.
FITS = (("m7a", "balanced"), ("m7b", "balanced"), ("m7b", "gaps"))
TIMES_MEASURED = {"balanced": [0, 1, 0], "gaps": [0.1, 0.5, 0.4]}
EVERY = 80  # the moments of the effects are averaged over every 80th draw, 100 of 8,000


def table(design: str, genes: int, sgrnas: int, cell_lines: int) -> pd.DataFrame:
    """Draw a screen from model 7b."""
    rng = np.random.default_rng(103)
    shape = (genes, sgrnas, cell_lines)
    gamma = rng.normal(-1, 1, size=(genes, 1, cell_lines))
    alpha = rng.normal(gamma, 0.2, size=shape).ravel()
    times = rng.choice(3, p=TIMES_MEASURED[design], size=alpha.size)
    row = np.repeat(np.arange(alpha.size), times)
    log_fc = rng.normal(alpha[row], 0.3)
    gene, sgrna, cell = (index.ravel()[row] for index in np.indices(shape))

    def labels(name: str, codes: np.ndarray) -> pd.Categorical:
        categories = [f"{name}_{i}" for i in range(codes.max() + 1)]
        return pd.Categorical.from_codes(codes, categories)

    return pd.DataFrame(
        {
            "cell_line": labels("cell", cell),
            "sgRNA": labels("sgRNA", gene * sgrnas + sgrna),
            "gene": labels("gene", gene),
            "log_fc": log_fc,
        }
    )


def mib(kind: str) -> float:
    """Return the resident memory of this process, now (VmRSS) or at its most (VmHWM)."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(rf"{kind}:\s+(\d+) kB", status)[1]) / 1024


def effect_moments(family: Family, screen: Screen, scales: dict[str, np.ndarray]) -> int:
    """Average mean and variance of every effect over points of the scales; return their number."""
    given, effects = family.closed(screen).given(scales), 0
    step = max(1, 20_000 // len(screen.cell_lines))
    for start in range(0, len(screen.genes), step):
        genes = slice(start, min(start + step, len(screen.genes)))
        for _, moments in given.effects(genes).values():
            mean = moments.mean.mean(axis=0)
            variance = moments.variance.mean(axis=0) + moments.mean.var(axis=0)
            assert (variance > 0).all()
            effects += mean.size
    return effects


def measure(model: str, design: str, size: tuple[int, int, int]) -> dict[str, float]:
    """Fit one model to one screen in this process."""
    family = models.get(model).FAMILY
    drawn = table(design, *size)
    before = mib("VmRSS")
    laps = [time.perf_counter()]
    screen = Screen(drawn)
    form = build(family, screen)
    laps.append(time.perf_counter())
    compiled = nutpie.compile_pymc_model(form)
    laps.append(time.perf_counter())
    sampled = sampling.sample_compiled(compiled, sampling.Settings())
    laps.append(time.perf_counter())
    posterior, stats = (sampled[g].to_dataset() for g in ("posterior", "sample_stats"))
    posterior = posterior[family.parameters]
    thinned = posterior.isel(draw=slice(None, None, EVERY))
    effects = effect_moments(family, screen, samples(thinned))
    laps.append(time.perf_counter())
    assert gate.faults(gate.diagnose_draws(posterior, stats)) == []
    reducing, compiling, drawing, averaging = np.diff(laps)
    return {
        "rows": len(drawn),
        "effects": effects,
        "reducing": reducing,
        "compiling": compiling,
        "sampling": drawing,
        "effects_seconds": averaging,
        "seconds": laps[-1] - laps[0],
        "moment_draws": thinned.sizes["chain"] * thinned.sizes["draw"],
        "mib_before": before,
        "mib_peak": mib("VmHWM"),
    }


def main() -> None:
    """Fit each size in a process of its own, the models in turn."""
    found = []
    for size in SIZES:
        for model, design in FITS:
            command = [
                sys.executable,
                "-m",
                "benchmarks.scaling",
                model,
                design,
                *map(str, size),
            ]
            ran = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE)
            figures = {"model": model, "design": design}
            figures |= json.loads(ran.stdout.splitlines()[-1])
            found.append(figures)
            print(
                f"{model} {design:8} {figures['rows']:>10,} rows {figures['seconds']:8.1f} s "
                f"{figures['mib_peak']:8,.0f} MiB",
                flush=True,
            )
    measurements.record("scaling", found)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        genes, sgrnas, cell_lines = map(int, sys.argv[3:])
        print(json.dumps(measure(*sys.argv[1:3], (genes, sgrnas, cell_lines))))
    else:
        main()

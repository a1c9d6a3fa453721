"""Time and peak memory of fits without draws, as the screen grows to millions of rows."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from poolscreen import models
from poolscreen.inference.exact import solve
from poolscreen.screens.table import Screen
from press import measurements

# Genes, sgRNAs of each, cell lines.
SIZES = [
    (20, 5, 10),
    (200, 5, 10),
    (2_000, 5, 10),
    (20_000, 5, 10),
    (20_000, 5, 40),
]
# What is fitted, and to which design. With gaps, an sgRNA is measured in a cell line not at all,
# once or twice, so that a group of five has one of 20 layouts.
FITS = (
    ("m7a", "balanced"),
    ("m7b", "balanced"),
    ("m7b", "gaps"),
    ("m7", "balanced"),
    ("m8", "balanced"),
    ("m8", "gaps"),
)
# With gaps, model 8 takes each gene by itself; larger screens would take minutes and gigabytes.
LARGEST = {("m8", "gaps"): (200, 5, 10)}
TIMES_MEASURED = {"balanced": [0, 1, 0], "gaps": [0.1, 0.5, 0.4]}


def table(model: str, design: str, genes: int, sgrnas: int, cell_lines: int) -> pd.DataFrame:
    """Draw a screen from model 7, whose genes and sgRNAs are alike in all lines, or from 7b."""
    rng = np.random.default_rng(103)
    shape = (genes, sgrnas, cell_lines)
    crossed = model in ("m7", "m8")
    lines = 1 if crossed else cell_lines
    gamma = rng.normal(-1, 1, size=(genes, 1, lines))
    beta = rng.normal(0, 0.5, size=cell_lines) if crossed else 0.0
    alpha = np.ravel(rng.normal(gamma, 0.2, size=(genes, sgrnas, lines)) + beta)
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


def measure(model: str, design: str, size: tuple[int, int, int]) -> dict[str, float]:
    """Fit one model to one screen in this process, and summarise every effect."""
    family = models.get(model).FAMILY
    drawn = table(model, design, *size)
    before = mib("VmRSS")
    laps = [time.perf_counter()]
    screen = Screen(drawn)
    laps.append(time.perf_counter())
    posterior = solve(family, screen)
    laps.append(time.perf_counter())
    tables = posterior.tables(thresholds=(0.0,))
    laps.append(time.perf_counter())
    checking, integrating, summarising = np.diff(laps)
    return {
        "rows": len(drawn),
        "effects": sum(map(len, tables.values())) - len(tables["scalars"]),
        "checking": checking,
        "integrating": integrating,
        "summarising": summarising,
        "seconds": laps[-1] - laps[0],
        "error": posterior.points.error,
        "mib_before": before,
        "mib_peak": mib("VmHWM"),
    }


def main() -> None:
    """Fit each size in a process of its own, the models in turn."""
    found = []
    for size in SIZES:
        for model, design in FITS:
            if size > LARGEST.get((model, design), size):
                continue
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

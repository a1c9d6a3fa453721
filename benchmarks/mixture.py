"""Calibration of model 9: its intervals and lists on simulated screens like a real one.

The parameters of each screen scatter about those of HAP1: scales and degrees of freedom by a factor
of about 1.5 either way, shares likewise in their odds, means by a quarter of a log fold change.
"""

from collections.abc import Iterator

import numpy as np
from benchmarks import genome
from benchmarks.peers import Figure

from poolscreen.effects.hits import find_hits
from poolscreen.errors import PoolscreenError
from poolscreen.families.mixture.simulation import simulate_mixture
from poolscreen.inference.quadrature import PARAMETERS, find_mode
from press import measurements

SCREENS, GENES = 30, 1500
SCATTER, OF_MEANS = 0.4, 0.25  # in the coordinates of the search; of what may have either sign


def parameters() -> Iterator[dict[str, float]]:
    """Draw parameters about those of HAP1."""
    mode = find_mode(genome.screen(*genome.read())).parameters
    rng = np.random.default_rng(103)
    for _ in range(SCREENS):
        yield {
            name: float(of.inside(of.line(mode[name]) + rng.normal(0, _sd(name))))
            for name, of in PARAMETERS.items()
        }


def _sd(name: str) -> float:
    return OF_MEANS if name.startswith("mu") else SCATTER


def fitted(true: dict[str, float], seed: int) -> Figure:
    """Fit a simulated screen, and hold it against the truth."""
    screen, truth = simulate_mixture(true, n_genes=GENES, replicates=3, seed=seed)
    try:
        found = find_hits(screen).genes.set_index("gene").loc[truth["gene"]]
    except PoolscreenError as error:
        return {"failed": str(error)}
    effect, listed = truth["effect"].to_numpy(), (found["fdr"] < genome.FALSE).to_numpy()
    inside = (found["hdi_3%"] < effect) & (effect < found["hdi_97%"])
    sign = np.where(found["mean"] < 0, "down", "up")
    some = (truth["part"] != "null").to_numpy()
    return {
        "failed": "",
        "genes": GENES,
        "inside": float(inside.mean()),
        "inside_of_some": float(inside[some].mean()),
        "listed": int(listed.sum()),
        "expected": float(found["lfsr"][listed].sum()),
        "false": int((listed & (truth["part"].to_numpy() != sign)).sum()),
    }


def main() -> None:
    """Measure everything, and keep it."""
    figures = []
    for seed, true in enumerate(parameters()):
        figure = {"screen": seed} | fitted(true, seed)
        print(figure, flush=True)
        figures.append(figure)
    measurements.record("mixture", figures)

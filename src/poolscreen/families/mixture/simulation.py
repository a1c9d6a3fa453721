"""Model 9 run forwards."""

import numpy as np
import pandas as pd
from scipy import stats

from poolscreen.arrays import FloatArray
from poolscreen.families.mixture.densities import Values
from poolscreen.screens.table import INITIAL, Screen


def simulate_mixture(
    values: Values,
    *,
    n_genes: int,
    sgrnas: int = 4,
    replicates: int = 2,
    reads: float = 400.0,
    seed: int,
) -> tuple[Screen, pd.DataFrame]:
    """Simulate a screen of one cell line, `A`, by model 9.

    Parameters
    ----------
    values : mapping of str to float
        The parameters.
    n_genes, sgrnas, replicates : int
        Numbers of genes, of sgRNAs of each, and of measurements of each sgRNA.
    reads : float
        Median number of reads of an sgRNA before the screen; their logarithms have a standard
        deviation of 0.5.
    seed : int
        Seed of the random stream.

    Returns
    -------
    screen : Screen
        With the column `initial_reads`.
    truth : pandas.DataFrame
        A row per gene: `gene`, `part` (null, down or up) and `effect`.

    Examples
    --------
    >>> from poolscreen.families.mixture.densities import START
    >>> screen, truth = simulate_mixture(START, n_genes=50, seed=1)
    >>> len(screen.log_fc), (truth["effect"][truth["part"] == "down"] < 0).all().item()
    (400, True)
    """
    rng = np.random.default_rng(seed)
    null, up = values["null"], values["up"]
    part = rng.choice(3, n_genes, p=[null, (1 - null) * (1 - up), (1 - null) * up])
    draws = rng.random(n_genes)
    effect = np.choose(
        part,
        [
            rng.normal(values["mu_null"], values["sd_null"], n_genes),
            -_above_zero(-values["mu_down"], values["sd_down"], draws),
            _above_zero(0.0, values["sd_up"], draws),
        ],
    )
    gene = np.repeat(np.arange(n_genes), sgrnas)
    spread = np.hypot(values["sigma_alpha"], values["slope_alpha"] * effect[gene])
    theta = effect[gene] + spread * rng.standard_t(values["nu_alpha"], len(gene))
    initial = reads * rng.lognormal(0, 0.5, len(gene))
    noise = np.sqrt(values["sigma"] ** 2 + values["omega"] / (initial * 2**theta))
    rows = pd.DataFrame(
        {
            "cell_line": "A",
            "sgRNA": [f"s{number}" for number in range(len(gene))],
            "gene": [f"g{number}" for number in gene],
            INITIAL: initial,
        }
    )
    measured = [
        rows.assign(
            replicate=str(number + 1),
            log_fc=theta + noise * rng.standard_t(values["nu"], len(gene)),
        )
        for number in range(replicates)
    ]
    truth = pd.DataFrame(
        {
            "gene": [f"g{number}" for number in range(n_genes)],
            "part": np.array(["null", "down", "up"])[part],
            "effect": effect,
        }
    )
    return Screen(pd.concat(measured, ignore_index=True)), truth


def _above_zero(mean: float, sd: float, draws: FloatArray) -> FloatArray:
    """Return quantiles of a normal distribution that is cut off at zero."""
    found: FloatArray = stats.truncnorm.ppf(draws, -mean / sd, np.inf, loc=mean, scale=sd)
    return found

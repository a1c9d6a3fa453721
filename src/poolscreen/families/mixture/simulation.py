"""Model 9 run forwards."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from poolscreen.arrays import FloatArray, IntArray
from poolscreen.families.mixture.densities import Values
from poolscreen.screens.table import INITIAL, Screen


def simulate_mixture(
    values: Values,
    *,
    n_genes: int,
    sgrnas: int = 4,
    replicates: int = 2,
    reads: float = 400.0,
    lines: Sequence[str] = ("A",),
    selective: float = 0.1,
    efficacy: float = 0.0,
    offset: float = 0.0,
    seed: int,
) -> tuple[Screen, pd.DataFrame]:
    """Simulate a screen by model 9.

    Parameters
    ----------
    values : mapping of str to float
        The parameters.
    n_genes, sgrnas, replicates : int
        Numbers of genes, of sgRNAs of each, and of measurements of each sgRNA.
    reads : float
        Median number of reads of an sgRNA before the screen, which all lines share; their
        logarithms have a standard deviation of 0.5.
    lines : sequence of str
        Names of the cell lines.
    selective : float
        Share of the genes whose effect is drawn anew in each line; the others have the same in all.
    efficacy, offset : float
        Scales of what an sgRNA does alike in all lines, see `poolscreen.effects.efficacy`.
    seed : int
        Seed of the random stream.

    Returns
    -------
    screen : Screen
        With the column `initial_reads`.
    truth : pandas.DataFrame
        A row per cell line and gene: `cell_line`, `gene`, `part` (null, down or up) and `effect`.

    Examples
    --------
    >>> from poolscreen.families.mixture.densities import START
    >>> screen, truth = simulate_mixture(START, n_genes=50, seed=1)
    >>> len(screen.log_fc), (truth["effect"][truth["part"] == "down"] < 0).all().item()
    (400, True)
    """
    rng = np.random.default_rng(seed)
    of_lines, of_guides = rng.spawn(2)
    part, effect = _drawn(values, n_genes, rng)
    own = of_lines.random(n_genes) < selective
    gene = np.repeat(np.arange(n_genes), sgrnas)
    nu = values["nu_alpha"]
    rho = efficacy * of_guides.standard_t(nu, len(gene))
    tau = offset * of_guides.standard_t(nu, len(gene))
    initial: FloatArray | None = None
    measured: list[pd.DataFrame] = []
    truth: list[pd.DataFrame] = []
    for line in lines:
        if measured:
            new_part, new_effect = _drawn(values, n_genes, of_lines)
            part, effect = np.where(own, new_part, part), np.where(own, new_effect, effect)
        spread = np.hypot(values["sigma_alpha"], values["slope_alpha"] * effect[gene])
        theta = effect[gene] * (1 + rho) + tau + spread * rng.standard_t(nu, len(gene))
        if initial is None:
            initial = reads * rng.lognormal(0, 0.5, len(gene))
        noise = np.sqrt(values["sigma"] ** 2 + values["omega"] / (initial * 2**theta))
        rows = pd.DataFrame(
            {
                "cell_line": line,
                "sgRNA": [f"s{number}" for number in range(len(gene))],
                "gene": [f"g{number}" for number in gene],
                INITIAL: initial,
            }
        )
        measured += [
            rows.assign(
                replicate=str(number + 1),
                log_fc=theta + noise * rng.standard_t(values["nu"], len(gene)),
            )
            for number in range(replicates)
        ]
        names = {"cell_line": line, "gene": [f"g{number}" for number in range(n_genes)]}
        kinds = np.array(["null", "down", "up"])[part]
        truth.append(pd.DataFrame({**names, "part": kinds, "effect": effect}))
    return Screen(pd.concat(measured, ignore_index=True)), pd.concat(truth, ignore_index=True)


def _drawn(values: Values, n_genes: int, rng: np.random.Generator) -> tuple[IntArray, FloatArray]:
    """Draw the part of each gene (0, 1 or 2), and its effect."""
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
    return part, effect


def _above_zero(mean: float, sd: float, draws: FloatArray) -> FloatArray:
    """Return quantiles of a normal distribution that is cut off at zero."""
    found: FloatArray = stats.truncnorm.ppf(draws, -mean / sd, np.inf, loc=mean, scale=sd)
    return found

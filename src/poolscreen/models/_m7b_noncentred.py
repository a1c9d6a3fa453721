r"""Model 7b with standardised deviations, the usual remedy for a funnel; no model of the book.

The same model in other coordinates: :math:`\gamma_{gc} = \mu_\gamma + \sigma_\gamma z_{gc}` and
:math:`\alpha_{sc} = \gamma_{g[s],c} + \sigma_\alpha z_{sc}` with standard normal :math:`z`.
"""

import pymc as pm

from poolscreen.screens.table import Screen

TITLE = "7b with standardised deviations"
FAMILY = None  # it is compared as it stands


def build(screen: Screen) -> pm.Model:
    """Write model 7b down for a screen, not centred."""
    with pm.Model(coords=screen.coords) as model:
        sgrna_idx = pm.Data("sgrna_idx", screen.sgrna_idx, dims="obs")
        cell_idx = pm.Data("cell_idx", screen.cell_idx, dims="obs")
        gene_of_sgrna = pm.Data("gene_of_sgrna", screen.gene_of_sgrna, dims="sgRNA")

        mu_gamma = pm.Normal("mu_gamma", 0, 5)
        sigma_gamma = pm.Exponential("sigma_gamma", 1)
        z_gc = pm.Normal("z_gc", 0, 1, dims=("gene", "cell_line"))
        gamma_gc = pm.Deterministic(
            "gamma_gc", mu_gamma + sigma_gamma * z_gc, dims=("gene", "cell_line")
        )

        sigma_alpha = pm.Exponential("sigma_alpha", 1)
        z_sc = pm.Normal("z_sc", 0, 1, dims=("sgRNA", "cell_line"))
        alpha_sc = pm.Deterministic(
            "alpha_sc",
            gamma_gc[gene_of_sgrna] + sigma_alpha * z_sc,
            dims=("sgRNA", "cell_line"),
        )
        sigma = pm.Exponential("sigma", 1)

        mu = alpha_sc[sgrna_idx, cell_idx]
        y = pm.Data("y", screen.log_fc, dims="obs")
        pm.Normal("log_fc", mu, sigma, observed=y, dims="obs")
    return model

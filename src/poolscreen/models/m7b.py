r"""Model 7b: an intercept per sgRNA and cell line, nested in one per gene and cell line.

.. math::

    \text{logFC}_i &\sim \text{Normal}(\alpha_{s[i],c[i]}, \sigma) \\
    \alpha_{sc} &\sim \text{Normal}(\gamma_{g[s],c}, \sigma_\alpha) \\
    \gamma_{gc} &\sim \text{Normal}(\mu_\gamma, \sigma_\gamma) \\
    \mu_\gamma &\sim \text{Normal}(0, 5) \\
    \sigma_\gamma, \sigma_\alpha, \sigma &\sim \text{Exponential}(1)
"""

import pymc as pm

from poolscreen.families.nested.family import NestedNormal
from poolscreen.screens.table import Screen

TITLE = "sgRNA × cell line within gene × cell line, partial pooling"
FAMILY = NestedNormal(
    top="gamma_gc",
    level="gene",
    mean="mu_gamma",
    sd="sigma_gamma",
    nested="alpha_sc",
    nested_sd="sigma_alpha",
)


def build(screen: Screen) -> pm.Model:
    """Write model 7b down for a screen."""
    with pm.Model(coords=screen.coords) as model:
        sgrna_idx = pm.Data("sgrna_idx", screen.sgrna_idx, dims="obs")
        cell_idx = pm.Data("cell_idx", screen.cell_idx, dims="obs")
        gene_of_sgrna = pm.Data("gene_of_sgrna", screen.gene_of_sgrna, dims="sgRNA")

        mu_gamma = pm.Normal("mu_gamma", 0, 5)
        sigma_gamma = pm.Exponential("sigma_gamma", 1)
        gamma_gc = pm.Normal("gamma_gc", mu_gamma, sigma_gamma, dims=("gene", "cell_line"))

        sigma_alpha = pm.Exponential("sigma_alpha", 1)
        gamma_sc = gamma_gc[gene_of_sgrna]  # one row per sgRNA, not per observation
        alpha_sc = pm.Normal("alpha_sc", gamma_sc, sigma_alpha, dims=("sgRNA", "cell_line"))
        sigma = pm.Exponential("sigma", 1)

        mu = alpha_sc[sgrna_idx, cell_idx]
        y = pm.Data("y", screen.log_fc, dims="obs")
        pm.Normal("log_fc", mu, sigma, observed=y, dims="obs")
    return model

r"""Model 7a: one intercept per gene and cell line, partially pooled.

.. math::

    \text{logFC}_i &\sim \text{Normal}(\alpha_{g[i],c[i]}, \sigma) \\
    \alpha_{gc} &\sim \text{Normal}(\mu_\alpha, \sigma_\alpha) \\
    \mu_\alpha &\sim \text{Normal}(0, 5) \\
    \sigma_\alpha, \sigma &\sim \text{Exponential}(1)
"""

import pymc as pm

from poolscreen.families.nested.family import NestedNormal
from poolscreen.screens.table import Screen

TITLE = "gene × cell line, partial pooling"
FAMILY = NestedNormal(top="alpha_gc", level="gene", mean="mu_alpha_gc", sd="sigma_alpha")


def build(screen: Screen) -> pm.Model:
    """Write model 7a down for a screen."""
    with pm.Model(coords=screen.coords) as model:
        gene_idx = pm.Data("gene_idx", screen.gene_idx, dims="obs")
        cell_idx = pm.Data("cell_idx", screen.cell_idx, dims="obs")

        mu_alpha_gc = pm.Normal("mu_alpha_gc", 0, 5)
        sigma_alpha = pm.Exponential("sigma_alpha", 1)
        alpha_gc = pm.Normal("alpha_gc", mu_alpha_gc, sigma_alpha, dims=("gene", "cell_line"))
        sigma = pm.Exponential("sigma", 1)

        mu = alpha_gc[gene_idx, cell_idx]
        y = pm.Data("y", screen.log_fc, dims="obs")
        pm.Normal("log_fc", mu, sigma, observed=y, dims="obs")
    return model

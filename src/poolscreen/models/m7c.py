r"""Model 7c: effects of genes and of cell lines; all sgRNAs of a gene are alike.

.. math::

    \text{logFC}_i &\sim \text{Normal}(\mu + \gamma_{g[i]} + \beta_{c[i]}, \sigma) \\
    \gamma_g &\sim \text{ZeroSumNormal}(\sigma_\gamma) \\
    \beta_c &\sim \text{ZeroSumNormal}(\sigma_\beta) \\
    \mu &\sim \text{Normal}(0, 5) \\
    \sigma_\gamma, \sigma_\beta, \sigma &\sim \text{Exponential}(1)
"""

import pymc as pm

from poolscreen.families.crossed.family import Crossed
from poolscreen.screens.table import Screen

TITLE = "gene, crossed with cell line, partial pooling"
FAMILY = Crossed(nested_sd=None)


def build(screen: Screen) -> pm.Model:
    """Write model 7c down for a screen."""
    with pm.Model(coords=screen.coords) as model:
        gene_idx = pm.Data("gene_idx", screen.gene_idx, dims="obs")
        cell_idx = pm.Data("cell_idx", screen.cell_idx, dims="obs")

        mu = pm.Normal("mu", 0, 5)
        sigma_gamma = pm.Exponential("sigma_gamma", 1)
        gamma_g = pm.ZeroSumNormal("gamma_g", sigma_gamma, dims="gene")
        sigma_beta = pm.Exponential("sigma_beta", 1)
        beta_c = pm.ZeroSumNormal("beta_c", sigma_beta, dims="cell_line")
        sigma = pm.Exponential("sigma", 1)

        y = pm.Data("y", screen.log_fc, dims="obs")
        pm.Normal(
            "log_fc",
            mu + gamma_g[gene_idx] + beta_c[cell_idx],
            sigma,
            observed=y,
            dims="obs",
        )
    return model

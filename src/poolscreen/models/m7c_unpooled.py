r"""Model 7c without pooling: an effect of each gene and of each cell line, and fixed priors.

Additive least squares, but for priors as wide as those of the other models without pooling.

.. math::

    \text{logFC}_i &\sim \text{Normal}(\mu + \gamma_{g[i]} + \beta_{c[i]}, \sigma) \\
    \gamma_g, \beta_c &\sim \text{ZeroSumNormal}(5) \\
    \mu &\sim \text{Normal}(0, 5) \\
    \sigma &\sim \text{Exponential}(1)
"""

import pymc as pm

from poolscreen.families.crossed.family import Crossed
from poolscreen.screens.table import Screen

TITLE = "gene + cell line, no pooling"
FAMILY = Crossed(nested_sd=None, gene_sd=5.0, line_sd=5.0)


def build(screen: Screen) -> pm.Model:
    """Write model 7c without pooling down for a screen."""
    with pm.Model(coords=screen.coords) as model:
        gene_idx = pm.Data("gene_idx", screen.gene_idx, dims="obs")
        cell_idx = pm.Data("cell_idx", screen.cell_idx, dims="obs")

        mu = pm.Normal("mu", 0, 5)
        gamma_g = pm.ZeroSumNormal("gamma_g", 5, dims="gene")
        beta_c = pm.ZeroSumNormal("beta_c", 5, dims="cell_line")
        sigma = pm.Exponential("sigma", 1)

        y = pm.Data("y", screen.log_fc, dims="obs")
        pm.Normal(
            "log_fc", mu + gamma_g[gene_idx] + beta_c[cell_idx], sigma, observed=y, dims="obs"
        )
    return model

r"""Model 7a without pooling: the prior of the intercepts is fixed.

.. math::

    \text{logFC}_i &\sim \text{Normal}(\alpha_{g[i],c[i]}, \sigma) \\
    \alpha_{gc} &\sim \text{Normal}(0, 5) \\
    \sigma &\sim \text{Exponential}(1)
"""

import pymc as pm

from poolscreen.families.nested.family import NestedNormal
from poolscreen.screens.table import Screen

TITLE = "gene × cell line, no pooling"
FAMILY = NestedNormal(top="alpha_gc", level="gene", mean=0.0, sd=5.0)


def build(screen: Screen) -> pm.Model:
    """Write model 7a without pooling down for a screen."""
    with pm.Model(coords=screen.coords) as model:
        gene_idx = pm.Data("gene_idx", screen.gene_idx, dims="obs")
        cell_idx = pm.Data("cell_idx", screen.cell_idx, dims="obs")

        alpha_gc = pm.Normal("alpha_gc", 0, 5, dims=("gene", "cell_line"))
        sigma = pm.Exponential("sigma", 1)

        mu = alpha_gc[gene_idx, cell_idx]
        y = pm.Data("y", screen.log_fc, dims="obs")
        pm.Normal("log_fc", mu, sigma, observed=y, dims="obs")
    return model

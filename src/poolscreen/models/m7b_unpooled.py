r"""Model 7b without pooling: an intercept per sgRNA and cell line under a fixed prior.

.. math::

    \text{logFC}_i &\sim \text{Normal}(\alpha_{s[i],c[i]}, \sigma) \\
    \alpha_{sc} &\sim \text{Normal}(0, 5) \\
    \sigma &\sim \text{Exponential}(1)
"""

import pymc as pm

from poolscreen.families.nested.family import NestedNormal
from poolscreen.screens.table import Screen

TITLE = "sgRNA × cell line, no pooling"
FAMILY = NestedNormal(top="alpha_sc", level="sgRNA", mean=0.0, sd=5.0)


def build(screen: Screen) -> pm.Model:
    """Write model 7b without pooling down for a screen."""
    with pm.Model(coords=screen.coords) as model:
        sgrna_idx = pm.Data("sgrna_idx", screen.sgrna_idx, dims="obs")
        cell_idx = pm.Data("cell_idx", screen.cell_idx, dims="obs")

        alpha_sc = pm.Normal("alpha_sc", 0, 5, dims=("sgRNA", "cell_line"))
        sigma = pm.Exponential("sigma", 1)

        mu = alpha_sc[sgrna_idx, cell_idx]
        y = pm.Data("y", screen.log_fc, dims="obs")
        pm.Normal("log_fc", mu, sigma, observed=y, dims="obs")
    return model

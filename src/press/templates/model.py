r"""Model BLANK_NAME: BLANK_TITLE.

A start: one effect per gene, partially pooled, and noise.

.. math::

    \text{logFC}_i &\sim \text{Normal}(\gamma_{g[i]}, \sigma) \\
    \gamma_g &\sim \text{Normal}(\mu_\gamma, \sigma_\gamma) \\
    \mu_\gamma &\sim \text{Normal}(0, 5) \\
    \sigma_\gamma, \sigma &\sim \text{Exponential}(1)
"""

import pymc as pm

from poolscreen.screens.table import Screen

TITLE = "BLANK_TITLE"
FAMILY = None  # all parameters are sampled; poolscreen.families has what can do better


def build(screen: Screen) -> pm.Model:
    """Write model BLANK_NAME down for a screen."""
    with pm.Model(coords=screen.coords) as model:
        gene_idx = pm.Data("gene_idx", screen.gene_idx, dims="obs")

        mu_gamma = pm.Normal("mu_gamma", 0, 5)
        sigma_gamma = pm.Exponential("sigma_gamma", 1)
        gamma_g = pm.Normal("gamma_g", mu_gamma, sigma_gamma, dims="gene")
        sigma = pm.Exponential("sigma", 1)

        y = pm.Data("y", screen.log_fc, dims="obs")
        pm.Normal("log_fc", gamma_g[gene_idx], sigma, observed=y, dims="obs")
    return model

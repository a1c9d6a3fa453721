r"""Model 7 as the original states it: the genes have a mean, and the cell lines another.

.. math::

    \text{logFC}_i &\sim \text{Normal}(\alpha_{s[i]} + \beta_{c[i]}, \sigma) \\
    \alpha_s &\sim \text{Normal}(\gamma_{g[s]}, \sigma_\alpha) \\
    \gamma_g &\sim \text{Normal}(\mu_\gamma, \sigma_\gamma) \\
    \beta_c &\sim \text{Normal}(\mu_\beta, \sigma_\beta) \\
    \mu_\gamma, \mu_\beta &\sim \text{Normal}(0, 5) \\
    \sigma_\gamma, \sigma_\alpha, \sigma_\beta, \sigma &\sim \text{Exponential}(1)

The data know the sum of the two means, and nothing else of them; `m7` says the same without them.
"""

import pymc as pm

from poolscreen.families.crossed.family import Crossed
from poolscreen.screens.table import Screen

TITLE = "model 7 with a mean of the genes and one of the cell lines"
FAMILY = Crossed(two_means=True)


def build(screen: Screen) -> pm.Model:
    """Write model 7 with two means down for a screen."""
    with pm.Model(coords=screen.coords) as model:
        sgrna_idx = pm.Data("sgrna_idx", screen.sgrna_idx, dims="obs")
        cell_idx = pm.Data("cell_idx", screen.cell_idx, dims="obs")
        gene_of_sgrna = pm.Data("gene_of_sgrna", screen.gene_of_sgrna, dims="sgRNA")

        mu_gamma = pm.Normal("mu_gamma", 0, 5)
        sigma_gamma = pm.Exponential("sigma_gamma", 1)
        gamma_g = pm.Normal("gamma_g", mu_gamma, sigma_gamma, dims="gene")
        sigma_alpha = pm.Exponential("sigma_alpha", 1)
        alpha_s = pm.Normal("alpha_s", gamma_g[gene_of_sgrna], sigma_alpha, dims="sgRNA")
        mu_beta = pm.Normal("mu_beta", 0, 5)
        sigma_beta = pm.Exponential("sigma_beta", 1)
        beta_c = pm.Normal("beta_c", mu_beta, sigma_beta, dims="cell_line")
        sigma = pm.Exponential("sigma", 1)

        y = pm.Data("y", screen.log_fc, dims="obs")
        pm.Normal(
            "log_fc",
            alpha_s[sgrna_idx] + beta_c[cell_idx],
            sigma,
            observed=y,
            dims="obs",
        )
    return model

r"""Model 7, the model that made the data: nested effects of sgRNAs, crossed with cell lines.

An intercept, and effects of genes and of cell lines that sum to zero: each is defined against the
average of its kind. Only so are they identified; see `m7_two_means`.

.. math::

    \text{logFC}_i &\sim \text{Normal}(\alpha_{s[i]} + \beta_{c[i]}, \sigma) \\
    \alpha_s &\sim \text{Normal}(\mu + \gamma_{g[s]}, \sigma_\alpha) \\
    \gamma_g &\sim \text{ZeroSumNormal}(\sigma_\gamma) \\
    \beta_c &\sim \text{ZeroSumNormal}(\sigma_\beta) \\
    \mu &\sim \text{Normal}(0, 5) \\
    \sigma_\gamma, \sigma_\alpha, \sigma_\beta, \sigma &\sim \text{Exponential}(1)
"""

import pymc as pm

from poolscreen.families.crossed.family import Crossed
from poolscreen.screens.table import Screen

TITLE = "sgRNA within gene, crossed with cell line, partial pooling"
FAMILY = Crossed()


def build(screen: Screen) -> pm.Model:
    """Write model 7 down for a screen."""
    with pm.Model(coords=screen.coords) as model:
        sgrna_idx = pm.Data("sgrna_idx", screen.sgrna_idx, dims="obs")
        cell_idx = pm.Data("cell_idx", screen.cell_idx, dims="obs")
        gene_of_sgrna = pm.Data("gene_of_sgrna", screen.gene_of_sgrna, dims="sgRNA")

        mu = pm.Normal("mu", 0, 5)
        sigma_gamma = pm.Exponential("sigma_gamma", 1)
        gamma_g = pm.ZeroSumNormal("gamma_g", sigma_gamma, dims="gene")
        sigma_alpha = pm.Exponential("sigma_alpha", 1)
        alpha_s = pm.Normal("alpha_s", mu + gamma_g[gene_of_sgrna], sigma_alpha, dims="sgRNA")
        sigma_beta = pm.Exponential("sigma_beta", 1)
        beta_c = pm.ZeroSumNormal("beta_c", sigma_beta, dims="cell_line")
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

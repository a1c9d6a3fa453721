r"""Model 8 for screens with replicates: sgRNAs differ by cell line, too.

Model 8 takes the replicates of an sgRNA in a cell line for independent. Here they share a deviation
of the sgRNA in this line, which only replicates can tell from the noise.

.. math::

    \text{logFC}_i &\sim \text{Normal}(\alpha_{s[i]} + \beta_{c[i]} + \delta_{g[i]c[i]} +
    \eta_{s[i]c[i]}, \sigma) \\
    \alpha_s &\sim \text{Normal}(\mu + \gamma_{g[s]}, \sigma_\alpha) \\
    \gamma_g &\sim \text{ZeroSumNormal}(\sigma_\gamma) \\
    \beta_c &\sim \text{ZeroSumNormal}(\sigma_\beta) \\
    \delta_{gc} &\sim \text{Normal}(0, \sigma_\delta) \\
    \eta_{sc} &\sim \text{Normal}(0, \sigma_\eta) \\
    \mu &\sim \text{Normal}(0, 5) \\
    \sigma_\gamma, \sigma_\alpha, \sigma_\beta, \sigma_\delta, \sigma_\eta, \sigma
    &\sim \text{Exponential}(1)
"""

import pymc as pm

from poolscreen.families.crossed.family import Crossed
from poolscreen.screens.table import Screen

TITLE = "model 8 with sgRNAs that differ by cell line"
FAMILY = Crossed(interaction_sd="sigma_delta", own_sd="sigma_eta")


def build(screen: Screen) -> pm.Model:
    """Write model 8 down for a screen with replicates."""
    with pm.Model(coords=screen.coords) as model:
        sgrna_idx = pm.Data("sgrna_idx", screen.sgrna_idx, dims="obs")
        gene_idx = pm.Data("gene_idx", screen.gene_idx, dims="obs")
        cell_idx = pm.Data("cell_idx", screen.cell_idx, dims="obs")
        gene_of_sgrna = pm.Data("gene_of_sgrna", screen.gene_of_sgrna, dims="sgRNA")

        mu = pm.Normal("mu", 0, 5)
        sigma_gamma = pm.Exponential("sigma_gamma", 1)
        gamma_g = pm.ZeroSumNormal("gamma_g", sigma_gamma, dims="gene")
        sigma_alpha = pm.Exponential("sigma_alpha", 1)
        alpha_s = pm.Normal("alpha_s", mu + gamma_g[gene_of_sgrna], sigma_alpha, dims="sgRNA")
        sigma_beta = pm.Exponential("sigma_beta", 1)
        beta_c = pm.ZeroSumNormal("beta_c", sigma_beta, dims="cell_line")
        sigma_delta = pm.Exponential("sigma_delta", 1)
        delta_gc = pm.Normal("delta_gc", 0, sigma_delta, dims=("gene", "cell_line"))
        sigma_eta = pm.Exponential("sigma_eta", 1)
        eta_sc = pm.Normal("eta_sc", 0, sigma_eta, dims=("sgRNA", "cell_line"))
        sigma = pm.Exponential("sigma", 1)

        y = pm.Data("y", screen.log_fc, dims="obs")
        pm.Normal(
            "log_fc",
            alpha_s[sgrna_idx]
            + beta_c[cell_idx]
            + delta_gc[gene_idx, cell_idx]
            + eta_sc[sgrna_idx, cell_idx],
            sigma,
            observed=y,
            dims="obs",
        )
    return model

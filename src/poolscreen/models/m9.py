r"""Model 9: most genes have no effect, and sgRNAs differ in proportion to that of their gene.

It is for a screen of many genes. The noise follows the reads that are expected after the screen,
:math:`2^{\theta} n`, with the normalised reads before it, :math:`n`.

.. math::

    \text{logFC}_i &\sim \text{Student}_\nu\bigl(\theta_{s[i]c[i]},
        \sqrt{\sigma^2 + \omega / (2^{\theta_{s[i]c[i]}} n_i)}\bigr) \\
    \theta_{sc} &\sim \text{Student}_{\nu_\alpha}\bigl(\gamma_{g[s]c},
        \sqrt{\sigma_\alpha^2 + \lambda^2 \gamma_{g[s]c}^2}\bigr) \\
    \gamma_{gc} &\sim \pi_0\, \text{Normal}(\mu_0, \tau_0)
        + (1 - \pi_0) (1 - \pi_+)\, \text{Normal}^-(\mu_-, \tau_-)
        + (1 - \pi_0)\, \pi_+\, \text{Normal}^+(0, \tau_+)

The parts with a superscript are cut off at zero. The priors are those of
`poolscreen.inference.quadrature.PARAMETERS`, where the model is fitted, line by line.
"""

import numpy as np
import pymc as pm

from poolscreen.screens.table import INITIAL, Screen

TITLE = "a mixture for many genes, with heavy tails"
FAMILY = None


def build(screen: Screen) -> pm.Model:
    """Write model 9 down for the cell lines of a screen, which share their parameters."""
    with pm.Model(coords=screen.coords) as model:
        sgrna_idx = pm.Data("sgrna_idx", screen.sgrna_idx, dims="obs")
        cell_idx = pm.Data("cell_idx", screen.cell_idx, dims="obs")
        gene_of_sgrna = pm.Data("gene_of_sgrna", screen.gene_of_sgrna, dims="sgRNA")

        null = pm.Beta("null", 8, 2)
        up = pm.Beta("up", 1, 3)
        mu_null, sd_null = pm.Normal("mu_null", 0, 0.25), pm.Exponential("sd_null", 1)
        mu_down, sd_down = pm.Normal("mu_down", -2, 1), pm.Exponential("sd_down", 1)
        sd_up = pm.Exponential("sd_up", 1)
        parts = [
            pm.Normal.dist(mu_null, sd_null),
            pm.TruncatedNormal.dist(mu_down, sd_down, upper=0),
            pm.TruncatedNormal.dist(0, sd_up, lower=0),
        ]
        weights = pm.math.stack([null, (1 - null) * (1 - up), (1 - null) * up])
        gamma_gc = pm.Mixture("gamma_gc", weights, parts, dims=("gene", "cell_line"))

        sigma_alpha, slope = pm.Exponential("sigma_alpha", 1), pm.Exponential("slope_alpha", 1)
        nu_alpha = 1 + pm.Gamma("nu_alpha_above_1", 2, 0.1)
        about = gamma_gc[gene_of_sgrna]
        spread = pm.math.sqrt(sigma_alpha**2 + slope**2 * about**2)
        theta_sc = pm.StudentT(
            "theta_sc", nu_alpha, about, sigma=spread, dims=("sgRNA", "cell_line")
        )

        nu = 1 + pm.Gamma("nu_above_1", 2, 0.1)
        variance, effect = pm.Exponential("sigma", 1) ** 2, theta_sc[sgrna_idx, cell_idx]
        if INITIAL in screen.table:
            reads = pm.Data("reads", screen.table[INITIAL].to_numpy(np.float64), dims="obs")
            variance = variance + pm.Exponential("omega", 0.01) / (2**effect * reads)
        y = pm.Data("y", screen.log_fc, dims="obs")
        noise = pm.math.sqrt(variance)
        pm.StudentT("log_fc", nu, effect, sigma=noise, observed=y, dims="obs")
    return model

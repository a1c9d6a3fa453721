r"""Model 7a with a deliberate error, which calibration has to catch; no model of the book.

The intercepts have the *variance* :math:`\sigma_\alpha^2` where their standard deviation belongs.
The family is that of the right model: data sets drawn from this one are fitted with model 7a.
"""

import pymc as pm

from poolscreen.models import m7a
from poolscreen.screens.table import Screen

TITLE = "gene × cell line, partial pooling, with an error"
FAMILY = m7a.FAMILY


def build(screen: Screen) -> pm.Model:
    """Write model 7a down for a screen, with an error."""
    with pm.Model(coords=screen.coords) as model:
        gene_idx = pm.Data("gene_idx", screen.gene_idx, dims="obs")
        cell_idx = pm.Data("cell_idx", screen.cell_idx, dims="obs")

        mu_alpha_gc = pm.Normal("mu_alpha_gc", 0, 5)
        sigma_alpha = pm.Exponential("sigma_alpha", 1)
        variance = sigma_alpha**2  # no standard deviation
        alpha_gc = pm.Normal("alpha_gc", mu_alpha_gc, variance, dims=("gene", "cell_line"))
        sigma = pm.Exponential("sigma", 1)

        mu = alpha_gc[gene_idx, cell_idx]
        y = pm.Data("y", screen.log_fc, dims="obs")
        pm.Normal("log_fc", mu, sigma, observed=y, dims="obs")
    return model

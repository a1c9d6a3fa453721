# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # BLANK_TITLE
#
# What this chapter shows, in a few sentences: which question the model answers that the others do
# not, and what came out.

# %% tags=["hide-input"]
from poolscreen.display import graph, source, table
from poolscreen.figures.predictions import predictive
from poolscreen.models import BLANK_MODEL
from poolscreen.tables.fits import diagnostics, sampler_settings
from press.glue import numbers
from press.results import load_fit, load_screen, load_table

screen = load_screen()
fit = load_fit("BLANK_MODEL")
scalars = load_table("BLANK_MODEL", "scalars")
genes = load_table("BLANK_MODEL", "gamma_g")

# %% [markdown]
# ## The model
#
# Observation $i$ belongs to gene $g[i]$:
#
# $$
# \begin{aligned}
# \text{logFC}_i &\sim \text{Normal}(\gamma_{g[i]}, \sigma) \\
# \gamma_g &\sim \text{Normal}(\mu_\gamma, \sigma_\gamma) \\
# \mu_\gamma &\sim \text{Normal}(0, 5) \\
# \sigma_\gamma, \sigma &\sim \text{Exponential}(1)
# \end{aligned}
# $$ (eq-BLANK_MODEL)
#
# The same as code, read from the package as this page was made, and as a graph
# ({numref}`fig-graph-BLANK_MODEL`):

# %% tags=["remove-input"]
source(BLANK_MODEL.build)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Graph of model BLANK_NAME: mu_gamma and sigma_gamma point to gamma_g, on a plate of genes; gamma_g, sigma and gene_idx point to the observed log_fc.", "width": "420px"}, "figure": {"name": "fig-graph-BLANK_MODEL", "caption": "The graph of model BLANK_NAME."}}
graph(BLANK_MODEL.build(screen))

# %% [markdown]
# ## What the model expects before it sees data
#
# Say what {numref}`fig-prior-BLANK_MODEL` shows: do the priors rule out anything that could be met?

# %% tags=["hide-input"] mystnb={"image": {"alt": "Cumulative distributions of log fold changes predicted from the prior of model BLANK_NAME."}, "figure": {"name": "fig-prior-BLANK_MODEL", "caption": "Prior predictive check of model BLANK_NAME: each line is one screen that the prior expects."}}
predictive(fit, "prior_predictive", title="Model BLANK_NAME: what the prior expects")

# %% [markdown]
# ## Sampling and diagnostics

# %% tags=["hide-input"] table={"name": "tbl-settings-BLANK_MODEL", "caption": "How model BLANK_NAME was sampled."}
table(sampler_settings(fit))

# %% tags=["hide-input"] table={"name": "tbl-diagnostics-BLANK_MODEL", "caption": "Diagnostics of model BLANK_NAME; R-hat and effective sample sizes are the worst over all parameters."}
table(diagnostics({"BLANK_NAME": fit}))

# %% [markdown]
# ## What the posterior says
#
# The mean and the scales ({numref}`tbl-scalars-BLANK_MODEL`) and the effect of each gene
# ({numref}`tbl-genes-BLANK_MODEL`). Numbers of the text come from the computation: the noise is
# {glue:text}`noise:.2f`.

# %% tags=["remove-cell"]
numbers({"noise": scalars.set_index("parameter").loc["sigma", "mean"]})

# %% tags=["hide-input"] table={"name": "tbl-scalars-BLANK_MODEL", "caption": "Posterior of the mean and the scales of model BLANK_NAME."}
table(scalars)

# %% tags=["hide-input"] table={"name": "tbl-genes-BLANK_MODEL", "caption": "Posterior of the effect of each gene, model BLANK_NAME."}
table(genes)

# %% [markdown]
# ## Comparison with the data
#
# Say what {numref}`fig-posterior-BLANK_MODEL` shows: would screens from this model look like the one that
# we have?

# %% tags=["hide-input"] mystnb={"image": {"alt": "Densities of screens predicted from the posterior of model BLANK_NAME, with the observed one in black."}, "figure": {"name": "fig-posterior-BLANK_MODEL", "caption": "Posterior predictive check of model BLANK_NAME: predicted screens (blue) and the observed one (black)."}}
predictive(fit, "posterior_predictive", title="Model BLANK_NAME: what the posterior expects")

# %% [markdown]
# ## What we have learnt
#
# - One sentence per thing that the reader should take away.

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
# # __TITLE__
#
# What this chapter shows, in a few sentences: which question the model answers that the others do
# not, and what came out.

# %% tags=["hide-input"]
from poolscreen.display import graph, source, table
from poolscreen.figures.predictions import predictive
from poolscreen.models import __ID__
from poolscreen.tables.fits import diagnostics, settings
from press.glue import numbers
from press.results import load_fit, load_screen, load_table

screen = load_screen()
fit = load_fit("__ID__")
scalars = load_table("__ID__", "scalars")
genes = load_table("__ID__", "gamma_g")

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
# $$ (eq-__ID__)
#
# The same as code, read from the package as this page was made, and as a graph
# ({numref}`fig-graph-__ID__`):

# %% tags=["remove-input"]
source(__ID__.build)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Graph of model __NAME__: mu_gamma and sigma_gamma point to gamma_g, on a plate of genes; gamma_g, sigma and gene_idx point to the observed log_fc.", "width": "420px"}, "figure": {"name": "fig-graph-__ID__", "caption": "The graph of model __NAME__."}}
graph(__ID__.build(screen))

# %% [markdown]
# ## What the model expects before it sees data
#
# Say what {numref}`fig-prior-__ID__` shows: do the priors rule out anything that could be met?

# %% tags=["hide-input"] mystnb={"image": {"alt": "Cumulative distributions of log fold changes predicted from the prior of model __NAME__."}, "figure": {"name": "fig-prior-__ID__", "caption": "Prior predictive check of model __NAME__: each line is one screen that the prior expects."}}
predictive(fit, "prior_predictive", title="Model __NAME__: what the prior expects")

# %% [markdown]
# ## Sampling, and whether it worked

# %% tags=["hide-input"] table={"name": "tbl-settings-__ID__", "caption": "How model __NAME__ was sampled."}
table(settings(fit))

# %% tags=["hide-input"] table={"name": "tbl-diagnostics-__ID__", "caption": "Diagnostics of model __NAME__; R-hat and effective sample sizes are the worst over all parameters."}
table(diagnostics({"__NAME__": fit}))

# %% [markdown]
# ## What the posterior says
#
# The mean and the scales ({numref}`tbl-scalars-__ID__`) and the effect of each gene
# ({numref}`tbl-genes-__ID__`). Numbers of the text come from the computation: the noise is
# {glue:text}`noise:.2f`.

# %% tags=["remove-cell"]
numbers({"noise": scalars.set_index("parameter").loc["sigma", "mean"]})

# %% tags=["hide-input"] table={"name": "tbl-scalars-__ID__", "caption": "Posterior of the mean and the scales of model __NAME__."}
table(scalars)

# %% tags=["hide-input"] table={"name": "tbl-genes-__ID__", "caption": "Posterior of the effect of each gene, model __NAME__."}
table(genes)

# %% [markdown]
# ## Against the data
#
# Say what {numref}`fig-posterior-__ID__` shows: would screens from this model look like the one that
# we have?

# %% tags=["hide-input"] mystnb={"image": {"alt": "Densities of screens predicted from the posterior of model __NAME__, with the observed one in black."}, "figure": {"name": "fig-posterior-__ID__", "caption": "Posterior predictive check of model __NAME__: predicted screens (blue) and the observed one (black)."}}
predictive(fit, "posterior_predictive", title="Model __NAME__: what the posterior expects")

# %% [markdown]
# ## What we have learnt
#
# - One sentence per thing that the reader should take away.

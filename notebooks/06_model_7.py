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
# # The model that made the data
#
# What this chapter shows, in a few sentences: which question the model answers that the others do
# not, and what came out.

# %% tags=["hide-input"]
from poolscreen.display import graph, numbers, source, table
from poolscreen.figures import predictive
from poolscreen.fits import load_fit, load_table
from poolscreen.models import m7
from poolscreen.screen import load_screen
from poolscreen.tables import diagnostics, settings

screen = load_screen()
fit = load_fit("m7")
scalars = load_table("m7", "scalars")
genes = load_table("m7", "gamma_g")

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
# $$ (eq-m7)
#
# The same as code, read from the package as this page was made, and as a graph
# ({numref}`fig-graph-m7`):

# %% tags=["remove-input"]
source(m7.build)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Graph of model 7: mu_gamma and sigma_gamma point to gamma_g, on a plate of genes; gamma_g, sigma and gene_idx point to the observed log_fc.", "width": "420px"}, "figure": {"name": "fig-graph-m7", "caption": "The graph of model 7."}}
graph(m7.build(screen))

# %% [markdown]
# ## What the model expects before it sees data
#
# Say what {numref}`fig-prior-m7` shows: do the priors rule out anything that could be met?

# %% tags=["hide-input"] mystnb={"image": {"alt": "Cumulative distributions of log fold changes predicted from the prior of model 7."}, "figure": {"name": "fig-prior-m7", "caption": "Prior predictive check of model 7: each line is one screen that the prior expects."}}
predictive(fit, "prior_predictive", title="Model 7: what the prior expects")

# %% [markdown]
# ## Sampling, and whether it worked

# %% tags=["hide-input"] table={"name": "tbl-settings-m7", "caption": "How model 7 was sampled."}
table(settings(fit))

# %% tags=["hide-input"] table={"name": "tbl-diagnostics-m7", "caption": "Diagnostics of model 7; R-hat and effective sample sizes are the worst over all parameters."}
table(diagnostics({"7": fit}))

# %% [markdown]
# ## What the posterior says
#
# The mean and the scales ({numref}`tbl-scalars-m7`) and the effect of each gene
# ({numref}`tbl-genes-m7`). Numbers of the text come from the computation: the noise is
# {glue:text}`noise:.2f`.

# %% tags=["remove-cell"]
numbers({"noise": scalars.set_index("parameter").loc["sigma", "mean"]})

# %% tags=["hide-input"] table={"name": "tbl-scalars-m7", "caption": "Posterior of the mean and the scales of model 7."}
table(scalars)

# %% tags=["hide-input"] table={"name": "tbl-genes-m7", "caption": "Posterior of the effect of each gene, model 7."}
table(genes)

# %% [markdown]
# ## Against the data
#
# Say what {numref}`fig-posterior-m7` shows: would screens from this model look like the one that
# we have?

# %% tags=["hide-input"] mystnb={"image": {"alt": "Densities of screens predicted from the posterior of model 7, with the observed one in black."}, "figure": {"name": "fig-posterior-m7", "caption": "Posterior predictive check of model 7: predicted screens (blue) and the observed one (black)."}}
predictive(fit, "posterior_predictive", title="Model 7: what the posterior expects")

# %% [markdown]
# ## What we have learnt
#
# - One sentence per thing that the reader should take away.

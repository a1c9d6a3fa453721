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
# # Model 7a: pooling genes and cell lines
#
# Model 7a gives every combination of gene and cell line an intercept of its own. This chapter fits
# it twice. With **partial pooling**, the intercepts have a common distribution, which is estimated.
# With **no pooling**, each intercept is estimated separately. Pooling pulls hardest on the gene
# with one sgRNA and least on the gene with ten. We work out by how much, and explain why.
#
# The original notebook calls its unpooled models "full pool". This book uses the field's terms: *no
# pooling* (each group is estimated on its own), *partial pooling* (groups share a distribution),
# and *complete pooling* (one value for all) {cite:p}`gelmanhill2007`.

# %% tags=["hide-input"]
import numpy as np
import pandas as pd

from poolscreen.display import answer, graph, source, table
from poolscreen.families.nested.family import NestedNormal
from poolscreen.figures.estimates import by_model, heat_map, intervals_by_model
from poolscreen.figures.predictions import predictive
from poolscreen.figures.screens import observations
from poolscreen.figures.shrinkage import shrinkage, shrinkage_slopes
from poolscreen.inference.exact import solve
from poolscreen.inference.gate import MAX_R_HAT, MIN_BFMI, MIN_ESS
from poolscreen.models import m7a, m7a_unpooled
from poolscreen.tables.estimates import (
    beside_truth,
    estimated_effect,
    from_their_gene,
    rms_error,
    stack,
)
from poolscreen.tables.fits import diagnostics, sampler_settings
from poolscreen.tables.shrinkage import pull, shrinkage_factor, shrinkage_of_genes
from press.glue import numbers
from press.results import load_fit, load_screen, load_table, load_truth

screen = load_screen()
pooled = load_fit("m7a")
unpooled = load_fit("m7a_unpooled")
pooled_scalars = load_table("m7a", "scalars")
unpooled_scalars = load_table("m7a_unpooled", "scalars")
pooled_intercepts = load_table("m7a", "alpha_gc")
unpooled_intercepts = load_table("m7a_unpooled", "alpha_gc")

# %% [markdown]
# A Bayesian model starts from a {term}`prior`, a distribution for each parameter before the data
# are seen. The data turn it into the {term}`posterior`. One cannot write the posterior down as a
# formula, so a *sampler* ({term}`NUTS`) makes {term}`draws <draw>` from it, in several independent
# {term}`chains <chain>`. The mean of the draws is an estimate. An interval that holds 94 % of them
# shows how uncertain the estimate is.
#
# ## Partial pooling
#
# ### The model
#
# Observation $i$ belongs to gene $g[i]$ and cell line $c[i]$:
#
# $$
# \begin{aligned}
# \text{logFC}_i &\sim \text{Normal}(\alpha_{g[i],c[i]}, \sigma) \\
# \alpha_{gc} &\sim \text{Normal}(\mu_\alpha, \sigma_\alpha) \\
# \mu_\alpha &\sim \text{Normal}(0, 5) \\
# \sigma_\alpha, \sigma &\sim \text{Exponential}(1)
# \end{aligned}
# $$ (eq-m7a)
#
# The second line makes the model hierarchical. The prior of the intercepts is not fixed: its mean
# $\mu_\alpha$ and its standard deviation $\sigma_\alpha$ are themselves estimated, from all
# intercepts at once. The model does not distinguish sgRNAs. It treats two sgRNAs of one gene as two
# measurements of the same thing. (In chapter 1, $\sigma_\alpha$ was the scatter of sgRNAs about
# their gene. Here it is the spread of the intercepts.)
#
# Here is the model as code, which this page reads from the package. The code calls $\mu_\alpha$
# `mu_alpha_gc`, as the original notebook does.

# %% tags=["remove-input"]
source(m7a.build)

# %% [markdown]
# {numref}`fig-graph-7a` shows the same model as a graph.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Graph of model 7a: mu_alpha_gc and sigma_alpha point to alpha_gc, on a plate of 10 genes by 20 cell lines; alpha_gc, sigma and the two index arrays point to the observed log_fc, on a plate of 1,100 observations.", "width": "420px"}, "figure": {"name": "fig-graph-7a", "caption": "The graph of model 7a. Ovals are random variables, and the shaded oval is observed. Shaded boxes are data. A plate, the frame around several nodes, repeats what it holds."}}
graph(m7a.build(screen))

# %% [markdown]
# ### What the model expects before it sees data
#
# One can judge a prior by the data that it predicts. We draw parameters from the prior, then a
# screen from these parameters, and repeat this many times {cite:p}`gabry2019`.
# {numref}`fig-prior-7a` shows such screens. Of all the values in them, 94 % lie between
# {glue:text}`prior_low:.0f` and {glue:text}`prior_high:.0f`. The values of our screen lie between
# {glue:text}`data_low:.1f` and {glue:text}`data_high:.1f`. The priors therefore rule out nothing
# that we could meet, and leave the rest to the data.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Sixty cumulative distributions of log fold changes predicted from the prior of model 7a; some are steep, some flat, and their centres are scattered over some twenty units."}, "figure": {"name": "fig-prior-7a", "caption": "Prior predictive check of model 7a: each line is the cumulative distribution of the log fold changes in one screen drawn from the prior."}}
predictive(pooled, "prior_predictive", title="Model 7a: what the prior expects")

# %% [markdown]
# ### Sampling and diagnostics
#
# The posterior was sampled with NUTS {cite:p}`hoffman2011`, in the implementation of nutpie
# {cite:p}`nutpie2026`, through PyMC {cite:p}`pymc2023`. NUTS can sample all parameters of this
# model at once. Here it was given an easier task with the same result. Once the mean and the two
# standard deviations are known, the intercepts have normal distributions that can be written down.
# NUTS therefore sampled only these three parameters, and the intercepts were drawn exactly
# afterwards. [Chapter 4](04_integrating_out) shows how, and compares the two ways.

# %% tags=["hide-input"] table={"name": "tbl-settings-7a", "caption": "How model 7a was sampled."}
table(sampler_settings(pooled))

# %% [markdown]
# The draws can be trusted only if the chains agree. Two diagnostics check this. {term}`R-hat`
# compares the spread between the chains with the spread within them. The
# {term}`effective sample size` says how many independent draws the correlated draws are worth
# {cite:p}`vehtari2021`. In this book every parameter of every fit must have an R-hat of at most
# {glue:text}`max_r_hat`, and a bulk and a tail effective sample size of at least
# {glue:text}`min_ess`. There must be no {term}`divergences <divergence>`, and the {term}`BFMI` must
# be at least {glue:text}`min_bfmi`. A fit that does not pass this *gate* is not saved, and the
# build of this page stops. These are the worst values over all {glue:text}`n_parameters:,`
# parameters of model 7a:

# %% tags=["hide-input"] table={"name": "tbl-diagnostics-7a", "caption": "Diagnostics of model 7a; R-hat and effective sample sizes are the worst over all parameters."}
table(diagnostics({"7a": pooled}), digits=3)

# %% tags=["remove-cell"]
expected = pooled["prior_predictive"]["log_fc"].quantile([0.03, 0.97]).to_numpy()
drawn_noise = (screen.table["log_fc"] - screen.table["mu_sc"]).std()
drawn_sgrnas = from_their_gene(load_truth("alpha_s"), load_truth("gamma_g"))
mean, sd_between, sigma = (
    pooled_scalars.set_index("parameter").loc[name]
    for name in ("mu_alpha_gc", "sigma_alpha", "sigma")
)
numbers(
    {
        "n_parameters": len(pooled_scalars) + len(pooled_intercepts),
        "n_intercepts": len(pooled_intercepts),
        "max_r_hat": MAX_R_HAT,
        "min_ess": MIN_ESS,
        "min_bfmi": MIN_BFMI,
        "prior_low": expected[0],
        "prior_high": expected[1],
        "data_low": screen.log_fc.min(),
        "data_high": screen.log_fc.max(),
        "drawn_sigma": drawn_noise,
        "drawn_sigma_alpha": drawn_sgrnas["value"].std(),
        "drawn_sum": (drawn_noise**2 + drawn_sgrnas["value"].var()) ** 0.5,
        "mu_mean": mean["mean"],
        "mu_low": mean["hdi_3%"],
        "mu_high": mean["hdi_97%"],
        "sd_between": sd_between["mean"],
        "sd_between_low": sd_between["hdi_3%"],
        "sd_between_high": sd_between["hdi_97%"],
        "sigma": sigma["mean"],
        "sigma_low": sigma["hdi_3%"],
        "sigma_high": sigma["hdi_97%"],
    }
)

# %% [markdown]
# ### What the posterior says
#
# Besides the intercepts, the model has three parameters. In this table and the next, `hdi_3%` and
# `hdi_97%` bound the 94 % {term}`highest-density interval`. The column `mcse` is the error of an
# estimate that comes from having finitely many draws. The effective sample size `ess` is given at
# the centre of the distribution (`bulk`) and in its tails:

# %% tags=["hide-input"] table={"name": "tbl-scalars-7a", "caption": "Posterior of the mean and the scales of model 7a."}
table(pooled_scalars)

# %% [markdown]
# The intercepts have a mean of {glue:text}`mu_mean:.2f` (94 % interval {glue:text}`mu_low:.2f` to
# {glue:text}`mu_high:.2f`) and a standard deviation of {glue:text}`sd_between:.2f`
# ({glue:text}`sd_between_low:.2f` to {glue:text}`sd_between_high:.2f`). Neither is a parameter of
# the simulation. The mean is that of the genes plus that of the cell lines, and the standard
# deviation combines the spread of genes with that of cell lines. The noise $\sigma$ is estimated as
# {glue:text}`sigma:.2f` ({glue:text}`sigma_low:.2f` to {glue:text}`sigma_high:.2f`). This is larger
# than the {glue:text}`drawn_sigma:.2f` of the noise that was drawn, because a model without sgRNAs
# also counts the differences between the sgRNAs of one gene as noise. The standard deviations that
# were drawn, {glue:text}`drawn_sigma:.2f` for the noise and {glue:text}`drawn_sigma_alpha:.2f` for
# the sgRNAs, combine to {glue:text}`drawn_sum:.2f` (the root of the sum of their squares).
#
# The next table lists all {glue:text}`n_intercepts:,` intercepts
# ([as CSV](../results/tables/m7a/alpha_gc.csv)):

# %% tags=["hide-input", "full-width"] table={"name": "tbl-intercepts-7a", "caption": "Posterior of every intercept of model 7a, partial pooling."}
table(pooled_intercepts, searchable=True)

# %% [markdown]
# A heat map ({numref}`fig-heat-7a`) shows the structure of the intercepts. Cell lines appear as
# columns that are blue or pale from top to bottom. The one row that is different is `gene_5`.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Heat map of posterior means for ten genes by twenty cell lines, from blue for negative to red for positive; whole columns are alike, and the row of gene_5 is shifted towards red."}, "figure": {"name": "fig-heat-7a", "caption": "Posterior means of the intercepts $\\alpha_{gc}$ of model 7a."}}
heat_map(pooled_intercepts, title="Model 7a: intercepts by gene and cell line")

# %% [markdown]
# ### Comparison with the data and the truth
#
# In the simulation a gene has one effect. In model 7a it has one intercept per cell line. To
# compare the two, we average a gene's intercepts over the cell lines ({numref}`fig-genes-7a`).

# %% tags=["remove-cell"]
true_genes = load_truth("gamma_g")
true_cell_lines = load_truth("beta_c")
estimated_genes = estimated_effect(pooled_intercepts, "gene")
estimated_cell_lines = estimated_effect(pooled_intercepts, "cell_line")
sgrna_means = drawn_sgrnas.groupby("gene")["value"].mean()
gene_shift = estimated_genes["value"] - true_genes["value"]
cell_line_shift = estimated_cell_lines["value"] - true_cell_lines["value"]
numbers(
    {
        "gene_shift": gene_shift.mean(),
        "sgrna_low": sgrna_means.min(),
        "sgrna_high": sgrna_means.max(),
        "gene_shift_low": gene_shift.min(),
        "gene_shift_high": gene_shift.max(),
        "mean_beta": true_cell_lines["value"].mean(),
        "cell_line_shift": cell_line_shift.mean(),
        "mean_gamma": true_genes["value"].mean(),
    }
)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Jittered log fold changes for ten genes coloured by cell line, with two bars for each gene: black for the true effect, blue for the estimated one. The blue bars lie close to the black ones, on average slightly above them."}, "figure": {"name": "fig-genes-7a", "caption": "The data by gene, with the true gene effects $\\gamma_g$ (black) and those estimated by model 7a (blue). An estimate is the mean of the gene's posterior means over the cell lines."}}
observations(
    screen.table,
    by="gene",
    colour="cell_line",
    effects=beside_truth(true_genes, estimated_genes, "gene"),
    title="Model 7a: true and estimated gene effects",
)

# %% [markdown]
# The estimates follow the truth, but on average they lie {glue:text}`gene_shift:.2f` above it (from
# {glue:text}`gene_shift_low:.2f` to {glue:text}`gene_shift_high:.2f`). This is not a failure of the
# sampler. The effects of the cell lines that were drawn have a mean of {glue:text}`mean_beta:.2f`,
# not of zero, and this mean is part of every gene's average. No data can tell a shift of all cell
# lines from a shift of all genes, because they show only the sum. The rest of the difference, and
# its range, comes mostly from the sgRNAs that were drawn: the deviations of a gene's sgRNAs do not
# average to zero ({glue:text}`sgrna_low:.2f` to {glue:text}`sgrna_high:.2f`).
#
# The same holds for the cell lines ({numref}`fig-cell-lines-7a`). Their estimates differ from the
# truth by {glue:text}`cell_line_shift:.2f` on average. This is the mean of the true gene effects,
# {glue:text}`mean_gamma:.2f`, plus the same remainder.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Jittered log fold changes for twenty cell lines coloured by gene, with two bars for each cell line: black for the true effect, blue for the estimated one. Every blue bar lies about one unit below its black one."}, "figure": {"name": "fig-cell-lines-7a", "caption": "The data by cell line, with the true cell line effects $\\beta_c$ (black) and those estimated by model 7a (blue). An estimate is the mean of the cell line's posterior means over the genes."}}
observations(
    screen.table,
    by="cell_line",
    colour="gene",
    effects=beside_truth(true_cell_lines, estimated_cell_lines, "cell_line"),
    title="Model 7a: true and estimated cell line effects",
)

# %% [markdown]
# Would data from this model look like the data that we have? {numref}`fig-posterior-7a` compares
# screens drawn from the posterior with the observed one. The observed curve runs mostly within the
# bundle of the predicted ones.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Density of the observed log fold changes in black, within a narrow bundle of densities predicted by the posterior of model 7a."}, "figure": {"name": "fig-posterior-7a", "caption": "Posterior predictive check of model 7a: distributions of the log fold changes in predicted screens (blue), and in the observed one (black)."}}
predictive(pooled, "posterior_predictive", title="Model 7a: what the posterior expects")

# %% [markdown]
# ## No pooling
#
# ### The model
#
# Now the prior of the intercepts is fixed, and wide:
#
# $$
# \begin{aligned}
# \text{logFC}_i &\sim \text{Normal}(\alpha_{g[i],c[i]}, \sigma) \\
# \alpha_{gc} &\sim \text{Normal}(0, 5) \\
# \sigma &\sim \text{Exponential}(1)
# \end{aligned}
# $$ (eq-m7a-unpooled)
#
# Nothing connects the intercepts any more, except the common noise $\sigma$. Each is estimated from
# the observations of its own gene in its own cell line.

# %% tags=["remove-input"]
source(m7a_unpooled.build)

# %% [markdown]
# In the graph ({numref}`fig-graph-7a-unpooled`) no arrow leads to `alpha_gc` any more. Every screen
# that the prior predicts ({numref}`fig-prior-7a-unpooled`) is now about as wide as the fixed prior,
# and centred on zero.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Graph of model 7a without pooling: alpha_gc has no parents; alpha_gc, sigma and the two index arrays point to the observed log_fc.", "width": "420px"}, "figure": {"name": "fig-graph-7a-unpooled", "caption": "The graph of model 7a without pooling."}}
graph(m7a_unpooled.build(screen))

# %% tags=["hide-input"] mystnb={"image": {"alt": "Sixty cumulative distributions of log fold changes predicted from the prior of model 7a without pooling; all are alike and centred near zero."}, "figure": {"name": "fig-prior-7a-unpooled", "caption": "Prior predictive check of model 7a without pooling."}}
predictive(unpooled, "prior_predictive", title="Model 7a, no pooling: what the prior expects")

# %% [markdown]
# This model was sampled in the same way as model 7a, with these diagnostics:

# %% tags=["hide-input"] table={"name": "tbl-settings-7a-unpooled", "caption": "How model 7a without pooling was sampled."}
table(sampler_settings(unpooled))

# %% tags=["hide-input"] table={"name": "tbl-diagnostics-7a-unpooled", "caption": "Diagnostics of model 7a without pooling; the worst over all parameters."}
table(diagnostics({"7a, no pooling": unpooled}), digits=3)

# %% [markdown]
# The estimate of the noise is the same, and the intercepts
# ([as CSV](../results/tables/m7a_unpooled/alpha_gc.csv)) look the same at first sight:

# %% tags=["hide-input"] table={"name": "tbl-scalars-7a-unpooled", "caption": "Posterior of the noise of model 7a without pooling."}
table(unpooled_scalars)

# %% tags=["hide-input", "full-width"] table={"name": "tbl-intercepts-7a-unpooled", "caption": "Posterior of every intercept of model 7a, no pooling."}
table(unpooled_intercepts, searchable=True)

# %% [markdown]
# The posterior predictive check ({numref}`fig-posterior-7a-unpooled`) is no worse and no better
# than that of model 7a. Such a check shows whether a model can reproduce the data that it was
# fitted to. It does not show which of two models says more about a gene.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Density of the observed log fold changes in black, within a narrow bundle of densities predicted by the posterior of model 7a without pooling."}, "figure": {"name": "fig-posterior-7a-unpooled", "caption": "Posterior predictive check of model 7a without pooling."}}
predictive(
    unpooled,
    "posterior_predictive",
    title="Model 7a, no pooling: what the posterior expects",
)

# %% [markdown]
# ## What pooling does
#
# ### Complete, no and partial pooling
#
# *Complete pooling* is the other extreme: one number for all genes in all cell lines. It is model 7a
# with $\sigma_\alpha$ held at zero, so that every intercept equals $\mu_\alpha$. No pooling is, nearly,
# the same model with $\sigma_\alpha$ held at a large value, here five. Partial pooling lies between the two,
# because it estimates $\sigma_\alpha$. With the scales integrated ([chapter 4](04_integrating_out)), the
# fit takes one line:

# %%
held_at_zero = NestedNormal(top="alpha_gc", level="gene", mean="mu_alpha_gc", sd=0.0)
complete = solve(held_at_zero, screen).scalars()

# %% [markdown]
# {numref}`fig-three-poolings` shows what each of the three says of the ten genes in one cell line, and
# {numref}`tbl-three-poolings` how far each is from the true means of all observations.

# %% tags=["hide-input"] mystnb={"image": {"alt": "For each of ten genes three estimates in one cell line with intervals, and a black bar at the truth. Complete pooling is the same short interval for every gene, and misses the bars. No pooling and partial pooling nearly coincide, with long intervals for genes with few sgRNAs.", "width": "640px"}, "figure": {"name": "fig-three-poolings", "caption": "Complete, partial and no pooling: the intercepts of ten genes in one cell line, with 94 % intervals. Black bars: the truth, $\\gamma_g + \\beta_c$."}}
line = "cell_0"
overall = complete.set_index("parameter").loc["mu_alpha_gc"].drop("sd")
of_all = unpooled_intercepts[["gene", "cell_line"]].assign(**overall)
by_kind = {
    "complete pooling": of_all,
    "7a": pooled_intercepts,
    "7a, no pooling": unpooled_intercepts,
}
in_line = pd.concat(
    found[found["cell_line"] == line].assign(model=name) for name, found in by_kind.items()
).rename(columns={"hdi_3%": "low", "hdi_97%": "high"})
of_line = load_truth("beta_c").set_index("cell_line").loc[line, "value"]
in_line["true"] = in_line["gene"].map(load_truth("gamma_g").set_index("gene")["value"]) + of_line
intervals_by_model(in_line, title=f"Ten genes in {line}")

# %% tags=["hide-input"] table={"name": "tbl-three-poolings", "caption": "Root mean square error of each kind of pooling against the true means of the observations."}
errors = rms_error(screen, by_kind)
table(errors, digits=4)

# %% tags=["remove-cell"]
error = errors.set_index("model")["RMS error"]
of_parameter = complete.set_index("parameter")
numbers(
    {
        "complete_mean": of_parameter.loc["mu_alpha_gc", "mean"],
        "complete_low": of_parameter.loc["mu_alpha_gc", "hdi_3%"],
        "complete_high": of_parameter.loc["mu_alpha_gc", "hdi_97%"],
        "complete_sigma": of_parameter.loc["sigma", "mean"],
        "error_complete": error["complete pooling"],
        "error_none": error["7a, no pooling"],
        "error_partial": error["7a"],
    }
)

# %% [markdown]
# Complete pooling finds one mean, {glue:text}`complete_mean:.2f`, with a short interval
# ({glue:text}`complete_low:.2f` to {glue:text}`complete_high:.2f`), and takes all differences between
# genes and lines for noise, with a standard deviation of {glue:text}`complete_sigma:.2f`. Its error is
# {glue:text}`error_complete:.2f`, that of no pooling {glue:text}`error_none:.4f`, and that of partial pooling
# {glue:text}`error_partial:.4f`. On this screen partial pooling is close to no pooling. The rest of
# this section shows where the two differ, and why so little.
#
# ### No and partial pooling compared
#
# We now compare the two models by gene ({numref}`fig-models-by-gene`) and by cell line
# ({numref}`fig-models-by-cell-line`). In `gene_0`, on the left, the outermost points of the pooled
# model are closer to the middle than those of the unpooled one. In `gene_9` one cannot see a
# difference.

# %% tags=["remove-cell"]
by_pooling = stack({"no pooling": unpooled_intercepts, "partial pooling (7a)": pooled_intercepts})

# %% tags=["hide-input"] mystnb={"image": {"alt": "Posterior means of the intercepts of ten genes, one point per cell line, without pooling beside partial pooling. In gene_0 the pooled points reach less far out; in the other genes the two sets look alike."}, "figure": {"name": "fig-models-by-gene", "caption": "Posterior means of the intercepts by gene, without and with pooling. Each point is one cell line."}}
by_model(by_pooling, by="gene", title="Intercepts by gene")

# %% tags=["hide-input"] mystnb={"image": {"alt": "Posterior means of the intercepts in twenty cell lines, one point per gene, without pooling beside partial pooling. The two sets look alike, except for single points in the cell lines that lie farthest out."}, "figure": {"name": "fig-models-by-cell-line", "caption": "Posterior means of the intercepts by cell line, without and with pooling. Each point is one gene."}}
by_model(by_pooling, by="cell_line", title="Intercepts by cell line")

# %% [markdown]
# {numref}`fig-shrinkage-7a` shows each pair of points as one point, with the estimate without
# pooling on the horizontal axis and that with partial pooling on the vertical axis. An intercept
# that pooling does not move lies on the diagonal. Few points are visibly off it. They belong
# to genes with few sgRNAs, or lie far from the mean, as those of `gene_5` do.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Scatter of pooled against unpooled posterior means with the identity line; points of genes with one sgRNA leave the line most, above it at the lower left; those of genes with many sgRNAs lie on it."}, "figure": {"name": "fig-shrinkage-7a", "caption": "Intercepts of model 7a with partial pooling against no pooling. Vertical strokes lead from the identity line to each point and show how far pooling moves it. Colour: number of sgRNAs of the gene."}}
pulled = pull(screen, unpooled_intercepts, pooled_intercepts).eval("shift = pooled - unpooled")
shrinkage(pulled, title="Shrinkage of the intercepts in model 7a")

# %% [markdown]
# {numref}`fig-slopes-7a` shows by how much pooling moves each intercept. It moves those below the
# overall mean up and those above it down. The farther out an intercept lies, the further it is
# moved. Each gene has a line of its own, which is steeper the fewer sgRNAs the gene has.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Shift of each intercept by pooling against its unpooled value, with a straight line for each gene; all lines fall and cross zero near minus one; the line of the gene with one sgRNA is steepest, that of the gene with ten nearly flat."}, "figure": {"name": "fig-slopes-7a", "caption": "How far pooling moves each intercept, with a line for each gene. The grey line is no pooling."}}
shrinkage_slopes(
    pulled,
    x="unpooled",
    y="shift",
    identity=0,
    labels=("posterior mean, no pooling", "shift by pooling"),
    title="Shift by pooling, gene by gene",
)

# %% [markdown]
# ### Why gene_0 is pulled hardest
#
# For given $\mu_\alpha$, $\sigma_\alpha$ and $\sigma$, the posterior mean of an intercept can be
# written down. Let gene $g$ have $n_g$ sgRNAs, and let $\bar y_{gc}$ be the mean of their
# observations in cell line $c$. The gene's own data estimate the intercept as $\bar y_{gc}$, with a
# standard error of $\sigma / \sqrt{n_g}$. The other intercepts suggest $\mu_\alpha$, with a
# standard deviation of $\sigma_\alpha$. The posterior mean weights the two by their precision, the
# inverse of the variance:
#
# $$
# \begin{aligned}
# \mathrm{E}[\alpha_{gc} \mid y, \mu_\alpha, \sigma_\alpha, \sigma]
# &= (1 - B_g)\, \bar y_{gc} + B_g\, \mu_\alpha \\
# B_g &= \frac{\sigma^2 / n_g}{\sigma^2 / n_g + \sigma_\alpha^2}
# \end{aligned}
# $$ (eq-shrinkage)
#
# $B_g$ is the **shrinkage factor**. It says how far the estimate moves, as a share of the way from
# the gene's own data to the overall mean. With the sign turned, it is very nearly the slope of the
# gene's line in {numref}`fig-slopes-7a`. More sgRNAs make it smaller, and more noise makes it
# larger. With $\sigma$ at {glue:text}`sigma:.2f` and $\sigma_\alpha$ at {glue:text}`sd_between:.2f`, a gene
# with one sgRNA has $B_g =$ {glue:text}`by_hand_one:.3f`, and a gene with ten
# {glue:text}`by_hand_ten:.3f`. This is the posterior of $B_g$ for each gene:

# %% tags=["hide-input"] table={"name": "tbl-shrinkage-7a", "caption": "Shrinkage in model 7a, gene by gene: the shrinkage factor with its interval, and the mean shift and the mean posterior standard deviation of the intercepts."}
posterior = pooled["posterior"]
factors = shrinkage_of_genes(
    screen, unit_variance=posterior["sigma"] ** 2, top_sd=posterior["sigma_alpha"]
)
moved = pulled["shift"].abs().groupby(pulled["gene"], sort=False).mean()
spread = pooled_intercepts.groupby("gene", sort=False)["sd"].mean()
comparison = factors.assign(**{"mean shift": moved.to_numpy(), "posterior sd": spread.to_numpy()})
table(comparison)

# %% tags=["remove-cell"]
first, last = comparison.iloc[0], comparison.iloc[-1]
noise = sigma["mean"] ** 2
of_genes = load_truth("sigma_gamma")["value"].item()
numbers(
    {
        "by_hand_one": noise / (noise + sd_between["mean"] ** 2),
        "by_hand_ten": noise / (noise + 10 * sd_between["mean"] ** 2),
        "sd_genes": of_genes,
        "by_hand_genes": noise / (noise + of_genes**2),
        "b_first": 100 * first["shrinkage"],
        "b_first_low": 100 * first["hdi_3%"],
        "b_first_high": 100 * first["hdi_97%"],
        "b_last": 100 * last["shrinkage"],
        "shift_first": first["mean shift"],
        "shift_last": last["mean shift"],
        "sd_first": first["posterior sd"],
        "sd_last": last["posterior sd"],
    }
)

# %% [markdown]
# `gene_0` has one sgRNA. Each of its intercepts is known only from one observation with noise
# {glue:text}`sigma:.2f`. Pooling moves these intercepts {glue:text}`b_first:.1f` % of the way to
# the mean (94 % interval {glue:text}`b_first_low:.1f` to {glue:text}`b_first_high:.1f` %), on
# average by {glue:text}`shift_first:.3f`. `gene_9` has ten sgRNAs, and its intercepts move
# {glue:text}`b_last:.1f` % of the way, by {glue:text}`shift_last:.3f`. (A gene that lies far from
# the mean, as `gene_5` does, shifts more than its neighbours in the table, but its shrinkage factor
# lies between theirs.) The posterior standard deviations are {glue:text}`sd_first:.2f` in `gene_0`
# and {glue:text}`sd_last:.2f` in `gene_9`. In every gene the shift is smaller than this
# uncertainty.
#
# Even for `gene_0` the pull is weak, because $\sigma_\alpha$ is large. The intercepts differ so
# much among themselves, with a standard deviation of {glue:text}`sd_between:.2f`, that knowing the
# others says little about any one of them. Most of this spread is between cell lines, and every
# cell line shifts all genes alike. A model that gave cell lines an effect of their own, as the
# simulation did, would have less spread left to explain, and would pool more: with the spread of
# the genes alone, which is {glue:text}`sd_genes:.1f`, $B_g$ would be {glue:text}`by_hand_genes:.2f` for one sgRNA. Model 7a has no such
# effects. The weak pull is a limit of this model, not a law of screens.

# %% [markdown]
# ## Exercises
#
# **1.** A gene has three sgRNAs, and its mean in a cell line is two units below the overall mean. What is
# its estimate under model 7a, and how many sgRNAs would it need to be pulled by less than one per cent of the way?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the answer", "code_prompt_hide": "Hide the answer"}
noise_variance, spread_variance = sigma["mean"] ** 2, sd_between["mean"] ** 2
factor = shrinkage_factor(noise_variance / 3, spread_variance**0.5)
needed = next(
    n for n in range(1, 99) if shrinkage_factor(noise_variance / n, spread_variance**0.5) < 0.01
)
answer(
    f"The factor is {100 * factor:.1f} %, so the estimate lies {2 * (1 - factor):.2f} below the overall "
    f"mean instead of 2. It takes {needed} sgRNAs."
)

# %% [markdown]
# **2.** Pooling lowers the error of an intercept that is close to the overall mean, and raises the
# error of one that is far from it. Take $\mu_\alpha$, $\sigma_\alpha$ and $\sigma$ as known, and
# find from {eq}`eq-shrinkage` the distance from the mean beyond which pooling raises the *expected
# squared* error. What is it for a gene with one sgRNA, and how many of the true intercepts of this
# screen lie beyond the limit of their gene?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the answer", "code_prompt_hide": "Hide the answer"}
variance_of_mean = noise_variance / screen.sgrnas_per_gene.to_numpy()
limits = np.sqrt(2 * spread_variance + variance_of_mean)
pull_of_one = shrinkage_factor(variance_of_mean[0], spread_variance**0.5)
errors_of_one = variance_of_mean[0] ** 0.5 * np.random.default_rng(103).normal(size=1_000_000)
ratios = []
for times in (0.5, 1, 1.5):
    off_by = (1 - pull_of_one) * errors_of_one - pull_of_one * times * limits[0]
    ratios.append((off_by**2).mean() / variance_of_mean[0])
assert ratios[0] < 0.98 and abs(ratios[1] - 1) < 0.01 and ratios[2] > 1.02
true_intercepts = np.add.outer(*(t["value"].to_numpy() for t in (true_genes, true_cell_lines)))
from_mean = np.abs(true_intercepts - mean["mean"])
beyond = (from_mean > limits[:, None]).sum(axis=1)
assert beyond.argmax() == 5
answer(
    "Without pooling the expected squared error is the variance of the gene's mean; with it, that "
    "variance times (1 - factor)² plus the squared bias, (factor × distance)². The two are equal "
    "where the squared distance is twice the variance of the intercepts plus the variance of the "
    f"gene's mean: {limits[0]:.2f} from the mean for one sgRNA, which is about "
    f"{limits[0] / spread_variance**0.5:.1f} standard deviations of the intercepts, and hardly "
    f"less, {limits[-1]:.2f}, for ten. With simulated noise, pooling multiplies the squared error "
    f"for one sgRNA by {ratios[0]:.2f} at half this distance, by {ratios[1]:.2f} at it, and by "
    f"{ratios[2]:.2f} at one and a half times it. Of the {from_mean.size} true intercepts "
    f"{beyond.sum()} lie beyond their limit, and {beyond[5]} of these belong to `gene_5`."
)

# %% [markdown]
# **3.** Somebody who believes that most effects are small fixes the prior of the intercepts at
# $\text{Normal}(0, 1/2)$. Both of its numbers are wrong for this screen. Which of the two does more
# harm, the centre or the width, and what becomes of the noise $\sigma$? Predict it from the
# shrinkage factor, and fit the model with one of the two put right, then with the other.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the answer", "code_prompt_hide": "Hide the answer"}
centre, width = mean["mean"], sd_between["mean"]
fixed_priors = {"both wrong": (0, 0.5), "centre right": (centre, 0.5), "width right": (0, width)}
errors_fixed, noise_fixed = {}, {}
for name, (at, sd) in fixed_priors.items():
    fixed = NestedNormal(top="alpha_gc", level="gene", mean=float(at), sd=float(sd))
    fitted = solve(fixed, screen).tables(intervals=False)
    errors_fixed[name] = rms_error(screen, {name: fitted["alpha_gc"]})["RMS error"].item()
    noise_fixed[name] = fitted["scalars"].set_index("parameter").loc["sigma", "mean"]
assert errors_fixed["both wrong"] > errors_fixed["centre right"] > errors_fixed["width right"]
assert noise_fixed["both wrong"] > noise_fixed["centre right"] > noise_fixed["width right"]
answer(
    f"With both wrong the error is {errors_fixed['both wrong']:.3f}, where it is {error['7a']:.3f} "
    f"in model 7a. With the right centre it is still {errors_fixed['centre right']:.3f}, but with "
    f"the right width {errors_fixed['width right']:.3f}, so on this screen the width does more "
    "harm. It sets the shrinkage factor, for one sgRNA "
    f"{shrinkage_factor(noise_variance, 0.5):.2f} at a width of 0.5 and "
    f"{shrinkage_factor(noise_variance, width):.2f} at {width:.2f}, and a small factor keeps the "
    "estimates near their data, wherever the centre is. The noise grows from "
    f"{noise_fixed['width right']:.2f} to {noise_fixed['both wrong']:.2f}, because it has to "
    "explain what the prior does not allow the intercepts to explain."
)

# %% [markdown]
# ## What we have learnt
#
# - Partial pooling estimates the intercepts together with their common distribution. Each intercept
#   becomes a compromise between its own data and that distribution.
# - The compromise is {eq}`eq-shrinkage`. It depends on how much data a group has, and on how alike
#   the groups are. Genes with few sgRNAs are pulled hardest.
# - In model 7a the pull is {glue:text}`b_first:.0f` % of the way at most, because the model treats
#   the differences between cell lines as differences between unrelated intercepts.
# - Model 7a treats differences between sgRNAs as noise. [The next chapter](03_model_7b) tries to
#   tell the two apart.

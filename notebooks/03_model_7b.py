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
# # Model 7b: sgRNAs within genes
#
# Model 7a treats the differences between the sgRNAs of one gene as noise. Model 7b gives each sgRNA
# an intercept of its own, nested in one for its gene. This chapter shows what this adds, and what
# the model cannot learn from this screen. Towards the end it draws the figure that the original
# notebook left as a to-do: how far each sgRNA is pulled towards its gene.

# %% tags=["hide-input"]
import numpy as np
import pandas as pd

from poolscreen.display import answer, graph, source, table
from poolscreen.figures.estimates import by_model, by_model_in_genes, heat_map
from poolscreen.figures.predictions import predictive
from poolscreen.figures.scales import shares
from poolscreen.figures.screens import observations
from poolscreen.figures.shrinkage import expected_pull, shrinkage, shrinkage_slopes
from poolscreen.inference.exact import solve
from poolscreen.inference.posterior import interval
from poolscreen.models import m7b, m7b_unpooled
from poolscreen.screens.table import Screen
from poolscreen.tables.estimates import (
    beside_truth,
    estimated_effect,
    from_their_gene,
    rms_error,
    stack,
)
from poolscreen.tables.fits import diagnostics, sampler_settings
from poolscreen.tables.shrinkage import (
    measured_shrinkage,
    pull,
    shrinkage_factor,
    shrinkage_of_genes,
    towards_genes,
)
from poolscreen.tables.variance import sgrna_variance
from press.glue import numbers
from press.interactive import interactive, shrinkage_to_explore
from press.results import load_fit, load_screen, load_table, load_truth
from press.sliders import pull_to_turn

screen = load_screen()
hierarchical = load_fit("m7b")
unpooled = load_fit("m7b_unpooled")
gene_effects = load_table("m7b", "gamma_gc")
intercepts = load_table("m7b", "alpha_sc")
unpooled_intercepts = load_table("m7b_unpooled", "alpha_sc")

# %% [markdown]
# ## The model
#
# Observation $i$ belongs to sgRNA $s[i]$ and cell line $c[i]$, and sgRNA $s$ to gene $g[s]$:
#
# $$
# \begin{aligned}
# \text{logFC}_i &\sim \text{Normal}(\alpha_{s[i],c[i]}, \sigma) \\
# \alpha_{sc} &\sim \text{Normal}(\gamma_{g[s],c}, \sigma_\alpha) \\
# \gamma_{gc} &\sim \text{Normal}(\mu_\gamma, \sigma_\gamma) \\
# \mu_\gamma &\sim \text{Normal}(0, 5) \\
# \sigma_\gamma, \sigma_\alpha, \sigma &\sim \text{Exponential}(1)
# \end{aligned}
# $$ (eq-m7b)
#
# There are now two levels of pooling. The sgRNAs of a gene share the gene's effect in that cell
# line, and the genes share an overall mean. Two symbols differ from chapter 1. There, $\gamma_g$
# was the effect of the gene alone. Here, $\gamma_{gc}$ is a gene's effect *in one cell line*, and
# includes that of the cell line. As in chapter 1, $\sigma_\alpha$ is the scatter of sgRNAs about
# their gene, but now within each cell line.

# %% tags=["remove-input"]
source(m7b.build)

# %% [markdown]
# In {numref}`fig-graph-7b` the two levels are two plates.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Graph of model 7b: mu_gamma and sigma_gamma point to gamma_gc on a plate of 10 genes by 20 cell lines; gamma_gc, sigma_alpha and the gene of each sgRNA point to alpha_sc on a plate of 55 sgRNAs by 20 cell lines; alpha_sc and sigma point to 1,100 observations.", "width": "480px"}, "figure": {"name": "fig-graph-7b", "caption": "The graph of model 7b."}}
graph(m7b.build(screen))

# %% [markdown]
# ### An index error in the original notebook
#
# In the original notebook this model stopped with an error, and the figures after it came from an
# earlier state of its kernel. The second line of {eq}`eq-m7b` needs the gene of every *sgRNA*,
# $g[s]$. The notebook used the gene of every *observation* instead. Both can be called "the gene
# index", but one has {glue:text}`n_sgrnas:d` entries and the other {glue:text}`n_rows:,`:

# %%
gene_effect = np.zeros((len(screen.genes), len(screen.cell_lines)))
deviation = np.zeros((len(screen.sgrnas), len(screen.cell_lines)))

deviation + gene_effect[screen.gene_of_sgrna]  # the gene of every sgRNA: fine

try:
    deviation + gene_effect[screen.gene_idx]  # the gene of every observation
except ValueError as error:
    print(error)

# %% [markdown]
# An index array must be as long as the array that it is used for. In this project the names tell
# the two apart: `gene_of_sgrna` and `gene_idx`.

# %% [markdown]
# ### What the model expects before it sees data
#
# The prior predictive check ({numref}`fig-prior-7b`) is much like that of model 7a: the priors are
# wide enough for any screen. But priors that say little about the data may still say much about a
# parameter, as the next section shows.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Sixty cumulative distributions of log fold changes predicted from the prior of model 7b; their centres are scattered over some twenty units."}, "figure": {"name": "fig-prior-7b", "caption": "Prior predictive check of model 7b: each line is the cumulative distribution of the log fold changes in one screen drawn from the prior."}}
predictive(hierarchical, "prior_predictive", title="Model 7b: what the prior expects")

# %% [markdown]
# ## What model 7b cannot learn
#
# In this screen every sgRNA is observed **once** in every cell line. An observation is the effect
# of its gene plus two deviations, that of the sgRNA and the noise:
#
# $$
# \text{logFC}_{sc} = \gamma_{gc} + \underbrace{(\alpha_{sc} - \gamma_{gc})}_{\text{sd } \sigma_\alpha}
# + \underbrace{\varepsilon_{sc}}_{\text{sd } \sigma}
# $$ (eq-two-deviations)
#
# Each pair of deviations occurs once, and only their sum is seen. The sum has variance
# $\sigma_\alpha^2 + \sigma^2$. The {glue:text}`n_rows:,` observations determine this variance well,
# but they say nothing about how it divides into $\sigma_\alpha$ and $\sigma$. An sgRNA that works
# badly in this cell line looks the same as a measurement that went wrong. To take two examples,
# $\sigma_\alpha$ at {glue:text}`split_a:.2f` with $\sigma$ at {glue:text}`split_b:.2f`, and the same two
# numbers exchanged, have the same total, {glue:text}`split_total:.2f`, and the same likelihood. The split is not
# {term}`identified`: the prior decides what the data leave open.
#
# This is a property of the *model*. In the simulation an sgRNA has the same effect in all cell
# lines, and {glue:text}`n_cell_lines:d` observations of it would tell it from noise. Model 7b lets
# that effect change freely from one cell line to the next, and so discards this information. We
# come back to this below.
#
# ### Sampling and diagnostics
#
# A sampler has difficulty with what the data leave open. Plain NUTS, which samples model 7b as it
# is written, does not converge, as
# [chapter 4](04_integrating_out) shows on purpose. The same chapter gives
# a remedy. For given scales, that is, standard deviations, everything in {eq}`eq-m7b` is normal.
# The intercepts can therefore be averaged over exactly, which leaves four parameters to the
# sampler. The intercepts are drawn afterwards. The posterior is the same, without approximation.

# %% tags=["hide-input"] table={"name": "tbl-settings-7b", "caption": "How model 7b was sampled."}
table(sampler_settings(hierarchical))

# %% tags=["hide-input"] table={"name": "tbl-diagnostics-7b", "caption": "Diagnostics of model 7b; R-hat and effective sample sizes are the worst over all parameters."}
table(diagnostics({"7b": hierarchical}))

# %% [markdown]
# These are the worst values over all {glue:text}`n_parameters:,` parameters, including the
# intercepts.

# %% [markdown]
# ## What the posterior says
#
# ### What the data determine

# %% tags=["hide-input"] table={"name": "tbl-scalars-7b", "caption": "Posterior of the mean and the scales of model 7b."}
scalars = load_table("m7b", "scalars")
table(scalars)

# %% tags=["remove-cell"]
scale_names = ["sigma_alpha", "sigma"]
posterior = hierarchical["posterior"]
total = np.sqrt(posterior["sigma_alpha"] ** 2 + posterior["sigma"] ** 2)
share = posterior["sigma_alpha"] ** 2 / total**2
# The prior of the share: two exponential scales. And the same with the total at its
# posterior mean, where the angle on the arc has a density that can be written down.
first, second = np.random.default_rng(103).exponential(size=(2, 100_000))
prior_share = first**2 / (first**2 + second**2)
angle = np.linspace(0, np.pi / 2, 10_001)
density = np.exp(-float(total.mean()) * (np.sin(angle) + np.cos(angle)))
given_total = density[np.sin(angle) ** 2 < 0.1].sum() / density.sum()
truth = {name: load_truth(name)["value"].item() for name in scale_names}
drawn_sgrnas = from_their_gene(load_truth("alpha_s"), load_truth("gamma_g"))["value"]
drawn_noise = screen.table["log_fc"] - screen.table["mu_sc"]
of = scalars.set_index("parameter")
numbers(
    {
        "n_sgrnas": len(screen.sgrnas),
        "n_cell_lines": len(screen.cell_lines),
        "n_rows": len(screen.table),
        "split_a": float(total.mean()) / 2,
        "split_b": float(total.mean()) * 0.75**0.5,
        "split_total": float(total.mean()),
        "n_intercepts": len(intercepts),
        "n_parameters": len(scalars) + len(gene_effects) + len(intercepts),
        "mu": of.loc["mu_gamma", "mean"],
        "mu_low": of.loc["mu_gamma", "hdi_3%"],
        "mu_high": of.loc["mu_gamma", "hdi_97%"],
        "sd_genes": of.loc["sigma_gamma", "mean"],
        "sd_genes_low": of.loc["sigma_gamma", "hdi_3%"],
        "sd_genes_high": of.loc["sigma_gamma", "hdi_97%"],
        "sigma_alpha_low": of.loc["sigma_alpha", "hdi_3%"],
        "sigma_alpha_high": of.loc["sigma_alpha", "hdi_97%"],
        "total": total.mean(),
        "total_low": interval(total)[0],
        "total_high": interval(total)[1],
        "drawn_total": np.sqrt(drawn_noise.var() + drawn_sgrnas.var()),
        "true_sigma": truth["sigma"],
        "below_tenth": 100 * (share < 0.1).mean(),
        "above_nine_tenths": 100 * (share > 0.9).mean(),
        "prior_below_tenth": 100 * (prior_share < 0.1).mean(),
        "given_total": 100 * given_total,
        "drawn_share": drawn_sgrnas.var() / (drawn_sgrnas.var() + drawn_noise.var()),
        "true_share": truth["sigma_alpha"] ** 2 / (truth["sigma_alpha"] ** 2 + truth["sigma"] ** 2),
    }
)

# %% [markdown]
# The mean of the gene effects is {glue:text}`mu:.2f` (94 % interval {glue:text}`mu_low:.2f` to
# {glue:text}`mu_high:.2f`), and their standard deviation is {glue:text}`sd_genes:.2f`
# ({glue:text}`sd_genes_low:.2f` to {glue:text}`sd_genes_high:.2f`). Model 7a found the same for its
# intercepts. The total scatter about a gene, $\sqrt{\sigma_\alpha^2 + \sigma^2}$, is
# {glue:text}`total:.3f` ({glue:text}`total_low:.3f` to {glue:text}`total_high:.3f`), a narrow
# interval. In the effects and the noise that were drawn it is {glue:text}`drawn_total:.3f`.
#
# ### What the data leave open
#
# The data do not determine the two scales themselves. $\sigma_\alpha$ may be anything from
# {glue:text}`sigma_alpha_low:.2f` to {glue:text}`sigma_alpha_high:.2f`. {numref}`fig-share` shows
# the share of the sgRNAs in the variance, $\sigma_\alpha^2 / (\sigma_\alpha^2 + \sigma^2)$, in the
# prior and in the posterior. In the prior, {glue:text}`prior_below_tenth:.0f` % of the probability
# lies below a share of one tenth, and as much above nine tenths. In the posterior it is
# {glue:text}`below_tenth:.0f` % and {glue:text}`above_nine_tenths:.0f` %. Even this change says
# nothing about the split. The data fix the total, and for a total of {glue:text}`total:.2f` the
# prior itself gives {glue:text}`given_total:.0f` %. From {glue:text}`n_rows:,` observations model
# 7b has learnt nothing about the split.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Two histograms of a share between 0 and 1, prior and posterior; both are flat in the middle and high at both ends, and they look alike."}, "figure": {"name": "fig-share", "caption": "The share of the variance about a gene that is due to sgRNAs, in the prior and in the posterior of model 7b."}}
shares(
    pd.Series(prior_share),
    pd.Series(share.to_numpy().ravel()),
    title="Share of the sgRNAs in the variance",
)

# %% [markdown]
# ### What an analysis of variance finds
#
# Do the data say how the scatter divides? In the simulation an sgRNA lies above its gene in *every*
# cell line, or below it in every one. In the sgRNA's mean over the cell lines the noise averages
# out, and this deviation remains. An analysis of variance uses this. It subtracts each gene's mean
# in each cell line. Then it compares two kinds of scatter: that of the sgRNAs' means over their
# {glue:text}`n_cell_lines:d` cell lines, and that of single values about these means. (The
# intervals are classical confidence intervals, of 94 % like the others.)

# %% tags=["hide-input"] table={"name": "tbl-anova", "caption": "Analysis of variance of the screen within genes, with classical confidence intervals."}
anova = sgrna_variance(screen)
table(anova)

# %% tags=["remove-cell"]
anova_of = anova.set_index("quantity")
numbers(
    {
        "anova_share": anova_of.loc["share of the sgRNAs", "estimate"],
        "anova_low": anova_of.loc["share of the sgRNAs", "low"],
        "anova_high": anova_of.loc["share of the sgRNAs", "high"],
        "anova_factor": 1 - anova_of.loc["share of the sgRNAs", "estimate"],
    }
)

# %% [markdown]
# The estimated share of the sgRNAs is {glue:text}`anova_share:.2f`, between
# {glue:text}`anova_low:.2f` and {glue:text}`anova_high:.2f`. The truth is
# {glue:text}`true_share:.2f` ({glue:text}`drawn_share:.2f` in the effects and the noise that were
# drawn). So the data do contain the answer. Model 7b does not use it: it has no parameter for what
# an sgRNA does in all cell lines alike, as the model that made the data has, {eq}`eq-m7-effects`. A
# model can miss what the data show plainly. Its posterior is correct for the model, and gives no
# sign of this.
#
# ### The gene effects
#
# The next table lists all {glue:text}`n_gene_effects` effects of genes in cell lines
# ([as CSV](../results/tables/m7b/gamma_gc.csv)). {numref}`fig-heat-7b` shows them as a heat map.

# %% tags=["hide-input", "full-width"] table={"name": "tbl-genes-7b", "caption": "Posterior of every gene effect of model 7b."}
table(gene_effects, searchable=True)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Heat map of posterior means of the gene effects of model 7b for ten genes by twenty cell lines; it looks like that of model 7a."}, "figure": {"name": "fig-heat-7b", "caption": "Posterior means of the gene effects $\\gamma_{gc}$ of model 7b."}}
heat_map(gene_effects, title="Model 7b: gene effects by cell line")

# %% [markdown]
# ### The intercepts of the sgRNAs
#
# The next table lists all {glue:text}`n_intercepts:,` intercepts
# ([as CSV](../results/tables/m7b/alpha_sc.csv)):

# %% tags=["hide-input", "full-width"] table={"name": "tbl-intercepts-7b", "caption": "Posterior of every intercept of model 7b, partial pooling."}
table(intercepts, searchable=True)

# %% [markdown]
# The posterior predictive check ({numref}`fig-posterior-7b`) shows no problem. It cannot show how
# the scatter divides. For any division the predicted screens have nearly the same distribution, and
# the figure shows nothing else.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Density of the observed log fold changes in black, within a narrow bundle of densities predicted by the posterior of model 7b."}, "figure": {"name": "fig-posterior-7b", "caption": "Posterior predictive check of model 7b: predicted screens (blue) and the observed one (black)."}}
predictive(hierarchical, "posterior_predictive", title="Model 7b: what the posterior expects")

# %% [markdown]
# ### Three models of the same gene effects
#
# The unpooled model of the last chapter, model 7a and model 7b all have one effect per gene and
# cell line. {numref}`fig-three-models` compares them. The two models that pool agree: on average
# their posterior means differ by {glue:text}`difference:.3f`. The sgRNA level does not change the
# gene effects, since both models learn a gene's effect from the same mean of its sgRNAs.

# %% tags=["remove-cell"]
pooled_by_gene = load_table("m7a", "alpha_gc")
three = stack(
    {
        "no pooling": load_table("m7a_unpooled", "alpha_gc"),
        "partial pooling (7a)": pooled_by_gene,
        "hierarchical (7b)": gene_effects,
    }
)
numbers(
    {
        "n_gene_effects": len(gene_effects),
        "difference": (gene_effects["mean"] - pooled_by_gene["mean"]).abs().mean(),
    }
)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Posterior means of gene effects for ten genes, one point per cell line, for three models side by side; the two pooled models coincide, the unpooled one reaches farther out in gene_0."}, "figure": {"name": "fig-three-models", "caption": "Posterior means of the effects of genes in cell lines, by three models. Each point is one cell line."}}
by_model(three, by="gene", title="Three models of the gene effects")

# %% [markdown]
# ## No pooling
#
# For comparison, this is the model in which nothing connects the sgRNAs:
#
# $$
# \begin{aligned}
# \text{logFC}_i &\sim \text{Normal}(\alpha_{s[i],c[i]}, \sigma) \\
# \alpha_{sc} &\sim \text{Normal}(0, 5) \\
# \sigma &\sim \text{Exponential}(1)
# \end{aligned}
# $$ (eq-m7b-unpooled)

# %% tags=["remove-input"]
source(m7b_unpooled.build)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Graph of model 7b without pooling: alpha_sc on a plate of 55 sgRNAs by 20 cell lines has no parents; alpha_sc and sigma point to 1,100 observations.", "width": "420px"}, "figure": {"name": "fig-graph-7b-unpooled", "caption": "The graph of model 7b without pooling."}}
graph(m7b_unpooled.build(screen))

# %% tags=["hide-input"] mystnb={"image": {"alt": "Sixty cumulative distributions of log fold changes predicted from the prior of model 7b without pooling; all are alike and centred near zero."}, "figure": {"name": "fig-prior-7b-unpooled", "caption": "Prior predictive check of model 7b without pooling."}}
predictive(unpooled, "prior_predictive", title="Model 7b, no pooling: what the prior expects")

# %% [markdown]
# In the graph ({numref}`fig-graph-7b-unpooled`) the plate of the genes is gone. The prior
# ({numref}`fig-prior-7b-unpooled`) predicts screens about as wide as its fixed scale. With as many
# intercepts as observations, plain NUTS fails here too (see [Measurements](measurements)). The
# intercepts integrate out as before, one parameter is sampled, and all chains agree:

# %% tags=["hide-input"] table={"name": "tbl-settings-7b-unpooled", "caption": "How model 7b without pooling was sampled."}
table(sampler_settings(unpooled))

# %% tags=["hide-input"] table={"name": "tbl-diagnostics-7b-unpooled", "caption": "Diagnostics of model 7b without pooling; the worst over all parameters."}
table(diagnostics({"7b, no pooling": unpooled}))

# %% tags=["hide-input"] table={"name": "tbl-scalars-7b-unpooled", "caption": "Posterior of the noise of model 7b without pooling."}
unpooled_scalars = load_table("m7b_unpooled", "scalars")
table(unpooled_scalars)

# %% tags=["remove-cell"]
noise = unpooled_scalars.iloc[0]
numbers(
    {
        "noise": noise["mean"],
        "noise_low": noise["hdi_3%"],
        "noise_high": noise["hdi_97%"],
        "data_rms": np.sqrt((screen.log_fc**2).mean()),
    }
)

# %% [markdown]
# The noise is estimated as {glue:text}`noise:.2f` (94 % interval {glue:text}`noise_low:.2f` to
# {glue:text}`noise_high:.2f`). The true value, {glue:text}`true_sigma:.1f`, lies outside. This
# estimate does not measure the noise. With the intercepts integrated out, the model is
# $\text{logFC}_{sc} \sim \text{Normal}\bigl(0, \sqrt{5^2 + \sigma^2}\bigr)$. It expects data that
# spread about zero by at least five. The data spread by {glue:text}`data_rms:.1f`, so the smallest
# $\sigma$ fits best. The fixed prior scale thus drives $\sigma$ to zero. In chapter 2 the same
# prior did no harm, because several sgRNAs per gene showed the noise. Here nothing else informs
# $\sigma$, so the fixed scale decides it.
#
# The posterior predictive check ({numref}`fig-posterior-7b-unpooled`) looks good, as it must. Each
# intercept has moved to its own observation, and a model that repeats the data always predicts the
# data.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Density of the observed log fold changes in black, within a bundle of densities predicted by model 7b without pooling; a few of them are wider."}, "figure": {"name": "fig-posterior-7b-unpooled", "caption": "Posterior predictive check of model 7b without pooling."}}
predictive(
    unpooled,
    "posterior_predictive",
    title="Model 7b, no pooling: what the posterior expects",
)

# %% [markdown]
# The next table lists all intercepts without pooling
# ([as CSV](../results/tables/m7b_unpooled/alpha_sc.csv)):

# %% tags=["hide-input", "full-width"] table={"name": "tbl-intercepts-7b-unpooled", "caption": "Posterior of every intercept of model 7b, no pooling."}
table(unpooled_intercepts, searchable=True)

# %% [markdown]
# {numref}`fig-intercepts-7b` shows the intercepts of model 7b itself, with pooling, by gene. It
# adds the true and the estimated gene effects. (In the original notebook a helper function returned
# the wrong table for this figure and the next. Here the tables are files, named by model and
# parameter.)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Jittered posterior means of the sgRNA intercepts of model 7b for ten genes, coloured by cell line in layers, with a black bar at each true gene effect and a blue bar at each estimated one, mostly slightly above it."}, "figure": {"name": "fig-intercepts-7b", "caption": "Posterior means of the intercepts $\\alpha_{sc}$ of model 7b, by gene, with the true gene effects (black) and the means of the estimates (blue)."}}
genes_of_sgrnas = dict(
    zip(screen.sgrnas, np.array(screen.genes)[screen.gene_of_sgrna], strict=True)
)
with_gene = intercepts.assign(gene=intercepts["sgRNA"].map(genes_of_sgrnas))
observations(
    with_gene,
    by="gene",
    colour="cell_line",
    value="mean",
    effects=beside_truth(load_truth("gamma_g"), estimated_effect(with_gene, "gene"), "gene"),
    title="Model 7b: intercepts by gene",
    value_label="posterior mean",
)

# %% [markdown]
# ## How far is each sgRNA pulled?
#
# {numref}`fig-intercepts-by-sgrna` compares the intercepts without and with pooling. Each bar is
# the mean of an sgRNA over the cell lines. The sgRNAs of a gene differ less with pooling than
# without: the blue bars stand at more equal heights than the orange ones. That the orange bars
# differ at all, over twenty cell lines, is the evidence that the analysis of variance found and
# model 7b discards.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Ten panels, one per gene; in each, posterior means of the intercepts of its sgRNAs without pooling beside those of model 7b, one point per cell line. The hierarchical points of neighbouring sgRNAs are more alike."}, "figure": {"name": "fig-intercepts-by-sgrna", "caption": "Posterior means of the intercepts $\\alpha_{sc}$, by sgRNA, one panel per gene. Each point is one cell line, and each bar is the mean over the cell lines."}}
by_model_in_genes(
    stack(
        {
            "no pooling": unpooled_intercepts.assign(
                gene=unpooled_intercepts["sgRNA"].map(genes_of_sgrnas)
            ),
            "hierarchical (7b)": with_gene,
        }
    ),
    title="Intercepts by sgRNA",
)

# %% [markdown]
# {numref}`fig-shrinkage` is the figure that the original notebook left as a to-do. Each point is
# one sgRNA in one cell line. The horizontal axis is its intercept without pooling, and the vertical
# axis is that in model 7b. Strokes lead from the identity line to the points. They show the pull
# towards the gene's effect in that cell line. On the web page the figure is interactive: point at
# an intercept to read its estimates, and choose a gene to see it alone.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Scatter of 1,100 intercepts, model 7b against no pooling, coloured by the number of sgRNAs of the gene. Points lie in a band around the identity line; vertical strokes of up to half a unit lead from the line to the points, above and below it alike, for all genes but the one with a single sgRNA, whose points lie close to the line."}, "figure": {"name": "fig-shrinkage", "caption": "Shrinkage in model 7b: the intercept of each sgRNA in each cell line with partial pooling (y) against no pooling (x). Vertical strokes lead from the identity line to each point. Colour: number of sgRNAs of the gene."}}
pulled = pull(screen, unpooled_intercepts, intercepts)
shrinkage(pulled, title="How far model 7b pulls each sgRNA")

# %% tags=["hide-input"]
deviations = towards_genes(screen, pulled, gene_effects)
interactive(shrinkage_to_explore(deviations), figure="fig-shrinkage")

# %% tags=["remove-cell"]
shifts = (pulled["pooled"] - pulled["unpooled"]).abs().groupby(pulled["gene"], sort=False).mean()
numbers(
    {
        "shift_gene_0": shifts.iloc[0],
        "shift_least": shifts.iloc[1:].min(),
        "shift_most": shifts.iloc[1:].max(),
    }
)

# %% [markdown]
# The points of the gene with one sgRNA stay near the line. Their mean shift is
# {glue:text}`shift_gene_0:.2f`, and that of the other genes is {glue:text}`shift_least:.2f` to
# {glue:text}`shift_most:.2f`, upwards and downwards alike. In {numref}`fig-shrinkage-7a`, by
# contrast, the gene with a single sgRNA was pulled *more*. Model 7b has two pulls, one within the
# other. An sgRNA is pulled towards its gene, and the gene towards the overall mean. With a single
# sgRNA the gene's effect is estimated from that sgRNA alone, so the pull towards it hardly moves
# the sgRNA. What is left is half of the gene's own pull towards the mean.
#
# {numref}`fig-slopes` subtracts the gene's effect. The horizontal axis is the deviation of an sgRNA
# from its gene without pooling, and the vertical axis is that with pooling. All genes now have the
# same slope.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Deviation of each sgRNA intercept from its gene's effect in model 7b against the deviation without pooling; the points lie on one line through zero with about half the slope of the identity line, the same for all genes."}, "figure": {"name": "fig-slopes", "caption": "The same intercepts as deviations from the effect of their gene in the same cell line, with a line for each gene. The ten lines coincide. The grey line is no pooling."}}
shrinkage_slopes(
    deviations,
    x="unpooled_deviation",
    y="pooled_deviation",
    identity=1,
    labels=("from the gene's effect, no pooling", "from the gene's effect, 7b"),
    title="The pull towards the gene",
)

# %% [markdown]
# The next table shows the two shrinkage factors of each gene. *Towards the gene, measured* is one
# minus the slope of the gene's line in {numref}`fig-slopes`. *Towards the mean* is the factor of
# {eq}`eq-shrinkage`, with its 94 % interval. The variance of one sgRNA about its gene is now
# $\sigma_\alpha^2 + \sigma^2$.

# %% tags=["hide-input"] table={"name": "tbl-shrinkage", "caption": "Shrinkage in model 7b, gene by gene: towards the gene and towards the overall mean."}
factors = shrinkage_of_genes(screen, unit_variance=total**2, top_sd=posterior["sigma_gamma"])
by_gene = factors[["gene", "sgRNAs"]].assign(
    **{
        "towards the gene, measured": measured_shrinkage(deviations).to_numpy(),
        "towards the mean": factors["shrinkage"],
        "hdi_3%": factors["hdi_3%"],
        "hdi_97%": factors["hdi_97%"],
    }
)
table(by_gene)

# %% tags=["remove-cell"]
towards = 1 - share
estimates = {
    "7b, no pooling": unpooled_intercepts,
    "7a, no pooling": load_table("m7a_unpooled", "alpha_gc"),
    "7a": pooled_by_gene,
    "7b": intercepts,
}
errors = rms_error(screen, estimates)
error = errors.set_index("model")["RMS error"]
of_first = Screen(screen.table[screen.table["gene"] == "gene_0"])
error_of_first = rms_error(of_first, estimates).set_index("model")["RMS error"]
numbers(
    {
        "towards": towards.mean(),
        "towards_low": float(towards.quantile(0.03)),
        "towards_high": float(towards.quantile(0.97)),
        "measured_low": by_gene["towards the gene, measured"].min(),
        "measured_high": by_gene["towards the gene, measured"].max(),
        "gene_0": 100 * by_gene["towards the mean"].iloc[0],
        "gene_9": 100 * by_gene["towards the mean"].iloc[-1],
        "error_7b_unpooled": error["7b, no pooling"],
        "error_7a_unpooled": error["7a, no pooling"],
        "error_7a": error["7a"],
        "error_7b": error["7b"],
        "gene_0_unpooled": error_of_first["7a, no pooling"],
        "gene_0_pooled": error_of_first["7a"],
        "gain_7a": error["7a, no pooling"] - error["7a"],
        "gain_7b": error["7a"] - error["7b"],
    }
)

# %% [markdown]
# The factor towards the mean is well determined: {glue:text}`gene_0:.0f` % for `gene_0` and
# {glue:text}`gene_9:.0f` % for `gene_9`, with narrow intervals, as in chapter 2. The factor towards
# the gene needs care. It is about {glue:text}`measured_low:.2f` to {glue:text}`measured_high:.2f`
# for every gene, which looks like a finding. But for given scales it is
#
# $$
# \frac{\sigma^2}{\sigma_\alpha^2 + \sigma^2},
# $$ (eq-towards-gene)
#
# which is one minus the share in {numref}`fig-share`, and model 7b knows nothing about that share.
# The posterior mean of the factor is {glue:text}`towards:.2f`, and 94 % of its posterior lies
# between {glue:text}`towards_low:.3f` and {glue:text}`towards_high:.3f` (the 3 % and the 97 %
# quantile; the density is highest at the two ends). **The prior decides how long the strokes in
# {numref}`fig-shrinkage` are.** It gives $\sigma_\alpha$ and $\sigma$ the same exponential
# distribution, so the two are exchangeable and the factor is centred on a half. Another prior would
# give strokes of another length ([chapter 5](05_calibration) tries three), and under model 7b these
# data could not contradict it. The analysis of variance above does contradict the half: by it, the
# factor should be {glue:text}`anova_factor:.2f`.
#
# Is the pull useful all the same? Since the truth is known, we can measure how far each estimate is
# from the true mean of its observation:

# %% tags=["hide-input"] table={"name": "tbl-errors-7b", "caption": "Root mean square error of each model against the true means of the observations."}
table(errors)

# %% [markdown]
# With an intercept per sgRNA and no pooling the error is {glue:text}`error_7b_unpooled:.2f`. This
# is the noise itself, since the estimate is the observation. Averaging the sgRNAs of a gene brings
# most of the gain: model 7a without pooling has an error of {glue:text}`error_7a_unpooled:.2f`. Its
# partial pooling removes another {glue:text}`gain_7a:.4f`, and the sgRNA level of 7b removes
# {glue:text}`gain_7b:.3f` more. On average over this screen, partial pooling therefore gains
# little beyond that averaging. For `gene_0`, which it moves most, the error even grows, from
# {glue:text}`gene_0_unpooled:.2f` to {glue:text}`gene_0_pooled:.2f` in 7a. A pull towards the mean
# of the genes helps on average over genes like those that it was learnt from. One gene in twenty
# cell lines may be unlucky.

# %% [markdown]
# ## A figure to turn
#
# How far a gene is pulled towards the mean depends on four numbers and on the number $n$ of its sgRNAs.
# With $r$ replicates of each, the mean of a gene's measurements in a cell line has the variance
# $(\sigma_\alpha^2 + \sigma^2 / r) / n$ about the effect of the gene, so that, as in {eq}`eq-shrinkage`,
#
# $$
# B_n = \frac{(\sigma_\alpha^2 + \sigma^2 / r) / n}{(\sigma_\alpha^2 + \sigma^2 / r) / n + \sigma_\gamma^2}.
# $$ (eq-pull)
#
# {numref}`fig-turn` shows this for four screens. On a screen, the figure has sliders: move them, and see
# which number matters where. Replicates reduce only the part of the noise. Where the sgRNAs of a gene differ
# much, only more sgRNAs help.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Four falling curves of the pull towards the mean against the number of sgRNAs, one to ten. That of the book's screen lies lowest, below ten per cent; noisier screens and screens whose genes differ less lie higher, up to seventy per cent for one sgRNA."}, "figure": {"name": "fig-turn", "caption": "How far the estimate of a gene is pulled towards the mean, by the number of its sgRNAs, in four screens. Where there are sliders, the line with points follows them."}}
settings = {
    "the scales of this screen": {"noise": 0.3, "scatter": 0.2, "spread": 1.1, "replicates": 1},
    "genes alone differ": {"noise": 0.3, "scatter": 0.2, "spread": 0.5, "replicates": 1},
    "three times the noise as well": {"noise": 0.9, "scatter": 0.2, "spread": 0.5, "replicates": 1},
    "and with four replicates": {"noise": 0.9, "scatter": 0.2, "spread": 0.5, "replicates": 4},
}
numbers_of_sgrnas = np.arange(1, 11)
pulls = pd.concat(
    pd.DataFrame({"screen": name, "sgRNAs": numbers_of_sgrnas}).assign(
        pull=100
        * shrinkage_factor(
            (of["scatter"] ** 2 + of["noise"] ** 2 / of["replicates"]) / numbers_of_sgrnas,
            of["spread"],
        )
    )
    for name, of in settings.items()
)
expected_pull(pulls, title="Pull towards the mean")

# %% tags=["hide-input"]
interactive(pull_to_turn(pulls, noise=0.9, scatter=0.2, spread=0.5), figure="fig-turn")

# %% tags=["remove-cell"]
pull_of = pulls.set_index(["screen", "sgRNAs"])["pull"]
assert (pull_of.groupby("screen").diff().dropna() < 0).all()
numbers(
    {
        "turn_noisy": pull_of["three times the noise as well", 4],
        "turn_replicated": pull_of["and with four replicates", 4],
        "turn_alone": pull_of["genes alone differ", 4],
        "turn_book": pull_of["the scales of this screen", 4],
    }
)

# %% [markdown]
# For a gene with four sgRNAs the pull is {glue:text}`turn_book:.1f` % in the first of these screens,
# {glue:text}`turn_alone:.0f` % if only genes differ and not cell lines, {glue:text}`turn_noisy:.0f` % with three
# times the noise, and {glue:text}`turn_replicated:.0f` % with four replicates.

# %% [markdown]
# ## Comparison with the original notebook
#
# The original notebook prints four posteriors, two of model 7a and two of 7b.
# {numref}`tbl-original` sets ours beside them. They agree within Monte Carlo error. For model 7b
# the notebook shows only the mean and the spread of the genes. These had converged in the notebook,
# too, but they say nothing about how the scatter divides. The notebook therefore could not show the
# problem of this chapter. The fit that it reports as not converged is that of 7b without pooling.
# The cell of model 7b itself ends in an error, and is followed by a copy of the cell of model 7a.

# %% tags=["hide-input", "full-width"] table={"name": "tbl-original", "caption": "Posteriors that the original notebook prints, and those of this book: mean, standard deviation, and 94 % interval."}
printed = pd.DataFrame(
    [
        ("7a", "m7a", "mu_alpha_gc", -0.936, 0.082, -1.094, -0.787),
        ("7a", "m7a", "sigma_alpha", 1.110, 0.058, 1.000, 1.216),
        ("7b", "m7b", "mu_gamma", -0.937, 0.080, -1.091, -0.791),
        ("7b", "m7b", "sigma_gamma", 1.111, 0.057, 1.004, 1.217),
    ],
    columns=["model", "fit", "parameter", "mean", "sd", "hdi_3%", "hdi_97%"],
)
ours = pd.concat(
    [
        load_table("m7a", "scalars").assign(fit="m7a"),
        load_table("m7b", "scalars").assign(fit="m7b"),
    ]
)
beside = printed.merge(ours, on=["fit", "parameter"], suffixes=(", original", ", here"))
shown = [f"{c}, {of}" for of in ("original", "here") for c in ("mean", "sd", "hdi_3%", "hdi_97%")]
table(beside[["model", "parameter", *shown]])

# %% [markdown]
# ## Exercises
#
# **1.** Take each gene in each cell line, and deal its log fold changes out again at random among
# the gene's sgRNAs. What happens to the posterior of the scales of model 7b, and what to the share
# of the sgRNAs that the analysis of variance finds? Predict both, and then shuffle the screen a few
# times.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the answer", "code_prompt_hide": "Hide the answer"}
original_means = solve(m7b.FAMILY, screen).scalars()["mean"]
values_of = screen.table.groupby(["gene", "cell_line"], observed=True)["log_fc"]
moved_by, shuffled_shares, shuffled_noise = [], [], []
for seed in range(3):
    deal = np.random.default_rng(seed).permutation
    shuffled = screen.measured(values_of.transform(lambda v, deal=deal: deal(v)).to_numpy())
    moved_by.append((solve(m7b.FAMILY, shuffled).scalars()["mean"] - original_means).abs().max())
    by_anova = sgrna_variance(shuffled).set_index("quantity")
    shuffled_shares.append(by_anova.loc["share of the sgRNAs", "estimate"])
    shuffled_noise.append(by_anova.loc["sd of the noise", "estimate"])
assert max(moved_by) < 1e-9 and np.abs(shuffled_shares).max() < 0.05
answer(
    f"In {len(moved_by)} shuffled screens the posterior means of model 7b do not move, except by "
    "rounding in the last digits. To model 7b a gene's values in one line are exchangeable, and "
    "which sgRNA they belong to does not enter its likelihood. The share of the analysis of "
    f"variance falls from {anova_of.loc['share of the sgRNAs', 'estimate']:.2f} to between "
    f"{min(shuffled_shares):.2f} and {max(shuffled_shares):.2f} (such an estimate may be "
    f"negative), and its noise grows to {np.mean(shuffled_noise):.2f}, the total scatter. "
    "Shuffling destroys just what model 7b does not use: that an sgRNA deviates in the same "
    "direction in all cell lines."
)

# %% [markdown]
# **2.** The share of the sgRNAs in the variance has no unit. Suppose all log fold changes were a
# hundred times as large, with the priors left as they are. Write the prior density along the arc
# $\sigma_\alpha^2 + \sigma^2 = T^2$ as a function of the angle. By which factor is it higher at an
# end of the arc than in its middle, for the total $T$ of this screen and for a hundred times that?
# Say what the posterior of the share looks like then, and fit model 7b to check it.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the answer", "code_prompt_hide": "Hide the answer"}
of_unit = {}
for times in (1, 100):
    end_over_middle = np.exp((2**0.5 - 1) * times * float(total.mean()))
    points = solve(m7b.FAMILY, screen.measured(times * screen.log_fc)).points
    squares = {scale: points.scales[scale] ** 2 for scale in scale_names}
    shares_then = squares["sigma_alpha"] / sum(squares.values())
    middle = 100 * points.weights @ ((shares_then > 0.1) & (shares_then < 0.9))
    of_unit[times] = end_over_middle, points.weights @ shares_then, middle
assert of_unit[100][2] < of_unit[1][2] / 100
assert abs(of_unit[100][1] - of_unit[1][1]) < 0.01
answer(
    "At the angle a the two scales are T sin(a) and T cos(a), so the density is proportional to "
    "exp(-T (sin(a) + cos(a))), and the likelihood does not change along the arc. The sum is 1 at "
    "an end and the root of 2 in the middle, so the end is higher by the factor "
    f"exp({2**0.5 - 1:.2f} T): {of_unit[1][0]:.2f} here, and {of_unit[100][0] / 1e6:.1f} million "
    "for a hundred times the values. The posterior mean of the share stays where it is "
    f"({of_unit[1][1]:.2f} and {of_unit[100][1]:.2f}), but the probability of a share between a "
    f"tenth and nine tenths falls from {of_unit[1][2]:.0f} % to {of_unit[100][2]:.2f} %. Model 7b "
    "would be sure that the scatter is either all sgRNAs or all noise, without knowing which, "
    "although only the unit has changed."
)

# %% [markdown]
# **3.** You can afford to measure a single cell line a second time. There the two measurements of
# an sgRNA differ only by noise. Work out by hand the standard error of $\sigma$ from the 55
# differences, as a percentage of $\sigma$, and that of the share of the sgRNAs if the total is
# known. Then measure one line again, with fresh noise about `mu_sc`, fit model 7b, and compare. Try
# several lines.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the answer", "code_prompt_hide": "Hide the answer"}
by_hand = 1 / np.sqrt(2 * len(screen.sgrnas))
true_share = truth["sigma_alpha"] ** 2 / (truth["sigma_alpha"] ** 2 + truth["sigma"] ** 2)
share_by_hand = 2 * by_hand * (1 - true_share)
fresh, twice = np.random.default_rng(103), []
for line in screen.cell_lines[:6]:
    again = screen.table[screen.table["cell_line"] == line]
    again = again.assign(log_fc=fresh.normal(again["mu_sc"], truth["sigma"]))
    points = solve(m7b.FAMILY, Screen(pd.concat([screen.table, again]))).points
    squares = {scale: points.scales[scale] ** 2 for scale in scale_names}
    both = np.array([squares["sigma"] ** 0.5, squares["sigma_alpha"] / sum(squares.values())])
    at, off = both @ points.weights, np.cov(both, aweights=points.weights, ddof=0).diagonal() ** 0.5
    twice.append((off[0] / at[0], at[1], off[1]))
sigma_off, share_at, share_off = np.array(twice).T
assert abs(sigma_off.mean() - by_hand) < 0.03 and max(share_off) < 0.5 * float(share.std())
answer(
    "A difference has the mean 0 and the variance 2σ², so the standard error of σ is 1 / √(2 · "
    f"{len(screen.sgrnas)}), or {100 * by_hand:.0f} %, of σ. The share is 1 - σ² / T², and the "
    f"error of σ² is twice that percentage of it, so that of the share is {share_by_hand:.2f}. In "
    f"model 7b the posterior standard deviations are, on average over {len(twice)} lines, "
    f"{100 * sigma_off.mean():.0f} % of σ and {share_off.mean():.2f} for the share, which was "
    f"{float(share.std()):.2f} without the second measurement. The {len(screen.sgrnas)} further "
    f"values say more about the split than the {len(screen.table):,} before them, but they do not "
    "settle it: from line to line, the posterior mean of the share lies between "
    f"{share_at.min():.2f} and {share_at.max():.2f}, and the truth is {true_share:.2f}."
)

# %% [markdown]
# ## What we have learnt
#
# - In model 7b, with one observation per sgRNA and cell line, the data determine the scatter about
#   a gene well. They do not determine how it divides into sgRNAs and noise. What model 7b says
#   about single sgRNAs is what its prior says.
# - Model 7a and model 7b agree on the gene effects. Both assume that the deviation of an sgRNA is
#   drawn anew in every cell line, which is not so.
# - Two things would help. One is **replicates** of each sgRNA in each cell line, which show the
#   noise by itself. The other is a model that says what is shared across cell lines, as the one
#   that made the data does.

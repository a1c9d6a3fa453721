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
# Model 7a gives every combination of gene and cell line an intercept of its own. This chapter fits it twice: with **partial pooling**, where the
# intercepts have a common distribution that is estimated, and with **no pooling**, where each
# stands alone. It shows that pooling pulls hardest on the gene with one sgRNA and least on the gene
# with ten, works out by how much, and explains why.
#
# A word on words. The notebook that this book grew from calls its unpooled models "full pool".
# The field's terms, which this book uses, are *no pooling* (every group for itself), *partial
# pooling* (groups share a distribution), and *complete pooling* (one value for all)
# {cite:p}`gelmanhill2007`.

# %% tags=["hide-input"]
from poolscreen.display import graph, source, table
from poolscreen.figures.estimates import by_model, heat_map
from poolscreen.figures.predictions import predictive
from poolscreen.figures.screens import observations
from poolscreen.figures.shrinkage import shrinkage, shrinkage_slopes
from poolscreen.inference.gate import MAX_R_HAT, MIN_BFMI, MIN_ESS
from poolscreen.models import m7a, m7a_unpooled
from poolscreen.tables.estimates import beside_truth, estimated_effect, from_their_gene, stack
from poolscreen.tables.fits import diagnostics, settings
from poolscreen.tables.shrinkage import pull, shrinkage_of_genes
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
# Three more words for those who have not met them. A Bayesian model starts from a {term}`prior`, a
# distribution for each parameter before the data are seen. The data turn it into the
# {term}`posterior`. One cannot write the posterior down as a formula, so a *sampler*
# ({term}`NUTS`) makes {term}`draws <draw>` from it, in several independent {term}`chains <chain>`.
# A mean over the draws is an estimate; an interval that holds 94 % of them says how sure it is.
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
# The second line is what makes the model hierarchical. The intercepts do not have a fixed
# prior; they have one whose mean $\mu_\alpha$ and standard deviation $\sigma_\alpha$ are themselves
# estimated, from all intercepts at once. The model knows nothing of sgRNAs: two sgRNAs of one gene
# are to it two looks at the same thing. (This $\sigma_\alpha$ is not that of chapter 1. There it was
# the scatter of sgRNAs about their gene; here it is the spread of the intercepts.)
#
# This is the model as code, read from the package as this page was made. In it
# $\mu_\alpha$ is called `mu_alpha_gc`, as in the original.

# %% tags=["remove-input"]
source(m7a.build)

# %% [markdown]
# {numref}`fig-graph-7a` shows the same as a graph.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Graph of model 7a: mu_alpha_gc and sigma_alpha point to alpha_gc, on a plate of 10 genes by 20 cell lines; alpha_gc, sigma and the two index arrays point to the observed log_fc, on a plate of 1,100 observations.", "width": "420px"}, "figure": {"name": "fig-graph-7a", "caption": "The graph of model 7a. Ovals are random, the shaded oval is observed, shaded boxes are data; a plate repeats what it holds."}}
graph(m7a.build(screen))

# %% [markdown]
# ### What the model expects before it sees data
#
# A prior is a statement about data, and one can look at it: draw parameters from the prior, then a
# screen from them, and do so again and again {cite:p}`gabry2019`. {numref}`fig-prior-7a` shows such
# screens. Of all the values in them, 94 % lie between {glue:text}`prior_low:.0f` and
# {glue:text}`prior_high:.0f`; those of the screen that we have lie between
# {glue:text}`data_low:.1f` and {glue:text}`data_high:.1f`. So the priors rule out nothing that we
# could meet, and leave the rest to the data.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Sixty cumulative distributions of log fold changes predicted from the prior of model 7a; some are steep, some flat, and their centres are scattered over some twenty units."}, "figure": {"name": "fig-prior-7a", "caption": "Prior predictive check of model 7a: each line is the cumulative distribution of the log fold changes in one screen that the prior expects."}}
predictive(pooled, "prior_predictive", title="Model 7a: what the prior expects")

# %% [markdown]
# ### Sampling, and whether it worked
#
# The posterior was sampled with NUTS {cite:p}`hoffman2011`, in the implementation of nutpie
# {cite:p}`nutpie2026`, through PyMC {cite:p}`pymc2023`. NUTS can sample all parameters of this model
# at once. Here it was given an easier task with the same result. Once the mean and the two standard
# deviations are known, the intercepts have normal distributions that can be written down; so only those
# three are sampled, and the intercepts are drawn exactly afterwards. [Chapter 4](04_integrating_out)
# shows how, and sets both ways side by side.

# %% tags=["hide-input"] table={"name": "tbl-settings-7a", "caption": "How model 7a was sampled."}
table(settings(pooled))

# %% [markdown]
# Chains are only worth reading if they agree. Two figures tell: {term}`R-hat`, which compares the
# spread between the chains with that within them, and the {term}`effective sample size`
# {cite:p}`vehtari2021`. In this book every parameter of every fit must have an R-hat of at most
# {glue:text}`max_r_hat` and a bulk and tail effective sample size of at least
# {glue:text}`min_ess`, with no {term}`divergences <divergence>` and a {term}`BFMI` of at least
# {glue:text}`min_bfmi`; a fit that does not pass this *gate* is not written, and the build of this page stops. These are the worst figures over all
# {glue:text}`n_parameters:,` parameters of model 7a:

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
# The three parameters that are common to all intercepts. In this table and the next, `hdi_3%` and
# `hdi_97%` bound the 94 % {term}`highest-density interval`; `mcse` is the error of an estimate that
# comes from having finitely many draws; `ess` is the effective sample size, at the centre of the
# distribution (`bulk`) and in its tails:

# %% tags=["hide-input"] table={"name": "tbl-scalars-7a", "caption": "Posterior of the mean and the scales of model 7a."}
table(pooled_scalars)

# %% [markdown]
# The intercepts have a mean of {glue:text}`mu_mean:.2f` (94 % interval {glue:text}`mu_low:.2f` to
# {glue:text}`mu_high:.2f`) and a standard deviation of {glue:text}`sd_between:.2f`
# ({glue:text}`sd_between_low:.2f` to {glue:text}`sd_between_high:.2f`). Neither is a parameter of
# the simulation; both combine several. The mean is that of the genes plus that of the cell lines,
# the standard deviation combines the spread of genes with that of cell lines. And the noise
# $\sigma$, {glue:text}`sigma:.2f` ({glue:text}`sigma_low:.2f` to {glue:text}`sigma_high:.2f`), is
# larger than the {glue:text}`drawn_sigma:.2f` of the noise that was drawn. To a model without sgRNAs
# the differences between the sgRNAs of one gene are noise too. The two standard deviations that were
# drawn, {glue:text}`drawn_sigma:.2f` and {glue:text}`drawn_sigma_alpha:.2f`, combine to
# {glue:text}`drawn_sum:.2f` (the root of the sum of their squares).
#
# All {glue:text}`n_intercepts:,` intercepts ([as CSV](../results/tables/m7a/alpha_gc.csv)):

# %% tags=["hide-input", "full-width"] table={"name": "tbl-intercepts-7a", "caption": "Posterior of every intercept of model 7a, partial pooling."}
table(pooled_intercepts, searchable=True)

# %% [markdown]
# As a heat map ({numref}`fig-heat-7a`) their structure shows at a glance: columns that are blue or
# pale as a whole are cell lines, the one row that is different is `gene_5`.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Heat map of posterior means for ten genes by twenty cell lines, from blue for negative to red for positive; whole columns are alike, and the row of gene_5 is shifted towards red."}, "figure": {"name": "fig-heat-7a", "caption": "Posterior means of the intercepts $\\alpha_{gc}$ of model 7a."}}
heat_map(pooled_intercepts, title="Model 7a: intercepts by gene and cell line")

# %% [markdown]
# ### Against the data and the truth
#
# In the simulation a gene had one effect, here it has one intercept per cell line. To compare them
# we average a gene's intercepts over the cell lines ({numref}`fig-genes-7a`).

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

# %% tags=["hide-input"] mystnb={"image": {"alt": "Jittered log fold changes for ten genes coloured by cell line, with two bars for each gene: black for the true effect, blue for the estimated one. The blue bars lie close to the black ones, on average slightly above them."}, "figure": {"name": "fig-genes-7a", "caption": "The data by gene, with the true gene effects $\\gamma_g$ (black) and those estimated by model 7a (blue): the mean over cell lines of the posterior means."}}
observations(
    screen.table,
    by="gene",
    colour="cell_line",
    effects=beside_truth(true_genes, estimated_genes, "gene"),
    title="Model 7a: true and estimated gene effects",
)

# %% [markdown]
# The estimates follow the truth, but on average they lie {glue:text}`gene_shift:.2f` above it
# (from {glue:text}`gene_shift_low:.2f` to {glue:text}`gene_shift_high:.2f`). That is no failure of the
# sampler. The effects of the cell lines that were drawn have a mean of {glue:text}`mean_beta:.2f`,
# not of zero, and this mean is in every gene's average. No data can tell a shift of all cell lines
# from a shift of all genes; they only know the sum. The rest of the difference, and its range, comes
# mostly from the sgRNAs that were drawn: those of one gene do not average to zero
# ({glue:text}`sgrna_low:.2f` to {glue:text}`sgrna_high:.2f`). The same holds for the cell lines
# ({numref}`fig-cell-lines-7a`): their estimates differ from the truth by {glue:text}`cell_line_shift:.2f`
# on average, the mean of the true gene effects, {glue:text}`mean_gamma:.2f`, and the same remainder.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Jittered log fold changes for twenty cell lines coloured by gene, with two bars for each cell line: black for the true effect, blue for the estimated one. Every blue bar lies about one unit below its black one."}, "figure": {"name": "fig-cell-lines-7a", "caption": "The data by cell line, with the true cell line effects $\\beta_c$ (black) and the mean over genes of the posterior means of model 7a (blue)."}}
observations(
    screen.table,
    by="cell_line",
    colour="gene",
    effects=beside_truth(true_cell_lines, estimated_cell_lines, "cell_line"),
    title="Model 7a: true and estimated cell line effects",
)

# %% [markdown]
# Would data from this model look like the data that we have? {numref}`fig-posterior-7a` draws
# screens from the posterior. The observed one runs within their bundle, mostly, and has two humps.
# The 20 cell lines do not spread evenly ({numref}`fig-by-cell-line`), and the model knows nothing of
# cell lines.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Density of the observed log fold changes in black, within a narrow bundle of densities predicted by the posterior of model 7a."}, "figure": {"name": "fig-posterior-7a", "caption": "Posterior predictive check of model 7a: distributions of the log fold changes in predicted screens (blue), and in the observed one (black)."}}
predictive(pooled, "posterior_predictive", title="Model 7a: what the posterior expects")

# %% [markdown]
# ## No pooling
#
# ### The model
#
# Now the intercepts get a prior that is fixed, and wide:
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
# In the graph ({numref}`fig-graph-7a-unpooled`) nothing points to `alpha_gc` any more. What the
# prior expects ({numref}`fig-prior-7a-unpooled`) is now always about as wide as the fixed prior,
# and centred on zero.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Graph of model 7a without pooling: alpha_gc has no parents; alpha_gc, sigma and the two index arrays point to the observed log_fc.", "width": "420px"}, "figure": {"name": "fig-graph-7a-unpooled", "caption": "The graph of model 7a without pooling."}}
graph(m7a_unpooled.build(screen))

# %% tags=["hide-input"] mystnb={"image": {"alt": "Sixty cumulative distributions of log fold changes predicted from the prior of model 7a without pooling; all are alike and centred near zero."}, "figure": {"name": "fig-prior-7a-unpooled", "caption": "Prior predictive check of model 7a without pooling."}}
predictive(unpooled, "prior_predictive", title="Model 7a, no pooling: what the prior expects")

# %% [markdown]
# It was sampled as model 7a was, with these diagnostics:

# %% tags=["hide-input"] table={"name": "tbl-settings-7a-unpooled", "caption": "How model 7a without pooling was sampled."}
table(settings(unpooled))

# %% tags=["hide-input"] table={"name": "tbl-diagnostics-7a-unpooled", "caption": "Diagnostics of model 7a without pooling; the worst over all parameters."}
table(diagnostics({"7a, no pooling": unpooled}), digits=3)

# %% [markdown]
# The noise comes out the same, and the intercepts
# ([as CSV](../results/tables/m7a_unpooled/alpha_gc.csv)) look the same at first sight:

# %% tags=["hide-input"] table={"name": "tbl-scalars-7a-unpooled", "caption": "Posterior of the noise of model 7a without pooling."}
table(unpooled_scalars)

# %% tags=["hide-input", "full-width"] table={"name": "tbl-intercepts-7a-unpooled", "caption": "Posterior of every intercept of model 7a, no pooling."}
table(unpooled_intercepts, searchable=True)

# %% [markdown]
# Its posterior predictive check ({numref}`fig-posterior-7a-unpooled`) is no worse and no better than
# that of model 7a. Such a check asks whether a model can reproduce the data that it was fitted to.
# It does not ask which of two models knows more about a gene.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Density of the observed log fold changes in black, within a narrow bundle of densities predicted by the posterior of model 7a without pooling."}, "figure": {"name": "fig-posterior-7a-unpooled", "caption": "Posterior predictive check of model 7a without pooling."}}
predictive(
    unpooled,
    "posterior_predictive",
    title="Model 7a, no pooling: what the posterior expects",
)

# %% [markdown]
# ## What pooling does
#
# Put the two side by side, by gene ({numref}`fig-models-by-gene`) and by cell line
# ({numref}`fig-models-by-cell-line`). In `gene_0`, on the left, the outermost points of the pooled
# model are closer to the middle than those of the unpooled one; in `gene_9` one cannot see a
# difference.

# %% tags=["remove-cell"]
by_pooling = stack({"no pooling": unpooled_intercepts, "partial pooling (7a)": pooled_intercepts})

# %% tags=["hide-input"] mystnb={"image": {"alt": "Posterior means of the intercepts of ten genes, one point per cell line, without pooling beside partial pooling. In gene_0 the pooled points reach less far out; in the other genes the two sets look alike."}, "figure": {"name": "fig-models-by-gene", "caption": "Posterior means of the intercepts by gene, without and with pooling. Each point is one cell line."}}
by_model(by_pooling, by="gene", title="Intercepts by gene")

# %% tags=["hide-input"] mystnb={"image": {"alt": "Posterior means of the intercepts in twenty cell lines, one point per gene, without pooling beside partial pooling. The two sets look alike but for single points in the cell lines that lie farthest out."}, "figure": {"name": "fig-models-by-cell-line", "caption": "Posterior means of the intercepts by cell line, without and with pooling. Each point is one gene."}}
by_model(by_pooling, by="cell_line", title="Intercepts by cell line")

# %% [markdown]
# Each pair of points becomes one in {numref}`fig-shrinkage-7a`: no pooling to the right, partial
# pooling upwards. An intercept that pooling leaves alone lies on the diagonal. Few leave it visibly,
# and those that do belong to genes with few sgRNAs.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Scatter of pooled against unpooled posterior means with the identity line; points of genes with one sgRNA leave the line most, above it at the lower left; those of genes with many sgRNAs lie on it."}, "figure": {"name": "fig-shrinkage-7a", "caption": "Intercepts of model 7a with partial pooling against no pooling. Vertical strokes lead from the identity line to each point: the pull. Colour: number of sgRNAs of the gene."}}
pulled = pull(screen, unpooled_intercepts, pooled_intercepts).eval("shift = pooled - unpooled")
shrinkage(pulled, title="Shrinkage of the intercepts in model 7a")

# %% [markdown]
# {numref}`fig-slopes-7a` shows the pull alone: by how much pooling moves each intercept. Below the
# overall mean it moves them up, above it down, the further the farther out they lie. Each gene has
# a line of its own, and the fewer its sgRNAs the steeper the line.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Shift of each intercept by pooling against its unpooled value, with a straight line for each gene; all lines fall and cross zero near minus one; the line of the gene with one sgRNA is steepest, that of the gene with ten nearly flat."}, "figure": {"name": "fig-slopes-7a", "caption": "How far pooling moves each intercept, and the line of each gene. The grey line is no pooling."}}
shrinkage_slopes(
    pulled,
    x="unpooled",
    y="shift",
    identity=0,
    labels=("posterior mean, no pooling", "shift by pooling"),
    title="The pull of pooling, gene by gene",
)

# %% [markdown]
# ### Why gene_0 is pulled hardest
#
# Given the scales, the posterior mean of an intercept can be written down. Let gene $g$ have $n_g$
# sgRNAs, let $\bar y_{gc}$ be the mean of their observations in cell line $c$. The data say
# $\bar y_{gc}$, give or take $\sigma / \sqrt{n_g}$. The other intercepts say $\mu_\alpha$, give or
# take $\sigma_\alpha$. The posterior mean weighs the two by their precision:
#
# $$
# \begin{aligned}
# \mathrm{E}[\alpha_{gc} \mid y, \mu_\alpha, \sigma_\alpha, \sigma]
# &= (1 - B_g)\, \bar y_{gc} + B_g\, \mu_\alpha \\
# B_g &= \frac{\sigma^2 / n_g}{\sigma^2 / n_g + \sigma_\alpha^2}
# \end{aligned}
# $$ (eq-shrinkage)
#
# $B_g$ is the **shrinkage factor**: the share of the way from the gene's own data to the overall
# mean. It is, with the sign turned, very nearly the slope of the gene's line in {numref}`fig-slopes-7a`. More
# sgRNAs make it smaller, more noise makes it larger. Its posterior, gene by gene:

# %% tags=["hide-input"] table={"name": "tbl-shrinkage-7a", "caption": "Shrinkage in model 7a, gene by gene: the factor with its interval, the mean shift, the posterior standard deviation."}
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
numbers(
    {
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
# `gene_0` has one sgRNA. One observation with noise {glue:text}`sigma:.2f` is all that is known of
# each of its intercepts, and pooling moves them {glue:text}`b_first:.1f` % of the way to the mean
# (94 % interval {glue:text}`b_first_low:.1f` to {glue:text}`b_first_high:.1f` %), on average by
# {glue:text}`shift_first:.3f`. `gene_9` has ten; its intercepts move {glue:text}`b_last:.1f` % of the
# way, by {glue:text}`shift_last:.3f`. (A gene that lies far from the mean, as `gene_5` does, shifts more
# than its neighbours in the table; its *factor* is in line.) Their posterior standard deviations are
# {glue:text}`sd_first:.2f` and {glue:text}`sd_last:.2f`. In all of them the pull is smaller than
# the uncertainty.
#
# Why is the pull so weak even for `gene_0`? Because $\sigma_\alpha$ is large: the intercepts differ so
# much among themselves, with a standard deviation of {glue:text}`sd_between:.2f`, that knowing the
# others says little about any one. Most of that spread is between cell lines, and every cell line
# shifts all genes alike. A model that gave cell lines an effect of their own, as the simulation did,
# would have less left to explain, and would pool more. Model 7a cannot, and that is its
# limit, not a law of screens.

# %% [markdown]
# ## What we have learnt
#
# - Partial pooling estimates a common distribution of the intercepts along with them, and each
#   intercept becomes a compromise between its own data and that distribution.
# - The compromise is {eq}`eq-shrinkage`: it depends on how much data a group has, and on how alike
#   the groups are. Genes with few sgRNAs are pulled hardest.
# - In model 7a the pull is {glue:text}`b_first:.0f` % of the way at most, because it takes the
#   differences between cell lines for differences between unrelated intercepts.
# - Model 7a takes differences between sgRNAs for noise. [The next chapter](03_model_7b) tries to tell
#   the two apart.

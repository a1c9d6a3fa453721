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
# Models 7a and 7b give every gene an effect of its own in every cell line. The screen was not made
# in this way: in [chapter 1](01_data_generation) a cell line shifts all genes alike, and an sgRNA
# keeps its deviation in all cell lines. This chapter fits model 7, which has this structure, and
# model 7c, which is the same without the level of the sgRNAs. We meet a second way in which data
# can leave a question open, and resolve it. Then we compare every estimate with the truth, and ask
# what the other models say.

# %% tags=["hide-input"]
import numpy as np
import pandas as pd
from scipy import stats

from poolscreen.display import answer, graph, source, table
from poolscreen.families.crossed.additive_likelihood import log_marginal_likelihood
from poolscreen.families.crossed.effects import draw_effects
from poolscreen.figures.calibration import rank_curves
from poolscreen.figures.estimates import intervals_against_truth, intervals_by_model
from poolscreen.figures.predictions import predictive, statistic
from poolscreen.figures.scales import prior_and_posterior_means
from poolscreen.inference.calibration import pit
from poolscreen.inference.exact import solve
from poolscreen.inference.gate import MAX_R_HAT
from poolscreen.inference.posterior import interval
from poolscreen.inference.recovery import effect_of_genes
from poolscreen.models import m7, m7_two_means, m7a, m7c
from poolscreen.screens.simulate import Design, simulate
from poolscreen.screens.table import Screen
from poolscreen.tables.calibration import coverage, rank_differences, uniformity
from poolscreen.tables.estimates import against_truth
from poolscreen.tables.fits import WAYS, diagnostics, sampler_comparison, sampler_settings
from poolscreen.tables.variance import scatter_of_sgrnas, sgrna_variance
from press.glue import numbers
from press.results import (
    load_benchmark,
    load_calibration,
    load_fit,
    load_screen,
    load_table,
    load_truth,
)

screen = load_screen()
two_means = load_fit("m7_two_means")
fit = load_fit("m7")
without_sgrnas = load_fit("m7c")

# %% [markdown]
# ## Model 7 as the original notebook states it
#
# As in {eq}`eq-m7-effects`, model 7 with the priors of the original notebook has two means, one of
# the genes and one of the cell lines:
#
# $$
# \begin{aligned}
# \text{logFC}_i &\sim \text{Normal}(\alpha_{s[i]} + \beta_{c[i]}, \sigma) \\
# \alpha_s &\sim \text{Normal}(\gamma_{g[s]}, \sigma_\alpha) \\
# \gamma_g &\sim \text{Normal}(\mu_\gamma, \sigma_\gamma) \\
# \beta_c &\sim \text{Normal}(\mu_\beta, \sigma_\beta) \\
# \mu_\gamma, \mu_\beta &\sim \text{Normal}(0, 5) \\
# \sigma_\gamma, \sigma_\alpha, \sigma_\beta, \sigma &\sim \text{Exponential}(1)
# \end{aligned}
# $$ (eq-m7-two-means)

# %% tags=["remove-input"]
source(m7_two_means.build)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Graph of model 7 with two means: mu_gamma and sigma_gamma point to gamma_g, on a plate of 10 genes; these and sigma_alpha to alpha_s, on a plate of 55 sgRNAs; mu_beta and sigma_beta to beta_c, on a plate of 20 cell lines; alpha_s, beta_c and sigma to 1,100 observations.", "width": "520px"}, "figure": {"name": "fig-graph-7-two-means", "caption": "The graph of model 7 with two means. Genes and cell lines meet only in the observations."}}
graph(m7_two_means.build(screen))

# %% [markdown]
# In model 7, unlike in 7a and 7b, the effects of sgRNAs and of cell lines are *crossed*
# ({numref}`fig-graph-7-two-means`). There are {glue:text}`n_effects:d` effects in all, where 7b has
# {glue:text}`n_effects_7b:,`. Each sgRNA has one effect and is seen in all {glue:text}`n_lines:d`
# cell lines, so the scatter of sgRNAs can be told apart from the noise.

# %% [markdown]
# ## Only the sum of the means is identified
#
# Add a number to every gene effect, and to those of its sgRNAs, and subtract it from every cell line
# effect: no observation's mean changes. With $-1$ for a gene and its sgRNAs and 0 for a line, or 0 for the
# gene and $-1$ for the line, their observation has the mean $-1$. The data determine the sum $\mu_\gamma + \mu_\beta$, and nothing else about the two
# means. In {numref}`fig-two-means` the draws of the prior form a round cloud, and those of the
# posterior lie on a line through it.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Scatter of draws of mu_beta against mu_gamma: grey draws of the prior in a round cloud about zero, blue draws of the posterior on a thin falling line through it.", "width": "520px"}, "figure": {"name": "fig-two-means", "caption": "The two means of model 7: draws of the prior (grey) and of the posterior (blue)."}}
means = two_means["posterior"].to_dataset()[["mu_gamma", "mu_beta"]]
prior_means = two_means["prior"].to_dataset()[["mu_gamma", "mu_beta"]]
prior_and_posterior_means(
    prior_means.to_dataframe(),
    means.isel(draw=slice(None, None, 8)).to_dataframe(),
    title="Only the sum of the means is known",
)

# %% tags=["hide-input"] table={"name": "tbl-two-means", "caption": "Standard deviations of the two means, of their sum and of their difference, in the prior and in the posterior."}
parts = {
    "mean of the genes": (means["mu_gamma"], 5.0),
    "mean of the cell lines": (means["mu_beta"], 5.0),
    "their sum": (means["mu_gamma"] + means["mu_beta"], 50**0.5),
    "their difference": (means["mu_gamma"] - means["mu_beta"], 50**0.5),
}
spread = pd.DataFrame(
    {
        "quantity": parts.keys(),
        "prior sd": [prior for _, prior in parts.values()],
        "posterior sd": [float(draws.std()) for draws, _ in parts.values()],
    }
)
table(spread, digits=2)

# %% tags=["remove-cell"]
after = spread.set_index("quantity")["posterior sd"]
correlation = np.corrcoef(*(means[name].to_numpy().ravel() for name in means))[0, 1]
assert correlation < -0.98
seeds = pd.DataFrame(load_benchmark("seeds")["figures"]).set_index(["model", "sampler"])
repeated = seeds.loc[("m7_two_means", "nutpie")]
assert (repeated["max_r_hat"] > MAX_R_HAT).all()
numbers(
    {
        "n_effects": len(screen.genes) + len(screen.sgrnas) + len(screen.cell_lines),
        "n_effects_7b": (len(screen.genes) + len(screen.sgrnas)) * len(screen.cell_lines),
        "n_lines": len(screen.cell_lines),
        "correlation": correlation,
        "sd_of_one": after["mean of the genes"],
        "sd_of_sum": after["their sum"],
        "sd_of_difference": after["their difference"],
        "two_r_hat": repeated["max_r_hat"].median(),
        "two_ess": repeated["min_ess_bulk"].median(),
        "n_seeds": len(repeated),
        "least_r_hat": repeated["max_r_hat"].min(),
        "dark": int((repeated["divergences"] == 0).sum()),
    }
)

# %% [markdown]
# The posterior correlation of the two means is {glue:text}`correlation:.4f`. The standard deviation
# of their sum is {glue:text}`sd_of_sum:.2f`. That of their difference is
# {glue:text}`sd_of_difference:.2f`, as in the prior. That of each mean is
# {glue:text}`sd_of_one:.2f`. This is less than the five of its prior, but it says nothing about
# this mean by itself: if the sum of two such independent numbers is known, each still has a
# standard deviation of $5 / \sqrt{2}$.
#
# A sampler makes hardly any progress along such a line. Plain NUTS was run with
# {glue:text}`n_seeds` seeds on the model as it is written ([Measurements](measurements)). Its
# {term}`R-hat` was never below {glue:text}`least_r_hat:.2f`. In the median it was
# {glue:text}`two_r_hat:.1f`, with {glue:text}`two_ess:.0f` effective draws. {glue:text}`dark` of
# these runs had no divergence. (The draws in {numref}`fig-two-means` come from the marginal form, as explained below.)

# %% [markdown]
# ## An intercept, and effects that sum to zero
#
# The model has one parameter more than the data can determine. The usual remedy is an intercept,
# and effects that are defined against the average of their kind:
#
# $$
# \begin{aligned}
# \text{logFC}_i &\sim \text{Normal}(\alpha_{s[i]} + \beta_{c[i]}, \sigma) \\
# \alpha_s &\sim \text{Normal}(\mu + \gamma_{g[s]}, \sigma_\alpha) \\
# \gamma_g &\sim \text{ZeroSumNormal}(\sigma_\gamma), \qquad \textstyle\sum_g \gamma_g = 0 \\
# \beta_c &\sim \text{ZeroSumNormal}(\sigma_\beta), \qquad \textstyle\sum_c \beta_c = 0 \\
# \mu &\sim \text{Normal}(0, 5) \\
# \sigma_\gamma, \sigma_\alpha, \sigma_\beta, \sigma &\sim \text{Exponential}(1)
# \end{aligned}
# $$ (eq-m7-zero-sum)

# %% tags=["remove-input"]
source(m7.build)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Graph of model 7: mu, gamma_g and sigma_alpha point to alpha_s on a plate of 55 sgRNAs; sigma_gamma to gamma_g; sigma_beta to beta_c; alpha_s, beta_c and sigma to 1,100 observations.", "width": "520px"}, "figure": {"name": "fig-graph-7", "caption": "The graph of model 7."}}
graph(m7.build(screen))

# %% [markdown]
# The new model is nearly the old one. Independent effects are their mean plus deviations that sum
# to zero, and these deviations follow a ZeroSumNormal distribution, independent of the mean. So
# {eq}`eq-m7-two-means` and {eq}`eq-m7-zero-sum` differ only in the prior of the intercept. In the
# second it is $\text{Normal}(0, 5)$. In the first it is the prior of a sum:
# $\mu_\gamma + \mu_\beta$ plus the mean deviations of genes and cell lines. With
# {glue:text}`n_rows:,` observations the difference cannot be seen ({numref}`tbl-scalars-7`). From
# here on *model 7* means {eq}`eq-m7-zero-sum` ({numref}`fig-graph-7`).
#
# **The truth, centred in the same way.** The simulation drew gene effects about $-1$ and cell line
# effects about 0. To compare, we centre them as the model does. From each true $\gamma_g$ we
# subtract the mean of the ten, and from each true $\beta_c$ that of the twenty. The latter is
# {glue:text}`mean_beta:.2f`, the number that chapter 1 said we would meet again. Both means
# together are the true intercept, {glue:text}`true_mu:.2f`. To each true $\alpha_s$ we add the mean
# of the cell lines.
#
# Model 7c is the same model without sgRNAs:
#
# $$
# \text{logFC}_i \sim \text{Normal}(\mu + \gamma_{g[i]} + \beta_{c[i]}, \sigma)
# $$ (eq-m7c)

# %% tags=["remove-input", "hide-output"] mystnb={"code_prompt_show": "Show model 7c", "code_prompt_hide": "Hide model 7c"}
source(m7c.build)

# %% [markdown]
# ## What the model expects before it sees data
#
# The model has four free scales, so screens from its prior have very different widths
# ({numref}`fig-prior-7`). In 94 % of them the log fold changes have a standard deviation between
# {glue:text}`prior_low:.1f` and {glue:text}`prior_high:.1f`. In the book's screen it is
# {glue:text}`screen_sd:.1f`. So the prior expects screens like this one, and others that are far
# wider.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Sixty cumulative distributions of log fold changes predicted from the prior of model 7, of very different widths and centres, most within ten units of zero."}, "figure": {"name": "fig-prior-7", "caption": "Prior predictive check of model 7: each line is the cumulative distribution of one screen that the prior expects."}}
predictive(fit, "prior_predictive", title="Model 7: what the prior expects")

# %% tags=["remove-cell"]
widths = fit["prior_predictive"]["log_fc"].std("obs")
numbers(
    {
        "prior_low": float(widths.quantile(0.03)),
        "prior_high": float(widths.quantile(0.97)),
        "screen_sd": float(screen.log_fc.std()),
    }
)
assert widths.quantile(0.03) < screen.log_fc.std() < widths.quantile(0.97)

# %% [markdown]
# ## Integrating out crossed effects
#
# Given the scales, crossed effects are normal, like nested ones. The observations together follow
# one normal distribution, with the covariance matrix
#
# $$
# V = \sigma^2 I + \sigma_\alpha^2 Z_s Z_s^\top + \sigma_\gamma^2 Z_g Z_g^\top + \sigma_\beta^2 Z_c Z_c^\top
# + c\, \mathbf{1} \mathbf{1}^\top .
# $$ (eq-covariance)
#
# An entry of $Z_s Z_s^\top$ is one if two observations share their sgRNA and zero otherwise. The
# matrices of genes and cell lines are defined likewise. All observations share the covariance $c$.
# With two means it is $5^2 + 5^2$. With an intercept and effects that sum to zero it is
# $5^2 - \sigma_\gamma^2 / G - \sigma_\beta^2 / C$ for $G$ genes and $C$ cell lines, since such
# effects are independent ones minus their mean. The matrix has {glue:text}`n_rows:,` rows, but its
# inverse and its determinant are computed level by level: first the sgRNAs, then the genes, then
# the cell lines. On a screen without gaps, the rows are summed once, and after that the work
# does not grow with their number.

# %% tags=["remove-input", "hide-output"] mystnb={"code_prompt_show": "Show the marginal likelihood", "code_prompt_hide": "Hide the marginal likelihood"}
source(log_marginal_likelihood)

# %% [markdown]
# The effects are drawn back in the opposite order: first the levels of the cell lines, with all
# genes and sgRNAs averaged over, then the genes given the lines, then the sgRNAs given both. Each
# step draws from a normal distribution. Effects of genes that sum to zero are independent ones on
# the condition that their mean is zero. So they are drawn independently, and then the part that
# their mean predicts is subtracted from each of them (conditioning by kriging
# {cite:p}`wilson2021`). With three numbers of different standard deviations, this is a regression
# of each on their mean:

# %%
sds = np.array([0.5, 1.0, 2.0])
free = np.random.default_rng(103).normal(0, sds, size=(100_000, 3))
slope = (sds**2 / 3) / (sds**2 / 9).sum()  # covariance with the mean, by variance of the mean
conditioned = free - slope * free.mean(axis=1, keepdims=True)
exact_sds = np.sqrt(sds**2 - slope * sds**2 / 3)
print("sums are zero:", bool(np.abs(conditioned.sum(axis=1)).max() < 1e-9), end="   ")
print("sds", conditioned.std(axis=0).round(2), "by the formula", exact_sds.round(2))

# %% tags=["remove-input", "hide-output"] mystnb={"code_prompt_show": "Show the draws of the effects", "code_prompt_hide": "Hide the draws of the effects"}
source(draw_effects)

# %% [markdown]
# {numref}`tbl-samplers-7` compares the model as it is written, its marginal form, and the weighted
# points of [chapter 4](04_integrating_out). The first two were sampled by nutpie, with the same number
# of draws ([Measurements](measurements)).

# %% tags=["hide-input", "full-width"] table={"name": "tbl-samplers-7", "caption": "All ways to the posterior of model 7; R-hat and effective sample sizes are the worst over all parameters."}
runs = pd.DataFrame(load_benchmark("samplers")["figures"])
compared = sampler_comparison(runs[runs["model"].isin(["m7", "m7_two_means"])])
table(compared, digits=2)

# %% tags=["remove-cell"]
prior_screens = pd.DataFrame(load_benchmark("prior_screens")["figures"])
as_written = prior_screens[prior_screens["form"] == "joint"]
of_7 = prior_screens[(prior_screens["form"] == "marginal") & (prior_screens["model"] == "m7")]
marginal_calibration = load_calibration("m7")
rates = compared.set_index(["model", "way"])["ESS per second"]
failed_plain = int((as_written["faults"] != "").sum())
failed_marginal = int((of_7["faults"] != "").sum())
assert (marginal_calibration["fault"] == "").mean() > 0.99
numbers(
    {
        "rate_plain": rates["7", WAYS["nutpie"]],
        "rate_marginal": rates["7", WAYS["marginal"]],
        "tried": len(as_written),
        "failed_plain": failed_plain,
        "failed_marginal": failed_marginal,
        "tried_marginal": len(of_7),
        "n_rows": len(screen.log_fc),
    }
)

# %% [markdown]
# On this screen the marginal form gains little for model 7 itself. NUTS gives
# {glue:text}`rate_plain:,.0f` effective draws per second on the model as it is written and
# {glue:text}`rate_marginal:,.0f` on the marginal form, and the plain form compiles faster. With two
# means, NUTS converges in the marginal form only. Other screens are harder. Of {glue:text}`tried:d`
# screens drawn from the prior of model 7, where a scale may well be near zero, the plain form fails
# the gate on {glue:text}`failed_plain:d`. The marginal form fails on {glue:text}`failed_marginal:d`
# of {glue:text}`tried_marginal:d` ([Measurements](measurements)). So the book samples the crossed
# models in the marginal form, not for speed, but because it worked on all the screens tried.

# %% tags=["hide-input"] table={"name": "tbl-settings-7", "caption": "How model 7 was sampled."}
table(sampler_settings(fit))

# %% tags=["hide-input"] table={"name": "tbl-diagnostics-7", "caption": "Diagnostics of the three models; R-hat and effective sample sizes are the worst over all parameters."}
table(diagnostics({"7": fit, "7, two means": two_means, "7c": without_sgrnas}))

# %% [markdown]
# Models 7 and 7c are calibrated as the others were in [chapter 5](05_calibration). All ranks look
# uniform ({numref}`fig-ranks-7`, {numref}`fig-ranks-7c`). The smallest p-value over
# {glue:text}`n_quantities:d` quantities is {glue:text}`smallest_p:.3f`.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Twelve panels for model 7, one per quantity: blue curves around zero within their grey bands."}, "figure": {"name": "fig-ranks-7", "caption": "Calibration of model 7: difference between the distribution of the ranks and the uniform one, with a simultaneous band."}}
ranks = pit(marginal_calibration)
rank_curves(rank_differences(ranks), title="Model 7")

# %% tags=["hide-input"] table={"name": "tbl-coverage-7", "caption": "Model 7: coverage of the central intervals in %, with Monte Carlo errors."}
table(coverage(ranks))

# %% tags=["hide-input"] mystnb={"image": {"alt": "Nine panels for model 7c, one per quantity: blue curves around zero within their grey bands."}, "figure": {"name": "fig-ranks-7c", "caption": "Calibration of model 7c."}}
ranks_7c = pit(load_calibration("m7c"))
rank_curves(rank_differences(ranks_7c), title="Model 7c")

# %% tags=["hide-input"] table={"name": "tbl-coverage-7c", "caption": "Model 7c: coverage of the central intervals in %."}
table(coverage(ranks_7c))

# %% tags=["remove-cell"]
p_values = pd.concat([uniformity(ranks), uniformity(ranks_7c)])["p"]
assert p_values.min() > 0.05 / len(p_values)
numbers({"smallest_p": p_values.min(), "n_quantities": len(p_values)})

# %% [markdown]
# ## Does model 7 find the truth?
#
# {numref}`tbl-scalars-7` shows the intercept and the scales. Two questions must be kept apart. The
# first is about a *population* of genes, of which the screen has ten. Its standard deviation is
# $\sigma_\gamma$, and the simulation was *asked for* it. The posterior of $\sigma_\gamma$ is wide,
# since ten genes say little about a population. The second question is about the ten genes *that
# were drawn*. Their standard deviation is another number. It is computed from the ten effects, draw
# by draw, and is known far better ({numref}`tbl-realised`).

# %% tags=["hide-input", "full-width"] table={"name": "tbl-scalars-7", "caption": "Intercept and scales: the truth, and the posteriors of model 7 and of model 7 with two means."}
genes, lines, sgrnas = (load_truth(name) for name in ("gamma_g", "beta_c", "alpha_s"))
true_mu = genes["value"].mean() + lines["value"].mean()
centred_genes = genes.assign(value=genes["value"] - genes["value"].mean())
centred_lines = lines.assign(value=lines["value"] - lines["value"].mean())
level_sgrnas = sgrnas.assign(value=sgrnas["value"] + lines["value"].mean())
about_gene = sgrnas["value"] - sgrnas["gene"].map(genes.set_index("gene")["value"])
noise = screen.table["log_fc"] - screen.table["mu_sc"]
scale_names = ["sigma_gamma", "sigma_alpha", "sigma_beta", "sigma"]
asked = [np.nan, *(load_truth(name)["value"].item() for name in scale_names)]
drawn = [
    true_mu,
    genes["value"].std(),
    about_gene.std(),
    lines["value"].std(),
    noise.std(),
]
scalars = load_table("m7", "scalars").set_index("parameter")
posterior, other = (of["posterior"].to_dataset() for of in (fit, two_means))
sums = other["gamma_g"].mean("gene") + other["beta_c"].mean("cell_line")
found_by_other = [sums, *(other[name] for name in scale_names)]
low, high = zip(*map(interval, found_by_other), strict=True)
scales = pd.DataFrame(
    {
        "parameter": ["mu", *scale_names],
        "asked for": asked,
        "in the effects drawn": drawn,
        "mean": scalars.loc[["mu", *scale_names], "mean"].to_numpy(),
        "hdi_3%": scalars.loc[["mu", *scale_names], "hdi_3%"].to_numpy(),
        "hdi_97%": scalars.loc[["mu", *scale_names], "hdi_97%"].to_numpy(),
        "two means: mean": [float(draws.mean()) for draws in found_by_other],
        "two means: 3%": low,
        "two means: 97%": high,
    }
)
table(scales)

# %% tags=["hide-input"] table={"name": "tbl-realised", "caption": "Standard deviations of the effects that were drawn: the truth, and the posterior of model 7 for the genes, cell lines and sgRNAs of this screen."}
gene_of = np.array(screen.gene_of_sgrna)
about = (
    posterior["alpha_s"]
    - posterior["mu"]
    - posterior["gamma_g"].isel(gene=("sgRNA", gene_of)).drop_vars("gene")
)
realised = {
    "genes": (genes["value"].std(), posterior["gamma_g"].std("gene", ddof=1)),
    "cell lines": (lines["value"].std(), posterior["beta_c"].std("cell_line", ddof=1)),
    "sgRNAs about their gene": (about_gene.std(), about.std("sgRNA", ddof=1)),
}
of_drawn = pd.DataFrame(
    {
        "effects": name,
        "in the effects drawn": true,
        "mean": float(found.mean()),
        "hdi_3%": interval(found)[0],
        "hdi_97%": interval(found)[1],
    }
    for name, (true, found) in realised.items()
)
table(of_drawn)

# %% [markdown]
# {numref}`fig-recovery` and {numref}`tbl-recovery` compare every effect with the truth.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Three panels, genes, cell lines and sgRNAs: estimates with 94 % intervals against the true effects, close to the identity line; a few intervals, in orange, miss it."}, "figure": {"name": "fig-recovery", "caption": "Every effect of model 7: posterior mean and 94 % interval against the truth, both centred in the same way. Orange intervals miss the truth."}}
recovered = {
    "genes": against_truth(load_table("m7", "gamma_g"), centred_genes, "gene"),
    "cell lines": against_truth(load_table("m7", "beta_c"), centred_lines, "cell_line"),
    "sgRNAs": against_truth(load_table("m7", "alpha_s"), level_sgrnas, "sgRNA"),
}
stacked = pd.concat([effects.assign(effect=kind) for kind, effects in recovered.items()])
intervals_against_truth(stacked, title="Model 7 against the truth")

# %% tags=["hide-input"] table={"name": "tbl-recovery", "caption": "Effects of model 7 against the truth: root mean square error, spread of the truth, and how many 94 % intervals hold it."}
table(
    pd.DataFrame(
        {
            "effects": kind,
            "number": len(effects),
            "sd of the truth": effects["true"].std(),
            "RMS error": np.sqrt(((effects["mean"] - effects["true"]) ** 2).mean()),
            "intervals that hold the truth": int(effects["held"].sum()),
        }
        for kind, effects in recovered.items()
    )
)

# %% tags=["remove-cell"]
of_scales = scales.set_index("parameter")
asked_for = scales.dropna(subset="asked for")
inside = asked_for["asked for"].between(asked_for["hdi_3%"], asked_for["hdi_97%"])
inside_drawn = of_drawn["in the effects drawn"].between(of_drawn["hdi_3%"], of_drawn["hdi_97%"])
anova = sgrna_variance(screen).set_index("quantity")
share = posterior["sigma_alpha"] ** 2 / (posterior["sigma_alpha"] ** 2 + posterior["sigma"] ** 2)
share_low, share_high = interval(share)
numbers(
    {
        "mean_beta": lines["value"].mean(),
        "true_mu": true_mu,
        "n_scales_inside": int(inside.sum()),
        "n_drawn_inside": int(inside_drawn.sum()),
        "population_low": of_scales.loc["sigma_gamma", "hdi_3%"],
        "population_high": of_scales.loc["sigma_gamma", "hdi_97%"],
        "realised_low": of_drawn["hdi_3%"].iloc[0],
        "realised_high": of_drawn["hdi_97%"].iloc[0],
        "n_held": int(stacked["held"].sum()),
        "n_all": len(stacked),
        "share_held": 100 * stacked["held"].mean(),
        "share": float(share.mean()),
        "share_percent": 100 * float(share.mean()),
        "share_low": share_low,
        "share_high": share_high,
        "anova_share": anova.loc["share of the sgRNAs", "estimate"],
        "anova_low": anova.loc["share of the sgRNAs", "low"],
        "anova_high": anova.loc["share of the sgRNAs", "high"],
        "gene_sd": of_scales.loc["sigma_gamma", "mean"],
    }
)

# %% [markdown]
# The intervals of {glue:text}`n_scales_inside:d` of the four scales hold the population value that
# was asked for. For the genes this interval is {glue:text}`population_low:.2f` to
# {glue:text}`population_high:.2f`. The spread of the ten genes of this screen is known far better:
# {glue:text}`realised_low:.2f` to {glue:text}`realised_high:.2f`. Of the three such intervals, for
# genes, cell lines and sgRNAs, {glue:text}`n_drawn_inside:d` hold the truth. Of the
# {glue:text}`n_all:d` intervals of single effects, {glue:text}`n_held:d` do
# ({glue:text}`share_held:.0f` %). One screen is no calibration, since the effects of a screen err
# together, but nothing looks wrong.
#
# The question of chapter 3 now has an answer. Model 7b knew nothing of the share of the sgRNAs in
# the variance about a gene. In model 7 this share is {glue:text}`share:.2f` (94 % interval
# {glue:text}`share_low:.2f` to {glue:text}`share_high:.2f`). The analysis of variance found
# {glue:text}`anova_share:.2f` ({glue:text}`anova_low:.2f` to {glue:text}`anova_high:.2f`) in the
# same evidence: an sgRNA's {glue:text}`n_lines:d` cell lines, taken together.

# %% [markdown]
# ## The same gene effects in the other models
#
# All models have one number per gene in common: its effect over all cell lines, minus that of the
# average gene. In 7 and 7c this is $\gamma_g$. In 7a and 7b it is the mean of the gene's effects
# over the cell lines, minus that of all genes. {numref}`fig-overconfident` shows the four
# posteriors of this number.

# %% tags=["hide-input"] mystnb={"image": {"alt": "For each of ten genes four estimates with intervals, by models 7, 7c, 7b and 7a, and a black bar at the truth. The four estimates nearly coincide; the intervals of model 7 are more than twice as long as those of the others, which often miss the bar."}, "figure": {"name": "fig-overconfident", "caption": "The effect of each gene over all cell lines, minus that of the average gene, by four models, with 94 % intervals. Black bars: the truth."}}
rows = []
for name, of_model in {
    "7": fit,
    "7c": without_sgrnas,
    "7b": load_fit("m7b"),
    "7a": load_fit("m7a"),
}.items():
    draws = effect_of_genes(of_model["posterior"].to_dataset(), screen).mean(-1)
    draws = draws - draws.mean(1, keepdims=True)
    for gene, of_gene in zip(screen.genes, draws.T, strict=True):
        ends = interval(of_gene)
        rows.append((name, gene, of_gene.mean(), *ends))
by_model = pd.DataFrame(rows, columns=["model", "gene", "mean", "low", "high"]).merge(
    centred_genes.rename(columns={"value": "true"}), on="gene"
)
intervals_by_model(by_model, title="Similar estimates, different intervals")

# %% tags=["hide-input"] table={"name": "tbl-overconfident", "caption": "The effect of a gene over all cell lines by four models: error, mean length of the 94 % intervals, and how many of the ten hold the truth."}
held = by_model["true"].between(by_model["low"], by_model["high"])
summary = (
    by_model.assign(
        square=(by_model["mean"] - by_model["true"]) ** 2,
        length=by_model["high"] - by_model["low"],
        held=held,
    )
    .groupby("model", sort=False)
    .agg(square=("square", "mean"), length=("length", "mean"), held=("held", "sum"))
    .reset_index()
)
table(
    pd.DataFrame(
        {
            "model": summary["model"],
            "RMS error": np.sqrt(summary["square"]),
            "mean length of an interval": summary["length"],
            "intervals that hold the truth": summary["held"],
        }
    )
)

# %% tags=["remove-cell"]
of_model = summary.set_index("model")
assert of_model.loc["7", "held"] > of_model.loc[["7a", "7b", "7c"], "held"].max()
numbers(
    {
        "held_7": int(of_model.loc["7", "held"]),
        "held_7a": int(of_model.loc["7a", "held"]),
        "held_7b": int(of_model.loc["7b", "held"]),
        "held_7c": int(of_model.loc["7c", "held"]),
        "length_7": of_model.loc["7", "length"],
        "length_7a": of_model.loc["7a", "length"],
        "error_7": np.sqrt(of_model.loc["7", "square"]),
        "error_7a": np.sqrt(of_model.loc["7a", "square"]),
    }
)

# %% [markdown]
# The estimates hardly differ: the root mean square errors are {glue:text}`error_7:.3f` (7) and
# {glue:text}`error_7a:.3f` (7a). The intervals do differ. Those of model 7 are
# {glue:text}`length_7:.2f` long on average and hold the truth for {glue:text}`held_7:d` of the ten
# genes. Those of 7a are {glue:text}`length_7a:.2f` long and hold it for {glue:text}`held_7a:d` (7b:
# {glue:text}`held_7b:d`, 7c: {glue:text}`held_7c:d`). In 7a, 7b and 7c the deviation of an sgRNA
# from its gene is drawn anew in each cell line, so twenty lines average it away. In truth it stays
# the same. However many cell lines are added, a gene with one sgRNA is known no better than that
# sgRNA represents it. A model that leaves out what is shared is not merely less precise. It is sure
# of what it does not know. [Chapter 8](08_which_model) uses a hundred other screens to ask whether
# this one was unlucky.
#
# Could one have seen this without the truth? For {numref}`fig-scatter-check` each model predicts
# *new* sgRNAs in the place of those of the screen. We take the mean of each over the cell lines,
# and the standard deviation of these means about the mean of their gene. The sgRNAs must be new
# because the fitted effects of model 7b have moved to the sgRNAs that were seen, and predictions
# from them would repeat the data {cite:p}`marshall2007`. For a balanced screen the predicted
# variance is known to be a multiple of $\chi^2$, in proportion to $\sigma_\alpha^2 + \sigma^2 / C$
# in model 7, $(\sigma_\alpha^2 + \sigma^2) / C$ in 7b, and $\sigma^2 / C$ in the others.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Four histograms of the predicted standard deviation of sgRNA means about their gene, by models 7, 7c, 7b and 7a. The observed value, a black line, lies in the middle of that of model 7, and far to the right of the other three."}, "figure": {"name": "fig-scatter-check", "caption": "Posterior predictive check: standard deviation of the sgRNAs' means over the cell lines about the mean of their gene, for predicted new sgRNAs (blue) and for the observed ones (black line)."}}
observed = float(scatter_of_sgrnas(screen.log_fc[None], screen)[0])
rng = np.random.default_rng(103)
df = len(screen.sgrnas) - len(screen.genes)
nested = load_fit("m7b")
scales_of = {
    "7": fit["posterior"]["sigma_alpha"] ** 2
    + fit["posterior"]["sigma"] ** 2 / len(screen.cell_lines),
    "7c": without_sgrnas["posterior"]["sigma"] ** 2 / len(screen.cell_lines),
    "7b": (nested["posterior"]["sigma_alpha"] ** 2 + nested["posterior"]["sigma"] ** 2)
    / len(screen.cell_lines),
    "7a": load_fit("m7a")["posterior"]["sigma"] ** 2 / len(screen.cell_lines),
}
predicted = pd.concat(
    [
        pd.DataFrame(
            {
                "model": name,
                "value": np.sqrt(np.ravel(variance) * rng.chisquare(df, variance.size) / df),
            }
        )
        for name, variance in scales_of.items()
    ],
    ignore_index=True,
)
statistic(
    predicted,
    observed,
    title="Scatter of sgRNAs about their gene, predicted and observed",
    label="standard deviation of sgRNAs about their gene",
)

# %% tags=["remove-cell"]
largest = predicted.groupby("model")["value"].max()
above = predicted.assign(above=predicted["value"] >= observed)
above = above.groupby("model")["above"].mean()
assert (largest[["7a", "7b", "7c"]] < observed).all()
assert 0.03 < above["7"] < 0.97
numbers(
    {
        "observed_scatter": observed,
        "largest_scatter": largest[["7a", "7b", "7c"]].max(),
        "above_7": 100 * above["7"],
        "n_predicted": len(predicted) // 4,
    }
)

# %% [markdown]
# The observed value is {glue:text}`observed_scatter:.3f`. Models 7a, 7b and 7c made
# {glue:text}`n_predicted:,` predictions each, and none comes near it: the largest is
# {glue:text}`largest_scatter:.3f`. Of the predictions of model 7, {glue:text}`above_7:.0f` % lie
# above the observed value. A check of whole distributions, as in
# {numref}`fig-posterior-7`, does not look at single sgRNAs. A check has to look at what the model says is absent.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Densities of screens predicted from the posterior of model 7, with the observed one in black among them."}, "figure": {"name": "fig-posterior-7", "caption": "Posterior predictive check of model 7: predicted screens (blue) and the observed one (black)."}}
predictive(fit, "posterior_predictive", title="Model 7: what the posterior expects")

# %% [markdown]
# ## Exercises
#
# **1.** Suppose one is sure that the mean of the cell lines is near zero, and gives $\mu_\beta$
# the prior $\text{Normal}(0, 1)$ in place of $\text{Normal}(0, 5)$. With a pencil, take the sum of
# the two means as known, and find the mean and the standard deviation of $\mu_\gamma$. Then
# reweight the draws of {numref}`fig-two-means`. What do the data say about the new answer?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the answer", "code_prompt_hide": "Hide the answer"}
drawn_means = means.to_dataframe()[["mu_gamma", "mu_beta"]]
drawn_means["sum"] = drawn_means.sum(axis=1)
weights = np.divide(*(stats.norm.pdf(drawn_means["mu_beta"], 0, sd) for sd in (1, 5)))
weights /= weights.sum()
centre = weights @ drawn_means
spread_of_means = np.sqrt(weights @ (drawn_means - centre) ** 2)
before, sd_before = drawn_means.mean(), drawn_means.std()
by_hand, sd_by_hand = before["sum"] * 25 / 26, (25 / 26) ** 0.5
sd_with_sum = np.hypot(sd_by_hand, sd_before["sum"] * 25 / 26)
assert abs(centre["mu_gamma"] - by_hand) < 0.03 and abs(centre["sum"] - before["sum"]) < 0.01
assert abs(spread_of_means["mu_gamma"] - sd_with_sum) < 0.03
answer(
    "If the sum of two independent normal numbers about zero is known, the mean of each is the "
    f"share of the sum that its variance has in both: for the genes 25/26 of {before['sum']:.2f}, "
    f"which is {by_hand:.2f}, with a standard deviation of √(25/26) = {sd_by_hand:.2f}, or "
    f"{sd_with_sum:.2f} if the sum is only known to ± {sd_before['sum']:.2f}. The reweighted draws "
    f"have the mean {centre['mu_gamma']:.2f} and the standard deviation "
    f"{spread_of_means['mu_gamma']:.2f}, where it was {sd_before['mu_gamma']:.2f} before. The data "
    f"say nothing about this change: the sum is still {centre['sum']:.2f} ± "
    f"{spread_of_means['sum']:.2f}. What one assumes about the mean of the cell lines decides what "
    "one finds for the mean of the genes."
)

# %% [markdown]
# **2.** About its gene, the mean of an sgRNA over $C$ cell lines has the variance $\sigma_\alpha^2
# + \sigma^2 / C$ in model 7, and $(\sigma_\alpha^2 + \sigma^2) / C$ in 7b. In 7a the noise holds
# both, which comes to the same. Work out how many times longer the interval of a gene over all
# lines is in model 7 than in 7a. Does the number of sgRNAs matter, and from how many cell lines on
# are the intervals of 7a less than half as long? Use the scales of chapter 1, and check it on
# simulated screens of 5 and of 40 lines.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the answer", "code_prompt_hide": "Hide the answer"}
asked_for = Design()
both_variances = asked_for.sigma_alpha**2 + asked_for.sigma**2
times = {
    n: np.sqrt((n * asked_for.sigma_alpha**2 + asked_for.sigma**2) / both_variances)
    for n in range(1, 41)
}
half = next(n for n in times if times[n] > 2)
sds = {}
for n in (5, 40):
    for seed in (1, 2):
        simulated = Screen(simulate(Design(n_cell_lines=n, seed=seed))[0])
        for title, model in {"7": m7, "7a": m7a}.items():
            solved = solve(model.FAMILY, simulated, tolerance=0.02)
            over_lines = solved.gene_effects(weights=np.full((n, 1), 1 / n), labels=["all"])
            sds[n, seed, title] = over_lines.set_index("gene")["sd"]
sds = pd.DataFrame(sds).T.groupby(level=[0, 2]).mean()
ratio = {n: sds.loc[n, "7"] / sds.loc[n, "7a"] for n in (5, 40)}
assert max(abs(ratio[n] / times[n] - 1).max() for n in ratio) < 0.1
one_sgrna = sds["gene_0"]
assert one_sgrna[40, "7a"] < one_sgrna[5, "7a"] / 2 and one_sgrna[40, "7"] > 0.8 * one_sgrna[5, "7"]
answer(
    f"The ratio is √((C σα² + σ²) / (σα² + σ²)): {times[5]:.2f} with 5 lines and {times[40]:.2f} "
    f"with 40, and above 2 from {half} lines on. The number of sgRNAs divides both variances and "
    "does not matter. In two simulated screens each, the ten genes have ratios from "
    f"{ratio[5].min():.2f} to {ratio[5].max():.2f} with 5 lines and from {ratio[40].min():.2f} to "
    f"{ratio[40].max():.2f} with 40, as each screen has its own estimates of the scales. With more "
    f"lines the standard deviation of `gene_0` falls from {one_sgrna[5, '7a']:.2f} to "
    f"{one_sgrna[40, '7a']:.2f} in model 7a, and stays in model 7 ({one_sgrna[5, '7']:.2f} and "
    f"{one_sgrna[40, '7']:.2f}): each further line makes 7a more overconfident."
)

# %% [markdown]
# **3.** Model 7b needs a second measurement to tell sgRNAs from noise, as [chapter
# 4](04_integrating_out) showed, and model 7 does it with one. How many cell lines does it need for
# this? Predict how well model 7 knows the share of the sgRNAs if you keep only one of the twenty
# cell lines, two, or five. Then try it with several choices of the lines.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the answer", "code_prompt_hide": "Hide the answer"}
of_parts = []
for kept in (1, 2, 5):
    for first_line in (0, 5, 10):
        in_part = (screen.cell_idx >= first_line) & (screen.cell_idx < first_line + kept)
        known = solve(m7.FAMILY, Screen(screen.table[in_part]), tolerance=0.02).points
        shares = np.sin(np.arctan2(known.scales["sigma_alpha"], known.scales["sigma"])) ** 2
        ends = np.quantile(shares, [0.03, 0.97], weights=known.weights, method="inverted_cdf")
        of_parts.append((kept, *ends, np.ptp(ends)))
of_parts = pd.DataFrame(of_parts, columns=["lines", "low", "high", "length"])
of_one, of_two, of_five = (found for _, found in of_parts.groupby("lines"))
assert of_one["length"].min() > 0.95 and of_two["length"].max() < 0.5
answer(
    "With one line an sgRNA is seen once, and model 7 cannot tell the two apart, as 7b cannot: "
    f"the interval reaches from {of_one['low'].mean():.2f} to {of_one['high'].mean():.2f}. The "
    "second line makes the difference: the mean length of three intervals is "
    f"{of_two['length'].mean():.2f} with two lines and {of_five['length'].mean():.2f} with five, "
    f"and {share_high - share_low:.2f} with all twenty. In model 7 another line is another "
    "measurement of the same deviation of an sgRNA, as a replicate is in 7b. It can use lines in "
    "this way only because it assumes that an sgRNA keeps its deviation."
)

# %% [markdown]
# ## What we have learnt
#
# - If only the sum of two means is identified, the model has one parameter too many. An intercept,
#   and effects that sum to zero, say the same without it.
# - Crossed effects can be integrated out like nested ones. For model 7 on this screen that saves
#   nothing. With two means, and over the whole prior, it is what makes sampling work.
# - The model that made the data finds the truth, and what model 7b could not: how much the sgRNAs
#   of a gene differ.
# - Models that do not know that an sgRNA keeps its deviation give nearly the same estimates of
#   genes, but intervals that are far too short. A predictive check finds this if it looks at the
#   sgRNAs.

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
# # Model 8: a gene that matters in one line
#
# A screen of several cell lines is usually made to find genes that matter in some of them and not
# in others. Model 7 cannot find such a gene, because in it a cell line shifts all genes alike.
# Model 7b can, but it starts anew in every cell line and learns nothing about a gene from the other
# lines. This chapter adds to model 7 what it lacks, an *interaction* of gene and cell line. It
# shows what the new model finds in a screen with interactions, and in the book's own screen, which
# has none.

# %% tags=["hide-input"]
from dataclasses import replace

import numpy as np
import pandas as pd

from poolscreen.display import answer, graph, source, table
from poolscreen.figures.calibration import rank_curves
from poolscreen.figures.estimates import intervals_by_model
from poolscreen.figures.shrinkage import shrinkage_slopes
from poolscreen.inference.calibration import pit
from poolscreen.inference.exact import solve
from poolscreen.inference.mixtures import weighted_interval
from poolscreen.inference.posterior import interval
from poolscreen.inference.scales import MAX_PARETO_K
from poolscreen.models import m7, m7b, m8
from poolscreen.screens.simulate import Design, draw, simulate
from poolscreen.screens.table import Screen
from poolscreen.tables.calibration import coverage, rank_differences, uniformity
from poolscreen.tables.fits import diagnostics
from poolscreen.tables.peers import as_mixed_models
from poolscreen.tables.sensitivity import half_normal, under_priors
from press.glue import numbers
from press.results import (
    load_benchmark,
    load_calibration,
    load_fit,
    load_predictions,
    load_screen,
    load_table,
)

screen = load_screen()
fit = load_fit("m8")

# %% [markdown]
# ## The model
#
# As in model 7, each gene has an effect $\gamma_g$ that is the same in all cell lines, and each
# cell line has an effect $\beta_c$ that is the same for all genes. The new term is $\delta_{gc}$:
# what gene $g$ does in cell line $c$ beyond these two effects.
#
# $$
# \begin{aligned}
# \text{logFC}_i &\sim \text{Normal}(\alpha_{s[i]} + \beta_{c[i]} + \delta_{g[i]c[i]}, \sigma) \\
# \alpha_s &\sim \text{Normal}(\mu + \gamma_{g[s]}, \sigma_\alpha) \\
# \gamma_g &\sim \text{ZeroSumNormal}(\sigma_\gamma) \\
# \beta_c &\sim \text{ZeroSumNormal}(\sigma_\beta) \\
# \delta_{gc} &\sim \text{Normal}(0, \sigma_\delta) \\
# \mu &\sim \text{Normal}(0, 5) \\
# \sigma_\gamma, \sigma_\alpha, \sigma_\beta, \sigma_\delta, \sigma &\sim \text{Exponential}(1)
# \end{aligned}
# $$ (eq-m8)
#
# Readers who know mixed models will recognise this model, and those of the other chapters. {numref}`tbl-mixed`
# writes each as a formula, and sets what lme4 finds on the book's screen by restricted maximum likelihood
# beside our posterior means. With one observation per sgRNA and cell line, `(1 | sgRNA:cell_line)` of model 7b
# cannot be told from noise, and lme4 refuses it, so the formulas of 7a and 7b are the same. Where a scale may be zero,
# the two differ in kind: lme4 gives the one most likely value, which is zero for the interactions, and a
# posterior says how large the scale may still be. ([Measurements](measurements) has the versions of all
# tools.)

# %% tags=["hide-input"] table={"name": "tbl-mixed", "caption": "Models of the book as mixed models, and the standard deviations of their parts on the book's screen: by lme4, and as posterior means."}
table(as_mixed_models(load_benchmark("peers")["figures"]["runs"]))

# %% tags=["remove-input"]
source(m8.build)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Graph of model 8: that of model 7, with an effect delta_gc on a plate of 10 genes by 20 cell lines, which sigma_delta points to and which points to the observations.", "width": "560px"}, "figure": {"name": "fig-graph-8", "caption": "The graph of model 8: that of model 7, with an added effect of each gene in each cell line."}}
graph(m8.build(screen))

# %% [markdown]
# All effects can be integrated out as before, one level after the other ({numref}`fig-graph-8`):
# first the sgRNAs, then the interactions, the genes, and the cell lines. Five scales are left. The
# formulas are in `poolscreen.families.crossed.interacting`. In a complete screen this takes a few
# numbers for all genes together. In a screen with gaps most genes have a pattern of observations of
# their own. Each of them has to be computed by itself, which takes longer.
# {numref}`tbl-diagnostics-8` shows the fit to the book's screen.

# %% tags=["hide-input", "full-width"] table={"name": "tbl-diagnostics-8", "caption": "The fit of model 8 to the book's screen: sampler diagnostics."}
table(diagnostics({"8": fit}))

# %% [markdown]
# ## A screen that has interactions
#
# We simulate a screen as in [chapter 1](01_data_generation), but let every gene differ in every
# cell line, with a standard deviation of {glue:text}`sd_delta:.1f`. The simplest estimate of an
# interaction is a difference of means: the mean of the gene in the line, minus the mean of the
# gene, minus the mean of the line, plus the mean of all. {numref}`fig-interactions` compares these
# differences with the estimates of model 8.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Interactions estimated by differences of means on x, by model 8 on y; for each gene a line through zero. The line of a gene with one sgRNA is much flatter than the identity, that of a gene with ten is close to it.", "width": "560px"}, "figure": {"name": "fig-interactions", "caption": "Interactions of ten genes with twenty cell lines in a screen that was simulated with interactions: differences of means, and posterior means of model 8. Grey: the identity. Each gene has its own line through its points."}}
design = replace(Design(), sigma_delta=0.3)
rows, truth = simulate(design)
interacting = Screen(rows)
posteriors = {
    name: solve(model.FAMILY, interacting) for name, model in {"7": m7, "7b": m7b, "8": m8}.items()
}
tables = posteriors["8"].tables()
means = interacting.table.groupby(["gene", "cell_line"], observed=True)["log_fc"].mean().unstack()
plain = means.sub(means.mean(axis=1), axis=0).sub(means.mean(axis=0), axis=1) + means.mean(
    axis=None
)
compared = tables["delta_gc"].merge(plain.stack().rename("plain").reset_index())
compared["sgRNAs"] = compared["gene"].map(interacting.sgrnas_per_gene)
compared = compared.merge(
    truth[truth["parameter"] == "delta_gc"][["gene", "cell_line", "value"]]
).rename(columns={"value": "true"})
shrinkage_slopes(
    compared,
    x="plain",
    y="mean",
    identity=1,
    labels=("difference of means", "posterior mean of model 8"),
    title="Stronger shrinkage with fewer sgRNAs",
)

# %% tags=["hide-input"] table={"name": "tbl-interactions", "caption": "Interactions by the number of sgRNAs of the gene: slope of the line in the figure, root mean square error of differences of means and of model 8, and share of the 94 % intervals that hold the truth."}
grouped = [
    (number, of_gene) for number, of_gene in compared.groupby("sgRNAs") if number in (1, 2, 5, 10)
]
by_number = pd.DataFrame(
    {
        "sgRNAs": number,
        "slope": np.polyfit(of_gene["plain"], of_gene["mean"], 1)[0],
        "error, means": np.sqrt(((of_gene["plain"] - of_gene["true"]) ** 2).mean()),
        "error, model 8": np.sqrt(((of_gene["mean"] - of_gene["true"]) ** 2).mean()),
        "held, %": 100 * of_gene["true"].between(of_gene["hdi_3%"], of_gene["hdi_97%"]).mean(),
    }
    for number, of_gene in grouped
)
table(by_number)

# %% tags=["remove-cell"]
slopes = by_number.set_index("sgRNAs")
assert slopes["slope"].is_monotonic_increasing
held_of_all = compared["true"].between(compared["hdi_3%"], compared["hdi_97%"])
scalars = tables["scalars"].set_index("parameter")
numbers(
    {
        "sd_delta": design.sigma_delta,
        "found_delta": scalars.loc["sigma_delta", "mean"],
        "found_low": scalars.loc["sigma_delta", "hdi_3%"],
        "found_high": scalars.loc["sigma_delta", "hdi_97%"],
        "drawn_delta": compared["true"].std(),
        "slope_one": slopes.loc[1, "slope"],
        "slope_ten": slopes.loc[10, "slope"],
        "expected_one": design.sigma_delta**2 / (design.sigma_delta**2 + design.sigma**2),
        "all_means": float(np.sqrt(((compared["plain"] - compared["true"]) ** 2).mean())),
        "all_8": float(np.sqrt(((compared["mean"] - compared["true"]) ** 2).mean())),
        "held_delta": 100 * held_of_all.mean(),
        "n_delta": len(compared),
    }
)

# %% [markdown]
# For a gene with one sgRNA, the interaction and the noise of one observation are of the same size.
# The model takes about a half of what it sees for an interaction: the slope is
# {glue:text}`slope_one:.2f` ($\sigma_\delta^2 / (\sigma_\delta^2 + \sigma^2)$ is
# {glue:text}`expected_one:.2f` at the true scales). With ten sgRNAs the noise has averaged out, and
# the slope is {glue:text}`slope_ten:.2f`. This shrinkage makes the error a little smaller: over all
# {glue:text}`n_delta:d` interactions it is {glue:text}`all_8:.3f`, against
# {glue:text}`all_means:.3f` for the differences of means. {numref}`tbl-interactions` has some of
# the genes. Each of them has only twenty interactions, so its error is uncertain. What remains with ten sgRNAs
# comes mostly from the means that are subtracted (the first exercise below).
#
# The model has learnt from the data how far to shrink. It finds $\sigma_\delta$ to be
# {glue:text}`found_delta:.2f` (94 % interval {glue:text}`found_low:.2f` to
# {glue:text}`found_high:.2f`). We asked for {glue:text}`sd_delta:.1f`, and the interactions that
# were drawn have a standard deviation of {glue:text}`drawn_delta:.2f`. Of the intervals of the
# interactions, {glue:text}`held_delta:.0f` % hold the truth.

# %% [markdown]
# ## Models 7, 7b and 8 on the same screen
#
# We now ask three models the same question about this screen: what does each gene do in each cell
# line? {numref}`fig-one-line` shows the line in which one gene differs most, and
# {numref}`tbl-same-truth` covers all lines.

# %% tags=["hide-input"] mystnb={"image": {"alt": "For each of ten genes the estimates of models 7, 7b and 8 in one cell line with intervals, and a black bar at the truth. The intervals of model 7 are short and miss many bars; those of 7b are the longest; those of 8 hold the bars and are shorter.", "width": "640px"}, "figure": {"name": "fig-one-line", "caption": "The effect of each gene in the cell line with the largest interaction, by three models, with 94 % intervals. Black bars: the truth."}}
line = compared.loc[compared["true"].abs().idxmax(), "cell_line"]
effects = pd.concat(
    found.gene_effects().assign(model=name) for name, found in posteriors.items()
).rename(columns={"hdi_3%": "low", "hdi_97%": "high"})
gene, of_line, own = (
    truth[truth["parameter"] == name] for name in ("gamma_g", "beta_c", "delta_gc")
)
true = (
    own["value"]
    + own["gene"].map(gene.set_index("gene")["value"])
    + own["cell_line"].map(of_line.set_index("cell_line")["value"])
)
effects = effects.merge(own[["gene", "cell_line"]].assign(true=true))
intervals_by_model(effects[effects["cell_line"] == line], title=f"Ten genes in {line}")

# %% tags=["hide-input", "full-width"] table={"name": "tbl-same-truth", "caption": "The effects of ten genes in twenty cell lines by three models, on one screen with interactions: root mean square error, mean length of the 94 % intervals, and share of them that hold the truth. The last three columns show the same for the mean of a gene over the lines."}
n_lines = len(interacting.cell_lines)
of_means = pd.concat(
    found.gene_effects(weights=np.full((n_lines, 1), 1 / n_lines), labels=["mean"]).assign(
        model=name
    )
    for name, found in posteriors.items()
).rename(columns={"hdi_3%": "low", "hdi_97%": "high"})
mean_truth = effects.groupby("gene", observed=True)["true"].mean()
of_means["true"] = of_means["gene"].map(mean_truth).astype(float)


def judged(found: pd.DataFrame, where: str) -> dict[str, float]:
    """Compare estimates with the truth."""
    return {
        f"error {where}": float(np.sqrt(((found["mean"] - found["true"]) ** 2).mean())),
        f"length {where}": float((found["high"] - found["low"]).mean()),
        f"held {where}, %": 100 * float(found["true"].between(found["low"], found["high"]).mean()),
    }


same_truth = pd.DataFrame(
    {
        "model": name,
        **judged(effects[effects["model"] == name], "in a line"),
        **judged(of_means[of_means["model"] == name], "over lines"),
    }
    for name in posteriors
)
table(same_truth, digits=2)

# %% tags=["remove-cell"]
of = same_truth.set_index("model")
assert of.loc["7", "held in a line, %"] < 80 < of.loc["8", "held in a line, %"]
assert of.loc["8", "error in a line"] < of.loc[["7", "7b"], "error in a line"].min()
numbers(
    {
        f"{what}_{name}": of.loc[name, column]
        for name in of.index
        for what, column in {
            "error": "error in a line",
            "length": "length in a line",
            "held": "held in a line, %",
            "held_over": "held over lines, %",
        }.items()
    }
)

# %% [markdown]
# Model 7 has an error of {glue:text}`error_7:.2f`, and {glue:text}`held_7:.0f` % of its intervals
# hold the truth. It has no way to say that a gene differs in one line, so it is sure that none
# does. Model 7b has an error of {glue:text}`error_7b:.2f`. Its intervals hold the truth in
# {glue:text}`held_7b:.0f` % of the cases, with a mean length of {glue:text}`length_7b:.2f`. Model 8
# has an error of {glue:text}`error_8:.2f`. Its intervals hold the truth in
# {glue:text}`held_8:.0f` % of the cases, with a mean length of {glue:text}`length_8:.2f`. Its
# advantage over 7b is what the other cell lines say about a gene.
#
# For the mean of a gene over all lines, the intervals of 7 and 8 hold the truth for {glue:text}`held_over_7:.0f` % and
# {glue:text}`held_over_8:.0f` % of the ten genes. Those of 7b hold it for
# {glue:text}`held_over_7b:.0f` %, since 7b does not know that an sgRNA keeps its deviation. This is
# one screen. [Chapter 8](08_which_model) has many, with smaller interactions as well.

# %% [markdown]
# ## A screen without interactions
#
# The book's own screen was made without interactions. Does it cost anything to ask for them?
# {numref}`tbl-nothing` shows models 7 and 8 side by side.

# %% tags=["hide-input", "full-width"] table={"name": "tbl-nothing", "caption": "Models 7 and 8 on the book's own screen, which was made without interactions: posterior means and 94 % intervals."}
names = ["mu", "sigma_gamma", "sigma_alpha", "sigma_beta", "sigma_delta", "sigma"]
columns = ["mean", "hdi_3%", "hdi_97%"]
side_by_side = pd.concat(
    {
        name: found.set_index("parameter")[columns].reindex(names)
        for name, found in {
            "7": load_table("m7", "scalars"),
            "8": load_table("m8", "scalars"),
        }.items()
    },
    axis=1,
)
side_by_side.columns = [f"{name}: {column}" for name, column in side_by_side.columns]
table(side_by_side.reset_index())

# %% tags=["remove-cell"]
recoveries = {
    "m7": load_predictions("m7")["recovery"].to_dataset(),
    "m8": load_predictions("m8")["recovery"].to_dataset(),
}
in_line = {name: found.sel(target="in each line") for name, found in recoveries.items()}
error = {name: float(np.sqrt(found["squared_error"].mean())) for name, found in in_line.items()}
held = {name: 100 * float(found["held"].mean()) for name, found in in_line.items()}
low, high = interval(fit["posterior"]["sigma_delta"])
numbers(
    {
        "nothing_mean": float(fit["posterior"]["sigma_delta"].mean()),
        "nothing_high": high,
        "n_screens": recoveries["m8"].sizes["screen"],
        "many_7": error["m7"],
        "many_8": error["m8"],
        "many_held_7": held["m7"],
        "many_held_8": held["m8"],
    }
)

# %% [markdown]
# It costs very little. The posterior of $\sigma_\delta$ lies close to zero, with a mean of
# {glue:text}`nothing_mean:.3f` and an interval up to {glue:text}`nothing_high:.2f`. The other
# scales are those of model 7. On {glue:text}`n_screens:d` screens that were simulated like this
# one, the error of an effect in a line is {glue:text}`many_8:.3f` by model 8 and
# {glue:text}`many_7:.3f` by model 7, and {glue:text}`many_held_8:.1f` % and
# {glue:text}`many_held_7:.1f` % of their intervals hold the truth. A prior that allows
# interactions, and does not insist on them, lets the data decide.
#
# The posterior says "at most {glue:text}`nothing_high:.2f`", and not "none". The prior matters for
# that. An exponential density is largest at zero, so a $\sigma_\delta$ that is not needed can go to
# zero.

# %% [markdown]
# ## Other priors
#
# All scales have an exponential prior with the mean one. {numref}`tbl-priors-8` shows what other priors
# would have said. Two are half-normal, one is a Gamma distribution that is zero at zero, so that no
# scale can vanish, and one is informed: it expects small interactions, with a standard deviation of about
# a tenth. The fits are not repeated. The points that stand for the scales get other weights, as in
# [chapter 5](05_calibration).


# %% tags=["hide-input", "full-width"] table={"name": "tbl-priors-8", "caption": "Scales of models 7 and 8 under other priors: posterior mean, quantiles, and the Pareto k of the weights."}
priors = {
    "Exponential(1), as in the book": None,
    "half-normal, sd 1": half_normal(1.0),
    "half-normal, sd 0.5": half_normal(0.5),
    "Gamma(2, 2)": lambda of: sum(np.log(s) - s for s in of.values()),
}
small = {
    **priors,
    "half-normal, sd 0.1, for sigma_delta alone": lambda of: (
        of["sigma_delta"] - (of["sigma_delta"] / 0.1) ** 2 / 2
    ),
}
asked_of_fits = [
    ("7, the book's screen", solve(m7.FAMILY, screen), "sigma_gamma", priors),
    ("8, the book's screen", solve(m8.FAMILY, screen), "sigma_delta", small),
    ("8, the screen with interactions", posteriors["8"], "sigma_delta", small),
]
under = pd.concat(
    under_priors(found.points, {scale: lambda of, s=scale: of[s]}, tried).assign(fit=name)
    for name, found, scale, tried in asked_of_fits
)
table(under[["fit", "quantity", "prior", "mean", "3%", "97%", "k"]])

# %% tags=["hide-input"] table={"name": "tbl-priors-effects", "caption": "Effects in a line on the screen with interactions, by model 8 under other priors: root mean square error, mean length of the 94 % intervals, and share of them that hold the truth."}
of_effects = []
for name, log_ratio in small.items():
    fitted = posteriors["8"]
    if log_ratio:
        fitted = replace(fitted, points=fitted.points.under(log_ratio(fitted.points.scales)))
    estimated = fitted.gene_effects().rename(columns={"hdi_3%": "low", "hdi_97%": "high"})
    estimated = estimated.merge(effects[effects["model"] == "8"][["gene", "cell_line", "true"]])
    of_effects.append({"prior": name, **judged(estimated, "in a line")})
priors_of_effects = pd.DataFrame(of_effects).round({"held in a line, %": 0})
priors_of_effects = priors_of_effects.astype({"held in a line, %": int})
table(priors_of_effects, digits=3)

# %% tags=["remove-cell"]
assert under["k"].max() < MAX_PARETO_K
by_fit = under.set_index(["fit", "prior"])
without, with_them = (
    by_fit.loc[f"8, {which}", "mean"]
    for which in ("the book's screen", "the screen with interactions")
)
spread_7 = by_fit.loc["7, the book's screen", "mean"]
errors = priors_of_effects["error in a line"]
numbers(
    {
        "prior_spread_low": spread_7.min(),
        "prior_spread_high": spread_7.max(),
        "prior_none_low": without.min(),
        "prior_none_high": without.max(),
        "prior_with_low": with_them.min(),
        "prior_with_high": with_them.max(),
        "prior_error_low": errors.min(),
        "prior_error_high": errors.max(),
    }
)

# %% [markdown]
# Ten genes say little about a population, and the posterior mean of $\sigma_\gamma$ goes from {glue:text}`prior_spread_low:.2f` to {glue:text}`prior_spread_high:.2f`. On the book's
# screen $\sigma_\delta$ stays small under all priors ({glue:text}`prior_none_low:.3f` to
# {glue:text}`prior_none_high:.3f`). The Gamma prior keeps it away from zero, but not far. On the screen with interactions
# there is no lack of data, with {glue:text}`n_delta:d` of them: even the prior that expects a tenth finds
# {glue:text}`prior_with_low:.2f`, and the others up to {glue:text}`prior_with_high:.2f`. The effects themselves hardly depend
# on any of this: their errors lie between {glue:text}`prior_error_low:.3f` and {glue:text}`prior_error_high:.3f`.

# %% [markdown]
# ## Which designs can tell the scales apart
#
# The five scales can be told apart only if the design of the screen allows it. An interaction shows
# in the *agreement* of several sgRNAs of a gene in a line. If each gene has one sgRNA, and each
# sgRNA is observed once in a line, then the model cannot tell an interaction from noise, and only
# the sum of their variances is known. {numref}`tbl-told-apart` lists for some designs which scales
# remain open.

# %% tags=["hide-input"] table={"name": "tbl-told-apart", "caption": "Scales of model 8 that a design does not tell apart, because it determines only the sum of their squares."}
designs = {
    "the book's screen": Design(),
    "one sgRNA per gene": Design(sgrnas_per_gene=(1,) * 10),
    "one sgRNA per gene, 3 replicates": Design(sgrnas_per_gene=(1,) * 10, replicates=3),
    "one cell line": Design(n_cell_lines=1),
    "one cell line, 3 replicates": Design(n_cell_lines=1, replicates=3),
}
told = {}
for name, tried in designs.items():
    together = m8.FAMILY.closed(Screen(simulate(tried)[0])).together
    told[name] = "; ".join(" and ".join(names) for names in together if len(names) > 1) or "none"
table(pd.DataFrame({"design": told.keys(), "not told apart": told.values()}))

# %% tags=["remove-cell"]
assert told["the book's screen"] == "none"
assert "sigma_delta and sigma" in told["one sgRNA per gene"]

# %% [markdown]
# With one sgRNA per gene, the scatter of sgRNAs is also a part of the effect of the gene. The data
# cannot tell whether a gene matters or its one sgRNA is unusual. With a single cell line there is
# no other line from which a gene could differ. Replicates tell the noise apart, and nothing else.
# Where a design leaves the split open, the prior decides it, as it did in
# [chapter 4](04_integrating_out).
#
# Replicates raise another question. In model 8 the replicates of an sgRNA in a line are
# independent. If the sgRNA works better in one line than in others, they are not. The model
# `m8_replicates` gives each sgRNA a deviation of its own in each line, in addition to the one that
# it keeps in all lines.

# %% [markdown]
# ## Calibration of model 8
#
# {numref}`fig-calibration-8` and {numref}`tbl-coverage-8` show the calibration of
# [chapter 5](05_calibration) for model 8: a thousand screens drawn from its prior, and the ranks of
# their true values.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Panels of rank curves for the scalars of model 8, and for the first and last of its effects; all stay within their grey bands."}, "figure": {"name": "fig-calibration-8", "caption": "Calibration of model 8: difference of the ranks from uniform, with 94 % simultaneous bands."}}
ranks = pit(load_calibration("m8"))
rank_curves(rank_differences(ranks), title="Model 8", columns=4)

# %% tags=["hide-input"] table={"name": "tbl-coverage-8", "caption": "Model 8: coverage of the central intervals in %."}
table(coverage(ranks))

# %% tags=["remove-cell"]
p_values = uniformity(ranks)["p"]
assert p_values.min() > 0.05 / len(p_values)
numbers({"smallest_p": p_values.min(), "n_quantities": len(p_values)})

# %% [markdown]
# Over {glue:text}`n_quantities:d` quantities the smallest p-value is {glue:text}`smallest_p:.3f`,
# which is no surprise among so many.

# %% [markdown]
# ## Exercises
#
# **1.** In {numref}`tbl-interactions` the error of the differences of means does not vanish with
# more sgRNAs. The interactions of a gene have a mean over the lines, those of a line have a mean
# over the genes, and a difference of means takes both away. For $G$ genes and $C$ lines, work out
# the error that this leaves when there is no noise. What would lower it in this screen, more genes
# or more lines? Does the effect of a gene in a line suffer from it as well?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the answer", "code_prompt_hide": "Hide the answer"}
left, simulated = {}, {}
for size in ((10, 20), (10, 80), (40, 20)):
    known = replace(design, n_cell_lines=size[1], sgrnas_per_gene=(50,) * size[0])
    squares = []
    for seed in range(20):
        drawn = draw(replace(known, seed=seed))
        seen = drawn.log_fc.reshape(size[0], 50, size[1]).mean(axis=1)
        gaps = seen - seen.mean(axis=0) - seen.mean(axis=1, keepdims=True) + seen.mean()
        off = gaps - drawn.interaction, seen - drawn.of_genes
        squares.append([(error**2).mean() for error in off])
    simulated[size] = np.sqrt(np.mean(squares, axis=0))
    removed = 1 / size[0] + 1 / size[1] - 1 / (size[0] * size[1])
    left[size] = design.sigma_delta * np.sqrt(removed)
    assert 0 < simulated[size][0] - left[size] < 0.015 and simulated[size][1] < 0.06
assert left[40, 20] < left[10, 80] < left[10, 20]
answer(
    "The two means, less the mean of all that is added back, have the variance of the interactions "
    "times 1/G + 1/C - 1/(GC). For 10 genes and 20 lines the error that this leaves is "
    f"{left[10, 20]:.3f}, where an interaction has the standard deviation {design.sigma_delta}. "
    f"Four times the lines lower it to {left[10, 80]:.3f}, and four times the genes to "
    f"{left[40, 20]:.3f}: the smaller of the two numbers matters most. Twenty simulated screens "
    f"with fifty sgRNAs per gene have the errors {simulated[10, 20][0]:.3f}, "
    f"{simulated[10, 80][0]:.3f} and {simulated[40, 20][0]:.3f}, a little more, as some noise is "
    "left. The effect of a gene in a line does not suffer, and its error is "
    f"{simulated[10, 20][1]:.3f} in the first of these designs. What an interaction loses, the "
    "effects of the gene and of the line gain, and their sum is the same."
)

# %% [markdown]
# **2.** Take every gene out of two of the twenty cell lines, in such a way that each line loses one
# gene. What do models 7, 7b and 8 say about these effects? Predict which model has the largest
# error, and how long the intervals of 7b and of 8 should be, from the standard deviations that made
# the screen. Then fit the models to what is left. (Give `solve` a `tolerance` of 1/20, as model 8
# takes its time for a screen with gaps.)

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the answer", "code_prompt_hide": "Hide the answer"}
taken_out = interacting.cell_idx % len(interacting.genes) == interacting.gene_idx
labels = ["gene", "cell_line"]
gone = interacting.table.loc[taken_out, labels].drop_duplicates().astype(str)
gone = gone.merge(effects.loc[effects["model"] == "8", [*labels, "true"]], on=labels)
kept = Screen(interacting.table[~taken_out])
unseen = {}
for name, model in {"7": m7, "7b": m7b, "8": m8}.items():
    guess = solve(model.FAMILY, kept, tolerance=1 / 20).gene_effects().merge(gone, on=labels)
    unseen[name] = judged(guess.rename(columns={"hdi_3%": "low", "hdi_97%": "high"}), "then")
error_then, length_then, held_then = (
    {name: found[measure] for name, found in unseen.items()}
    for measure in ("error then", "length then", "held then, %")
)
sd_of_7b = np.sqrt(design.sigma_gamma**2 + design.sigma_beta**2 + design.sigma_delta**2)
at_least = {name: 2 * 1.88 * sd for name, sd in {"7b": sd_of_7b, "8": design.sigma_delta}.items()}
assert error_then["7b"] > 2 * error_then["8"] and abs(error_then["7"] - error_then["8"]) < 0.02
assert length_then["8"] > 2 * length_then["7"] and held_then["7"] < 80 < held_then["8"]
answer(
    f"Model 7b has the largest error, {error_then['7b']:.2f}. It has no measurement of such an "
    "effect, so it gives the mean of all, and its interval must reach over all effects. By the "
    "true standard deviations of genes, lines and interactions together that is a length of "
    f"{at_least['7b']:.1f}, and in the fit it is {length_then['7b']:.1f}. Models 7 and 8 add up "
    "the effects of the gene and of the line, which other measurements show, and have nearly the "
    f"same error, {error_then['7']:.2f} and {error_then['8']:.2f}. But model 8 knows that there is "
    f"an interaction that it has not seen. Its intervals, at least {at_least['8']:.1f} long, are "
    f"{length_then['8']:.1f} long and hold {held_then['8']:.0f} % of these {len(gone)} effects; "
    f"those of model 7 are {length_then['7']:.1f} long and hold {held_then['7']:.0f} %."
)

# %% [markdown]
# **3.** The posterior of $\sigma_\delta$ in the book's screen says "at most", because the
# exponential prior is largest at zero. Take instead a prior density proportional to $\sigma_\delta
# \exp(-\sigma_\delta)$, which is zero there. What does each point of the old posterior weigh under
# the new prior? Write the new posterior mean with the mean and the standard deviation of the old
# one. What do you expect in the screen with interactions?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the answer", "code_prompt_hide": "Hide the answer"}
of_priors = {}
for name, fitted in {"none": solve(m8.FAMILY, screen), "some": posteriors["8"]}.items():
    at, old = fitted.points.scales["sigma_delta"], fitted.points.weights
    new = old * at / (old @ at)
    variance = old @ at**2 - (old @ at) ** 2
    by_formula = old @ at + variance / (old @ at)
    assert np.isclose(by_formula, new @ at)
    for prior, weights in {"old": old, "new": new}.items():
        low_end, high_end = weighted_interval(at, weights)
        of_priors[name, prior] = weights @ at, low_end, high_end, 100 * weights @ (at < 0.01)
before, after, before_some, after_some = of_priors.values()
assert before[1] < 0.001 < after[1] and after[3] < before[3] / 2
assert after_some[0] - before_some[0] < 0.005
answer(
    "The new prior is the old one times the scale, so each weight is multiplied by the scale of "
    "its point. The new mean is the mean of the squares over the mean, which is the old mean plus "
    f"the variance over the mean. In the book's screen it goes from {before[0]:.3f} to "
    f"{after[0]:.3f}, and the interval from {before[1]:.3f} to {before[2]:.3f} becomes "
    f"{after[1]:.3f} to {after[2]:.3f}. The probability of a scale below 0.01 falls from "
    f"{before[3]:.0f} % to {after[3]:.0f} %, although the data are the same. Where there are "
    f"interactions, the variance is small compared with the mean: {before_some[0]:.3f} becomes "
    f"{after_some[0]:.3f}, and the interval from {before_some[1]:.2f} to {before_some[2]:.2f} "
    f"becomes {after_some[1]:.2f} to {after_some[2]:.2f}. The prior decides whether the scale may "
    "be zero, not how large it is where there is something to see."
)

# %% [markdown]
# ## What we have learnt
#
# - A screen of several lines is made to find interactions of gene and cell line. Model 7 rules them
#   out, model 7b finds them without the help of the other lines, and model 8 finds them with their
#   help.
# - The less evidence there is for an interaction, the more model 8 shrinks it. With one sgRNA about
#   a half of it is taken for noise.
# - Where there are no interactions, model 8 finds a scale close to zero, and gives the answers of
#   model 7.
# - It takes several sgRNAs per gene, or replicates, to tell an interaction from noise.

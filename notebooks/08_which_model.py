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
# # Which model to believe
#
# In a real screen the truth is not known, and a model has to be chosen without it. This chapter
# compares the models of the book by how well they predict what they have not seen: a single
# observation, a whole sgRNA, or a whole cell line. Only then does it compare them with the truth,
# on many screens, by the number of sgRNAs of a gene. It ends with a recommendation, and with what
# that depends on.

# %% tags=["hide-input"]
import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

from poolscreen.display import answer, source, table
from poolscreen.figures.planning import expected
from poolscreen.figures.predictions import by_number_of_sgrnas, predictive_losses
from poolscreen.inference.leaving_out import parts_left_out, predict
from poolscreen.inference.recovery import OTHER_DESIGNS
from poolscreen.screens.planning import ways_to_measure_more
from poolscreen.screens.simulate import Design
from poolscreen.tables.predictions import (
    MAX_PARETO_K,
    by_sgrnas,
    compare_predictions,
    leave_one_out,
)
from press.glue import numbers
from press.interactive import interactive
from press.results import load_fit, load_predictions, load_screen
from press.sliders import errors_to_turn

screen = load_screen()
predictions = {
    "7": load_predictions("m7"),
    "8": load_predictions("m8"),
    "7c": load_predictions("m7c"),
    "7b": load_predictions("m7b"),
    "7a": load_predictions("m7a"),
    "7c, no pooling": load_predictions("m7c_unpooled"),
    "7a, no pooling": load_predictions("m7a_unpooled"),
    "7b, no pooling": load_predictions("m7b_unpooled"),
}
fits = {
    "7": load_fit("m7"),
    "8": load_fit("m8"),
    "7c": load_fit("m7c"),
    "7b": load_fit("m7b"),
    "7a": load_fit("m7a"),
    "7c, no pooling": load_fit("m7c_unpooled"),
    "7a, no pooling": load_fit("m7a_unpooled"),
    "7b, no pooling": load_fit("m7b_unpooled"),
}

# %% [markdown]
# ## Eight models and what they share
#
# Given its scales, every model of the book writes an observation as a sum of independent normal
# parts. A model is defined by which observations share a part ({numref}`tbl-candidates`). Take two
# observations of one sgRNA in different cell lines. In model 7 they share their gene and their sgRNA,
# so their covariance is $\sigma_\gamma^2 + \sigma_\alpha^2$. In model 7a they share nothing but the
# overall mean. The rest of the chapter is about what follows from such differences. Model 7c without pooling is least squares
# with an effect of each gene and of each cell line. It is here to separate what the structure of
# a model gives from what pooling gives.

# %% tags=["hide-input", "full-width"] table={"name": "tbl-candidates", "caption": "The candidate models: which observations share a draw of each scale. All have an overall mean and noise as well."}
table(
    pd.DataFrame(
        [
            (
                "7",
                "a gene; an sgRNA; a cell line",
                "sigma_gamma; sigma_alpha; sigma_beta",
            ),
            (
                "8",
                "a gene; an sgRNA; a cell line; a gene in a cell line",
                "sigma_gamma; sigma_alpha; sigma_beta; sigma_delta",
            ),
            ("7c", "a gene; a cell line", "sigma_gamma; sigma_beta"),
            (
                "7b",
                "a gene in a cell line; an sgRNA in a cell line",
                "sigma_gamma; sigma_alpha",
            ),
            ("7a", "a gene in a cell line", "sigma_alpha"),
            ("7c, no pooling", "a gene; a cell line", "none: 5, fixed"),
            ("7a, no pooling", "a gene in a cell line", "none: 5, fixed"),
            ("7b, no pooling", "an sgRNA in a cell line", "none: 5, fixed"),
        ],
        columns=["model", "observations that share a part", "its scale"],
    )
)

# %% [markdown]
# Given the scales, all observations are jointly normal, so we know exactly what some of them say
# about the others: a conditional normal distribution. Only the scales have to be averaged over,
# and their draws come from a fit to all observations. To leave some out, each draw is given a
# weight that takes their density out (Pareto-smoothed importance sampling, PSIS
# {cite:p}`vehtari2017,vehtari2024`), and no model has to be fitted again. The diagnostic of these
# weights is the *Pareto k*: above {glue:text}`max_k:.1f` they cannot be trusted, and one would
# refit.

# %% tags=["remove-input", "hide-output"] mystnb={"code_prompt_show": "Show how a part is predicted from the rest", "code_prompt_hide": "Hide how a part is predicted from the rest"}
source(predict)

# %% [markdown]
# ## Leaving out one observation
#
# {numref}`tbl-loo-all` is the usual comparison: the expected log predictive density (elpd) of one
# observation given all others, added up over the {glue:text}`n_rows:,` observations. One unit of it is a factor
# of $e$ in probability density.

# %% tags=["hide-input", "full-width"] table={"name": "tbl-loo-all", "caption": "Leave-one-out, one observation at a time: expected log predictive density (elpd), difference from the best model with its standard error, largest Pareto k, error of the predictions, and share of the observations in their 94 % intervals."}
tasks = {
    "an observation": "observation",
    "an sgRNA": "sgRNA",
    "half of an sgRNA": "half_sgRNA",
    "a cell line": "cell_line",
    "half of a cell line": "half_cell_line",
}
compared = {
    task: compare_predictions(predictions, name, screen.log_fc) for task, name in tasks.items()
}
table(compared["an observation"], digits=2)

# %% tags=["hide-input", "full-width"] table={"name": "tbl-conditional", "caption": "Leave-one-out from the density of an observation given its own intercept: elpd, and share of the observations whose Pareto k says that the estimate fails."}
conditional = pd.concat(
    leave_one_out(
        fit["posterior"].to_dataset().isel(draw=slice(None, None, 4)),
        {name: fit["log_likelihood"]["log_fc"]},
    )
    for name, fit in fits.items()
).rename(columns={"log likelihood": "model"})
exact = compared["an observation"].set_index("model")["elpd"].rename("exact elpd")
conditional = conditional.merge(exact, on="model")
table(conditional, digits=2)

# %% tags=["remove-cell"]
by_task = {task: found.set_index("model") for task, found in compared.items()}
one = by_task["an observation"]
by_conditional = conditional.set_index("model")
k_column = f"k above {MAX_PARETO_K}"
assert max(found["largest k"].max() for found in compared.values()) < MAX_PARETO_K
assert abs(one.loc["7a", "elpd"] - one.loc["7b", "elpd"]) < 1
assert all(found["model"].iloc[0] in ("7", "8") for found in compared.values())
assert all(
    found.loc[f"{name}, no pooling", "elpd"] < found.loc[name, "elpd"]
    for found in by_task.values()
    for name in ("7a", "7b", "7c")
)
numbers(
    {
        "max_k": MAX_PARETO_K,
        "n_rows": len(screen.log_fc),
        "largest_k": max(found["largest k"].max() for found in compared.values()),
        "gap_8": one.loc["7", "elpd"] - one.loc["8", "elpd"],
        "gap_8_se": one.loc[["7", "8"], "se of the difference"].max(),
        "gap_7c_unpooled": one.loc["7c", "elpd"] - one.loc["7c, no pooling", "elpd"],
        "gap_7c_each": (one.loc["7", "elpd"] - one.loc["7c", "elpd"]) / len(screen.log_fc),
        "gap_7c": -one.loc["7c", "difference"],
        "gap_7c_se": one.loc["7c", "se of the difference"],
        "gap_7a": -one.loc["7a", "difference"],
        "gap_7a_se": one.loc["7a", "se of the difference"],
        "gap_7b": abs(one.loc["7a", "elpd"] - one.loc["7b", "elpd"]),
        "rmse_7": one.loc["7", "RMS error"],
        "rmse_7a": one.loc["7a", "RMS error"],
        "rmse_unpooled": one.loc["7b, no pooling", "RMS error"],
        "bad_k_unpooled": 100 * by_conditional.loc["7b, no pooling", k_column],
        "bad_k_7b": 100 * by_conditional.loc["7b", k_column],
        "false_unpooled": by_conditional.loc["7b, no pooling", "elpd"],
        "true_unpooled": by_conditional.loc["7b, no pooling", "exact elpd"],
        "false_7b": by_conditional.loc["7b", "elpd"],
        "true_7b": by_conditional.loc["7b", "exact elpd"],
        "conditional_7": by_conditional.loc["7", "elpd"],
    }
)

# %% [markdown]
# Models 7 and 8 predict best, and nearly alike: model 7 is ahead by {glue:text}`gap_8:.1f` (standard
# error {glue:text}`gap_8_se:.1f`). Model 7c is behind by {glue:text}`gap_7c:.0f` (standard error
# {glue:text}`gap_7c_se:.0f`), and 7a by {glue:text}`gap_7a:.0f` ({glue:text}`gap_7a_se:.0f`).
# These are sums over all observations; for a single one the lead over 7c is
# {glue:text}`gap_7c_each:.2f`. Models 7a and 7b differ by {glue:text}`gap_7b:.2f`. With one
# observation per sgRNA and cell line they are the same model once their effects are integrated
# out ([chapter 4](04_integrating_out)). The largest k in this chapter is
# {glue:text}`largest_k:.2f`, so all these estimates of the elpd can be trusted, and no model had to be
# refitted.
#
# **What goes wrong with the default.** {numref}`tbl-conditional` uses the density of an
# observation given *its own intercept*, as most software does by default. An intercept with one
# observation has already moved to that observation, and then predicts it well. For 7b without pooling
# the elpd comes out as {glue:text}`false_unpooled:,.0f` instead of
# {glue:text}`true_unpooled:,.0f`, and {glue:text}`bad_k_unpooled:.0f` % of the observations have
# a k above the bound. For 7b it comes out as {glue:text}`false_7b:,.0f` instead of
# {glue:text}`true_7b:,.0f`, and {glue:text}`bad_k_7b:.0f` % of the k are too large. Where each
# effect has many observations, as in 7 and 7c, the two values agree. Two rows of such a table can
# be compared if both models predict the same thing, and if k is below the bound in both.

# %% [markdown]
# ## Leaving out an sgRNA or a cell line
#
# Leaving out single observations does not show how well a *new sgRNA* is predicted, because its
# other {glue:text}`n_other_lines:d` cell lines stay in the data. For that, leave out the whole
# sgRNA, and predict its {glue:text}`n_lines:d` log fold changes together. Then leave out a whole
# cell line, with {glue:text}`n_sgrnas:d` log fold changes. Finally, as in a pilot, look at one
# half and predict the other: every other cell line of an sgRNA, or every other sgRNA of a cell
# line. {numref}`fig-losses` and {numref}`tbl-left-out` show by how much each model does worse
# than the best.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Five panels, by what is left out: an observation, an sgRNA, half of an sgRNA, a cell line, half of a cell line. In each, models 7 and 8 are at or near zero, 7c is a little above, 7b and 7a are together farther away, and 7a without pooling is close to them or beyond.", "width": "560px"}, "figure": {"name": "fig-losses", "caption": "Loss in log predictive density per observation against the best model, by what is left out. Bars: two standard errors to either side. 7b without pooling is off the scale, and is in the table."}}
sizes = {task: sum(map(len, parts_left_out(screen)[name])) for task, name in tasks.items()}
losses = pd.concat(
    pd.DataFrame(
        {
            "left out": task,
            "model": found["model"],
            "loss": (found["elpd"].max() - found["elpd"]) / sizes[task],
            "se": found["se of the difference"] / sizes[task],
        }
    )
    for task, found in compared.items()
)
predictive_losses(losses[losses["model"] != "7b, no pooling"], title="Loss by what is left out")

# %% tags=["hide-input", "full-width"] table={"name": "tbl-left-out", "caption": "Leaving out larger parts: joint log density of each part given the rest, added up over the parts (elpd), and error of the single predictions."}
table(
    pd.concat(
        [compared[task].assign(**{"left out": task}) for task in tasks if task != "an observation"]
    )[
        [
            "left out",
            "model",
            "elpd",
            "se",
            "difference",
            "se of the difference",
            "largest k",
            "RMS error",
            "held %",
        ]
    ],
    digits=2,
)

# %% tags=["remove-cell"]


def loss(task: str, model: str) -> tuple[float, float]:
    row = losses[(losses["left out"] == task) & (losses["model"] == model)].iloc[0]
    return float(row["loss"]), float(row["se"])


guide_7c, guide_7c_se = loss("an sgRNA", "7c")
guide_7a, guide_7a_se = loss("an sgRNA", "7a")
line_7c, line_7c_se = loss("a cell line", "7c")
line_7a, line_7a_se = loss("a cell line", "7a")
numbers(
    {
        "n_lines": len(screen.cell_lines),
        "n_other_lines": len(screen.cell_lines) - 1,
        "n_sgrnas": len(screen.sgrnas),
        "guide_7c": guide_7c,
        "guide_7c_se": guide_7c_se,
        "guide_7a": guide_7a,
        "guide_7a_se": guide_7a_se,
        "guide_each_7c": -by_task["an sgRNA"].loc["7c", "difference"] / len(screen.sgrnas),
        "guide_each_7a": -by_task["an sgRNA"].loc["7a", "difference"] / len(screen.sgrnas),
        "guide_gap_7c": -by_task["an sgRNA"].loc["7c", "difference"],
        "guide_gap_7c_se": by_task["an sgRNA"].loc["7c", "se of the difference"],
        "guide_gap_7a": -by_task["an sgRNA"].loc["7a", "difference"],
        "guide_gap_7a_se": by_task["an sgRNA"].loc["7a", "se of the difference"],
        "guide_rmse_7": by_task["an sgRNA"].loc["7", "RMS error"],
        "guide_rmse_7c": by_task["an sgRNA"].loc["7c", "RMS error"],
        "guide_rmse_7a": by_task["an sgRNA"].loc["7a", "RMS error"],
        "half_guide_rmse_7": by_task["half of an sgRNA"].loc["7", "RMS error"],
        "half_guide_rmse_7a": by_task["half of an sgRNA"].loc["7a", "RMS error"],
        "line_7c": line_7c,
        "line_7c_se": line_7c_se,
        "line_7a": line_7a,
        "line_7a_se": line_7a_se,
        "line_rmse_7": by_task["a cell line"].loc["7", "RMS error"],
        "line_rmse_7a": by_task["a cell line"].loc["7a", "RMS error"],
        "half_line_rmse_7": by_task["half of a cell line"].loc["7", "RMS error"],
        "half_line_rmse_7a": by_task["half of a cell line"].loc["7a", "RMS error"],
        "noise": Design().sigma,
    }
)

# %% [markdown]
# **A new sgRNA.** Model 7 predicts it best. Added up over {glue:text}`n_sgrnas:d` sgRNAs, its
# lead is {glue:text}`guide_gap_7c:.0f` over 7c (standard error {glue:text}`guide_gap_7c_se:.0f`)
# and {glue:text}`guide_gap_7a:.0f` over 7a ({glue:text}`guide_gap_7a_se:.0f`). For one sgRNA,
# with its {glue:text}`n_lines:d` log fold changes, this is {glue:text}`guide_each_7c:.1f` and
# {glue:text}`guide_each_7a:.1f`. As single numbers, the predictions of 7 and 7c are equally good:
# their root mean square errors are {glue:text}`guide_rmse_7:.3f` and
# {glue:text}`guide_rmse_7c:.3f`, and that of 7a is {glue:text}`guide_rmse_7a:.3f`. But 7c treats
# the errors of one sgRNA as independent, so {glue:text}`n_lines:d` misses in one direction count
# as bad luck. In model 7 they go together. This helps once half of the sgRNA has been seen:
# model 7 predicts the rest with an error of {glue:text}`half_guide_rmse_7:.3f`, near the noise of
# {glue:text}`noise:.1f`, and 7a with {glue:text}`half_guide_rmse_7a:.3f`.
#
# **A new cell line.** Before a cell line is seen, nobody knows how it will differ, and all errors
# are above one: {glue:text}`line_rmse_7:.2f` for 7 and {glue:text}`line_rmse_7a:.2f` for 7a. In
# the crossed models, however, it shifts all genes alike. This gains {glue:text}`line_7a:.2f` per
# observation over 7a (standard error {glue:text}`line_7a_se:.2f`). After half of its sgRNAs,
# model 7 predicts the others with an error of {glue:text}`half_line_rmse_7:.3f`, and 7a with
# {glue:text}`half_line_rmse_7a:.3f`.

# %% [markdown]
# ## Comparison with the truth, by number of sgRNAs
#
# So far we have used nothing that is missing in a real screen. Now we use the truth. The ten
# genes of one screen are too few for a general answer (in chapter 3, pooling made the estimates
# of `gene_0` worse). Therefore {glue:text}`n_screens:d` screens were simulated in the same way,
# and every model was fitted to each. {numref}`fig-in-each-line` is about the effect of a gene in
# a cell line, $\gamma_g + \beta_c$.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Two panels over the number of sgRNAs, one to ten. Above, the error: all curves fall. Models 7, 8 and 7c, with and without pooling, begin far below the others, which approach them only slowly. Below, the share of intervals that hold the truth: 7, 8, 7a and 7b stay near the dotted line at 94 %; 7c with and without pooling and 7b without pooling lie below it."}, "figure": {"name": "fig-in-each-line", "caption": "The effect of a gene in a cell line, by the number of its sgRNAs: root mean square error, and share of the 94 % intervals that hold the truth (dotted: 94 %). Bars: two standard errors over the simulated screens."}}
recoveries = {name: found["recovery"].to_dataset() for name, found in predictions.items()}
in_each = by_sgrnas(recoveries, "in each line")
right = {"intervals that hold the truth, %": 94.0}
by_number_of_sgrnas(in_each, title="The effect of a gene in a cell line", lines=right)

# %% [markdown]
# {numref}`fig-over-all-lines` is about the effect of a gene over all cell lines, less that of the
# average gene. Lists of essential genes are made from this effect.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Two panels over the number of sgRNAs. Above, the error: the curves of all models nearly coincide and fall. Below, the share of intervals that hold the truth: models 7 and 8 stay at the dotted line at 94 %, 7a and 7b lie near one half, 7c lies between or below, and 7b without pooling is lowest."}, "figure": {"name": "fig-over-all-lines", "caption": "The effect of a gene over all cell lines, less that of the average gene, by the number of its sgRNAs. Bars as above."}}
over_all = by_sgrnas(recoveries, "over all lines")
by_number_of_sgrnas(over_all, title="The effect of a gene over all lines", lines=right)

# %% tags=["hide-input", "full-width"] table={"name": "tbl-recommendation", "caption": "All models in one table. Loss: in log predictive density per observation, against the best model. Errors and coverage: over the simulated screens. *Few* and *many* are errors in a cell line, for genes with one or two sgRNAs and with nine or ten."}
wide = []
for name in predictions:
    of_model = recoveries[name]
    error = np.sqrt(of_model["squared_error"].sel(target="in each line").mean("screen"))
    few, many = of_model["sgRNAs"] <= 2, of_model["sgRNAs"] >= 9
    wide.append(
        {
            "model": name,
            "loss: new sgRNA": loss("an sgRNA", name)[0],
            "loss: new cell line": loss("a cell line", name)[0],
            "error, few": float(error[few.to_numpy()].mean()),
            "error, many": float(error[many.to_numpy()].mean()),
            "error over lines": float(
                np.sqrt(of_model["squared_error"].sel(target="over all lines").mean())
            ),
            "held in a line, %": 100 * float(of_model["held"].sel(target="in each line").mean()),
            "held over lines, %": 100 * float(of_model["held"].sel(target="over all lines").mean()),
        }
    )
summary = pd.DataFrame(wide)
table(summary, digits=2)

# %% tags=["remove-cell"]
of = summary.set_index("model")
all_errors = {
    name: float(np.sqrt(found["squared_error"].sel(target="in each line").mean()))
    for name, found in recoveries.items()
}
in_line = in_each[in_each["measure"] == "RMS error"].set_index(["model", "sgRNAs"])
faults = {name: float((found["fault"] != "").mean()) for name, found in recoveries.items()}
assert max(faults.values()) < 0.05
assert abs(of.loc["7", "held over lines, %"] - 94) < 3
assert of.loc[["7a", "7b"], "held over lines, %"].max() < 75
numbers(
    {
        "n_screens": next(iter(recoveries.values())).sizes["screen"],
        "one_7": in_line.loc[("7", 1), "value"],
        "one_7a": in_line.loc[("7a", 1), "value"],
        "one_unpooled": in_line.loc[("7a, no pooling", 1), "value"],
        "ten_7": in_line.loc[("7", 10), "value"],
        "ten_7a": in_line.loc[("7a", 10), "value"],
        "ten_unpooled": in_line.loc[("7a, no pooling", 10), "value"],
        "one_additive": in_line.loc[("7c, no pooling", 1), "value"],
        "ten_additive": in_line.loc[("7c, no pooling", 10), "value"],
        "all_additive": all_errors["7c, no pooling"],
        "all_unpooled": all_errors["7a, no pooling"],
        "all_in_line_7": all_errors["7"],
        "all_in_line_7c": all_errors["7c"],
        "one_7c": in_line.loc[("7c", 1), "value"],
        "each_additive": of.loc["7c, no pooling", "held in a line, %"],
        "times_one": in_line.loc[("7a, no pooling", 1), "value"]
        / in_line.loc[("7c, no pooling", 1), "value"],
        "times_ten": in_line.loc[("7a, no pooling", 10), "value"]
        / in_line.loc[("7c, no pooling", 10), "value"],
        "gain_7a": 100
        * (1 - in_line.loc[("7a", 1), "value"] / in_line.loc[("7a, no pooling", 1), "value"]),
        "all_7": of.loc["7", "error over lines"],
        "all_7a": of.loc["7a", "error over lines"],
        "over_7": of.loc["7", "held over lines, %"],
        "over_7a": of.loc["7a", "held over lines, %"],
        "over_7b": of.loc["7b", "held over lines, %"],
        "over_7c": of.loc["7c", "held over lines, %"],
        "each_7": of.loc["7", "held in a line, %"],
        "each_7a": of.loc["7a", "held in a line, %"],
        "each_7b": of.loc["7b", "held in a line, %"],
        "most_faults": 100 * max(faults.values()),
    }
)

# %% [markdown]
# **Structure and pooling.** Three things change from 7a without pooling to model 7. The structure
# comes first (7c without pooling), then the pooling of genes and lines (7c), then the effects of sgRNAs (7).
# Take a gene with one sgRNA. With a separate
# estimate in each cell line its error is {glue:text}`one_unpooled:.3f`, and the pooling of 7a
# takes {glue:text}`gain_7a:.1f` % off that. With an effect of the gene and one of the line, but
# no pooling, it is {glue:text}`one_additive:.3f`, {glue:text}`times_one:.1f` times smaller. With
# these effects pooled it is {glue:text}`one_7c:.3f` (7c), and with effects of sgRNAs as well
# {glue:text}`one_7:.3f` (7). Over all genes these errors are {glue:text}`all_unpooled:.3f` (7a, no
# pooling), {glue:text}`all_additive:.3f` (7c, no pooling), {glue:text}`all_in_line_7c:.3f` (7c) and
# {glue:text}`all_in_line_7:.3f` (7). On these screens the structure makes the
# difference: the estimate for a gene in one cell line uses its other cell lines, and the other
# genes of that line. Pooling adds next to nothing, because the effects of genes and lines are
# large compared with the uncertainty about them. A [later section](noisy-screen) has a screen
# where this is not so.
#
# **Coverage of the intervals.** In a single cell line, 94 % intervals of model 7 hold the truth
# in {glue:text}`each_7:.1f` % of the cases, and those of 7a in {glue:text}`each_7a:.1f` %. For
# least squares with genes and lines, which has no effects of sgRNAs, the share is
# {glue:text}`each_additive:.1f` %. Over all lines it is {glue:text}`over_7:.1f` % for 7 and
# {glue:text}`over_7a:.1f` % for 7a (7b {glue:text}`over_7b:.1f` %, 7c
# {glue:text}`over_7c:.1f` %): what chapter 6 saw on one screen is the rule. (Fits that failed the
# gate are included; they are at most {glue:text}`most_faults:.0f` % of the fits of a model.)

# %% [markdown]
# ## What changes with the design
#
# Does it help to screen more cell lines, or each of them three times? And what if the effects of
# sgRNAs have heavier tails than a normal distribution? {numref}`tbl-designs` compares the book's
# design with four others, each with {glue:text}`other_screens:d` simulated screens: fewer cell
# lines; more cell lines; three replicates of every sgRNA in every line; and effects of sgRNAs
# from Student's t with three degrees of freedom and the same standard deviation. (The shares have
# standard errors of up to {glue:text}`most_se:.0f` percentage points.)

# %% tags=["hide-input", "full-width"] table={"name": "tbl-designs", "caption": "The effect of a gene by the design of the screen, in a cell line and over all lines: root mean square error, largest error of a gene over all lines, mean length of the 94 % intervals over all lines, and share of the intervals that hold the truth."}
groups = {
    "20 cell lines": "recovery",
    "5 cell lines": "recovery_5_lines",
    "60 cell lines": "recovery_60_lines",
    "3 replicates": "recovery_3_replicates",
    "heavy tails": "recovery_heavy_tails",
}
tried = {
    (title, name): predictions[name][group].to_dataset()
    for title, group in groups.items()
    for name in ("7", "8", "7a", "7b")
}
rows = []
for (title, name), found in tried.items():
    in_a_line, over_lines = (
        found.sel(target=target) for target in ("in each line", "over all lines")
    )
    rows.append(
        {
            "design": title,
            "model": name,
            "error in a line": float(np.sqrt(in_a_line["squared_error"].mean())),
            "held in a line, %": round(100 * float(in_a_line["held"].mean())),
            "error over lines": float(np.sqrt(over_lines["squared_error"].mean())),
            "largest over lines": float(np.sqrt(over_lines["squared_error"].max())),
            "length over lines": float(over_lines["width"].mean()),
            "held over lines, %": round(100 * float(over_lines["held"].mean())),
        }
    )
designs = pd.DataFrame(rows)
table(designs)

# %% tags=["remove-cell"]
by_design = designs.set_index(["model", "design"]).sort_index()
error, held = (
    by_design[f"{what} over lines{unit}"] for what, unit in (("error", ""), ("held", ", %"))
)
error_in_line, held_in_line = (
    by_design["error in a line"],
    by_design["held in a line, %"],
)
assert held[("7a", "60 cell lines")] < held[("7a", "5 cell lines")]
assert held_in_line[("7a", "3 replicates")] < 90 < held_in_line[("7b", "3 replicates")]
assert held.loc[["7a", "7b"], "3 replicates"].max() < 50
beside_8 = {
    what: (by_design.loc["8", f"error {what}"] - by_design.loc["7", f"error {what}"]).abs().max()
    for what in ("in a line", "over lines")
}
tails, normal = (
    tried[(name, "7")].sel(target="over all lines") for name in ("heavy tails", "20 cell lines")
)


def without_worst(squared: xr.DataArray) -> float:
    """Return the error of all genes but the one that is missed by most."""
    return float(np.sqrt((squared.sum() - squared.max()) / (squared.size - 1)))


squared = tails["squared_error"]
worst = tails.isel(squared.argmax(["screen", "gene"]))
assert int(worst["sgRNAs"]) == 1 and not worst["held"]
by_screen = [found["held"].sel(target="over all lines").mean("gene") for found in tried.values()]
numbers(
    {
        "other_screens": tried[("heavy tails", "7")].sizes["screen"],
        "most_se": 100 * max(float(h.std() / np.sqrt(h.size)) for h in by_screen),
        "few_lines": 5,
        "many_lines": 60,
        "few_error": error[("7", "5 cell lines")],
        "many_error": error[("7", "60 cell lines")],
        "few_held": held[("7a", "5 cell lines")],
        "many_held": held[("7a", "60 cell lines")],
        "one_replicate": error_in_line[("7b", "20 cell lines")],
        "three_replicates": error_in_line[("7b", "3 replicates")],
        "replicates_7": held[("7", "3 replicates")],
        "replicates_7a": held[("7a", "3 replicates")],
        "replicates_7b": held[("7b", "3 replicates")],
        "in_line_replicates_7a": held_in_line[("7a", "3 replicates")],
        "in_line_replicates_7b": held_in_line[("7b", "3 replicates")],
        "normal_error": error[("7", "20 cell lines")],
        "beside_8_line": beside_8["in a line"],
        "beside_8_over": beside_8["over lines"],
        "tails_error": error[("7", "heavy tails")],
        "tails_held": held[("7", "heavy tails")],
        "tails_largest": float(np.sqrt(worst["squared_error"])),
        "tails_width": float(worst["width"]),
        "tails_genes": squared.size,
        "tails_rest": without_worst(squared),
        "normal_rest": without_worst(normal["squared_error"]),
    }
)

# %% [markdown]
# - **More cell lines.** From {glue:text}`few_lines:d` to {glue:text}`many_lines:d` cell lines,
#   the error of a gene's overall effect falls only from {glue:text}`few_error:.3f` to
#   {glue:text}`many_error:.3f`. What remains is the scatter of its sgRNAs, which no cell line can
#   average away. Model 7a treats this scatter as noise. Its intervals go on shrinking, and hold
#   the truth in {glue:text}`few_held:.0f` % of the cases with {glue:text}`few_lines:d` lines and
#   in {glue:text}`many_held:.0f` % with {glue:text}`many_lines:d`. More data make a wrong model
#   more certain.
# - **Replicates** help in a single line: the error of 7b falls from
#   {glue:text}`one_replicate:.3f` to {glue:text}`three_replicates:.3f`. They also show the noise
#   by itself, so 7a and 7b are no longer the same model. Model 7b tells noise from the scatter of
#   sgRNAs ([chapter 4](04_integrating_out)), and {glue:text}`in_line_replicates_7b:.0f` % of its
#   intervals in single lines hold the truth. Model 7a takes the scatter for noise that replicates
#   average away, and {glue:text}`in_line_replicates_7a:.0f` % of its intervals hold it. Over all
#   lines, replicates repair the intervals of neither ({glue:text}`replicates_7a:.0f` % and
#   {glue:text}`replicates_7b:.0f` %, model 7 {glue:text}`replicates_7:.0f` %).
# - **More sgRNAs per gene** help all models ({numref}`fig-over-all-lines`). Nothing else helps a
#   gene's overall effect much.
# - **Heavier tails.** Most sgRNAs then lie closer to their gene, and a few lie far from it. Over
#   all lines model 7 has an error of {glue:text}`tails_error:.3f` (with normal effects
#   {glue:text}`normal_error:.3f`), and {glue:text}`tails_held:.0f` % of its intervals hold the
#   truth. Much of that error comes from one of the {glue:text}`tails_genes:d` genes. It has a
#   single sgRNA, and the model misses it by {glue:text}`tails_largest:.1f` with an interval of
#   length {glue:text}`tails_width:.1f`. With the worst gene left out of both, the errors are
#   {glue:text}`tails_rest:.3f` and {glue:text}`normal_rest:.3f`. A normal model takes a failed
#   sgRNA as evidence about its gene. [Chapter 10](10_real_screen) finds such tails in a
#   real screen.
#
# Model 8 does what model 7 does in all five designs, none of which has interactions. Their errors differ by at
# most {glue:text}`beside_8_line:.3f` in a line and {glue:text}`beside_8_over:.3f` over lines.

# %% [markdown]
# ## If genes differ between lines
#
# So far, except for the heavy tails, the truth was that of model 7. Its most doubtful assumption is that a cell line shifts
# all genes alike. In {numref}`tbl-interaction` genes differ between lines: the interactions have
# standard deviations of {glue:text}`weak:.1f`, {glue:text}`medium:.1f` and
# {glue:text}`strong:.1f`, and that of the noise is {glue:text}`noise:.1f`.

# %% tags=["hide-input", "full-width"] table={"name": "tbl-interaction", "caption": "The effect of a gene in a cell line, and over all lines, by the standard deviation of the simulated interactions: root mean square error, and share of the 94 % intervals that hold the truth."}
strengths = {
    0.0: "recovery",
    0.1: "recovery_interaction_01",
    0.2: "recovery_interaction_02",
    0.3: "recovery_interaction_03",
}


def judged(found: xr.Dataset) -> dict[str, float]:
    """Return errors, and shares of intervals that hold the truth, in a line and over lines."""
    measures = {}
    for target, where in {"in each line": "in a line", "over all lines": "over lines"}.items():
        of_target = found.sel(target=target)
        measures[f"error {where}"] = float(np.sqrt(of_target["squared_error"].mean()))
        measures[f"held {where}, %"] = round(100 * float(of_target["held"].mean()))
    return measures


interactions = pd.DataFrame(
    {
        "sd of interactions": strength,
        "model": name,
        **judged(predictions[name][group].to_dataset()),
    }
    for strength, group in strengths.items()
    for name in ("7", "7b", "8", "7a, no pooling")
)
table(interactions)

# %% tags=["remove-cell"]
by_strength = interactions.set_index(["model", "sd of interactions"])
held_in, error_in = by_strength["held in a line, %"], by_strength["error in a line"]
assert held_in[("7", 0.3)] < held_in[("7", 0.1)] < 90
assert held_in["8"].min() > 88
assert (error_in["8"] < error_in["7b"]).all()
assert error_in[("7", 0.3)] > error_in[("7a, no pooling", 0.3)]
numbers(
    {
        **{f"held_7_{i}": held_in[("7", i / 10)] for i in (1, 2, 3)},
        **{f"held_7b_{i}": held_in[("7b", i / 10)] for i in (1, 2, 3)},
        **{f"held_8_{i}": held_in[("8", i / 10)] for i in (1, 2, 3)},
        **dict(zip(("weak", "medium", "strong"), list(strengths)[1:], strict=True)),
        "error_7_2": error_in[("7", 0.2)],
        "error_8_2": error_in[("8", 0.2)],
        "error_7b_2": error_in[("7b", 0.2)],
        "error_unpooled_2": error_in[("7a, no pooling", 0.2)],
        "error_7_0": error_in[("7", 0.0)],
        "error_8_0": error_in[("8", 0.0)],
        "held_over_7b": by_strength.loc["7b", "held over lines, %"].max(),
    }
)

# %% [markdown]
# In single lines, the intervals of model 7 already fail with weak interactions:
# {glue:text}`held_7_1:d` %, {glue:text}`held_7_2:d` % and {glue:text}`held_7_3:d` % of them hold
# the truth, for interactions of {glue:text}`weak:.1f`, {glue:text}`medium:.1f` and
# {glue:text}`strong:.1f`. At {glue:text}`medium:.1f` its error of {glue:text}`error_7_2:.3f` is
# larger than that of no pooling, {glue:text}`error_unpooled_2:.3f`. The intervals of 7b have the
# right coverage in single lines ({glue:text}`held_7b_1:d` %, {glue:text}`held_7b_2:d` %,
# {glue:text}`held_7b_3:d` %), but not over lines. Those of model 8 have it in both
# ({glue:text}`held_8_1:d` %, {glue:text}`held_8_2:d` %, {glue:text}`held_8_3:d` % in single
# lines). At {glue:text}`medium:.1f` the error of model 8 is {glue:text}`error_8_2:.3f`, and that
# of 7b is {glue:text}`error_7b_2:.3f`. Without interactions it is {glue:text}`error_8_0:.3f`, and
# that of model 7 {glue:text}`error_7_0:.3f`, so it costs little to allow for interactions.

# %% [markdown]
# (noisy-screen)=
# ## Where pooling pays
#
# Pooling pays where the estimates scatter widely compared with the differences that they should
# show. {numref}`tbl-noisy` is about such a design. It has two cell lines, and standard deviations
# of {glue:text}`noisy_sigma:.1f` for the noise, {glue:text}`noisy_alpha:.1f` for sgRNAs about
# their gene, and only {glue:text}`noisy_gamma:.1f` for genes. [Chapter 10](10_real_screen)
# finds a real screen to be like this.

# %% tags=["hide-input", "full-width"] table={"name": "tbl-noisy", "caption": "The effect of a gene in a noisy screen of two cell lines: root mean square error, and share of the 94 % intervals that hold the truth."}
noisy = pd.DataFrame(
    {"model": name, **judged(predictions[name]["recovery_noisy"].to_dataset())}
    for name in ("7", "8", "7c", "7b", "7a", "7c, no pooling", "7a, no pooling")
)
table(noisy)

# %% tags=["remove-cell"]
of_noisy = noisy.set_index("model")
assert of_noisy.loc["7", "error over lines"] < of_noisy.loc["7c, no pooling", "error over lines"]
numbers(
    {
        "noisy_sigma": OTHER_DESIGNS["noisy"].sigma,
        "noisy_alpha": OTHER_DESIGNS["noisy"].sigma_alpha,
        "noisy_gamma": OTHER_DESIGNS["noisy"].sigma_gamma,
        "noisy_7": of_noisy.loc["7", "error in a line"],
        "noisy_8": of_noisy.loc["8", "error in a line"],
        "noisy_additive": of_noisy.loc["7c, no pooling", "error in a line"],
        "noisy_unpooled": of_noisy.loc["7a, no pooling", "error in a line"],
        "noisy_7a": of_noisy.loc["7a", "error in a line"],
        "noisy_7c": of_noisy.loc["7c", "error in a line"],
        "noisy_held_7": of_noisy.loc["7", "held over lines, %"],
        "noisy_held_additive": of_noisy.loc["7c, no pooling", "held over lines, %"],
    }
)

# %% [markdown]
# In single lines, the error without pooling is {glue:text}`noisy_unpooled:.2f` for 7a and, with
# the structure of genes and lines, {glue:text}`noisy_additive:.2f` for 7c. Pooling reduces the
# first to {glue:text}`noisy_7a:.2f` (7a), and the second to {glue:text}`noisy_7c:.2f` (7c). Effects of
# sgRNAs reduce that to {glue:text}`noisy_7:.2f` (7; model 8 {glue:text}`noisy_8:.2f`). Here all three
# steps pay. Over all lines {glue:text}`noisy_held_7:d` % of
# the intervals of model 7 hold the truth, and {glue:text}`noisy_held_additive:d` % of those of
# least squares.

# %% [markdown]
# ## Planning a screen
#
# How should a given number of measurements be spent: on more sgRNAs per gene, on more replicates, or on more
# cell lines? Once the scales are known, the error of an effect by model 8 follows from its design alone. It is the
# posterior standard deviation, and it has a formula (`poolscreen.screens.planning`). {numref}`fig-planning`
# starts from {glue:text}`plan_sgrnas:d` sgRNAs, one replicate and {glue:text}`plan_lines:d` cell lines, with about the
# scales that [chapter 10](10_real_screen) finds, and multiplies one of the three by two, four and eight. On a screen,
# the figure has sliders for the scales.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Two panels of the expected error against the number of measurements of a gene, from eight to sixty-four. In both, more sgRNAs lower the error most. For the effect in a line more replicates help less, and more cell lines hardly at all; for the effect over lines, more cell lines help more than replicates."}, "figure": {"name": "fig-planning", "caption": "Expected error of the effect of a gene, in one cell line and over the cell lines of the screen, if the sgRNAs, the replicates or the cell lines are multiplied by one, two, four and eight."}}
start = Design(
    n_cell_lines=2,
    sgrnas_per_gene=(4,),
    sigma_gamma=0.2,
    sigma_alpha=0.4,
    sigma_delta=0.2,
    sigma=0.8,
)
plans = ways_to_measure_more(start)
expected(plans, title="What more measurements give")

# %% tags=["hide-input"]
interactive(errors_to_turn(plans, start), figure="fig-planning")

# %% tags=["remove-cell"]
first, last = plans.groupby("more").first(), plans.groupby("more").last()
assert last["in a line"].idxmin() == "sgRNAs"
assert last["over lines"].idxmin() == "sgRNAs"
numbers(
    {
        "plan_sgrnas": start.sgrnas_per_gene[0],
        "plan_lines": start.n_cell_lines,
        "plan_sd_line": float(np.hypot(start.sigma_gamma, start.sigma_delta)),
        "plan_sd_over": float(
            np.hypot(start.sigma_gamma, start.sigma_delta / start.n_cell_lines**0.5)
        ),
        "plan_start": first.loc["sgRNAs", "in a line"],
        "plan_start_over": first.loc["sgRNAs", "over lines"],
        "plan_most": int(last.loc["sgRNAs", "measurements"]),
        "plan_line_sgrnas": last.loc["sgRNAs", "in a line"],
        "plan_line_replicates": last.loc["replicates", "in a line"],
        "plan_line_lines": last.loc["cell lines", "in a line"],
        "plan_over_sgrnas": last.loc["sgRNAs", "over lines"],
        "plan_over_replicates": last.loc["replicates", "over lines"],
        "plan_over_lines": last.loc["cell lines", "over lines"],
    }
)

# %% [markdown]
# At the start, the error is {glue:text}`plan_start:.3f` in a line and {glue:text}`plan_start_over:.3f` over lines, where the effects
# themselves have standard deviations of {glue:text}`plan_sd_line:.2f` and {glue:text}`plan_sd_over:.2f`. With {glue:text}`plan_most:d` measurements of a gene, more sgRNAs take it to
# {glue:text}`plan_line_sgrnas:.3f` and {glue:text}`plan_over_sgrnas:.3f`, more replicates to
# {glue:text}`plan_line_replicates:.3f` and {glue:text}`plan_over_replicates:.3f`, and more cell lines to
# {glue:text}`plan_line_lines:.3f` and {glue:text}`plan_over_lines:.3f`. A new sgRNA averages the noise and the scatter of
# sgRNAs; a replicate averages the noise alone. Another cell line says little about a gene in *this* line if genes differ
# between lines. The formula takes the scales as known. To learn them, a screen needs several sgRNAs per gene
# and replicates.

# %% [markdown]
# ## A recommendation
#
# - *Which genes matter, over the lines screened?* Use model 7 or 8. All estimates are about
#   equally good (errors of {glue:text}`all_7:.3f` for 7, {glue:text}`all_7a:.3f` for 7a), but
#   only the intervals of these two have the right coverage.
# - *What does a gene do in this one line?* Use model 8. Where genes do not differ between lines
#   it is as good as model 7. Where they do, it alone has small errors and the right coverage. It
#   needs several sgRNAs per gene, or replicates.
# - *How do sgRNAs differ?* Use model 7 or 8.
# - *No pooling* predicts nothing better than its pooled counterpart, and at the level of sgRNAs
#   (7b, no pooling) its intervals mean nothing.
#
# The limits: the screen is simulated, and model 7 made it. A model that is right about its data
# should win, and it did; on other data the ranking may change. What carries over is the
# procedure. Write down what is shared. Leave out what you will want to predict. Check the data
# for what the model says is absent. Of two models that predict alike, prefer the one whose
# intervals you can defend.

# %% [markdown]
# ## Exercises
#
# **1.** In model 7b without pooling, each intercept has the prior $\text{Normal}(0, 5)$ and one
# observation. When that is left out, nothing but the prior predicts it. Neglect the noise, and work
# out the elpd in {numref}`tbl-loo-all` from the mean square of the log fold changes. How much of
# the way to 7b would the best fixed prior go, with the mean and the standard deviation of the data?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the answer", "code_prompt_hide": "Hide the answer"}
y = screen.log_fc
elpd_by_hand = -len(y) / 2 * (np.log(2 * np.pi * 5**2) + (y**2).mean() / 5**2)
elpd_at_best = -len(y) / 2 * (np.log(2 * np.pi * y.var()) + 1)
elpd_unpooled, elpd_7b = one.loc[["7b, no pooling", "7b"], "elpd"]
way = 100 * (elpd_at_best - elpd_unpooled) / (elpd_7b - elpd_unpooled)
assert abs(elpd_by_hand - elpd_unpooled) < 2
assert elpd_at_best < one["elpd"].drop("7b, no pooling").min() - 500
answer(
    "The log density of one observation is -(log(2π · 25) + y² / 25) / 2. The mean of y² is "
    f"{(y**2).mean():.2f}, so {len(y):,} observations add up to {elpd_by_hand:,.0f}, and the table "
    f"has {elpd_unpooled:,.0f}. The best normal prior has the mean {y.mean():.2f} and the standard "
    f"deviation {y.std():.2f} of the data themselves, and the elpd {elpd_at_best:,.0f}. This is "
    f"{way:.0f} % of the way to the {elpd_7b:,.0f} of 7b. The width of the prior does not explain "
    "the rest. Model 7b predicts an observation from the other sgRNAs of its gene in its line as "
    "well, and without pooling no intercept learns from another."
)

# %% [markdown]
# **2.** Suppose that the effects of genes and lines are known. In $L$ lines, the observations of a
# new sgRNA then have the covariance matrix $\sigma^2 I + \sigma_\alpha^2 1 1^\top$ in model 7,
# and $(\sigma^2 + \sigma_\alpha^2) I$ in 7c. Work out how much log density 7c loses on average if
# model 7 is right. Does this agree with {numref}`tbl-left-out`? For which $L$ does 7c lose nothing,
# and what becomes of the loss per observation in many lines?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the answer", "code_prompt_hide": "Hide the answer"}
noise, common = Design().sigma ** 2, Design().sigma_alpha ** 2
by_lines = {
    n: (n * np.log(1 + common / noise) - np.log(1 + n * common / noise)) / 2 for n in (1, 20)
}
both = noise * np.eye(20) + common
new_sgrnas = stats.multivariate_normal(cov=both).rvs(20_000, random_state=103)
of_7 = stats.multivariate_normal(cov=both).logpdf(new_sgrnas)
of_7c = stats.norm(0, np.sqrt(noise + common)).logpdf(new_sgrnas).sum(axis=1)
found_loss, found_se = 20 * guide_7c, 20 * guide_7c_se
assert abs((of_7 - of_7c).mean() - by_lines[20]) < 0.1
assert abs(found_loss - by_lines[20]) < found_se
assert by_lines[1] == 0
answer(
    "The determinants are σ²ᴸ (1 + L σα² / σ²) and (σ² + σα²)ᴸ, and the quadratic forms have the "
    "mean L in both models. The loss is therefore (L log(1 + σα² / σ²) - log(1 + L σα² / σ²)) / 2, "
    f"which is {by_lines[20]:.2f} for an sgRNA in 20 lines. Among {len(new_sgrnas):,} simulated "
    f"sgRNAs it is {(of_7 - of_7c).mean():.2f}, and the chapter has {found_loss:.2f} with a "
    f"standard error of {found_se:.2f}, which agrees. With one line 7c loses nothing, since only "
    "the sum of the two variances counts. Per observation the loss grows from "
    f"{by_lines[20] / 20:.3f} in 20 lines to log(1 + σα² / σ²) / 2 = "
    f"{np.log(1 + common / noise) / 2:.3f} in many, because model 7 soon knows the deviation of "
    "the sgRNA, and 7c never uses it."
)

# %% [markdown]
# **3.** Over lines, the mean of the measurements of a gene has an error variance about the effect,
# and the effect has a variance among genes. Write both with the scales and with the numbers of
# sgRNAs $n$, replicates $r$ and lines $C$, and combine them to the error in {numref}`fig-planning`.
# Can you find scales with which eight times the replicates, or eight times the lines, do better
# than eight times the sgRNAs? If so, what has become smaller?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the answer", "code_prompt_hide": "Hide the answer"}


def parts(scales: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the error variance of the mean of a gene, and the variance of its effect."""
    (gene, sgrna, own, each), (n, r, lines) = scales**2, sizes
    return sgrna / n + each / (n * r * lines), gene + own / lines


sizes_tried = plans[["sgRNAs", "replicates", "cell lines"]].to_numpy().T
error_of_mean, of_effect = parts(np.array([0.2, 0.4, 0.2, 0.8]), sizes_tried)
assert np.allclose(plans["over lines"], (1 / error_of_mean + 1 / of_effect) ** -0.5)
any_scales = np.random.default_rng(103).uniform(0.05, 1, size=(4, 10_000))
errors, relative = pd.DataFrame(), pd.DataFrame()
for name, more in {"sgRNAs": (32, 1, 2), "replicates": (4, 8, 2), "lines": (4, 1, 16)}.items():
    error_of_mean, of_effect = parts(any_scales, np.array(more))
    errors[name] = (1 / error_of_mean + 1 / of_effect) ** -0.5
    relative[name] = errors[name] / of_effect**0.5
best_of = errors.idxmin(axis=1).value_counts(normalize=True)
assert set(best_of.index) == {"sgRNAs", "lines"}
assert (relative.idxmin(axis=1) == "sgRNAs").all()
answer(
    "The error variance of the mean is σα² / n + σ² / (n r C), and that of the effect is σγ² + σδ² "
    "/ C. The error is one over the root of the sum of their inverses, as in the figure. Eight "
    "times the sgRNAs divide the whole error variance by eight, and eight times the replicates or "
    "lines divide only the noise by it, so replicates never win. Lines can, because they make the "
    f"variance of the effect smaller as well: of {len(errors):,} random sets of scales between "
    f"0.05 and 1 they are best in {100 * best_of['lines']:.0f} %. But then the question has become "
    "easier: the mean of a gene over more lines varies less among genes. In standard deviations of "
    "the effect itself, more sgRNAs have the smallest error with all these scales."
)

# %% [markdown]
# ## What we have learnt
#
# - With the effects integrated out, anything can be left out without a new fit: an observation, an
#   sgRNA, a cell line. Given the scales this is exact, and the weights of their draws can be checked.
# - The model that made the data predicts best whatever is left out. How much better depends on
#   what is left out.
# - The structure of a model, pooling, and effects of sgRNAs are three steps. On the screens of this
#   design an effect of each gene and of each line makes the error {glue:text}`times_one:.1f` times
#   smaller for a gene with one sgRNA and {glue:text}`times_ten:.1f` times for one with ten; the other
#   two steps add little. On a noisy screen all three pay.
# - A model that omits an effect that is there is too certain: with interactions the intervals of
#   model 7 fail.
# - Good estimates may come with bad intervals. Comparing the estimates does not show it.

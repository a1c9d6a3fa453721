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
# # Are these posteriors right?
#
# R-hat and effective sample size say that the chains agree. They do not say that the chains sample
# the posterior of the model on the page: with a wrong formula, chains converge too. This chapter
# checks every model so far against itself, on thousands of simulated screens, and shows that the
# check can fail. Then it asks how much of each posterior comes from the prior.

# %% tags=["hide-input"]
import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

from poolscreen.display import answer, source, table
from poolscreen.families.nested.pointwise import log_density
from poolscreen.figures.calibration import rank_curves
from poolscreen.inference.calibration import calibrate, pit
from poolscreen.inference.exact import solve
from poolscreen.models import _m7a_variance, m7a, m7a_unpooled, m7b, m7b_unpooled
from poolscreen.tables.calibration import ENVELOPE_PROB, coverage, rank_differences, uniformity
from poolscreen.tables.predictions import MAX_PARETO_K
from poolscreen.tables.sensitivity import power_scaling, under_priors
from press.glue import numbers
from press.results import load_benchmark, load_calibration, load_fit, load_screen

screen = load_screen()
calibrations = {
    "7a": load_calibration("m7a"),
    "7a, no pooling": load_calibration("m7a_unpooled"),
    "7b": load_calibration("m7b"),
    "7b, no pooling": load_calibration("m7b_unpooled"),
}
ranks = {name: pit(found) for name, found in calibrations.items()}
curves = {name: rank_differences(found) for name, found in ranks.items()}

# %% [markdown]
# ## The idea of simulation-based calibration
#
# Draw the parameters from the prior, and then a screen from the parameters. The two are a pair from
# the joint distribution of the model. Given the screen, the drawn parameters are therefore one more
# draw from the posterior. So if the fit is right and its draws are independent, the true value has
# no special place among them: its *rank*, the number of draws below it, is equally likely to be
# any. Repeat this with many screens, and check whether the ranks are uniform. This is
# **simulation-based calibration** {cite:p}`talts2018`.
#
# Here each model was fitted to {glue:text}`n_data_sets:,` screens, with the labels and sizes of the
# book's own screen. The screens are drawn from the model as it is written in its chapter. The fits
# are those of the last step of [chapter 4](04_integrating_out): weighted points integrate over the
# scales, and given the scales the effects are known in closed form. From each fit,
# {glue:text}`draws:d` independent draws are taken. A mistake in the model, in the formulas of
# chapter 4, or in the integration shows if it moves a ranked quantity by more than the bands below
# allow. (This design has no replicates; for these, the tests of this project compare the formulas
# with the joint normal distribution.)
#
# The draws of NUTS, which the other chapters show, are compared with the same computation, for
# every fit of the book ([Reproducibility](../book/reproducibility)) and for fits of
# {glue:text}`n_held:d` such screens of every calibrated model ([Measurements](measurements)). Of the
# latter, {glue:text}`n_passed:d` of {glue:text}`n_nuts:d` passed the gate, and none of their means
# and standard deviations was off by more than {glue:text}`most_off:.1f` Monte Carlo errors.

# %% tags=["remove-input", "hide-output"] mystnb={"code_prompt_show": "Show the code of the calibration", "code_prompt_hide": "Hide the code of the calibration"}
source(calibrate)

# %% [markdown]
# We rank every scalar parameter, the first and the last effect of each kind, and the log
# likelihood. The log likelihood depends on all parameters at once, and shows mistakes that no
# single parameter shows {cite:p}`modrak2025`. A fit whose weights cannot be trusted, by their
# Pareto k, is counted, and its ranks are kept.

# %% tags=["hide-input"] table={"name": "tbl-calibrations", "caption": "The calibrations: screens, fits that cannot be trusted, and the smallest p-value of a test of uniformity."}
summary = pd.DataFrame(
    {
        "model": name,
        "screens": found.sizes["data_set"],
        "fits that cannot be trusted": int((found["fault"] != "").sum()),
        "quantities": found.sizes["quantity"],
        "smallest p": uniformity(ranks[name])["p"].min(),
        "seconds, one core": found.attrs["seconds"],
    }
    for name, found in calibrations.items()
)
table(summary)

# %% tags=["remove-cell"]
n_data_sets = int(summary["screens"].min())
assert n_data_sets >= 1000
n_quantities = int(summary["quantities"].sum())
every = np.concatenate([ranks[name].transpose(..., "data_set") for name in ranks])
# What the smallest of so many p-values is when all ranks are uniform.
null = np.random.default_rng(103).random((200, n_quantities, n_data_sets))
null = xr.DataArray(null, dims=("table", "quantity", "data_set"))
smallest = np.array([uniformity(table_of)["p"].min() for table_of in null])
held = 100 * (np.abs(every - 0.5) <= 0.47).mean(axis=1)
bonferroni = 0.05 / n_quantities
assert summary["smallest p"].min() > bonferroni
failed = summary.set_index("model")["fits that cannot be trusted"]
by_nuts = pd.DataFrame(load_benchmark("prior_screens")["figures"])
by_nuts = by_nuts[by_nuts["form"] == "marginal"]
passed = by_nuts[by_nuts["faults"] == ""]
assert passed["off"].max() < 6
numbers(
    {
        "n_held": int(by_nuts["screen"].nunique()),
        "n_nuts": len(by_nuts),
        "n_passed": len(passed),
        "most_off": passed["off"].max(),
        "n_data_sets": n_data_sets,
        "n_quantities": n_quantities,
        "envelope": 100 * ENVELOPE_PROB,
        "expected_outside": n_quantities * (1 - ENVELOPE_PROB),
        "bonferroni": bonferroni,
        "smallest_p": summary["smallest p"].min(),
        "chance": 100 * (smallest <= summary["smallest p"].min()).mean(),
        "typical_p": uniformity(null[0])["p"].median(),
        "lowest_94": held.min(),
        "highest_94": held.max(),
        "failed": int(failed.sum()),
        "limit_k": MAX_PARETO_K,
        "n_fits": int(summary["screens"].sum()),
        "draws": calibrations["7b"].attrs["draws"],
    }
)

# %% [markdown]
# Of {glue:text}`n_fits:,` fits, {glue:text}`failed:d` have a Pareto k above
# {glue:text}`limit_k:.1f`. *Smallest p* is the smallest p-value of a test that the ranks are
# uniform, over the quantities of a model. With {glue:text}`n_quantities:d` quantities in all, a p
# below {glue:text}`bonferroni:.4f` would be a reason to worry; the smallest is
# {glue:text}`smallest_p:.3f`. If all ranks were uniform, the smallest p would be this small or
# smaller in {glue:text}`chance:.0f` % of such tables. (ArviZ's test combines all ordered ranks. Its
# p-values do not exceed about one half, and their median is near {glue:text}`typical_p:.1f` when
# nothing is wrong.)

# %% [markdown]
# ## Model by model
#
# {numref}`fig-ranks-7a` to {numref}`fig-ranks-7b-unpooled` show, for each quantity, the
# distribution function of the ranks minus that of uniform ranks. If the posteriors are right, a
# curve stays within its grey band *as a whole* with probability {glue:text}`envelope:.0f` %
# {cite:p}`sailynoja2022`. Of {glue:text}`n_quantities:d` curves, one would expect
# {glue:text}`expected_outside:.1f` outside. The tables give the coverage of central intervals in
# percent, with its Monte Carlo error: a 94 % interval should hold the true value in 94 % of the
# screens.
#
# The shape of a curve that leaves its band shows what is wrong. If it is above zero on the left and
# below it on the right, true values lie in the tails of the posteriors too often, as when these are too
# narrow. If it is the other way round, the posteriors are too wide. A single arch shows a bias: it is above zero if the posteriors lie too high, and below if
# too low.
#
# ### Model 7a

# %% tags=["hide-input"] mystnb={"image": {"alt": "Six panels for model 7a, one per quantity: blue curves around zero, each within a narrow lens-shaped grey band."}, "figure": {"name": "fig-ranks-7a", "caption": "Calibration of model 7a: difference between the distribution of the ranks and the uniform one, with a simultaneous band."}}
rank_curves(curves["7a"], title="Model 7a")

# %% tags=["hide-input"] table={"name": "tbl-coverage-7a", "caption": "Model 7a: coverage of the central intervals in %, with Monte Carlo errors."}
table(coverage(ranks["7a"]))

# %% [markdown]
# ### Model 7a, no pooling
#
# This model has only one scale; its other priors are fixed ({numref}`fig-ranks-7a-unpooled`).

# %% tags=["hide-input"] mystnb={"image": {"alt": "Four panels for model 7a without pooling: blue curves around zero, each within its grey band."}, "figure": {"name": "fig-ranks-7a-unpooled", "caption": "Calibration of model 7a without pooling."}}
rank_curves(curves["7a, no pooling"], title="Model 7a, no pooling", columns=4)

# %% tags=["hide-input"] table={"name": "tbl-coverage-7a-unpooled", "caption": "Model 7a without pooling: coverage of the central intervals in %."}
table(coverage(ranks["7a, no pooling"]))

# %% [markdown]
# ### Model 7b
#
# The data leave the split between $\sigma_\alpha$ and $\sigma$ open, but the ranks of both are
# uniform ({numref}`fig-ranks-7b`). This is no contradiction. Calibration asks whether a posterior
# says what model and data imply. Here they imply little about the split, and the posterior is right
# to be wide.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Nine panels for model 7b: blue curves around zero, each within its grey band."}, "figure": {"name": "fig-ranks-7b", "caption": "Calibration of model 7b."}}
rank_curves(curves["7b"], title="Model 7b")

# %% tags=["hide-input"] table={"name": "tbl-coverage-7b", "caption": "Model 7b: coverage of the central intervals in %."}
table(coverage(ranks["7b"]))

# %% [markdown]
# ### Model 7b, no pooling

# %% tags=["hide-input"] mystnb={"image": {"alt": "Four panels for model 7b without pooling: blue curves around zero, each within its grey band."}, "figure": {"name": "fig-ranks-7b-unpooled", "caption": "Calibration of model 7b without pooling."}}
rank_curves(curves["7b, no pooling"], title="Model 7b, no pooling", columns=4)

# %% tags=["hide-input"] table={"name": "tbl-coverage-7b-unpooled", "caption": "Model 7b without pooling: coverage of the central intervals in %."}
table(coverage(ranks["7b, no pooling"]))

# %% [markdown]
# ## The check finds a deliberate error
#
# A check is useful only if it can fail. This is model 7a with one deliberate error, of a kind that
# is easily made: a variance where a standard deviation belongs.

# %% tags=["remove-input"]
source(_m7a_variance.build)

# %% [markdown]
# Screens were drawn from this model, and fitted with the right model 7a. The fits give no warning:
# by their Pareto k, {glue:text}`wrong_failed:d` of {glue:text}`wrong_fits:,` cannot be trusted,
# against {glue:text}`right_failed:d` with the right model. The ranks do show the error
# ({numref}`fig-ranks-error`).

# %% tags=["hide-input"] mystnb={"image": {"alt": "Six panels: the orange curve of sigma_alpha falls from far above its grey band to far below it, that of the log likelihood leaves its band above; the other four, blue, stay within."}, "figure": {"name": "fig-ranks-error", "caption": "Calibration of a model with a deliberate error. Curves that leave their band are orange."}}
wrong = load_calibration("_m7a_variance")
rank_curves(rank_differences(pit(wrong)), title="Model 7a with an error")

# %% tags=["hide-input"] table={"name": "tbl-coverage-wrong", "caption": "The model with a deliberate error: coverage of the central intervals in %."}
of_wrong = coverage(pit(wrong))
table(of_wrong)

# %% tags=["remove-cell"]
wrong_p = of_wrong.set_index("quantity")["p"]
assert wrong_p["sigma_alpha"] < 1e-6
assert wrong_p["log likelihood"] < 1e-3
numbers(
    {
        "right_failed": int(failed["7a"]),
        "wrong_failed": int((wrong["fault"] != "").sum()),
        "wrong_fits": wrong.sizes["data_set"],
        "wrong_held": of_wrong.set_index("quantity").loc["sigma_alpha", "94% interval"],
    }
)

# %% [markdown]
# The 94 % intervals of $\sigma_\alpha$ hold the true value in {glue:text}`wrong_held` % of the
# screens. The curve of the log likelihood also leaves its band, although its coverage looks right.
# The intercepts show nothing clear, because their own data determine them so well that the wrong
# spread hardly matters. Which errors are found depends on which quantities are ranked.

# %% [markdown]
# ## How much of the posterior comes from the prior?
#
# Calibration is about computing the posterior. Another question is how much of it comes from the
# data. *Power-scaling* raises the prior, or the likelihood, to a power a little above and a little
# below one, and measures how far each marginal posterior moves {cite:p}`kallioinen2024`. A quantity
# that does not move with the likelihood has not been learnt from it; one that moves may have been.
#
# The numbers in the table are rates: the distance between the two distributions, from 0 to 1, per
# doubling of the power. In the column of the prior, a number *above* about
# {glue:text}`threshold:.2f` deserves attention; in the column of the likelihood, a number *below*
# it. A likelihood that decides alone gives about {glue:text}`normal_value:.2f` for any normal
# posterior, however narrow, and about {glue:text}`half_normal_value:.2f` for a half-normal one,
# which has its peak at zero. So the column says whether the likelihood decides, and not how much
# information it holds. Power-scaling acts on the marginal form here: on the priors of means and
# scales, and on the likelihood with all effects averaged over.

# %% tags=["hide-input"] table={"name": "tbl-sensitivity", "caption": "Power-scaling: sensitivity to the prior and to the likelihood."}
found = []
for name, model, fit in [
    ("7a", m7a, load_fit("m7a")),
    ("7a, no pooling", m7a_unpooled, load_fit("m7a_unpooled")),
    ("7b", m7b, load_fit("m7b")),
    ("7b, no pooling", m7b_unpooled, load_fit("m7b_unpooled")),
]:
    posterior = fit["posterior"].to_dataset()[model.FAMILY.parameters]
    density = log_density(model.FAMILY, screen, posterior)
    if model is m7b:
        total = np.hypot(posterior["sigma_alpha"], posterior["sigma"])
        share = posterior["sigma_alpha"] ** 2 / total**2
        posterior = posterior.assign(total=total, share=share)
    found.append(power_scaling(posterior, density).assign(model=name))
sensitivity = pd.concat(found)[["model", "quantity", "prior", "likelihood"]]
table(sensitivity)

# %% tags=["remove-cell"]
threshold = 0.05
of = sensitivity.set_index(["model", "quantity"])
assert of.loc[("7b", "total"), "likelihood"] > threshold
assert of.loc[("7b", "share")].max() < threshold
# What a likelihood alone gives to two plain shapes, for the text.
plain = np.random.default_rng(103).normal(size=(4, 2000))
shapes = xr.Dataset(
    {name: (("chain", "draw"), v) for name, v in {"n": plain, "h": abs(plain)}.items()},
    coords={"chain": range(4), "draw": range(2000)},
)
flat = shapes["n"].copy(data=stats.norm.logpdf(shapes["n"], 0, 100))  # as good as
alone = shapes["n"].copy(data=stats.norm.logpdf(shapes["n"]))
alone = xr.Dataset({"flat": flat, "log_fc": alone})
anchors = power_scaling(shapes, alone).set_index("quantity")["likelihood"]
numbers(
    {
        "threshold": threshold,
        "normal_value": anchors["n"],
        "half_normal_value": anchors["h"],
        "total_likelihood": of.loc[("7b", "total"), "likelihood"],
        "share_prior": of.loc[("7b", "share"), "prior"],
        "share_likelihood": of.loc[("7b", "share"), "likelihood"],
        "most_prior": sensitivity["prior"].max(),
        "unpooled_likelihood": of.loc[("7b, no pooling", "sigma"), "likelihood"],
    }
)

# %% [markdown]
# Read the column of the likelihood first. Every mean and scale of model 7a moves with it. In 7b, so
# does the total scatter about a gene, $\sqrt{\sigma_\alpha^2 + \sigma^2}$
# ({glue:text}`total_likelihood:.3f`). The share of the sgRNAs in it does not move
# ({glue:text}`share_likelihood:.3f`): the data say nothing about the split.
#
# The column of the prior is surprising. No quantity moves with the prior (at most
# {glue:text}`most_prior:.3f`), not even the share ({glue:text}`share_prior:.3f`). Yet the posterior
# of the share comes from the prior. Power-scaling detects a prior only where its density varies,
# and on the scale of this ring an exponential distribution with rate one is nearly flat. But a
# prior that is flat in the two scales still says something about the share: given the total, it puts
# {glue:text}`flat_ends:.0f` % of the probability below a tenth or above nine tenths. Different priors
# show this. The points that stand for the scales, with other weights {cite:p}`vehtari2024`, show what
# three other priors would have said about 7b: one that expects the sgRNAs of a gene to agree,
# one that expects little noise, and one that expects neither scale to be near zero.

# %% table={"name": "tbl-priors", "caption": "The share of the sgRNAs and the total under other priors, by reweighting."}
asked = {
    "share": lambda of: of["sigma_alpha"] ** 2 / (of["sigma_alpha"] ** 2 + of["sigma"] ** 2),
    "total": lambda of: np.hypot(of["sigma_alpha"], of["sigma"]),
}
other_priors = {
    "as in the book: Exponential(1) for both": None,
    "sgRNAs agree: Exponential(10) for sigma_alpha": lambda of: -9 * of["sigma_alpha"],
    "little noise: Exponential(10) for sigma": lambda of: -9 * of["sigma"],
    "neither is zero: Gamma(3, 1) for both": lambda of: 2 * np.log(of["sigma_alpha"] * of["sigma"]),
}
under = under_priors(solve(m7b.FAMILY, screen).points, asked, other_priors)
table(under[["quantity", "prior", "mean", "3%", "97%", "k"]].sort_values("quantity"))

# %% tags=["remove-cell"]
of_prior = under.set_index(["quantity", "prior"])
assert under["k"].max() < MAX_PARETO_K
shares, totals = of_prior.loc["share"], of_prior.loc["total"]
assert totals["mean"].max() - totals["mean"].min() < 0.01
numbers(
    {
        "max_k": MAX_PARETO_K,
        # Given the total, the angle is uniform under a flat prior, and the share is its squared sine.
        "flat_ends": 100 * 2 * np.arcsin(0.1**0.5) / (np.pi / 2),
        "share_lowest": shares["mean"].min(),
        "share_highest": shares["mean"].max(),
        "end_lowest": shares["3%"].min(),
        "end_highest": shares["3%"].max(),
        "total_lowest": totals["mean"].min(),
        "total_highest": totals["mean"].max(),
    }
)

# %% [markdown]
# The code writes down only the part of each prior that varies, since a constant factor does not
# matter. A Pareto k below {glue:text}`max_k:.1f` says that the reweighted figures can be trusted.
# Under all four priors, the mean of the total is between {glue:text}`total_lowest:.3f` and
# {glue:text}`total_highest:.3f`. The mean of the share goes from {glue:text}`share_lowest:.2f` to
# {glue:text}`share_highest:.2f`, and the lower end of its interval from {glue:text}`end_lowest:.3f`
# to {glue:text}`end_highest:.3f`; none of the four priors makes this interval narrow. **The data
# determine the total, and the prior determines the split.** The prior therefore also determines how
# long the strokes in chapter 3 are.
#
# The last row of the table of sensitivities can mislead. The noise of 7b without pooling moves with
# the likelihood ({glue:text}`unpooled_likelihood:.3f`), as if it had been learnt from the data. But
# in the marginal form, the fixed prior of the intercepts is part of the likelihood, and it is this
# prior that drives the noise to zero (chapter 3). What counts as the prior is a choice, and
# sensitivities depend on it.

# %% [markdown]
# ## Exercises
#
# **1.** The deliberate error gives the intercepts the standard deviation $\sigma_\alpha^2$, and
# model 7a fits them. For which true values of $\sigma_\alpha$ should its posterior lie too high,
# and for which too low? The prior is Exponential(1): in which share of the screens should the true
# value lie below the 94 % interval? The curve in {numref}`fig-ranks-error` has the shape of
# posteriors that are too narrow; are these too narrow?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the answer", "code_prompt_hide": "Hide the answer"}
rng, of_screens = np.random.default_rng(103), []
for true_sd in (0.5, 1.0, 2.0):
    for _ in range(3):
        drawn = rng.normal(-1, true_sd**2, size=(len(screen.genes), len(screen.cell_lines)))
        log_fc = rng.normal(drawn[screen.gene_idx, screen.cell_idx], 0.3)
        scalars = solve(m7a.FAMILY, screen.measured(log_fc)).scalars().set_index("parameter")
        of_screens.append((true_sd, *scalars.loc["sigma_alpha", ["mean", "hdi_3%", "hdi_97%"]]))
of_screens = pd.DataFrame(of_screens, columns=["true", "mean", "low", "high"])
at_half, at_one, at_two = of_screens.groupby("true")["mean"].mean()
square_held = (of_screens["true"] ** 2).between(of_screens["low"], of_screens["high"])
of_ranks = pit(wrong).sel(quantity="sigma_alpha")
below, above = 100 * float((of_ranks < 0.03).mean()), 100 * float((of_ranks > 0.97).mean())
assert at_half < 0.5 and at_two > 2 and abs(below - 100 * np.exp(-1)) < 5
answer(
    "The fit finds the standard deviation that the intercepts do have, the square: for true "
    f"values of 0.5, 1 and 2, the estimates are {at_half:.2f}, {at_one:.2f} and {at_two:.2f} on "
    "average, right at 1, too low below it and too high above. A true value above 1 should lie "
    "below its interval, and Exponential(1) gives such values a probability of 1/e, "
    f"{100 * np.exp(-1):.0f} %; in the calibration it is {below:.0f} %, and in another {above:.0f} "
    "% the true value lies above its interval. The intervals are not too narrow: "
    f"{square_held.sum()} of the {len(square_held)} simulated here hold the square. They lie too "
    "high for some values and too low for others, and the curve of the ranks has the same shape "
    "for both faults."
)

# %% [markdown]
# **2.** Break a fit on purpose: whatever the data are, let it return draws from the prior. Do the
# ranks of the parameter show this, do those of the log likelihood, or both? Predict it, and then
# try it with one mean $\mu \sim \text{Normal}(0, 1)$ and ten observations $y_i \sim
# \text{Normal}(\mu, 1)$, beside draws from the right posterior.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the answer", "code_prompt_hide": "Hide the answer"}
rng = np.random.default_rng(103)
true_mean = rng.normal(size=(20_000, 1))  # one for each screen
mean_of_ten = rng.normal(true_mean, 10**-0.5)  # the likelihood depends on nothing else
draws_of = {
    "prior": rng.normal(size=(20_000, 100)),
    "posterior": rng.normal(mean_of_ten * 10 / 11, 11**-0.5, size=(20_000, 100)),
}
held_by, rank_by = {}, {}
for name, sampled in draws_of.items():
    below = (sampled < true_mean).mean(axis=1)
    # The likelihood falls with the distance from the mean of the ten.
    worse = (abs(sampled - mean_of_ten) > abs(true_mean - mean_of_ten)).mean(axis=1)
    held_by[name] = 100 * (abs(below - 0.5) <= 0.47).mean()
    rank_by[name] = 100 * worse.mean()
assert abs(held_by["prior"] - 94) < 1 and rank_by["prior"] > 80
answer(
    "Only the log likelihood shows it. The true mean and the draws come from the same "
    "distribution, the prior, and none of them depends on another, so the rank of the true mean "
    f"is uniform: the 94 % intervals of this fit hold it in {held_by['prior']:.1f} % of the "
    f"screens (the right posterior: {held_by['posterior']:.1f} %). But the data were drawn with "
    f"the true mean, which fits them better than {rank_by['prior']:.0f} % of the draws from the "
    f"prior on average, where the right posterior gives {rank_by['posterior']:.0f} %. This fit is "
    "calibrated for its parameter, and useless."
)

# %% [markdown]
# **3.** Given the total, priors that are flat in the two scales put much of the probability of the
# share into the two outer tenths. Find with a pencil a prior density of $\sigma_\alpha$ and
# $\sigma$ under which the share is uniform, given the total: write the share as $\sin^2\varphi$,
# and remember the Jacobian of polar coordinates, which does not depend on $\varphi$. Then reweight
# the draws of model 7b as on this page. What do the data add?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the answer", "code_prompt_hide": "Hide the answer"}
with_outer = {**asked, "outer": lambda of: (np.abs(asked["share"](of) - 0.5) > 0.4).astype(float)}
even_prior = {"Gamma(2, 1)": lambda of: np.log(of["sigma_alpha"] * of["sigma"])}
even = under_priors(solve(m7b.FAMILY, screen).points, with_outer, even_prior).set_index("quantity")
assert even["k"].max() < MAX_PARETO_K
assert abs(even.loc["outer", "mean"] - 0.2) < 0.03
assert abs(even.loc["total", "mean"] - totals["mean"]).max() < 0.001
answer(
    "The share changes with φ by 2 sin φ cos φ, so it is uniform if the density of φ is "
    "proportional to that, and the density of the scales to their product: for example Gamma(2, "
    "1) for both, whose exponential factor hardly varies here. Reweighted in this way, the share "
    f"has the mean {even.loc['share', 'mean']:.2f} and the quantiles {even.loc['share', '3%']:.2f} "
    f"and {even.loc['share', '97%']:.2f}, and the outer tenths have "
    f"{100 * even.loc['outer', 'mean']:.0f} % of the probability. For a uniform distribution these "
    "are 0.50, 0.03, 0.97 and 20 %: given the total, the data add nothing to the prior that one "
    f"chose. The mean of the total is {even.loc['total', 'mean']:.3f}, as under all priors of the "
    "table."
)

# %% [markdown]
# ## What we have learnt
#
# - On {glue:text}`n_data_sets:,` screens of this design per model, the true values are where the
#   posteriors say: for every mean and scale, for two effects of each kind, and for the likelihood.
# - The same check finds a deliberate error that the diagnostics of a fit do not show.
# - Calibration says that a posterior is computed correctly *under its model*. It does not say that
#   the model is right about a screen: model 7b is calibrated, but has no parameter for what an
#   sgRNA does in all cell lines alike.
# - A posterior can be right and still come from the prior. A low sensitivity to the likelihood
#   shows this. A low sensitivity to the prior does not show the opposite: one has to try other
#   priors.
#
# The posteriors of these models are right, but the models are not: none of them says that an sgRNA
# keeps its deviation. [The next chapter](06_model_7) turns to one that does.

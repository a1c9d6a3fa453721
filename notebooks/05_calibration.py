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
# R-hat and effective sample size say that the chains agree. They do not say that the chains sample the
# posterior of the model on the page: a wrong formula converges too. This chapter checks every model
# of the book against itself, on thousands of simulated screens, shows that the check can fail, and
# then asks how much of each posterior is the prior's doing.

# %% tags=["hide-input"]
import numpy as np
import pandas as pd

from poolscreen import calibration, marginal
from poolscreen.calibration import load_calibration, pit
from poolscreen.display import numbers, source, table
from poolscreen.figures import rank_differences as figure
from poolscreen.fits import load_fit
from poolscreen.models import _m7a_variance, m7a, m7a_unpooled, m7b, m7b_unpooled
from poolscreen.screen import load_screen
from poolscreen.tables import (
    ENVELOPE_PROB,
    coverage,
    power_scaling,
    rank_differences,
    reweighted,
    uniformity,
)

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
# ## The idea
#
# Draw the parameters from the prior, and a screen from the parameters. The draw and the screen
# are then a pair from the joint distribution of the model, and given the screen, the drawn
# parameters are one more draw from the posterior. So if the fit is right, the true value has no
# special place among the posterior draws: its *rank* among them is equally likely to be any. Repeat
# this with many screens, and look whether the ranks are uniform. That is **simulation-based
# calibration** {cite:p}`talts2018`. Where it fails, the shape tells: true values too often at the ends
# mean posteriors that are too narrow, a slope means a bias.
#
# Here each model was fitted to {glue:text}`n_data_sets:,` screens, with the labels and sizes of the
# book's own. The screens are drawn from the model as it is written in its chapter; the fits take the
# marginal form, with the effects drawn back. A mistake in either, in the formulas of
# [chapter 4](04_integrating_out), or in the sampler, would show.

# %% tags=["remove-input", "hide-output"] mystnb={"code_prompt_show": "Show the code of the calibration", "code_prompt_hide": "Hide the code of the calibration"}
source(calibration.calibrate)

# %% [markdown]
# Ranks are taken of every scalar parameter, of the first and the last effect of each kind, and of
# the log likelihood, which depends on all parameters at once and sees mistakes that no single
# one shows {cite:p}`modrak2025`. A fit that fails the gate of the book is counted, and its ranks stay in.

# %% tags=["hide-input"]
summary = pd.DataFrame(
    {
        "model": name,
        "screens": found.sizes["data_set"],
        "fits that fail the gate": int((found["fault"] != "").sum()),
        "quantities": found.sizes["quantity"],
        "smallest p": uniformity(ranks[name]).min(),
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
held = 100 * (np.abs(every - 0.5) <= 0.47).mean(axis=1)
bonferroni = 0.05 / n_quantities
assert summary["smallest p"].min() > bonferroni
failed = summary.set_index("model")["fits that fail the gate"]
numbers(
    {
        "n_data_sets": n_data_sets,
        "n_quantities": n_quantities,
        "envelope": 100 * ENVELOPE_PROB,
        "expected_outside": n_quantities * (1 - ENVELOPE_PROB),
        "bonferroni": bonferroni,
        "smallest_p": summary["smallest p"].min(),
        "lowest_94": held.min(),
        "highest_94": held.max(),
        "failed": int(failed.sum()),
        "n_fits": int(summary["screens"].sum()),
        "draws": calibrations["7b"].attrs["draws"],
    }
)

# %% [markdown]
# Of {glue:text}`n_fits:,` fits, {glue:text}`failed:d` fail the gate. (They are shorter than
# the book's own, so R-hat is noisier.) The last but one column is the least of the p-values of a test of
# uniformity over the quantities of a model. With {glue:text}`n_quantities:d` quantities in all, one
# would worry at a p below {glue:text}`bonferroni:.4f`; the smallest is {glue:text}`smallest_p:.3f`.

# %% [markdown]
# ## Model by model
#
# {numref}`fig-ranks-7a` to {numref}`fig-ranks-7b-unpooled` show, for each quantity, the distribution function of the ranks minus that of uniform
# ones. If the posteriors are right, a curve stays within its grey band *as a whole* with probability
# {glue:text}`envelope:.0f` % {cite:p}`sailynoja2022`; of {glue:text}`n_quantities:d` curves one would
# expect {glue:text}`expected_outside:.1f` outside. The tables give the coverage of central intervals,
# in percent, with its Monte Carlo error: a 94 % interval should hold the true value in 94 % of
# the screens.
#
# ### Model 7a

# %% tags=["hide-input"] mystnb={"image": {"alt": "Six panels for model 7a, one per quantity: blue curves around zero, each within a narrow lens-shaped grey band."}, "figure": {"name": "fig-ranks-7a", "caption": "Calibration of model 7a: difference between the distribution of the ranks and the uniform one, with a simultaneous band."}}
figure(curves["7a"], title="Model 7a")

# %% tags=["remove-input"]
table(coverage(calibrations["7a"], ranks["7a"]))

# %% [markdown]
# ### Model 7a, no pooling
#
# {numref}`fig-ranks-7a-unpooled` has one scale only; the other priors are fixed.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Four panels for model 7a without pooling: blue curves around zero, each within its grey band."}, "figure": {"name": "fig-ranks-7a-unpooled", "caption": "Calibration of model 7a without pooling."}}
figure(curves["7a, no pooling"], title="Model 7a, no pooling", columns=4)

# %% tags=["remove-input"]
table(coverage(calibrations["7a, no pooling"], ranks["7a, no pooling"]))

# %% [markdown]
# ### Model 7b
#
# The split between $\sigma_\alpha$ and $\sigma$ is open, and yet the ranks of both are uniform. There is no
# contradiction ({numref}`fig-ranks-7b`). Calibration asks whether a posterior says what model and data imply. Here they
# imply little, and the posterior is right to be wide.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Nine panels for model 7b: blue curves around zero, each within its grey band."}, "figure": {"name": "fig-ranks-7b", "caption": "Calibration of model 7b."}}
figure(curves["7b"], title="Model 7b")

# %% tags=["remove-input"]
table(coverage(calibrations["7b"], ranks["7b"]))

# %% [markdown]
# ### Model 7b, no pooling

# %% tags=["hide-input"] mystnb={"image": {"alt": "Four panels for model 7b without pooling: blue curves around zero, each within its grey band."}, "figure": {"name": "fig-ranks-7b-unpooled", "caption": "Calibration of model 7b without pooling."}}
figure(curves["7b, no pooling"], title="Model 7b, no pooling", columns=4)

# %% tags=["remove-input"]
table(coverage(calibrations["7b, no pooling"], ranks["7b, no pooling"]))

# %% [markdown]
# ## The check can fail
#
# A check that cannot fail shows nothing. This is model 7a with one deliberate error, of a kind that is
# easily made: a variance where a standard deviation belongs.

# %% tags=["remove-input"]
source(_m7a_variance.build)

# %% [markdown]
# Screens were drawn from this, and fitted with the right model 7a. No chain complains: the wrong
# model and the right one differ in nothing that R-hat could see. {numref}`fig-ranks-error` does see it.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Six panels: the curve of sigma_alpha leaves its grey band by far and runs off the panel; the others stay within theirs or near it."}, "figure": {"name": "fig-ranks-error", "caption": "Calibration of a model with a deliberate error. The curve of $\\sigma_\\alpha$ leaves the panel."}}
wrong = load_calibration("_m7a_variance")
figure(rank_differences(pit(wrong)), title="Model 7a with an error")

# %% tags=["remove-input"]
of_wrong = coverage(wrong, pit(wrong))
table(of_wrong)

# %% tags=["remove-cell"]
wrong_p = of_wrong.set_index("quantity")["p"]
assert wrong_p["sigma_alpha"] < 1e-6
assert wrong_p["log likelihood"] < 1e-3
numbers(
    {
        "wrong_failed": int((wrong["fault"] != "").sum()),
        "wrong_fits": wrong.sizes["data_set"],
        "wrong_held": of_wrong.set_index("quantity").loc["sigma_alpha", "94% interval"],
    }
)

# %% [markdown]
# The 94 % intervals of $\sigma_\alpha$ hold the true value in {glue:text}`wrong_held` % of the screens. Of
# the {glue:text}`wrong_fits:,` fits, {glue:text}`wrong_failed:d` failed the gate: convergence had
# nothing to say. The log likelihood gives the error away too. The coverage of the intercepts does not:
# their own data determine them so well that the wrong spread hardly matters. Which quantities are ranked
# decides what is seen.

# %% [markdown]
# ## What is the prior's doing?
#
# Calibration is about computing the posterior. Another question is how much of it came from the
# data. *Power-scaling* raises the prior, or the likelihood, to a power a little above and a little below
# one, and measures how far each marginal posterior moves {cite:p}`kallioinen2024`. A quantity that
# moves with the likelihood has been learnt; one that moves with the prior only has not. (The
# numbers are distances per doubling of the power; above about {glue:text}`threshold:.2f` they are
# worth a thought. Power-scaling acts on the marginal form here: on the priors of means and scales, and on
# the likelihood with all effects averaged over.)

# %% tags=["hide-input"]
found = []
for name, model, fit in [
    ("7a", m7a, load_fit("m7a")),
    ("7a, no pooling", m7a_unpooled, load_fit("m7a_unpooled")),
    ("7b", m7b, load_fit("m7b")),
    ("7b, no pooling", m7b_unpooled, load_fit("m7b_unpooled")),
]:
    posterior = fit["posterior"].to_dataset()[model.FAMILY.parameters]
    density = marginal.log_density(model.FAMILY, screen, posterior)
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
numbers(
    {
        "threshold": threshold,
        "total_likelihood": of.loc[("7b", "total"), "likelihood"],
        "share_prior": of.loc[("7b", "share"), "prior"],
        "share_likelihood": of.loc[("7b", "share"), "likelihood"],
        "most_prior": sensitivity["prior"].max(),
        "unpooled_likelihood": of.loc[("7b, no pooling", "sigma"), "likelihood"],
    }
)

# %% [markdown]
# Read the column of the likelihood first. Every mean and scale of model 7a moves with it, and in 7b the
# total scatter about a gene, $\sqrt{\sigma_\alpha^2 + \sigma^2}$, does too
# ({glue:text}`total_likelihood:.3f`). The share of the sgRNAs in it does not
# ({glue:text}`share_likelihood:.3f`): the data do not speak of the split.
#
# The column of the prior holds a surprise. No quantity moves with it (at most
# {glue:text}`most_prior:.3f`), the share neither ({glue:text}`share_prior:.3f`). Then who made its
# posterior? Still the prior, but not by its *strength*. On the scale of this ring an exponential
# distribution with rate one is nearly flat, and a flat density to whatever power stays flat.
# Power-scaling cannot see what a prior does by its shape. A different prior can. The draws
# of the fit, weighted anew {cite:p}`vehtari2017`, tell what three others would have said of 7b: one that
# expects the sgRNAs of a gene to agree, one that expects little noise, and one that wants
# neither scale near zero.

# %%
posterior = load_fit("m7b")["posterior"].to_dataset()
sigma_alpha, sigma = posterior["sigma_alpha"], posterior["sigma"]
total = np.hypot(sigma_alpha, sigma)
asked = {"share": sigma_alpha**2 / total**2, "total": total}

other_priors = {
    "as in the book: Exponential(1) for both": None,
    "sgRNAs agree: Exponential(10) for sigma_alpha": -9 * sigma_alpha,
    "little noise: Exponential(10) for sigma": -9 * sigma,
    "neither is zero: Gamma(3, 1) for both": 2 * np.log(sigma_alpha * sigma),
}
under = pd.concat(
    reweighted(asked, log_ratio).assign(prior=prior)
    for prior, log_ratio in other_priors.items()
)
table(under[["quantity", "prior", "mean", "3%", "97%", "k"]].sort_values("quantity"))

# %% tags=["remove-cell"]
of_prior = under.set_index(["quantity", "prior"])
assert under["k"].max() < 0.7
shares, totals = of_prior.loc["share"], of_prior.loc["total"]
assert totals["mean"].max() - totals["mean"].min() < 0.01
numbers(
    {
        "share_lowest": shares["mean"].min(),
        "share_highest": shares["mean"].max(),
        "total_lowest": totals["mean"].min(),
        "total_highest": totals["mean"].max(),
    }
)

# %% [markdown]
# (A constant factor in a prior does not matter, so only the part that varies is written down; a Pareto k
# below 0.7 says that the weights are good.) The total stays between
# {glue:text}`total_lowest:.3f` and {glue:text}`total_highest:.3f`, whatever the prior. The mean of the
# share goes from {glue:text}`share_lowest:.2f` to {glue:text}`share_highest:.2f`. **The total is the
# data's, the split is the prior's**, and chapter 3's strokes are as long as the prior makes
# them.
#
# One more trap is in the last row of the table before. The noise of the unpooled model 7b moves with the
# likelihood ({glue:text}`unpooled_likelihood:.3f`), as if the data had taught it. In the marginal form
# the fixed prior of the intercepts is part of the likelihood, and it is that prior which drives the noise
# to zero (chapter 3). A sensitivity is always to what one chooses to call the prior.

# %% [markdown]
# ## What we have learnt
#
# - On {glue:text}`n_data_sets:,` screens per model the true values are where the posteriors say, for every
#   parameter, for effects and for the likelihood.
# - The same check finds a deliberate error that convergence diagnostics do not see.
# - Calibration says that a posterior is computed rightly *under its model*. It does not say that
#   the model is right about a screen: model 7b is calibrated, and blind to what an sgRNA does in all
#   cell lines alike.
# - A posterior can be right and still be the prior's. Power-scaling tells which.

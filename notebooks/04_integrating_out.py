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
# # Integrating the effects out
#
# Chapter 3 showed that the data leave one direction of model 7b open: how the scatter about a gene
# divides into $\sigma_\alpha$ and $\sigma$. This chapter first shows, on purpose, how a sampler
# fails because of it. Then it integrates the effects out of the model on paper, one step at a time,
# with the code beside each step. It looks at the posterior that remains, and measures what was
# gained. The last section is about what a screener can do about the open direction: measure
# replicates.

# %% tags=["hide-input"]
import time

import arviz as az
import numpy as np
import pandas as pd
from scipy import integrate, stats

from poolscreen.display import answer, source, table
from poolscreen.families.nested import effects, likelihood
from poolscreen.families.nested.data import statistics
from poolscreen.families.nested.pointwise import log_likelihood
from poolscreen.figures.chains import chains, ring
from poolscreen.figures.scales import shares_by_measurements, straightened
from poolscreen.inference import scales
from poolscreen.inference.gate import MAX_R_HAT, MIN_BFMI, MIN_ESS, check_gate
from poolscreen.inference.posterior import interval
from poolscreen.inference.samplers import DEFAULT_ACCEPT
from poolscreen.inference.sampling import Settings
from poolscreen.models import m7a, m7a_unpooled, m7b, m7b_unpooled
from poolscreen.screens.table import Screen
from poolscreen.tables.estimates import from_their_gene
from poolscreen.tables.fits import WAYS, model_label, sampler_comparison
from poolscreen.tables.predictions import MAX_PARETO_K, leave_one_out
from poolscreen.tables.shrinkage import shrinkage_factor
from press.glue import numbers
from press.results import load_attempt, load_benchmark, load_fit, load_screen, load_truth

screen = load_screen()
plain = load_attempt("m7b/pymc")
exact = load_fit("m7b")

# %% [markdown]
# ## A failure, shown on purpose
#
# Model 7b, as it is written in chapter 3 ({eq}`eq-m7b`), was sampled with PyMC's NUTS (*plain NUTS*
# below): four chains and a target acceptance of {glue:text}`target_accept`, as in the original
# notebook. The code below states that a failure is expected. If the chains agreed one day, this
# page would not be built. How a run fails is a matter of chance, and differs between seeds and
# between processors. So the same run was repeated with {glue:text}`n_seeds` other seeds
# ([Measurements](measurements)). What the text says about such runs in general holds in all of
# these. The other numbers are those of one run.

# %% tags=["hide-input"]
check_gate("7b with PyMC's NUTS", {}, plain.attrs, expect_failure=True)
seeds = pd.DataFrame(load_benchmark("seeds")["figures"]).set_index(["model", "sampler"])
repeated = seeds.loc[("m7b", "pymc")]
# The text says this of all of these runs:
assert (repeated["max_r_hat"] > MAX_R_HAT).all()
assert (repeated["min_ess_bulk"] < MIN_ESS).all()
assert (repeated["min_bfmi"] < MIN_BFMI).all()

scale_names = ["sigma_alpha", "sigma"]

# %% [markdown]
# {numref}`fig-traces` shows the draws of the two scales in the order in which they were made. The
# trace of a chain that works looks like noise around one level. A chain that drifts has not yet
# visited all values for as long as it should. When one scale goes up, the other goes down, because
# the data determine the sum of their squares.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Two trace plots, of sigma_alpha and of sigma, in the order of the draws: four coloured chains of plain NUTS, which have not converged."}, "figure": {"name": "fig-traces", "caption": "Traces of plain NUTS on model 7b: the two scales, with four chains in four colours."}}
chains(plain, scale_names, "trace", title="Plain NUTS on model 7b: traces")

# %% [markdown]
# {numref}`fig-ranks` shows the same more clearly. All draws of all chains are ranked together. If
# the chains agree, the ranks of each chain are spread evenly, and its curve stays in the grey band
# {cite:p}`vehtari2021`. A curve that leaves the band belongs to a chain that has visited other
# values than the rest.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Two rank plots, of sigma_alpha and of sigma. In each, four curves show the difference between the distribution of a chain's ranks and an even one; they leave the grey band around zero in which they should stay."}, "figure": {"name": "fig-ranks", "caption": "Ranks of the draws of each chain among the draws of all chains: difference from an even distribution. If the chains agree, all curves lie in the band with high probability."}}
chains(plain, scale_names, "rank", title="Plain NUTS on model 7b: ranks")

# %% tags=["remove-cell"]
posterior = plain["posterior"].to_dataset()
means = posterior["sigma"].mean("draw")
rounds = pd.DataFrame(load_benchmark("samplers")["figures"]).set_index(["model", "sampler"])
rounds = rounds.sort_index()
lax = rounds.loc[("m7b", "pymc_default")]
numbers(
    {
        "target_accept": Settings().target_accept,
        "default_accept": DEFAULT_ACCEPT,
        "plain_r_hat": plain.attrs["max_r_hat"],
        "plain_ess": plain.attrs["min_ess_bulk"],
        "plain_draws": posterior.sizes["chain"] * posterior.sizes["draw"],
        "plain_divergences": int(plain.attrs["divergences"]),
        "plain_bfmi": plain.attrs["min_bfmi"],
        "plain_low": means.min(),
        "plain_high": means.max(),
        "at_limit": 100 * (plain["sample_stats"]["tree_depth"] >= 10).mean(),
        "lax_runs": len(lax),
        "lax_least": int(lax["divergences"].min()),
        "lax_most": int(lax["divergences"].max()),
        "lax_r_hat": lax["max_r_hat"].min(),
        "n_seeds": len(repeated),
        "least_r_hat": repeated["max_r_hat"].min(),
        "most_r_hat": repeated["max_r_hat"].max(),
        "most_ess": repeated["min_ess_bulk"].max(),
        "most_bfmi": repeated["min_bfmi"].max(),
        "dark": int((repeated["divergences"] == 0).sum()),
        "gate_bfmi": MIN_BFMI,
    }
)

# %% [markdown]
# {term}`R-hat` reaches {glue:text}`plain_r_hat:.2f`, and the {glue:text}`plain_draws:,` draws are
# worth {glue:text}`plain_ess:.0f` independent ones. The mean of $\sigma$ is
# {glue:text}`plain_low:.2f` in one chain and {glue:text}`plain_high:.2f` in another. Such a run is
# not a result. With the {glue:text}`n_seeds` other seeds, the largest R-hat of the mean and the
# scales was between {glue:text}`least_r_hat:.2f` and {glue:text}`most_r_hat:.2f`, and their
# smallest effective sample size was never above {glue:text}`most_ess:.0f`.
#
# The number of {term}`divergences <divergence>` in this run is {glue:text}`plain_divergences`. Of
# the {glue:text}`n_seeds` runs with other seeds, {glue:text}`dark` had none at all. This is
# misleading. Divergences are often taken for *the* warning sign of a hierarchical model, but a run
# without any may still have failed. The sampler does not stop its trajectories too early either:
# they reach their maximal length in {glue:text}`at_limit:.1f` % of the draws of this run. It is
# simply slow along the open direction. The {term}`BFMI` does warn: it is
# {glue:text}`plain_bfmi:.3f` in the worst chain here, and with the other seeds it was never above
# {glue:text}`most_bfmi:.2f`, where the gate asks for {glue:text}`gate_bfmi:.1f`. R-hat and
# effective sample size are what decides. (With PyMC's default target acceptance,
# {glue:text}`default_accept`, steps are longer. In {glue:text}`lax_runs:d` such runs there were
# between {glue:text}`lax_least:,` and {glue:text}`lax_most:,` divergences, and R-hat was
# {glue:text}`lax_r_hat:.2f` or more; see [Measurements](measurements).)
#
# Why do the chains fail? Of the two scales, the data determine only $\sigma_\alpha^2 + \sigma^2$
# (chapter 3), so their posterior is an arc, a quarter of a ring. Where $\sigma_\alpha$ is near
# zero, the {glue:text}`n_intercepts:,` intercepts are tied to their genes; where $\sigma$ is near
# zero, they are tied to their observations. In both places the sampler can only move if it moves
# all of them. Each end resembles the funnel of hierarchical models: when a scale is small,
# everything that depends on it is squeezed, and steps that fit the wide part are too large for the
# narrow part {cite:p}`neal2003,betancourt2013`. The low BFMI fits this. The usual remedy for a
# funnel is to sample standardised deviations (*non-centring*). It is made for the end where
# $\sigma_\alpha$ is small; at the other end, the data determine each intercept.
# [Measurements](measurements) tries non-centring, and other seeds.

# %% [markdown]
# ## From the joint density to the marginal likelihood, step by step
#
# Integrating the intercepts out helps at both ends. For one gene in one cell line, with sgRNAs
# $s = 1 \dots n$ observed once each, model 7b is the joint density
#
# $$
# p(y, \alpha, \gamma \mid \mu_\gamma, \sigma_\gamma, \sigma_\alpha, \sigma) =
# \underbrace{\text{N}(\gamma \mid \mu_\gamma, \sigma_\gamma)}_{\text{the gene}}
# \prod_{s=1}^{n}
# \underbrace{\text{N}(\alpha_s \mid \gamma, \sigma_\alpha)}_{\text{its sgRNAs}}\;
# \underbrace{\text{N}(y_s \mid \alpha_s, \sigma)}_{\text{their observations}}.
# $$ (eq-joint)
#
# We want this density with the $\alpha_s$ and $\gamma$ averaged over. To have numbers to work with,
# take one gene of the screen in one cell line, and some values for the parameters:

# %%
y = screen.log_fc[(screen.gene_idx == 2) & (screen.cell_idx == 0)]
mu_gamma, sigma_gamma, sigma_alpha, sigma = -1.0, 1.1, 0.2, 0.3
y.round(3)

# %% [markdown]
# **Step 1: the sgRNAs.** An observation is the effect of its gene plus two independent normal
# deviations, whose variances add up:
#
# $$
# \int \text{N}(\alpha_s \mid \gamma, \sigma_\alpha)\, \text{N}(y_s \mid \alpha_s, \sigma)\, d\alpha_s
# = \text{N}\bigl(y_s \mid \gamma, \sqrt{v}\bigr), \qquad v = \sigma_\alpha^2 + \sigma^2 .
# $$ (eq-step-one)
#
# The code computes the integral on the left numerically and the formula on the right, for the first
# observation and a gene effect of $-0.8$:

# %%
gamma = -0.8
by_machine, _ = integrate.quad(
    lambda alpha: stats.norm.pdf(alpha, gamma, sigma_alpha) * stats.norm.pdf(y[0], alpha, sigma),
    -np.inf,
    np.inf,
)
v = sigma_alpha**2 + sigma**2
print(f"by machine {by_machine:.12f}   formula {stats.norm.pdf(y[0], gamma, v**0.5):.12f}")

# %% [markdown]
# From here on, $\sigma_\alpha$ and $\sigma$ occur only together, in $v$. This proves what chapter 3
# said in words: one observation per sgRNA and cell line cannot tell the two scales apart.
#
# **Step 2: the gene.** Write $\bar y$ for the mean of the gene's observations. Since
# $\sum_s (y_s - \gamma)^2 = \sum_s (y_s - \bar y)^2 + n (\bar y - \gamma)^2$, the product over
# sgRNAs splits into a factor without $\gamma$ and a normal density of $\bar y$ about $\gamma$. The
# variance of this density, $v / n$, again adds to that of the gene:
#
# $$
# \begin{aligned}
# \int & \text{N}(\gamma \mid \mu_\gamma, \sigma_\gamma) \prod_{s} \text{N}\bigl(y_s \mid \gamma, \sqrt{v}\bigr)\, d\gamma \\
# &= \underbrace{\frac{(2 \pi v)^{-(n-1)/2}}{\sqrt{n}}
# \exp\Bigl(-\frac{\sum_s (y_s - \bar y)^2}{2 v}\Bigr)}_{\text{scatter within the gene: shows } v} \\
# & \quad \times
# \underbrace{\text{N}\Bigl(\bar y \,\Big|\, \mu_\gamma, \sqrt{\sigma_\gamma^2 + v / n}\Bigr)}_{\text{the gene's mean: shows } \mu_\gamma, \sigma_\gamma}
# \end{aligned}
# $$ (eq-marginal)
#
# The code computes this density in three ways: by the formula; from the joint normal distribution
# of the observations, whose covariance is $\sigma_\gamma^2$ everywhere, plus $v$ on the diagonal;
# and with the code that the book's fits run, on a screen that consists of these rows:

# %%
n, mean = len(y), y.mean()
scatter = -(n - 1) / 2 * np.log(2 * np.pi * v) - np.log(n) / 2
scatter -= ((y - mean) ** 2).sum() / (2 * v)
formula = scatter + stats.norm.logpdf(mean, mu_gamma, (sigma_gamma**2 + v / n) ** 0.5)

covariance = sigma_gamma**2 * np.ones((n, n)) + v * np.eye(n)
joint_normal = stats.multivariate_normal(np.full(n, mu_gamma), covariance).logpdf(y)

rows = screen.table[(screen.gene_idx == 2) & (screen.cell_idx == 0)]
small = statistics(m7b.FAMILY, Screen(rows))
code = likelihood.log_marginal_likelihood(small, mu_gamma, sigma_gamma, sigma_alpha, sigma).eval()
print(f"formula {formula:.9f}   joint normal {joint_normal:.9f}   code {code:.9f}")

# %% [markdown]
# **Step 3: replicates.** If sgRNA $s$ has $n_s$ observations in the cell line, their mean
# $\bar y_s$ takes the place of $y_s$. Its variance about the gene is
# $v_s = \sigma_\alpha^2 + \sigma^2 / n_s$, and the gene's mean weights each $\bar y_s$ by
# $1 / v_s$. The scatter of replicates about their own mean adds a factor that contains only
# $\sigma$. *This factor* tells the two scales apart (the folded code below has the full formula):
#
# $$
# \prod_s \frac{(2 \pi \sigma^2)^{-(n_s - 1)/2}}{\sqrt{n_s}}
# \exp\Bigl(-\frac{\sum_{i} (y_{si} - \bar y_s)^2}{2 \sigma^2}\Bigr).
# $$ (eq-replicates)
#
# **Step 4: all genes, all cell lines.** Given the parameters, all genes and cell lines are
# independent, so their log densities add up. Genes with the same *layout*, that is, the same number
# of sgRNAs and of replicates, share their formula. They enter it only by their number, by the mean
# of their means, and by two sums of squares: of the means about that mean, and of the sgRNAs about
# their gene. For model 7b, the {glue:text}`n_rows:,` observations of this screen reduce to the
# table below, and a screen of any size to one row per layout:

# %% tags=["hide-input"] table={"name": "tbl-layouts", "caption": "The screen as model 7b sees it: one row per layout."}
data = statistics(m7b.FAMILY, screen)
table(
    pd.DataFrame(
        {
            "sgRNAs per gene": data.units[:, 0],
            "genes × cell lines": data.groups,
            "mean": data.mean[:, 0],
            "sum of squares of the means": data.scatter[:, 0, 0],
            "sum of squares within genes": data.ss_between[:, 0],
        }
    )
)

# %% [markdown]
# The next code does the same for any number of replicates, equal or not, and with or without the
# level of the sgRNAs. Model 7a and the unpooled models are special cases of it:

# %% tags=["remove-input", "hide-output"] mystnb={"code_prompt_show": "Show the marginal likelihood", "code_prompt_hide": "Hide the marginal likelihood"}
source(likelihood.log_marginal_likelihood)

# %% [markdown]
# The tests of this project compare this code with the joint normal distribution on random designs.
#
# **Step 5: coordinates.** Of {glue:text}`n_parameters:,` parameters, four are left. The posterior
# of the two scales is still an arc, and a sampler with one step size for all directions is slow
# along a bend. In polar coordinates, $\sigma_\alpha = r \sin\varphi$ and $\sigma = r \cos\varphi$,
# the arc is a straight line ({numref}`fig-straight`): the data determine $r$, and do not determine
# $\varphi$.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Two panels with the same points. On the left, sigma_alpha against sigma: a thin quarter ring. On the right, radius against angle: a thin horizontal strip over all angles.", "width": "560px"}, "figure": {"name": "fig-straight", "caption": "The same draws from the posterior of model 7b in two pairs of coordinates."}}
straightened(exact["posterior"].to_dataset()[scale_names], title="A ring, and a straight strip")

# %% [markdown]
# New coordinates need a correction of the density. Spread points evenly over a square, and count them by
# their distance from one corner. The five rings below have the same width, but the outer ones are longer,
# so they hold more points:

# %%
even = np.random.default_rng(103).uniform(size=(100_000, 2))
in_rings, _ = np.histogram(np.hypot(*even.T), bins=[0, 0.2, 0.4, 0.6, 0.8, 1.0])
print("points in each ring, the first being 1:", (in_rings / in_rings[0]).round(1))

# %% [markdown]
# In the middle of the rings the radius grows as 1, 3, 5, 7, 9, and so do the points. A density that is even in the
# two scales is therefore proportional to $r$ in polar coordinates. This factor is the *Jacobian* of the change, and the
# density of the model is multiplied by it.
#
# The scale $\sigma_\gamma$ is
# sampled as $|u|$ with $u$ on the whole line, so that it may come close to 0 without meeting a
# boundary there. Each half of the line is the mirror image of the other, so it does not matter in
# which half a chain moves.

# %% tags=["remove-input", "hide-output"] mystnb={"code_prompt_show": "Show the marginal model", "code_prompt_hide": "Hide the marginal model"}
source(likelihood.build)

# %% tags=["remove-input", "hide-output"] mystnb={"code_prompt_show": "Show the coordinates", "code_prompt_hide": "Hide the coordinates"}
source(likelihood.coordinates)

# %% [markdown]
# **Step 6: back to the effects.** Nothing is lost. For each draw of the four parameters, the
# effects are drawn exactly, from their normal distributions: first $\gamma$, with $\alpha$ averaged
# over, then $\alpha$ given that $\gamma$. For one observation per sgRNA and cell line these
# distributions are
#
# $$
# \begin{aligned}
# \gamma_{gc} \mid y, \mu_\gamma, \sigma_\gamma, v &\sim \text{Normal}\Bigl(
# \frac{\mu_\gamma / \sigma_\gamma^2 + n \bar y / v}{p},\; p^{-1/2} \Bigr),
# & p &= \tfrac{1}{\sigma_\gamma^2} + \tfrac{n}{v} \\
# \alpha_{sc} \mid \gamma_{gc}, y, \sigma_\alpha, \sigma &\sim \text{Normal}\Bigl(
# \frac{\gamma_{gc} / \sigma_\alpha^2 + y_{sc} / \sigma^2}{q},\; q^{-1/2} \Bigr),
# & q &= \tfrac{1}{\sigma_\alpha^2} + \tfrac{1}{\sigma^2}
# \end{aligned}
# $$ (eq-effects)

# %% tags=["remove-input", "hide-output"] mystnb={"code_prompt_show": "Show the draws of the effects", "code_prompt_hide": "Hide the draws of the effects"}
source(effects.draw_effects)

# %% [markdown]
# ## The exact posterior
#
# {numref}`fig-ring` shows the posterior of the two scales from the marginal form (grey), with the
# draws of plain NUTS over it. The data determine the radius: it is {glue:text}`total:.3f` (94 %
# interval {glue:text}`total_low:.3f` to {glue:text}`total_high:.3f`). Along the ring, only the
# prior matters. At this radius, the prior density of $\varphi$ is proportional to
# $\exp(-r \sin\varphi - r \cos\varphi)$. It gives {glue:text}`prior_third:.1f` % to the lower third
# of the angles and {glue:text}`prior_middle:.1f` % to the middle third; the posterior gives
# {glue:text}`posterior_third:.1f` % and {glue:text}`posterior_middle:.1f` %. As far as the draws
# can show, the posterior of the angle is its prior: no third is off by more than
# {glue:text}`worst_third:.1f` Monte Carlo errors.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Joint figure of sigma_alpha and sigma: grey dots form a thin quarter ring around zero; coloured dots on it are the draws of four chains of plain NUTS. Histograms at the edges: the exact one rises smoothly towards the radius; those of the chains differ from it."}, "figure": {"name": "fig-ring", "caption": "The scales of model 7b. Grey: draws from the marginal form. Colours: the four chains of plain NUTS. At the edges: the marginal distribution of each."}}
exact_scales = exact["posterior"].to_dataset()[scale_names].to_dataframe().reset_index()
chain_scales = posterior[scale_names].to_dataframe().reset_index()
ring(
    exact_scales.iloc[::2],
    chain_scales.iloc[::2],
    title="Plain NUTS on the ring of model 7b",
)

# %% tags=["remove-cell"]
sigma_alphas, sigmas = (exact["posterior"][name] for name in scale_names)
radius = np.hypot(sigma_alphas, sigmas)
angle = np.arctan2(sigma_alphas, sigmas).to_numpy()
grid = (np.arange(30_000) + 0.5) / 30_000 * np.pi / 2
density = np.exp(-float(radius.mean()) * (np.sin(grid) + np.cos(grid)))
thirds = np.array([1, 2]) * np.pi / 6
expected = np.add.reduceat(density, np.searchsorted(grid, [0, *thirds]))
expected *= 100 / expected.sum()
found = 100 * np.bincount(np.digitize(angle.ravel(), thirds)) / angle.size
which = np.digitize(angle, thirds)
off = []
for third in range(3):
    inside = (which == third).astype(float)
    error = 100 * inside.std() / float(az.ess(inside, method="mean")) ** 0.5
    off.append(abs(found[third] - expected[third]) / error)
assert max(off) < 4
numbers(
    {
        "n_intercepts": exact["posterior"]["alpha_sc"][0, 0].size,
        "n_rows": len(screen.table),
        "n_parameters": sum(values[0, 0].size for values in exact["posterior"].data_vars.values()),
        "total": radius.mean(),
        "total_low": interval(radius)[0],
        "total_high": interval(radius)[1],
        "prior_third": expected[0],
        "prior_middle": expected[1],
        "posterior_third": found[0],
        "posterior_middle": found[1],
        "worst_third": max(off),
    }
)

# %% [markdown]
# ## The last step: integrating over the scales
#
# The marginal form of 7b leaves four parameters to a sampler. One of them integrates out like the
# effects: given the three scales, $\mu_\gamma$ is normal. The three scales that are left need no
# Markov chain. The posterior density can be computed at any point, and at thousands of points at
# once. So we choose points where the posterior is, and give each point a weight.
#
# The idea, *importance sampling*, is easiest to see in one dimension. Draw points from some wide
# distribution, and weight each by the density that is wanted, divided by the density that it was
# drawn from. Averages with these weights are averages over the wanted distribution. Here this is
# done for a standard normal distribution, with points from one twice as wide:

# %%
drawn = stats.norm.rvs(0, 2, size=4000, random_state=103)
weights = stats.norm.pdf(drawn, 0, 1) / stats.norm.pdf(drawn, 0, 2)
weights /= weights.sum()
print(f"mean {weights @ drawn:.2f}   sd {(weights @ drawn**2) ** 0.5:.2f}")

# %% [markdown]
# For the scales, the book does the same with three refinements. The points are placed in the
# coordinates of step 5, around the mode of the posterior, and spread as widely as its curvature
# there, and a first set of points, suggest. They are not random but evenly spread, by a *low-discrepancy sequence*, which
# makes the error fall faster {cite:p}`owen1997`. Their number is doubled until several such
# sequences agree. The *Pareto k* of the weights describes
# how heavy their tail is. If a few points had most of the weight, it would be
# above {glue:text}`limit_k:.1f`, and the book would go back to NUTS.
#
# Given one point of the scales, every effect is normal. So the posterior of an effect is a mixture
# of normal distributions, one for each point, with the weights of the points. Its mean, its
# standard deviation, its quantiles and the probability that it lies below zero follow from
# formulas. No effect is drawn, so these figures have no Monte Carlo error of their own.
#
# Here are the points for 7b, and for comparison a dense grid over the three scales. A grid is slow
# in more dimensions but hard to get wrong:

# %%
closed = m7b.FAMILY.closed(screen)
points = scales.integrate(closed, tolerance=0.002)

axes = [(0.8, 1.5, 48), (0.3, 0.42, 48), (0, np.pi / 2, 96)]  # sigma_gamma, radius, angle
middles = [low + (np.arange(n) + 0.5) / n * (high - low) for low, high, n in axes]
spread, distance, turn = map(np.ravel, np.meshgrid(*middles, indexing="ij"))
on_grid = {
    "sigma_gamma": spread,
    "sigma_alpha": distance * np.sin(turn),
    "sigma": distance * np.cos(turn),
}
started = time.perf_counter()
log_density = scales.in_blocks(closed, on_grid) - sum(on_grid.values()) + np.log(distance)
seconds_of_grid = time.perf_counter() - started
grid_weights = np.exp(log_density - log_density.max())
grid_weights /= grid_weights.sum()


def moments(of_scales: dict[str, np.ndarray], weights: np.ndarray) -> pd.DataFrame:
    """Mean and standard deviation of each scale."""
    values = pd.DataFrame(of_scales)
    mean = weights @ values
    return pd.DataFrame({"mean": mean, "sd": np.sqrt(weights @ (values - mean) ** 2)})


by_grid, by_points = moments(on_grid, grid_weights), moments(points.scales, points.weights)
by_points.round(4)

# %% [markdown]
# {numref}`tbl-ways` compares all ways to the posterior of 7b. The first two sample the model as it
# is written down. The third samples its marginal form, and draws all effects exactly. The fourth
# integrates over the scales, and draws the effects as many times. These four took turns on one
# machine ([Measurements](measurements) also has the other models). The table shows the median of
# {glue:text}`n_rounds:d` rounds, and the worst R-hat. *Off the grid* is the largest difference of a
# mean or a standard deviation of a scale from that of the grid, in posterior standard deviations,
# in the worst round.

# %% tags=["hide-input", "full-width"] table={"name": "tbl-ways", "caption": "All ways to the posterior of model 7b; R-hat and effective sample sizes are the worst over all parameters."}


def off_grid(run: pd.Series) -> float:
    """Return the largest difference of a moment of a run from that of the grid."""
    found = pd.DataFrame({name: pd.Series(run[name]) for name in by_grid})
    return float((found - by_grid).loc[by_grid.index].abs().div(by_grid["sd"], axis=0).max().max())


of_7b = rounds.loc[["m7b"]].reset_index()
names = ["pymc", "nutpie", "marginal", "points"]
ways = sampler_comparison(of_7b, names).drop(columns="model")
off = of_7b.apply(off_grid, axis=1).groupby(of_7b["sampler"]).max()
ways["off the grid"] = off[names].to_numpy()
of_grid = {"way": f"grid of {len(spread):,} points", "seconds sampling": seconds_of_grid}
table(pd.concat([ways, pd.DataFrame([of_grid])]))

# %% tags=["remove-cell"]
off_of_points = float((by_points - by_grid).abs().div(by_grid["sd"], axis=0).max().max())
assert off_of_points < 0.002
assert (of_7b.set_index("sampler").loc[["pymc", "nutpie"], "max_r_hat"] > MAX_R_HAT).all()
by_way = ways.set_index("way").rename({title: name for name, title in WAYS.items()})
numbers(
    {
        "limit_k": scales.MAX_PARETO_K,
        "n_rounds": int(of_7b["round"].nunique()),
        "n_points": len(points.weights),
        "efficiency": 100 * points.efficiency,
        "k_of_points": points.pareto_k,
        "off_points": off_of_points,
        "off_marginal": by_way["off the grid"]["marginal"],
        "plain_seconds": by_way["seconds sampling"]["pymc"],
        "compiling": by_way["seconds compiling"]["marginal"],
        "rate_marginal": by_way["ESS per second"]["marginal"],
        "rate_points": by_way["ESS per second"]["points"],
        "most_off": max(exact.attrs["off_exact"], load_fit("m7a").attrs["off_exact"]),
    }
)

# %% [markdown]
# Neither PyMC's nor nutpie's NUTS gives a result for the model as it is written, so the digits of
# their rates are not worth reading; PyMC's takes {glue:text}`plain_seconds:.0f` s to fail. The
# marginal form passes the gate. Once it has been compiled for {glue:text}`compiling:.1f` s, it
# gives {glue:text}`rate_marginal:,.0f` effective draws of every parameter per second. The weighted
# points need no compiling, and give {glue:text}`rate_points:,.0f`. These runs were compiled by Numba, on a
# machine that had compiled the models before. The fits of the book are compiled by JAX.
#
# The {glue:text}`n_points:,` points above are worth {glue:text}`efficiency:.0f` % of as many
# independent draws, with a Pareto k of {glue:text}`k_of_points:.2f`. None of their means and
# standard deviations is further than {glue:text}`off_points:.4f` posterior standard deviations from
# that of the grid. For the draws of the marginal form this distance is
# {glue:text}`off_marginal:.3f` in the worst round.
#
# The book uses both the draws and the points. Its fits keep their draws, because the chapters show
# what a sampler does. The mean and the standard deviation of every parameter are then compared with
# those of the weighted points, and a fit that is more than five Monte Carlo errors off is refused.
# (For 7a and 7b the largest difference over all parameters is {glue:text}`most_off:.1f` such
# errors.) The thousands of fits in the [next chapter](05_calibration) use the weighted points
# alone, and so does `poolscreen fit` for a screen of your own.

# %% [markdown]
# ## Leave-one-out with the marginal form
#
# A model may be judged by how well it predicts an observation from all the others. *Leave-one-out*
# estimates this from one fit, by reweighting the draws to take out one observation at a time
# {cite:p}`vehtari2017`. Four numbers show how. Their mean is unknown and their standard deviation is one. Draw the
# mean from its posterior given all four, and weight each draw by the inverse of the density that it gives to
# the last number. The weighted draws then say what the first three numbers say:

# %%
four = np.array([-0.8, 0.1, 0.6, 2.1])
draws = stats.norm.rvs(four.mean(), 1 / 4**0.5, size=100_000, random_state=103)
weights = 1 / stats.norm.pdf(four[-1], draws, 1)
print(f"all four {draws.mean():.2f}   without the last, by weights", end=" ")
print(f"{np.average(draws, weights=weights):.2f}   by the first three {four[:3].mean():.2f}")

# %% [markdown]
# Leave-one-out needs the log density of every observation in every draw. It works if no
# single observation decides the posterior: the *Pareto k* of each should stay below
# {glue:text}`max_k:.1f`.
#
# The density of an observation given its intercept (the *conditional* form) fails this condition if
# the intercept has only this observation. Without that observation, the intercept is known only
# from its prior or its gene, and is far less certain. The draws were made with the observation, so
# few of them lie where the intercept would then be. The remedy is to use the density of an
# observation given the scales *and all other observations*, with all intercepts averaged over
# {cite:p}`burkner2021`. The marginal form has this in closed form too.

# %% tags=["hide-input", "full-width"] table={"name": "tbl-loo", "caption": "Leave-one-out with both forms of the log likelihood."}
compared_by_loo = []
for name, model, fit in [
    ("m7a", m7a, load_fit("m7a")),
    ("m7a_unpooled", m7a_unpooled, load_fit("m7a_unpooled")),
    ("m7b", m7b, exact),
    ("m7b_unpooled", m7b_unpooled, load_fit("m7b_unpooled")),
]:
    thinned = fit["posterior"].to_dataset().isel(draw=slice(None, None, 4))
    forms = {
        form: log_likelihood(model.FAMILY, screen, thinned, form=form)
        for form in ("conditional", "marginal")
    }
    found = leave_one_out(thinned[model.FAMILY.parameters], forms)
    compared_by_loo.append(found.assign(model=model_label(name)))
loo = pd.concat(compared_by_loo)
loo = loo[["model", *loo.columns[:-1]]]
table(loo, digits=2)

# %% tags=["remove-cell"]
by_form = loo.set_index(["model", "log likelihood"])
high_k, elpd = by_form[f"k above {MAX_PARETO_K}"], by_form["elpd"]
assert high_k[:, "marginal"].max() == 0
assert abs(elpd["7a", "marginal"] - elpd["7b", "marginal"]) < 1
numbers(
    {
        "max_k": MAX_PARETO_K,
        "high_k": 100 * high_k["7b", "conditional"],
        "high_k_7a": 100 * high_k["7a", "conditional"],
        "gap_7a": elpd["7a", "conditional"] - elpd["7a", "marginal"],
        "gap_7b": elpd["7b", "conditional"] - elpd["7b", "marginal"],
        "elpd_7a": elpd["7a", "marginal"],
        "elpd_7b": elpd["7b", "marginal"],
        "elpd_7a_unpooled": elpd["7a, no pooling", "marginal"],
        "elpd_7b_unpooled": elpd["7b, no pooling", "marginal"],
    }
)

# %% [markdown]
# In the table, `elpd` is the expected log predictive density, summed over all observations, and
# `se` its standard error. Both forms estimate the same number, so a difference between them is an
# error. The conditional form is too high where intercepts have one observation, which is all of
# them in 7b and those of `gene_0` in 7a, and to a lesser degree where they have few. In 7b it is too high by {glue:text}`gap_7b:.0f`, and k is
# above {glue:text}`max_k:.1f` for {glue:text}`high_k:.0f` % of the observations. In 7a it is still
# too high by {glue:text}`gap_7a:.0f`, with {glue:text}`high_k_7a:.0f` %. With the marginal form, no
# k is above this limit in any model. Judged by it, 7a and 7b predict equally well
# ({glue:text}`elpd_7a:.0f` and {glue:text}`elpd_7b:.0f`): with one observation per sgRNA and cell
# line they are the same model of the data, and leave-one-out cannot choose between them. Both
# predict better than without pooling ({glue:text}`elpd_7a_unpooled:.0f` and
# {glue:text}`elpd_7b_unpooled:,.0f`).

# %% [markdown]
# ## What a screener should do: measure replicates
#
# The open direction is not the fault of the sampler, and no sampler can close it. Replicates can,
# by {eq}`eq-replicates`. To see this, we measure the screen of this book again: the same genes,
# sgRNAs and cell lines, with fresh noise from the simulation (drawn once). Then we integrate over
# the scales again:

# %%
truth = {name: load_truth(name)["value"].item() for name in scale_names}
rng = np.random.default_rng(103)
found = []
rows_so_far = screen.table
for measurements in (1, 2, 3, 4):
    if measurements > 1:
        noise = rng.normal(0, truth["sigma"], size=len(screen.table))
        again = screen.table.assign(log_fc=screen.table["mu_sc"] + noise)
        rows_so_far = pd.concat([rows_so_far, again])
    of_rows = scales.integrate(m7b.FAMILY.closed(Screen(rows_so_far)))
    variance = {name: of_rows.scales[name] ** 2 for name in scale_names}
    share = variance["sigma_alpha"] / (variance["sigma_alpha"] + variance["sigma"])
    low, high = np.quantile(share, [0.03, 0.97], weights=of_rows.weights, method="inverted_cdf")
    found.append((measurements, of_rows.weights @ share, low, high))

# %% tags=["hide-input"] mystnb={"image": {"alt": "Posterior mean and 94 percent interval of the share of the sgRNAs for one to four measurements; with one it spans zero to one, with two it is short and near the dashed line of the truth, and it shortens further with three and four."}, "figure": {"name": "fig-replicates", "caption": "The share of the sgRNAs in the variance about a gene, $\\sigma_\\alpha^2 / (\\sigma_\\alpha^2 + \\sigma^2)$, by the number of measurements: posterior mean and the interval from the 3 % to the 97 % quantile, model 7b. Dashed: the share that was simulated."}}
by_measurements = pd.DataFrame(found, columns=["measurements", "share", "3%", "97%"])
true_share = truth["sigma_alpha"] ** 2 / (truth["sigma_alpha"] ** 2 + truth["sigma"] ** 2)
shares_by_measurements(by_measurements, true_share, title="Replicates show the share of the sgRNAs")

# %% tags=["hide-input"] table={"name": "tbl-replicates", "caption": "The share of the sgRNAs by the number of measurements: posterior mean and quantiles."}
table(by_measurements)

# %% tags=["remove-cell"]
width = by_measurements["97%"] - by_measurements["3%"]
# If every deviation of an sgRNA were known without noise: 94 % interval of a variance by its
# degrees of freedom, for the deviations that were drawn, and the share that follows.
n_free = len(screen.sgrnas) - len(screen.genes)
drawn = from_their_gene(load_truth("alpha_s"), load_truth("gamma_g"))
about_gene = drawn["value"] - drawn.groupby("gene")["value"].transform("mean")
limits = (about_gene**2).sum() / stats.chi2.ppf([0.97, 0.03], n_free)
limits = limits / (limits + truth["sigma"] ** 2)
numbers(
    {
        "true_share": true_share,
        "n_sgrnas": len(screen.sgrnas),
        "limit_low": limits[0],
        "limit_high": limits[1],
        "share_one_low": by_measurements["3%"][0],
        "share_one_high": by_measurements["97%"][0],
        "share_two": by_measurements["share"][1],
        "share_two_low": by_measurements["3%"][1],
        "share_two_high": by_measurements["97%"][1],
        "width_two": width[1],
        "width_four": width[3],
    }
)

# %% [markdown]
# With one observation, the interval of the share reaches from {glue:text}`share_one_low:.2f` to
# {glue:text}`share_one_high:.2f`, so nothing is known ({numref}`fig-replicates`). With the second
# measurement, its mean is {glue:text}`share_two:.2f` ({glue:text}`share_two_low:.2f` to
# {glue:text}`share_two_high:.2f`); the truth is {glue:text}`true_share:.2f`. This step makes the
# difference.
#
# More measurements narrow the interval further, from a width of {glue:text}`width_two:.2f` with two
# to {glue:text}`width_four:.2f` with four. These widths should not be believed. This screen has
# {glue:text}`n_sgrnas:d` sgRNAs, each with one deviation for all cell lines, but model 7b treats
# these as {glue:text}`n_intercepts:,` independent deviations. Even if every deviation were known
# without noise, so few sgRNAs would still leave the share anywhere from {glue:text}`limit_low:.2f`
# to {glue:text}`limit_high:.2f`. A second measurement identifies the split, but it does not repair
# the model. A model that shares the effect of an sgRNA across cell lines would.

# %% [markdown]
# ## Exercises
#
# **1.** Put $\sigma_\alpha = r \sin\varphi$ and $\sigma = r \cos\varphi$ into the second line of
# {eq}`eq-effects`. What weight has the observation in the mean of $\alpha_{sc}$, and what is the
# standard deviation of $\alpha_{sc}$? At which angle is it largest, and what does this mean for a
# sampler with one step size for the whole ring?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the answer", "code_prompt_hide": "Hide the answer"}
r, angles, places = float(radius.mean()), np.radians([5, 45, 85]), np.linspace(-4, 2, 60_001)
by_integration = []
for phi in angles:  # y[0] and gamma are those of step 1
    height = stats.norm.pdf(places, gamma, r * np.sin(phi))
    height *= stats.norm.pdf(y[0], places, r * np.cos(phi))
    centre = np.average(places, weights=height)
    sd_of_alpha = np.average((places - centre) ** 2, weights=height) ** 0.5
    by_integration.append(((centre - gamma) / (y[0] - gamma), sd_of_alpha))
weight_of_y, sd_of_alpha = np.transpose(by_integration)
assert np.allclose(weight_of_y, np.sin(angles) ** 2)
assert np.allclose(sd_of_alpha, r / 2 * np.sin(2 * angles))
answer(
    "The weight of the observation is sin² φ, which is the share of the sgRNAs, and the standard "
    "deviation is r sin(2φ) / 2. At 5, 45 and 85 degrees, integration by machine gives the "
    f"weights {weight_of_y[0]:.2f}, {weight_of_y[1]:.2f} and {weight_of_y[2]:.2f}, and the "
    f"standard deviations {sd_of_alpha[0]:.3f}, {sd_of_alpha[1]:.3f} and {sd_of_alpha[2]:.3f}, as "
    "the formulas do. The standard deviation is largest in the middle, and zero at both ends: at "
    "one end the intercept is tied to its gene, at the other to its observation. A step that "
    f"suits the middle is {sd_of_alpha[1] / sd_of_alpha[0]:.0f} times too long at 5 and at 85 "
    "degrees, for all intercepts at once."
)

# %% [markdown]
# **2.** The example of importance sampling drew its points from a distribution that is wider than
# the one that is wanted; draw them from $\text{Normal}(0, s)$ with $s < 1$ instead. Weights have a
# Pareto k of $k$ if the probability of a weight above $t$ falls as $t^{-1/k}$. Show that here $k =
# 1 - s^2$, using $\Pr(|x| > a) \approx e^{-a^2 / 2 s^2}$, and try $s = 1/2$. Then predict k for
# `gene_0` in model 7a, in the conditional form of leave-one-out: with its only observation an
# intercept has $B_g$ times the variance that it has without ({eq}`eq-shrinkage`).

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the answer", "code_prompt_hide": "Hide the answer"}
of_runs = []
for seed in range(10):
    x = stats.norm.rvs(0, 0.5, size=4000, random_state=seed)
    log_weights = stats.norm.logpdf(x, 0, 1) - stats.norm.logpdf(x, 0, 0.5)
    of_points, k = scales.normalised(log_weights)
    of_runs.append((k, (of_points @ x**2) ** 0.5))
k_of_runs, sd_of_runs = np.transpose(of_runs)

of_7a = load_fit("m7a")["posterior"].to_dataset().isel(draw=slice(None, None, 4), gene=0)
seen = screen.log_fc[screen.gene_idx == 0]  # one in each cell line
log_weights = -stats.norm.logpdf(seen, of_7a["alpha_gc"], of_7a["sigma"].to_numpy()[..., None])
k_of_gene_0 = [
    scales.normalised(in_a_line)[1] for in_a_line in log_weights.reshape(-1, len(seen)).T
]
b = shrinkage_factor(float(of_7a["sigma"].mean()) ** 2, float(of_7a["sigma_alpha"].mean()))
assert sd_of_runs.mean() < 1 and min(1 - b, np.mean(k_of_gene_0)) > scales.MAX_PARETO_K
answer(
    "A weight is proportional to exp(x² (1/s² − 1) / 2), so it is above t with a probability "
    "proportional to t to the power −1 / (1 − s²). For s = 1/2, k should therefore be "
    f"{1 - 0.5**2:.2f}, and the mean of 10 runs is {k_of_runs.mean():.2f}. The standard deviation, "
    f"which should be 1, is {sd_of_runs.mean():.2f} on average, and from {sd_of_runs.min():.2f} to "
    f"{sd_of_runs.max():.2f} in single runs, because the points that should weigh most are hardly "
    f"ever drawn. For `gene_0` the shrinkage factor is {b:.2f}, so k should be {1 - b:.2f}; the "
    f"mean over its {len(seen)} observations is {np.mean(k_of_gene_0):.2f}. Both are above the "
    f"limit of {scales.MAX_PARETO_K}, and the conditional form fails."
)

# %% [markdown]
# **3.** The last section measured all twenty cell lines again. How well does model 7b know the
# share if only one line is measured again, or five? By {eq}`eq-replicates`, each second
# measurement adds one degree of freedom to $\sigma^2$, and a variance with $m$ degrees of freedom
# has a relative standard deviation of about $\sqrt{2 / m}$. Predict the length of the 94 %
# interval, taking the total $\sigma_\alpha^2 + \sigma^2$ as known, and then measure again by
# simulation.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the answer", "code_prompt_hide": "Hide the answer"}
by_hand, by_simulation = [], []
for n_again in (1, 5, 20):
    of_lines = screen.table[screen.cell_idx < n_again]
    by_hand.append(2 * stats.norm.ppf(0.97) * (1 - true_share) * np.sqrt(2 / len(of_lines)))
    for seed in range(4):
        drawn_again = stats.norm.rvs(of_lines["mu_sc"], truth["sigma"], random_state=seed)
        of_both = Screen(pd.concat([screen.table, of_lines.assign(log_fc=drawn_again)]))
        known = scales.integrate(m7b.FAMILY.closed(of_both), tolerance=0.02)
        shares = np.sin(np.arctan2(known.scales["sigma_alpha"], known.scales["sigma"])) ** 2
        ends = np.quantile(shares, [0.03, 0.97], weights=known.weights, method="inverted_cdf")
        by_simulation.append((n_again, *ends, np.ptp(ends)))
of_simulation = pd.DataFrame(by_simulation, columns=["lines", "low", "high", "length"])
one, five, twenty = of_simulation.groupby("lines")["length"].mean()
assert one < by_hand[0] and of_simulation["low"].min() < 0.01 and width[0] - one > one - twenty
answer(
    "The share is 1 less the share of the noise, which is known with the relative standard "
    f"deviation √(2/m). The intervals of one, five and twenty lines should be {by_hand[0]:.2f}, "
    f"{by_hand[1]:.2f} and {by_hand[2]:.2f} long, and in four simulations each they are {one:.2f}, "
    f"{five:.2f} and {twenty:.2f} long on average. (With one line they are shorter than by hand, "
    "because the lowest of them begins close to zero, and cannot reach further down.) Without a "
    f"second measurement the interval is {width[0]:.2f} long, so a single line that is measured "
    "again makes most of the difference. As above, these lengths are those of model 7b, which "
    "takes the deviations of an sgRNA in different lines for independent."
)

# %% [markdown]
# ## What we have learnt
#
# - A fit in which R-hat or effective sample size is bad for *any* parameter is not a result. The
#   absence of divergences does not change this: a chain may be far too slow without a single one.
#   Good values for all parameters are not yet proof; [chapter 5](05_calibration) asks for more.
# - If a model is normal given its scales, the effects can be averaged over on paper and drawn
#   exactly afterwards. Only a few numbers are left to sample, and a screen of any size reduces to
#   one row per layout.
# - Coordinates should follow what the data leave open: in polar coordinates, a ring is a straight
#   line.
# - No sampler can find what the data do not say. Model 7b needs a second measurement to tell sgRNAs
#   from noise. Without one, report the sum of the two variances, or use a model that shares an
#   sgRNA's effect across cell lines.

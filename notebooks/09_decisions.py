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
# # From a posterior to a decision
#
# A screen is made in order to decide something: which genes to study next. A posterior does not
# decide, but it says what each decision risks. This chapter takes one noisy screen and many more like it,
# and asks four questions of the posterior. Is the sign of an effect right? Is its size? Which genes
# belong on a list? How far can a rank be trusted? The truth is known, so each answer is checked. At the end
# the signs are checked where the model is wrong.

# %% tags=["hide-input"]
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from poolscreen.display import answer, table
from poolscreen.figures.decisions import expected_and_realised, ranks
from poolscreen.inference.exact import Exact, solve
from poolscreen.models import m7b
from poolscreen.screens.simulate import Design, simulate
from poolscreen.screens.table import Screen
from poolscreen.tables.shrinkage import shrinkage_factor
from press.glue import numbers

N_SCREENS = 60
design = Design(
    n_cell_lines=1,
    sgrnas_per_gene=(4,) * 300,
    replicates=3,
    mu_gamma=0.0,
    sigma_gamma=0.3,
    sigma_alpha=0.4,
    sigma_beta=0.0,
    sigma=0.6,
)
base = Screen(simulate(design)[0])

# %% [markdown]
# ## A screen on which decisions are hard
#
# The screen has one cell line, {glue:text}`n_genes:d` genes with four sgRNAs each, and three replicates.
# The effects of the genes have the mean zero and a standard deviation of {glue:text}`spread:.1f`. The
# sgRNAs of a gene scatter with a standard deviation of {glue:text}`scatter:.1f`, and that of the noise is
# {glue:text}`noise:.1f`. The mean
# of the twelve measurements of a gene then has a standard error of {glue:text}`se:.2f`, almost as much
# as the effects differ. {glue:text}`n_screens:d` such screens are simulated, and model 7b is
# fitted to each. Beside it stands *no pooling*: the mean of the twelve measurements, with the standard
# error that an analysis of variance gives it.

# %%
rng = np.random.default_rng(103)


def measure(effects: np.ndarray, deviations: np.ndarray) -> Screen:
    """Simulate the measurements of genes with known effects and sgRNAs with known deviations."""
    of_sgrnas = effects[base.gene_of_sgrna] + deviations
    noise = rng.normal(0, design.sigma, size=len(base.log_fc))
    return base.measured(of_sgrnas[base.sgrna_idx] + noise)


def normal_genes() -> np.ndarray:
    """Draw effects of genes as the model has them."""
    return rng.normal(0, design.sigma_gamma, size=len(base.genes))


def normal_sgrnas() -> np.ndarray:
    """Draw deviations of sgRNAs as the model has them."""
    return rng.normal(0, design.sigma_alpha, size=len(base.sgrnas))


def without_pooling(screen: Screen) -> tuple[np.ndarray, float]:
    """Return the mean of each gene, and the standard error that all have."""
    of_sgrnas = np.bincount(screen.sgrna_idx, screen.log_fc) / design.replicates
    of_sgrnas = of_sgrnas.reshape(len(base.genes), -1)
    within = of_sgrnas.var(axis=1, ddof=1).mean()
    return of_sgrnas.mean(axis=1), float(np.sqrt(within / of_sgrnas.shape[1]))


HIT = -0.3  # log fold change: an effect below it is worth a second experiment


def analysed(effects: np.ndarray, deviations: np.ndarray) -> pd.DataFrame:
    """Fit a screen; a row per gene with its true effect and what is said about it."""
    screen = measure(effects, deviations)
    fit = replace(solve(m7b.FAMILY, screen), most=128)  # points that effects are mixed from
    found = fit.gene_effects((0.0, HIT))
    mean, error = without_pooling(screen)
    return found.assign(true=effects, plain=mean, plain_below=stats.norm.cdf(-mean / error))


Draw = Callable[[], np.ndarray]


def many(draw_genes: Draw = normal_genes, draw_sgrnas: Draw = normal_sgrnas) -> pd.DataFrame:
    """Simulate and fit many screens; a row per screen and gene."""
    fitted = [analysed(draw_genes(), draw_sgrnas()) for _ in range(N_SCREENS)]
    return pd.concat(fitted, keys=range(N_SCREENS), names=["screen"]).reset_index("screen")


found = many()

# %% [markdown]
# ## Is the sign right?
#
# A *type S error* is a claim of the wrong sign {cite:p}`gelmancarlin2014`. Say that we claim an effect to
# be below zero wherever its probability to be so exceeds 97 %. {numref}`tbl-signs` counts these
# claims, those that are wrong, and the number of wrong ones that the probabilities themselves expect: the sum
# of the probabilities to be above zero.

# %% tags=["hide-input"] table={"name": "tbl-signs", "caption": "Claims that an effect is below zero, over all simulated screens: number of claims, how many are wrong, how many were expected to be, and how much larger the claimed effects are than the true ones, on average."}
claims = {
    "partial pooling (7b)": ("P(below 0)", "mean"),
    "no pooling": ("plain_below", "plain"),
}
rows = []
for name, (probability, estimate) in claims.items():
    claimed = found[found[probability] > 0.97]
    rows.append(
        {
            "estimate": name,
            "claims": len(claimed),
            "wrong": int((claimed["true"] > 0).sum()),
            "expected to be wrong": (1 - claimed[probability]).sum(),
            "exaggeration": claimed[estimate].mean() / claimed["true"].mean(),
        }
    )
signs = pd.DataFrame(rows)
table(signs, digits=2)

# %% tags=["remove-cell"]
of = signs.set_index("estimate")
pooled, plain = of.loc["partial pooling (7b)"], of.loc["no pooling"]
assert abs(pooled["wrong"] - pooled["expected to be wrong"]) < 4 * pooled["wrong"] ** 0.5
assert plain["exaggeration"] > 1.3
assert abs(pooled["exaggeration"] - 1) < 0.1
numbers(
    {
        "n_genes": len(base.genes),
        "n_screens": N_SCREENS,
        "spread": design.sigma_gamma,
        "scatter": design.sigma_alpha,
        "noise": design.sigma,
        "se": (design.sigma_alpha**2 / 4 + design.sigma**2 / 12) ** 0.5,
        "n_pooled": int(pooled["claims"]),
        "n_plain": int(plain["claims"]),
        "wrong_pooled": int(pooled["wrong"]),
        "wrong_plain": int(plain["wrong"]),
        "expected_pooled": pooled["expected to be wrong"],
        "expected_plain": plain["expected to be wrong"],
        "times_pooled": pooled["exaggeration"],
        "times_plain": plain["exaggeration"],
    }
)

# %% [markdown]
# Model 7b makes {glue:text}`n_pooled:,` claims. Of these {glue:text}`wrong_pooled:d` are wrong, and it
# expected {glue:text}`expected_pooled:.0f` to be. Without pooling there are {glue:text}`n_plain:,` claims, of
# which {glue:text}`wrong_plain:d` are wrong where {glue:text}`expected_plain:.0f` were expected. (A number of wrong
# claims has a standard deviation of about its square root.) The
# probability without pooling answers for each gene as if nothing were known about genes, and most genes
# have small effects.
#
# ## Is the size right?
#
# A *type M error* is a claim of the wrong magnitude. The last column of {numref}`tbl-signs` divides the
# mean of the claimed effects by the mean of the true ones. Without pooling the claimed effects are
# {glue:text}`times_plain:.2f` times as large as the true ones. This is the winner's curse: a gene is claimed
# if its effect is large or if its errors happen to add to it, so among the claimed genes the errors have a
# direction. The posterior means of model 7b are {glue:text}`times_pooled:.2f` times as large as the
# truth. If the model is right, then among all genes with the same data the posterior means are right on average,
# whatever the data were selected for.

# %% [markdown]
# ## Which genes belong on the list?
#
# Suppose that a gene is a *hit* if its effect is below {glue:text}`hit:.1f`. A second experiment for a gene
# that is no hit costs 1, and a hit that is left out costs {glue:text}`cost_missed:d`. The expected loss of
# putting a gene on the list is then its probability to be no hit. The expected loss of leaving it out is
# {glue:text}`cost_missed:d` times its probability to be one. The list with the smallest expected loss holds
# the genes whose probability to be a hit is above one in {glue:text}`one_in:d`.
# {numref}`fig-loss` shows the loss of all lists that such a threshold can give: as the posterior
# expects it, and as it turns out.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Two curves of the loss per screen against the probability that puts a gene on the list: expected by the posterior, and realised. They nearly coincide, fall steeply from the left and rise slowly to the right; a dotted line at one fifth marks their minimum.", "width": "560px"}, "figure": {"name": "fig-loss", "caption": "The loss of a list by the probability from which on a gene is on it, as the mean over the simulated screens. Dotted: the threshold that has the smallest expected loss."}}
COST_MISSED = 4
hit_probability = found[f"P(below {HIT:g})"]
is_hit = found["true"] < HIT


def loss(threshold: float, hit: pd.Series) -> float:
    """Return the loss per screen of a list; `hit` is the truth, or its probability."""
    on_list = hit_probability > threshold
    return float(((1 - hit)[on_list].sum() + COST_MISSED * hit[~on_list].sum()) / N_SCREENS)


thresholds = np.linspace(0.02, 0.9, 45)
losses = pd.DataFrame(
    {
        "threshold": np.tile(thresholds, 2),
        "loss": [
            loss(t, hit) for hit in (hit_probability, is_hit.astype(float)) for t in thresholds
        ],
        "kind": np.repeat(["expected", "realised"], len(thresholds)),
    }
)
best = 1 / (1 + COST_MISSED)
expected_and_realised(
    losses,
    x="threshold",
    y="loss",
    at=best,
    labels=("probability of a hit from which on a gene is on the list", "loss per screen"),
    title="Loss of a list",
)

# %% tags=["remove-cell"]
realised = {t: loss(t, is_hit.astype(float)) for t in (best, 0.5, 0.9)}
assert realised[best] < min(realised[0.5], realised[0.9])
numbers(
    {
        "hit": HIT,
        "cost_missed": COST_MISSED,
        "one_in": 1 + COST_MISSED,
        "loss_best": realised[best],
        "loss_expected": loss(best, hit_probability),
        "loss_half": realised[0.5],
        "loss_sure": realised[0.9],
        "list_best": float((hit_probability > best).sum() / N_SCREENS),
        "list_sure": float((hit_probability > 0.9).sum() / N_SCREENS),
        "list_hits": float((is_hit & (hit_probability > best)).sum() / N_SCREENS),
        "n_hits": float(is_hit.sum() / N_SCREENS),
    }
)

# %% [markdown]
# At the threshold of one in {glue:text}`one_in:d`, the expected loss is {glue:text}`loss_expected:.1f` per
# screen and the realised one {glue:text}`loss_best:.1f`. That list has {glue:text}`list_best:.0f` genes,
# and {glue:text}`list_hits:.0f` of the {glue:text}`n_hits:.0f` hits are among them. A list of those genes only that are hits with a probability of 90 % has
# {glue:text}`list_sure:.1f` genes and a loss of {glue:text}`loss_sure:.1f`. It looks cautious, and it is not, as
# leaving out a hit costs more than testing a gene in vain. The threshold follows from the costs, not from a
# convention.

# %% [markdown]
# ## How far can a rank be trusted?
#
# Many lists are ordered, and their readers begin at the top. The order has a posterior, too: order the
# genes in each draw, and look at the ranks that a gene has in all draws.
# {numref}`fig-ranks-decisions` shows this for the twenty lowest genes of one screen.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Twenty genes in the order of their posterior means, each with an interval of its rank among 300 genes and a black bar at its true rank. The intervals grow longer from the top to the bottom, to a hundred ranks and more.", "width": "560px"}, "figure": {"name": "fig-ranks-decisions", "caption": "Ranks of the twenty genes with the lowest posterior means, among 300: posterior median, 94 % interval, and the true rank (black)."}}
TOP = 20


def ranked(effects: np.ndarray) -> tuple[pd.DataFrame, float]:
    """Fit a screen; ranks of its genes, lowest first, and how many of the top are expected there."""
    fit: Exact = solve(m7b.FAMILY, measure(effects, normal_sgrnas()))
    draws = fit.draws(1000, ["gamma_gc"])["gamma_gc"].to_numpy()[0, :, :, 0]
    rank = draws.argsort(axis=1).argsort(axis=1) + 1
    low, middle, high = np.quantile(rank, [0.03, 0.5, 0.97], axis=0)
    order, true = draws.mean(axis=0).argsort(), effects.argsort().argsort() + 1
    found = pd.DataFrame(
        {"gene": base.genes, "low": low, "rank": middle, "high": high, "true": true}
    ).iloc[order]
    return found, TOP * float((rank[:, order[:TOP]] <= TOP).mean())


of_screens = [ranked(normal_genes()) for _ in range(20)]
ranks(of_screens[0][0].head(TOP), title="The lowest twenty genes, and their ranks")

# %% tags=["remove-cell"]
tops = [by_rank.head(TOP) for by_rank, _ in of_screens]
held = [
    by_rank["true"].between(by_rank["low"], by_rank["high"]).mean() for by_rank, _ in of_screens
]
numbers(
    {
        "n_ranked": len(of_screens),
        "first_high": float(np.median([top["high"].iloc[0] for top in tops])),
        "median_width": float(np.median([top["high"] - top["low"] for top in tops])),
        "expected_top": float(np.mean([expected for _, expected in of_screens])),
        "true_top": float(np.mean([(top["true"] <= TOP).sum() for top in tops])),
        "by_chance": TOP**2 / len(base.genes),
        "held_ranks": 100 * float(np.mean(held)),
    }
)

# %% [markdown]
# In {glue:text}`n_ranked:d` screens, the interval of the first gene reaches to rank {glue:text}`first_high:.0f` in the
# median, and those of the first twenty genes are {glue:text}`median_width:.0f` ranks long. Of these twenty,
# {glue:text}`true_top:.1f` are among the twenty lowest in truth, on average; the posteriors expected
# {glue:text}`expected_top:.1f`, and chance alone would give {glue:text}`by_chance:.1f`. Over all genes,
# {glue:text}`held_ranks:.0f` % of the intervals hold the true rank. So the list as a whole says something, but the
# order within it says little.

# %% [markdown]
# ## The false discovery rate of a list, and where it fails
#
# Call a gene *discovered* if it is on the list, and the discovery *false* if its effect is not below zero. The
# posterior expects a share of false discoveries that is the mean of the probabilities to be above zero, over the
# list. So order the genes by their probability to be below zero, and make the list as long as this mean stays
# below 5 %. {numref}`tbl-fdr` shows what share of such lists is false in three truths. The first is that of the
# model. In the second, nine genes of ten have no effect at all, and the others have larger ones, so that
# the standard deviation of all is the same. In the third, sgRNAs have heavy tails (Student's t with three
# degrees of freedom), again with the same standard deviation.

# %% tags=["hide-input"] table={"name": "tbl-fdr", "caption": "Lists with an expected false discovery rate of 5 %, by what is true: mean length, the share of discoveries that is false, and the share among those claimed with a probability above 99 %."}


def few_genes() -> np.ndarray:
    """Draw effects of which nine in ten are zero."""
    sd = design.sigma_gamma / np.sqrt(0.1)
    return np.where(rng.random(len(base.genes)) < 0.1, rng.normal(0, sd, len(base.genes)), 0.0)


def heavy_sgrnas() -> np.ndarray:
    """Draw deviations of sgRNAs with heavy tails."""
    return design.sigma_alpha / np.sqrt(3) * rng.standard_t(3, size=len(base.sgrnas))


def lists(found: pd.DataFrame, rate: float = 0.05) -> Iterator[pd.DataFrame]:
    """Give the longest list of each screen whose expected false discovery rate is low enough."""
    for _, of_screen in found.sort_values("P(below 0)", ascending=False).groupby("screen"):
        false = 1 - of_screen["P(below 0)"]
        yield of_screen[false.expanding().mean() < rate]


truths = {
    "as in the model": found,
    "nine of ten genes without effect": many(few_genes),
    "sgRNAs with heavy tails": many(normal_genes, heavy_sgrnas),
}
rows = []
for name, of_truth in truths.items():
    listed = pd.concat(lists(of_truth))
    sure = of_truth[of_truth["P(below 0)"] > 0.99]
    rows.append(
        {
            "truth": name,
            "genes on a list": len(listed) / N_SCREENS,
            "false, %": 100 * (listed["true"] >= 0).mean(),
            "false of the surest, %": 100 * (sure["true"] >= 0).mean(),
        }
    )
rates = pd.DataFrame(rows)
table(rates, digits=1)

# %% tags=["remove-cell"]
of_truth = rates.set_index("truth")
right, few, heavy = (of_truth["false, %"].iloc[i] for i in range(3))
assert abs(right - 5) < 2
assert few > 20
zeros = pd.concat(lists(truths["nine of ten genes without effect"]))["true"] == 0
claimed_few = truths["nine of ten genes without effect"].query("`P(below 0)` > 0.97")
surest = found[found["P(below 0)"] > 0.99]
kurtosis = {
    name: of_name.groupby("screen")["plain"].apply(stats.kurtosis)
    for name, of_name in truths.items()
}
right_kurtosis, few_kurtosis, _ = kurtosis.values()
assert few_kurtosis.min() > right_kurtosis.max()
numbers(
    {
        "fdr_right": right,
        "fdr_few": few,
        "fdr_heavy": heavy,
        "zeros_few": 100 * float(zeros.mean()),
        "sure_right": of_truth["false of the surest, %"].iloc[0],
        "sure_few": of_truth["false of the surest, %"].iloc[1],
        "sure_heavy": of_truth["false of the surest, %"].iloc[2],
        "sure_expected": 100 * float((1 - surest["P(below 0)"]).mean()),
        "size_few": claimed_few["mean"].mean() / claimed_few["true"].mean(),
        "kurtosis_right": right_kurtosis.max(),
        "kurtosis_few": few_kurtosis.min(),
    }
)

# %% [markdown]
# Where the model is right, {glue:text}`fdr_right:.1f` % of the discoveries are false, as expected. With heavy
# tails of sgRNAs the list as a whole is as good ({glue:text}`fdr_heavy:.1f` %), but its top is not. Of the claims
# with a probability above 99 %, {glue:text}`sure_heavy:.1f` % are false, where the model expects
# {glue:text}`sure_expected:.1f` %.
#
# Where most genes have no effect, {glue:text}`fdr_few:.0f` % are false, and of the claims above 99 % it is
# {glue:text}`sure_few:.0f` %. Nearly all of these are genes without any effect ({glue:text}`zeros_few:.0f` % of the
# lists), not genes with the opposite sign. The normal distribution of the effects says that small effects are
# everywhere, in both directions, so it takes what noise adds to a gene without effect for a small true one. An
# effect that is exactly zero is not part of the model, and no probability that it gives can allow for it. Sizes suffer
# as well: the claimed effects are now {glue:text}`size_few:.1f` times as large as the true ones, since the model shrinks the
# few large effects as if they were usual.
#
# The diagnostics of a fit ask whether it was computed rightly, so they cannot show this. A check of the data does.
# The means of the genes have a far longer tail than the model allows: their excess kurtosis is at least
# {glue:text}`kurtosis_few:.1f` in every such screen, and at most {glue:text}`kurtosis_right:.1f` in those that the model
# made. So the error rate of a list is a statement of the model, and it is as good as the model's distribution of
# effects. Control genes, which are known to have no effect, show how often such a gene is claimed.

# %% [markdown]
# ## Exercises
#
# **1.** Take the scales as known. With the shrinkage factor {eq}`eq-shrinkage`, work out how many
# times too large the claimed effects are on average without pooling, where the truth is that of the
# model. Do they become better or worse if only the surest claims are made, with a probability of
# nine in ten, of 97 %, of 99 %, and of 999 in a thousand? And in the second truth, where most genes
# have no effect?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the answer", "code_prompt_hide": "Hide the answer"}
plain_pull = shrinkage_factor(
    design.sigma_alpha**2 / 4 + design.sigma**2 / (4 * design.replicates), design.sigma_gamma
)
too_large = {}
for name in ("as in the model", "nine of ten genes without effect"):
    of_name = truths[name]
    surer = [of_name[of_name["plain_below"] > at] for at in (0.9, 0.97, 0.99, 0.999)]
    too_large[name] = [some["plain"].mean() / some["true"].mean() for some in surer]
as_model, mostly_none = too_large.values()
without = [100 * (some["true"] == 0).mean() for some in surer]  # of the second truth
others = surer[-1].loc[surer[-1]["true"] != 0, "true"].mean()
assert np.allclose(as_model, 1 / (1 - plain_pull), atol=0.1)
assert np.all(np.diff(mostly_none) < 0)
assert np.all(np.diff(without) < 0)
answer(
    "The genes with a certain mean have effects that are, on average, the mean times 1 less the "
    f"factor. So the claimed effects are 1 / (1 - {plain_pull:.2f}) = {1 / (1 - plain_pull):.2f} "
    "times too large, however sure the claims must be. In the simulation it is "
    f"{', '.join(f'{times:.2f}' for times in as_model)} times at 90, 97, 99 and 99.9 %. In the "
    f"second truth it falls, from {mostly_none[0]:.2f} to {mostly_none[1]:.2f}, "
    f"{mostly_none[2]:.2f} and {mostly_none[3]:.2f}: of the first claims {without[0]:.0f} % are of "
    f"genes without effect, of the surest {without[3]:.0f} %, and the others have a mean effect of "
    f"{others:.2f}, which is far beyond the errors. Whether surer claims exaggerate less depends "
    "on the distribution of the effects."
)

# %% [markdown]
# **2.** What is the smallest expected loss of a list without any screen, if only the distribution
# of the effects is known? Compare with the losses above: what was the screen worth, and what is
# left of this with the list of those genes only that are hits with a probability of 90 %? Then take
# the scales as known, and find how much eight sgRNAs per gene would lower the loss.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the answer", "code_prompt_hide": "Hide the answer"}


def smallest_loss(n_sgrnas: int) -> float:
    """Return the smallest expected loss per screen, with known scales."""
    error = (design.sigma_alpha**2 + design.sigma**2 / design.replicates) / n_sgrnas
    pull = shrinkage_factor(error, design.sigma_gamma)
    quantiles = stats.norm.ppf((np.arange(10_000) + 0.5) / 10_000)
    means = design.sigma_gamma * np.sqrt(1 - pull) * quantiles
    p = stats.norm.cdf((HIT - means) / (design.sigma_gamma * np.sqrt(pull)))
    return len(base.genes) * float(np.minimum(1 - p, COST_MISSED * p).mean())


prior = stats.norm.cdf(HIT / design.sigma_gamma)
unseen, four, eight = COST_MISSED * prior * len(base.genes), smallest_loss(4), smallest_loss(8)
none_listed = COST_MISSED * is_hit.sum() / N_SCREENS
worth_best, worth_sure = none_listed - realised[best], none_listed - realised[0.9]
assert prior < best
assert abs(four - loss(best, hit_probability)) < 2
assert worth_sure < worth_best / 5
answer(
    f"Without a screen every gene is a hit with the probability {prior:.3f}, which is below one in "
    f"five, so the best list is empty. Its expected loss is {COST_MISSED} × {prior:.3f} × "
    f"{len(base.genes)} = {unseen:.0f}, and in the simulated screens an empty list costs "
    f"{none_listed:.0f}. There the best list costs {realised[best]:.0f}, so a screen is worth "
    f"about {worth_best:.0f} second experiments. Of these the list of sure hits keeps only "
    f"{worth_sure:.0f}: it is hardly better than no screen. With known scales a screen with four "
    f"sgRNAs per gene has the smallest expected loss {four:.0f}, and one with eight has "
    f"{eight:.0f}. Four more sgRNAs for each of {len(base.genes)} genes pay if they cost less than "
    f"{four - eight:.0f} second experiments."
)

# %% [markdown]
# **3.** In the second truth nine genes of ten have no effect, and each of these on a list counts as
# false. Give them tiny effects instead, with a standard deviation of one hundredth, far too small
# to be seen. What happens to the length of the lists, and to the share of discoveries that is
# false? What does this say about the rate in {numref}`tbl-fdr`?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the answer", "code_prompt_hide": "Hide the answer"}
tiny, fits_of_tiny = 0.01, []
for _ in range(10):
    of_some = few_genes()
    drawn = np.where(of_some == 0, rng.normal(0, tiny, size=len(of_some)), of_some)
    fit = replace(solve(m7b.FAMILY, measure(drawn, normal_sgrnas())), most=128)  # quick
    fits_of_tiny.append(fit.gene_effects((0.0,)).assign(true=drawn))
of_tiny = pd.concat(fits_of_tiny, keys=range(10), names=["screen"]).reset_index("screen")
listed_tiny = pd.concat(lists(of_tiny))
false_tiny = 100 * (listed_tiny["true"] >= 0).mean()
lengths = [
    pd.concat(lists(some)).groupby("screen").size().reindex(some["screen"].unique(), fill_value=0)
    for some in (of_tiny, truths["nine of ten genes without effect"])
]
off_by = np.sqrt(sum(of_lists.var() / of_lists.size for of_lists in lengths))
apart = lengths[1].mean() - lengths[0].mean()
assert abs(apart) < 3 * off_by
is_tiny = 100 * (listed_tiny["true"].abs() < 5 * tiny).mean()
assert 0.4 < false_tiny / is_tiny < 0.6 and is_tiny > 50
assert 10 < false_tiny < few - 10
answer(
    f"The lists have {lengths[0].mean():.0f} genes on average in ten screens, and had "
    f"{lengths[1].mean():.0f} in {N_SCREENS}, with a standard error of the difference of "
    f"{off_by:.0f}: nothing that can be measured has changed. But only {false_tiny:.0f} % of the discoveries are false, where it was {few:.0f} %. Of the "
    f"genes on the lists, {is_tiny:.0f} % have an effect of less than {5 * tiny} in size. About "
    "half of these are below zero by chance, and now count as true. The rate in the table "
    "therefore depends on calling an effect of exactly zero false, and no screen can tell such an "
    "effect from one so small. What does not depend on it is that most of the genes on such a list "
    "are not worth a second experiment."
)

# %% [markdown]
# ## What we have learnt
#
# - If the model is right, probabilities of signs are right on a list, too, and posterior means have the right size
#   after a selection. Without pooling, claimed effects are {glue:text}`times_plain:.1f` times too large on these screens.
# - A threshold should follow from what the two kinds of error cost.
# - Ranks are far more uncertain than a sorted table suggests, and the order at its top says little.
# - An expected false discovery rate is the model's. With a truth of many genes without effect, the rate was
#   {glue:text}`fdr_few:.0f` % instead of 5 %. The [next chapter](10_real_screen) has a real screen, where the
#   truth is not known.

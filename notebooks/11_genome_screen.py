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
# # Model 9: a genome-wide screen
#
# Chapter 10 ended with three faults of the models: noise falls with the number of reads, tails are
# heavy, and the sgRNAs of a strong gene differ more than those of a weak one. On a hundred genes this
# made little difference. This chapter takes a screen of all human genes, in which the answer is known
# for more than a thousand of them. It shows that model 7b ranks these genes well and is wrong about
# how certain it is. Then it builds a model from what the data show, and tries that model on data
# that were held out.

# %% tags=["hide-input"]
import numpy as np
import pandas as pd
from scipy import stats

from poolscreen.display import answer, source, table
from poolscreen.effects.hits import find_hits
from poolscreen.families.mixture import densities
from poolscreen.families.mixture.guides import guides
from poolscreen.figures.genome import observed_and_expected, parts_of_genes
from poolscreen.figures.quality import separation
from poolscreen.inference.exact import solve
from poolscreen.models import m7b, m9
from poolscreen.screens import quality
from poolscreen.screens.counts import fold_changes
from poolscreen.screens.table import Screen
from poolscreen.tables.genome import noise_by_reads, scatter_by_effect
from press.glue import numbers
from press.results import load_benchmark

counts = pd.read_csv("../data/hap1/counts.tsv.gz", sep="\t")
samples = pd.read_csv("../data/hap1/samples.csv")
essential = pd.read_csv("../data/hap1/essential.txt", sep="\t")["GENE"].tolist()
nonessential = pd.read_csv("../data/hap1/nonessential.txt", sep="\t")["GENE"].tolist()
rows, notes = fold_changes(
    counts.rename(columns={"SEQUENCE": "sgRNA", "GENE": "gene"}), samples, controls=nonessential
)
screen = Screen(rows)
data = guides(screen, "HAP1")
normal = solve(m7b.FAMILY, screen)
hits = find_hits(screen)
measured = pd.DataFrame(load_benchmark("genome")["figures"]).astype(object)
of_what = {what: found.dropna(axis=1, how="all") for what, found in measured.groupby("what")}

# %% [markdown]
# ## The screen
#
# HAP1 is a human cell line with one copy of nearly every chromosome. Hart and colleagues infected it
# with the library TKOv3, which has about four sgRNAs for each gene, and counted the sgRNAs before the
# screen and after 18 days, in three replicates {cite:p}`hart2017`. The log fold changes were
# computed as in [chapter 10](10_real_screen), with one difference: their zero is the median of genes
# that no cell is known to need. {numref}`tbl-genome-samples` shows the reads of each sample. There
# are {glue:text}`n_rows:,` measurements of {glue:text}`n_genes:,` genes.

# %% tags=["hide-input"] table={"name": "tbl-genome-samples", "caption": "Reads by sample: in all, per sgRNA, the share of sgRNAs without reads, and how unevenly they are spread (the Gini index of log(reads + 1), which is 0 where all sgRNAs have as many)."}
columns = list(dict.fromkeys([*samples["initial"], *samples["final"]]))
table(quality.by_sample(counts[columns]), digits=2)

# %% [markdown]
# For {glue:text}`n_gold:,` genes of this screen the answer is known. Two lists were put together
# from many other screens: genes that nearly all cell lines need (*essential*), and genes that are not
# even expressed in most of them (*non-essential*) {cite:p}`hart2017`. Nothing that follows was
# fitted to the first list. The second one sets the zero of the log fold changes.
#
# {numref}`fig-genome-separation` and {numref}`tbl-genome-separation` show how far the two lists lie apart
# before any model. Single sgRNAs overlap, but the means of genes hardly do. The recall is
# the share of essential genes that one finds if one goes down the genes by their mean log fold
# change, for as long as 95 % of the known genes that one has met are essential.

# %% tags=["hide-input"] table={"name": "tbl-genome-separation", "caption": "Essential and non-essential genes: how many there are, the strictly standardised mean difference of their sgRNAs (SSMD), average precision, and recall at a precision of 95 %."}
apart = quality.separation(screen.table, essential, nonessential)
table(apart, digits=3)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Three histograms of log fold changes. Those of non-essential and of other genes are narrow and stand about zero. That of essential genes is broad, with its middle near minus two and a tail to minus nine."}, "figure": {"name": "fig-genome-separation", "caption": "Log fold changes of the sgRNAs of essential, non-essential and all other genes, each as shares of the group."}}
separation(screen.table, essential, nonessential)

# %% [markdown]
# ## What model 7b says
#
# Model 7b is fitted exactly, as in [chapter 4](04_integrating_out). Call a gene *claimed* if the model
# says that its effect is below zero with a probability above 97 %. The model claims
# {glue:text}`claimed:,` genes, and expects {glue:text}`claimed_wrong:.1f` % of the claims to be
# wrong. The non-essential genes tell another story: {glue:text}`claimed_non` of {glue:text}`n_non`
# are claimed, {glue:text}`claimed_non_share:.1f` %. If the same share of all genes without effect is
# claimed, and these are {glue:text}`null_percent:.0f` % of all genes, as model 9 will find below, then
# {glue:text}`claimed_false:.0f` % of the claims are false.

# %% tags=["remove-cell"]
of_7b = normal.gene_effects((0.0,)).set_index("gene").loc[data.genes]
claims = of_7b["P(below 0)"] > 0.97
non = of_7b.index.isin(nonessential)
scale = normal.scalars().set_index("parameter")["mean"]
null = hits.modes["HAP1"].parameters["null"]
claimed_wrong = float((1 - of_7b["P(below 0)"][claims]).mean())
claimed_false = claims[non].mean() * null * len(claims) / claims.sum()
assert claimed_false > 10 * claimed_wrong
numbers(
    {
        "n_rows": len(screen.log_fc),
        "n_genes": len(screen.genes),
        "n_gold": int(apart["essential"].item() + apart["non-essential"].item()),
        "n_non": int(non.sum()),
        "claimed": int(claims.sum()),
        "claimed_wrong": 100 * claimed_wrong,
        "claimed_false": 100 * float(claimed_false),
        "null_percent": 100 * null,
        "claimed_non": int(claims[non].sum()),
        "claimed_non_share": 100 * float(claims[non].mean()),
        "mu_gamma": float(scale["mu_gamma"]),
        "sigma_7b": float(scale["sigma"]),
        "alpha_7b": float(scale["sigma_alpha"]),
    }
)

# %% [markdown]
# Three things in the data explain this.
#
# **Noise.** In model 7b the noise has the same standard deviation everywhere,
# {glue:text}`sigma_7b:.2f`. {numref}`fig-genome-noise` shows that of the replicates of an sgRNA,
# by the number of reads that are *expected* after the screen: the reads before it, times two to the
# power of the mean of the gene. It falls from {glue:text}`noise_most:.2f` to
# {glue:text}`noise_least:.2f`. The number that was *counted* after the screen would be the wrong
# guide. It is low by chance as often as the log fold change is, so a model that used it would take
# the lowest values for the least certain ones.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Points fall from a high standard deviation at few expected reads to a low one at many. The curve of model 9 follows them; the line of model 7b is flat."}, "figure": {"name": "fig-genome-noise", "caption": "Standard deviation of the replicates of an sgRNA, by the reads expected after the screen. Points: each a twentieth of the sgRNAs. Lines: what the models expect, with their fitted parameters."}}
value = hits.modes["HAP1"].parameters


def t_sd(nu: float) -> float:
    """Return the standard deviation of Student's t."""
    return float(np.sqrt(nu / (nu - 2)))


noise = noise_by_reads(data)
by_9 = np.sqrt(value["sigma"] ** 2 + value["omega"] / noise["reads"]) * t_sd(value["nu"])
observed_and_expected(
    noise,
    {"7b": np.full(len(noise), scale["sigma"]), "9": by_9.to_numpy()},
    label="expected reads after the screen",
    title="Noise falls with the number of reads",
    log_x=True,
)

# %% [markdown]
# **Scatter of sgRNAs.** {numref}`fig-genome-scatter` shows how far the sgRNAs of a gene lie apart, by
# the mean of the gene, after their noise has been taken away. In model 7b it is
# {glue:text}`alpha_7b:.2f` for all genes. In the data it grows from {glue:text}`scatter_zero:.2f`
# near zero to {glue:text}`scatter_strong:.2f` at {glue:text}`strong_effect:.1f`. An sgRNA that cuts badly
# shows a part of its gene's effect only. Where the gene has no effect, there is nothing to be
# seen of this. For the few strongest genes the scatter grows no further, because an sgRNA cannot lose
# more than all of its reads. Model 9 does not know this limit.

# %% tags=["hide-input"] mystnb={"image": {"alt": "The scatter of sgRNAs is lowest for genes near zero and rises in both directions; the curve of model 9 rises with it, the line of model 7b is flat."}, "figure": {"name": "fig-genome-scatter", "caption": "Standard deviation of the sgRNAs of a gene about its mean, by this mean, without the noise of their measurements. Lines: what the models expect."}}
scatter = scatter_by_effect(data)
spread = np.hypot(value["sigma_alpha"], value["slope_alpha"] * scatter["effect"])
observed_and_expected(
    scatter,
    {
        "7b": np.full(len(scatter), scale["sigma_alpha"]),
        "9": (spread * t_sd(value["nu_alpha"])).to_numpy(),
    },
    label="mean log fold change of the gene",
    title="sgRNAs of a strong gene differ more",
)

# %% tags=["remove-cell"]
zero = scatter["effect"].abs().idxmin()
strong = scatter["effect"].idxmin()
assert noise["sd"].iloc[0] > 2 * noise["sd"].iloc[-1]
assert scatter["sd"][strong] > 2 * scatter["sd"][zero]
numbers(
    {
        "noise_most": noise["sd"].iloc[0],
        "noise_least": noise["sd"].iloc[-1],
        "scatter_zero": scatter["sd"][zero],
        "scatter_strong": scatter["sd"][strong],
        "strong_effect": scatter["effect"][strong],
        "null": value["null"],
        "mu_null": value["mu_null"],
        "sd_null": value["sd_null"],
        "mu_down": value["mu_down"],
        "nu": value["nu"],
        "nu_alpha": value["nu_alpha"],
    }
)

# %% [markdown]
# **Most genes have no effect.** Model 7b draws all genes from one normal distribution. Its mean is
# {glue:text}`mu_gamma:.2f`, since the essential genes pull it down. So the thousands of genes without
# effect are drawn towards a value below zero, and many are claimed. {numref}`fig-genome-parts` shows
# how far the distribution of the genes is from a normal one.
#
# ## Model 9
#
# The new model puts in what the three figures show, and heavy tails for single sgRNAs and
# measurements that lie far off:
#
# $$
# \begin{aligned}
# \text{logFC}_i &\sim \text{Student}_\nu\bigl(\theta_{s[i]},
#     \sqrt{\sigma^2 + \omega / (2^{\theta_{s[i]}} n_{s[i]})}\bigr) \\
# \theta_s &\sim \text{Student}_{\nu_\alpha}\bigl(\gamma_{g[s]},
#     \sqrt{\sigma_\alpha^2 + \lambda^2 \gamma_{g[s]}^2}\bigr) \\
# \gamma_g &\sim \pi_0\, \text{Normal}(\mu_0, \tau_0) + (1 - \pi_0) (1 - \pi_+)\,
#     \text{Normal}^-(\mu_-, \tau_-) + (1 - \pi_0)\, \pi_+\, \text{Normal}^+(0, \tau_+)
# \end{aligned}
# $$ (eq-m9)
#
# Here $n_s$ are the normalised reads of an sgRNA before the screen, so $2^{\theta_s} n_s$ are those
# that are expected after it. The effect $\gamma_g$ of a gene comes from one of three parts: a narrow
# one about the controls, one below zero, and one above. The last two are normal distributions that are
# cut off at zero. Each cell line has parameters of its own.

# %% tags=["hide-input"]
source(m9.build)

# %% [markdown]
# Given its parameters, this model needs no sampler. A gene is one integral over its effect, and each
# of its sgRNAs is one over $\theta_s$. Both become sums over a grid of effects. `poolscreen hits` takes
# the thirteen parameters at the mode of their posterior ({numref}`tbl-genome-parameters`). Most of them
# are known well. How many genes are enriched, and how strongly, is not: there are few such genes. For
# a screen of few genes no parameter would be known well, and the command says so.

# %% tags=["hide-input"] table={"name": "tbl-genome-parameters", "caption": "The parameters of model 9 in the HAP1 screen: the mode, and the standard deviation as the curvature at the mode has it. They are estimated from two thousand genes that were drawn at random."}
table(hits.modes["HAP1"].table(), digits=3)

# %% [markdown]
# The part without effect holds {glue:text}`null:.2f` of the genes. Its mean is
# {glue:text}`mu_null:.2f`, and its standard deviation {glue:text}`sd_null:.2f`, so such genes are
# close to the controls but not exactly there. Both Student's t distributions have moderately heavy
# tails, with {glue:text}`nu:.0f` degrees of freedom for the noise and {glue:text}`nu_alpha:.0f` for
# the sgRNAs.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Histogram of the means of all genes on a square-root scale: a tall narrow peak near zero, a long low shoulder down to minus five, and little above one. Three curves lie over it, one for each part of the model."}, "figure": {"name": "fig-genome-parts", "caption": "Means of all genes (grey), and the three parts of the distribution of effects in model 9. The vertical axis is a square root. The means scatter more widely than effects do, because they contain noise."}}
effect = densities.grid(data)
names = ("without effect", "depleted", "enriched")
means = np.add.reduceat(np.nanmean(data.log_fc, axis=1), data.starts) / data.sizes
parts_of_genes(
    means,
    effect,
    dict(zip(names, densities.of_genes(value, effect), strict=True)),
    title="Most genes have no effect",
)

# %% [markdown]
# ## A list with an error rate
#
# For each gene the model gives the *local false sign rate* (`lfsr`): the probability that the gene
# belongs to the part without effect, or to the one of the other sign. The mean of it over the genes of
# a list is the expected share of them that is wrong, the **false discovery rate** of the list. So a
# list is as long as possible while this mean stays below a stated rate.
# {numref}`tbl-genome-top` shows the first genes of the screen.

# %% tags=["hide-input", "full-width"] table={"name": "tbl-genome-top", "caption": "The most depleted genes by model 9: number of sgRNAs, effect with its standard deviation and 94 % interval, local false sign rate and false discovery rate. Essential: whether the gene is on the list of essential genes."}
top = hits.genes.drop(columns="cell_line").head(12)
table(top.assign(essential=np.where(top["gene"].isin(essential), "yes", "")), digits=3)

# %% [markdown]
# Does the stated rate hold? The non-essential genes tell: their share in the list, times the number of
# genes without effect, is about the number of false genes in it. {numref}`tbl-genome-lists` does this
# for lists whose stated rate is {glue:text}`stated:.0f` %. Model 9 lists {glue:text}`listed_9:,` genes,
# and {glue:text}`realised_9:.0f` % of them are estimated to be false. The estimate rests on
# {glue:text}`false_9:d` non-essential genes. If their number were drawn from a Poisson distribution,
# its 94 % interval would reach from {glue:text}`realised_low:.0f` to {glue:text}`realised_high:.0f` %,
# so the stated rate is not contradicted. Model 7b lists {glue:text}`listed_7b:,`, and
# {glue:text}`realised_7b:.0f` % of them are estimated to be false. MAGeCK's robust rank aggregation (RRA)
# lists {glue:text}`listed_rra:,` genes, none of them non-essential: it is safe, and finds fewer.

# %% tags=["hide-input"] table={"name": "tbl-genome-lists", "caption": "Lists of depleted genes at a stated false discovery rate of 5 %: genes in the list, how many of them are known to be essential and non-essential, and the realised rate in %, as the non-essential genes estimate it."}
lists = of_what["list"].set_index("score")
shown = lists[["listed", "essential", "nonessential", "realised"]].reset_index()
shown["realised"] = 100 * shown["realised"].astype(float)
table(shown.infer_objects(), digits=1)

# %% [markdown]
# Ranking is another matter. {numref}`tbl-genome-ranking` shows how well each score puts essential
# genes before non-essential ones. On a screen of this quality all of them do. (If the known genes are
# drawn anew, with replacement, the average precision of the plain mean has a standard deviation of
# {glue:text}`ap_se:.4f`.) The average precision of model 9 is {glue:text}`ap_9:.4f`, and the best of the others has
# {glue:text}`ap_best_other:.4f`. With less data, one replicate or the first two sgRNAs of each gene,
# model 9 is ahead of the plain mean by {glue:text}`ap_gain_low:.4f` to
# {glue:text}`ap_gain_high:.4f`. A better model is needed for the certainty more than for the order.

# %% tags=["hide-input", "full-width"] table={"name": "tbl-genome-ranking", "caption": "Average precision, and recall at a precision of 95 %, of essential against non-essential genes. The scores of the other tools were computed once, with their default settings, from three replicates."}
wide = of_what["ranking"].pivot_table(
    index="score",
    columns="data",
    values=["average_precision", "recall"],
    sort=False,
    aggfunc="first",
)
wide.columns = [f"{what.replace('_', ' ')}, {which}" for what, which in wide.columns]
in_order = [name for kind in ("average", "recall") for name in wide if name.startswith(kind)]
table(wide[in_order].astype(float).reset_index(), digits=4)

# %% [markdown]
# ## Each part earns its place
#
# A model with thirteen parameters should be asked what each part is good for. Every sgRNA was
# predicted from the others of its gene, and the third replicate from the first two
# ({numref}`tbl-genome-held-out`). The parameters were estimated once, with all measurements. With so
# few of them, what was held out has hardly an influence on them. Of the sgRNAs of essential genes,
# {glue:text}`inside_7b:.0f` % lie in the 94 % intervals of model 7b, and {glue:text}`inside_9:.0f` %
# in those of model 9.
#
# The other rows take one part away. Without a scatter that grows with the effect, only
# {glue:text}`inside_no_slope:.0f` % of the sgRNAs of essential genes lie in their intervals. Without
# noise that follows the reads, only {glue:text}`inside_no_reads:.0f` % of their third replicates do.
# The log score falls by {glue:text}`least_gain:.4f` to {glue:text}`most_gain:.4f` per measurement of
# a held-out sgRNA. It falls most without these two parts.

# %% tags=["hide-input", "full-width"] table={"name": "tbl-genome-held-out", "caption": "Held-out sgRNAs and replicates: log score per measurement (higher is better), and the share in % of essential and of non-essential genes that lies in the 94 % interval."}
held_out = of_what["held out"].drop(columns="what").reset_index(drop=True)
without = held_out["without"].fillna("").astype(str)
held_out["model"] = held_out["model"].astype(str) + np.where(
    without == "", "", " without " + without
)
words = {"": ": log score", "_essential": ": essential, %", "_nonessential": ": non-essential, %"}
named = {
    f"{what}{of}": f"{what}{text}" for what in ("sgRNA", "replicate") for of, text in words.items()
}
shown = held_out[["model", *named]].rename(columns=named)
percent = [name for name in shown if name.endswith("%")]
shown[percent] = 100 * shown[percent].astype(float)
table(shown.infer_objects(), digits=3)

# %% tags=["remove-cell"]
precision = wide.filter(like="average precision").astype(float)
three = precision.filter(like="three").iloc[:, 0]
less = precision.drop(columns=precision.filter(like="three").columns)
gain = less.loc["model 9"] - less.loc["mean log fold change"]
score = held_out.set_index("model")
whole, parts = score.loc["9"], score[without.to_numpy() != ""]
known = np.flatnonzero(pd.Series(data.genes).isin([*essential, *nonessential]))
positive = pd.Series(data.genes).isin(essential).to_numpy()
again = []
for drawn in np.random.default_rng(103).choice(known, (200, len(known))):
    found_precision, recall = quality.precision_recall(means[drawn], positive[drawn])
    again.append(np.diff(recall, prepend=0) @ found_precision)
false = int(lists["nonessential"]["model 9"])
per_gene = lists["realised"]["model 9"] / false
low, high = stats.gamma.ppf(0.03, false), stats.gamma.ppf(0.97, false + 1)
live = (hits.genes["fdr"] < 0.05) & (hits.genes["mean"] < 0)
assert abs(live.sum() / lists["listed"]["model 9"] - 1) < 0.01  # the benchmark is of this model
assert gain.min() > 0 and three.drop("model 9").max() - three["model 9"] < 0.001
assert (parts["sgRNA"] < whole["sgRNA"]).all()
assert 100 * per_gene * low < 5 < 100 * per_gene * high
assert lists["nonessential"]["MAGeCK2 RRA"] == 0
numbers(
    {
        "stated": 100 * lists["stated"].iloc[0],
        "listed_9": int(lists["listed"]["model 9"]),
        "realised_9": 100 * lists["realised"]["model 9"],
        "realised_low": 100 * per_gene * low,
        "realised_high": 100 * per_gene * high,
        "listed_7b": int(lists["listed"]["model 7b"]),
        "realised_7b": 100 * lists["realised"]["model 7b"],
        "listed_rra": int(lists["listed"]["MAGeCK2 RRA"]),
        "false_9": false,
        "ap_se": np.std(again),
        "ap_9": three["model 9"],
        "ap_best_other": three.drop([name for name in three.index if "model 9" in name]).max(),
        "ap_gain_low": gain.min(),
        "ap_gain_high": gain.max(),
        "inside_7b": 100 * score.loc["7b", "sgRNA_essential"],
        "inside_9": 100 * whole["sgRNA_essential"],
        "inside_no_slope": 100
        * score.loc["9 without scatter that grows with the effect", "sgRNA_essential"],
        "inside_no_reads": 100
        * score.loc["9 without noise that follows the reads", "replicate_essential"],
        "least_gain": float((whole["sgRNA"] - parts["sgRNA"]).min()),
        "most_gain": float((whole["sgRNA"] - parts["sgRNA"]).max()),
    }
)

# %% [markdown]
# ## Calibration
#
# The models of the earlier chapters were calibrated on screens from their own prior
# ([chapter 5](05_calibration)). Model 9 takes its parameters at their mode, as if they were known. What does
# this cost? To see it, {glue:text}`n_simulated` screens of {glue:text}`n_simulated_genes:,` genes were
# simulated, with parameters that scatter about those of HAP1, and fitted. {glue:text}`failed_fits`
# {numref}`tbl-genome-calibration` shows what came of it. Over all genes
# {glue:text}`inside_all:.1f` % of the true effects lie in their 94 % intervals. Of the genes with an
# effect it is {glue:text}`inside_some:.1f` %. These numbers may differ even for a perfect model, since
# intervals hold their probability over all genes and not over those that are chosen by the truth. Lists
# with a stated rate of 5 % hold {glue:text}`false_listed:.1f` % false genes, where the model expects
# {glue:text}`expected_false:.1f` %.

# %% tags=["hide-input"] table={"name": "tbl-genome-calibration", "caption": "Model 9 on simulated screens: the lowest, the median and the highest value of the screens. Share of the true effects in their 94 % intervals in %, number of genes in the list with a stated false discovery rate of 5 %, share of it that is false in %, and the share that the model expects."}
simulated = pd.DataFrame(load_benchmark("mixture")["figures"])
fitted = simulated[simulated["failed"] == ""]
per_screen = pd.DataFrame(
    {
        "in intervals, %": 100 * fitted["inside"],
        "genes listed": fitted["listed"],
        "false, %": 100 * fitted["false"] / fitted["listed"],
        "expected, %": 100 * fitted["expected"] / fitted["listed"],
    }
)
table(
    per_screen.quantile([0, 0.5, 1])
    .assign(of=["lowest", "median", "highest"])
    .set_index("of")
    .reset_index(),
    digits=1,
)

# %% tags=["remove-cell"]
n_failed = len(simulated) - len(fitted)
total = fitted[["listed", "expected", "false"]].sum()
numbers(
    {
        "n_simulated": len(simulated),
        "n_simulated_genes": int(fitted["genes"].iloc[0]),
        "failed_fits": "All of them could be fitted."
        if not n_failed
        else f"In {n_failed} of them the search for the parameters failed, and said so.",
        "inside_all": 100 * fitted["inside"].mean(),
        "inside_some": 100 * fitted["inside_of_some"].mean(),
        "expected_false": 100 * total["expected"] / total["listed"],
        "false_listed": 100 * total["false"] / total["listed"],
    }
)

# %% [markdown]
# ## sgRNAs that disagree
#
# Because the model predicts each sgRNA from the others of its gene, it can tell which of them surprise
# it. A value as far out as those of {numref}`tbl-genome-guides` had a probability below one in a
# thousand. There are {glue:text}`n_apart:,` of them among {glue:text}`n_guides:,` sgRNAs, where a
# perfect model would have {glue:text}`n_by_chance:.0f`. An sgRNA without effect in a gene that all
# others show to be essential probably does not cut. One with an effect in a gene without any may cut
# elsewhere as well.

# %% tags=["hide-input", "full-width"] table={"name": "tbl-genome-guides", "caption": "The sgRNAs that disagree most with the others of their gene: mean of their measurements, what was expected, and the probability of a value as far out."}
table(hits.guides.drop(columns="cell_line").head(10), digits=2)

# %% tags=["remove-cell"]
several = int(data.sizes[data.sizes > 1].sum())
assert len(hits.guides) > several / 1000
numbers({"n_apart": len(hits.guides), "n_guides": several, "n_by_chance": several / 1000})

# %% [markdown]
# ## Exercises
#
# 1. Why does an sgRNA that does not cut hurt model 7b more in an essential gene than in a
#    non-essential one?
# 2. The realised rate was estimated with non-essential genes alone. What would happen to the estimate
#    if some of them were essential in HAP1 cells?

# %% tags=["hide-input"]
answer(
    "In a non-essential gene it does what the others do, which is nothing. In an essential gene it "
    "lies far from the others. Model 7b expects the same scatter everywhere, so it takes the distance "
    "for information about the gene: the mean of the gene moves towards zero by a quarter of it, and "
    "its standard deviation does not grow. In model 9 the scatter grows with the effect, and the tail "
    "of Student's t makes one far value cheap, so the other three decide."
)

# %% tags=["hide-input"]
answer(
    "They would be counted as false though they are right. The estimate would be too high. With "
    f"{false} non-essential genes in the list, two such genes would bring the realised rate from "
    f"{100 * per_gene * false:.1f} to {100 * per_gene * (false - 2):.1f} %."
)

# %% [markdown]
# ## What we have learnt
#
# - On this screen a plain mean ranks the genes as well as any model. What a model adds is how certain
#   each gene is, and a list whose error rate can be stated.
# - Model 7b is wrong about that. At a stated rate of 5 %, {glue:text}`realised_7b:.0f` % of its list are
#   estimated to be false.
# - Noise that follows the expected reads, and sgRNAs that differ in proportion to the effect, are what
#   mattered most. Both were seen in the residuals before they were put into the model.
# - Model 9 states 5 % and realises about {glue:text}`realised_9:.0f` %, on the evidence of
#   {glue:text}`false_9:d` genes in one screen of one cell line. Other screens may differ.
# - `poolscreen hits` does all of this from a table of counts
#   ([A screen of your own](../book/own_screen)).

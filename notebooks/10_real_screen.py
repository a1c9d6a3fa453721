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
# # A real screen
#
# So far the truth was known, because the screen was simulated. Here it is not. This chapter takes
# the read counts of a published screen in two leukaemia cell lines, and computes log fold changes
# from them. It asks what the models say about 100 genes, about the difference between the lines,
# and about sgRNAs that look like failures. Most of it uses models 7a and 7b, which the first
# chapters explain. Model 7 is used to see whether sgRNAs keep their deviation, and model 8 to see
# which genes differ between the lines. The chapter ends with where the models do not fit, and
# with what two lines without replicates cannot show.

# %% tags=["hide-input"]
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import optimize, stats

from poolscreen.display import answer, table
from poolscreen.effects.contrasts import differences
from poolscreen.effects.disagreement import FAR, disagreement, tails
from poolscreen.figures.estimates import two_cell_lines
from poolscreen.figures.predictions import predictive
from poolscreen.figures.screens import cell_lines
from poolscreen.figures.shrinkage import shrinkage
from poolscreen.inference.exact import solve
from poolscreen.inference.posterior import interval
from poolscreen.inference.scales import MAX_PARETO_K
from poolscreen.models import m7, m7b, m8
from poolscreen.screens.counts import fold_changes
from poolscreen.screens.table import Screen
from poolscreen.tables.fits import diagnostics, integrations
from poolscreen.tables.screens import by_cell_line
from poolscreen.tables.sensitivity import half_normal
from poolscreen.tables.shrinkage import before_and_after, shrinkage_factor, shrinkage_of_genes
from press.glue import numbers
from press.results import load_fit, load_screen, load_table

counts = pd.read_csv("../data/wang2014_counts.tsv", sep="\t")
samples = pd.read_csv("../data/wang2014_samples.csv")
screen = load_screen("wang2014")
one_level = load_fit("wang2014/m7a")
effects_7a = load_table("wang2014/m7a", "alpha_gc")
integrated = {
    name: solve(model.FAMILY, screen) for name, model in {"7b": m7b, "7": m7, "8": m8}.items()
}
two_levels, crossed, eighth = integrated.values()
scalars, scalars_8 = (fit.scalars().set_index("parameter") for fit in (two_levels, eighth))
effects = two_levels.gene_effects((0.0, -1.0))
posterior = two_levels.draws(4000, m7b.FAMILY.parameters)

# %% [markdown]
# ## The counts
#
# Wang and colleagues knocked out genes in two human leukaemia lines, HL60 and KBM7, and counted
# each sgRNA by sequencing before and after the cells had grown {cite:p}`wang2014`. KBM7 carries
# the *BCR-ABL1* fusion, which drives chronic myeloid leukaemia; *ABL1* will come up again below.
# The part of the data that this book ships has {glue:text}`n_counts` sgRNAs against
# {glue:text}`n_genes` genes, from the start of the alphabet. {numref}`tbl-counts` shows the first
# of them.

# %% tags=["hide-input"] table={"name": "tbl-counts", "caption": "Read counts: the first ten sgRNAs."}
table(counts.head(10))

# %% [markdown]
# There are no replicates: {numref}`tbl-samples` lists one sample before and one after, per line.
# The genes were not picked for an effect. Most genes can be lost without harm, so most effects
# should be near zero.

# %% tags=["hide-input"] table={"name": "tbl-samples", "caption": "The samples: which columns of the counts belong together."}
table(samples)

# %% [markdown]
# ## From counts to log fold changes
#
# Samples were sequenced to different depths, so their counts must be brought to one scale first.
# The total would be a poor scale, because a few sgRNAs that multiply would make all others look
# depleted. Instead, divide each count by the geometric mean of its sgRNA over the samples. The *median* of
# these ratios is the **size factor** of the sample {cite:p}`anders2010`. The log fold change is
# then
#
# $$
# \text{logFC} = \log_2 \frac{n_\text{final} + 1}{n_\text{initial} + 1}
# $$ (eq-log-fc)
#
# with the normalised counts $n$. Adding one keeps the logarithm finite where no read is left.
# Finally the median of each line is set to zero, so the typical gene has no effect by definition.
# (With known control genes one would use those.)
#
# This is what `poolscreen fold-change` does, and how the screen of this chapter was made. The
# size factors of the samples lie between {glue:text}`least_factor:.2f` and
# {glue:text}`most_factor:.2f`. An sgRNA with fewer than {glue:text}`min_initial` normalised reads
# at the beginning can hardly show a loss. For this reason {glue:text}`n_left_out` log fold
# changes were left out, which leaves {glue:text}`n_rows:,` of {glue:text}`n_sgrnas` sgRNAs.

# %% tags=["remove-cell"]
made, notes = fold_changes(counts.rename(columns={"Gene": "gene"}), samples)
np.testing.assert_allclose(made["log_fc"], screen.log_fc)
(said,) = (note for note in notes if note.startswith("size factors: "))
sizes = said.removeprefix("size factors: ").split(",")
factors = [float(part.split()[-1]) for part in sizes]

# %% [markdown]
# {numref}`fig-distributions` and {numref}`tbl-distributions` show the result. Both lines are
# centred on zero, with a narrow middle and a long lower tail: {glue:text}`n_lost` measurements
# fall by more than five units, that is, to less than a thirtieth.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Two violins, HL60 and KBM7, both with their median at zero, broad within one unit of it, with thin tails that reach much further below than above."}, "figure": {"name": "fig-distributions", "caption": "Log fold changes in the two cell lines. Bars: medians."}}
cell_lines(screen.table)

# %% tags=["hide-input"] table={"name": "tbl-distributions", "caption": "Log fold changes by cell line: mean, standard deviation and quantiles."}
table(by_cell_line(screen), digits=2)

# %% [markdown]
# ## Four fits
#
# The models are fitted without changes, with the priors of chapters 2, 3, 6 and 7. Model 7a was
# sampled, and passes the gate ({numref}`tbl-diagnostics-wang`). For the others the scales were
# integrated, as in [chapter 4](04_integrating_out) and as `poolscreen fit` does. Their weighted points
# can be trusted ({numref}`tbl-points-wang`): a Pareto k must be below {glue:text}`max_k:.1f`.

# %% tags=["hide-input"] table={"name": "tbl-diagnostics-wang", "caption": "Diagnostics of model 7a. R-hat and effective sample sizes are the worst over all parameters."}
table(diagnostics({"7a": one_level}))

# %% tags=["hide-input"] table={"name": "tbl-points-wang", "caption": "The points that stand for the scales: their number, how many independent draws they are worth, their Pareto k, and the largest error of a mean or a standard deviation of a scale, in standard deviations."}
table(integrations(integrated))

# %% [markdown]
# Gene effects have a standard deviation of {glue:text}`spread:.2f` (94 % interval
# {glue:text}`spread_low:.2f` to {glue:text}`spread_high:.2f`). A single measurement scatters
# about its gene with a standard deviation of {glue:text}`total:.2f` ({glue:text}`total_low:.2f`
# to {glue:text}`total_high:.2f`), which is {glue:text}`times:.0f` times as much. In the simulated
# screen it was the other way round. How the scatter divides into sgRNAs and noise is not known,
# as in [chapter 3](03_model_7b): without replicates $\sigma_\alpha$ may be anything from
# {glue:text}`alpha_low:.2f` to {glue:text}`alpha_high:.2f`. The gene effects do not depend on
# this, nor on the choice of model: those of 7a and 7b differ by at most
# {glue:text}`model_gap:.3f`.
#
# Do sgRNAs keep their deviation from one line to the other? Model 7 can tell, because each sgRNA
# was seen in two lines. What they keep is {glue:text}`kept:.0f` % of the variance about gene and
# line (94 % interval {glue:text}`kept_low:.0f` to {glue:text}`kept_high:.0f` %), against
# {glue:text}`../notebooks/06_model_7.ipynb::share_percent:.0f` % in the simulated screen. So
# here, too, a part of what 7a and 7b take for chance stays with the sgRNA, and their results for
# a gene over *both* lines are too certain. Their differences between the lines are not: an
# sgRNA adds its deviation $\alpha$ to both lines, and
# $(\gamma_1 + \alpha) - (\gamma_2 + \alpha) = \gamma_1 - \gamma_2$. So these intervals are, if
# anything, too wide.
#
# Where effects are small and noise is large, partial pooling matters. A gene with ten sgRNAs is
# pulled {glue:text}`pull:.0f` % of the way to the mean ({numref}`fig-shrinkage-wang`). The
# simulated gene with ten sgRNAs moved by
# {glue:text}`../notebooks/02_model_7a.ipynb::b_last:.1f` %.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Scatter of posterior means of gene effects against plain means. The points lie on a straight line flatter than the identity, and strokes towards zero grow longer with the distance from it."}, "figure": {"name": "fig-shrinkage-wang", "caption": "Effect of each gene in each line: posterior mean of model 7b against the mean of its measurements. Strokes lead from the estimate without pooling (the grey line) to that with partial pooling. Colour: number of sgRNAs of the gene."}}
shrinkage(before_and_after(screen, effects), title="Pull towards the mean")

# %% [markdown]
# ## What the models say about 100 genes
#
# {numref}`tbl-effects-wang` lists every effect with its interval and two probabilities. Of
# {glue:text}`n_effects` effects, {glue:text}`n_below` are below zero with a probability above
# 97 %. How many of these are really above zero? The model expects {glue:text}`false_signs:.2f` of
# them, which is the sum of their probabilities to be above zero. This is a statement about the
# *list*, and it holds if the model does. A test answers another question: how often an effect of
# exactly zero would be called. The number also says nothing about the *size* of the effects. The effect
# that is most probably below minus one is that of {glue:text}`strongest_gene` in
# {glue:text}`strongest_line`, with a probability of {glue:text}`strong_probability:.0f` %. So the
# model is nearly certain of the signs of these effects, but not that any of them is large.

# %% tags=["hide-input"] table={"name": "tbl-effects-wang", "caption": "Effects of the genes in model 7b, the lowest first: posterior mean, standard deviation, 94 % interval, and the probabilities that the effect is below zero and below minus one."}
probable = effects.sort_values("mean")
table(probable, digits=2, searchable=True)

# %% [markdown]
# ### Other priors
#
# Does this depend on the priors of the scales? {numref}`tbl-priors-wang` gives the points of 7b and of 8 the weights
# of other priors, as in [chapter 7](07_model_8), and counts anew.

# %% tags=["hide-input", "full-width"] table={"name": "tbl-priors-wang", "caption": "Scales and counts under other priors: standard deviation of the gene effects in model 7b, number of effects that are below zero with a probability above 97 %, standard deviation of the interactions in model 8, and number of differences between the lines whose 94 % interval excludes zero."}
priors = {
    "Exponential(1), as in the book": None,
    "half-normal, sd 1": half_normal(1.0),
    "half-normal, sd 0.2": half_normal(0.2),
    "Gamma(2, 2)": lambda of: sum(np.log(s) - s for s in of.values()),
}


def clear(found: pd.DataFrame) -> pd.Series:
    """Tell which intervals exclude zero."""
    return (found["hdi_3%"] > 0) | (found["hdi_97%"] < 0)


under = []
for name, log_ratio in priors.items():
    other_7b, other_8 = (
        replace(fit, points=fit.points.under(log_ratio(fit.points.scales))) if log_ratio else fit
        for fit in (two_levels, eighth)
    )
    scale_7b, scale_8 = (
        fit.scalars().set_index("parameter")["mean"] for fit in (other_7b, other_8)
    )
    under.append(
        {
            "prior": name,
            "sd of genes, 7b": scale_7b["sigma_gamma"],
            "below zero, 7b": int((other_7b.gene_effects((0.0,))["P(below 0)"] > 0.97).sum()),
            "sd of interactions, 8": scale_8["sigma_delta"],
            "differences, 8": int(clear(differences(other_8, "KBM7", "HL60")).sum()),
            "largest k": max(other_7b.points.pareto_k, other_8.points.pareto_k),
        }
    )
under = pd.DataFrame(under)
table(under)

# %% tags=["remove-cell"]
assert under["largest k"].max() < MAX_PARETO_K
assert under["below zero, 7b"].eq(under["below zero, 7b"].iloc[0]).all()
assert under["differences, 8"].eq(under["differences, 8"].iloc[0]).all()
numbers(
    {
        "prior_spread_low": under["sd of genes, 7b"].min(),
        "prior_spread_high": under["sd of genes, 7b"].max(),
        "prior_delta_low": under["sd of interactions, 8"].min(),
        "prior_delta_high": under["sd of interactions, 8"].max(),
    }
)

# %% [markdown]
# The standard deviation of the genes stays between {glue:text}`prior_spread_low:.3f` and
# {glue:text}`prior_spread_high:.3f`, and that of the interactions between {glue:text}`prior_delta_low:.2f` and
# {glue:text}`prior_delta_high:.2f`. The number of effects below zero and that of differences are the same under
# every prior. With a hundred genes, the data decide.

# %% [markdown]
# ## Which effects differ between the lines
#
# {numref}`fig-lines` plots the two lines against each other. A difference of two effects
# has a posterior of its own ({numref}`tbl-differences`). For {glue:text}`n_differ` of
# {glue:text}`n_genes` genes the 94 % interval of the difference excludes zero:
# {glue:text}`differ`. *ABL1* is what one would hope to find, because KBM7 depends on BCR-ABL1.
# Its effect is {glue:text}`abl_kbm7:.2f` in KBM7, and {glue:text}`abl_hl60:.2f` in HL60.
#
# There are two cautions. With one culture per line, a difference between the lines is also a
# difference between two cultures. And model 7b treats the effects of a gene in two lines as
# independent. They are not: their posterior means have a correlation of
# {glue:text}`correlation:.2f`.
#
# Model 8 shares the effect of a gene between the lines, and adds an interaction
# ({numref}`tbl-gaps-8`). One might expect it to find fewer differences, but it finds
# {glue:text}`n_differ_8:d`, and model 7b {glue:text}`n_differ`. It shrinks the differences more:
# that of *ABL1* is {glue:text}`abl_gap_8:.2f`, and {glue:text}`abl_gap_7b:.2f` in 7b. But their
# intervals are shorter as well. The mean standard deviation of a difference is
# {glue:text}`gap_sd_8:.2f`, and {glue:text}`gap_sd_7b:.2f` in 7b. Stronger shrinkage makes it smaller,
# and so does what an sgRNA keeps in both lines, which cancels in a difference. With
# {glue:text}`n_genes` genes and 94 % intervals, some six would exclude zero by chance if no gene
# differed and nothing were pooled (with pooling fewer would, see the exercises). None of these lists should therefore be read without a look at the
# sizes. The standard deviation of the interactions is
# {glue:text}`delta_8:.2f` (94 % interval {glue:text}`delta_low:.2f` to
# {glue:text}`delta_high:.2f`), about the same as that of the effects that a gene has in both
# lines, {glue:text}`gamma_8:.2f`.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Scatter of gene effects, KBM7 against HL60, most within half a unit of zero; AATF, ACIN1, ACTR8 and ABL1 are named; all four are lower in KBM7 than in HL60, with error bars of about half a unit on either side."}, "figure": {"name": "fig-lines", "caption": "Effects of the genes in the two lines by model 7b, with 94 % intervals for the named genes. On the grey line the two effects are equal."}}
two_cell_lines(
    effects,
    "HL60",
    "KBM7",
    named=["AATF", "ACIN1", "ACTR8", "ABL1"],
    title="Gene effects in two lines",
)

# %% tags=["hide-input"] table={"name": "tbl-differences", "caption": "Difference of the effects, KBM7 less HL60, the largest first."}
gaps = differences(two_levels, "KBM7", "HL60")
gaps = gaps.loc[gaps["mean"].abs().sort_values(ascending=False).index]
table(gaps, digits=2, searchable=True)

# %% tags=["hide-input"] table={"name": "tbl-gaps-8", "caption": "The same differences in model 8, the largest first: those whose 94 % interval excludes zero in either model."}
gaps_8 = differences(eighth, "KBM7", "HL60")
in_both = gaps_8.merge(gaps, on="gene", suffixes=(", model 8", ", model 7b"))
shown = in_both["gene"].isin([*gaps_8[clear(gaps_8)]["gene"], *gaps[clear(gaps)]["gene"]])
named = [
    "gene",
    *(f"{c}, {m}" for m in ("model 8", "model 7b") for c in ("mean", "hdi_3%", "hdi_97%")),
]
table(in_both[shown].sort_values("mean, model 8")[named], digits=2)

# %% [markdown]
# ## sgRNAs that look like failures
#
# The ten sgRNAs of a gene should agree. {numref}`tbl-sgrnas-wang` compares each with the others
# of its gene in the same lines, in standard deviations of the model. Of {glue:text}`n_compared`
# sgRNAs, {glue:text}`n_far` lie more than {glue:text}`far:.0f` away, where chance would put
# {glue:text}`n_far_expected:.0f`. Of these, {glue:text}`n_lower` are *lower* than the others. The
# most extreme is {glue:text}`worst`, with a mean of {glue:text}`worst_mean:.1f` against
# {glue:text}`worst_others:.1f`. There are two possible explanations. An sgRNA may also cut
# elsewhere, or may have been lost by accident in one culture. Such an sgRNA would stand alone, in
# any gene. Or sgRNAs differ in how *well* they work. In that case they would differ most where
# the gene has an effect.
#
# The second explanation accounts for a good part. Of the {glue:text}`n_far` sgRNAs,
# {glue:text}`far_in_depleted` belong to the eight most depleted of the {glue:text}`n_genes`
# genes, and {glue:text}`n_ahcy` of them to *AHCY* alone. One low sgRNA can make its gene one of these
# eight, so the scatter within them must be judged by other sgRNAs than those that chose them. We
# choose eight genes by every other sgRNA, look at the rest, and then do the reverse. The sgRNAs that
# did not choose scatter with a standard deviation of {glue:text}`scatter_depleted:.2f`, those of all other genes with
# {glue:text}`scatter_others:.2f`. In all models of this book, the deviation of an sgRNA is
# *added*, and is the same in every gene. A deviation in proportion to the effect would describe
# what is seen here: an sgRNA that works half as well moves an effect of $-2$ to $-1$, and leaves an
# effect of 0 where it is.

# %% tags=["hide-input"] table={"name": "tbl-sgrnas-wang", "caption": "sgRNAs by their distance from the others of their gene. Means are over the lines in which both were measured."}
apart = disagreement(screen, posterior, m7b.FAMILY)
table(apart, digits=2, searchable=True)

# %% [markdown]
# ## Where the models do not fit
#
# The models do not fit in two respects. The first concerns the counts: a log fold change from few
# reads is less certain, but the models treat all alike. {numref}`tbl-by-count` sorts the
# measurements by the reads at the beginning. The scatter about the gene falls from
# {glue:text}`sd_few:.2f` in the fifth with the fewest reads to {glue:text}`sd_many:.2f` in that
# with the most.

# %% tags=["hide-input"] table={"name": "tbl-by-count", "caption": "Standard deviation of the measurements about the effect of their gene (model 7b), by the normalised reads at the beginning."}
initial = counts.melt("sgRNA", samples["initial"].tolist(), "initial", "reads").merge(samples)
initial["reads"] *= initial["initial"].map(
    {part.split()[0].removesuffix(":"): 1 / float(part.split()[-1]) for part in sizes}
)
residuals = (
    screen.table.astype({"gene": str, "cell_line": str, "sgRNA": str})
    .merge(effects[["gene", "cell_line", "mean"]], on=["gene", "cell_line"])
    .merge(initial[["sgRNA", "cell_line", "reads"]], on=["sgRNA", "cell_line"])
)
residuals["rest"] = residuals["log_fc"] - residuals["mean"]
residuals["fifth"] = pd.qcut(residuals["reads"], 5, labels=False) + 1
by_count = residuals.groupby("fifth").agg(
    fewest=("reads", "min"), most=("reads", "max"), sd=("rest", "std")
)
table(by_count.reset_index().rename(columns={"fewest": "reads from", "most": "to"}), digits=2)

# %% [markdown]
# The second concerns the tails. The posterior predictive check of model 7a shows it
# ({numref}`fig-predicted-wang`): the observed distribution is taller and narrower in the middle
# than the predicted ones. (The check of 7b shows less, because without replicates an intercept
# may follow its own measurement.) Half of the measurements lie within {glue:text}`middle:.2f` of
# their gene. Of a normal distribution with the model's scatter, half lies within
# {glue:text}`middle_expected:.2f`. Part of the reason is in the tails ({numref}`tbl-tails`):
# {glue:text}`n_tail` measurements lie more than four standard deviations from their gene, where a
# normal distribution would put {glue:text}`n_tail_expected:.1f`. To make room for these few, the
# model takes the noise of all to be larger than it is. It is therefore too uncertain about most
# genes, and lets one lost sgRNA move the mean of a gene too far. Without that sgRNA, the effect
# would be estimated from the other nine.
#
# {numref}`tbl-noise` weighs both. A noise that depends on the reads gains
# {glue:text}`gain_counts:.0f` units of log likelihood, Student's t {glue:text}`gain_t:.0f`, and
# both together {glue:text}`gain_both:.0f`, so each describes something that the other does not.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Densities of predicted screens in blue; the observed density in black is taller and narrower about zero, with a longer tail below."}, "figure": {"name": "fig-predicted-wang", "caption": "Posterior predictive check of model 7a: predicted screens (blue) and the observed one (black)."}}
predictive(one_level, "posterior_predictive", title="Model 7a: predicted and observed")

# %% tags=["hide-input"] table={"name": "tbl-tails", "caption": "Numbers of measurements that lie more than so many standard deviations below or above their gene, and the number that a normal distribution would put on either side."}
far_out = tails(screen, effects, posterior, m7b.FAMILY)
table(far_out, digits=1)

# %% tags=["hide-input"] table={"name": "tbl-noise", "caption": "Four descriptions of how measurements scatter about the effect of their gene, each fitted by maximum likelihood to the same residuals: gain in log likelihood over the first."}


def log_likelihood(parameters: np.ndarray, *, by_count: bool, tails: bool) -> float:
    """Return that of the residuals, with a variance that may fall with the reads."""
    floor, slope, degrees = np.exp(parameters)
    sd = np.sqrt(floor + (slope / residuals["reads"] if by_count else 0.0))
    z = residuals["rest"] / sd
    density = stats.t.logpdf(z, degrees) if tails else stats.norm.logpdf(z)
    return float((density - np.log(sd)).sum())


descriptions = {
    "one normal distribution": {"by_count": False, "tails": False},
    "normal, variance by reads": {"by_count": True, "tails": False},
    "Student's t": {"by_count": False, "tails": True},
    "Student's t, variance by reads": {"by_count": True, "tails": True},
}
best = {
    name: -optimize.minimize(
        lambda x, kind=kind: -log_likelihood(x, **kind), [-1.0, 3.0, 1.5], method="Nelder-Mead"
    ).fun
    for name, kind in descriptions.items()
}
gains = pd.Series(best) - best["one normal distribution"]
table(pd.DataFrame({"scatter": gains.index, "gain": gains.to_numpy()}), digits=0)

# %% tags=["remove-cell"]
depleted = effects.groupby("gene")["mean"].mean().nsmallest(8).index
of_sgrna = residuals.groupby(["gene", "sgRNA"])["log_fc"].mean().reset_index()
half = of_sgrna.groupby("gene").cumcount() % 2
squares = {True: [], False: []}
for chosen in (0, 1):
    lowest = of_sgrna[half == chosen].groupby("gene")["log_fc"].mean().nsmallest(8).index
    rest = of_sgrna[half != chosen].groupby("gene")["log_fc"]
    for is_low, variances in rest.var().groupby(lambda gene, low=lowest: gene in low):
        squares[is_low].append(np.average(variances, weights=rest.count()[variances.index] - 1))
scatter = {is_low: np.sqrt(np.mean(found)) for is_low, found in squares.items()}
total = np.hypot(posterior["sigma"], posterior["sigma_alpha"])
total_low, total_high = interval(total)
of_crossed = crossed.draws(4000, ["sigma_alpha", "sigma"])
kept = of_crossed["sigma_alpha"] ** 2
kept = kept / (kept + of_crossed["sigma"] ** 2)
kept_low, kept_high = interval(kept)
spread = scalars.loc["sigma_gamma"]
both = effects.merge(effects_7a, on=["gene", "cell_line"], suffixes=("_7b", "_7a"))
pulled = shrinkage_of_genes(screen, total**2, posterior["sigma_gamma"])
wide = effects.pivot_table(index="gene", columns="cell_line", values="mean")
differ = gaps[(gaps["hdi_3%"] > 0) | (gaps["hdi_97%"] < 0)]
near = screen.table.astype({"gene": str, "cell_line": str}).merge(
    effects[["gene", "cell_line", "mean"]], on=["gene", "cell_line"]
)
far_apart = apart[apart["z"].abs() > FAR]
gap_7b = gaps.set_index("gene")
gap_8 = gaps_8.set_index("gene")
called = probable[probable["P(below 0)"] > 0.97]
strongest = probable.sort_values("P(below -1)").iloc[-1]
tail = far_out.iloc[-1]
numbers(
    {
        "n_counts": len(counts),
        "n_genes": len(screen.genes),
        "n_rows": len(screen.log_fc),
        "n_sgrnas": len(screen.sgrnas),
        "n_left_out": 2 * len(counts) - len(screen.log_fc),
        "min_initial": 30,
        "least_factor": min(factors),
        "most_factor": max(factors),
        "spread": spread["mean"],
        "spread_low": spread["hdi_3%"],
        "spread_high": spread["hdi_97%"],
        "kept": 100 * float(kept.mean()),
        "kept_low": 100 * kept_low,
        "kept_high": 100 * kept_high,
        "total": float(total.mean()),
        "total_low": total_low,
        "total_high": total_high,
        "times": float(total.mean() / spread["mean"]),
        "alpha_low": scalars.loc["sigma_alpha", "hdi_3%"],
        "alpha_high": scalars.loc["sigma_alpha", "hdi_97%"],
        "model_gap": (both["mean_7b"] - both["mean_7a"]).abs().max(),
        "pull": 100 * pulled.loc[pulled["sgRNAs"] == 10, "shrinkage"].iloc[0],
        "n_effects": len(effects),
        "n_below": int((probable["P(below 0)"] > 0.97).sum()),
        "strong_probability": 100 * strongest["P(below -1)"],
        "strongest_gene": strongest["gene"],
        "strongest_line": strongest["cell_line"],
        "false_signs": float((1 - called["P(below 0)"]).sum()),
        "n_differ_8": int(clear(gaps_8).sum()),
        "abl_gap_8": gap_8.loc["ABL1", "mean"],
        "abl_gap_7b": gap_7b.loc["ABL1", "mean"],
        "gap_sd_8": gaps_8["sd"].mean(),
        "gap_sd_7b": gaps["sd"].mean(),
        "delta_8": scalars_8.loc["sigma_delta", "mean"],
        "delta_low": scalars_8.loc["sigma_delta", "hdi_3%"],
        "delta_high": scalars_8.loc["sigma_delta", "hdi_97%"],
        "gamma_8": scalars_8.loc["sigma_gamma", "mean"],
        "n_ahcy": int((far_apart["gene"] == "AHCY").sum()),
        "far_in_depleted": int(far_apart["gene"].isin(depleted).sum()),
        "scatter_depleted": scatter[True],
        "scatter_others": scatter[False],
        "max_k": MAX_PARETO_K,
        "sd_few": by_count["sd"].iloc[0],
        "sd_many": by_count["sd"].iloc[-1],
        "gain_counts": gains["normal, variance by reads"],
        "gain_t": gains["Student's t"],
        "gain_both": gains["Student's t, variance by reads"],
        "n_differ": len(differ),
        "differ": ", ".join(differ["gene"]),
        "abl_kbm7": wide.loc["ABL1", "KBM7"],
        "abl_hl60": wide.loc["ABL1", "HL60"],
        "correlation": wide.corr().iloc[0, 1],
        "n_far": len(far_apart),
        "n_compared": len(apart),
        "far": FAR,
        "n_far_expected": len(apart) * 2 * stats.norm.sf(FAR),
        "n_lower": int((far_apart["it is"] == "lower").sum()),
        "worst": apart["sgRNA"].iloc[0],
        "worst_mean": apart["its mean"].iloc[0],
        "worst_others": apart["others"].iloc[0],
        "n_lost": int((screen.log_fc < -5).sum()),
        "middle": (near["log_fc"] - near["mean"]).abs().median(),
        "middle_expected": stats.norm.ppf(0.75) * float(total.mean()),
        "n_tail": int(tail["below"] + tail["above"]),
        "n_tail_expected": 2 * tail["expected"],
    }
)

# %% [markdown]
# ## What to do next
#
# - **Measure again.** A replicate tells the noise from the sgRNAs
#   ([chapter 4](04_integrating_out)), and an accident in one culture from the biology of a line.
#   Nothing else would help as much.
# - **Use heavier tails**, for example a Student distribution for the noise, so that one lost
#   sgRNA does not decide about its gene. Such a model is no longer normal given its scales, so
#   its effects would be sampled, not integrated out.
# - **Let the noise depend on the reads.** This needs no more data, because the counts are there.
# - **Make the effects of sgRNAs proportional to that of their gene**, for sgRNAs that work more
#   or less well.
# - **Include controls.** Without them zero is only the median of these genes.

# %% [markdown]
# ## Exercises
#
# **1.** The most extreme sgRNA, `ADRB3_m37823842`, has a log fold change in one line only. By how
# much does the effect of *ADRB3* in that line change if it is left out? Work it out from the means
# of the ten and of the nine sgRNAs and the shrinkage factor {eq}`eq-shrinkage`, and then fit model
# 7b without it. What becomes of the probability that the effect is below zero?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the answer", "code_prompt_hide": "Hide the answer"}
lost = screen.table["sgRNA"] == "ADRB3_m37823842"
where = screen.table.loc[lost, "cell_line"].item()
of_gene = (screen.table["gene"] == "ADRB3") & (screen.table["cell_line"] == where)
means, by_hand = [], []
for rows in (of_gene, of_gene & ~lost):
    pull = shrinkage_factor(float(total.mean()) ** 2 / rows.sum(), spread["mean"])
    means.append(screen.table.loc[rows, "log_fc"].mean())
    by_hand.append(pull * scalars.loc["mu_gamma", "mean"] + (1 - pull) * means[-1])
nine = solve(m7b.FAMILY, Screen(screen.table[~lost]))
by_fit = [
    found.set_index(["gene", "cell_line"]).loc[("ADRB3", where), ["mean", "P(below 0)"]]
    for found in (effects, nine.gene_effects((0.0,)))
]
assert np.allclose(by_hand, [found["mean"] for found in by_fit], atol=0.02)
answer(
    f"The mean of the measurements moves by {means[1] - means[0]:.2f}, from {means[0]:.2f} to "
    f"{means[1]:.2f}, and pooling leaves {by_hand[1] - by_hand[0]:.2f} of that. By hand the effect "
    f"in {where} goes from {by_hand[0]:.2f} to {by_hand[1]:.2f}, and in the fits from "
    f"{by_fit[0]['mean']:.2f} to {by_fit[1]['mean']:.2f}. The probability that the effect is below "
    f"zero falls from {by_fit[0]['P(below 0)']:.2f} to {by_fit[1]['P(below 0)']:.2f}: a single "
    "sgRNA of ten made this gene look depleted."
)

# %% [markdown]
# **2.** A count scatters at least as a Poisson variable does, whose variance is its mean. Work out
# the standard deviation that this gives to the log fold change of an sgRNA with $n$ reads before
# and $n$ after. (The derivative of $\log_2 n$ is $1 / (n \ln 2)$. Leave out the size factors.) How
# much of the variance in {numref}`tbl-by-count` is it? In {numref}`tbl-noise` the variance has a
# part in proportion to one over the reads: how many times that of the Poisson distribution is it?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the answer", "code_prompt_hide": "Hide the answer"}
of_poisson = 2 / np.log(2) ** 2  # over the number of reads
per_fifth = (of_poisson / residuals["reads"]).groupby(residuals["fifth"]).mean().to_numpy()
of_variance = 100 * per_fifth / by_count["sd"].to_numpy() ** 2
times_poisson = {}
for name in ("normal, variance by reads", "Student's t, variance by reads"):
    found = optimize.minimize(
        lambda x, kind=descriptions[name]: -log_likelihood(x, **kind),
        [-1.0, 3.0, 1.5],
        method="Nelder-Mead",
    )
    times_poisson[name] = np.exp(found.x[1]) / of_poisson
by_normal, by_t = times_poisson.values()
assert of_variance.max() < 5
assert min(by_normal, by_t) > 10
answer(
    "Each of the two logarithms has the variance 1 / (n ln² 2), so the standard deviation is √(2 / "
    f"n) / ln 2, which is {(of_poisson / 100) ** 0.5:.2f} for 100 reads. In the fifth with the "
    f"fewest reads it is {per_fifth[0] ** 0.5:.2f} where the measurements have "
    f"{by_count['sd'].iloc[0]:.2f}, and over the fifths it makes up {of_variance.min():.1f} to "
    f"{of_variance.max():.1f} % of the variance. The part that falls with the reads is "
    f"{by_normal:.0f} times as large if the scatter is normal, and {by_t:.0f} times if it follows "
    "Student's t. Counting explains almost nothing of the scatter, and little even of the part "
    "that falls with the reads."
)

# %% [markdown]
# **3.** Exchange the two log fold changes of an sgRNA, HL60 and KBM7, with a probability of one
# half, and do this for every sgRNA. No gene then differs between the lines except by chance. Work
# out from the shrinkage factor of a gene with ten sgRNAs how many differences of model 7b should
# have a 94 % interval that excludes zero, first for noise that is independent in the two lines, and
# then with what an sgRNA keeps. What will model 8 find? Try it a few times.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Show the answer", "code_prompt_hide": "Hide the answer"}
pull_of_ten = pulled.loc[pulled["sgRNAs"] == 10, "shrinkage"].iloc[0]
limit = stats.norm.ppf(0.97) / np.sqrt(1 - pull_of_ten) / np.array([1, np.sqrt(1 - kept.mean())])
by_pencil = len(screen.genes) * 2 * stats.norm.sf(limit)
pairs = screen.table.reset_index().pivot(index="sgRNA", columns="cell_line", values="index")
pairs = pairs.dropna().to_numpy(int)
coin, clear_7b, clear_8, deltas = np.random.default_rng(103), [], [], []
for turn in range(12):
    swapped, chosen = screen.log_fc.copy(), pairs[coin.random(len(pairs)) < 0.5]
    swapped[chosen] = swapped[chosen[:, ::-1]]
    fit = replace(solve(m7b.FAMILY, screen.measured(swapped)), most=64)  # quick
    clear_7b.append(clear(differences(fit, "KBM7", "HL60")).sum())
    if turn < 3:  # model 8 takes longer
        fit = replace(solve(m8.FAMILY, screen.measured(swapped), tolerance=0.05), most=64)
        clear_8.append(clear(differences(fit, "KBM7", "HL60")).sum())
        deltas.append(fit.points.weights @ fit.points.scales["sigma_delta"])
assert max(clear_7b) < len(differ)
assert max(clear_8) < clear(gaps_8).sum()
assert max(deltas) < scalars_8.loc["sigma_delta", "mean"]
answer(
    "The posterior mean of a difference is the difference of the means times 1 less the factor, "
    "and its posterior variance is the variance of that difference, times the same. In standard "
    "deviations of the posterior, the means therefore scatter with the root of "
    f"{1 - pull_of_ten:.2f}, and {by_pencil[0]:.1f} of {len(screen.genes)} intervals should "
    f"exclude zero. What an sgRNA keeps cancels, which leaves {by_pencil[1]:.1f}. In twelve "
    f"exchanges model 7b finds {np.mean(clear_7b):.1f} on average and {max(clear_7b)} at most, "
    f"where the real screen has {len(differ)}. In three of them model 8 finds {max(clear_8)} at "
    f"most, where it had {clear(gaps_8).sum()}, and its standard deviation of the interactions is "
    f"between {min(deltas):.2f} and {max(deltas):.2f}, where it was "
    f"{scalars_8.loc['sigma_delta', 'mean']:.2f}. By chance, intervals of pooled differences "
    "exclude zero much less often than in 6 % of the cases, and the real screen has more such "
    "differences than any of these exchanges."
)

# %% [markdown]
# ## What we have learnt
#
# - The models run on real counts unchanged, and converge.
# - In this screen a measurement scatters {glue:text}`times:.0f` times as far as effects do, so
#   pooling is strong, and most genes cannot be told from zero. The list of hits is short.
# - Model 8 shares the effect of a gene between the lines. It shrinks the differences more than
#   7b, is more certain of them, and finds {glue:text}`n_differ_8:d` of them where 7b finds
#   {glue:text}`n_differ`.
# - *ABL1*, the one difference that could be expected beforehand, is found.
# - Noise falls with the number of reads, tails are heavy, and sgRNAs of a strong gene differ more
#   than those of a weak one. No model of this book contains any of this. Checks against the data
#   show it; convergence and calibration could not.

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
# read counts of a published screen in two leukaemia cell lines, makes fold changes of them, and asks what
# models say: about 100 genes, about the difference between the lines, about sgRNAs that look like failures.
# Most of it uses models 7a and 7b, which the first chapters explain. Model 7 is asked whether sgRNAs keep
# their deviation, and model 8 which genes differ between the lines. The chapter ends with where the models
# strain, and with what two lines without replicates cannot show.

# %% tags=["hide-input"]
import numpy as np
import pandas as pd
from scipy import optimize, stats

from poolscreen.display import table
from poolscreen.effects.contrasts import differences
from poolscreen.effects.disagreement import FAR, disagreement, tails
from poolscreen.effects.summaries import gene_effects, probabilities
from poolscreen.figures.estimates import two_cell_lines
from poolscreen.figures.predictions import predictive
from poolscreen.figures.screens import cell_lines
from poolscreen.figures.shrinkage import shrinkage
from poolscreen.inference.exact import solve
from poolscreen.inference.posterior import interval
from poolscreen.models import m7b, m8
from poolscreen.screens.counts import fold_changes
from poolscreen.tables.fits import diagnostics
from poolscreen.tables.screens import by_cell_line
from poolscreen.tables.shrinkage import before_and_after, shrinkage_of_genes
from press.glue import numbers
from press.results import load_fit, load_screen, load_table

counts = pd.read_csv("../data/wang2014_counts.tsv", sep="\t")
samples = pd.read_csv("../data/wang2014_samples.csv")
screen = load_screen("wang2014")
one_level = load_fit("wang2014/m7a")
two_levels = load_fit("wang2014/m7b")
scalars = load_table("wang2014/m7b", "scalars").set_index("parameter")
scalars_7a = load_table("wang2014/m7a", "scalars").set_index("parameter")
effects_7a = load_table("wang2014/m7a", "alpha_gc")
crossed = load_fit("wang2014/m7")
effects = load_table("wang2014/m7b", "gamma_gc")
posterior = two_levels["posterior"].to_dataset()
draws = gene_effects(posterior)

# %% [markdown]
# ## The counts
#
# Wang and colleagues knocked out genes in two human leukaemia lines, HL60 and KBM7, and counted each
# sgRNA by sequencing before and after the cells had grown {cite:p}`wang2014`. KBM7 carries the
# *BCR-ABL1* fusion, which drives chronic myeloid leukaemia; we shall meet *ABL1* again. The part of
# the data that this book ships has {glue:text}`n_counts` sgRNAs against {glue:text}`n_genes` genes,
# from the start of the alphabet. {numref}`tbl-counts` shows the first of them.

# %% tags=["hide-input"] table={"name": "tbl-counts", "caption": "Read counts: the first ten sgRNAs."}
table(counts.head(10))

# %% [markdown]
# There are no replicates: {numref}`tbl-samples` names one sample before and one after, per line. And
# these are not genes that were picked for an effect. Most genes can be lost without harm, so most
# effects should be near zero.

# %% tags=["hide-input"] table={"name": "tbl-samples", "caption": "The samples: which columns of the counts belong together."}
table(samples)

# %% [markdown]
# ## From counts to fold changes
#
# Samples were sequenced to different depths, so their counts must be brought to one scale first. The
# total would be a poor one: a few sgRNAs that multiply would make all others look depleted. Instead,
# take each sgRNA's ratio to its own mean over the samples, and the *median* of these ratios as the
# **size factor** of the sample {cite:p}`anders2010`. Then
#
# $$
# \text{logFC} = \log_2 \frac{n_\text{final} + 1}{n_\text{initial} + 1}
# $$ (eq-log-fc)
#
# with the normalised counts $n$. The one that is added keeps the logarithm finite where no read is
# left. At last the median of each line is set to zero: the typical gene has no effect, by definition.
# (With known control genes one would use those.)
#
# This is what `poolscreen fold-change` does, and what made the screen of this chapter. The size
# factors of the samples lie between {glue:text}`least_factor:.2f` and {glue:text}`most_factor:.2f`. An
# sgRNA with fewer than {glue:text}`min_initial` normalised reads at the beginning had nothing to lose;
# {glue:text}`n_left_out` fold changes were left out for that, which leaves {glue:text}`n_rows:,`
# of {glue:text}`n_sgrnas` sgRNAs.

# %% tags=["remove-cell"]
made, notes = fold_changes(counts.rename(columns={"Gene": "gene"}), samples)
np.testing.assert_allclose(made["log_fc"], screen.log_fc)
sizes = notes[0].removeprefix("size factors: ").split(",")
factors = [float(part.split()[-1]) for part in sizes]

# %% [markdown]
# {numref}`fig-distributions` and {numref}`tbl-distributions` show the result. Both lines are centred on
# zero, narrow in the middle and long below: {glue:text}`n_lost` measurements fall by five units or more,
# that is to a thirtieth or less.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Two violins, HL60 and KBM7, both with their median at zero, broad within one unit of it, with thin tails that reach much further below than above."}, "figure": {"name": "fig-distributions", "caption": "Log fold changes in the two cell lines; bars are medians."}}
cell_lines(screen.table)

# %% tags=["hide-input"] table={"name": "tbl-distributions", "caption": "Log fold changes by cell line: mean, standard deviation and quantiles."}
table(by_cell_line(screen), digits=2)

# %% [markdown]
# ## Three fits
#
# The models are fitted as they stand, with the priors of chapters 2, 3 and 6, and pass the gate:

# %% tags=["hide-input"] table={"name": "tbl-diagnostics-wang", "caption": "Diagnostics; R-hat and effective sample sizes are the worst over all parameters."}
table(diagnostics({"7a": one_level, "7b": two_levels, "7": crossed}))

# %% [markdown]
# Gene effects spread with a standard deviation of {glue:text}`spread:.2f` (94 % interval
# {glue:text}`spread_low:.2f` to {glue:text}`spread_high:.2f`), and a single measurement scatters about
# its gene with {glue:text}`total:.2f` ({glue:text}`total_low:.2f` to {glue:text}`total_high:.2f`). That is
# {glue:text}`times:.0f` times as much, the reverse of the simulated screen. How the scatter divides into
# sgRNAs and noise is not known, as in [chapter 3](03_model_7b): without replicates $\sigma_\alpha$ may
# be anything from {glue:text}`alpha_low:.2f` to {glue:text}`alpha_high:.2f`. The gene effects do not
# depend on it. Nor on the choice of model: those of 7a and 7b differ by at most
# {glue:text}`model_gap:.3f`.
#
# Do sgRNAs keep their deviation from one line to the other? Model 7 knows, as each was seen in two lines. What is
# kept is {glue:text}`kept:.0f` % of the variance about gene and line (94 % interval
# {glue:text}`kept_low:.0f` to {glue:text}`kept_high:.0f` %), against {glue:text}`../notebooks/06_model_7.ipynb::share_percent:.0f` %
# in the simulated screen. So here too a part of what 7a and 7b take for chance stays with the
# sgRNA, and what they say of a gene over *both* lines is too sure. Their differences between the lines are not too
# sure: what an sgRNA keeps cancels in a difference, so that these intervals are, if anything, too wide.
#
# Where effects are small and noise is large, partial pooling has work to do. A gene with ten sgRNAs
# is pulled {glue:text}`pull:.0f` % of the way to the mean ({numref}`fig-shrinkage-wang`), where the simulated
# gene of ten moved by {glue:text}`../notebooks/02_model_7a.ipynb::b_last:.1f` %.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Scatter of posterior means of gene effects against plain means. The points lie on a straight line flatter than the identity, and strokes towards zero grow longer with the distance from it."}, "figure": {"name": "fig-shrinkage-wang", "caption": "Effect of each gene in each line: posterior mean of model 7b against the mean of its measurements. Strokes lead from no pooling (the line) to the estimate. Colour: number of sgRNAs of the gene."}}
shrinkage(before_and_after(screen, effects), title="Pull towards the mean")

# %% [markdown]
# ## What the models say about 100 genes
#
# {numref}`tbl-effects-wang` has every effect with its interval and two probabilities. Of
# {glue:text}`n_effects` effects, {glue:text}`n_below` are below zero with a probability above 97 %. How many of these
# are above zero in truth? The model has an answer: the sum of their probabilities to be above zero, which is
# {glue:text}`false_signs:.2f`. This is an error rate of the *list*, and it holds if the model does. It is not the error rate of a
# test, which says how often an effect of exactly zero would be called; and it says nothing about the *size* of the effects.
# None is below minus one with a probability above {glue:text}`strong_probability:.0f` %; the likeliest is
# {glue:text}`strongest_gene` in {glue:text}`strongest_line`. So the signs of these effects are nearly certain to the
# model, and large effects are not.

# %% tags=["hide-input"] table={"name": "tbl-effects-wang", "caption": "Effects of the genes in model 7b, the lowest first: posterior mean, standard deviation, 94 % interval, and the probabilities that the effect is below zero and below minus one."}
probable = probabilities(effects, draws, (0.0, -1.0)).sort_values("mean")
table(probable, digits=2, searchable=True)

# %% [markdown]
# ## Which effects differ between the lines
#
# {numref}`fig-lines` sets the two lines against each other. Differences have posteriors of their own,
# from the same draws ({numref}`tbl-differences`). For {glue:text}`n_differ` of {glue:text}`n_genes` genes
# the 94 % interval of the difference excludes zero: {glue:text}`differ`. *ABL1* is what one would hope
# for: KBM7 lives on BCR-ABL1. The effect is {glue:text}`abl_kbm7:.2f` there, and
# {glue:text}`abl_hl60:.2f` in HL60.
#
# Two cautions. With one culture per line, a difference between the lines is also a difference between
# two cultures. And model 7b takes the effects of a gene in two lines for independent, which they are not: their
# posterior means correlate with {glue:text}`correlation:.2f`.
#
# Model 8 shares the effect of a gene between the lines, and puts an interaction on top of it
# ({numref}`tbl-gaps-8`). One might expect it to find fewer differences. It finds {glue:text}`n_differ_8:d`, and model 7b
# {glue:text}`n_differ`. It shrinks the differences more: that of *ABL1* is {glue:text}`abl_gap_8:.2f`, and
# {glue:text}`abl_gap_7b:.2f` in 7b. But it is also surer of them, as it knows that an sgRNA keeps a part of its deviation:
# the mean standard deviation of a difference is {glue:text}`gap_sd_8:.2f`, and {glue:text}`gap_sd_7b:.2f` in 7b. With
# {glue:text}`n_genes` genes and 94 % intervals, some six would exclude zero by chance if no gene differed and nothing were
# pooled; so none of these lists should be read without a look at the sizes. The standard deviation of the interactions is
# {glue:text}`delta_8:.2f` (94 % interval {glue:text}`delta_low:.2f` to {glue:text}`delta_high:.2f`), about that of the effects that a
# gene has in both lines, {glue:text}`gamma_8:.2f`.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Scatter of gene effects, KBM7 against HL60, most within half a unit of zero; AATF, ACIN1, ACTR8 and ABL1 are named and lie lowest in KBM7, with error bars of about half a unit on either side."}, "figure": {"name": "fig-lines", "caption": "Effects of the genes in the two lines, model 7b, with 94 % intervals of some. On the grey line they would be equal."}}
two_cell_lines(
    effects,
    "HL60",
    "KBM7",
    named=["AATF", "ACIN1", "ACTR8", "ABL1"],
    title="Gene effects in two lines",
)

# %% tags=["hide-input"] table={"name": "tbl-differences", "caption": "Difference of the effects, KBM7 less HL60, the largest first."}
gaps = differences(draws, "KBM7", "HL60")
gaps = gaps.loc[gaps["mean"].abs().sort_values(ascending=False).index]
table(gaps, digits=2, searchable=True)

# %% tags=["hide-input"] table={"name": "tbl-gaps-8", "caption": "The same differences in model 8, the largest first: those whose 94 % interval excludes zero in either model."}
eighth = solve(m8.FAMILY, screen)
signs = {"KBM7": 1.0, "HL60": -1.0}
weights = np.array([[signs[line]] for line in screen.cell_lines])
gaps_8 = eighth.gene_effects(weights=weights, labels=["KBM7 less HL60"]).drop(columns="cell_line")


def clear(found: pd.DataFrame) -> pd.Series:
    """Tell which intervals exclude zero."""
    return (found["hdi_3%"] > 0) | (found["hdi_97%"] < 0)


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
# Ten sgRNAs should tell the same story. {numref}`tbl-sgrnas-wang` compares each with the others of its
# gene in the same lines, in standard deviations of the model. {glue:text}`n_far` of
# {glue:text}`n_compared` lie more than {glue:text}`far:.0f` away, where chance would put
# {glue:text}`n_far_expected:.0f`. {glue:text}`n_lower` of them are *lower* than the others; {glue:text}`worst` is the
# extreme, with {glue:text}`worst_mean:.1f` against {glue:text}`worst_others:.1f`. Two explanations offer themselves. An sgRNA
# may cut elsewhere as well, or have been lost by accident in one culture; then it would stand alone in any gene. Or sgRNAs
# differ in how *well* they work; then they would differ most where there is something to see.
#
# The second is a good part of it. Of the {glue:text}`n_far` sgRNAs {glue:text}`far_in_depleted` belong to the eight most
# depleted of the {glue:text}`n_genes` genes, and {glue:text}`n_ahcy` of them to *AHCY* alone. Within these eight genes sgRNAs scatter with a
# standard deviation of {glue:text}`scatter_depleted:.2f`, within the others with {glue:text}`scatter_others:.2f`. A deviation that
# is *added*, as in all models of this book, is the same in every gene. One that is in proportion to the effect would
# say what is seen here.

# %% tags=["hide-input"] table={"name": "tbl-sgrnas-wang", "caption": "sgRNAs by their distance from the others of their gene; means are over the lines in which both were measured."}
apart = disagreement(screen, posterior, m7b.FAMILY)
table(apart, digits=2, searchable=True)

# %% [markdown]
# ## Where the model strains
#
# There are two strains, and the first is a matter of counts. A fold change from few reads is less certain, and to the
# models all are alike. {numref}`tbl-by-count` sorts the measurements by the reads at the beginning: the scatter about the
# gene falls from {glue:text}`sd_few:.2f` to {glue:text}`sd_many:.2f` from the fifth with the fewest reads to that with the most.

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
# The second strain is in the tails. The posterior predictive check of model 7a shows it ({numref}`fig-predicted-wang`): the observed
# distribution is taller and narrower in the middle than the predicted ones. (That of 7b is kinder, and
# says less: without replicates an intercept may follow its own measurement.) Half of the measurements lie within
# {glue:text}`middle:.2f` of their gene; of the normal distribution with the model's scatter, half lies
# within {glue:text}`middle_expected:.2f`. Part of the reason is in the tails ({numref}`tbl-tails`):
# {glue:text}`n_tail` measurements lie four standard deviations or more from their gene, and a normal
# distribution would put {glue:text}`n_tail_expected:.1f` there. To make room for these few, the model
# takes the noise of all to be larger than it is. So it is too unsure of most genes, and lets one lost
# sgRNA move a gene's mean too far: without it, the effect would be judged by nine. {numref}`tbl-noise` weighs both
# strains. A noise that depends on the reads gains {glue:text}`gain_counts:.0f` units of log likelihood, Student's t
# {glue:text}`gain_t:.0f`, and both together {glue:text}`gain_both:.0f`: each says something that the other does not.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Densities of predicted screens in blue; the observed density in black is taller and narrower about zero, with a longer tail below."}, "figure": {"name": "fig-predicted-wang", "caption": "Posterior predictive check of model 7a: predicted screens (blue) and the observed one (black)."}}
predictive(one_level, "posterior_predictive", title="Model 7a: predicted and observed")

# %% tags=["hide-input"] table={"name": "tbl-tails", "caption": "Measurements that lie so many standard deviations below or above their gene, and how many a normal distribution would put on either side."}
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
about = of_sgrna["log_fc"] - of_sgrna.groupby("gene")["log_fc"].transform("mean")
in_depleted = of_sgrna["gene"].isin(depleted)
total = np.hypot(posterior["sigma"], posterior["sigma_alpha"])
total_low, total_high = interval(total)
of_crossed = crossed["posterior"].to_dataset()
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
scalars_8 = eighth.scalars().set_index("parameter")
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
        "scatter_depleted": about[in_depleted].std(),
        "scatter_others": about[~in_depleted].std(),
        "sd_few": by_count["sd"].iloc[0],
        "sd_many": by_count["sd"].iloc[-1],
        "gain_counts": gains["normal, variance by reads"],
        "gain_t": gains["Student's t"],
        "gain_both": gains["Student's t, variance by reads"],
        "n_differ": len(differ),
        "differ": " and ".join(differ["gene"]),
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
# ## What one would do next
#
# - **Measure again.** A replicate tells the noise from the sgRNAs ([chapter 4](04_integrating_out)),
#   and a culture's accident from a line's biology. Nothing else would help as much.
# - **Heavier tails**, for example a Student distribution for the noise, so that one lost sgRNA does not
#   speak for its gene. It is no longer normal given its scales, so its effects would be sampled, not
#   integrated out.
# - **Noise that depends on the reads**, which needs no more data: the counts are there.
# - **Effects of sgRNAs in proportion to that of their gene**, for sgRNAs that work more or less well.
# - **Controls.** Without them zero is only the median of these genes.
#
# ## What we have learnt
#
# - The models run on real counts unchanged, and converge.
# - In this screen a measurement scatters {glue:text}`times:.0f` times as far as effects spread, so pooling pulls hard, and most
#   genes cannot be told from zero. The honest list of hits is short.
# - Model 8 shares the effect of a gene between the lines. It shrinks the differences more than 7b, is surer of them, and
#   finds {glue:text}`n_differ_8:d` of them where 7b finds {glue:text}`n_differ`.
# - The one difference that could be expected beforehand, *ABL1*, is found.
# - Noise falls with the number of reads, tails are heavy, and sgRNAs of a strong gene differ more than those of a weak one.
#   No model of this book knows any of this. Checks against the data show it; convergence and calibration could not.

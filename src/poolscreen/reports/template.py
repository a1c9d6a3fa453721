# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["parameters"]
folder = "."
threshold = -1.0

# %%
import json
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from IPython.display import Markdown
from scipy import stats

from poolscreen import models
from poolscreen.display import table
from poolscreen.effects.disagreement import FAR, disagreement, tails
from poolscreen.tables.shrinkage import before_and_after
from poolscreen.tables.screens import by_cell_line, holdings
from poolscreen.effects.summaries import gene_effects, probabilities
from poolscreen.figures.screens import cell_lines
from poolscreen.figures.estimates import heat_map
from poolscreen.figures.predictions import predictive
from poolscreen.figures.shrinkage import shrinkage
from poolscreen.screens.table import Screen
from poolscreen.tables.fits import diagnostics, sampler_settings
from poolscreen.inference.posterior import interval

screen = Screen(pd.read_parquet(Path(folder, "screen.parquet")))
fit = xr.open_datatree(Path(folder, "fit.nc"), engine="h5netcdf")
about = json.loads(Path(folder, "about.json").read_text())
posterior = fit["posterior"].to_dataset()
draws = gene_effects(posterior)
effects = pd.read_csv(Path(folder, f"{draws.name}.csv"))
family = models.get(about["model"]).FAMILY


def words(text: str) -> Markdown:
    return Markdown(" ".join(text.split()))


def about_scale(name: str) -> str:
    low, high = interval(posterior[name])
    return f"{float(posterior[name].mean()):.2f} (94 % interval {low:.2f} to {high:.2f})"


# %%
cautions = "".join(f"- {caution}\n" for caution in about["cautions"])
Markdown(
    f"# {about['screen']}\n\nA report on the screen in `{about['screen']}` by model "
    f"{about['model'].removeprefix('m')} ({fit.attrs['title']}).\n\n"
    + (f"**To be kept in mind**\n\n{cautions}" if cautions else "")
)

# %% [markdown]
# ## What the screen holds

# %% table={"name": "holdings", "caption": "The screen."}
table(holdings(screen))

# %% table={"name": "cell_lines", "caption": "Log fold changes by cell line: rows, mean, standard deviation and quantiles."}
table(by_cell_line(screen), digits=2)

# %% mystnb={"figure": {"name": "fig-cell-lines", "caption": "Distribution of the log fold changes in each cell line."}, "image": {"alt": "A violin for each cell line, with its median as a bar."}}
cell_lines(screen.table)

# %% [markdown]
# ## Whether the fit can be used
#
# Chains that agree, and enough independent draws, are what a posterior needs to be read at all. A
# fit that has not converged is refused; this one has.

# %% table={"name": "settings", "caption": "How it was sampled."}
table(sampler_settings(fit))

# %% table={"name": "diagnostics", "caption": "R-hat and effective sample sizes are the worst over all parameters."}
table(diagnostics({about["model"]: fit}))

# %%
repeated = int((screen.replicates > 1).sum())
noise = f"The noise of a measurement has a standard deviation of {about_scale('sigma')}."
if family is None or family.nested_sd is None:
    text = f"""{noise} To this model sgRNAs of one gene are repeated measurements of it: how they
        differ is part of that noise."""
elif repeated:
    text = f"""{noise} The sgRNAs of a gene scatter about it in a cell line with a standard
        deviation of {about_scale(family.nested_sd)}. The data tell the two apart, since
        {repeated:,} combinations of sgRNA and cell line were measured more than once."""
else:
    total = np.hypot(posterior["sigma"], posterior[family.nested_sd])
    low, high = interval(total)
    text = f"""A single measurement scatters about its gene with a standard deviation of
        {float(total.mean()):.2f} (94 % interval {low:.2f} to {high:.2f}). **How much of it is the
        sgRNA's and how much is noise, these data do not say**: no sgRNA was measured twice in a
        cell line, and the model lets an sgRNA differ from line to line. The division is the
        prior's. What is said below of genes does not depend on it; intercepts of single sgRNAs
        would, and are not shown."""
words(text)

# %% [markdown]
# ## Effects of the genes

# %%
certain = effects.assign(
    below=(draws < threshold)
    .mean(["chain", "draw"])
    .to_series()
    .reindex(pd.MultiIndex.from_frame(effects[["gene", "cell_line"]]))
    .to_numpy()
)
strong = certain[certain["below"] > 0.95]
words(
    f"""Of {len(effects):,} effects of a gene in a cell line, {len(strong):,} are below
    {threshold:g} with a probability of more than 95 %; they are of {strong["gene"].nunique():,}
    genes. An effect is a log fold change, so {threshold:g} means
    {2**threshold:.2f} times as many cells as without the knock-out, if the logarithms are to
    base 2."""
)

# %% mystnb={"figure": {"name": "fig-effects", "caption": "The genes with the lowest effects, by their mean over the cell lines."}, "image": {"alt": "Heat map of posterior mean effects, genes by cell lines, the lowest genes first."}}
lowest = effects.groupby("gene")["mean"].mean().sort_values().index[:30]
heat_map(effects.set_index("gene").loc[lowest].reset_index(), title="Lowest effects")

# %% table={"name": "gene_effects", "caption": "Every gene in every cell line: posterior mean, standard deviation, 94 % interval, and the probabilities that the effect is below zero and below the threshold."}
table(
    probabilities(effects, draws, threshold).sort_values("mean"),
    digits=2,
    searchable=True,
)

# %% [markdown]
# ## What pooling did
#
# A gene with few measurements is pulled towards the mean of all genes; one with many hardly moves.

# %% mystnb={"figure": {"name": "fig-shrinkage", "caption": "Effect of each gene in each cell line: posterior mean against the mean of its measurements. Strokes lead from no pooling (the line) to the estimate. Colour: number of sgRNAs of the gene."}, "image": {"alt": "Scatter of posterior means against plain means, with strokes to the identity line."}}
shrinkage(before_and_after(screen, effects), title="Pull towards the mean")

# %% [markdown]
# ## sgRNAs that disagree with their gene

# %%
apart = disagreement(screen, posterior, family)
far = apart[apart["z"].abs() > FAR]
words(
    f"""Each sgRNA is compared with the others of its gene in the same cell lines. {len(far):,} of
    {len(apart):,} lie more than {FAR:g} standard deviations away, {(far["it is"] == "higher").sum():,}
    of them higher. In a gene that cells need, a higher one may cut badly; a lower one may cut
    elsewhere, too. If the model were true, {len(apart) * 2 * stats.norm.sf(FAR):.1f} would lie so far
    by chance. More than that says that single measurements fail, or that sgRNAs keep their deviation
    from cell line to cell line; this model knows neither."""
    if len(apart)
    else "No gene has two sgRNAs, so none can be compared."
)

# %% table={"name": "sgrnas", "caption": "sgRNAs by their distance from the others of their gene. Means are over the cell lines in which both were measured; z is the difference in standard deviations of the model."}
table(apart, digits=2, searchable=True)

# %% [markdown]
# ## Whether the model fits
#
# Screens that the fit predicts, beside the one that was observed. A normal model has thin tails;
# where more observations lie far out than it expects, single effects are stronger, or failures
# grosser, than it can say, and its intervals there are too narrow.

# %% mystnb={"figure": {"name": "fig-predicted", "caption": "Distributions of the log fold changes in predicted screens (blue), and in the observed one (black)."}, "image": {"alt": "Densities of predicted screens, with the observed density over them."}}
predictive(fit, "posterior_predictive", title="Predicted and observed")

# %% table={"name": "tails", "caption": "Measurements that lie so many standard deviations below or above the effect of their gene, and how many a normal distribution would put on either side."}
table(tails(screen, effects, posterior, family), digits=1)

# %%
Markdown(
    f"## How it was made\n\n`{about['command']}`, poolscreen {about['version']}, "
    f"{about['packages']}. SHA-256 of the table: `{about['sha256']}`."
)

"""What a report on a screen says, from the top of its page down."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd
import xarray as xr
from scipy import stats

from poolscreen import models
from poolscreen.display import table
from poolscreen.effects.disagreement import FAR, disagreement, tails
from poolscreen.families.family import Family
from poolscreen.figures.estimates import heat_map
from poolscreen.figures.predictions import predictive
from poolscreen.figures.screens import cell_lines
from poolscreen.figures.shrinkage import shrinkage
from poolscreen.inference.posterior import interval
from poolscreen.reports.fits import Fit
from poolscreen.reports.page import Block, Shown, plain
from poolscreen.screens.table import Screen
from poolscreen.tables.screens import by_cell_line, holdings
from poolscreen.tables.shrinkage import before_and_after

CERTAIN = 0.95  # probability from which on an effect is counted as strong
LOWEST = 30  # genes of the heat map


@dataclass(frozen=True)
class About:
    """What a report is about, and how it was made.

    Attributes
    ----------
    screen, sha256 : str
        Name of the file with the screen, and the digest of its content.
    model : str
        Name of the model.
    cautions : list of str
        What should be known of the screen.
    command, version, packages : str
        The command, and the versions of this package and of those that fit.
    """

    screen: str
    sha256: str
    model: str
    cautions: list[str]
    command: str
    version: str
    packages: str


def report(about: About, screen: Screen, fit: Fit, threshold: float) -> Iterator[Block]:
    """Write a report on a screen.

    Parameters
    ----------
    about : About
        What it is about.
    screen : Screen
        The screen.
    fit : Fit
        The fit of a model with effects by gene and cell line.
    threshold : float
        Log fold change below which an effect is called strong.

    Yields
    ------
    str or Shown
        Text in Markdown, tables and figures.
    """
    scales, model = fit.scales(), models.get(about.model)
    effects = fit.gene_effects((0.0, threshold))
    yield _opening(about, model.TITLE)
    yield from _screen(screen)
    yield from _fitting(fit)
    yield _scales(screen, scales, model.FAMILY)
    yield from _effects(effects, threshold)
    yield from _pooling(screen, effects)
    yield from _disagreement(screen, scales, model.FAMILY)
    yield from _predictions(screen, fit, effects, scales, model.FAMILY)
    yield (
        f"## How it was made\n\n`{about.command}`, poolscreen {about.version}, "
        f"{about.packages}. SHA-256 of the table: `{about.sha256}`."
    )


def _words(text: str) -> str:
    """Join the lines of a text that is written over several."""
    return " ".join(text.split())


def _opening(about: About, title: str) -> str:
    cautions = "".join(f"- {plain(caution)}\n" for caution in about.cautions)
    return (
        f"# {about.screen}\n\nA report on the screen in `{about.screen}` by model "
        f"{about.model.removeprefix('m')} ({title}).\n\n"
        + (f"**To be kept in mind**\n\n{cautions}" if cautions else "")
    )


def _screen(screen: Screen) -> Iterator[Block]:
    yield "## What the screen holds"
    yield Shown(table(holdings(screen)), "holdings", "The screen.")
    yield Shown(
        table(by_cell_line(screen), digits=2),
        "cell_lines",
        "Log fold changes by cell line: rows, mean, standard deviation and quantiles.",
    )
    yield Shown(
        cell_lines(screen.table),
        "fig-cell-lines",
        "Distribution of the log fold changes in each cell line.",
        alt="A violin for each cell line, with its median as a bar.",
    )


def _fitting(fit: Fit) -> Iterator[Block]:
    yield "## Whether the fit can be used"
    yield _words(fit.words)
    yield Shown(table(fit.settings()), "settings", "How the model was fitted.")
    yield Shown(table(fit.quality()), "diagnostics", "What says that the fit can be used.")


def _scales(screen: Screen, posterior: xr.Dataset, family: Family | None) -> str:
    """Say which scales the data tell, and which only the prior does."""

    def scale(draws: xr.DataArray) -> str:
        low, high = interval(draws)
        return f"{float(draws.mean()):.2f} (94 % interval {low:.2f} to {high:.2f})"

    noise = f"The noise of a measurement has a standard deviation of {scale(posterior['sigma'])}."
    repeated = int((screen.replicates > 1).sum())
    if family is None or family.nested_sd is None:
        return _words(
            f"""{noise} To this model sgRNAs of one gene are repeated measurements of it: how they
            differ is part of that noise."""
        )
    nested = posterior[family.nested_sd]
    if repeated:
        return _words(
            f"""{noise} The sgRNAs of a gene scatter about it in a cell line with a standard
            deviation of {scale(nested)}. The data tell the two apart, since {repeated:,}
            combinations of sgRNA and cell line were measured more than once."""
        )
    together = (posterior["sigma"] ** 2 + nested**2) ** 0.5
    return _words(
        f"""A single measurement scatters about its gene with a standard deviation of
        {scale(together)}. **How much of it is the sgRNA's and how much
        is noise, these data do not say**: no sgRNA was measured twice in a cell line, and the model
        lets an sgRNA differ from line to line. The division is the prior's. What is said below of
        genes does not depend on it; intercepts of single sgRNAs would, and are not shown."""
    )


def _effects(effects: pd.DataFrame, threshold: float) -> Iterator[Block]:
    strong = effects[effects[f"P(below {threshold:g})"] > CERTAIN]
    yield "## Effects of the genes"
    yield _words(
        f"""Of {len(effects):,} effects of a gene in a cell line, {len(strong):,} are below
        {threshold:g} with a probability of more than {100 * CERTAIN:g} %; they are of
        {strong["gene"].nunique():,} genes. An effect is a log fold change, so {threshold:g} means
        {2**threshold:.2f} times as many cells as without the knock-out, if the logarithms are to
        base 2."""
    )
    lowest = effects.groupby("gene")["mean"].mean().sort_values().index[:LOWEST]
    yield Shown(
        heat_map(effects.set_index("gene").loc[lowest].reset_index(), title="Lowest effects"),
        "fig-effects",
        "The genes with the lowest effects, by their mean over the cell lines.",
        alt="Heat map of posterior mean effects, genes by cell lines, the lowest genes first.",
    )
    yield Shown(
        table(effects.sort_values("mean"), digits=2, searchable=True),
        "gene_effects",
        "Every gene in every cell line: posterior mean, standard deviation, 94 % interval, and the "
        "probabilities that the effect is below zero and below the threshold.",
    )


def _pooling(screen: Screen, effects: pd.DataFrame) -> Iterator[Block]:
    yield "## What pooling did"
    yield _words(
        """A gene with few measurements is pulled towards the mean of all genes; one with many
        hardly moves."""
    )
    yield Shown(
        shrinkage(before_and_after(screen, effects), title="Pull towards the mean"),
        "fig-shrinkage",
        "Effect of each gene in each cell line: posterior mean against the mean of its "
        "measurements. Strokes lead from no pooling (the line) to the estimate. Colour: number of "
        "sgRNAs of the gene.",
        alt="Scatter of posterior means against plain means, with strokes to the identity line.",
    )


def _disagreement(screen: Screen, posterior: xr.Dataset, family: Family | None) -> Iterator[Block]:
    apart = disagreement(screen, posterior, family)
    far = apart[apart["z"].abs() > FAR]
    yield "## sgRNAs that disagree with their gene"
    if len(apart):
        yield _words(
            f"""Each sgRNA is compared with the others of its gene in the same cell lines.
            {len(far):,} of {len(apart):,} lie more than {FAR:g} standard deviations away,
            {(far["it is"] == "higher").sum():,} of them higher. In a gene that cells need, a higher
            one may cut badly; a lower one may cut elsewhere, too. If the model were true,
            {len(apart) * 2 * stats.norm.sf(FAR):.1f} would lie so far by chance. More than that
            says that single measurements fail, or that sgRNAs keep their deviation from cell line
            to cell line; this model knows neither."""
        )
    else:
        yield "No gene has two sgRNAs, so none can be compared."
    yield Shown(
        table(apart, digits=2, searchable=True),
        "sgrnas",
        "sgRNAs by their distance from the others of their gene. Means are over the cell lines in "
        "which both were measured; z is the difference in standard deviations of the model.",
    )


def _predictions(
    screen: Screen, fit: Fit, effects: pd.DataFrame, scales: xr.Dataset, family: Family | None
) -> Iterator[Block]:
    yield "## Whether the model fits"
    yield _words(
        """Screens that the fit predicts, beside the one that was observed. A normal model has thin
        tails; where more observations lie far out than it expects, single effects are stronger, or
        failures grosser, than it can say, and its intervals there are too narrow."""
    )
    yield Shown(
        predictive(fit.predicted(), "posterior_predictive", title="Predicted and observed"),
        "fig-predicted",
        "Distributions of the log fold changes in predicted screens (blue), and in the observed "
        "one (black).",
        alt="Densities of predicted screens, with the observed density over them.",
    )
    yield Shown(
        table(tails(screen, effects, scales, family), digits=1),
        "tails",
        "Measurements that lie so many standard deviations below or above the effect of their "
        "gene, and how many a normal distribution would put on either side.",
    )

"""What a report on the hits of a screen says, from the top of its page down."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import pandas as pd

from poolscreen.display import table
from poolscreen.effects.efficacy import Scatter
from poolscreen.effects.hits import FAR, FEW, LISTED, Hits, few_genes
from poolscreen.figures import quality as figures
from poolscreen.reports import explorer
from poolscreen.reports.page import Block, Live, Shown, plain
from poolscreen.screens import quality
from poolscreen.screens.table import EXPECTED, INITIAL, Screen
from poolscreen.tables.screens import holdings

SHOWN = 200  # sgRNAs that disagree


@dataclass(frozen=True)
class About:
    """What a report is about, and how it was made.

    Attributes
    ----------
    screen, sha256 : str
        Name of the file with the screen, and the digest of its content.
    notes : list of str
        What was said while the table was read.
    counts : pandas.DataFrame or None
        Counts, a column per sample, where the table has them.
    initial : list of str
        The samples from before the screen.
    version : str
        Of this package.
    """

    screen: str
    sha256: str
    notes: list[str]
    counts: pd.DataFrame | None
    initial: list[str]
    version: str


def report(
    about: About,
    screen: Screen,
    hits: Hits,
    essential: Collection[str] = (),
    nonessential: Collection[str] = (),
) -> Iterator[Block]:
    """Write a report on the hits of a screen.

    Parameters
    ----------
    about : About
        What it is about.
    screen : Screen
        The screen.
    hits : Hits
        What was found.
    essential, nonessential : collection of str
        Gold standards, where there are any.

    Yields
    ------
    str, Shown or Live
        Text in Markdown, tables, and the figure of all genes.
    """
    sizes = hits.genes["cell_line"].value_counts(sort=False)
    mind = "".join(f"- {plain(few_genes(str(line), n))}\n" for line, n in sizes.items() if n < FEW)
    mind += "".join(f"- {plain(note)}\n" for note in hits.notes)
    yield (
        f"# {about.screen}\n\nGenes with an effect in the screen in `{about.screen}`, by model 9."
        + (f"\n\n**To be kept in mind**\n\n{mind}" if mind else "")
    )
    yield from _found(hits)
    yield Live(explorer.html(hits, screen), explorer.script())
    yield from _quality(about, screen, essential, nonessential)
    yield from _model(screen, hits)
    yield from _disagreement(hits)
    if hits.scatter is not None:
        yield from _alike(hits.scatter, hits)
    notes = "".join(f"- {plain(note)}\n" for note in about.notes)
    yield (
        f"## How it was made\n\n{notes}\npoolscreen {about.version}. SHA-256 of the table: "
        f"`{about.sha256}`."
    )


def _found(hits: Hits) -> Iterator[Block]:
    yield (
        "## Hits\n\nA gene is counted here if the list of all genes at least as certain is "
        f"expected to hold {LISTED:.0%} or less that have no effect, or one of the other sign (the "
        "false discovery rate, `fdr`). This rate rests on the model below; where a gold standard "
        "is given, the section on quality shows what comes of it."
    )
    yield Shown(
        table(_counted(hits.genes)), "counted", f"Hits at a false discovery rate of {LISTED:.0%}."
    )
    if len(hits.overall) or len(hits.differences):
        yield (
            "The lines have two more questions to answer. Which genes have an effect on average "
            "over the lines (`overall.csv`)? And which differ in one line from the mean of the "
            "others (`differences.csv`)? An sgRNA that cuts badly does so in all lines. It is one "
            "sgRNA in the mean, and drops out of a difference."
        )
        compared = [rows for rows in (hits.overall, hits.differences) if len(rows)]
        both = _counted(pd.concat(compared)).rename(
            columns={"cell_line": "mean or difference", "depleted": "lower", "enriched": "higher"}
        )
        yield Shown(
            table(both),
            "counted_parts",
            "Genes whose mean over the lines is not that of the controls, and genes of a line that "
            f"differ from the others, each at a false discovery rate of {LISTED:.0%}.",
        )


def _counted(genes: pd.DataFrame) -> pd.DataFrame:
    """Count the hits of each cell line."""
    rows = []
    for line, of_line in genes.groupby("cell_line", sort=False):
        listed = of_line[(of_line["fdr"] < LISTED) & (of_line["lfsr"] < 0.5)]
        depleted = (listed["mean"] < 0).sum()
        rows.append((line, len(of_line), depleted, len(listed) - depleted))
    return pd.DataFrame(rows, columns=["cell_line", "genes", "depleted", "enriched"])


def _quality(
    about: About, screen: Screen, essential: Collection[str], nonessential: Collection[str]
) -> Iterator[Block]:
    samples = pd.DataFrame()
    yield "## Quality of the screen"
    if about.counts is not None:
        samples = quality.by_sample(about.counts)
        yield Shown(
            table(samples, digits=2),
            "samples",
            "Reads of each sample. The Gini index is that of "
            "log(reads + 1); 0 would be the same number for all sgRNAs.",
        )
        yield Shown(
            figures.reads(about.counts),
            "reads",
            "Reads of the sgRNAs of each sample. The steeper a curve, the more even the sample.",
            alt="Cumulative distributions of the reads of sgRNAs, a curve for each sample.",
        )
    replicates = quality.of_replicates(screen.table)
    if len(replicates):
        yield Shown(
            table(replicates, digits=2),
            "replicates",
            "Correlation of the log fold changes of replicates.",
        )
    apart = pd.DataFrame()
    if essential and nonessential:
        apart = quality.separation(screen.table, essential, nonessential)
        if len(apart):
            yield Shown(
                table(apart, digits=3),
                "separation",
                "Essential and non-essential genes of the gold standards. Recall is at a precision "
                "of 95 %; both are of the mean log fold change, without a model.",
            )
            yield Shown(
                figures.separation(screen.table, essential, nonessential),
                "separated",
                "Log fold changes of the sgRNAs of essential, non-essential and other genes.",
                alt="Histograms of log fold changes by line: non-essential genes about zero, "
                "essential ones further down where the screen tells them apart.",
            )
    wrong = quality.suspicious(samples, about.initial, replicates, apart)
    yield "\n".join(f"- {plain(note)}" for note in wrong) or "Nothing of this looks wrong."
    yield Shown(table(holdings(screen)), "holdings", "The screen.")


def _model(screen: Screen, hits: Hits) -> Iterator[Block]:
    reads = (
        "The noise of a measurement follows the number of reads that are expected after the screen."
        if INITIAL in screen.table or EXPECTED in screen.table
        else "The table has no reads, so the noise of all measurements is the same."
    )
    yield (
        "## The model\n\nMost genes have no effect: their true values scatter closely about that "
        "of the controls. The others are depleted, or enriched. The sgRNAs of a gene differ in "
        f"proportion to its effect, and single ones by far, so their distribution has heavy tails. "
        f"{reads} The parameters are estimated by line, at the mode of their posterior; given "
        "these, the posterior of each gene is computed on a grid, without sampling."
    )
    parts = [mode.table().assign(cell_line=line) for line, mode in hits.modes.items()]
    wide = pd.concat(parts)[["cell_line", "parameter", "mode", "sd"]]
    yield Shown(table(wide, digits=3), "parameters", "The parameters of model 9.")


def _disagreement(hits: Hits) -> Iterator[Block]:
    apart = hits.guides
    more = f" The first {SHOWN} are shown." if len(apart) > SHOWN else ""
    yield (
        f"## sgRNAs that disagree with their gene\n\nOf an sgRNA in this table, {len(apart):,} in "
        f"all, a value as far from what the others of its gene predict had a probability below "
        f"{FAR:g}.{more}"
    )
    yield Shown(
        table(apart.head(SHOWN), digits=4),
        "guides_shown",
        "sgRNAs by how surprising they are, given the others of their gene.",
    )


def _alike(scatter: Scatter, hits: Hits) -> Iterator[Block]:
    of = hits.overall
    needed = of["gene"][(of["fdr"] < LISTED) & (of["mean"] < 0)]
    known = hits.sgrnas[hits.sgrnas["gene"].isin(needed)]
    weak = known[known["efficacy"] + 2 * known["sd"] < 1].sort_values("efficacy")
    more = f" The first {SHOWN} are shown." if len(weak) > SHOWN else ""
    yield (
        "## What sgRNAs do in all lines\n\nAn sgRNA that cuts badly does so in every line. Its "
        "*efficacy* is its share of what the sgRNAs of its gene do on average: 1 if it is like "
        "them, and 0 if it does nothing. Efficacies have a scale of "
        f"{scatter.efficacy:.2f} over all sgRNAs, and in each line an sgRNA scatters anew, with a "
        f"scale of {scatter.slope_alpha:.2f} times the effect. Independent of the effect, an sgRNA "
        f"is off by {scatter.offset:.2f} in all lines, and by {scatter.sigma_alpha:.2f} in each. "
        "The estimates are in `sgrnas.csv`. Where a gene has no effect in any line, nothing is "
        f"known of the efficacy of its sgRNAs. Of the {len(known):,} sgRNAs of genes that are "
        f"depleted on average over the lines, {len(weak):,} have an efficacy that is below 1 by "
        f"more than two standard deviations.{more}"
    )
    yield Shown(
        table(weak.head(SHOWN), digits=2),
        "weak_sgrnas",
        "sgRNAs that do less than the others of their gene, the weakest first: efficacy and offset "
        "(a log fold change), with their standard deviations.",
    )

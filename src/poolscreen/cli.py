"""The command `poolscreen`: what it does with a screen of one's own."""

import errno
import os
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from poolscreen import processes
from poolscreen.errors import PoolscreenError
from poolscreen.memory import out_of_memory
from poolscreen.names import visible

if TYPE_CHECKING:
    from poolscreen.reports.commands import Reading

BREAKS = "\n\t"  # what a message may have between its lines


class Group(click.Group):
    """Commands whose errors are one message, not a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; an error that a user can mend ends it with its message alone."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            message = _in_short(error)
            if not message:
                raise
        click.echo(f"error: {visible(message, keep=BREAKS)}", err=True)
        raise click.exceptions.Exit(1)


def _in_short(error: Exception) -> str:
    """Return the message of an error that a user can mend; of any other, nothing."""
    if isinstance(error, PoolscreenError):
        return str(error)
    if out_of_memory(error):
        return f"memory ran out. {error}".strip()
    # Libraries raise errors of several kinds where a disk is full, and few name the file.
    full = os.strerror(errno.ENOSPC)
    if full in "".join(traceback.format_exception(error)):
        return f"{getattr(error, 'filename', None) or 'writing'}: {full}; make room, and try again"
    if isinstance(error, OSError):  # no right, no such disk any more
        return f"{error.filename or 'writing'}: {error.strerror or error}"
    return ""


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Bayesian hierarchical models for pooled CRISPR screens."""
    for name, threads in processes.ONE_THREAD.items():  # before NumPy is imported
        os.environ.setdefault(name, threads)


PATH = click.Path(path_type=Path)
_screen = click.argument("screen", type=PATH)
_column = click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="NAME=COLUMN",
    help="What a column is called in the file, for example sgRNA=guide. Repeatable.",
)
_separator = click.option(
    "--separator",
    help="What parts the fields [default: commas; tabs in .tsv and .txt].",
)
_output = click.option("--output", "-o", type=PATH, help="Where to write.")
_force = click.option("--force", is_flag=True, help="Replace what is there.")


def _mapping(columns: tuple[str, ...]) -> dict[str, str]:
    for column in columns:
        if "=" not in column:
            raise PoolscreenError(
                f"--column takes NAME=COLUMN, for example sgRNA=guide, and was given {column}"
            )
    return dict(column.split("=", 1) for column in columns)


def _say(message: str) -> None:
    click.echo(visible(message, keep=BREAKS), err=True)


@main.command()
@_screen
@_column
@_separator
def validate(screen: Path, columns: tuple[str, ...], separator: str | None) -> None:
    """Say what is wrong with the table of a screen, before anything is sampled.

    SCREEN is a table (CSV, TSV, gzipped or not, or Parquet) with the columns cell_line, sgRNA,
    gene, log_fc and, where there are replicates, replicate.
    """
    from poolscreen.reports import commands

    commands.validate(screen, _mapping(columns), separator, _say)


@main.command("fold-change")
@click.argument("counts", type=PATH)
@click.option(
    "--samples",
    required=True,
    type=PATH,
    help="Table with a row per cell line and replicate: cell_line, replicate (where there are "
    "any), and which columns of COUNTS are its initial and its final.",
)
@click.option(
    "--controls",
    type=PATH,
    help="File with a gene without effect per line, to normalise and centre by [default: all].",
)
@click.option(
    "--min-initial",
    default=30.0,
    show_default=True,
    help="Leave out an sgRNA with fewer normalised reads before the screen.",
)
@click.option(
    "--pseudo-count",
    default=1.0,
    show_default=True,
    help="Normalised reads added to each count.",
)
@click.option(
    "--centre/--no-centre",
    default=True,
    show_default=True,
    help="Make the median log fold change of the controls zero.",
)
@_column
@_separator
@_output
@_force
def fold_change(
    counts: Path,
    samples: Path,
    controls: Path | None,
    min_initial: float,
    pseudo_count: float,
    centre: bool,
    columns: tuple[str, ...],
    separator: str | None,
    output: Path | None,
    force: bool,
) -> None:
    """Make the table of a screen from read counts.

    COUNTS is a table with the columns sgRNA, gene, and one per sample. Samples are brought to one
    scale by the median of ratios; the table has log fold changes to base 2.
    """
    from poolscreen.reports import commands

    commands.fold_change(
        counts,
        samples,
        output or Path(f"{commands.stem(counts)}_log_fc.csv"),
        controls=controls,
        options={
            "min_initial": min_initial,
            "pseudo_count": pseudo_count,
            "centre": centre,
            "columns": _mapping(columns),
        },
        separator=separator,
        force=force,
        say=_say,
    )


def _of_table(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the table that hits are found in, and the options that say how it is read."""
    for option in reversed(
        (
            click.argument("table", type=PATH),
            click.option(
                "--samples",
                type=PATH,
                help="Which columns of TABLE are samples; see `poolscreen fold-change --help`. "
                "Without it a guess is written, to be mended.",
            ),
            click.option(
                "--guides",
                "genes",
                type=PATH,
                help="Table with the gene of each sgRNA, where TABLE is a matrix without genes.",
            ),
            click.option(
                "--controls",
                type=PATH,
                help="File with a gene without effect per line [default: sgRNAs without a target, "
                "or all].",
            ),
            click.option("--essential", type=PATH, help="File with an essential gene per line."),
            click.option(
                "--nonessential", type=PATH, help="File with a non-essential gene per line."
            ),
            click.option(
                "--min-initial",
                default=30.0,
                show_default=True,
                help="Leave out an sgRNA with fewer normalised reads before the screen.",
            ),
            _column,
            _separator,
        )
    ):
        command = option(command)
    return command


class _Options(TypedDict):
    """What `_of_table` passes to a command besides the table."""

    samples: Path | None
    genes: Path | None
    controls: Path | None
    essential: Path | None
    nonessential: Path | None
    min_initial: float
    columns: tuple[str, ...]
    separator: str | None


def _reading(given: _Options) -> "Reading":
    from poolscreen.reports.commands import Reading

    return Reading(
        samples=given["samples"],
        genes=given["genes"],
        controls=given["controls"],
        essential=given["essential"],
        nonessential=given["nonessential"],
        options={"min_initial": given["min_initial"], "columns": _mapping(given["columns"])},
        separator=given["separator"],
    )


@main.command()
@_of_table
@click.option(
    "--contrast",
    metavar="LINE:OTHER",
    help="Find the genes whose effect in one cell line, or arm, differs from that in another.",
)
@_output
@_force
def hits(
    table: Path, contrast: str | None, output: Path | None, force: bool, **options: Unpack[_Options]
) -> None:
    """Find the genes with an effect, each list with the share of it that is false.

    TABLE has read counts (sgRNA, gene, and a column per sample), or log fold changes (see
    `poolscreen validate --help`). A folder is written with hits.csv, a report (HTML), the sgRNAs
    that disagree with their gene, and the quality of the screen.
    """
    from poolscreen.reports import commands

    commands.hits(
        table,
        output or Path(f"{commands.stem(table)}_hits"),
        _reading(options),
        contrast=contrast,
        force=force,
        say=_say,
    )


@main.group()
def scattered() -> None:
    """Find hits part by part, on several machines: the steps of workflow/hits.smk."""


@scattered.command("read")
@_of_table
@click.option("--work", type=PATH, required=True, help="The folder that the steps share.")
def scattered_read(table: Path, work: Path, **options: Unpack[_Options]) -> None:
    """Read a screen; see `poolscreen hits --help`."""
    from poolscreen.reports import scattered

    scattered.read(table, work, _reading(options), _say)


@scattered.command("fit")
@click.argument("work", type=PATH)
@click.argument("number", type=int)
def scattered_fit(work: Path, number: int) -> None:
    """Fit a part of the screen in the folder WORK, by its NUMBER in parts.json."""
    from poolscreen.reports import scattered

    scattered.fit(work, number, _say)


@scattered.command("gather")
@click.argument("work", type=PATH)
@click.option("--output", "-o", type=PATH, required=True, help="Where to write.")
@_force
def scattered_gather(work: Path, output: Path, force: bool) -> None:
    """Join the parts in the folder WORK into what `poolscreen hits` writes."""
    from poolscreen.reports import scattered

    scattered.gather(work, output, force=force, say=_say)


@main.command()
@click.argument("model")
@click.option(
    "--screen",
    type=PATH,
    required=True,
    help="Table of a screen; see `poolscreen validate --help`.",
)
@_column
@_separator
@_output
@_force
def fit(
    model: str,
    screen: Path,
    columns: tuple[str, ...],
    separator: str | None,
    output: Path | None,
    force: bool,
) -> None:
    """Fit a model to a screen: a folder with the fit (NetCDF) and its tables (CSV).

    MODEL is, for example, m7b. The fit is written only if it has converged.
    """
    from poolscreen.reports import commands

    commands.fit(
        screen,
        model,
        output or Path(f"{commands.stem(screen)}_{model}"),
        columns=_mapping(columns),
        separator=separator,
        force=force,
        say=_say,
    )


@main.command()
@_screen
@click.option("--model", default="m7b", show_default=True, help="The model to fit.")
@click.option(
    "--threshold",
    default=-1.0,
    show_default=True,
    help="Log fold change below which an effect is called strong.",
)
@_column
@_separator
@_output
@_force
def report(
    screen: Path,
    model: str,
    threshold: float,
    columns: tuple[str, ...],
    separator: str | None,
    output: Path | None,
    force: bool,
) -> None:
    """Report on a screen: a folder with one page (HTML) and its tables (CSV).

    SCREEN is a table; see `poolscreen validate --help`. The page needs no network and no other
    file.
    """
    from poolscreen.reports import commands

    commands.report(
        screen,
        model,
        output or Path(f"{commands.stem(screen)}_report"),
        threshold=threshold,
        columns=_mapping(columns),
        separator=separator,
        force=force,
        say=_say,
    )

"""The command `poolscreen`: what `make` and the rules of the workflow call."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import click

from poolscreen import chapters, flow, project, publishing
from poolscreen.errors import PoolscreenError


class _Group(click.Group):
    """Commands whose errors are one message, not a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except PoolscreenError as error:
            message = str(error)
        except OSError as error:  # no room, no right, no such disk any more
            message = f"{error.filename or 'writing'}: {error.strerror}"
        click.echo(f"error: {message}", err=True)
        raise click.exceptions.Exit(1)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Bayesian hierarchical models for pooled CRISPR screens, and the book about them."""
    for name, threads in project.ONE_THREAD.items():  # before NumPy is imported
        os.environ.setdefault(name, threads)


@main.command()
@click.option("--cores", default=os.cpu_count(), show_default=True, help="Jobs at a time.")
@click.option("--dry-run", is_flag=True, help="Only list what would run.")
def build(cores: int, dry_run: bool) -> None:
    """Make the book: what is not up to date, and no more."""
    _check_import()
    flow.check()
    command = [sys.executable, "-m", "snakemake", "--snakefile", "workflow/Snakefile"]
    command += ["--cores", str(cores), "--rerun-incomplete"]
    command += ["--max-checksum-file-size", "1GB", "--quiet", "reason", "host"]
    command += [] if dry_run else ["rules"]
    # The lock below is freed by the kernel when a build is killed; Snakemake's is not.
    command += ["--nolock", *(["--dry-run"] if dry_run else [])]
    with project.alone("build") as lock:
        publishing.restore()
        logs = project.root() / "logs"
        if not dry_run:
            shutil.rmtree(logs, ignore_errors=True)
        ran = subprocess.Popen(command, cwd=project.root(), pass_fds=(lock,))
        try:
            status = _wait(ran)
        except KeyboardInterrupt:
            ran.wait()
            raise PoolscreenError(
                "interrupted; the last good site is as it was, and `make book` goes on from here"
            ) from None
    if status:
        raise PoolscreenError(_what_failed(logs) or "the workflow failed; see above")
    if not dry_run:
        # Also where nothing had to be done: the records that say so may be lost, or wrong.
        flow.check_fresh("the site", json.loads(publishing.pedigree_path().read_text()))
        click.echo(f"The book is ready: {publishing.html_path() / 'index.html'}")


def _wait(process: "subprocess.Popen[bytes]") -> int:
    """Wait for a process, and say now and then that it is still at work."""
    started = time.monotonic()
    while True:
        try:
            return process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            click.echo(f"build: {time.monotonic() - started:.0f} s so far")


def _check_import() -> None:
    here = project.root() / "src"
    if not Path(__file__).is_relative_to(here):
        raise PoolscreenError(
            f"poolscreen is imported from {Path(__file__).parent.parent}, not from {here}; run "
            "`make book` there, or set PYTHONPATH=src"
        )


def _what_failed(logs: Path) -> str:
    """Collect the messages of the jobs that failed, from their logs."""
    messages = []
    for log in sorted(logs.rglob("*.log")):
        found = re.search(r"^(error: |Traceback )", log.read_text(), flags=re.MULTILINE)
        if found:
            message = log.read_text()[found.start() :].removeprefix("error: ").rstrip()
            messages.append(f"{message}\n(log: {log.relative_to(project.root())})")
    return "\n\n".join(messages)


@main.command()
def check() -> None:
    """Find what would stop a build: pages, pairs, fits that nothing makes."""
    flow.check()


@main.command()
def pair() -> None:
    """Bring the notebooks of the pairs in step with their scripts."""
    for chapter in chapters.names():
        chapters.write_notebook(chapter)


@main.command("new-chapter")
@click.argument("model")
@click.argument("title")
def new_chapter(model: str, title: str) -> None:
    """Write the start of a chapter: a model, a notebook pair, an entry in _toc.yml.

    MODEL is what the model is called in code, for example m7d; TITLE is the chapter's.
    """
    from poolscreen import new_chapter as start  # noqa: PLC0415

    _check_import()
    for path in start.create(model, title):
        click.echo(path.relative_to(project.root()))
    click.echo("`make book` makes the book with it; book/extending.md says what to edit")


@main.command()
def pdf() -> None:
    """Print the finished book into one PDF, with Chromium."""
    from poolscreen import printing  # noqa: PLC0415

    printing.write_pdf()
    click.echo(f"The book as PDF: {printing.pdf_path()}")


@main.command()
def picture() -> None:
    """Bring the picture in the README in step with the book."""
    from poolscreen import staging  # noqa: PLC0415

    with project.replacing(project.root() / "book" / "_static" / "key-figure.png") as part:
        part.write_bytes(staging.key_figure().read())


# A screen of one's own ----------------------------------------------------------------------

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
    click.echo(message, err=True)


@main.command()
@_screen
@_column
@_separator
def validate(screen: Path, columns: tuple[str, ...], separator: str | None) -> None:
    """Say what is wrong with the table of a screen, before anything is sampled.

    SCREEN is a table (CSV, TSV, gzipped or not, or Parquet) with the columns cell_line, sgRNA,
    gene, log_fc and, where there are replicates, replicate.
    """
    from poolscreen import own  # noqa: PLC0415 (pandas takes a second to import)

    own.read(screen, _mapping(columns), separator, _say)


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
def fold_change(  # noqa: PLR0917 (click passes them by name)
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
    from poolscreen import own  # noqa: PLC0415 (as above)

    own.fold_change(
        counts,
        samples,
        output or Path(f"{own.stem(counts)}_log_fc.csv"),
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


@main.command()
@click.argument("model")
@click.option(
    "--screen",
    type=PATH,
    help="Table of a screen; see `poolscreen validate --help`. Without it, the book's.",
)
@_column
@_separator
@_output
@_force
def fit(  # noqa: PLR0917 (as above)
    model: str,
    screen: Path | None,
    columns: tuple[str, ...],
    separator: str | None,
    output: Path | None,
    force: bool,
) -> None:
    """Fit a model to a screen: a folder with the fit (NetCDF) and its tables (CSV).

    MODEL is, for example, m7b. The fit is written only if it has converged.
    """
    if screen is None:
        _fit_of_the_book(model)
        return
    from poolscreen import own  # noqa: PLC0415 (as above)

    own.fit(
        screen,
        model,
        output or Path(f"{own.stem(screen)}_{model}"),
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
def report(  # noqa: PLR0917 (as above)
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
    from poolscreen import own  # noqa: PLC0415 (as above)
    from poolscreen import report as reporting  # noqa: PLC0415

    reporting.write(
        screen,
        model,
        output or Path(f"{own.stem(screen)}_report"),
        threshold=threshold,
        columns=_mapping(columns),
        separator=separator,
        force=force,
        say=_say,
    )


# The steps of the workflow ------------------------------------------------------------------


@main.command()
def simulate() -> None:
    """Step of the workflow: simulate the screen."""
    from poolscreen.simulate import Design  # noqa: PLC0415
    from poolscreen.simulate import simulate as run  # noqa: PLC0415

    for path, table in zip(
        (project.screen_path(), project.truth_path()), run(Design()), strict=True
    ):
        with project.replacing(path) as part:
            table.to_csv(part, index=False)


def _fit_of_the_book(name: str) -> None:
    """Step of the workflow: make a fit of the book, for example `m7a` or `wang2014/m7a`."""
    with project.alone(f"fit of {name}"):
        # Before the code is imported, and again when it has run.
        inputs = flow.digest([*flow.fit_sources(name), flow.fit_screen(name)])
        from poolscreen import fits, sampling, screen  # noqa: PLC0415

        of_screen, model = project.split_fit(name)
        fitted, tables = sampling.fit(
            model,
            screen.load_screen(of_screen),
            sampling.Settings(),
            report=lambda message: click.echo(f"{name}: {message}"),
        )
        flow.check_fresh(f"the fit of {name}", inputs)
        written = fits.write_tables(project.tables_path(name), tables)
        fitted.attrs["inputs"] = fits.json_text(inputs)
        fitted.attrs["tables"] = fits.json_text(flow.digest(written))
        fits.write_fit(project.fit_path(name), fitted)


@main.command()
@click.argument("model")
@click.argument("batch", type=int)
def calibrate(model: str, batch: int) -> None:
    """Step of the workflow: one batch of the calibration of a model."""
    name = f"calibration of {model}, batch {batch}"
    with project.alone(name):
        inputs = flow.digest(flow.calibration_sources(model))
        from poolscreen import calibration, fits  # noqa: PLC0415

        found = calibration.run_batch(
            model, batch, report=lambda message: click.echo(f"{name}: {message}")
        )
        flow.check_fresh(f"the {name}", inputs)
        found.attrs["inputs"] = fits.json_text(inputs)
        with project.replacing(project.calibration_paths(model)[batch]) as part:
            found.to_netcdf(part, engine="h5netcdf")


@main.command()
@click.argument("model")
def predict(model: str) -> None:
    """Step of the workflow: predict each part of the simulated screen from its rest."""
    name = f"predictions of {model}"
    with project.alone(name):
        results = [project.screen_path(), project.fit_path(model)]
        inputs = flow.digest(
            [
                *flow.predictions_sources(model),
                *(path.relative_to(project.root()).as_posix() for path in results),
            ]
        )
        from poolscreen import fits, prediction  # noqa: PLC0415

        found = prediction.predict_book(
            model, report=lambda message: click.echo(f"{name}: {message}")
        )
        flow.check_fresh(f"the {name}", inputs)
        found.attrs["inputs"] = fits.json_text(inputs)
        fits.write_fit(project.predictions_path(model), found)


@main.command()
def samplers() -> None:
    """Step of the workflow: compare samplers on the simulated screen."""
    with project.alone("samplers"):
        inputs = flow.digest([*flow.samplers_sources(), "results/screen.csv"])
        import xarray as xr  # noqa: PLC0415

        from poolscreen import comparison, fits, screen  # noqa: PLC0415

        found = comparison.compare(
            screen.load_screen(), report=lambda text: click.echo(f"samplers: {text}")
        )
        flow.check_fresh("the comparison of samplers", inputs)
        tree = xr.DataTree.from_dict(found)
        tree.attrs["inputs"] = fits.json_text(inputs)
        with project.replacing(project.samplers_path()) as part:
            tree.to_netcdf(part, engine="h5netcdf")


@main.command()
@click.argument("chapter")
def execute(chapter: str) -> None:
    """Step of the workflow: execute a chapter."""
    import nbformat  # noqa: PLC0415

    from poolscreen import execution  # noqa: PLC0415

    with project.alone(f"execution of {chapter}"):
        inputs = flow.digest([*flow.chapter_sources(chapter), *flow.chapter_results(chapter)])
        notebook = chapters.make_notebook(chapter)
        folder = project.root() / chapters.FOLDER
        executed = execution.execute(notebook, chapter, folder)
        flow.check_fresh(chapter, inputs)
        executed.metadata["poolscreen"] = {"inputs": inputs}
        with project.replacing(project.executed_path(chapter)) as part:
            nbformat.write(executed, part)


@main.command()
def site() -> None:
    """Step of the workflow: build the site from the executed chapters."""
    from poolscreen import site as pages  # noqa: PLC0415

    with project.alone("site"):
        pages.build()

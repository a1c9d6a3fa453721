"""The commands that `make` and the rules of the workflow call."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import click

from poolscreen import files, processes
from poolscreen.cli import Group
from poolscreen.errors import PoolscreenError
from poolscreen.progress import Progress, Say
from press import chapters, flow, locks, made, paths, publishing, steps, times

# What job.sh says last of a job that failed; a kernel that has lost its parent may say more.
FAILED = re.compile(r"^(.+) (was killed by signal|ended with status) \d+$", flags=re.MULTILINE)
MESSAGE = re.compile(r"^(error: (?P<short>.+)|Traceback .+)\Z", flags=re.MULTILINE | re.DOTALL)
KILLED = "the workflow was killed (signal {}); `make book` goes on from here"
LITTLE = 2**20  # bytes: a disk with no more room than that is full


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Make the book, check it, extend it."""
    for name, threads in processes.ONE_THREAD.items():  # before NumPy is imported
        os.environ.setdefault(name, threads)


@main.command()
@click.option("--cores", default=os.cpu_count(), show_default=True, help="Jobs at a time.")
@click.option("--dry-run", is_flag=True, help="Only list what would run.")
@click.option("--results", is_flag=True, help="Make what pages show, and not the site.")
@click.option("--profile", help="Where jobs run: a folder of workflow/profiles, or a path to one.")
def build(cores: int, dry_run: bool, results: bool, profile: str | None) -> None:
    """Make the book: what is not up to date, and no more."""
    _build(cores, dry_run=dry_run, results=results, profile=profile)


def _build(
    cores: int, *, dry_run: bool = False, results: bool = False, profile: str | None = None
) -> None:
    _check_import()
    steps.check()
    command = [sys.executable, "-m", "snakemake", "--snakefile", "workflow/Snakefile"]
    # Of a cluster, the profile says how many jobs run at a time.
    command += ["--profile", str(_profile(profile))] if profile else ["--cores", str(cores)]
    command += ["--rerun-incomplete"]
    command += ["--max-checksum-file-size", "1GB", "--quiet", "reason", "host"]
    command += [] if dry_run else ["rules"]
    # The lock below is freed by the kernel when a build is killed; Snakemake's is not.
    command += ["--nolock", *(["--dry-run"] if dry_run else [])]
    command += ["results"] if results else []
    with locks.alone("build") as lock:
        logs = paths.root() / "logs"
        if not dry_run:
            shutil.rmtree(logs, ignore_errors=True)
            times.begin()
            made.remove_parts()
            made.mend(click.echo)
            made.leave_the_future()
        publishing.restore()
        ran = subprocess.Popen(command, cwd=paths.root(), pass_fds=(lock,))
        try:
            status = _wait(ran)
        except KeyboardInterrupt:
            ran.wait()
            raise PoolscreenError(
                "interrupted; the last good site is as it was, and `make book` goes on from here"
            ) from None
        # Still alone: whoever comes next may clean.
        if status:
            raise PoolscreenError(_what_failed(logs) if status > 0 else KILLED.format(-status))
        if not (dry_run or results):
            # Also where nothing had to be done: the records that say so may be lost, or wrong.
            flow.check_fresh("the site", json.loads(publishing.pedigree_path().read_text()))
            if said := times.summary():
                click.echo(said)
            click.echo(f"The book is ready: {publishing.html_path() / 'index.html'}")


def _profile(name: str) -> Path:
    """Return the folder of a profile: one of this book, or one's own."""
    ours = paths.root() / "workflow" / "profiles"
    for folder in (ours / name, Path(name)):
        if (folder / "config.yaml").is_file():
            return folder
    there = ", ".join(sorted(path.name for path in ours.iterdir()))
    raise PoolscreenError(
        f"there is no profile {name!r}: neither {ours / name} nor {name} has a config.yaml; there "
        f"are {there}"
    )


def _wait(process: "subprocess.Popen[bytes]") -> int:
    """Wait for a process, and say now and then that it is still at work."""
    started, progress = time.monotonic(), Progress(click.echo, every=30)
    while True:
        try:
            return process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            progress(f"build: {time.monotonic() - started:.0f} s so far")


def _check_import() -> None:
    here = paths.root() / "src"
    if not Path(__file__).is_relative_to(here):
        raise PoolscreenError(
            f"poolscreen is imported from {Path(__file__).parent.parent}, not from {here}; run "
            "`make book` there, or set PYTHONPATH=src"
        )


def _what_failed(logs: Path) -> str:
    """Collect the messages of the jobs that failed, from their logs."""
    messages = []
    for log in sorted(logs.rglob("*.log")):
        said = log.read_text()
        if failed := FAILED.search(said):
            if found := MESSAGE.search(said[: failed.start()].rstrip()):
                message = found["short"] or found[0]
            else:
                message = (
                    f"{failed[0]}. If nobody stopped it, memory has run out. "
                    f"{times.more_memory(failed[1])}"
                )
            messages.append(f"{message}\n(log: {log.relative_to(paths.root())})")
    if not messages and shutil.disk_usage(paths.root()).free < LITTLE:
        return f"{paths.root()}: no room is left there; make some, and run `make book` again"
    return "\n\n".join(messages) or "the workflow itself failed; its last lines are above"


@main.command()
def clean() -> None:
    """Remove what the rules made, once no build runs; measurements stay."""
    root = paths.root()
    with locks.alone("build"):
        found = [*(root / "results").glob("*"), *(root / "_build").glob("*")]
        # The locks stay: a build that waits for one would hold what nobody else sees.
        kept = {paths.benchmark_path("").parent, locks.folder()}
        for path in [*found, root / "logs", root / ".snakemake"]:
            if path.is_dir() and path not in kept:
                shutil.rmtree(path)
            elif path.is_file():
                path.unlink()


@main.command()
@click.option("--port", default=8000, show_default=True, help="Where; 0 takes a free one.")
def serve(port: int) -> None:
    """Make the book, show it on this machine, and what is edited as it is saved."""
    from press import serving

    with serving.listen(port) as listening:
        known = serving.digests()
        _build(os.cpu_count() or 1)
        serving.serve(listening, known, click.echo)


@main.command()
def check() -> None:
    """Find what would stop a build: pages, pairs, fits that nothing makes."""
    steps.check()


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
    from press import new_chapter

    _check_import()
    for path in new_chapter.create(model, title):
        click.echo(path.relative_to(paths.root()))
    click.echo("`make book` makes the book with it; book/extending.md says what to edit")


@main.command()
@click.option("--advisories", type=click.Path(exists=True, path_type=Path), help="An own list.")
def audit(advisories: Path | None) -> None:
    """Say what of the locked environment is out of date, and what is known to be unsafe."""
    from press import audit

    click.echo(audit.outdated())
    click.echo(audit.compare(advisories) if advisories else audit.look_up())


@main.command()
def pdf() -> None:
    """Print the finished book into one PDF, with Chromium."""
    from press import printing

    printing.write_pdf()
    click.echo(f"The book as PDF: {printing.pdf_path()}")


@main.command()
def picture() -> None:
    """Bring the picture in the README in step with the book."""
    from press import staging

    with files.replacing(paths.root() / "book" / "_static" / "key-figure.png") as part:
        part.write_bytes(staging.key_figure().read())


# The steps of the workflow ------------------------------------------------------------------


@main.command()
def simulate() -> None:
    """Step of the workflow: simulate the screen."""
    with steps.job("simulate"):
        from poolscreen.screens import simulate

        for path, table in zip(
            (paths.screen_path(), paths.truth_path()),
            simulate.simulate(simulate.Design()),
            strict=True,
        ):
            with files.replacing(path) as part:
                table.to_csv(part, index=False)


@main.command("fold-change")
@click.argument("screen")
def fold_change(screen: str) -> None:
    """Step of the workflow: log fold changes of a real screen, from its read counts."""
    with steps.job("fold-change", screen):
        from poolscreen import cli

        counts, samples, output = (
            paths.short(path(screen))
            for path in (paths.counts_path, paths.samples_path, paths.screen_path)
        )
        arguments = [counts, "--samples", samples, "--output", output, "--force"]
        cli.fold_change.main(arguments, standalone_mode=False)


@main.command()
@click.argument("name")
def fit(name: str) -> None:
    """Step of the workflow: a fit, for example `m7a`, or `wang2014/m7a` on a real screen."""
    with steps.job("fit", name) as inputs:
        from poolscreen import models
        from poolscreen.inference import fitting, sampling, store
        from press import results

        screen, model = paths.split_fit(name)
        few = models.get(model).FAMILY is not None  # effects integrate out
        settings = sampling.MARGINAL if few else sampling.Settings()
        say = _said_of(name)
        fitted, tables = fitting.fit(model, results.load_screen(screen), settings, say)
        record = inputs.unchanged()
        written = store.write_tables(paths.tables_path(name), tables)
        fitted.attrs["inputs"] = store.json_text(record)
        fitted.attrs["tables"] = store.json_text(flow.digest(map(paths.short, written)))
        store.write_fit(paths.fit_path(name), fitted)


@main.command()
@click.argument("model")
def calibrate(model: str) -> None:
    """Step of the workflow: calibrate a model."""
    with steps.job("calibrate", model) as inputs:
        from poolscreen import models
        from poolscreen.inference import calibration, store

        design = calibration.design()
        calibrated = calibration.calibrate(models.get(model), design, say=_said_of(model))
        store.write_result(paths.calibration_path(model), calibrated, inputs.unchanged())


@main.command()
@click.argument("model")
def predict(model: str) -> None:
    """Step of the workflow: predict each part of the simulated screen from its rest."""
    with steps.job("predict", model) as inputs:
        from poolscreen.inference import recovery, store
        from press import results

        predictions = recovery.predict_and_recover(model, results.load_screen(), _said_of(model))
        predictions.attrs["inputs"] = store.json_text(inputs.unchanged())
        store.write_fit(paths.predictions_path(model), predictions)


@main.command()
@click.argument("name")
def attempt(name: str) -> None:
    """Step of the workflow: sample a model in another way than the book's, as `m7b/pymc`."""
    with steps.job("attempt", name) as inputs:
        from poolscreen import models
        from poolscreen.inference import samplers, sampling, store
        from press import results

        model, sampler = name.split("/")
        # One core: it takes long, and other jobs go on beside it.
        sampled = samplers.attempt(
            models.get(model), results.load_screen(), sampler, sampling.Settings(), cores=1
        )
        store.write_result(paths.attempt_path(name), sampled, inputs.unchanged())


@main.command()
@click.argument("chapter")
def execute(chapter: str) -> None:
    """Step of the workflow: execute a chapter."""
    with steps.job("execute", chapter) as inputs:
        import nbformat

        from press import execution

        notebook = chapters.make_notebook(chapter)
        executed = execution.execute(notebook, chapter, paths.root() / chapters.FOLDER)
        executed.metadata["poolscreen"] = {"inputs": inputs.unchanged()}
        with files.replacing(paths.executed_path(chapter)) as part:
            nbformat.write(executed, part)


@main.command("site")
def build_site() -> None:
    """Step of the workflow: build the site from the executed chapters."""
    from press import site

    with locks.alone("site"), times.taken("site"):
        site.build()
        made.record("site", [paths.short(publishing.pedigree_path())])


def _said_of(job: str) -> Say:
    """Return what says, of a job, how far it is."""
    return lambda message: click.echo(f"{job}: {message}")

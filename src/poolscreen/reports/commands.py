"""A screen of one's own: from a file to a checked table, a fit, a report."""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from poolscreen import files, models
from poolscreen.errors import PoolscreenError
from poolscreen.progress import Say
from poolscreen.screens import cautions, reading, table
from poolscreen.screens.counts import fold_changes


def stem(path: Path) -> str:
    """Return the name of a file without its endings."""
    return path.name.split(".")[0]


def read(path: Path, columns: Mapping[str, str], separator: str | None, say: Say) -> table.Screen:
    """Read a screen, and say what it holds and what should be known of it.

    Raises
    ------
    PoolscreenError
        It names every fault.
    """
    found = reading.read_screen(path, columns=columns, separator=separator)
    say(
        f"{path}: {len(found.log_fc):,} rows, {len(found.genes):,} genes, "
        f"{len(found.sgrnas):,} sgRNAs, {len(found.cell_lines):,} cell lines"
    )
    for caution in cautions.cautions(found):
        say(f"mind: {caution}")
    return found


def check_model(model: str) -> None:
    """Refuse a model that there is not, before any work is done.

    Raises
    ------
    PoolscreenError
        It names the models that there are.
    """
    if not models.exists(model):
        models.get(model)


def check_output(path: Path, *, force: bool) -> None:
    """Refuse a place that must not, or cannot, be written to, before any work is done.

    Raises
    ------
    PoolscreenError
        It names the place and the remedy.
    """
    if path.exists() and not force:
        raise PoolscreenError(
            f"{path} is there already; pass --force to replace it, or another --output"
        )
    if not path.parent.is_dir():
        raise PoolscreenError(
            f"{path} cannot be written: there is no folder {path.parent}; make it first"
        )
    try:
        TemporaryDirectory(dir=path.parent).cleanup()
    except OSError as error:
        raise PoolscreenError(
            f"{path} cannot be written: {error.strerror}; choose another --output"
        ) from error


def fold_change(
    counts: Path,
    samples: Path,
    output: Path,
    *,
    controls: Path | None,
    options: Mapping[str, Any],
    separator: str | None,
    force: bool,
    say: Say,
) -> None:
    """Make the table of a screen from read counts, see `poolscreen.screens.counts.fold_changes`."""
    check_output(output, force=force)
    genes = controls.read_text(encoding="utf-8").split("\n") if controls else []
    table, notes = fold_changes(
        reading.read_table(counts, separator),
        reading.read_table(samples),
        controls={gene.strip() for gene in genes if gene.strip()},
        **options,
    )
    for note in notes:
        say(note)
    with files.replacing(output) as part:
        table.to_csv(part, index=False)
    say(f"{output}: {len(table):,} log fold changes")


def fit(
    path: Path,
    model: str,
    output: Path,
    *,
    columns: Mapping[str, str],
    separator: str | None,
    force: bool,
    say: Say,
) -> None:
    """Fit a model to a screen and write the fit and its tables into a folder."""
    check_model(model)
    check_output(output, force=force)
    data = read(path, columns, separator, say)
    from poolscreen.inference import store
    from poolscreen.reports import fits

    fitted = fits.fit(model, data, say)
    with files.replacing_folder(output) as folder:
        for name, table in fitted.tables().items():
            table.to_csv(folder / f"{name}.csv", index=False)
        store.write_fit(folder / "fit.nc", fitted.tree())
        written = sorted(path.name for path in folder.iterdir())
    say(f"{output}: {', '.join(written)}")


def report(
    path: Path,
    model: str,
    output: Path,
    *,
    threshold: float,
    columns: Mapping[str, str],
    separator: str | None,
    force: bool,
    say: Say,
) -> None:
    """Fit a model to a screen and write a report into a folder: a page, and its tables as CSV."""
    check_model(model)
    check_output(output, force=force)
    data = read(path, columns, separator, say)
    from poolscreen.reports import fits, page
    from poolscreen.reports.report import About
    from poolscreen.reports.report import report as written

    fits.check_effects(model, data)
    fitted = fits.fit(model, data, say)
    say("writing the report")
    about = About(
        screen=path.name,
        sha256=files.sha256(path),
        model=model,
        cautions=cautions.cautions(data),
        command=f"poolscreen report {path.name} --model {model} --threshold {threshold:g}",
        version=version("poolscreen"),
        packages=", ".join(f"{name} {version(name)}" for name in fitted.packages),
    )
    blocks = list(written(about, data, fitted, threshold))
    with files.replacing_folder(output) as folder:
        for name, text in page.csv_of(blocks).items():
            (folder / f"{name}.csv").write_text(text, encoding="utf-8")
        (folder / "report.html").write_text(page.html(blocks, title=path.name), encoding="utf-8")
    say(f"{output}: report.html, and its tables as CSV")

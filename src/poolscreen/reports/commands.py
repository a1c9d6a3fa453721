"""A screen of one's own: from a file to a checked table, a fit, a report."""

import hashlib
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pandas as pd

from poolscreen import files, models
from poolscreen.errors import PoolscreenError
from poolscreen.progress import Say
from poolscreen.screens import cautions, matrix, reading, table, tidy
from poolscreen.screens.counts import fold_changes, with_genes
from poolscreen.screens.samples import guess

if TYPE_CHECKING:
    from poolscreen.effects.hits import Hits
    from poolscreen.reports.page import Block

NO_READS = "the table has log fold changes, and no counts: the noise cannot follow the reads"


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
    return _read(path, columns, separator, say)[0]


def _read(
    path: Path, columns: Mapping[str, str], separator: str | None, say: Say
) -> tuple[table.Screen, str]:
    """Read a screen as `read` does; return it with the digest of what was read."""
    content = reading.fetch(path)
    found = reading.as_screen(
        reading.parse(content, path, separator), path, columns=columns, say=say
    )
    return _described(found, path, say), hashlib.sha256(content).hexdigest()


def _described(found: table.Screen, path: Path, say: Say) -> table.Screen:
    """Say what a screen holds and what should be known of it."""
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
    if model == models.OF_HITS:
        raise PoolscreenError(f"{model} is the model of `poolscreen hits`; use that command")
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
    table, notes = fold_changes(
        reading.read_table(counts, separator),
        reading.read_table(samples),
        controls=_names(controls) if controls else (),
        **options,
    )
    for note in notes:
        say(note)
    with files.replacing(output) as part:
        part.write_text(files.csv_text(table), encoding="utf-8")
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
    if matrix.is_large(path):
        _fit_large(path, model, output, columns, say)
        return
    data = read(path, columns, separator, say)
    from poolscreen.inference import store
    from poolscreen.reports import fits

    fitted = fits.fit(model, data, say)
    with files.replacing_folder(output) as folder:
        store.write_tables(folder, fitted.tables())
        store.write_fit(folder / "fit.nc", fitted.tree())
        written = sorted(path.name for path in folder.iterdir())
    say(f"{output}: {', '.join(written)}")


def validate(path: Path, columns: Mapping[str, str], separator: str | None, say: Say) -> None:
    """Say what is wrong with the table of a screen, or what it holds.

    Raises
    ------
    PoolscreenError
        It names every fault.
    """
    if matrix.is_large(path):
        _read_large(path, columns, say)
    else:
        read(path, columns, separator, say)


def _read_large(path: Path, columns: Mapping[str, str], say: Say) -> matrix.Matrix:
    """Read a screen in pieces, and say what it holds."""
    try:
        with reading.unchanged(path):
            found = matrix.read_matrix(path, columns, say)
    except PoolscreenError as error:
        raise PoolscreenError(f"{path}: {error}") from error
    say(
        f"{path}: {found.rows:,} rows, {len(found.genes):,} genes, {len(found.sgrnas):,} sgRNAs, "
        f"{len(found.cell_lines):,} cell lines"
    )
    return found


def _fit_large(path: Path, model: str, output: Path, columns: Mapping[str, str], say: Say) -> None:
    """Fit a nested model to a screen that is too large for a table in memory."""
    from poolscreen.families.nested.levels import Levels
    from poolscreen.inference import store
    from poolscreen.inference.large import solve_large

    family = models.get(model).FAMILY
    if not isinstance(family, Levels) or family.level != "gene":
        raise PoolscreenError(
            f"{path} has {matrix.LARGE:,} rows or more, and a screen of this size can be fitted "
            f"by m7a and m7b, not by {model}; give it some cell lines at a time"
        )
    solved = solve_large(family, _read_large(path, columns, say), say)
    with files.replacing_folder(output) as folder:
        store.write_tables(folder, {"scalars": solved.scalars()})
        name = f"{family.top}.parquet"
        with _parquet(folder / name) as write:
            for rows in solved.gene_effects((0.0,), say):
                write(rows)
    say(f"{output}: {name}, scalars.csv")


@contextmanager
def _parquet(path: Path) -> Iterator[Callable[[pd.DataFrame], None]]:
    """Write a Parquet file part by part."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    opened: list[pq.ParquetWriter] = []

    def write(rows: pd.DataFrame) -> None:
        part = pa.Table.from_pandas(rows, preserve_index=False)
        if not opened:
            labels = [*rows.select_dtypes("category"), "n_sgrnas"]  # numbers hardly repeat
            opened.append(pq.ParquetWriter(path, part.schema, use_dictionary=labels))
        opened[0].write_table(part)

    try:
        yield write
    finally:
        for writer in opened:
            writer.close()


@dataclass(frozen=True)
class Reading:
    """How the table that hits are found in is read.

    Attributes
    ----------
    samples : pathlib.Path or None
        Which columns are samples, where it has counts.
    genes : pathlib.Path or None
        A map of guides, where the counts name no genes.
    controls : pathlib.Path or None
        Genes without an effect.
    essential, nonessential : pathlib.Path or None
        Gold standards.
    options : mapping of str to object
        Of `poolscreen.screens.counts.fold_changes`.
    separator : str or None
        What parts the fields.
    """

    samples: Path | None
    genes: Path | None
    controls: Path | None
    essential: Path | None
    nonessential: Path | None
    options: Mapping[str, Any]
    separator: str | None

    def standards(self) -> list[set[str]]:
        """Return the genes of the gold standards, essential and non-essential ones."""
        return [_names(path) if path else set() for path in (self.essential, self.nonessential)]


def hits(
    path: Path, output: Path, how: Reading, *, contrast: str | None, force: bool, say: Say
) -> None:
    """Go from a table of counts, or of log fold changes, to a folder with hits and a report.

    See `poolscreen.effects.hits`.
    """
    check_output(output, force=force)
    compared = _two(contrast) if contrast else None
    known = how.standards()
    data, opening = open_screen(path, how, say)
    from poolscreen.effects.hits import contrast as contrast_of
    from poolscreen.effects.hits import find_hits

    if compared:
        data, said = contrast_of(data, *compared, say)
        opening = replace(opening, notes=[*opening.notes, *said])
    write_hits(output, data, find_hits(data, say), opening, standards=known, say=say)


@dataclass(frozen=True)
class Opening:
    """How the table of a screen came to be.

    Attributes
    ----------
    screen, sha256 : str
        Name of its file, and the digest of what was read.
    notes : list of str
        What was said.
    initial : list of str
        The samples from before the screen.
    counts : pandas.DataFrame or None
        The counts that it is from, if any.
    """

    screen: str
    sha256: str
    notes: list[str]
    initial: list[str]
    counts: pd.DataFrame | None


def open_screen(path: Path, how: Reading, say: Say) -> tuple[table.Screen, Opening]:
    """Read a table of counts, or of log fold changes; see `hits`."""
    content = reading.fetch(path)
    read_in = reading.parse(content, path, how.separator)
    named, options = list[str](), how.options
    if how.genes:
        read_in, named = with_genes(read_in, reading.read_table(how.genes), options["columns"])
        options = {**options, "columns": {}}
    columns, renamed = tidy.usual_names(read_in, table.COLUMNS, options["columns"])
    counts, initial = None, list[str]()
    if how.samples is None and _has_log_fc(read_in, columns):
        data, notes = _from_log_fc(read_in, path, columns, [*named, *renamed], say)
    elif how.samples is None:
        raise PoolscreenError(_guessed(path, read_in, columns))
    else:
        for note in named:
            say(note)
        data, notes, counts, initial = _from_counts(
            read_in, how.samples, how.controls, options, say
        )
        notes = [*named, *notes]
    return data, Opening(path.name, hashlib.sha256(content).hexdigest(), notes, initial, counts)


def write_hits(
    output: Path,
    data: table.Screen,
    found: "Hits",
    opening: Opening,
    *,
    standards: Sequence[Collection[str]],
    say: Say,
) -> None:
    """Write a folder with hits and a report."""
    from poolscreen.inference import store
    from poolscreen.reports import hits as written

    about = written.About(
        screen=opening.screen,
        sha256=opening.sha256,
        notes=[*opening.notes, *cautions.cautions(data)],
        counts=opening.counts,
        initial=opening.initial,
        version=version("poolscreen"),
    )
    with files.replacing_folder(output) as folder:
        tables = {"hits": found.genes, "guides": found.guides}
        of_lines = {
            "overall": found.overall,
            "differences": found.differences,
            "sgrnas": found.sgrnas,
        }
        tables |= {name: rows for name, rows in of_lines.items() if len(rows)}
        for name, rows in tables.items():
            text = files.csv_text(rows, float_format="%.6g")
            (folder / f"{name}.csv").write_text(text, encoding="utf-8")
        (folder / "log_fc.csv").write_text(files.csv_text(data.table), encoding="utf-8")
        store.write_fit(folder / "fit.nc", found.tree())
    say("writing the report")  # what has been computed is there by now, whatever befalls its page
    _write_page(output, list(written.report(about, data, found, *standards)), opening.screen)
    say(f"{output}: {', '.join(sorted(file.name for file in output.iterdir()))}")


def _write_page(folder: Path, blocks: "list[Block]", title: str) -> None:
    """Write the data of the tables of a report, and its page."""
    from poolscreen.reports import page

    for name, text in page.csv_of(blocks).items():
        with files.replacing(folder / f"{name}.csv") as part:
            part.write_text(text, encoding="utf-8")
    with files.replacing(folder / "report.html") as part:
        part.write_text(page.html(blocks, title=title), encoding="utf-8")


def _two(contrast: str) -> tuple[str, str]:
    line, colon, other = contrast.partition(":")
    if not (line and colon and other):
        raise PoolscreenError(f"--contrast takes LINE:OTHER, and was given {contrast}")
    return line, other


def _has_log_fc(read_in: pd.DataFrame, columns: Mapping[str, str]) -> bool:
    names = {str(name).lower() for name in read_in}
    return columns.get("log_fc", "log_fc").lower() in names


def _guessed(path: Path, read_in: pd.DataFrame, columns: Mapping[str, str]) -> str:
    """Write a guess of the samples for the user to mend, unless there is one; say what to do."""
    labels = {columns.get(name, name).lower() for name in ("sgRNA", "gene")}
    guessed = guess(read_in, [str(name) for name in read_in if str(name).lower() in labels])
    place = Path(f"{stem(path)}_samples.csv")
    if place.exists():
        return f"which samples {path} has must be said; look at {place}, and pass --samples {place}"
    with files.replacing(place) as part:
        part.write_text(files.csv_text(guessed), encoding="utf-8")
    return (
        f"which samples {path} has must be said; a guess from the names of its columns was written "
        f"to {place}: look at it, mend it, and pass --samples {place}"
    )


def _from_log_fc(
    read_in: pd.DataFrame, path: Path, columns: Mapping[str, str], notes: list[str], say: Say
) -> tuple[table.Screen, list[str]]:
    try:
        found = table.Screen(tidy.tidy(read_in, columns))
    except PoolscreenError as error:
        raise PoolscreenError(f"{path}: {error}") from error
    notes = notes if table.INITIAL in found.table else [*notes, NO_READS]
    for note in notes:
        say(note)
    return _described(found, path, say), notes


def _from_counts(
    read_in: pd.DataFrame,
    samples: Path,
    controls: Path | None,
    options: Mapping[str, Any],
    say: Say,
) -> tuple[table.Screen, list[str], pd.DataFrame, list[str]]:
    sheet = reading.read_table(samples)
    changed, notes = fold_changes(
        read_in, sheet, controls=_names(controls) if controls else (), **options
    )
    for note in notes:
        say(note)
    named, _ = tidy.choose(sheet, ["initial", "final"], [], {})
    initial = list(dict.fromkeys(named["initial"]))
    counts = read_in[list(dict.fromkeys([*initial, *named["final"]]))].apply(pd.to_numeric)
    return table.Screen(changed), notes, counts, initial


def _names(path: Path) -> set[str]:
    """Read a file with a name per line; of a table, the first column."""
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    return {re.split(r"[\t,;]", line)[0].strip().strip('"') for line in lines} - {""}


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
    data, digest = _read(path, columns, separator, say)
    from poolscreen.reports import fits
    from poolscreen.reports.report import About
    from poolscreen.reports.report import report as written

    fits.check_effects(model, data)
    fitted = fits.fit(model, data, say)
    say("writing the report")
    about = About(
        screen=path.name,
        sha256=digest,
        model=model,
        cautions=cautions.cautions(data),
        command=f"poolscreen report {path.name} --model {model} --threshold {threshold:g}",
        version=version("poolscreen"),
        packages=", ".join(f"{name} {version(name)}" for name in fitted.packages),
    )
    blocks = list(written(about, data, fitted, threshold))
    with files.replacing_folder(output) as folder:
        _write_page(folder, blocks, path.name)
    say(f"{output}: report.html, and its tables as CSV")

"""Reading tables that somebody else wrote: CSV, TSV, gzipped or not, Parquet, workbooks."""

import csv
import gzip
import zlib
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa

from poolscreen.errors import PoolscreenError
from poolscreen.progress import Say, silence
from poolscreen.screens import tidy
from poolscreen.screens.table import COLUMNS, Screen

MAX_BYTES = 2_000_000_000  # of a file
SEPARATORS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}
# How a file begins, and what it is then.
GZIP, PARQUET, ZIP = b"\x1f\x8b", b"PAR1", b"PK\x03\x04"
NO_TABLE = {
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; save the sheet as CSV",
    b"%PDF": "a PDF; ask for the table itself",
    b"\xff\xfe": "text in UTF-16; save it as UTF-8",
    b"\xfe\xff": "text in UTF-16; save it as UTF-8",
    b"<!DOC": "a web page; download the table itself",
    b"<html": "a web page; download the table itself",
}


def read_table(path: Path, separator: str | None = None) -> pd.DataFrame:
    """Read a table whose first row names its columns.

    Parameters
    ----------
    path : pathlib.Path
        A text file in UTF-8, gzipped or not, a Parquet file, or an Excel workbook with one sheet;
        its content says which.
    separator : str, optional
        What parts the fields of a text file: by default commas, or tabs where the name ends in
        `.tsv` or `.txt`.

    Returns
    -------
    pandas.DataFrame
        The fields of a text file or a workbook as text, empty ones missing; those of Parquet as
        they are.

    Raises
    ------
    PoolscreenError
        If the file is not there, is too large, is damaged, is no table, is not in UTF-8, has rows
        longer than its header, or names two columns alike.

    Examples
    --------
    Fields stay text, so that a name such as `01` keeps its zero:

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "screen.csv")
    ...     pd.DataFrame({"cell_line": ["01"], "log_fc": [-1.5]}).to_csv(path, index=False)
    ...     read_table(path).to_dict("records")
    [{'cell_line': '01', 'log_fc': '-1.5'}]
    >>> read_table(Path("nowhere.csv"))
    Traceback (most recent call last):
    poolscreen.errors.PoolscreenError: nowhere.csv is not there; is its name right?
    """
    start = _start_of(path)
    if start.startswith(PARQUET):
        return _read_parquet(path)
    if start.startswith(ZIP):
        return _read_workbook(path)
    zipped = start.startswith(GZIP)
    if separator is None:
        ending = path.name.removesuffix(".gz").rpartition(".")[2].lower()
        separator = "\t" if ending in ("tsv", "txt") else ","
    try:
        _check_header(path, zipped, separator)
        return pd.read_csv(
            path,
            sep=separator,
            dtype=str,
            encoding="utf-8-sig",
            compression="gzip" if zipped else None,
            index_col=False,
        )
    except UnicodeDecodeError as error:
        raise PoolscreenError(
            f"{path} is not in UTF-8 (byte {error.object[error.start]:#04x} cannot be read); save "
            "it as UTF-8: in Excel, 'CSV UTF-8'"
        ) from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise PoolscreenError(f"{path} is a damaged gzip file ({error}); fetch it again") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, csv.Error) as error:
        raise PoolscreenError(f"{path} is no table: {error}") from error


def _start_of(path: Path) -> bytes:
    """Return the first bytes of a file that may be a table."""
    if path.is_dir():
        raise PoolscreenError(f"{path} is a folder; name the file in it")
    try:
        size = path.stat().st_size
        with path.open("rb") as opened:
            start = opened.read(4096)
    except FileNotFoundError:
        raise PoolscreenError(f"{path} is not there; is its name right?") from None
    except OSError as error:
        raise PoolscreenError(f"{path} cannot be read: {error.strerror}") from error
    if size > MAX_BYTES:
        raise PoolscreenError(
            f"{path} has {size / 1e9:.1f} GB, more than a screen of fold changes or counts ever "
            "has; is it the right file?"
        )
    if not start.strip():
        raise PoolscreenError(f"{path} is empty; is it the right file?")
    for beginning, what in NO_TABLE.items():
        if start.lstrip().startswith(beginning):
            raise PoolscreenError(f"{path} is no table, but {what}")
    if b"\0" in start and not start.startswith((GZIP, PARQUET, ZIP)):
        raise PoolscreenError(f"{path} is no text, and no Parquet file, but binary")
    return start


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(path)
    except (pa.ArrowException, OSError) as error:
        raise PoolscreenError(
            f"{path} is a damaged Parquet file ({error}); write or fetch it again"
        ) from error


def _read_workbook(path: Path) -> pd.DataFrame:
    from python_calamine import CalamineError

    try:
        sheets = pd.read_excel(path, sheet_name=None, dtype=str, engine="calamine")
    except (CalamineError, ValueError) as error:
        raise PoolscreenError(
            f"{path} is an archive, and no Excel workbook that can be read ({error}); save the "
            "sheet as CSV"
        ) from error
    full = {name: sheet for name, sheet in sheets.items() if len(sheet)}
    if len(full) != 1:
        raise PoolscreenError(
            f"{path} has {len(full)} sheets with rows ({', '.join(map(repr, full)) or 'none'}), "
            "and one is wanted; save it as CSV"
        )
    (table,) = full.values()
    if any(str(name).startswith("Unnamed: ") for name in table):
        raise PoolscreenError(f"the first row of the sheet in {path} must name all of its columns")
    return table


def _check_header(path: Path, zipped: bool, separator: str) -> None:
    """Refuse what pandas would read as something else than was meant."""
    opened = gzip.open if zipped else open
    with opened(path, "rt", encoding="utf-8-sig", newline="") as lines:
        rows = csv.reader(lines, delimiter=separator)
        header, first = next(rows), next(rows, None)
    if len(header) == 1:
        for other, name in SEPARATORS.items():
            if other in header[0]:
                raise PoolscreenError(
                    f"the fields of {path} are parted by {name}, not by "
                    f"{SEPARATORS.get(separator, repr(separator))}; pass --separator {other!r}"
                )
    doubled = sorted({name for name in header if header.count(name) > 1})
    if doubled:
        raise PoolscreenError(
            f"{path} has more than one column {', '.join(map(repr, doubled))}; keep the one that "
            "is meant"
        )
    if first is not None and len(first) > len(header):
        raise PoolscreenError(
            f"the first row of {path} has {len(first)} fields, and its header {len(header)}; if R "
            "wrote it, write it again with row.names = FALSE"
        )


def read_screen(
    path: Path,
    *,
    columns: Mapping[str, str] | None = None,
    separator: str | None = None,
    say: Say = silence,
) -> Screen:
    """Read a screen from a file.

    Parameters
    ----------
    path : pathlib.Path
        CSV, TSV (gzipped or not), Parquet or an Excel workbook, with the columns of `Screen`;
        replicates have a column `replicate`.
    columns : mapping of str to str, optional
        What a column is called in the file, by the name it should have.
    separator : str, optional
        What parts the fields; by default commas, or tabs where the name says so.
    say : callable, optional
        Takes a message where a column goes by another of its usual names.

    Returns
    -------
    Screen

    Raises
    ------
    PoolscreenError
        If the file cannot be read, or what it holds is no screen. It names every fault, with rows
        and a remedy.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> table = pd.DataFrame(
    ...     {"line": "A", "sgRNA": [1, 2], "gene": ["MYC", "TP53"], "log_fc": [-2.0, 0.5]}
    ... )
    >>> with TemporaryDirectory() as folder:
    ...     table.to_csv(Path(folder, "own.csv"), index=False)
    ...     screen = read_screen(Path(folder, "own.csv"), columns={"cell_line": "line"})
    >>> screen.cell_lines, screen.log_fc.tolist()
    (['A'], [-2.0, 0.5])
    >>> read_screen(Path("nowhere.csv"))
    Traceback (most recent call last):
    poolscreen.errors.PoolscreenError: nowhere.csv is not there; is its name right?
    """
    table = read_table(path, separator)
    found, notes = tidy.usual_names(table, COLUMNS, columns or {})
    for note in notes:
        say(f"{path}: {note}")
    try:
        return Screen(tidy.tidy(table, found))
    except PoolscreenError as error:
        raise PoolscreenError(f"{path}: {error}") from error

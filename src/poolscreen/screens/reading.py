"""Reading tables that somebody else wrote: CSV, TSV, gzipped or not, Parquet, workbooks."""

import csv
import gzip
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pandas as pd
import pyarrow as pa

from poolscreen.errors import PoolscreenError
from poolscreen.files import FORMULA
from poolscreen.progress import Say, silence
from poolscreen.screens import tidy
from poolscreen.screens.rules import some
from poolscreen.screens.table import COLUMNS, Screen

MAX_BYTES = 2_000_000_000  # of a file, and of what it unpacks to
SEPARATORS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}
MARKED = re.compile(rf"^'('*[{re.escape(''.join(FORMULA))}])")  # as text, see `files.csv_text`
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
    return parse(fetch(path), path, separator)


def fetch(path: Path) -> bytes:
    """Read a file that may be a table, once and as a whole; it may be a pipe.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    bytes

    Raises
    ------
    PoolscreenError
        If it is not there, cannot be read, is too large, or changes while it is read.

    Examples
    --------
    >>> fetch(Path("nowhere.csv"))
    Traceback (most recent call last):
    poolscreen.errors.PoolscreenError: nowhere.csv is not there; is its name right?
    """
    if path.is_dir():
        raise PoolscreenError(f"{path} is a folder; name the file in it")
    try:
        size = path.stat().st_size  # 0 of a pipe
        if size <= MAX_BYTES:
            with unchanged(path), path.open("rb") as opened:
                content = opened.read(MAX_BYTES + 1)
                size = len(content)
    except FileNotFoundError:
        raise PoolscreenError(f"{path} is not there; is its name right?") from None
    except OSError as error:
        raise PoolscreenError(f"{path} cannot be read: {error.strerror}") from error
    if size > MAX_BYTES:
        raise PoolscreenError(
            f"{path} has {size / 1e9:.1f} GB or more, more than a screen of fold changes or counts "
            "ever has; is it the right file?"
        )
    return content


@contextmanager
def unchanged(path: Path) -> Iterator[None]:
    """Read a file in the block, and refuse what was read if the file was written meanwhile.

    Raises
    ------
    PoolscreenError
        If its size or the time of its last change is another one afterwards.
    """

    def state() -> tuple[int, int, int]:
        found = path.stat()
        return found.st_ino, found.st_size, found.st_mtime_ns

    before = state()
    yield
    # What comes through a pipe has no state but what was read.
    if path.is_file() and state() != before:
        raise PoolscreenError(
            f"{path} was changed while it was read; wait until it is written, and run this again"
        )


def parse(content: bytes, path: Path, separator: str | None = None) -> pd.DataFrame:
    r"""Make a table of the content of a file; see `read_table`.

    Parameters
    ----------
    content : bytes
        See `fetch`.
    path : pathlib.Path
        Where it is from, for messages; its ending says what parts the fields.
    separator : str, optional
        What parts the fields of a text file.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    PoolscreenError
        See `read_table`.

    Examples
    --------
    >>> parse(b"gene,log_fc\nMYC,-2\n'=A1,0.5\n", Path("own.csv"))["gene"].tolist()
    ['MYC', '=A1']
    """
    if content.startswith(GZIP):
        content = _unzipped(content, path)
    _check_start(content[:4096], path)
    if content.startswith(PARQUET):
        return _parse_parquet(content, path)
    if content.startswith(ZIP):
        return _parse_workbook(content, path)
    if separator is None:
        ending = path.name.removesuffix(".gz").rpartition(".")[2].lower()
        separator = "\t" if ending in ("tsv", "txt") else ","
    try:
        _check_header(content, path, separator)
        table = pd.read_csv(
            BytesIO(content), sep=separator, dtype=str, encoding="utf-8-sig", index_col=False
        )
    except UnicodeDecodeError as error:
        raise PoolscreenError(
            f"{path} is not in UTF-8 (byte {error.object[error.start]:#04x} cannot be read); save "
            "it as UTF-8: in Excel, 'CSV UTF-8'"
        ) from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, csv.Error) as error:
        raise PoolscreenError(f"{path} is no table: {error}") from error
    return _names_as_they_were(table) if b"'" in content else table


def _unzipped(content: bytes, path: Path) -> bytes:
    try:
        with gzip.open(BytesIO(content)) as opened:
            unzipped = opened.read(MAX_BYTES + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise PoolscreenError(f"{path} is a damaged gzip file ({error}); fetch it again") from error
    if len(unzipped) > MAX_BYTES:
        raise PoolscreenError(
            f"{path} unpacks to more than {MAX_BYTES / 1e9:.0f} GB; is it the right file?"
        )
    return unzipped


def _check_start(start: bytes, path: Path) -> None:
    """Refuse what is no table, by its first bytes."""
    if not start.strip():
        raise PoolscreenError(f"{path} is empty; is it the right file?")
    for beginning, what in NO_TABLE.items():
        if start.lstrip().startswith(beginning):
            raise PoolscreenError(f"{path} is no table, but {what}")
    if b"\0" in start and not start.startswith((PARQUET, ZIP)):
        raise PoolscreenError(f"{path} is no text, and no Parquet file, but binary")


def _names_as_they_were(table: pd.DataFrame) -> pd.DataFrame:
    """Take away the apostrophes that `poolscreen.files.csv_text` has put before names."""
    found = table.rename(columns=lambda name: MARKED.sub(r"\1", name))
    for name in found:
        found[name] = found[name].str.replace(MARKED, r"\1", regex=True)
    return found


def _parse_parquet(content: bytes, path: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(BytesIO(content))
    except (pa.ArrowException, OSError) as error:
        raise PoolscreenError(
            f"{path} is a damaged Parquet file ({error}); write or fetch it again"
        ) from error


def _parse_workbook(content: bytes, path: Path) -> pd.DataFrame:
    from python_calamine import CalamineError

    try:
        sheets = pd.read_excel(BytesIO(content), sheet_name=None, dtype=str, engine="calamine")
    except (CalamineError, ValueError) as error:
        raise PoolscreenError(
            f"{path} is an archive, and no Excel workbook that can be read ({error}); save the "
            "sheet as CSV"
        ) from error
    full = {name: sheet for name, sheet in sheets.items() if len(sheet)}
    if len(full) != 1:
        raise PoolscreenError(
            f"{path} has {len(full)} sheets with rows ({some(map(repr, full)) or 'none'}), "
            "and one is wanted; save it as CSV"
        )
    (table,) = full.values()
    if any(str(name).startswith("Unnamed: ") for name in table):
        raise PoolscreenError(f"the first row of the sheet in {path} must name all of its columns")
    return table


def _check_header(content: bytes, path: Path, separator: str) -> None:
    """Refuse what pandas would read as something else than was meant."""
    with TextIOWrapper(BytesIO(content), encoding="utf-8-sig", newline="") as lines:
        rows = csv.reader(lines, delimiter=separator)
        header, first = next(rows), next(rows, None)
    if len(header) == 1:
        for other, name in SEPARATORS.items():
            if other in header[0]:
                raise PoolscreenError(
                    f"the fields of {path} are parted by {name}, not by "
                    f"{SEPARATORS.get(separator, repr(separator))}; pass --separator {other!r}"
                )
    doubled = sorted(name for name, number in Counter(header).items() if number > 1)
    if doubled:
        raise PoolscreenError(
            f"{path} has more than one column {some(map(repr, doubled))}; keep the one that "
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
    return as_screen(read_table(path, separator), path, columns=columns, say=say)


def as_screen(
    table: pd.DataFrame,
    path: Path,
    *,
    columns: Mapping[str, str] | None = None,
    say: Say = silence,
) -> Screen:
    """Make a screen of a table that was read; see `read_screen`.

    Parameters
    ----------
    table : pandas.DataFrame
        See `read_table`.
    path : pathlib.Path
        Where it is from, for messages.
    columns, say
        See `read_screen`.

    Returns
    -------
    Screen

    Raises
    ------
    PoolscreenError
        If what the table holds is no screen.

    Examples
    --------
    >>> as_screen(small_screen.table, Path("own.csv")).cell_lines
    ['cell_0', 'cell_1']
    """
    found, notes = tidy.usual_names(table, COLUMNS, columns or {})
    for note in notes:
        say(f"{path}: {note}")
    try:
        return Screen(tidy.tidy(table, found))
    except PoolscreenError as error:
        raise PoolscreenError(f"{path}: {error}") from error

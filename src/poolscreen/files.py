"""Files: written whole or not at all, and known by their content."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from poolscreen.errors import PoolscreenError

if TYPE_CHECKING:
    import pandas as pd

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet takes for the start of a formula


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, and move it there once the block has succeeded.

    A reader sees the old file or the new one, never a part: an error, a full disk or a killed
    process leaves `path` as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        yield part
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(path)
    except OSError as error:
        error.filename = error.filename or str(path)  # a disk that is full does not say where
        raise
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Give an empty folder beside `path`, and move it there once the block has succeeded.

    A folder that is there already is replaced as a whole.

    Raises
    ------
    PoolscreenError
        If nothing can be written there.
    """
    try:
        beside = TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise PoolscreenError(
            f"{path} cannot be written: {error.strerror}; choose another place"
        ) from error
    with beside as own:
        part = Path(own, "new")
        part.mkdir()
        try:
            yield part
        except OSError as error:  # where it was written first tells a user nothing
            error.filename = str(error.filename or path).replace(str(part), str(path))
            raise
        if path.exists():
            path.rename(Path(own, "old"))
        part.rename(path)


def csv_text(table: "pd.DataFrame", float_format: str | None = None) -> str:
    """Return a table as CSV in which a spreadsheet finds no formula.

    A name that begins like a formula is given an apostrophe in front, which spreadsheets take as
    "this is text"; `poolscreen.screens.reading` takes it away again.

    Parameters
    ----------
    table : pandas.DataFrame
        Its index is not written.
    float_format : str, optional
        How numbers are written; by default in full.

    Returns
    -------
    str

    Examples
    --------
    >>> print(csv_text(pd.DataFrame({"gene": ["MYC", "=1+1"], "mean": [-1.5, 0.25]})))
    gene,mean
    MYC,-1.5
    '=1+1,0.25
    """
    marked = table.rename(columns=as_text)
    for name in marked.select_dtypes(exclude=["number", "bool"]):
        marked[name] = marked[name].map(as_text, na_action="ignore")
    return str(marked.to_csv(index=False, float_format=float_format))


def as_text(name: object) -> object:
    """Mark a name as text, if a spreadsheet would take it for a formula; see `csv_text`.

    Parameters
    ----------
    name : object
        A name, or anything else, which is returned as it is.

    Returns
    -------
    object

    Examples
    --------
    >>> as_text("@SUM(A1)"), as_text("'=2"), as_text("MYC"), as_text(-1.5)
    ("'@SUM(A1)", "''=2", 'MYC', -1.5)
    """
    marked = isinstance(name, str) and name.lstrip("'").startswith(FORMULA)
    return f"'{name}" if marked else name


def sha256(path: Path) -> str:
    """Return the SHA-256 of the content of a file, in hexadecimal digits.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    str

    Examples
    --------
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "screen.csv")
    ...     _ = path.write_text("cell_line,sgRNA,gene,log_fc")
    ...     sha256(path)[:8]
    '2ddc87f7'
    """
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()

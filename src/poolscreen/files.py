"""Files: written whole or not at all, and known by their content."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from poolscreen.errors import PoolscreenError


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
        yield part
        if path.exists():
            path.rename(Path(own, "old"))
        part.rename(path)


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

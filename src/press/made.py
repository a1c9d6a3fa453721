"""What each job has made, by its content, so that what was damaged since is made anew."""

import json
import os
import shutil
import time
from collections.abc import Iterable
from pathlib import Path

from poolscreen import files
from poolscreen.progress import Say
from press import paths


def record(job: str, results: Iterable[str]) -> None:
    """Keep the SHA-256 of each file that a job has made.

    Parameters
    ----------
    job : str
        The step and the name of the job.
    results : iterable of str
        Files, and folders of files, from the project's folder.
    """
    root = paths.root()
    made = (file for result in results for file in _files(root / result))
    digests = {paths.short(file): files.sha256(file) for file in made}
    with files.replacing(_folder() / f"{job}.json") as part:
        part.write_text(json.dumps(digests, indent=1))


def mend(say: Say) -> None:
    """Remove the results of each job of which one is not what it made; they are made anew.

    The workflow would take what lies there for what its job made. A result without a record, from
    a clone that was copied in part, is taken as it is.

    Parameters
    ----------
    say : callable
        Takes a message for each job whose results are removed.
    """
    for kept in sorted(_folder().rglob("*.json")):
        job = kept.relative_to(_folder()).with_suffix("").as_posix()
        made = _read(kept)
        changed = [path for path, digest in made.items() if not _is(paths.root() / path, digest)]
        if not changed:
            continue
        if (paths.root() / changed[0]).exists():  # not removed on purpose
            say(f"{changed[0]} is not what {job} made; it is made anew")
        for path in made:
            (paths.root() / path).unlink(missing_ok=True)
        kept.unlink()


def remove_parts() -> None:
    """Remove what a killed process had not finished writing."""
    for folder in ("results", "_build/executed"):
        for part in (paths.root() / folder).rglob(".*.part"):
            shutil.rmtree(part) if part.is_dir() else part.unlink()


def leave_the_future() -> None:
    """Give files of the future, as a clock leaves them that is set back, the time of today.

    The workflow refuses to make a result that would be older than what it is made from.
    """
    root, now = paths.root(), time.time()
    folders = ("src", "notebooks", "book", "data", "results", "_build/executed")
    inside = (path for folder in folders for path in (root / folder).rglob("*"))
    for path in (*root.glob("*"), *inside):
        if path.lstat().st_mtime > now and not path.is_symlink():
            os.utime(path, (now, now))


def _folder() -> Path:
    return paths.root() / "_build" / "made"


def _files(result: Path) -> list[Path]:
    found = result.rglob("*") if result.is_dir() else [result]
    return sorted(path for path in found if path.is_file())


def _read(kept: Path) -> dict[str, str]:
    """Read a record; one that is damaged tells nothing."""
    try:
        made: dict[str, str] = json.loads(kept.read_text())
    except ValueError:
        return {}
    return made


def _is(path: Path, digest: str) -> bool:
    return path.is_file() and files.sha256(path) == digest

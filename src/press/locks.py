"""One process at a time."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from press.paths import root


def folder() -> Path:
    """Return where the locks lie."""
    return root() / "_build" / "locks"


@contextmanager
def alone(name: str) -> Iterator[int]:
    """Run the block in no two processes at once; wait where another one is at it.

    The kernel frees the lock when its last holder ends, however it ends: a killed build leaves
    nothing to clean up, and work that outlived its build is waited for.

    Yields
    ------
    int
        The lock's file descriptor; a child process that inherits it holds the lock as well.
    """
    path = folder() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"{name}: waiting for another process that is at it", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock.fileno()

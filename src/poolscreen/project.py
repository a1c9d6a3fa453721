"""Where the project's files are, and how one of them is written."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from poolscreen.errors import PoolscreenError

# The environment of every job: one thread each, as jobs run side by side, and one hash seed, as
# PyMC draws its graphs in the order of a set.
# Chains and jobs run side by side; threads within one would only wait for each other.
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
JOB_ENVIRONMENT = {"PYTHONPATH": "src", "PYTHONHASHSEED": "0", **ONE_THREAD}
CALIBRATION_BATCHES = 2  # jobs that the calibration of one model is divided into


def root() -> Path:
    """Return the folder of the project that holds the working directory.

    Raises
    ------
    PoolscreenError
        If no folder from the working directory upwards holds the book's `_toc.yml`.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "_toc.yml").is_file() and (folder / "workflow" / "Snakefile").is_file():
            return folder
    raise PoolscreenError(f"{here} is not inside the project; change to a folder of its clone")


def screen_path(screen: str = "") -> Path:
    """Return the path of a screen of the book, without a name of the simulated one."""
    results = root() / "results"
    return results / "screens" / f"{screen}.csv" if screen else results / "screen.csv"


def counts_path(screen: str) -> Path:
    """Return the path of the read counts of a real screen, which are kept in the repository."""
    return root() / "data" / f"{screen}_counts.tsv"


def samples_path(screen: str) -> Path:
    """Return the path of the list of samples of a real screen."""
    return root() / "data" / f"{screen}_samples.csv"


def truth_path() -> Path:
    """Return the path of the parameters that the screen was simulated with."""
    return root() / "results" / "truth.csv"


def split_fit(fit: str) -> tuple[str, str]:
    """Split the name of a fit into its screen and its model.

    `m7b` is model 7b on the simulated screen, whose name is empty; `wang2014/m7b` is model 7b on
    the real screen `wang2014`.
    """
    screen, _, model = fit.rpartition("/")
    return screen, model


def fit_path(fit: str) -> Path:
    """Return the path of a fit."""
    return root() / "results" / "fits" / f"{fit}.nc"


def tables_path(fit: str) -> Path:
    """Return the folder of the posterior tables of a fit."""
    return root() / "results" / "tables" / fit


def samplers_path() -> Path:
    """Return the path of the comparison of samplers."""
    return root() / "results" / "samplers.nc"


def benchmark_path(name: str) -> Path:
    """Return the path of a benchmark's figures, which are kept in the repository."""
    return root() / "results" / "benchmarks" / f"{name}.json"


def calibration_paths(model: str) -> list[Path]:
    """Return the paths of the batches of the calibration of a model."""
    folder = root() / "results" / "calibration" / model
    return [folder / f"{batch}.nc" for batch in range(CALIBRATION_BATCHES)]


def predictions_path(model: str) -> Path:
    """Return the path of what a model predicts of the parts of the simulated screen."""
    return root() / "results" / "predictions" / f"{model}.nc"


def executed_path(chapter: str) -> Path:
    """Return the path of an executed chapter."""
    return root() / "_build" / "executed" / f"{chapter}.ipynb"


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
    path = root() / "_build" / "locks" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"{name}: waiting for another process that is at it", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock.fileno()

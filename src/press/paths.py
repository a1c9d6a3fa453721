"""Where the files of the project are."""

from pathlib import Path

from poolscreen.errors import PoolscreenError


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


def short(path: Path) -> str:
    """Return a path as it counts from the project's folder."""
    return path.relative_to(root()).as_posix()


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


def attempt_path(attempt: str) -> Path:
    """Return the path of a model sampled in another way than the book's, such as `m7b/pymc`."""
    return root() / "results" / "attempts" / f"{attempt}.nc"


def benchmark_path(name: str) -> Path:
    """Return the path of a benchmark's figures, which are kept in the repository."""
    return root() / "results" / "benchmarks" / f"{name}.json"


def calibration_path(model: str) -> Path:
    """Return the path of the calibration of a model."""
    return root() / "results" / "calibration" / f"{model}.nc"


def predictions_path(model: str) -> Path:
    """Return the path of what a model predicts of the parts of the simulated screen."""
    return root() / "results" / "predictions" / f"{model}.nc"


def times_path() -> Path:
    """Return the path of how long the jobs of builds took, and how much memory."""
    return root() / "_build" / "times.tsv"


def executed_path(chapter: str) -> Path:
    """Return the path of an executed chapter."""
    return root() / "_build" / "executed" / f"{chapter}.ipynb"

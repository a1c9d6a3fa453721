"""Measurements: what `make bench` keeps in the repository, and the page on them reads."""

import json
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from poolscreen import project, repository
from poolscreen.errors import PoolscreenError

PACKAGES = ("pymc", "nutpie", "numba", "pytensor", "arviz", "jupyter-book")


def machine() -> dict[str, str]:
    """Describe the machine, as far as a reader needs it to place the figures.

    Returns
    -------
    dict of str to str
        The day, the commit, processor, cores, memory and system, and versions of packages.

    Examples
    --------
    >>> import re
    >>> found = machine()
    >>> found["Python"] == platform.python_version(), found["pymc"]
    (True, '6...')
    >>> re.fullmatch(r"[0-9.]+ GiB", found["memory"]) is not None
    True
    """
    cpu = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.is_file():
        names = [
            line.split(":", 1)[1].strip()
            for line in information.read_text().splitlines()
            if line.startswith("model name")
        ]
        cpu = names[0] if names else cpu
    commit = repository.head()
    # Not the figures of the benchmark before this one.
    changed = commit.hash and repository.status("src", "benchmarks", "uv.lock")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "measured": datetime.now(UTC).strftime("%Y-%m-%d"),
        "commit": commit.hash[:7] + ("-dirty" if changed else ""),
        "processor": cpu,
        "cores": str(os.cpu_count()),
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
    }


def record(name: str, figures: Any) -> None:  # noqa: ANN401 (whatever JSON holds)
    """Keep the figures of a benchmark, with the machine that they were measured on.

    Parameters
    ----------
    name : str
        Name of the benchmark.
    figures : list or dict
        Whatever JSON holds.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from unittest.mock import patch
    >>> with TemporaryDirectory() as folder:
    ...     elsewhere = Path(folder, "builds.json")
    ...     with patch.object(project, "benchmark_path", return_value=elsewhere):
    ...         record("builds", [{"after": "cold", "seconds": 358.7}])
    ...         load_benchmark("builds")["figures"]
    [{'after': 'cold', 'seconds': 358.7}]
    """
    with project.replacing(project.benchmark_path(name)) as part:
        text = json.dumps({"machine": machine(), "figures": figures}, indent=1)
        part.write_text(f"{text}\n")


def load_benchmark(name: str) -> dict[str, Any]:
    """Load the figures of a benchmark.

    Parameters
    ----------
    name : str
        `samplers`, `builds` or `scaling`.

    Returns
    -------
    dict
        `machine` (see `machine`) and `figures`.

    Raises
    ------
    PoolscreenError
        If it has not been run, or its file is damaged.

    Examples
    --------
    >>> found = load_benchmark("samplers")
    >>> sorted({figure["sampler"] for figure in found["figures"]})
    ['marginal', 'nutpie', 'pymc', 'pymc_default']
    >>> load_benchmark("nothing")
    Traceback (most recent call last):
    poolscreen.errors.PoolscreenError: ...nothing.json is not there; `make bench` makes it
    """
    path = project.benchmark_path(name)
    if not path.is_file():
        raise PoolscreenError(f"{path} is not there; `make bench` makes it")
    try:
        loaded: dict[str, Any] = json.loads(path.read_text())
    except ValueError as error:
        raise PoolscreenError(f"{path} is damaged ({error}); `git checkout` it") from error
    return loaded


def best_and_median(rounds: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Reduce repeated measurements to their best and their median.

    Parameters
    ----------
    rounds : pandas.DataFrame
        Columns `by` and others, all numeric; `ESS per second` is best where it is highest, the
        others where they are lowest.
    by : list of str
        What was measured repeatedly.

    Returns
    -------
    pandas.DataFrame
        Columns `by`, and for each other one its best and its median.

    Examples
    --------
    >>> rounds = pd.DataFrame(
    ...     {"model": "m7a", "seconds": [3.0, 1.0, 8.0], "ESS per second": [900.0, 2000.0, 400.0]}
    ... )
    >>> best_and_median(rounds, ["model"])[["model", "seconds, best", "ESS per second, best"]]
      model  seconds, best  ESS per second, best
    0   m7a            1.0                2000.0
    """
    columns = {}
    for name in map(str, rounds.columns.drop(by)):
        groups = rounds.groupby(by, sort=False)[name]
        best = groups.max() if name == "ESS per second" else groups.min()
        columns[f"{name}, best"] = best
        columns[f"{name}, median"] = groups.median()
    return pd.DataFrame(columns).reset_index()


def slope(sizes: "pd.Series[float]", values: "pd.Series[float]") -> float:
    """Return by which power of the size a quantity grows, from a line through the logarithms.

    Parameters
    ----------
    sizes, values : pandas.Series
        Positive, in the same order.

    Returns
    -------
    float
        1 where the quantity is proportional to the size.

    Examples
    --------
    >>> sizes = pd.Series([1e3, 1e4, 1e5])
    >>> round(slope(sizes, 7 * sizes), 6), round(slope(sizes, sizes**0.5), 6)
    (1.0, 0.5)
    """
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])

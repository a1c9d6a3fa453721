"""Measurements: what `make bench` keeps in the repository, and the page on them reads."""

import json
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from poolscreen import files
from press import paths, repository

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
    >>> here = machine()
    >>> here["Python"] == platform.python_version(), here["pymc"]
    (True, '6...')
    >>> re.fullmatch(r"[0-9.]+ GiB", here["memory"]) is not None
    True
    """
    commit = repository.head()
    # Not the figures of the benchmark before this one.
    changed = commit.hash and repository.status("src", "benchmarks", "uv.lock")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "measured": datetime.now(UTC).strftime("%Y-%m-%d"),
        "commit": commit.hash[:7] + ("-dirty" if changed else ""),
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
    }


def _processor() -> str:
    """Return the name of the processor, as Linux knows it; elsewhere, as Python does."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return next(iter(names), platform.processor() or platform.machine())


def record(name: str, figures: Any) -> None:
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
    ...     with patch.object(paths, "benchmark_path", return_value=elsewhere):
    ...         record("builds", [{"after": "cold", "seconds": 358.7}])
    ...         json.loads(elsewhere.read_text())["figures"]
    [{'after': 'cold', 'seconds': 358.7}]
    """
    with files.replacing(paths.benchmark_path(name)) as part:
        text = json.dumps({"machine": machine(), "figures": figures}, indent=1)
        part.write_text(f"{text}\n")

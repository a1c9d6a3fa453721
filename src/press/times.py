"""How long the jobs of a build take, and how much memory."""

import re
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from poolscreen.errors import PoolscreenError
from poolscreen.memory import out_of_memory
from press import paths

# Kilobytes are what getrusage gives, and bytes on macOS.
PER_MB = 1e6 if sys.platform == "darwin" else 1e6 / 1024


def begin() -> None:
    """Begin the record of a build: an empty line, after those of the builds before."""
    _write("")


@contextmanager
def taken(job: str) -> Iterator[None]:
    """Keep how long a job takes and how much memory, for the summary at the end of the build.

    Parameters
    ----------
    job : str
        The step and the name of the job.

    Raises
    ------
    PoolscreenError
        If memory runs out: it says how much the job took when it last ended well.
    """
    started = time.monotonic()
    try:
        yield
    except Exception as error:
        if not out_of_memory(error):
            raise
        said = f" ({error})" if str(error) else ""
        raise PoolscreenError(f"{job} ran out of memory{said}. {more_memory(job)}") from error
    _write(f"{job}\t{time.monotonic() - started:.1f}\t{_peak():.0f}")


def _write(line: str) -> None:
    path = paths.times_path()
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as times:  # a line at once, as other jobs end at the same time
        times.write(f"{line}\n")


def _peak() -> float:
    """Return the most memory of this process, and of its largest child beside it, in MB."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_maxrss for usage in used) / PER_MB


def _builds() -> list[list[str]]:
    """Return the lines of each build, the last one last."""
    path = paths.times_path()
    text = path.read_text(errors="replace") if path.is_file() else ""
    return [build.splitlines() for build in text.split("\n\n")]


def _ended(lines: list[str]) -> dict[str, tuple[float, float]]:
    """Return seconds and MB of each job that has ended; a damaged line counts for nothing."""
    found = (re.fullmatch(r"([^\t]+)\t(\d+\.\d)\t(\d+)", line) for line in lines)
    return {line[1]: (float(line[2]), float(line[3])) for line in found if line}


def more_memory(job: str) -> str:
    """Say how much memory a job takes, as far as that is known, and what helps.

    Parameters
    ----------
    job : str
        The step and the name of the job.

    Returns
    -------
    str
    """
    ended = {name: mb for build in _builds() for name, (_, mb) in _ended(build).items()}
    if job in ended:
        known = f"It took {ended[job]:.0f} MB when it last ended. "
    elif ended:
        largest = max(ended, key=ended.__getitem__)
        known = f"The largest job so far, {largest}, took {ended[largest]:.0f} MB. "
    else:
        known = ""
    return (
        f"{known}Close other programs, or run one job at a time: "
        "PYTHONPATH=src .venv/bin/python -m press build --cores 1"
    )


def summary() -> str:
    r"""Say which steps of the build took how long, and how much memory their largest job.

    Returns
    -------
    str
        One line for each step; empty if no job ran.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from unittest.mock import patch
    >>> with TemporaryDirectory() as folder:
    ...     times = Path(folder, "times.tsv")
    ...     _ = times.write_text("fit m7a\t9.5\t512\nsite\t20.0\t400\nfit m7b\t12.5\t640\n")
    ...     with patch.object(paths, "times_path", return_value=times):
    ...         print(summary())
    Where the time went, and the memory of the largest job:
         22 s   640 MB  fit, 2 jobs (the longest: m7b, 12 s; the largest: m7b)
         20 s   400 MB  site
    """
    steps: dict[str, dict[str, tuple[float, float]]] = defaultdict(dict)
    for job, figures in _ended(_builds()[-1]).items():
        step, _, name = job.partition(" ")
        steps[step][name] = figures
    if not steps:
        return ""
    lines = ["Where the time went, and the memory of the largest job:"]
    for step, jobs in sorted(steps.items(), key=lambda item: -_seconds(item[1])):
        longest = max(jobs, key=lambda name: jobs[name][0])
        largest = max(jobs, key=lambda name: jobs[name][1])
        more = f", {len(jobs)} jobs (the longest: {longest}, {jobs[longest][0]:.0f} s"
        more += f"; the largest: {largest})"
        line = f"{_seconds(jobs):7.0f} s {jobs[largest][1]:5.0f} MB  {step}"
        lines.append(line + (more if len(jobs) > 1 else ""))
    return "\n".join(lines)


def _seconds(jobs: dict[str, tuple[float, float]]) -> float:
    return sum(seconds for seconds, _ in jobs.values())

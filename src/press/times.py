"""How long the jobs of a build take, and where the time goes."""

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from press import paths


@contextmanager
def taken(job: str) -> Iterator[None]:
    """Keep how long a job takes, for the summary at the end of the build.

    Parameters
    ----------
    job : str
        The step and the name of the job.
    """
    started = time.monotonic()
    yield
    path = paths.times_path()
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as times:  # a line at once, as other jobs end at the same time
        times.write(f"{job}\t{time.monotonic() - started:.1f}\n")


def summary() -> str:
    r"""Say which steps of the build took how long.

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
    ...     _ = times.write_text("fit m7a\t9.5\nsite\t20.0\nfit m7b\t12.5\n")
    ...     with patch.object(paths, "times_path", return_value=times):
    ...         print(summary())
    Where the time went:
         22 s  fit, 2 jobs (the longest: m7b, 12 s)
         20 s  site
    """
    if not paths.times_path().is_file():
        return ""
    seconds: dict[str, dict[str, float]] = defaultdict(dict)
    for line in paths.times_path().read_text().splitlines():
        job, _, taken_by_it = line.partition("\t")
        step, _, name = job.partition(" ")
        seconds[step][name] = float(taken_by_it)
    lines = ["Where the time went:"]
    for step, jobs in sorted(seconds.items(), key=lambda item: -sum(item[1].values())):
        longest = max(jobs, key=jobs.__getitem__)
        more = f", {len(jobs)} jobs (the longest: {longest}, {jobs[longest]:.0f} s)"
        lines.append(f"{sum(jobs.values()):7.0f} s  {step}{more if len(jobs) > 1 else ''}")
    return "\n".join(lines)

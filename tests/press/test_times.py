"""What a build says of its jobs: their time, their memory, and which were killed."""

import os
import signal
import subprocess
import sys

import pytest

from poolscreen.errors import PoolscreenError
from press import cli, times


def run(code):
    """Run a job in a process of its own."""
    return subprocess.run([sys.executable, "-c", f"from press import times\n{code}"], check=False)


def test_memory_of_a_job_and_of_its_child(in_project):
    times.begin()
    child = "'str(1) * 200_000_000'"
    run(
        "import subprocess, sys\n"
        "with times.taken('site'):\n"
        f"    subprocess.run([sys.executable, '-c', {child}], check=True)\n"
    )
    said = times.more_memory("site")
    assert 200 < int(said.split()[2]) < 1000, said
    assert times.killed() == []


def test_a_killed_job_is_told_from_one_that_failed(in_project):
    times.begin()
    run("with times.taken('fit m7a'): pass")
    times.begin()
    run("with times.taken('execute 01'): raise ValueError")
    kill = f"import os; os.kill(os.getpid(), {signal.SIGKILL:d})"
    assert run(f"with times.taken('fit m7a'): {kill}").returncode == -signal.SIGKILL
    assert times.killed() == ["fit m7a"]
    (in_project / "logs").mkdir()
    (in_project / "logs" / "execute_01.log").write_text("01: cell 1 of 2\nerror: a cell raised\n")
    said = cli._what_failed(in_project / "logs")
    assert "fit m7a was killed. If nobody stopped it, memory has run out. It took " in said
    assert said.endswith("a cell raised\n(log: logs/execute_01.log)")
    assert "when it last ended" in times.more_memory("fit m7a")
    assert "The largest job so far, " in times.more_memory("fit m7b")
    times.begin()
    assert times.killed() == []
    assert times.summary() == ""


def test_memory_that_runs_out(in_project):
    message = r"fit m7a ran out of memory.* Close other programs"
    with pytest.raises(PoolscreenError, match=message), times.taken("fit m7a"):
        bytearray(2**60)
    assert times.killed() == []


def test_a_damaged_record_counts_for_nothing(in_project):
    times.begin()
    with times.taken("fit m7a"):
        pass
    with times.paths.times_path().open("ab") as record:
        record.write(b"fit m7b\t1\xff.0\tmany\n" + os.urandom(100).replace(b"\n", b""))
    assert "fit" in times.summary()

"""What a build says of its jobs: their time, their memory, and which were killed."""

import os
import subprocess
import sys

import pytest
from tests.tree import ROOT

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


@pytest.mark.parametrize(
    ("end", "status", "said"),
    [
        ("kill -9 $$", 137, "was killed by signal 9"),
        ("kill -6 $$", 134, "was killed by signal 6"),
        # As the loader does where there is no memory for a thread.
        ("exit 127", 127, "ended with status 127"),
        ("exit 1", 1, "ended with status 1"),  # as OpenBLAS does
    ],
)
def test_a_killed_job_is_named_with_the_memory_that_it_took(
    in_project, tmp_path, end, status, said
):
    run("with times.taken('fit m7a'): pass")
    log = in_project / "logs" / "fit_m7a.log"
    log.parent.mkdir()
    python = tmp_path / "python"  # it is killed where Python would do the job
    python.write_text(f"#!/bin/sh\necho compiling\n{end}\n")
    python.chmod(0o755)
    with log.open("w") as written:
        command = ["sh", ROOT / "workflow/job.sh", python, "fit", "m7a"]
        ran = subprocess.run(command, check=False, stdout=written, stderr=written)
        written.write("what a kernel says whose parent has gone\n")
    assert ran.returncode == status
    failed = cli._what_failed(log.parent)
    assert failed.startswith(f"fit m7a {said}. If nobody stopped it, memory has run out")
    assert " MB when it last ended" in failed


def test_the_largest_job_stands_for_one_that_has_not_ended(in_project):
    run("with times.taken('fit m7a'): pass")
    assert "The largest job so far, fit m7a, took " in times.more_memory("fit m7b")


def test_the_summary_is_of_this_build(in_project):
    run("with times.taken('fit m7a'): pass")
    times.begin()
    assert times.summary() == ""


def test_memory_that_runs_out(in_project):
    message = r"fit m7a ran out of memory.* Close other programs"
    with pytest.raises(PoolscreenError, match=message), times.taken("fit m7a"):
        bytearray(2**60)
    loader = "jax.so: failed to map segment from shared object"
    with pytest.raises(PoolscreenError, match=message), times.taken("fit m7a"):
        raise ImportError(loader)
    assert " MB when it last ended" not in times.more_memory("fit m7a")  # it did not end well


def test_a_job_that_says_why_it_failed(in_project, tmp_path):
    log = in_project / "logs" / "site.log"
    log.parent.mkdir()
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho error: is in another line\nexit 1\n")
    python.chmod(0o755)
    with log.open("w") as written:
        command = ["sh", ROOT / "workflow/job.sh", python, "site"]
        subprocess.run(command, check=False, stdout=written, stderr=written)
    assert cli._what_failed(log.parent) == "is in another line\n(log: logs/site.log)"


def test_a_damaged_record_counts_for_nothing(in_project):
    times.begin()
    with times.taken("fit m7a"):
        pass
    with times.paths.times_path().open("ab") as record:
        record.write(b"fit m7b\t1\xff.0\tmany\n" + os.urandom(100).replace(b"\n", b""))
    assert "fit" in times.summary()

"""The book, and a screen of one's own, on a Slurm cluster: what one machine gives.

`make test-slurm` runs these; `make test` does not, as they need Slurm.
"""

import filecmp
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import psutil
import pytest
import yaml
from benchmarks import faults
from tests.poolscreen.inference.test_quadrature import simulated
from tests.slurm.cluster import Cluster, missing, wait_for
from tests.tree import HANGING, ROOT

pytestmark = pytest.mark.slurm
LONGEST = 4 * HANGING  # each job of a workflow waits in a queue, and reads the workflow twice
# The queue of a test is short, and has no accounts.
QUICK = {
    "slurm-init-seconds-before-status-checks": 1,
    "seconds-between-status-checks": 1,
    "slurm-status-command": "squeue",
    "latency-wait": 20,
}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    if lacking := missing():
        pytest.skip(f"there is no Slurm here ({', '.join(lacking)}); see tests/slurm/cluster.py")
    started = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        started.start()
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The profile of this project, for a short queue."""
    folder = tmp_path_factory.mktemp("profile")
    settings = yaml.safe_load((ROOT / "workflow/profiles/slurm/config.yaml").read_text())
    (folder / "config.yaml").write_text(yaml.safe_dump(settings | QUICK))
    return folder


def kill_one(cluster: Cluster) -> str:
    """Kill what a running job does, as memory that runs out does; return what it was about."""
    found: list[tuple[str, psutil.Process]] = []

    def working() -> bool:
        for job in cluster.jobs("RUNNING"):
            for process in cluster.processes_of(job):
                if "press" in process.cmdline():
                    found.append((job, process))
        return bool(found)

    wait_for(working)
    job, process = found[0]
    about = cluster.jobs("RUNNING")[job]
    process.send_signal(signal.SIGKILL)
    return about


def cancel_one(cluster: Cluster, other: str) -> None:
    """Cancel a running job that is not about what the other one was, and is tried once more."""
    found: list[str] = []

    def running() -> bool:
        found.extend(job for job, about in cluster.jobs("RUNNING").items() if about != other)
        return bool(found)

    wait_for(running)
    cluster.run("scancel", found[0])


def drain(cluster: Cluster) -> None:
    """Take the node out of service until a job waits for it."""
    node = f"NodeName={cluster.node}"
    cluster.run("scontrol", "update", node, "State=DRAIN", "Reason=test")
    wait_for(lambda: cluster.jobs("PENDING"))
    cluster.run("scontrol", "update", node, "State=RESUME")


def test_the_book_is_the_same_on_a_cluster(cluster, profile, tmp_path):
    """Of jobs one is killed, one cancelled, and others wait for a node that is drained."""
    book = faults.small_book(tmp_path / "book")
    assert book.build() == ""
    expected = book.files()
    book.env |= cluster.env
    book.remove_results(faults.SCREEN, faults.FIT, faults.EXECUTED, "_build/site.sha256")
    shutil.rmtree(book.folder / "_build" / "html")
    process = book.start("build", "--profile", str(profile))
    cancel_one(cluster, kill_one(cluster))
    drain(cluster)
    said, _ = process.communicate(timeout=LONGEST)
    assert process.returncode == 0, said
    assert book.files() == expected


def test_a_screen_is_the_same_on_a_cluster(cluster, profile, tmp_path):
    """Its lines, their mean and how they differ are jobs of their own."""
    screen, _, _ = simulated(150, seed=3, lines=("A", "B"))
    screen.table.to_csv(tmp_path / "own.csv", index=False)

    def run(*command: str, **variables: str) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), **variables}
        ran = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=tmp_path,
            env=environment,
            check=False,
            text=True,
            timeout=LONGEST,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert ran.returncode == 0, ran.stdout

    run("poolscreen", "hits", "own.csv", "--output", "one")
    workflow = ["snakemake", "--snakefile", str(ROOT / "workflow/hits.smk")]
    workflow += ["--profile", str(profile), "--config", "table=own.csv", "output=many"]
    run(*workflow, **cluster.env)
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert "differences.csv" in names
    assert sorted(path.name for path in (tmp_path / "many").iterdir()) == names
    _, differ, lost = filecmp.cmpfiles(tmp_path / "one", tmp_path / "many", names, shallow=False)
    assert (differ, lost) == ([], [])
    assert pd.read_csv(tmp_path / "many" / "hits.csv")["cell_line"].nunique() == 2

"""Cleaning removes what the rules made, and never under a build that runs."""

import subprocess
import sys

from click.testing import CliRunner

from press import cli, locks

MADE = ["results/screen.csv", "results/fits/m7a.nc", "_build/html/index.html", "logs/site.log"]
KEPT = ["results/benchmarks/builds.json", "notebooks/a.py"]


def test_what_is_removed_and_when(in_project):
    for path in [*MADE, *KEPT]:
        (in_project / path).parent.mkdir(parents=True, exist_ok=True)
        (in_project / path).touch()
    with locks.alone("build"):
        command = [sys.executable, "-m", "press", "clean"]
        cleaning = subprocess.Popen(command, text=True, stdout=subprocess.PIPE)
        waits = cleaning.stdout.readline()
        assert all((in_project / path).exists() for path in MADE)
    cleaning.communicate()
    assert waits == "build: waiting for another process that is at it\n"
    assert cleaning.returncode == 0
    assert not any((in_project / path).exists() for path in MADE)
    assert all((in_project / path).exists() for path in KEPT)
    assert CliRunner().invoke(cli.main, ["clean"]).exit_code == 0  # nothing is left to remove

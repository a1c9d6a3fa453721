"""Hits that are found part by part are those that one process finds."""

import filecmp
import json

import pandas as pd
import pytest
from tests.poolscreen.inference.test_quadrature import simulated
from tests.poolscreen.reports.test_commands import poolscreen


@pytest.mark.parametrize("copied", [False, True])
def test_the_parts_make_the_whole(tmp_path, copied):
    """Also where the lines differ by nothing, and their difference is left out."""
    table = simulated(60, seed=3, lines=("A", "B"))[0].table.astype({"cell_line": str})
    if copied:
        line = table[table["cell_line"] == "A"]
        table = pd.concat([line, line.assign(cell_line="B")])
    table.to_csv(tmp_path / "own.csv", index=False)

    def run(*command):
        ran = poolscreen(tmp_path, *command)
        assert ran.returncode == 0, ran.stdout
        return ran.stdout

    said = run("hits", "own.csv", "--output", "one")
    assert ("A:B is left out" in said) == copied
    run("scattered", "read", "own.csv", "--work", "parts")
    parts = json.loads((tmp_path / "parts" / "parts.json").read_text())
    assert [part["name"] for part in parts] == ["A", "B", "all lines", "A:B"]
    for number in range(len(parts)):
        run("scattered", "fit", "parts", number)
    assert ("A:B is left out" in run("scattered", "gather", "parts", "--output", "many")) == copied

    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert sorted(path.name for path in (tmp_path / "many").iterdir()) == names
    _, differ, lost = filecmp.cmpfiles(tmp_path / "one", tmp_path / "many", names, shallow=False)
    assert (differ, lost) == ([], [])

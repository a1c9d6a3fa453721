"""Fits beside other tools: what they take, what they find, and how they end."""

import json
from dataclasses import replace

import pandas as pd
import pytest
from benchmarks import peers

TINY = peers.Work("m7b", 20, 60, 2, 2)
WITHOUT_REPLICATES = replace(TINY, replicates=1)
CROSSED = replace(TINY, model="m7", tools=("fit", "lme4", "glmmTMB"))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(peers.__file__.rpartition("/benchmarks/")[0])
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("work", [TINY, WITHOUT_REPLICATES, CROSSED])
def test_all_tools_that_are_there_agree(work, folder):
    known = peers.prepare(folder, with_bambi=False)
    runs = {figure["tool"]: figure for figure in peers.measure((work,), known, folder)}
    assert list(runs) == list(work.tools)
    ours = runs["fit"]
    assert ours["ended"] == ""
    assert ours["processor_seconds"] > 0
    assert ours["peak_gb"] > 0
    assert json.dumps(ours)
    for tool in set(work.tools) - {"fit"}:
        if tool not in known:
            assert runs[tool]["ended"] == "not installed"
            continue
        assert runs[tool]["ended"] == ""
        assert set(runs[tool]["scales"]) == set(ours["scales"])
        for part, scale in runs[tool]["scales"].items():
            near = ours["scales"][part].get("sd", 0.03)
            assert scale["mean"] == pytest.approx(ours["scales"][part]["mean"], abs=near), part


def test_a_tool_that_fails_or_does_not_end_is_recorded(folder):
    failed = peers.timed(["sh", "-c", f"echo no room in {folder}/x; exit 3"], folder, limit=60)
    assert failed["ended"] == "failed (3): no room in /x"
    stopped = peers.timed(["sh", "-c", "sleep 100"], folder, limit=0.1)
    assert stopped["ended"].startswith("stopped")
    assert stopped["seconds"] < 50


def test_what_is_not_installed_is_not_run(folder, monkeypatch):
    monkeypatch.setattr(peers, "timed", None)
    work = replace(TINY, tools=("lme4", "Bambi"))
    runs = list(peers.measure((work,), {}, folder))
    assert [(figure["tool"], figure["ended"]) for figure in runs] == [
        ("lme4", "not installed"),
        ("Bambi", "not installed"),
    ]


@pytest.mark.parametrize(
    "work",
    [
        TINY,
        WITHOUT_REPLICATES,
        peers.Work("m7b", 4, 15, 1, 3),
        replace(CROSSED, replicates=4, share=0.75),
        peers.WORKS[0],
    ],
)
def test_screens_have_the_sizes_that_are_stated(work, tmp_path):
    path = tmp_path / "screen.csv"
    peers.write_screen(work, path)
    screen = pd.read_csv(path)
    assert len(screen) == work.rows
    counts = screen[["gene", "sgRNA", "cell_line"]].nunique().tolist()
    assert counts == [work.genes, work.sgrnas, work.cell_lines]
    measured = screen.groupby(["sgRNA", "cell_line"]).size()
    assert measured.max() == work.replicates
    assert (measured.min() == work.replicates) == (work.share == 1)


def test_formulas():
    assert TINY.formula == "log_fc ~ 1 + (1 | gene:cell_line) + (1 | sgRNA:cell_line)"
    assert WITHOUT_REPLICATES.formula == "log_fc ~ 1 + (1 | gene:cell_line)"
    assert CROSSED.formula == "log_fc ~ 1 + (1 | gene) + (1 | sgRNA) + (1 | cell_line)"

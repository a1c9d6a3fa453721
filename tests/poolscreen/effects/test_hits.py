"""Hits of several cell lines: each line, what they have in common, and what they differ by."""

import re

import numpy as np
import pandas as pd
import pytest
from tests.poolscreen.inference.test_quadrature import VALUES

from poolscreen.effects.hits import contrast, find_hits
from poolscreen.families.mixture.simulation import simulate_mixture
from poolscreen.screens.differences import OTHERS, OVERALL
from poolscreen.screens.table import Screen

GENES, CHANGED = 400, 30


@pytest.fixture(scope="module")
def two_lines():
    """A screen whose sgRNAs cut as badly in one line as in the other, and its true effects."""
    rng = np.random.default_rng(4)
    common = np.where(rng.random(GENES) < 0.2, rng.normal(-2, 0.7, GENES), 0)
    common = common + rng.normal(0, 0.1, GENES)
    effect = np.column_stack([common, common])
    effect[:CHANGED, 1] -= 2
    gene = np.repeat(np.arange(GENES), 4)
    kept = 1 + 0.4 * rng.standard_t(6, len(gene)), 0.3 * rng.standard_t(6, len(gene))
    parts = []
    for line in range(2):
        true = effect[gene, line] * kept[0] + kept[1]
        for replicate in "12":
            rows = {"sgRNA": np.arange(len(gene)), "gene": gene, "replicate": replicate}
            noise = rng.normal(0, 0.3, len(gene))
            parts.append(pd.DataFrame({**rows, "cell_line": "AB"[line], "log_fc": true + noise}))
    return find_hits(Screen(pd.concat(parts))), effect


def covered(table, true):
    of = table.assign(gene=table["gene"].astype(int)).sort_values("gene")
    return ((of["hdi_3%"] < true) & (true < of["hdi_97%"])).mean()


def test_each_line_has_its_hits(two_lines):
    hits, effect = two_lines
    assert hits.genes["cell_line"].unique().tolist() == ["A", "B"]
    for line, of_line in hits.genes.groupby("cell_line"):
        assert len(of_line) == GENES
        assert 0.9 < covered(of_line, effect[:, "AB".index(line)]) < 0.98


def test_an_sgrna_counts_once_in_the_mean_over_lines(two_lines):
    """Were it counted once per line, intervals would be too short for what sgRNAs keep."""
    hits, effect = two_lines
    assert set(hits.overall["cell_line"]) == {OVERALL}
    assert 0.9 < covered(hits.overall, effect.mean(axis=1)) < 0.98


def test_genes_that_differ_are_found_and_few_others(two_lines):
    hits, _ = two_lines
    assert set(hits.differences["cell_line"]) == {"A:B"}
    listed = hits.differences[hits.differences["fdr"] < 0.05]
    changed = listed["gene"].astype(int) < CHANGED
    assert changed.sum() > 0.7 * CHANGED
    assert (listed["mean"][changed] > 0).all()  # A is higher
    assert changed.mean() > 0.85
    # What sgRNAs keep drops out: a difference is more certain than an effect.
    strong = hits.differences[changed.reindex(hits.differences.index, fill_value=False)]
    in_b = hits.genes[hits.genes["cell_line"] == "B"].set_index("gene")
    assert strong["sd"].mean() < in_b["sd"][strong["gene"]].mean()


def test_three_lines_are_compared_with_the_others(small_of_three):
    hits = find_hits(small_of_three)
    assert set(hits.differences["cell_line"]) == {f"{line}:{OTHERS}" for line in "ABC"}
    assert list(hits.tree().children) == [f"line_{number}" for number in range(7)]


@pytest.fixture
def small_of_three():
    rng = np.random.default_rng(1)
    rows = [(line, f"{g}_{s}", g) for line in "ABC" for g in "xyz" for s in range(2)]
    table = pd.DataFrame(rows, columns=["cell_line", "sgRNA", "gene"])
    return Screen(table.assign(log_fc=rng.normal(size=len(table))))


def test_lines_without_common_sgrnas_are_not_compared(small_of_three):
    table = small_of_three.table.astype({"sgRNA": str})
    table["sgRNA"] = table["cell_line"].astype(str) + table["sgRNA"]
    hits = find_hits(Screen(table))
    assert hits.genes["cell_line"].unique().tolist() == list("ABC")
    assert len(hits.overall) == len(hits.differences) == 0
    assert "few sgRNAs of A, B, C were measured in another cell line" in hits.notes[0]


def test_a_line_with_the_name_of_a_mean_keeps_its_hits(small_of_three):
    table = small_of_three.table.astype({"cell_line": str})
    table["cell_line"] = table["cell_line"].replace("A", OVERALL)
    hits = find_hits(Screen(table))
    assert hits.genes["cell_line"].unique().tolist() == [OVERALL, "B", "C"]
    assert "a cell line is called 'all lines'" in hits.notes[0]


def test_a_difference_that_cannot_be_fitted_is_left_out_alone(small_of_three):
    """The lines are the same, so they differ by nothing."""
    same = small_of_three.table[small_of_three.table["cell_line"] == "A"]
    same = same.astype({"cell_line": str})
    hits = find_hits(Screen(pd.concat([same, same.assign(cell_line="B")])))
    assert len(hits.genes) == 6 and len(hits.overall) == 3 and len(hits.differences) == 0
    assert hits.notes[1].startswith("A:B is left out: all log fold changes are 0")


def test_replicates_that_are_called_lines_do_not_differ():
    """Few reads are left of essential genes, so their differences are large by chance."""
    of = {**VALUES, "omega": 150.0}
    screen, _ = simulate_mixture(of, n_genes=800, reads=200.0, seed=3)
    lines = screen.table["replicate"].map({"1": "A", "2": "B"})
    apart, _ = contrast(Screen(screen.table.assign(cell_line=lines)), "A", "B")
    hits = find_hits(apart)
    assert (hits.genes["fdr"] < 0.05).sum() <= 1  # 8, if the noise did not follow the reads
    assert 100 < hits.modes["A:B"].parameters["omega"] < 250


def test_a_weaker_screen_is_no_difference_of_its_genes():
    """Half as many doublings halve the effects of all genes."""
    screen, _ = simulate_mixture({**VALUES, "omega": 0.01}, n_genes=400, reads=1000.0, seed=3)
    weak = screen.table["replicate"] == "2"
    log_fc = screen.table["log_fc"] * np.where(weak, 0.5, 1.0)
    table = screen.table.assign(cell_line=np.where(weak, "B", "A"), log_fc=log_fc)
    hits = find_hits(Screen(table.drop(columns="replicate")))
    assert (hits.differences["fdr"] < 0.05).sum() <= 2
    of_a, of_b = map(float, re.findall(r"[AB] (\d\.\d+)", hits.notes[0]))
    assert of_a / of_b == pytest.approx(2, rel=0.1)

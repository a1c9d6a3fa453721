"""From read counts to log fold changes: known values, what is dropped, every fault by name."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolscreen.errors import PoolscreenError
from poolscreen.screens.counts import fold_changes, size_factors

COUNTS = pd.DataFrame(
    {
        "sgRNA": ["a1", "a2", "b1", "b2", "c1"],
        "gene": ["A", "A", "B", "B", "C"],
        "t0": [100, 200, 300, 400, 10],
        "x": [50, 100, 600, 800, 20],
        "y": [100, 200, 300, 400, 0],
    }
)
SAMPLES = pd.DataFrame({"cell_line": ["X", "Y"], "initial": ["t0", "t0"], "final": ["x", "y"]})


def test_known_values():
    """Samples that differ in depth alone have no fold change; the controls stay at zero."""
    deep = COUNTS.assign(x=COUNTS["t0"] * 7)
    table, _ = fold_changes(deep, SAMPLES[:1], pseudo_count=0, min_initial=0)
    np.testing.assert_allclose(table["log_fc"], 0, atol=1e-12)
    table, _ = fold_changes(COUNTS, SAMPLES[:1], controls=["A"], pseudo_count=0, min_initial=0)
    by_gene = table.groupby("gene")["log_fc"].mean()
    np.testing.assert_allclose(by_gene, [0, 2, 2], atol=1e-12)


@given(
    st.lists(st.integers(1, 10_000), min_size=3, max_size=30),
    st.floats(0.1, 10),
)
def test_size_factors_find_the_depth(reads, depth):
    table = pd.DataFrame({"a": reads, "b": np.array(reads) * depth})
    factors = size_factors(table)
    assert factors["b"] / factors["a"] == pytest.approx(depth)
    assert factors["a"] * factors["b"] == pytest.approx(1)


def test_a_few_strong_effects_do_not_move_the_scale():
    rng = np.random.default_rng(1)
    reads = rng.integers(100, 1000, 200).astype(float)
    final = reads * 3
    final[:40] /= 50
    table = pd.DataFrame({"a": reads, "b": final})
    factors = size_factors(table)
    assert factors["b"] / factors["a"] == pytest.approx(3)


def test_what_is_left_out_is_said():
    table, notes = fold_changes(COUNTS, SAMPLES)
    assert "C" not in set(table["gene"])
    assert any("X: 1 of 5 sgRNAs left out" in n and "c1" in n for n in notes)
    assert any("no row is left of 1 genes: C" in n for n in notes)


def test_replicates_keep_their_names():
    samples = SAMPLES.assign(cell_line="X", replicate=["A", "B"])
    table, _ = fold_changes(COUNTS, samples)
    assert table["replicate"].tolist() == ["A"] * 4 + ["B"] * 4


def test_centring_can_be_left_out():
    centred, _ = fold_changes(COUNTS, SAMPLES, min_initial=0)
    plain, _ = fold_changes(COUNTS, SAMPLES, min_initial=0, centre=False)
    gap = (plain["log_fc"] - centred["log_fc"]).groupby(plain["cell_line"])
    assert (gap.std() < 1e-12).all()
    assert (gap.mean().abs() > 0.01).any()


def test_the_input_is_not_changed():
    counts, samples = COUNTS.copy(), SAMPLES.copy()
    fold_changes(counts, samples)
    pd.testing.assert_frame_equal(counts, COUNTS)
    pd.testing.assert_frame_equal(samples, SAMPLES)


@pytest.mark.parametrize(
    ("counts", "samples", "message"),
    [
        (COUNTS.drop(columns="gene"), SAMPLES, "counts: there is no column gene"),
        (COUNTS.iloc[:0], SAMPLES, "counts: there are no rows"),
        (COUNTS, SAMPLES.iloc[:0], "samples: there are no rows"),
        (COUNTS, SAMPLES.drop(columns="final"), "samples: there is no column final"),
        (
            COUNTS,
            SAMPLES.assign(final="z"),
            "name a column z, and the counts have none",
        ),
        (COUNTS, SAMPLES.assign(final="t0"), "initial and final are the same column"),
        (
            COUNTS,
            SAMPLES.assign(cell_line="X"),
            "the same cell line and replicate again",
        ),
        (
            COUNTS.assign(sgRNA=["a1", "a1", "b1", "b2", "c1"]),
            SAMPLES,
            r"sgRNA is listed twice \(row 3",
        ),
        (COUNTS.assign(x=["1", "?", "3", "4", "5"]), SAMPLES, r"x is no number.*row 3"),
        (COUNTS.assign(x=[1, np.nan, 3, 4, 5]), SAMPLES, r"x is missing.*row 3"),
        (
            COUNTS.assign(x=[1, -2, 3, 4, 5]),
            SAMPLES,
            "x is negative; counts are wanted",
        ),
        (
            COUNTS.assign(x=0),
            SAMPLES,
            "none of the 5 control sgRNAs has reads in every",
        ),
    ],
)
def test_faults_are_named(counts, samples, message):
    with pytest.raises(PoolscreenError, match=message):
        fold_changes(counts, samples)


def test_controls_that_the_library_lacks_are_a_remark():
    found, notes = fold_changes(COUNTS, SAMPLES, controls=["A", "D"])
    assert "1 of 2 control genes are not in the counts: D" in notes
    expected, _ = fold_changes(COUNTS, SAMPLES, controls=["A"])
    pd.testing.assert_frame_equal(found, expected)


def test_controls_in_other_letters_are_refused_with_a_hint():
    with pytest.raises(PoolscreenError, match=r"none of the 2 control genes .*; a is A there"):
        fold_changes(COUNTS, SAMPLES, controls=["a", "d"])


def test_few_controls_are_said():
    _, notes = fold_changes(COUNTS, SAMPLES, controls=["A"])
    assert any("the controls have 2 sgRNAs: a median of so few" in note for note in notes)


def test_sgrnas_without_a_target_are_the_controls():
    """Where nobody names controls, and there are enough of these."""
    more = pd.DataFrame({"sgRNA": [f"n{i}" for i in range(25)], "gene": "Non-Targeting"})
    more = more.assign(t0=range(100, 125), x=range(200, 250, 2), y=range(100, 125))
    counts = pd.concat([COUNTS, more], ignore_index=True)
    table, notes = fold_changes(counts, SAMPLES)
    assert "controls: 25 sgRNAs without a target: Non-Targeting" in notes
    rows = (table["gene"] == "Non-Targeting") & (table["cell_line"] == "X")
    assert table.loc[rows, "log_fc"].abs().max() < 0.02


def test_usual_names_of_columns_are_known_and_said():
    bagel = COUNTS.rename(columns={"sgRNA": "SEQUENCE", "gene": "GENE"})
    table, notes = fold_changes(bagel, SAMPLES)
    assert "the column SEQUENCE is taken for sgRNA" in notes
    pd.testing.assert_frame_equal(table, fold_changes(COUNTS, SAMPLES)[0])


def test_all_faults_are_named_at_once():
    with pytest.raises(PoolscreenError, match="3 faults"):
        fold_changes(
            COUNTS.assign(x=[1, -2, 3, 4, 5]).drop(columns="gene"),
            SAMPLES.assign(final=["x", "z"]),
        )

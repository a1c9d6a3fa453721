"""The data structure: nesting, sizes and indices on any screen; its faults by name."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poolscreen.errors import PoolscreenError
from poolscreen.screens.table import Screen


@st.composite
def tables(draw):
    """Any screen: sgRNAs nested in genes, combinations missing, any number of replicates."""
    gene_of_sgrna = draw(st.lists(st.integers(0, 4), min_size=1, max_size=8))
    cells = draw(
        st.lists(
            st.tuples(st.integers(0, len(gene_of_sgrna) - 1), st.integers(0, 3)),
            min_size=1,
            max_size=40,
        )
    )
    values = st.floats(-5, 5, allow_nan=False)
    return pd.DataFrame(
        {
            "cell_line": [f"cell_{c}" for _, c in cells],
            "sgRNA": [f"sgRNA_{s}" for s, _ in cells],
            "gene": [f"gene_{gene_of_sgrna[s]}" for s, _ in cells],
            "log_fc": [draw(values) for _ in cells],
        }
    )


@settings(deadline=None)
@given(tables())
def test_indices_lead_back_to_the_labels(table):
    screen = Screen(table)
    assert np.array(screen.genes)[screen.gene_idx].tolist() == table["gene"].tolist()
    assert np.array(screen.cell_lines)[screen.cell_idx].tolist() == table["cell_line"].tolist()
    assert np.array(screen.sgrnas)[screen.sgrna_idx].tolist() == table["sgRNA"].tolist()


@given(tables())
def test_sgrnas_are_nested_in_genes(table):
    screen = Screen(table)
    assert len(screen.gene_of_sgrna) == len(screen.sgrnas) == table["sgRNA"].nunique()
    assert (screen.gene_of_sgrna[screen.sgrna_idx] == screen.gene_idx).all()
    assert screen.sgrnas_per_gene.sum() == len(screen.sgrnas)


@given(tables())
def test_labels_keep_their_order_and_the_table_its_content(table):
    before = table.copy()
    screen = Screen(table)
    pd.testing.assert_frame_equal(table, before)
    assert screen.cell_lines == list(dict.fromkeys(table["cell_line"]))


GOOD = pd.DataFrame(
    {
        "cell_line": ["a", "b"],
        "sgRNA": ["s", "s"],
        "gene": ["g", "g"],
        "log_fc": [0.1, 0.2],
    }
)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (GOOD.drop(columns="gene"), "no column gene"),
        (GOOD.iloc[:0], "no rows"),
        (GOOD.assign(gene=["g", "h"]), r"more than one gene \(row 2 and 1 more"),
        (GOOD.assign(log_fc=[0.1, np.nan]), r"log_fc is missing \(row 3"),
        (GOOD.assign(log_fc=[np.inf, 0.1]), r"log_fc is infinite.*\(row 2"),
        (GOOD.assign(log_fc=["x", "0.1"]), "log_fc is no number.*'x'"),
        (GOOD.assign(sgRNA=[" ", "s"]), r"sgRNA is empty.*\(row 2"),
        (GOOD.assign(cell_line=[None, "b"]), r"cell_line is empty.*\(row 2"),
        (
            GOOD.assign(cell_line="a", replicate=1),
            "same sgRNA, cell line and replicate",
        ),
    ],
)
def test_faults_are_named(table, message):
    with pytest.raises(PoolscreenError, match=message):
        Screen(table)


def test_all_faults_are_named_at_once():
    bad = GOOD.assign(log_fc=["x", np.inf], sgRNA=["", "s"]).drop(columns="gene")
    with pytest.raises(PoolscreenError) as caught:
        Screen(bad)
    assert str(caught.value).startswith("4 faults:")


def test_labels_become_text():
    """Of a Parquet file they may be numbers."""
    screen = Screen(GOOD.assign(cell_line=[7, 8]))
    assert screen.cell_lines == ["7", "8"]


def test_rows_without_a_name_are_replicates():
    assert len(Screen(GOOD.assign(cell_line="a")).log_fc) == 2

"""The data structure: nesting, sizes and indices on any screen; its faults by name."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolscreen.errors import PoolscreenError
from poolscreen.screen import Screen, read_screen


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


@given(tables())
def test_indices_lead_back_to_the_labels(table):
    screen = Screen(table)
    assert np.array(screen.genes)[screen.gene_idx].tolist() == table["gene"].tolist()
    assert (
        np.array(screen.cell_lines)[screen.cell_idx].tolist()
        == table["cell_line"].tolist()
    )
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
        (GOOD.assign(gene=["g", "h"]), "sgRNA s belongs to more than one gene"),
        (
            GOOD.assign(log_fc=[0.1, np.nan]),
            "row 1, have a log_fc that is not a finite",
        ),
        (GOOD.assign(log_fc=[np.inf, 0.1]), "row 0"),
        (GOOD.assign(log_fc=["x", "y"]), "must be numeric"),
        (GOOD.assign(sgRNA=[" ", "s"]), "row 0, have an empty sgRNA"),
        (GOOD.assign(cell_line=[None, "b"]), "an empty cell_line"),
    ],
)
def test_faults_are_named(table, message):
    with pytest.raises(PoolscreenError, match=message):
        Screen(table)


def test_reading_names_the_file(tmp_path):
    path = tmp_path / "screen.csv"
    with pytest.raises(PoolscreenError, match="is not there"):
        read_screen(path)
    path.write_text("")
    with pytest.raises(PoolscreenError, match=r"screen\.csv is no CSV table"):
        read_screen(path)
    path.write_text("a,b\n1,2\n")
    with pytest.raises(PoolscreenError, match=r"screen\.csv: the screen has no column"):
        read_screen(path)

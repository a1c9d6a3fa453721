"""sgRNAs that disagree, and tails: known values, and what a true model gives."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

from poolscreen.effects import disagreement
from poolscreen.models import m7a, m7b
from poolscreen.screens.table import Screen


def small(values, **more):
    """Three sgRNAs of gene A and one of B, in two cell lines."""
    return Screen(
        pd.DataFrame(
            {
                "cell_line": ["X", "Y"] * 4,
                "sgRNA": np.repeat(["a1", "a2", "a3", "b1"], 2),
                "gene": ["A"] * 6 + ["B"] * 2,
                "log_fc": values,
                **more,
            }
        )
    )


def posterior(**scales):
    dims = ("chain", "draw")
    return xr.Dataset({n: (dims, np.full((2, 50), v)) for n, v in scales.items()})


def test_disagreement_has_known_values():
    screen = small([3.0, 5.0, 1.0, 1.0, 1.0, 1.0, 7.0, 7.0])
    table = disagreement.disagreement(
        screen, posterior(sigma=0.6, sigma_alpha=0.8), m7b.FAMILY
    ).set_index("sgRNA")
    assert set(table.index) == {"a1", "a2", "a3"}  # b1 has no other of its gene
    assert table.loc["a1", "difference"] == pytest.approx(3)
    # One measurement about its gene has variance 1; the mean of two others, one half.
    assert table.loc["a1", "z"] == pytest.approx(3 / np.sqrt(1.5 / 2))
    assert table.loc["a1", "it is"] == "higher"
    assert table.index[0] == "a1"


def test_disagreement_is_standard_normal_where_the_model_holds():
    rng = np.random.default_rng(1)
    genes, guides, cells, n = 200, 4, 5, 2
    sgrna = np.arange(genes * guides)
    mean = rng.normal(0, 1, (genes, cells))[sgrna // guides]
    mean = mean + rng.normal(0, 0.5, mean.shape)
    y = mean[:, :, None] + rng.normal(0, 0.4, (*mean.shape, n))
    labels = pd.MultiIndex.from_product([sgrna, range(cells), range(n)])
    table = labels.to_frame(index=False, name=["sgRNA", "cell_line", "replicate"])
    screen = Screen(table.assign(gene=table["sgRNA"] // guides, log_fc=y.ravel()))
    z = disagreement.disagreement(screen, posterior(sigma=0.4, sigma_alpha=0.5), m7b.FAMILY)["z"]
    assert stats.kstest(z, "norm").pvalue > 0.01
    assert z.std() == pytest.approx(1, abs=0.1)


def test_missing_combinations_are_left_out_of_the_comparison():
    screen = small([3.0, 5.0, 1.0, 1.0, 1.0, 1.0, 7.0, 7.0])
    fewer = Screen(screen.table.drop(index=[1]))  # a1 was not seen in Y
    table = disagreement.disagreement(fewer, posterior(sigma=1.0), m7a.FAMILY)
    row = table.set_index("sgRNA").loc["a1"]
    assert row["cell lines"] == 1
    assert row["z"] == pytest.approx(2 / np.sqrt(1.5))


def test_tails_count_what_lies_far_out():
    screen = small([0.0, 0.0, 0.0, 0.0, -5.0, 2.5, 1.0, 1.0])
    table = pd.DataFrame(
        {
            "gene": ["A", "A", "B", "B"],
            "cell_line": ["X", "Y", "X", "Y"],
            "mean": [0.0, 0.0, 1.0, 1.0],
        }
    )
    counts = disagreement.tails(screen, table, posterior(sigma=1.0), m7a.FAMILY)
    assert counts["below"].tolist() == [1, 1, 1]
    assert counts["above"].tolist() == [1, 0, 0]
    assert counts["expected"].iloc[0] == pytest.approx(8 * 0.02275, rel=1e-3)

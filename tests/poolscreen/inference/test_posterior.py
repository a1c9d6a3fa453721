"""Posterior tables: their order, their columns, the figures of the draws."""

import numpy as np
import pytest
import xarray as xr

from poolscreen.inference.posterior import summarise


def drawn(shift=0.0):
    """Four chains of independent draws, the last one shifted."""
    rng = np.random.default_rng(0)
    sigma = rng.normal(size=(4, 500))
    sigma[-1] += shift
    alpha = rng.normal(size=(4, 500, 2, 3))
    return xr.Dataset(
        {
            "sigma": (("chain", "draw"), sigma),
            "alpha": (("chain", "draw", "gene", "cell_line"), alpha),
        },
        coords={"gene": ["g10", "g2"], "cell_line": ["c", "b", "a"]},
    )


def test_tables_keep_the_order_and_the_columns():
    tables = summarise(drawn())
    assert list(tables) == ["scalars", "alpha"]
    statistics = "mean sd hdi_3% hdi_97% mcse_mean mcse_sd ess_bulk ess_tail r_hat".split()
    assert list(tables["scalars"]) == ["parameter", *statistics]
    assert list(tables["alpha"]) == ["gene", "cell_line", *statistics]
    assert tables["alpha"]["gene"].tolist() == ["g10"] * 3 + ["g2"] * 3
    assert tables["alpha"]["cell_line"].tolist() == ["c", "b", "a"] * 2


def test_an_effect_of_one_dimension_has_a_table():
    draws = drawn().isel(cell_line=0, drop=True)
    table = summarise(draws)["alpha"]
    assert table["gene"].tolist() == ["g10", "g2"]
    own = draws["alpha"].mean(["chain", "draw"]).to_numpy()
    np.testing.assert_allclose(table["mean"], own)


def test_tables_hold_the_draws_own_figures():
    draws = drawn()
    row = summarise(draws)["alpha"].set_index(["gene", "cell_line"]).loc[("g2", "b")]
    own = draws["alpha"].sel(gene="g2", cell_line="b").to_numpy().ravel()
    assert row["mean"] == pytest.approx(own.mean())
    assert row["sd"] == pytest.approx(own.std(ddof=1), rel=1e-3)
    inside = (own > row["hdi_3%"]) & (own < row["hdi_97%"])
    assert inside.mean() == pytest.approx(0.94, abs=0.002)

"""Fits: the gate, the file, the tables."""

import importlib
import re

import numpy as np
import nutpie
import pandas as pd
import pymc as pm
import pytest
import xarray as xr

from poolscreen import files
from poolscreen.errors import PoolscreenError
from poolscreen.inference import gate, sampling, store
from poolscreen.inference.posterior import summarise


def sample_stats(chains=4, draws=500, divergences=0, rng=None):
    rng = rng or np.random.default_rng(0)
    diverging = np.zeros((chains, draws), dtype=bool)
    diverging[0, :divergences] = True
    dims = ("chain", "draw")
    return xr.Dataset(
        {
            "diverging": (dims, diverging),
            "energy": (dims, rng.normal(size=(chains, draws))),
        }
    )


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


def pass_gate(draws, **changes):
    tables = summarise(draws)
    diagnostics = gate.diagnose(tables, sample_stats()) | changes
    gate.check_gate("m", tables, diagnostics)


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


def test_gate_lets_good_draws_pass():
    pass_gate(drawn())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"max_r_hat": 1.02}, r"R-hat up to 1\.020"),
        ({"max_r_hat": float("nan")}, "R-hat up to nan"),
        ({"min_ess_bulk": 399.0}, "bulk effective sample size down to 399"),
        ({"min_ess_tail": 10.0}, "tail effective sample size down to 10"),
        ({"divergences": 1.0}, "1 divergences"),
        ({"min_bfmi": 0.29}, r"BFMI down to 0\.29"),
    ],
)
def test_gate_refuses(change, message):
    with pytest.raises(PoolscreenError, match=message):
        pass_gate(drawn(), **change)


def test_gate_names_a_remedy_that_is_there():
    with pytest.raises(PoolscreenError, match=r"the marginal form \(poolscreen\.\w+\)") as refused:
        pass_gate(drawn(), divergences=1.0)
    importlib.import_module(re.search(r"\((poolscreen\.\w+)\)", str(refused.value))[1])


def test_gate_names_the_worst_parameter():
    with pytest.raises(PoolscreenError, match=r"The worst parameters:\n  sigma: R-hat"):
        pass_gate(drawn(shift=3.0))


def test_a_failure_on_purpose_must_be_one():
    tables = summarise(drawn())
    good = gate.diagnose(tables, sample_stats())
    with pytest.raises(PoolscreenError, match="shown as a failure, but it has converged"):
        gate.check_gate("m", tables, good, expect_failure=True)
    gate.check_gate("m", tables, good | {"divergences": 3.0}, expect_failure=True)


def test_chains_say_how_far_they_are(monkeypatch):
    heard = []
    monkeypatch.setattr(sampling, "Progress", lambda say: say)  # every message is passed on
    with pm.Model() as model:
        pm.Normal("mu")
    compiled = nutpie.compile_pymc_model(model)
    sampling.sample_compiled(compiled, sampling.Settings(draws=20_000), say=heard.append)
    assert re.fullmatch(r"[\d,]+ of 88,000 draws \(\d+%\)", heard[-1])


@pytest.fixture
def fit():
    group = xr.Dataset(
        {
            "x": (
                ("chain", "draw", "obs"),
                np.random.default_rng(0).normal(size=(2, 5, 3)),
            )
        }
    )
    tree = xr.DataTree.from_dict(dict.fromkeys(store.GROUPS, group))
    tree.attrs = {"model": "m", "seed": 1}
    return tree


def test_file_holds_the_fit(fit, tmp_path):
    path = tmp_path / "m.nc"
    store.write_fit(path, fit)
    read = store.read_fit(path)
    assert set(read.children) == set(store.GROUPS)
    assert read.attrs["model"] == "m"
    np.testing.assert_allclose(read["posterior"]["x"], fit["posterior"]["x"], rtol=1e-6)
    assert store.read_attributes(path)["seed"] == 1
    assert [p.name for p in tmp_path.iterdir()] == ["m.nc"]


@pytest.mark.parametrize("keep", [0, 100, 5000])
def test_truncated_file_is_named(fit, tmp_path, keep):
    path = tmp_path / "m.nc"
    store.write_fit(path, fit)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(PoolscreenError, match=r"m\.nc is damaged .*delete it and run `make book`"):
        store.read_fit(path)


def test_file_of_another_version_is_named(fit, tmp_path, monkeypatch):
    path = tmp_path / "m.nc"
    monkeypatch.setattr(store, "FORMAT", store.FORMAT + 1)
    store.write_fit(path, fit)
    monkeypatch.undo()
    with pytest.raises(PoolscreenError, match="is of format 2, and this version reads 1"):
        store.read_fit(path)


def test_missing_file_and_missing_group_are_named(fit, tmp_path):
    with pytest.raises(PoolscreenError, match="is not there"):
        store.read_fit(tmp_path / "none.nc")
    del fit["prior"]
    store.write_fit(tmp_path / "m.nc", fit)
    with pytest.raises(PoolscreenError, match="has no group prior"):
        store.read_fit(tmp_path / "m.nc")


def test_an_interrupted_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")

    def write():
        with files.replacing(path) as part:
            part.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_the_old_file(tmp_path):
    """A real file system with no room left."""
    path = tmp_path / "table.csv"
    path.write_text("old")

    def write():
        with files.replacing(path) as part:
            part.symlink_to("/dev/full")
            pd.DataFrame({"x": range(100_000)}).to_csv(part)

    with pytest.raises(OSError, match="No space left"):
        write()
    assert path.read_text() == "old"

"""Simulation-based calibration: that it passes what is right, and catches what is wrong."""

from types import SimpleNamespace

import numpy as np
import pymc as pm
import pytest
import xarray as xr

from poolscreen import models
from poolscreen.errors import PoolscreenError
from poolscreen.inference import calibration, refitting
from poolscreen.inference.calibration import pit
from poolscreen.models import _m7a_variance, m7a
from poolscreen.screens.simulate import Design, simulate
from poolscreen.screens.table import Screen
from poolscreen.tables.calibration import coverage, rank_differences, uniformity
from press import chapters
from press.results import load_calibration
from press.uses import loaded


@pytest.fixture(scope="module")
def small() -> Screen:
    return Screen(simulate(Design(n_cell_lines=3, sgrnas_per_gene=(1, 2, 4)))[0])


def p_values(calibrated):
    return uniformity(pit(calibrated)).set_index("quantity")["p"]


@pytest.mark.slow
def test_a_deliberate_error_is_caught(small):
    """A variance in place of a standard deviation, by a tenth of the book's data sets."""
    p = {}
    for name, model in {"right": m7a, "wrong": _m7a_variance}.items():
        calibrated = calibration.calibrate(model, small, data_sets=100)
        p[name] = p_values(calibrated)
    assert p["wrong"]["sigma_alpha"] < 1e-6
    assert p["right"].min() > 1e-3


@pytest.mark.slow
def test_a_model_outside_the_family(small):
    """It is sampled as it stands; naming it is enough."""
    model = SimpleNamespace(TITLE="no family", FAMILY=None, build=m7a.build)
    calibrated = calibration.calibrate(model, small, data_sets=3, seed=1)
    assert dict(calibrated.sizes) == {"data_set": 3, "quantity": 6}
    assert calibrated["quantity"].to_numpy().tolist() == [
        "mu_alpha_gc",
        "sigma_alpha",
        "alpha_gc[gene_0, cell_0]",
        "alpha_gc[gene_2, cell_2]",
        "sigma",
        calibration.LOG_LIKELIHOOD,
    ]
    assert calibrated["rank"].min() >= 0
    assert calibrated["rank"].max() <= calibrated.attrs["draws"] == 200


@pytest.mark.slow
def test_fits_that_are_no_result_are_counted(small, monkeypatch):
    """With forty draws none can pass the gate, nor any weights a limit of -9; all are kept."""
    monkeypatch.setattr(refitting, "DRAWS", 40)
    monkeypatch.setattr(refitting, "THIN", 1)
    monkeypatch.setattr(refitting, "MAX_PARETO_K", -9.0)
    without = SimpleNamespace(TITLE="no family", FAMILY=None, build=m7a.build)
    for model, fault in ((without, "effective sample size"), (m7a, "Pareto k")):
        calibrated = calibration.calibrate(model, small, data_sets=4)
        assert calibrated.sizes["data_set"] == 4
        assert all(fault in found for found in calibrated["fault"].to_numpy())


def test_observations_that_are_no_data_are_refused(small):
    def build(screen):
        with pm.Model(coords=screen.coords) as model:
            pm.Normal("log_fc", pm.Normal("mu"), observed=screen.log_fc)
        return model

    model = SimpleNamespace(TITLE="a model of mine", FAMILY=None, build=build)
    with pytest.raises(PoolscreenError, match=r"a model of mine: the observations are no pm"):
        calibration.calibrate(model, small, data_sets=1)


def uniform(n=1000, squeeze=1.0):
    """Ranks as they should be, or too central (a squeeze below one) or too extreme."""
    rng = np.random.default_rng(5)
    u = rng.random((n, 1))
    values = 0.5 + np.sign(u - 0.5) * (np.abs(2 * u - 1) ** (1 / squeeze)) / 2
    draws = 400
    ranks = np.floor(values * (draws + 1)).astype(int)
    return xr.Dataset(
        {"rank": (("data_set", "quantity"), ranks)},
        coords={"quantity": ["x"]},
        attrs={"draws": draws},
    )


def test_uniform_ranks_pass():
    ranks = pit(uniform())
    assert ranks.min() > 0
    assert ranks.max() < 1
    assert uniformity(ranks)["p"][0] > 0.01
    assert set(rank_differences(ranks)["band"]) == {"within"}
    row = coverage(ranks).iloc[0]
    assert abs(float(row["94% interval"].split()[0]) - 94) < 3


@pytest.mark.parametrize("squeeze", [0.7, 1.4])
def test_ranks_of_wrong_widths_do_not(squeeze):
    ranks = pit(uniform(squeeze=squeeze))
    assert uniformity(ranks)["p"][0] < 1e-3
    assert set(rank_differences(ranks)["band"]) == {"outside"}


CALIBRATED = {model for name in chapters.names() for model in loaded(name, "load_calibration")}


def test_the_models_of_the_book_are_calibrated():
    assert set(CALIBRATED) > {"m7a", "m7a_unpooled", "m7b", "m7b_unpooled"}


@pytest.mark.book
@pytest.mark.parametrize("name", sorted(CALIBRATED & set(models.names())))
def test_calibration_shows_no_fault(name, book):
    calibrated = load_calibration(name)
    assert calibrated.sizes["data_set"] >= 1000
    assert (calibrated["fault"] != "").mean() < 0.02
    ranks = pit(calibrated)
    assert uniformity(ranks)["p"].min() > 1e-3
    free = {rv.name for rv in models.get(name).build(calibration.design()).free_RVs}
    assert {label.split("[")[0] for label in calibrated["quantity"].to_numpy()} == {
        *free,
        calibration.LOG_LIKELIHOOD,
    }


@pytest.mark.book
def test_the_book_shows_an_error_being_caught(book):
    calibrated = load_calibration("_m7a_variance")
    assert calibrated.sizes["data_set"] >= 1000
    assert p_values(calibrated)["sigma_alpha"] < 1e-6

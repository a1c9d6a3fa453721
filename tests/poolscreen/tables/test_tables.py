"""Tables that are computed: reweighted draws, power-scaling, leave-one-out, repeated rounds."""

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

from poolscreen.errors import PoolscreenError
from poolscreen.tables import sensitivity
from poolscreen.tables.growth import best_and_median, slope
from press import measurements, paths, results


@pytest.fixture(scope="module")
def normal() -> xr.DataArray:
    draws = np.random.default_rng(2).normal(size=(4, 5000))
    return xr.DataArray(draws, dims=("chain", "draw"), coords={"chain": range(4)})


def test_reweighted_draws_are_those_of_the_other_distribution(normal):
    """From a standard normal to one of mean 0.5 and half the variance."""
    ratio = stats.norm.logpdf(normal, 0.5, 0.5**0.5) - stats.norm.logpdf(normal)
    summary = sensitivity.reweighted({"x": normal}, normal.copy(data=ratio)).iloc[0]
    expected = stats.norm.ppf([0.03, 0.97], 0.5, 0.5**0.5)
    assert summary["mean"] == pytest.approx(0.5, abs=0.02)
    np.testing.assert_allclose(summary[["3%", "97%"]].astype(float), expected, atol=0.05)
    assert summary["k"] < 0.5


def test_draws_as_they_are(normal):
    summary = sensitivity.reweighted({"x": normal}, None).iloc[0]
    assert summary["mean"] == pytest.approx(float(normal.mean()))
    assert np.isnan(summary["k"])


def test_power_scaling_tells_who_decides(normal):
    """A prior that is the posterior, and one that is next to flat."""
    strong = normal.copy(data=stats.norm.logpdf(normal))
    weak = normal.copy(data=stats.norm.logpdf(normal, 0, 100))
    posterior = xr.Dataset({"x": normal})
    for prior, likelihood in [(strong, weak), (weak, strong)]:
        density = xr.Dataset({"x": prior, "log_fc": likelihood})
        moved = sensitivity.power_scaling(posterior, density).iloc[0]
        high, low = ("prior", "likelihood") if prior is strong else ("likelihood", "prior")
        assert moved[high] > 0.05
        assert moved[low] < 0.01


def test_best_and_median():
    rounds = pd.DataFrame(
        {
            "model": list("aaab"),
            "s": [3.0, 1.0, 2.0, 9.0],
            "ESS per second": [1, 5, 2, 7],
        }
    )
    reduced = best_and_median(rounds, ["model"]).set_index("model").loc["a"]
    assert reduced["s, best"] == 1
    assert reduced["s, median"] == 2
    assert reduced["ESS per second, best"] == 5
    assert reduced["ESS per second, median"] == 2


def test_slope():
    sizes = pd.Series([10.0, 100.0, 1000.0])
    assert slope(sizes, 3 * sizes**1.5) == pytest.approx(1.5)


def test_measurements_are_kept_whole(in_project):
    measurements.record("scaling", [1, 2])
    assert results.load_benchmark("scaling")["figures"] == [1, 2]
    assert {"cores", "pymc", "measured"} <= set(results.load_benchmark("scaling")["machine"])
    path = paths.benchmark_path("scaling")
    path.write_text(json.dumps({"a": 1})[:-1])
    with pytest.raises(PoolscreenError, match=r"scaling\.json is damaged"):
        results.load_benchmark("scaling")
    path.unlink()
    with pytest.raises(PoolscreenError, match="`make bench` makes it"):
        results.load_benchmark("scaling")

"""Reweighting and power-scaling, on normal draws, where the answer is known."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from poolscreen.tables import sensitivity


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

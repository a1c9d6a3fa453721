"""Other priors and power-scaling, where the answer is known."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from poolscreen.inference.exact import solve
from poolscreen.inference.scales import MAX_PARETO_K, in_blocks
from poolscreen.models import m7a
from poolscreen.tables import sensitivity


@pytest.fixture(scope="module")
def normal() -> xr.DataArray:
    draws = np.random.default_rng(2).normal(size=(4, 5000))
    return xr.DataArray(draws, dims=("chain", "draw"), coords={"chain": range(4)})


def test_another_prior_is_that_of_a_model_that_has_it(screen):
    """With an exponential prior of another rate, by quadrature over the scales of model 7a."""
    exact = solve(m7a.FAMILY, screen)
    priors = {"rate 1": None, "rate 3": lambda of: -2 * (of["sigma_alpha"] + of["sigma"])}
    quantities = {name: lambda of, name=name: of[name] for name in m7a.FAMILY.scales}
    found = sensitivity.under_priors(exact.points, quantities, priors).set_index(
        ["prior", "quantity"]
    )
    middles = (np.arange(400) + 0.5) / 400 * np.array([[6.0], [3.0]])
    grid = dict(zip(m7a.FAMILY.scales, map(np.ravel, np.meshgrid(*middles)), strict=True))
    for rate in (1, 3):
        density = in_blocks(exact.closed, grid) - rate * sum(grid.values())
        weights = np.exp(density - density.max())
        for name, values in grid.items():
            expected = np.average(values, weights=weights)
            of_points = found.loc[(f"rate {rate}", name)]
            assert of_points["mean"] == pytest.approx(expected, rel=0.02)
            assert of_points["3%"] < expected < of_points["97%"]
            assert of_points["k"] < MAX_PARETO_K


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

"""What is left out is predicted as the dense normal does, and as a fit without it does."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from scipy import special, stats
from tests.dense import FAMILIES, FIXED, covariance, points, repeated
from tests.poolscreen.families.test_nested import screens

from poolscreen import models
from poolscreen.errors import PoolscreenError
from poolscreen.families.crossed.family import Crossed
from poolscreen.families.nested.family import NestedNormal
from poolscreen.inference import leaving_out, recovery
from poolscreen.inference.exact import solve
from poolscreen.screens.table import Screen

# Prediction ---------------------------------------------------------------------------------
NESTED = NestedNormal("top", "gene", "mu", "sigma_gamma", "nested", "sigma_alpha")
DRAWS = 400


@pytest.mark.parametrize("family", [*FAMILIES, NESTED, FIXED])
@given(screen=screens(), point=points)
@settings(max_examples=15, deadline=None)
def test_what_is_left_out_is_conditioned_on_the_rest(family, screen, point):
    matrix, y = covariance(family, screen, point), screen.log_fc
    posterior = repeated(point | {"mu": 0.0}, family, draws=40)
    found = leaving_out.predict(family, screen, posterior)
    for name, parts in leaving_out.parts_left_out(screen).items():
        density = found["log_likelihood"][name].to_numpy()[0, 0]
        mean, sd = (found["predicted"][v].sel(left_out=name).to_numpy() for v in ("mean", "sd"))
        for place, part in enumerate(parts):
            rest = np.setdiff1d(np.arange(len(y)), part)
            link = matrix[np.ix_(part, rest)]
            weight = np.linalg.solve(matrix[np.ix_(rest, rest)], link.T).T
            expected = weight @ y[rest]
            spread = matrix[np.ix_(part, part)] - weight @ link.T
            normal = stats.multivariate_normal(expected, spread, allow_singular=True)
            logpdf = normal.logpdf(y[part])  # it may be next to 0
            np.testing.assert_allclose(density[place], logpdf, rtol=1e-5, atol=1e-5)
            np.testing.assert_allclose(mean[part], expected, rtol=1e-5, atol=1e-5)
            np.testing.assert_allclose(sd[part], np.sqrt(np.diag(spread)), rtol=1e-5)


@pytest.fixture(scope="module")
def reweighted(screen):
    """Log densities of parts of the screen given its rest, by reweighting one fit."""
    scales = solve(Crossed(), screen).draws(DRAWS)
    return leaving_out.predict(Crossed(), screen, scales)["log_likelihood"]


@pytest.mark.slow
@pytest.mark.parametrize("what", ["cell_line", "sgRNA"])
def test_reweighting_is_refitting(what, screen, reweighted):
    """The posterior without a part, by a new fit, gives the density that reweighting gives."""
    number = 4
    of_part = reweighted[what].to_numpy()[:, :, number].ravel()
    found = -(special.logsumexp(-of_part) - np.log(of_part.size))

    part = leaving_out.parts_left_out(screen)[what][number]
    rest = Screen(screen.table.drop(index=part))
    refitted = solve(Crossed(), rest).draws(DRAWS)
    density = leaving_out.predict(Crossed(), screen, refitted)["log_likelihood"][what]
    density = density.to_numpy()[:, :, number].ravel()
    expected = special.logsumexp(density) - np.log(density.size)
    assert abs(found - expected) < 0.15


def test_a_model_without_a_family_is_refused(screen, monkeypatch):
    monkeypatch.setattr(models.get("m7a"), "FAMILY", None)
    with pytest.raises(PoolscreenError, match="m7a has no FAMILY, so nothing can be left out"):
        recovery.predict_and_recover("m7a", screen, print)


def test_a_screen_that_is_too_large_is_refused(monkeypatch, screen):
    monkeypatch.setattr(leaving_out, "MAX_OBSERVATIONS", 1000)
    with pytest.raises(PoolscreenError, match="has 1,100 rows"):
        leaving_out.predict(Crossed(), screen, xr.Dataset())

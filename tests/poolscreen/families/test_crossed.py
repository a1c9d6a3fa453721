"""The crossed models, and what they predict, against the dense multivariate normal."""

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
from hypothesis import assume, given, settings
from pytensor.compile.mode import Mode
from scipy import stats
from tests.dense import FAMILIES, Dense, points
from tests.poolscreen.families.test_nested import screens

from poolscreen import models
from poolscreen.errors import PoolscreenError
from poolscreen.families.crossed.family import Crossed
from poolscreen.families.crossed.likelihood import log_marginal_likelihood, reduced
from poolscreen.families.family import check_member
from poolscreen.screens.table import Screen

NAMES = ["m7", "m7c", "m7_two_means", "m7c_unpooled", "m8", "m8_replicates"]


@pytest.mark.parametrize("family", FAMILIES)
@given(screen=screens(), point=points)
@settings(max_examples=15, deadline=None)  # each is compiled; test_closed.py tries more
def test_likelihood_is_that_of_the_dense_normal(family, screen, point):
    assume(len(screen.log_fc) > 1)  # of one there is nothing to learn
    y = screen.log_fc
    expected = stats.multivariate_normal(
        np.zeros(len(y)), Dense(family, screen, point).covariance
    ).logpdf(y)
    found = log_marginal_likelihood(family, reduced(family, screen), point)
    function = pytensor.function([], found, mode="FAST_COMPILE")
    np.testing.assert_allclose(function(), expected, rtol=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_its_gradient_is_right(family, screen):
    inputs = [pt.dscalar(name) for name in family.parameters]
    point = dict(zip(family.parameters, inputs, strict=True))
    total = log_marginal_likelihood(family, reduced(family, screen), point)
    plain = Mode("py", None)  # compiling takes minutes
    value = pytensor.function(inputs, total, mode=plain)
    gradient = pytensor.function(inputs, pytensor.grad(total, inputs), mode=plain)
    at = np.array([0.7, 0.2, 1.1, 0.3, 0.4, 0.5])[: len(inputs)]
    for number, found in enumerate(gradient(*at)):
        step = 1e-5 * np.eye(len(at))[number]
        slope = (value(*(at + step)) - value(*(at - step))) / 2e-5
        np.testing.assert_allclose(found, slope, rtol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
@given(screen=screens(), point=points)
@settings(max_examples=8, deadline=None)
def test_draws_of_the_effects_are_those_of_the_dense_normal(family, screen, point):
    assume(len(screen.log_fc) > 1)  # of one there is nothing to learn
    draws, dense = 4000, Dense(family, screen, point)
    rng = np.random.default_rng(1)
    scales = {name: np.full(draws, point[name]) for name in family.parameters}
    found = family.closed(screen).draw_effects(scales, rng)
    assert set(found) == set(dense.effects)
    for name in found:
        mean, covariance = dense.effect(name, screen.log_fc)
        values = found[name].reshape(draws, -1)
        sd = np.sqrt(np.diag(covariance))
        z = (values.mean(0) - mean) / (sd + 1e-9) * np.sqrt(draws)
        assert np.abs(z).max() < 5
        error = np.cov(values.T).reshape(covariance.shape) - covariance
        assert np.abs(error / (np.outer(sd, sd) + 1e-9)).max() < 0.12


@pytest.mark.parametrize("name", NAMES)
def test_family_is_the_model_that_is_written_down(name, screen):
    check_member(models.get(name).FAMILY, screen, models.get(name).build(screen))


def test_another_model_is_refused(screen):
    with pytest.raises(PoolscreenError, match=r"is not .*two_means=True"):
        check_member(
            Crossed(two_means=True, nested_sd=None),
            screen,
            _two_means_in_disguise(screen),
        )


def _two_means_in_disguise(screen):
    """Model 7 with two means and a narrower prior for one, without sgRNAs."""
    with pm.Model(coords=screen.coords) as model:
        mu_gamma, mu_beta = pm.Normal("mu_gamma", 0, 5), pm.Normal("mu_beta", 0, 1)
        sigma_gamma, sigma_beta = (pm.Exponential(f"sigma_{n}", 1) for n in ("gamma", "beta"))
        gamma_g = pm.Normal("gamma_g", mu_gamma, sigma_gamma, dims="gene")
        beta_c = pm.Normal("beta_c", mu_beta, sigma_beta, dims="cell_line")
        mu = gamma_g[screen.gene_idx] + beta_c[screen.cell_idx]
        pm.Normal("log_fc", mu, pm.Exponential("sigma", 1), observed=screen.log_fc)
    return model


def test_equal_values_are_refused(screen):
    with pytest.raises(PoolscreenError, match="all 1100 values of log_fc are 2: with zero"):
        Crossed().build(Screen(screen.table.assign(log_fc=2.0)))

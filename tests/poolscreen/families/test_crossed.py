"""The crossed models, and what they predict, against the dense multivariate normal."""

import numpy as np
import nutpie
import pytensor
import pytensor.tensor as pt
import pytest
from hypothesis import given, settings
from scipy import stats
from tests.dense import FAMILIES, Dense, points, repeated
from tests.poolscreen.families.test_nested import screens

from poolscreen import models
from poolscreen.errors import PoolscreenError
from poolscreen.families.crossed.data import statistics
from poolscreen.families.crossed.family import Crossed
from poolscreen.families.crossed.likelihood import log_marginal_likelihood
from poolscreen.families.family import check_member
from poolscreen.inference import gate, sampling
from poolscreen.inference.posterior import summarise
from poolscreen.screens.simulate import Design, simulate
from poolscreen.screens.table import Screen

NAMES = ["m7", "m7c", "m7_two_means"]


@pytest.mark.parametrize("family", FAMILIES)
@given(screen=screens(), point=points)
@settings(max_examples=40, deadline=None)
def test_likelihood_is_that_of_the_dense_normal(family, screen, point):
    y = screen.log_fc
    expected = stats.multivariate_normal(
        np.zeros(len(y)), Dense(family, screen, point).covariance
    ).logpdf(y)
    found = log_marginal_likelihood(family, statistics(screen), point)
    function = pytensor.function([], found, mode="FAST_COMPILE")
    np.testing.assert_allclose(function(), expected, rtol=1e-7)


@pytest.mark.parametrize("family", FAMILIES)
def test_its_gradient_is_right(family, screen):
    inputs = [pt.dscalar(name) for name in family.parameters]
    point = dict(zip(family.parameters, inputs, strict=True))
    total = log_marginal_likelihood(family, statistics(screen), point)
    value = pytensor.function(inputs, total)
    gradient = pytensor.function(inputs, pytensor.grad(total, inputs))
    at = np.array([0.7, 0.2, 1.1, 0.3])[: len(inputs)]
    for number, found in enumerate(gradient(*at)):
        step = 1e-5 * np.eye(len(at))[number]
        slope = (value(*(at + step)) - value(*(at - step))) / 2e-5
        np.testing.assert_allclose(found, slope, rtol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
@given(screen=screens(), point=points)
@settings(max_examples=8, deadline=None)
def test_draws_of_the_effects_are_those_of_the_dense_normal(family, screen, point):
    draws, dense = 4000, Dense(family, screen, point)
    rng = np.random.default_rng(1)
    found = family.draw_effects(screen, repeated(point, family, draws), rng)
    assert set(found.data_vars) == set(dense.effects)
    for name in found.data_vars:
        mean, covariance = dense.effect(name, screen.log_fc)
        values = found[name].to_numpy().reshape(draws, -1)
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
    import pymc as pm

    with pm.Model(coords=screen.coords) as model:
        mu_gamma, mu_beta = pm.Normal("mu_gamma", 0, 5), pm.Normal("mu_beta", 0, 1)
        sigma_gamma, sigma_beta = (pm.Exponential(f"sigma_{n}", 1) for n in ("gamma", "beta"))
        gamma_g = pm.Normal("gamma_g", mu_gamma, sigma_gamma, dims="gene")
        beta_c = pm.Normal("beta_c", mu_beta, sigma_beta, dims="cell_line")
        mu = gamma_g[screen.gene_idx] + beta_c[screen.cell_idx]
        pm.Normal("log_fc", mu, pm.Exponential("sigma", 1), observed=screen.log_fc)
    return model


def test_data_for_another_design_are_refused(screen):
    model = Crossed().build(screen)
    fewer = Screen(screen.table[screen.table["cell_line"] != "cell_3"])
    with pytest.raises(PoolscreenError, match="1 patterns in 20 cell lines and 10 genes"):
        Crossed().data_of(model, fewer)


def test_equal_values_are_refused(screen):
    with pytest.raises(PoolscreenError, match="all 1100 values of log_fc are 2: with zero"):
        Crossed().build(Screen(screen.table.assign(log_fc=2.0)))


@pytest.mark.slow
def test_missing_combinations_and_replicates_pass_the_gate():
    table, _ = simulate(Design(n_cell_lines=5, sgrnas_per_gene=(3,) * 8, seed=2))
    some = table.sample(frac=0.8, random_state=1)
    screen = Screen(some.sample(frac=1.3, replace=True, random_state=2))
    model = models.get("m7")
    sampled = sampling.sample(model, screen, sampling.Settings())
    tables = summarise(sampled["posterior"].to_dataset())
    found = gate.diagnose(tables, sampled["sample_stats"].to_dataset())
    assert gate.faults(found) == []


@pytest.mark.slow
def test_marginal_posterior_is_that_of_plain_nuts(screen):
    model = models.get("m7")
    forms = [
        sampling.sample(model, screen, sampling.Settings(), marginal_form=form)
        for form in (True, False)
    ]
    exact, plain = (summarise(form["posterior"].to_dataset()) for form in forms)
    exact["scalars"], plain["scalars"] = (
        of["scalars"].set_index("parameter").sort_index() for of in (exact, plain)
    )
    for name, table in exact.items():
        error = np.hypot(table["mcse_mean"], plain[name]["mcse_mean"])
        assert (np.abs(table["mean"] - plain[name]["mean"]) < 5 * error).all()
        error = np.hypot(table["mcse_sd"], plain[name]["mcse_sd"])
        assert (np.abs(table["sd"] - plain[name]["sd"]) < 5 * error).all()


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_one_compilation_serves_other_data(family, screen):
    model = family.build(screen)
    compiled = nutpie.compile_pymc_model(model)
    other = Screen(screen.table.assign(log_fc=10 * screen.log_fc))
    quick = sampling.Settings(draws=200, tune=200, chains=2)
    for data, size in ((screen, 1), (other, 10)):
        again = compiled.with_data(**family.data_of(model, data))
        found = sampling.sample_compiled(again, quick)["posterior"]["sigma"].mean()
        assert 0.28 * size < found < 0.36 * size

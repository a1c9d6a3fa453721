"""The crossed models, and what they predict, against the dense multivariate normal."""

import numpy as np
import nutpie
import pytensor
import pytensor.tensor as pt
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats
from tests.poolscreen.families.test_nested import screens

from poolscreen import models
from poolscreen.errors import PoolscreenError
from poolscreen.families.crossed.data import statistics
from poolscreen.families.crossed.family import Crossed
from poolscreen.families.crossed.likelihood import log_marginal_likelihood
from poolscreen.families.family import check_member
from poolscreen.families.nested.family import NestedNormal
from poolscreen.inference import gate, leaving_out, recovery, sampling
from poolscreen.inference.posterior import summarise
from poolscreen.screens.simulate import Design, simulate
from poolscreen.screens.table import Screen

FAMILIES = [Crossed(), Crossed(nested_sd=None), Crossed(two_means=True)]
NAMES = ["m7", "m7c", "m7_two_means"]
scales = st.floats(0.05, 8)
points = st.fixed_dictionaries(
    dict.fromkeys(["sigma_gamma", "sigma_alpha", "sigma_beta", "sigma"], scales)
)


class Dense:
    """The joint normal of means, effects and observations, from how each is defined."""

    def __init__(self, family: Crossed, screen: Screen, point) -> None:
        sizes = {
            "gamma_g": len(screen.genes),
            "beta_c": len(screen.cell_lines),
            "alpha_s": len(screen.sgrnas),
        }
        # Independent parts: means, deviations of genes, of cell lines, of sgRNAs, of observations.
        means = ["mu_gamma", "mu_beta"] if family.two_means else ["mu"]
        sd = [*[5.0] * len(means)]
        for name, scale in (
            ("gamma_g", "gamma"),
            ("beta_c", "beta"),
            ("alpha_s", "alpha"),
        ):
            known = name != "alpha_s" or family.nested_sd
            sd += [point[f"sigma_{scale}"] if known else 0.0] * sizes[name]
        eye = np.eye(len(sd))
        starts = np.cumsum([len(means), *sizes.values()])
        of_mean, gene, line, deviation = np.split(eye, starts[:-1])
        if family.two_means:
            gene, line = gene + of_mean[0], line + of_mean[1]
            level = np.zeros((1, len(sd)))
        else:
            gene, line = gene - gene.mean(0), line - line.mean(0)
            level = of_mean
        sgrna = level + gene[screen.gene_of_sgrna] + deviation
        mu = sgrna[screen.sgrna_idx] + line[screen.cell_idx]
        prior = np.diag(np.square(sd))
        self.covariance = mu @ prior @ mu.T + point["sigma"] ** 2 * np.eye(len(mu))
        self.effects = {"gamma_g": gene, "beta_c": line}
        self.effects |= {name: of_mean[[i]] for i, name in enumerate(means)}
        if family.nested_sd:
            self.effects["alpha_s"] = sgrna
        self.prior, self.mu = prior, mu

    def effect(self, name: str, y) -> tuple[np.ndarray, np.ndarray]:
        """Posterior mean and covariance."""
        rows = self.effects[name]
        linked = rows @ self.prior @ self.mu.T
        weight = np.linalg.solve(self.covariance, linked.T).T
        return weight @ y, rows @ self.prior @ rows.T - weight @ linked.T


def repeated(point, family, draws=1):
    """The point as a posterior, of draws that are equal as nearly as weights can be smoothed."""
    nearly = 1 + 1e-7 * np.random.default_rng(1).normal(size=(1, draws))
    return xr.Dataset(
        {name: (("chain", "draw"), point[name] * nearly) for name in family.parameters}
    )


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


# Prediction ---------------------------------------------------------------------------------

NESTED = NestedNormal("top", "gene", "mu", "sigma_gamma", "nested", "sigma_alpha")
LONG = sampling.Settings(draws=4000)
FIXED = NestedNormal(top="top", level="sgRNA", mean=0.0, sd=5.0)


def covariance(family, screen, point):
    """Of all observations, from who shares what."""
    n_lines = len(screen.cell_lines)
    if isinstance(family, Crossed):
        return Dense(family, screen, point).covariance
    unit = screen.sgrna_idx * n_lines + screen.cell_idx
    group = screen.gene_idx * n_lines + screen.cell_idx

    def same(of):
        return np.equal.outer(of, of).astype(float)

    noise = point["sigma"] ** 2 * np.eye(len(unit))
    if family is FIXED:
        return 25 * same(unit) + noise
    gene, sgrna = (point[f"sigma_{name}"] ** 2 for name in ("gamma", "alpha"))
    return 25 + gene * same(group) + sgrna * same(unit) + noise


@pytest.mark.parametrize("family", [*FAMILIES, NESTED, FIXED])
@given(screen=screens(), point=points)
@settings(max_examples=15, deadline=None)
def test_what_is_left_out_is_conditioned_on_the_rest(family, screen, point):
    matrix, y = covariance(family, screen, point), screen.log_fc
    posterior = repeated(point | {"mu": 0.0}, family, draws=40 * leaving_out.EVERY)
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
            np.testing.assert_allclose(density[place], logpdf, rtol=1e-5, atol=1e-6)
            np.testing.assert_allclose(mean[part], expected, rtol=1e-5, atol=1e-6)
            np.testing.assert_allclose(sd[part], np.sqrt(np.diag(spread)), rtol=1e-5)


@pytest.fixture(scope="module")
def reweighted(screen):
    """Log densities of parts of the screen given its rest, by reweighting one fit."""
    sampled = sampling.sample(models.get("m7"), screen, LONG)["posterior"].to_dataset()
    return leaving_out.predict(Crossed(), screen, sampled)["log_likelihood"]


@pytest.mark.slow
@pytest.mark.parametrize("what", ["cell_line", "sgRNA"])
def test_reweighting_is_refitting(what, screen, reweighted):
    """The posterior without a part, by a new fit, gives the density that reweighting gives."""
    number = 4
    of_part = reweighted[what].to_numpy()[:, :, number].ravel()
    found = -(special.logsumexp(-of_part) - np.log(of_part.size))

    part = leaving_out.parts_left_out(screen)[what][number]
    rest = Screen(screen.table.drop(index=part))
    refitted = sampling.sample(models.get("m7"), rest, LONG)["posterior"].to_dataset()
    density = leaving_out.predict(Crossed(), screen, refitted)["log_likelihood"][what]
    density = density.to_numpy()[:, :, number].ravel()
    expected = special.logsumexp(density) - np.log(density.size)
    assert abs(found - expected) < 0.15


def test_a_model_without_a_family_is_refused(screen, monkeypatch):
    monkeypatch.setattr(models.get("m7a"), "FAMILY", None)
    with pytest.raises(PoolscreenError, match="m7a has no FAMILY, so nothing can be left out"):
        recovery.predict_and_recover("m7a", screen, xr.Dataset(), print)


def test_a_screen_that_is_too_large_is_refused(monkeypatch, screen):
    monkeypatch.setattr(leaving_out, "MAX_OBSERVATIONS", 1000)
    with pytest.raises(PoolscreenError, match="has 1,100 rows"):
        leaving_out.predict(Crossed(), screen, xr.Dataset())


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


@pytest.mark.slow
def test_the_truth_is_found_as_often_as_it_should_be():
    """By the model that made it; one that forgets what cell lines share is too sure."""
    found, too_sure = (recovery.recover(models.get(name), screens=20) for name in ("m7", "m7a"))
    assert (found["fault"] == "").mean() > 0.9
    held = found["held"].mean(["screen", "gene"])
    assert (np.abs(held - 0.94) < 0.05).all()
    assert too_sure["held"].sel(target="over all lines").mean() < 0.75
    error = (of["squared_error"].sel(target="in each line").mean() for of in (found, too_sure))
    assert next(error) < 0.5 * next(error)

"""Both families in closed form, against the dense multivariate normal."""

import numpy as np
import pytest
from hypothesis import given, settings
from scipy import stats
from tests import dense
from tests.poolscreen.families import test_nested as nested

from poolscreen.families.nested.family import NestedNormal

AT_ONCE = 2  # points of the scales


def at(point, names):
    """The point, and another one that must not matter."""
    return {name: np.array([point[name], 1.3 * point[name]]) for name in names}


def compare(moments, mean, covariance):
    np.testing.assert_allclose(np.ravel(moments.mean[0]), mean, atol=1e-7)
    variance = np.broadcast_to(moments.variance[0], moments.mean[0].shape)
    np.testing.assert_allclose(np.ravel(variance), np.diag(covariance), atol=1e-7)


@pytest.mark.parametrize("family", dense.FAMILIES)
@given(screen=nested.screens(), point=dense.points)
@settings(max_examples=60, deadline=None)
def test_crossed(family, screen, point):
    if len(screen.log_fc) < 2:
        return
    y, joint = screen.log_fc, dense.Dense(family, screen, point)
    closed, scales = family.closed(screen), at(point, family.scales)
    density = stats.multivariate_normal(np.zeros(len(y)), joint.covariance).logpdf(y)
    np.testing.assert_allclose(closed.log_likelihood(scales)[0], density, rtol=1e-7, atol=1e-6)

    of, genes = closed.given(scales), slice(0, len(screen.genes))
    for name, moments in of.means().items():
        compare(moments, *joint.effect(name, y))
    for name, (rows, moments) in of.effects(genes).items():
        mean, covariance = joint.effect(name, y)
        each = len(mean) // len(rows)  # its lines, where it differs in these
        place = (rows[:, None] * each + np.arange(each)).ravel()
        compare(moments, mean[place], covariance[np.ix_(place, place)])


@pytest.mark.parametrize("family", dense.FAMILIES)
@given(screen=nested.screens(), point=dense.points)
@settings(max_examples=30, deadline=None)
def test_combinations_of_effects_of_crossed_models(family, screen, point):
    if len(screen.log_fc) < 2:
        return
    joint = dense.Dense(family, screen, point)
    n_lines = len(screen.cell_lines)
    weights = np.random.default_rng(1).normal(size=(n_lines, 2))
    level = 0 if family.two_means else joint.effects["mu"]
    in_lines = joint.effects["gamma_g"][:, None] + joint.effects["beta_c"] + level
    if family.interaction_sd:
        in_lines = in_lines + joint.effects["delta_gc"].reshape(in_lines.shape)
    joint.effects["combined"] = np.einsum("gcp,ck->gkp", in_lines, weights).reshape(
        -1, in_lines.shape[2]
    )
    genes = slice(0, len(screen.genes))
    moments = family.closed(screen).given(at(point, family.scales)).gene_effects(genes, weights)
    compare(moments, *joint.effect("combined", screen.log_fc))


@given(screen=nested.screens(), family=nested.families(), point=nested.points)
@settings(max_examples=150, deadline=None)
def test_nested(screen, family, point):
    """The mean is averaged over its prior: it is one more part that all observations share."""
    try:
        closed = family.closed(screen)
    except Exception as error:  # nothing to learn from, which other tests are about
        assert "observation" in str(error) or "zero" in str(error)
        return
    y, scales = screen.log_fc, at(point, family.scales)
    _, sd, nested_sd, sigma = nested.values_of(family, point)
    sampled_mean = isinstance(family.mean, str)
    mean = 0.0 if sampled_mean else family.mean
    joint = nested.Dense(family, screen, mean, sd, nested_sd, sigma)
    shared = 25.0 if sampled_mean else 0.0
    # Columns of all effects, each its own deviation; the mean is one column more.
    design = np.hstack([np.ones((len(y), 1)), joint.design])
    prior = np.diag([shared, *joint.prior])
    covariance = design @ prior @ design.T + sigma**2 * np.eye(len(y))
    density = stats.multivariate_normal(np.full(len(y), mean), covariance).logpdf(y)
    np.testing.assert_allclose(closed.log_likelihood(scales)[0], density, rtol=1e-7, atol=1e-6)

    n_lines = len(screen.cell_lines)
    n_top = len(screen.genes if family.level == "gene" else screen.sgrnas) * n_lines
    rows = {family.top: np.hstack([np.ones((n_top, 1)), np.eye(n_top, joint.design.shape[1])])}
    if family.nested:
        own = np.eye(len(screen.sgrnas) * n_lines, joint.design.shape[1], n_top)
        of_gene = (screen.gene_of_sgrna[:, None] * n_lines + np.arange(n_lines)).ravel()
        rows[family.nested] = rows[family.top][of_gene] + np.hstack([0 * own[:, :1], own])
    of = closed.given(scales)
    effects = of.effects(slice(0, len(screen.genes)))
    assert set(effects) == set(rows)
    for name, (index, moments) in effects.items():
        linked = rows[name] @ prior @ design.T
        weight = np.linalg.solve(covariance, linked.T).T
        expected = mean + weight @ (y - mean)
        spread = rows[name] @ prior @ rows[name].T - weight @ linked.T
        place = (index[:, None] * n_lines + np.arange(n_lines)).ravel()
        compare(moments, expected[place], spread[np.ix_(place, place)])
    if sampled_mean:
        (moments,) = of.means().values()
        linked = shared * design[:, 0]
        weight = np.linalg.solve(covariance, linked)
        np.testing.assert_allclose(moments.mean[0], weight @ y, atol=1e-7)
        np.testing.assert_allclose(moments.variance[0], shared - weight @ linked, atol=1e-6)


def test_a_gene_without_an_effect_of_its_own_is_the_mean_of_its_sgrnas(screen):
    family = NestedNormal(top="alpha_sc", level="sgRNA", mean=0.0, sd=5.0)
    of = family.closed(screen).given({"sigma": np.array([0.3])})
    genes = slice(0, len(screen.genes))
    rows, moments = of.effects(genes)["alpha_sc"]
    averaged = of.gene_effects(genes, np.eye(len(screen.cell_lines)))
    last = screen.gene_of_sgrna[rows] == 9
    np.testing.assert_allclose(averaged.mean[0, 9], moments.mean[0, last].mean(axis=0))
    variance = np.broadcast_to(moments.variance, moments.mean.shape)[0, last].sum(axis=0) / 100
    np.testing.assert_allclose(averaged.variance[0, 9], variance)

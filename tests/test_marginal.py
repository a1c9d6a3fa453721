"""The marginal models against the dense multivariate normal, and against plain NUTS."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from pymc.model.transform.conditioning import remove_value_transforms
from scipy import stats

from poolscreen import fits, marginal, models, sampling
from poolscreen.errors import PoolscreenError
from poolscreen.marginal import NestedNormal
from poolscreen.models import m7b
from poolscreen.screen import Screen

FAMILIES = {name: models.get(name).FAMILY for name in models.names()}


@st.composite
def screens(draw):
    """A random design: unequal genes and replicates, missing combinations."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    gene_of_sgrna = rng.integers(
        0, draw(st.integers(1, 3)), size=draw(st.integers(1, 6))
    )
    replicates = rng.integers(0, 4, size=(len(gene_of_sgrna), draw(st.integers(1, 3))))
    replicates[0, 0] += 1  # at least one observation
    s, c = (
        np.repeat(index, replicates.ravel())
        for index in map(np.ravel, np.indices(replicates.shape))
    )
    table = pd.DataFrame(
        {
            "cell_line": [f"cell_{i}" for i in c],
            "sgRNA": [f"sgRNA_{i}" for i in s],
            "gene": [f"gene_{gene_of_sgrna[i]}" for i in s],
            "log_fc": rng.normal(-1, 1, size=len(s)),
        }
    )
    return Screen(table)


scales = st.floats(0.05, 3)


class Dense:
    """The joint normal of effects and observations, written out as matrices."""

    def __init__(
        self, family: NestedNormal, screen: Screen, mean, sd, nested_sd, sigma
    ):
        n_cells = len(screen.cell_lines)
        row = screen.gene_idx if family.level == "gene" else screen.sgrna_idx
        n_top = len(screen.genes if family.level == "gene" else screen.sgrnas) * n_cells
        top = np.eye(n_top)[row * n_cells + screen.cell_idx]
        effects, variances = [top], [np.full(n_top, sd**2)]
        if family.nested:
            n_nested = len(screen.sgrnas) * n_cells
            effects.append(
                np.eye(n_nested)[screen.sgrna_idx * n_cells + screen.cell_idx]
            )
            variances.append(np.full(n_nested, nested_sd**2))
        # Every observation is the mean plus its top deviation plus its nested deviation.
        self.design = np.hstack(effects)
        self.prior = np.concatenate(variances)
        self.covariance = self.design * self.prior @ self.design.T + sigma**2 * np.eye(
            len(row)
        )
        self.y, self.mean, self.n_top, self.n_cells = (
            screen.log_fc,
            mean,
            n_top,
            n_cells,
        )
        self.gene_of_sgrna = screen.gene_of_sgrna

    def log_density(self):
        return stats.multivariate_normal(
            np.full(len(self.y), self.mean), self.covariance, allow_singular=False
        ).logpdf(self.y)

    def effects(self):
        """Conditional mean and covariance of all effects: top, then nested."""
        gain = (self.design * self.prior).T @ np.linalg.inv(self.covariance)
        deviation = gain @ (self.y - self.mean)
        covariance = np.diag(self.prior) - gain @ (self.design * self.prior)
        if len(deviation) == self.n_top:
            return self.mean + deviation, covariance
        # A nested effect is its top effect plus its own deviation.
        parents = (
            self.gene_of_sgrna[:, None] * self.n_cells + np.arange(self.n_cells)
        ).ravel()
        to_effects = np.eye(len(deviation))
        to_effects[self.n_top + np.arange(len(parents)), parents] += 1
        return (
            self.mean + to_effects @ deviation,
            to_effects @ covariance @ to_effects.T,
        )


def parameters(family, mean, sd, nested_sd, sigma):
    """The values as the posterior of one draw, and as plain numbers."""
    values = {"sigma": sigma}
    if isinstance(family.mean, str):
        values[family.mean] = mean
    if isinstance(family.sd, str):
        values[family.sd] = sd
    if family.nested_sd:
        values[family.nested_sd] = nested_sd
    mean = mean if isinstance(family.mean, str) else family.mean
    sd = sd if isinstance(family.sd, str) else family.sd
    return values, mean, sd, nested_sd if family.nested_sd else 0.0


@pytest.mark.parametrize("name", FAMILIES)
@settings(max_examples=40, deadline=None)
@given(
    screen=screens(), mean=st.floats(-2, 2), sd=scales, nested_sd=scales, sigma=scales
)
def test_likelihood_is_that_of_the_dense_normal(
    name, screen, mean, sd, nested_sd, sigma
):
    family = FAMILIES[name]
    _, mean, sd, nested_sd = parameters(family, mean, sd, nested_sd, sigma)
    ours = marginal.log_marginal_likelihood(
        marginal.statistics(family, screen), mean, sd, nested_sd, sigma
    )
    dense = Dense(family, screen, mean, sd, nested_sd, sigma).log_density()
    assert float(ours.eval()) == pytest.approx(dense, rel=1e-8, abs=1e-7)


def draw(family, screen, values, n):
    posterior = xr.Dataset(
        {
            name: (("chain", "draw"), np.full((1, n), value))
            for name, value in values.items()
        },
        coords={"chain": [0], "draw": range(n)},
    )
    effects = marginal.draw_effects(family, screen, posterior, np.random.default_rng(1))
    names = [family.top, *([family.nested] if family.nested else [])]
    return np.hstack([effects[name].to_numpy().reshape(n, -1) for name in names])


@pytest.mark.parametrize("name", FAMILIES)
@settings(max_examples=8, deadline=None)
@given(
    screen=screens(), mean=st.floats(-2, 2), sd=scales, nested_sd=scales, sigma=scales
)
def test_effects_are_those_of_the_dense_normal(
    name, screen, mean, sd, nested_sd, sigma
):
    family = FAMILIES[name]
    values, mean, sd, nested_sd = parameters(family, mean, sd, nested_sd, sigma)
    expected, covariance = Dense(family, screen, mean, sd, nested_sd, sigma).effects()
    n = 20_000
    drawn = draw(family, screen, values, n)
    deviations = np.sqrt(np.diag(covariance))
    # Six standard errors: with some hundred effects per run a false alarm is out of the question.
    np.testing.assert_array_less(
        np.abs(drawn.mean(0) - expected), 6 * deviations / n**0.5 + 1e-9
    )
    scaled = np.cov(drawn.T).reshape(covariance.shape) - covariance
    bound = 6 * np.outer(deviations, deviations) * (2 / n) ** 0.5 + 1e-9
    np.testing.assert_array_less(np.abs(scaled), bound)


@pytest.mark.parametrize("name", FAMILIES)
def test_family_is_the_model_that_is_written_down(name, screen):
    marginal.check_member(FAMILIES[name], screen, models.get(name).build(screen))


@pytest.mark.parametrize(
    ("old", "new"), [("m7a", "m7a_unpooled"), ("m7a_unpooled", "m7a")]
)
def test_a_model_of_another_family_is_refused(old, new, screen):
    with pytest.raises(PoolscreenError, match=r"has no parameter|is not NestedNormal"):
        marginal.check_member(FAMILIES[old], screen, models.get(new).build(screen))


@pytest.mark.parametrize("change", [{"MEAN_SD": 4.0}, {"SCALE_RATE": 2.0}])
def test_another_prior_is_refused(change, screen, monkeypatch):
    for name, value in change.items():
        monkeypatch.setattr(marginal, name, value)
    with pytest.raises(PoolscreenError, match="as it is written down is not"):
        marginal.check_member(m7b.FAMILY, screen, m7b.build(screen))


def test_polar_coordinates_keep_the_prior(screen):
    """The sampled density is prior times likelihood times the Jacobian, up to a constant."""
    model = remove_value_transforms(marginal.build(m7b.FAMILY, screen))
    density = model.compile_logp()
    data = marginal.statistics(m7b.FAMILY, screen)
    constants = []
    for radius, angle in [(0.35, 0.3), (0.35, 1.4), (0.5, 0.8), (1.5, 0.1), (0.2, 1.0)]:
        sigma_alpha, sigma = radius * np.sin(angle), radius * np.cos(angle)
        point = {
            "mu_gamma": -1.0,
            "sigma_gamma": 1.1,
            "sigma_total": radius,
            "angle": angle,
        }
        expected = (
            stats.norm.logpdf(-1.0, 0, 5)
            + stats.expon.logpdf([1.1, sigma_alpha, sigma]).sum()
            + np.log(radius)
            + marginal.log_marginal_likelihood(
                data, -1.0, 1.1, sigma_alpha, sigma
            ).eval()
        )
        constants.append(float(density(point)) - expected)
    np.testing.assert_allclose(constants, constants[0], atol=1e-6)


def test_replicates_enter_only_by_their_statistics(screen):
    """Two observations and their swapped copy say the same."""
    table = pd.concat([screen.table, screen.table.assign(log_fc=screen.log_fc + 1)])
    once = marginal.statistics(FAMILIES["m7b"], Screen(table))
    again = marginal.statistics(
        FAMILIES["m7b"], Screen(table.sample(frac=1, random_state=0))
    )
    assert once.ss_within == pytest.approx(again.ss_within)
    assert once.units.sum() == again.units.sum() == 1100
    assert set(once.replicates) == {2}


@pytest.mark.parametrize("name", ["m7a", "m7a_unpooled"])
def test_marginal_posterior_is_that_of_plain_nuts(name, screen):
    """Where plain NUTS converges the two agree, within Monte Carlo error, in every parameter."""
    chosen = sampling.Settings(draws=1000, tune=1000)
    summaries = []
    for form in (False, True):
        sampled = sampling.sample(models.get(name), screen, chosen, marginal_form=form)
        tables = fits.summarise(sampled["posterior"].to_dataset())
        summaries.append(pd.concat(tables.values()).reset_index(drop=True))
    plain, exact = summaries
    error = np.hypot(plain["mcse_mean"], exact["mcse_mean"])
    assert ((plain["mean"] - exact["mean"]).abs() < 5 * error).all()
    assert (
        (plain["sd"] - exact["sd"]).abs()
        < 5 * np.hypot(plain["mcse_sd"], exact["mcse_sd"])
    ).all()


def test_replicates_identify_the_split():
    """With replicates model 7b recovers both scales, which one observation each cannot tell."""
    rng = np.random.default_rng(7)
    sizes = (30, 5, 8, 3)  # genes, sgRNAs of each, cell lines, replicates
    gene, sgrna, cell, _ = map(np.ravel, np.indices(sizes))
    gamma = rng.normal(-1, 1, size=(sizes[0], sizes[2]))
    alpha = rng.normal(gamma[:, None], 0.2, size=sizes[:3])
    table = pd.DataFrame(
        {
            "cell_line": [f"cell_{c}" for c in cell],
            "sgRNA": [f"sgRNA_{g}_{s}" for g, s in zip(gene, sgrna, strict=True)],
            "gene": [f"gene_{g}" for g in gene],
            "log_fc": rng.normal(alpha[gene, sgrna, cell], 0.4),
        }
    )
    sampled = sampling.sample(
        m7b, Screen(table), sampling.Settings(draws=500, tune=500)
    )
    posterior = sampled["posterior"].to_dataset()
    for name, true in {
        "sigma_alpha": 0.2,
        "sigma": 0.4,
        "mu_gamma": -1,
        "sigma_gamma": 1,
    }.items():
        estimate, spread = float(posterior[name].mean()), float(posterior[name].std())
        assert abs(estimate - true) < 4 * spread
    assert float(posterior["sigma_alpha"].std()) < 0.02
    recovered = posterior["gamma_gc"].mean(("chain", "draw")).to_numpy()
    assert np.corrcoef(recovered.ravel(), gamma.ravel())[0, 1] > 0.98

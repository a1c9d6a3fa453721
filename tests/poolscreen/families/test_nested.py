"""The nested models against the dense multivariate normal, and against the model as written."""

import numpy as np
import pandas as pd
import pymc as pm
import pytensor
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from pymc.model.transform.conditioning import remove_value_transforms
from pytensor.compile.mode import Mode
from scipy import stats

from poolscreen import models
from poolscreen.errors import PoolscreenError
from poolscreen.families.family import MEAN_SD, SCALE_RATE, check_member
from poolscreen.families.nested import likelihood
from poolscreen.families.nested.data import statistics, units
from poolscreen.families.nested.effects import draw_effects
from poolscreen.families.nested.family import NestedNormal
from poolscreen.families.nested.likelihood import (
    build,
    log_marginal_likelihood,
)
from poolscreen.families.nested.pointwise import log_density, log_likelihood
from poolscreen.inference import gate, sampling
from poolscreen.inference.exact import solve
from poolscreen.models import m7b
from poolscreen.screens.table import Screen

FAMILIES = {
    name: models.get(name).FAMILY
    for name in models.names()
    if isinstance(models.get(name).FAMILY, NestedNormal)
}


@st.composite
def screens(draw):
    """A random design: unequal genes and replicates, missing combinations."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    gene_of_sgrna = rng.integers(0, draw(st.integers(1, 3)), size=draw(st.integers(1, 6)))
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


@st.composite
def families(draw):
    """Any member of the family: each prior sampled or fixed, with or without a nested level."""
    nested = draw(st.booleans())
    return NestedNormal(
        top="top",
        level="gene" if nested else draw(st.sampled_from(["gene", "sgRNA"])),
        mean=draw(st.sampled_from(["mu", 0.5])),
        sd=draw(st.sampled_from(["tau", 2.0])),
        nested="nested" if nested else None,
        nested_sd="nested_sd" if nested else None,
    )


# A point of the space of means and scales; a family takes of it what it has.
points = st.fixed_dictionaries(
    {"mu": st.floats(-2, 2), "tau": scales, "nested_sd": scales, "sigma": scales}
)


def balanced(log_fc):
    """A screen with values of shape (genes, sgRNAs of each, cell lines, replicates)."""
    gene, sgrna, cell, _ = map(np.ravel, np.indices(log_fc.shape))
    return Screen(
        pd.DataFrame(
            {
                "cell_line": [f"cell_{c}" for c in cell],
                "sgRNA": [f"sgRNA_{g}_{s}" for g, s in zip(gene, sgrna, strict=True)],
                "gene": [f"gene_{g}" for g in gene],
                "log_fc": log_fc.ravel(),
            }
        )
    )


class Dense:
    """The joint normal of effects and observations, written out as matrices."""

    def __init__(self, family: NestedNormal, screen: Screen, mean, sd, nested_sd, sigma):
        n_cells = len(screen.cell_lines)
        row = screen.gene_idx if family.level == "gene" else screen.sgrna_idx
        n_top = len(screen.genes if family.level == "gene" else screen.sgrnas) * n_cells
        top = np.eye(n_top)[row * n_cells + screen.cell_idx]
        effects, variances = [top], [np.full(n_top, sd**2)]
        if family.nested:
            n_nested = len(screen.sgrnas) * n_cells
            effects.append(np.eye(n_nested)[screen.sgrna_idx * n_cells + screen.cell_idx])
            variances.append(np.full(n_nested, nested_sd**2))
        # Every observation is the mean plus its top deviation plus its nested deviation.
        self.design = np.hstack(effects)
        self.prior = np.concatenate(variances)
        self.covariance = self.design * self.prior @ self.design.T + sigma**2 * np.eye(len(row))
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
        parents = (self.gene_of_sgrna[:, None] * self.n_cells + np.arange(self.n_cells)).ravel()
        to_effects = np.eye(len(deviation))
        to_effects[self.n_top + np.arange(len(parents)), parents] += 1
        return (
            self.mean + to_effects @ deviation,
            to_effects @ covariance @ to_effects.T,
        )


def values_of(family, point):
    """Mean, sd, nested sd and sigma of a family at a point."""
    mean, sd = (
        point[value] if isinstance(value, str) else value for value in (family.mean, family.sd)
    )
    nested_sd = point["nested_sd"] if family.nested else 0.0
    return mean, sd, nested_sd, point["sigma"]


def evaluated(tensor):
    """The value of a tensor, without the seconds that compiling would take."""
    return float(pytensor.function([], tensor, mode=Mode("py", None))())


def posterior_at(family, point, draws=1):
    """The posterior that has one value for everything."""
    values = {
        name: (("chain", "draw"), np.full((1, draws), point[name])) for name in family.parameters
    }
    return xr.Dataset(values, coords={"chain": [0], "draw": range(draws)})


@settings(max_examples=200, deadline=None)
@given(screen=screens(), family=families(), point=points)
def test_likelihood_is_that_of_the_dense_normal(screen, family, point):
    """Sufficient statistics say of any design what its rows say, to the last constant."""
    ours = log_marginal_likelihood(statistics(family, screen), *values_of(family, point))
    dense = Dense(family, screen, *values_of(family, point)).log_density()
    assert evaluated(ours) == pytest.approx(dense, rel=1e-8, abs=1e-7)


@settings(max_examples=30, deadline=None)
@given(screen=screens(), family=families(), point=points)
def test_draws_of_the_effects_are_those_of_the_dense_normal(screen, family, point):
    expected, covariance = Dense(family, screen, *values_of(family, point)).effects()
    n = 20_000
    values = {name: np.full(n, point[name]) for name in family.parameters}
    effects = draw_effects(family, units(family, screen), values, np.random.default_rng(1))
    names = [family.top, *([family.nested] if family.nested else [])]
    drawn = np.hstack([effects[name].reshape(n, -1) for name in names])
    deviations = np.sqrt(np.diag(covariance))
    # Six standard errors: with some hundred effects per run a false alarm is out of the question.
    np.testing.assert_array_less(np.abs(drawn.mean(0) - expected), 6 * deviations / n**0.5 + 1e-9)
    scaled = np.cov(drawn.T).reshape(covariance.shape) - covariance
    bound = 6 * np.outer(deviations, deviations) * (2 / n) ** 0.5 + 1e-9
    np.testing.assert_array_less(np.abs(scaled), bound)


@settings(max_examples=100, deadline=None)
@given(screen=screens(), family=families(), point=points)
def test_leaving_one_out_is_conditioning_the_dense_normal(screen, family, point):
    """The density of an observation given all others, from the rows of the precision matrix."""
    dense = Dense(family, screen, *values_of(family, point))
    precision = np.linalg.inv(dense.covariance)
    variance = 1 / np.diag(precision)
    location = dense.y - variance * (precision @ (dense.y - dense.mean))
    expected = stats.norm.logpdf(dense.y, location, np.sqrt(variance))
    found = log_likelihood(family, screen, posterior_at(family, point), form="marginal")
    assert found.dims == ("chain", "draw", "obs")
    np.testing.assert_allclose(found[0, 0], expected, rtol=1e-6, atol=1e-6)


def test_leaving_one_out_with_next_to_no_noise(screen):
    """A lone observation says nothing of its own intercept once it is left out."""
    family = FAMILIES["m7b_unpooled"]
    found = log_likelihood(family, screen, posterior_at(family, {"sigma": 1e-8}), form="marginal")
    expected = stats.norm.logpdf(screen.log_fc, 0, 5)
    np.testing.assert_allclose(found[0, 0], expected, rtol=1e-9)


def test_log_density_is_prior_and_likelihood(screen):
    point = {"mu_gamma": -1.0, "sigma_gamma": 1.1, "sigma_alpha": 0.2, "sigma": 0.3}
    found = log_density(m7b.FAMILY, screen, posterior_at(m7b.FAMILY, point))
    assert found["mu_gamma"].item() == pytest.approx(stats.norm.logpdf(-1, 0, 5))
    for name in m7b.FAMILY.scales:
        assert found[name].item() == pytest.approx(-point[name])
    few = Screen(screen.table[screen.cell_idx < 2])
    found = log_density(m7b.FAMILY, few, posterior_at(m7b.FAMILY, point))
    dense = Dense(m7b.FAMILY, few, -1.0, 1.1, 0.2, 0.3).log_density()
    assert found["log_fc"].item() == pytest.approx(dense)


@pytest.mark.parametrize("name", ["m7a", "m7b"])
def test_conditional_likelihood_is_that_of_the_model_as_written(name, screen):
    model = models.get(name)
    plain = model.build(screen)
    drawn = pm.draw(plain.free_RVs, draws=3, random_seed=1)
    dims = {"chain": [0], "draw": range(3), **screen.coords}
    posterior = xr.Dataset(
        {
            rv.name: (
                ("chain", "draw", *plain.named_vars_to_dims.get(rv.name, ())),
                values[None],
            )
            for rv, values in zip(plain.free_RVs, drawn, strict=True)
        },
        coords=dims,
    )
    tree = xr.DataTree.from_dict({"posterior": posterior})
    expected = pm.compute_log_likelihood(tree, model=plain, progressbar=False)
    found = log_likelihood(FAMILIES[name], screen, posterior, form="conditional")
    np.testing.assert_allclose(found, expected["log_likelihood"]["log_fc"], rtol=1e-9)


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        # genes, sgRNAs, cell lines, replicates: each set of coordinates that there is
        ("m7a", (2, 3, 2, 1)),
        ("m7a", (4, 1, 2, 1)),
        ("m7a_unpooled", (2, 3, 2, 1)),
        ("m7b_unpooled", (2, 3, 2, 1)),
        ("m7b", (2, 3, 2, 1)),
        ("m7b", (4, 1, 2, 1)),
        ("m7b", (4, 1, 2, 3)),
    ],
)
def test_sampled_density_is_prior_times_likelihood(name, sizes):
    """In whichever coordinates: their Jacobian is taken by finite differences."""
    rng = np.random.default_rng(1)
    family, screen = FAMILIES[name], balanced(rng.normal(size=sizes))
    model = remove_value_transforms(build(family, screen))
    names = [value.name for value in model.value_vars]
    density = model.compile_logp()
    to_scales = model.compile_fn(
        model.replace_rvs_by_values([model[name] for name in family.scales]),
        inputs=model.value_vars,
        on_unused_input="ignore",
    )

    def scales_at(at):
        return np.array(to_scales(dict(zip(names, at, strict=True))))

    for at in rng.uniform(0.1, 1.4, size=(5, len(names))):
        found = scales_at(at)
        point = dict(zip(family.scales, found, strict=True))
        point |= dict(zip(names, at, strict=True))
        steps = 1e-6 * np.eye(len(at))[[n != family.mean for n in names]]
        columns = [(scales_at(at + s) - scales_at(at - s)) / 2e-6 for s in steps]
        expected = np.log(np.abs(np.linalg.det(columns)))
        expected += stats.expon.logpdf(found, scale=1 / SCALE_RATE).sum()
        if isinstance(family.mean, str):
            expected += stats.norm.logpdf(point[family.mean], 0, MEAN_SD)
        mean, sd, nested_sd = (
            point.get(v, v) for v in (family.mean, family.sd, family.nested_sd or 0.0)
        )
        expected += evaluated(
            log_marginal_likelihood(statistics(family, screen), mean, sd, nested_sd, point["sigma"])
        )
        # The constant that is left over: angles are uniform between 0 and pi / 2.
        expected += sum(n.startswith("angle") for n in names) * np.log(2 / np.pi)
        assert float(density(dict(zip(names, at, strict=True)))) == pytest.approx(
            expected, abs=1e-4
        )


def rows(values, sgrnas=None):
    """A screen of one gene in one cell line."""
    names = sgrnas or [f"sgRNA_{i}" for i in range(len(values))]
    return pd.DataFrame({"cell_line": "c", "sgRNA": names, "gene": "g", "log_fc": values})


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (rows([]), "there are no rows"),
        (
            rows([1.0]),
            "one observation, and nothing to learn a standard deviation from",
        ),
        (rows([1.0, np.nan]), r"log_fc is missing \(row 3"),
        (rows([0.1, 0.1, 0.1]), "all 3 values of log_fc are 0.1: with zero variance"),
        (
            rows([1.0, 1.0, 2.0, 2.0], list("aabb")),
            "4 rows are to this model repeated looks at 2 effects",
        ),
        (
            pd.concat([rows([1.0, 1.0]), rows([2.0, 2.0]).assign(cell_line="d")]),
            "all sgRNAs of a gene have the same log_fc",
        ),
    ],
    ids=["no rows", "one", "NaN", "all equal", "doubled rows", "copied within genes"],
)
def test_degenerate_data_are_refused(table, message):
    with pytest.raises(PoolscreenError, match=message):
        sampling.sample(m7b, Screen(table), sampling.MARGINAL)


@pytest.mark.parametrize("name", FAMILIES)
def test_family_is_the_model_that_is_written_down(name, screen):
    check_member(FAMILIES[name], screen, models.get(name).build(screen))


@pytest.mark.parametrize(("old", "new"), [("m7a", "m7a_unpooled"), ("m7a_unpooled", "m7a")])
def test_a_model_of_another_family_is_refused(old, new, screen):
    with pytest.raises(PoolscreenError, match=r"has no parameter|is not NestedNormal"):
        check_member(FAMILIES[old], screen, models.get(new).build(screen))


@pytest.mark.parametrize("change", [{"MEAN_SD": 4.0}, {"SCALE_RATE": 2.0}])
def test_another_prior_is_refused(change, screen, monkeypatch):
    for name, value in change.items():
        monkeypatch.setattr(likelihood, name, value)
    with pytest.raises(PoolscreenError, match="as it is written down is not"):
        check_member(m7b.FAMILY, screen, m7b.build(screen))


def test_replicates_identify_the_split():
    """With replicates model 7b recovers both scales, which one observation each cannot tell."""
    rng = np.random.default_rng(7)
    gamma = rng.normal(-1, 1, size=(30, 1, 8, 1))
    alpha = rng.normal(gamma, 0.2, size=(30, 5, 8, 1))
    screen = balanced(rng.normal(alpha, 0.4, size=(30, 5, 8, 3)))
    tables = solve(m7b.FAMILY, screen).tables()
    scalars = tables["scalars"].set_index("parameter")
    true = pd.Series({"sigma_alpha": 0.2, "sigma": 0.4, "mu_gamma": -1, "sigma_gamma": 1})
    z = (scalars["mean"] - true) / scalars["sd"]
    assert z.abs().max(skipna=False) < 4
    assert scalars.loc["sigma_alpha", "sd"] < 0.02
    assert np.corrcoef(tables["gamma_gc"]["mean"], gamma.ravel())[0, 1] > 0.98


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("m7b", (30, 1, 5, 1)),  # one sgRNA per gene: only the sum of three variances
        ("m7b", (1, 8, 1, 1)),  # one gene in one cell line
    ],
)
def test_the_hardest_designs_pass_the_gate(name, sizes):
    model, rng = models.get(name), np.random.default_rng(3)
    gamma = rng.normal(-1, 1, size=(sizes[0], 1, sizes[2], 1))
    alpha = rng.normal(gamma, 0.2, size=(*sizes[:3], 1))
    screen = balanced(rng.normal(alpha, 0.3, size=sizes))
    sampled = sampling.sample(model, screen, sampling.MARGINAL)
    posterior, stats = (sampled[g].to_dataset() for g in ("posterior", "sample_stats"))
    found = gate.diagnose_draws(posterior[model.FAMILY.parameters], stats)
    assert gate.faults(found) == []

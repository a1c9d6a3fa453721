"""The posterior without draws: against quadrature, against NUTS, and as a file."""

import numpy as np
import pytest
from scipy import stats
from tests.poolscreen.families.test_nested import balanced

from poolscreen import models
from poolscreen.errors import PoolscreenError
from poolscreen.inference import calibration, exact, gate, sampling, scales, store
from poolscreen.inference.fitting import off_exact
from poolscreen.inference.mixtures import Mixture
from poolscreen.inference.posterior import summarise
from poolscreen.screens.simulate import Design, simulate
from poolscreen.screens.table import Screen

NAMES = [name for name in models.names() if models.get(name).FAMILY]


def mean_and_sd(values, weights):
    mean = weights @ values
    return np.array([mean, np.sqrt(weights @ (values - mean) ** 2)])


def middles(low, high, number):
    return low + (np.arange(number) + 0.5) / number * (high - low)


GRIDS = {
    "m7a": {"sigma_alpha": (0.8, 1.6, 400), "sigma": (0.3, 0.41, 400)},
    "m7a_unpooled": {"sigma": (0.3, 0.41, 4000)},
    "m7b_unpooled": {"sigma": (0.0, 1.0, 8000)},
}


@pytest.mark.parametrize("name", GRIDS)
def test_scales_are_those_of_quadrature(name, screen):
    closed = models.get(name).FAMILY.closed(screen)
    axes = np.meshgrid(*(middles(*axis) for axis in GRIDS[name].values()), indexing="ij")
    grid = {scale: axis.ravel() for scale, axis in zip(GRIDS[name], axes, strict=True)}
    log_density = scales.in_blocks(closed, grid) - sum(grid.values())
    weights = np.exp(log_density - log_density.max())
    weights /= weights.sum()
    points = scales.integrate(closed, tolerance=0.001)
    for scale, values in grid.items():
        expected = mean_and_sd(values, weights)
        off = mean_and_sd(points.scales[scale], points.weights) - expected
        assert np.abs(off).max() < 0.002 * expected[1]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["m7b", "m7"])
def test_effects_of_a_mixture_are_those_of_its_draws(name, screen):
    posterior = exact.solve(models.get(name).FAMILY, screen)
    tables, draws = posterior.tables(thresholds=(-1.0,)), posterior.draws(4000)
    drawn = summarise(draws)
    assert gate.distance(drawn, tables) < 5
    for table_name, table in tables.items():
        if table_name == "scalars":
            continue
        below = (draws[table_name] < -1).mean(("chain", "draw")).to_numpy().ravel()
        assert np.abs(table["P(below -1)"] - below).max() < 0.05
        sd = table["sd"].to_numpy()
        for end in ("hdi_3%", "hdi_97%"):
            assert np.abs((table[end] - drawn[table_name][end]) / sd).max() < 0.5


@pytest.mark.slow
def test_draws_of_nuts_are_of_this_posterior():
    """On screens that are not the book's: one with gaps and replicates, one from the prior.

    Every fit of the book is held against the posterior when it is made, and `make bench` tries many
    screens from the prior, of all models.
    """
    table, _ = simulate(Design(n_cell_lines=4, sgrnas_per_gene=(3,) * 6, replicates=2, seed=7))
    screen = Screen(table.sample(frac=0.8, random_state=1))
    model, passed = models.get("m7"), 0
    for data in (screen, *calibration.from_prior(model, screen, 1)):
        compiled = sampling.compile_model(model.FAMILY.build(data), sampling.MARGINAL)
        sampled = sampling.sample_compiled(compiled, sampling.MARGINAL, cores=1)
        sampled = sampling.add_effects(model.FAMILY, data, sampled, seed=1)
        tables = summarise(sampled["posterior"].to_dataset())
        faults = gate.faults(gate.diagnose(tables, sampled["sample_stats"].to_dataset()))
        if data is screen:
            assert faults == []
        if not faults:  # where a scale is next to zero, NUTS may fail
            passed += 1
            assert off_exact(model.FAMILY, data, tables) < 6
    assert passed > 0


@pytest.mark.slow
def test_plain_nuts_finds_this_posterior(screen):
    """Where the model as it is written down can be sampled, it has the same posterior."""
    model = models.get("m7a")
    sampled = sampling.sample(model, screen, sampling.Settings(), marginal_form=False)
    assert off_exact(model.FAMILY, screen, summarise(sampled["posterior"].to_dataset())) < 5


@pytest.mark.parametrize(
    "sizes",
    [
        # genes, sgRNAs, cell lines, replicates
        (30, 1, 5, 1),  # one sgRNA per gene: model 7b knows only the sum of three variances
        (30, 1, 5, 3),  # ... of two
        (1, 8, 1, 1),  # one gene in one cell line
        (8, 3, 1, 3),
    ],
)
@pytest.mark.parametrize("name", NAMES)
def test_every_design_is_integrated(name, sizes):
    rng = np.random.default_rng(3)
    gamma = rng.normal(-1, 1, size=(sizes[0], 1, sizes[2], 1))
    alpha = rng.normal(gamma, 0.2, size=(*sizes[:3], 1))
    screen = balanced(rng.normal(alpha, 0.3, size=sizes))
    points = scales.integrate(models.get(name).FAMILY.closed(screen))
    assert points.pareto_k < scales.MAX_PARETO_K
    assert points.error < 0.05


@pytest.mark.parametrize("name", ["m7", "m8", "m8_replicates"])
def test_the_one_line_of_a_screen_has_no_effect(name):
    """Effects of cell lines sum to zero: that of a single one is known before the data."""
    screen = Screen(simulate(Design(n_cell_lines=1, replicates=2))[0])
    tables = exact.solve(models.get(name).FAMILY, screen).tables(thresholds=(0.0,))
    for table in tables.values():
        assert np.isfinite(table.select_dtypes("number")).all(axis=None)
    assert tables["beta_c"][["mean", "hdi_3%", "hdi_97%"]].abs().max(axis=None) < 1e-9


def test_the_same_points_and_draws_at_each_call(screen):
    family = models.get("m7b").FAMILY
    one, other = (exact.solve(family, screen).draws(10) for _ in range(2))
    assert one.equals(other)
    assert not one.equals(exact.solve(family, screen).draws(10, seed=1))


def test_blocks_do_not_show(screen, monkeypatch):
    family = models.get("m7").FAMILY
    whole = exact.solve(family, screen).tables()
    monkeypatch.setattr(exact, "BLOCK", 2**14)
    parts = exact.solve(family, screen)
    assert len(list(parts._blocks())) > 2
    for name, table in parts.tables().items():
        np.testing.assert_allclose(
            table.select_dtypes("number"), whole[name].select_dtypes("number"), rtol=1e-6
        )


def test_a_difference_between_lines_is_less_certain_than_one_of_them(screen):
    posterior = exact.solve(models.get("m7b").FAMILY, screen)
    weights = np.zeros((20, 2))
    weights[[0, 1], 0] = 1, -1
    weights[:, 1] = 1 / 20
    combined = posterior.gene_effects(weights=weights, labels=["0 less 1", "mean"])
    single = posterior.gene_effects().set_index(["gene", "cell_line"])
    of = combined.set_index(["cell_line", "gene"])
    for gene in screen.genes:
        gap = single.loc[(gene, "cell_0"), "mean"] - single.loc[(gene, "cell_1"), "mean"]
        assert of.loc[("0 less 1", gene), "mean"] == pytest.approx(gap)
        assert of.loc[("mean", gene), "mean"] == pytest.approx(single.loc[gene]["mean"].mean())
        assert of.loc[("0 less 1", gene), "sd"] > single.loc[(gene, "cell_0"), "sd"]
        assert of.loc[("mean", gene), "sd"] < single.loc[(gene, "cell_0"), "sd"] / 3


def test_weights_that_do_not_fit_are_refused(screen):
    posterior = exact.solve(models.get("m7a").FAMILY, screen)
    with pytest.raises(PoolscreenError, match=r"shape \(3, 1\) do not fit 20 cell lines"):
        posterior.gene_effects(weights=np.ones((3, 1)), labels=["sum"])


def test_a_file_is_enough_to_draw(screen, tmp_path):
    posterior = exact.solve(models.get("m7b").FAMILY, screen)
    tree = posterior.tree()
    tree.attrs["model"] = "m7b"
    store.write_fit(tmp_path / "fit.nc", tree)
    again = exact.read(tmp_path / "fit.nc")
    assert again.screen.genes == screen.genes
    # Points are kept in double precision, and so the draws are the same.
    one, other = (of.draws(20, ["gamma_gc", "sigma"]) for of in (posterior, again))
    np.testing.assert_allclose(one["gamma_gc"], other["gamma_gc"], rtol=1e-6)
    np.testing.assert_array_equal(one["sigma"], other["sigma"])


@pytest.mark.slow
def test_nuts_takes_over_where_weights_cannot_be_trusted(screen, monkeypatch):
    monkeypatch.setattr(exact, "MAX_PARETO_K", -9.0)
    said = []
    posterior = exact.solve(models.get("m7a").FAMILY, screen, say=said.append)
    assert "so NUTS samples them" in said[0]
    assert np.isnan(posterior.points.pareto_k)
    row = posterior.scalars().set_index("parameter").loc["sigma_alpha"]
    assert row["mean"] == pytest.approx(1.11, abs=0.02)


def test_a_mixture_of_one_is_a_normal():
    mixture = Mixture(np.ones(1), np.array([[-1.0, 3.0]]), np.array([[0.5, 2.0]]))
    low, high = mixture.hdi(0.9)
    np.testing.assert_allclose(low, stats.norm.ppf(0.05, [-1, 3], [0.5, 2]))
    np.testing.assert_allclose(high, stats.norm.ppf(0.95, [-1, 3], [0.5, 2]))
    np.testing.assert_allclose(mixture.quantile(0.3), stats.norm.ppf(0.3, [-1, 3], [0.5, 2]))


def test_no_interval_is_shorter():
    rng = np.random.default_rng(1)
    weights = rng.dirichlet(np.ones(30))
    mixture = Mixture(weights, rng.normal(0, 0.5, (30, 40)), np.exp(rng.normal(0, 1, (30, 40))))
    low, high = mixture.hdi(0.94)
    np.testing.assert_allclose(mixture.below(high) - mixture.below(low), 0.94, atol=1e-8)
    for tail in np.linspace(0.001, 0.059, 30):
        width = mixture.quantile(tail + 0.94) - mixture.quantile(tail)
        assert (high - low <= width + 1e-6).all()

"""The models: what they are made of, and that they recover known parameters."""

import numpy as np
import pymc as pm
import pytest
from pymc.model.transform.conditioning import remove_value_transforms

from poolscreen import fits, models, sampling
from poolscreen.errors import PoolscreenError
from poolscreen.screen import Screen
from poolscreen.simulate import Design, simulate

# Effects and their dimensions, by model.
EFFECTS = {
    "m7a": {"alpha_gc": (10, 20)},
    "m7a_unpooled": {"alpha_gc": (10, 20)},
    "m7b": {"gamma_gc": (10, 20), "alpha_sc": (55, 20)},
    "m7b_unpooled": {"alpha_sc": (55, 20)},
}
SCALARS = {
    "m7a": {"mu_alpha_gc", "sigma_alpha", "sigma"},
    "m7a_unpooled": {"sigma"},
    "m7b": {"mu_gamma", "sigma_gamma", "sigma_alpha", "sigma"},
    "m7b_unpooled": {"sigma"},
}


def test_the_models_of_the_book_are_found():
    assert set(EFFECTS) <= set(models.names())


def test_an_unknown_model_is_an_error():
    with pytest.raises(PoolscreenError, match=r"no model 'm9'; there are .*m7a"):
        models.get("m9")


@pytest.mark.parametrize("name", models.names())
def test_prior_predictive_is_finite(name, screen):
    drawn = pm.sample_prior_predictive(
        20, model=models.get(name).build(screen), random_seed=1
    )
    assert np.isfinite(drawn["prior_predictive"]["log_fc"]).all()


@pytest.mark.parametrize("name", EFFECTS)
def test_names_and_shapes(name, screen):
    model = models.get(name).build(screen)
    shapes = {v.name: tuple(v.shape.eval()) for v in model.free_RVs}
    assert {n: s for n, s in shapes.items() if s} == EFFECTS[name]
    assert {n for n, s in shapes.items() if not s} == SCALARS[name]


@pytest.mark.parametrize("name", models.names())
def test_known_effects_are_recovered(name):
    """On a smaller screen the true means lie where the posterior says, and the gate is passed."""
    table, _ = simulate(Design(n_cell_lines=6, sgrnas_per_gene=(4, 4, 4), seed=5))
    screen = Screen(table)
    sampled = sampling.sample(
        models.get(name), screen, sampling.Settings(draws=1000, tune=1000)
    )
    posterior = sampled["posterior"].to_dataset()
    tables = fits.summarise(posterior)
    fits.check_gate(
        name, tables, fits.diagnose(tables, sampled["sample_stats"].to_dataset())
    )

    effect = next(n for n in ("alpha_sc", "alpha_gc") if n in posterior)
    by = ["sgRNA" if effect == "alpha_sc" else "gene", "cell_line"]
    true = table.groupby(by, sort=False)["mu_sc"].mean()
    found = tables[effect].set_index(by).loc[true.index]
    z = (found["mean"] - true) / found["sd"]
    assert z.abs().max() < 5
    assert np.corrcoef(found["mean"], true)[0, 1] > 0.9


def test_7b_not_centred_is_7b(screen):
    """The same density in other coordinates, up to the Jacobian of the change."""
    centred = models.get("m7b").build(screen)
    other = models.get("_m7b_noncentred").build(screen)
    names = [rv.name for rv in other.free_RVs]
    with_effects = [*other.free_RVs, other["gamma_gc"], other["alpha_sc"]]
    density = {
        model: remove_value_transforms(model).compile_logp()
        for model in (centred, other)
    }
    for seed in range(3):
        drawn = pm.draw(with_effects, random_seed=seed)
        point = dict(zip([*names, "gamma_gc", "alpha_sc"], drawn, strict=True))
        jacobian = point["z_gc"].size * np.log(point["sigma_gamma"])
        jacobian += point["z_sc"].size * np.log(point["sigma_alpha"])
        expected = density[other]({name: point[name] for name in names}) - jacobian
        of_centred = {rv.name: point[rv.name] for rv in centred.free_RVs}
        np.testing.assert_allclose(density[centred](of_centred), expected, rtol=1e-9)

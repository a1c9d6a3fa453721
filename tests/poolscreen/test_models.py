"""The models: what they are made of, and that they recover known parameters."""

import numpy as np
import pymc as pm
import pytest
from pymc.model.transform.conditioning import remove_value_transforms

from poolscreen import models
from poolscreen.errors import PoolscreenError
from poolscreen.families.family import AT_ONCE
from poolscreen.inference.refitting import refit
from poolscreen.screens.simulate import Design, simulate
from poolscreen.screens.table import Screen

# Effects and their sizes, by model.
EFFECTS = {
    "m7": {"gamma_g": (10,), "alpha_s": (55,), "beta_c": (20,)},
    "m7_two_means": {"gamma_g": (10,), "alpha_s": (55,), "beta_c": (20,)},
    "m7a": {"alpha_gc": (10, 20)},
    "m7a_unpooled": {"alpha_gc": (10, 20)},
    "m7b": {"gamma_gc": (10, 20), "alpha_sc": (55, 20)},
    "m7b_unpooled": {"alpha_sc": (55, 20)},
    "m7c": {"gamma_g": (10,), "beta_c": (20,)},
    "m7c_unpooled": {"gamma_g": (10,), "beta_c": (20,)},
    "m8": {"gamma_g": (10,), "alpha_s": (55,), "beta_c": (20,), "delta_gc": (10, 20)},
}
SCALARS = {
    "m7": {"mu", "sigma_gamma", "sigma_alpha", "sigma_beta", "sigma"},
    "m7_two_means": {
        "mu_gamma",
        "mu_beta",
        "sigma_gamma",
        "sigma_alpha",
        "sigma_beta",
        "sigma",
    },
    "m7a": {"mu_alpha_gc", "sigma_alpha", "sigma"},
    "m7a_unpooled": {"sigma"},
    "m7b": {"mu_gamma", "sigma_gamma", "sigma_alpha", "sigma"},
    "m7b_unpooled": {"sigma"},
    "m7c": {"mu", "sigma_gamma", "sigma_beta", "sigma"},
    "m7c_unpooled": {"mu", "sigma"},
    "m8": {"mu", "sigma_gamma", "sigma_alpha", "sigma_beta", "sigma_delta", "sigma"},
}


def test_the_models_of_the_book_are_found():
    assert set(EFFECTS) <= set(models.names())


def test_an_unknown_model_is_an_error():
    with pytest.raises(PoolscreenError, match=r"no model 'm6'; there are .*m7a"):
        models.get("m6")


@pytest.mark.parametrize("name", models.names())
def test_prior_predictive_is_finite(name, screen):
    model, mode = models.get(name).build(screen), {"mode": AT_ONCE}
    drawn = pm.sample_prior_predictive(20, model=model, random_seed=1, compile_kwargs=mode)
    assert np.isfinite(drawn["prior_predictive"]["log_fc"]).all()


@pytest.mark.parametrize("name", EFFECTS)
def test_names_and_shapes(name, screen):
    model = models.get(name).build(screen)
    shapes = {v.name: tuple(v.shape.eval()) for v in model.free_RVs}
    assert {n: s for n, s in shapes.items() if s} == EFFECTS[name]
    assert {n for n, s in shapes.items() if not s} == SCALARS[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", models.names())
def test_known_parameters_are_recovered(name):
    """Data drawn at known parameters lead back to them.

    The parameters are one draw of the posterior of a small screen: such as the model would meet.
    """
    model = models.get(name)
    table, _ = simulate(Design(n_cell_lines=6, sgrnas_per_gene=(4,) * 6, seed=5))
    screen = Screen(table)
    refitted = refit(model, screen)
    posterior, _ = refitted.fit(screen, seed=1)
    known = posterior.isel(chain=[0], draw=[-1])
    with model.build(screen) as plain:
        drawn = pm.sample_posterior_predictive(
            known,
            random_seed=1,
            progressbar=False,
            freeze_vars=list(known),
            compile_kwargs={"mode": AT_ONCE},
        )
    data = drawn["posterior_predictive"]["log_fc"].to_numpy().ravel()

    posterior, fault = refitted.fit(screen.measured(data), seed=2)
    assert fault == ""
    free = [rv.name for rv in plain.free_RVs]
    ranks = (posterior[free] < known[free].isel(chain=0, draw=0)).mean(["chain", "draw"])
    ranks = np.concatenate([np.ravel(ranks[parameter]) for parameter in free])
    assert ((ranks > 0.001) & (ranks < 0.999)).mean() > 0.97
    assert ((ranks > 0.03) & (ranks < 0.97)).mean() > 0.8


def test_7b_not_centred_is_7b(screen):
    """The same density in other coordinates, up to the Jacobian of the change."""
    centred = models.get("m7b").build(screen)
    other = models.get("_m7b_noncentred").build(screen)
    names = [rv.name for rv in other.free_RVs]
    with_effects = [*other.free_RVs, other["gamma_gc"], other["alpha_sc"]]
    density = {
        model: remove_value_transforms(model).compile_logp(mode=AT_ONCE)
        for model in (centred, other)
    }
    for seed in range(3):
        drawn = pm.draw(with_effects, random_seed=seed, mode=AT_ONCE)
        point = dict(zip([*names, "gamma_gc", "alpha_sc"], drawn, strict=True))
        jacobian = point["z_gc"].size * np.log(point["sigma_gamma"])
        jacobian += point["z_sc"].size * np.log(point["sigma_alpha"])
        expected = density[other]({name: point[name] for name in names}) - jacobian
        of_centred = {rv.name: point[rv.name] for rv in centred.free_RVs}
        np.testing.assert_allclose(density[centred](of_centred), expected, rtol=1e-9)

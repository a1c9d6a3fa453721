"""Probabilities and differences of effects are those of the draws."""

import numpy as np
import pandas as pd
import pymc as pm
import pytest
import xarray as xr

from poolscreen.effects.contrasts import differences
from poolscreen.effects.summaries import check_effects, probabilities
from poolscreen.errors import PoolscreenError
from poolscreen.inference.exact import solve
from poolscreen.inference.recovery import effect_of_genes
from poolscreen.models import m7a, m7b, m8


def test_probabilities_are_those_of_the_draws():
    rng = np.random.default_rng(2)
    draws = xr.DataArray(
        rng.normal([[-1, 0], [0.5, 0.5]], 1, (4, 500, 2, 2)),
        dims=("chain", "draw", "gene", "cell_line"),
        coords={"gene": ["B", "A"], "cell_line": ["Y", "X"]},
        name="gamma_gc",
    )
    table = pd.DataFrame({"gene": ["B", "B", "A", "A"], "cell_line": ["Y", "X", "Y", "X"]}).assign(
        **dict.fromkeys(["mean", "sd", "hdi_3%", "hdi_97%"], 0.0)
    )
    below = probabilities(table, draws, (0.0, -1.0))
    assert below["P(below 0)"].iloc[0] == (draws[..., 0, 0] < 0).mean()
    assert below["P(below -1)"].iloc[3] == (draws[..., 1, 1] < -1).mean()


def test_a_difference_is_that_of_the_draws(screen):
    """In mean and standard deviation; model 7b takes lines for independent, model 8 does not."""
    for model in (m7b, m8):
        fit = solve(model.FAMILY, screen)
        gap = differences(fit, "cell_1", "cell_0").set_index("gene")
        draws = effect_of_genes(fit.draws(20_000), screen)
        drawn = draws[..., 1] - draws[..., 0]
        error = drawn.std(0) / np.sqrt(len(drawn))
        assert (np.abs(gap["mean"] - drawn.mean(0)) < 5 * error).all()
        np.testing.assert_allclose(gap["sd"], drawn.std(0), rtol=0.03)


def test_a_model_without_effects_by_cell_line_is_refused(screen):
    class Bare:
        TITLE = "bare"

        @staticmethod
        def build(screen):
            with pm.Model(coords=screen.coords) as model:
                pm.Normal("gamma_g", dims="gene")
            return model

    check_effects(m7a, screen)
    with pytest.raises(PoolscreenError, match="the model 'bare' has none; m7a and m7b"):
        check_effects(Bare, screen)

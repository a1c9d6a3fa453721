"""Probabilities and differences of effects are those of the draws."""

import numpy as np
import pandas as pd
import pymc as pm
import pytest
import xarray as xr

from poolscreen.effects.contrasts import differences
from poolscreen.effects.summaries import check_effects, probabilities
from poolscreen.errors import PoolscreenError
from poolscreen.models import m7a


def test_probabilities_and_differences_are_those_of_the_draws():
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
    gap = differences(draws, "Y", "X").set_index("gene")
    assert gap.loc["B", "mean"] == pytest.approx(
        float((draws[..., 0, 0] - draws[..., 0, 1]).mean())
    )
    assert gap.loc["B", "P(below 0)"] > 0.7


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

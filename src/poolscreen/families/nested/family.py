"""Models of effects of genes in cell lines, and of sgRNAs nested in them, that integrate out."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pymc as pm
import xarray as xr

from poolscreen.arrays import FloatArray
from poolscreen.families.nested import effects, likelihood
from poolscreen.families.nested.levels import Levels
from poolscreen.screens.table import Screen


class NestedNormal(Levels):
    """A model of the nested normal family.

    Examples
    --------
    >>> model = NestedNormal(top="alpha_gc", level="gene", mean=0.0, sd=5.0)
    >>> model.parameters
    ['sigma']
    """

    def build(self, screen: Screen) -> pm.Model:
        """See `poolscreen.families.nested.likelihood.build`."""
        return likelihood.build(self, screen)

    def data_of(self, model: pm.Model, screen: Screen) -> dict[str, FloatArray]:
        """See `poolscreen.families.nested.likelihood.data_of`."""
        return likelihood.data_of(model, self, screen)

    def log_joint(self, screen: Screen, values: Mapping[str, Any]) -> float:
        """See `poolscreen.families.nested.likelihood.log_joint`."""
        return likelihood.log_joint(self, screen, values)

    def draw_effects(
        self, screen: Screen, posterior: xr.Dataset, rng: np.random.Generator
    ) -> xr.Dataset:
        """See `poolscreen.families.nested.effects.draw_effects`."""
        return effects.draw_effects(self, screen, posterior, rng)

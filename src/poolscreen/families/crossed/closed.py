"""A crossed model of a screen in closed form: what its scales give, and what is normal then."""

from collections.abc import Mapping

import numpy as np

from poolscreen.arrays import FloatArray
from poolscreen.families.crossed.effects import draw_effects
from poolscreen.families.crossed.given import Given
from poolscreen.families.crossed.groups import Groups, together
from poolscreen.families.crossed.levels import Levels
from poolscreen.families.crossed.means import Means
from poolscreen.families.crossed.sums import Sums
from poolscreen.families.family import Points, log_normal
from poolscreen.screens.table import Screen


class Closed:
    """A crossed model of a screen, given its scales: see `poolscreen.families.family.Closed`.

    Parameters
    ----------
    levels : Levels
        The model.
    screen : Screen
        The data.

    Raises
    ------
    PoolscreenError
        If all observations are equal.

    Examples
    --------
    >>> closed = Closed(Levels(), small_screen)
    >>> scales = {name: np.array([0.3, 3.0]) for name in Levels().parameters}
    >>> closed.log_likelihood(scales).round(1).tolist()
    [-8.0, -15.8]
    """

    def __init__(self, levels: Levels, screen: Screen) -> None:
        self.levels, self.screen = levels, screen
        groups = Groups(levels, screen)
        self.data = Sums(groups) if levels.additive else Means(groups)
        self.together = together(groups)
        # Numbers that a point of the scales takes, from which it follows how many go together.
        self.size = self.data.size

    def log_likelihood(self, scales: Points) -> FloatArray:
        """Log density of all observations given the scales."""
        given = Given(self.data, scales)
        density = given.log_density()
        if not self.levels.two_means:
            # p(y | mean of x is 0) = p(y) p(mean of x is 0 | y) / p(mean of x is 0)
            before = self.levels.at(scales).gene / len(self.screen.genes)
            density += log_normal(given.mean_of_genes, given.variance_of_mean)
            density -= log_normal(np.zeros_like(before), before)
        return density

    def given(self, scales: Points) -> Given:
        """Return means and effects, given the scales."""
        return Given(self.data, scales)

    def draw_effects(
        self, values: Mapping[str, FloatArray], rng: np.random.Generator
    ) -> dict[str, FloatArray]:
        """Draw means and effects, one draw for each of the scales."""
        return draw_effects(self.data, values, rng)

"""A crossed model of a screen in closed form: what its scales give, and what is normal then."""

from collections.abc import Mapping

import numpy as np

from poolscreen.arrays import FloatArray
from poolscreen.families.crossed.effects import draw_effects
from poolscreen.families.crossed.given import Given
from poolscreen.families.crossed.groups import Groups
from poolscreen.families.crossed.levels import Levels
from poolscreen.families.crossed.means import Means
from poolscreen.families.crossed.sums import Sums
from poolscreen.families.family import Points, log_normal
from poolscreen.screens.table import Screen

# Degrees of freedom, per effect of the coarser kind, from which on the data tell two scales apart.
ENOUGH = 0.1


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


# What is nested in what: each scale with those whose effects more observations share.
WITHIN = {
    "noise": ("own", "sgrna", "interaction", "gene", "line"),
    "own": ("sgrna", "interaction", "gene", "line"),
    "sgrna": ("gene",),
    "interaction": ("gene", "line"),
}


def together(groups: Groups) -> list[list[str]]:
    """Return the scales, those that the design hardly tells apart in one list.

    Examples
    --------
    In a single cell line nothing tells what a gene does there from what it does everywhere, and
    without replicates nothing tells the deviation of an sgRNA from the noise:

    >>> levels = Levels(interaction_sd="sigma_delta")
    >>> table = small_screen.table
    >>> together(Groups(levels, Screen(table[table["cell_line"] == "cell_0"])))
    [['sigma_gamma', 'sigma_delta'], ['sigma_alpha', 'sigma'], ['sigma_beta']]
    >>> together(Groups(levels, small_screen))
    [['sigma_gamma'], ['sigma_alpha'], ['sigma_beta'], ['sigma_delta'], ['sigma']]
    """
    levels, screen = groups.levels, groups.screen
    seen = np.zeros((len(screen.genes), groups.n.shape[1]))
    np.add.at(seen, screen.gene_of_sgrna, groups.n)
    sizes = {
        "gene": len(seen),
        "sgrna": len(groups.n),
        "line": seen.shape[1],
        "interaction": np.count_nonzero(seen),
        "own": np.count_nonzero(groups.n),
        "noise": len(screen.log_fc),
    }
    of = {
        "gene": levels.gene_sd,
        "sgrna": levels.nested_sd,
        "line": levels.line_sd,
        "interaction": levels.interaction_sd,
        "own": levels.own_sd,
        "noise": "sigma",
    }
    lists = [[name] for name in levels.parameters]
    for finer, coarser in ((f, c) for f, all_coarser in WITHIN.items() for c in all_coarser):
        apart = sizes[finer] - sizes[coarser] >= ENOUGH * sizes[coarser]
        if {of[finer], of[coarser]} <= set(levels.parameters) and not apart:
            one, other = (next(x for x in lists if of[level] in x) for level in (coarser, finer))
            if one is not other:
                one += other
                lists.remove(other)
    order = levels.parameters.index
    return [sorted(names, key=order) for names in lists]

"""The effects of crossed models, drawn back exactly."""

from collections.abc import Mapping

import numpy as np

from poolscreen.arrays import FloatArray
from poolscreen.families.crossed.given import Given
from poolscreen.families.crossed.means import Means
from poolscreen.families.crossed.sums import Sums
from poolscreen.families.family import draws_at_a_time


def draw_effects(
    data: Sums | Means, scales: Mapping[str, FloatArray], rng: np.random.Generator
) -> dict[str, FloatArray]:
    r"""Draw means and effects, exactly: one draw per draw of the scales.

    From the top down, as in `poolscreen.families.crossed.given`: the levels of the cell lines, the
    genes given these, the sgRNAs given both. Where the effects of genes sum to zero, they and the
    lines are then moved by what the mean that was drawn, :math:`\bar x`, tells of them,
    :math:`\theta - \text{Cov}(\theta, \bar x) / \text{Var}(\bar x)\, \bar x` (conditioning by
    kriging, Journel and Huijbregts 1978; Doucet 2010).

    Parameters
    ----------
    data : Sums or Means
        The data that the posterior was sampled with, as the model sees them.
    scales : mapping of str to numpy.ndarray, shape (draws,)
        Draws of the scales.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    dict of str to numpy.ndarray
        `mu` (or `mu_gamma`, `mu_beta`), shape (draws,); `gamma_g`, `beta_c` and, where the model
        has them, `alpha_s`, shape (draws, genes), (draws, cell lines) and (draws, sgRNAs).

    Examples
    --------
    >>> from poolscreen.families.crossed.groups import Groups
    >>> from poolscreen.families.crossed.levels import Levels
    >>> scales = dict.fromkeys(Levels().parameters, np.full(6, 0.5))
    >>> rng = np.random.default_rng(103)
    >>> drawn = draw_effects(Sums(Groups(Levels(), small_screen)), scales, rng)
    >>> drawn["alpha_s"].shape
    (6, 3)
    >>> np.allclose(drawn["gamma_g"].sum(axis=1), 0)
    True
    """
    parts = [_draw(Given(data, some), rng) for some in draws_at_a_time(scales)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _draw(given: Given, rng: np.random.Generator) -> dict[str, FloatArray]:
    """Draw everything for some draws of the scales; the first dimension is the draw."""
    within, levels, layout = given.within, given.levels, given.groups.like.layout
    (size, n_lines), n_genes = given.level.shape, len(layout)
    factor = np.linalg.cholesky(given.lines.covariance)
    z = given.level + (factor @ rng.standard_normal((size, n_lines, 1)))[:, :, 0]
    t, pulled = within.t[:, layout], (within.w @ z[:, :, None])[:, layout, 0]
    x = t * (within.pulls(slice(None)) - pulled)
    x += np.sqrt(t) * rng.standard_normal((size, n_genes))
    if not levels.two_means:  # on the condition that the effects of genes sum to zero
        step = (x.mean(axis=1) / given.variance_of_mean)[:, None]
        linked = (within.w @ given.u_covariance[:, :, None])[:, layout, 0]
        x -= t * (1 / n_genes + linked) * step
        z += given.u_covariance * step
    means = given.draw_means(z, rng)
    level = next(iter(means.values()))[:, None]
    drawn = {**means, "gamma_g": x + level * levels.two_means, "beta_c": z - level}
    drawn |= within.draw(z, x, rng)
    if levels.nested_sd:
        drawn["alpha_s"] += level + x[:, given.groups.screen.gene_of_sgrna]
    return drawn

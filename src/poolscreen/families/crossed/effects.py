"""The effects of crossed models, drawn back exactly."""

from collections.abc import Mapping

import numpy as np

from poolscreen.arrays import FloatArray
from poolscreen.families.crossed.given import Given
from poolscreen.families.crossed.groups import Groups
from poolscreen.families.family import draws_at_a_time


def draw_effects(
    groups: Groups, scales: Mapping[str, FloatArray], rng: np.random.Generator
) -> dict[str, FloatArray]:
    r"""Draw means and effects, exactly: one draw per draw of the scales.

    From the top down, as in `poolscreen.families.crossed.given`: the levels of the cell lines, the
    genes given these, the sgRNAs given both. Where the effects of genes sum to zero, they and the
    lines are then moved by what the mean that was drawn, :math:`\bar x`, tells of them,
    :math:`\theta - \text{Cov}(\theta, \bar x) / \text{Var}(\bar x)\, \bar x` (conditioning by
    kriging, Journel and Huijbregts 1978; Doucet 2010).

    Parameters
    ----------
    groups : Groups
        The model, and the data that the posterior was sampled with.
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
    >>> scales = dict.fromkeys(Levels().parameters, np.full(6, 0.5))
    >>> rng = np.random.default_rng(103)
    >>> drawn = draw_effects(Groups(Levels(), small_screen), scales, rng)
    >>> drawn["alpha_s"].shape
    (6, 3)
    >>> np.allclose(drawn["gamma_g"].sum(axis=1), 0)
    True
    """
    parts = [_draw(Given(groups, some), rng) for some in draws_at_a_time(scales)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _draw(given: Given, rng: np.random.Generator) -> dict[str, FloatArray]:
    """Draw everything for some draws of the scales; the first dimension is the draw."""
    groups, levels, genes = given.groups, given.levels, given.groups.genes
    size, of_gene = len(given.noise), groups.screen.gene_of_sgrna

    def normal(variance: FloatArray | float, *shape: int) -> FloatArray:
        return np.sqrt(variance) * rng.standard_normal((size, *shape))

    factor = np.linalg.cholesky(given.lines.covariance)
    z = given.level + (factor @ normal(1.0, groups.n.shape[1], 1))[:, :, 0]
    t, q, w = given.t[:, genes.layout], given.pulls(slice(None)), given.w
    pulled = (w @ z[:, :, None])[:, genes.layout, 0]
    x = t * (q - pulled) + normal(t, len(genes.layout))
    if not levels.two_means:  # on the condition that the effects of genes sum to zero
        step = (x.mean(axis=1) / given.variance_of_mean)[:, None]
        linked = 1 / len(genes.layout) + (w @ given.u_covariance[:, :, None])[:, genes.layout, 0]
        x -= t * linked * step
        z += given.u_covariance * step
    means = given.draw_means(z, rng)
    level = next(iter(means.values()))
    drawn = {**means, "gamma_g": x, "beta_c": z - level[:, None]}
    lowest = level[:, None] + x[:, of_gene]
    if levels.two_means:
        drawn["gamma_g"] = level[:, None] + x
    if levels.nested_sd:
        d = given.precision_of(groups.n.sum(axis=1))
        n = groups.n.sum(axis=1)
        of_sgrna = given.sgrna[:, None] * d
        centre = of_sgrna * (groups.total - z @ groups.n.T - n * x[:, of_gene])
        own = normal(of_sgrna * given.noise[:, None], len(of_gene))
        drawn["alpha_s"] = lowest + centre + own
    return drawn

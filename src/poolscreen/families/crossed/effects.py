"""The effects of crossed models, drawn back exactly."""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from poolscreen.arrays import FloatArray
from poolscreen.families.crossed.closed import Closed, Given
from poolscreen.families.crossed.levels import Levels
from poolscreen.families.family import DRAWS_AT_A_TIME, samples
from poolscreen.screens.table import Screen


def draw_effects(
    levels: Levels, screen: Screen, posterior: xr.Dataset, rng: np.random.Generator
) -> xr.Dataset:
    r"""Draw means and effects, exactly: one draw per draw of the scales.

    From the top down, as in `poolscreen.families.crossed.closed`: the levels of the cell lines, the
    genes given these, the sgRNAs given both. Where the effects of genes sum to zero, they and the
    lines are then moved by what the mean that was drawn, :math:`\bar x`, tells of them,
    :math:`\theta - \text{Cov}(\theta, \bar x) / \text{Var}(\bar x)\, \bar x` (conditioning by
    kriging, Journel and Huijbregts 1978; Doucet 2010).

    Parameters
    ----------
    levels : Levels
        The model.
    screen : Screen
        The data that the posterior was sampled with.
    posterior : xarray.Dataset
        Draws of the scales, dimensions `chain` and `draw`.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    xarray.Dataset
        `mu` (or `mu_gamma`, `mu_beta`), `gamma_g`, `beta_c` and, where the model has them,
        `alpha_s`; dimensions `chain`, `draw` and `gene`, `cell_line` or `sgRNA`.

    Examples
    --------
    >>> scales = dict.fromkeys(Levels().parameters, (("chain", "draw"), np.full((2, 3), 0.5)))
    >>> drawn = draw_effects(
    ...     Levels(), small_screen, xr.Dataset(scales), np.random.default_rng(103)
    ... )
    >>> {name: values.shape for name, values in drawn.items()}["alpha_s"]
    (2, 3, 3)
    >>> np.allclose(drawn["gamma_g"].sum("gene"), 0)
    True
    """
    values = samples(posterior)
    size = values["sigma"].size
    some = [slice(i, i + DRAWS_AT_A_TIME) for i in range(0, size, DRAWS_AT_A_TIME)]
    closed = Closed(levels, screen)
    parts = [_draw(closed, {k: v[at] for k, v in values.items()}, rng) for at in some]
    sizes = (posterior.sizes["chain"], posterior.sizes["draw"])
    rows = {"gamma_g": "gene", "beta_c": "cell_line", "alpha_s": "sgRNA"}
    drawn = {}
    for name in parts[0]:
        dims = ("chain", "draw", *([rows[name]] if name in rows else []))
        whole = np.concatenate([part[name] for part in parts])
        drawn[name] = (dims, whole.reshape(*sizes, *whole.shape[1:]))
    used = {dim for dims, _ in drawn.values() for dim in dims}
    labels = {d: v for d, v in screen.coords.items() if d in used}
    sample = {dim: posterior[dim] for dim in ("chain", "draw")}
    return xr.Dataset(drawn, coords=sample | labels)


def _draw(
    closed: Closed, scales: Mapping[str, FloatArray], rng: np.random.Generator
) -> dict[str, FloatArray]:
    """Draw everything for some draws of the scales; the first dimension is the draw."""
    given, levels, genes = Given(closed, scales), closed.levels, closed.genes
    size, of_gene = len(given.noise), closed.screen.gene_of_sgrna

    def normal(variance: FloatArray | float, *shape: int) -> FloatArray:
        return np.sqrt(variance) * rng.standard_normal((size, *shape))

    factor = np.linalg.cholesky(given.lines.covariance)
    z = given.level + (factor @ normal(1.0, closed.n.shape[1], 1))[:, :, 0]
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
        d = given.precision_of(closed.n.sum(axis=1))
        n = closed.n.sum(axis=1)
        of_sgrna = given.sgrna[:, None] * d
        centre = of_sgrna * (closed.total - z @ closed.n.T - n * x[:, of_gene])
        own = normal(of_sgrna * given.noise[:, None], len(of_gene))
        drawn["alpha_s"] = lowest + centre + own
    return drawn

"""The effects of crossed models, drawn back exactly."""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from poolscreen.arrays import FloatArray
from poolscreen.families.crossed.levels import Levels
from poolscreen.families.family import DRAWS_AT_A_TIME, MEAN_SD, samples
from poolscreen.screens.table import Screen


def draw_effects(
    levels: Levels, screen: Screen, posterior: xr.Dataset, rng: np.random.Generator
) -> xr.Dataset:
    r"""Draw means and effects, exactly: one draw per draw of the scales.

    Parameters and a screen are drawn from the prior; the parameters are then moved by what the
    difference between the observed screen and the drawn one tells of them,
    :math:`\theta + \text{Cov}(\theta, y) V^{-1} (y_\text{observed} - y)` (conditioning by
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
    n, total = screen.sums("sgRNA")
    given = n.astype(np.float64), total
    parts = [
        _draw(levels, screen, given, {k: v[at] for k, v in values.items()}, rng) for at in some
    ]
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
    levels: Levels,
    screen: Screen,
    given: tuple[FloatArray, FloatArray],
    scales: Mapping[str, FloatArray],
    rng: np.random.Generator,
) -> dict[str, FloatArray]:
    """Draw everything for some draws of the scales; the first dimension is the draw."""
    n, observed = given
    size, of_gene = scales["sigma"].size, screen.gene_of_sgrna

    def normal(sd: FloatArray | float, *shape: int) -> FloatArray:
        spread = np.reshape(sd, (-1, *[1] * len(shape)))
        return spread * rng.standard_normal((size, *shape))

    # Parameters and a screen from the prior; `seen` sums the screen by sgRNA and cell line.
    gene = normal(scales["sigma_gamma"], len(screen.genes))
    line = normal(scales["sigma_beta"], len(screen.cell_lines))
    if levels.two_means:
        means = {name: normal(MEAN_SD) for name in ("mu_gamma", "mu_beta")}
        gene += means["mu_gamma"][:, None]
        line += means["mu_beta"][:, None]
        lowest = gene[:, of_gene]
    else:
        means = {"mu": normal(MEAN_SD)}
        gene -= gene.mean(1, keepdims=True)
        line -= line.mean(1, keepdims=True)
        lowest = means["mu"][:, None] + gene[:, of_gene]
    if levels.nested_sd:
        lowest = lowest + normal(scales[levels.nested_sd], len(screen.sgrnas))
    noise = normal(scales["sigma"], *n.shape)
    seen = n * (lowest[:, :, None] + line[:, None, :]) + np.sqrt(n) * noise

    # V^-1 (y_observed - y), summed over the observations that share an effect, and times the
    # variance of that effect: that is Cov(effect, y) V^-1 (y_observed - y), its step.
    weights = _solve(levels, screen, n, observed - seen, scales)
    of_line, of_sgrna = weights.sum(1), weights.sum(2)
    by_gene = _in_genes(screen, of_sgrna)
    gene_step, line_step = (
        scales[name][:, None] ** 2 * sums
        for name, sums in (("sigma_gamma", by_gene), ("sigma_beta", of_line))
    )
    shared = MEAN_SD**2 * weights.sum((1, 2))
    means = {name: mean + shared for name, mean in means.items()}
    shared = shared[:, None]
    if levels.two_means:
        gene_step, line_step = gene_step + shared, line_step + shared
        step = gene_step[:, of_gene]
    else:  # effects that sum to zero move by steps that do
        gene_step -= gene_step.mean(1, keepdims=True)
        line_step -= line_step.mean(1, keepdims=True)
        step = shared + gene_step[:, of_gene]
    drawn = {**means, "gamma_g": gene + gene_step, "beta_c": line + line_step}
    if levels.nested_sd:
        step = step + scales[levels.nested_sd][:, None] ** 2 * of_sgrna
        drawn["alpha_s"] = lowest + step
    return drawn


def _solve(
    levels: Levels,
    screen: Screen,
    n: FloatArray,
    total: FloatArray,
    scales: Mapping[str, FloatArray],
) -> FloatArray:
    """Apply the inverse covariance matrix to observations, of which only sums matter.

    Level by level, as in `poolscreen.families.crossed.likelihood`, whose names these are; here by
    sgRNA rather than by pattern, and for many draws of the scales at once. `total` and what is
    returned have the shape (draws, sgRNAs, cell lines): sums over the observations of an sgRNA in a
    cell line.
    """

    def variance(name: str | None) -> FloatArray:
        return scales[name][:, None] ** 2 if name else np.zeros((1, 1))

    noise, sgrna = variance("sigma"), variance(levels.nested_sd)
    gene, line = variance("sigma_gamma"), variance("sigma_beta")
    d = 1 / (noise + sgrna * n.sum(1))
    linked = n * d[:, :, None]
    shrink = gene / (1 + gene * _in_genes(screen, linked.sum(2)))

    def without_lines(sums: FloatArray) -> FloatArray:
        """Apply V_2^-1: the noise, less what sgRNAs share, less what genes share."""
        of_sgrna = sums.sum(2) * d
        of_gene = shrink * _in_genes(screen, of_sgrna)
        pulled = (sgrna / noise) * of_sgrna  # into the sgRNA, then into the gene
        return (
            sums / noise[:, :, None]
            - n * pulled[:, :, None]
            - linked * of_gene[:, screen.gene_of_sgrna][:, :, None]
        )

    # Z_c' V_2^-1 Z_c, and M = I + sigma_beta^2 of it: a row and a column for each cell line.
    of_genes = _in_genes(screen, linked)
    within = np.eye(n.shape[1]) * n.sum(0) / noise[:, :, None]
    within -= n.T @ ((sgrna / noise * d)[:, :, None] * n)
    within -= of_genes.transpose(0, 2, 1) @ (shrink[:, :, None] * of_genes)
    matrix = np.eye(n.shape[1]) + line[:, :, None] * within

    def without_shared(sums: FloatArray) -> FloatArray:
        """Apply V_3^-1: V_2^-1, less what cell lines share."""
        reduced = without_lines(sums)
        effect = np.linalg.solve(matrix, (line * reduced.sum(1))[:, :, None])
        return reduced - without_lines(n * effect[:, None, :, 0])

    # What all share, c 1 1', is one more column.
    solved, ones = without_shared(total), without_shared(np.broadcast_to(n, total.shape))
    shared = levels.shared(gene, line, len(screen.genes), n.shape[1])
    factor = shared * solved.sum((1, 2))[:, None]
    factor /= 1 + shared * ones.sum((1, 2))[:, None]
    result: FloatArray = solved - factor[:, :, None] * ones
    return result


def _in_genes(screen: Screen, values: FloatArray) -> FloatArray:
    """Add up the sgRNAs of each gene; shape (draws, sgRNAs) to (draws, genes)."""
    order = np.argsort(screen.gene_of_sgrna, kind="stable")
    starts = np.searchsorted(screen.gene_of_sgrna[order], np.arange(len(screen.genes)))
    return np.add.reduceat(values[:, order], starts, axis=1)

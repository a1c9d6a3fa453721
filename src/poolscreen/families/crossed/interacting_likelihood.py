"""The crossed models with interactions, everything but their scales integrated out."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytensor.tensor as pt

from poolscreen.families.crossed.levels import Levels


def log_marginal_likelihood(
    levels: Levels, data: Mapping[str, Any], scales: Mapping[str, Any]
) -> Any:
    r"""Log density of all observations given the scales, everything else integrated out.

    The levels are eliminated one at a time, as in `poolscreen.families.crossed.interacting`, whose
    names these are. What all observations share adds a constant to their covariances, see
    `Levels.shared`: so effects that sum to zero need no condition.

    Parameters
    ----------
    levels : Levels
        The model.
    data : mapping of str to tensor or numpy.ndarray
        See `poolscreen.families.crossed.means.Means.as_data`.
    scales : mapping of str to tensor or float
        The scales by name.

    Returns
    -------
    tensor
        Scalar; all constants are included.

    Examples
    --------
    Two observations of different sgRNAs, genes and cell lines, which share two means alone:

    >>> from scipy import stats
    >>> from poolscreen.families.crossed.groups import Groups
    >>> from poolscreen.families.crossed.means import Means
    >>> levels = Levels(two_means=True, interaction_sd="sigma_delta")
    >>> scales = dict(zip(levels.parameters, [1.0, 2.0, 3.0, 1.0, 4.0], strict=True))
    >>> screen = Screen(
    ...     pd.DataFrame(
    ...         {"cell_line": list("AB"), "sgRNA": list("st"), "gene": list("gh"), "log_fc": [2, 0]}
    ...     )
    ... )
    >>> log_p = log_marginal_likelihood(levels, Means(Groups(levels, screen)).as_data(), scales)
    >>> covariance = 2 * 5**2 + (1 + 4 + 9 + 1 + 16) * np.eye(2)
    >>> expected = stats.multivariate_normal([0, 0], covariance).logpdf(screen.log_fc)
    >>> bool(np.isclose(log_p.eval(), expected))
    True
    """
    of = {name: pt.cast(value, "float64") ** 2 for name, value in scales.items()}
    zero = pt.constant(0.0)
    noise, gene, line = of["sigma"], of["sigma_gamma"], of["sigma_beta"]
    delta, eta, sgrna = (
        of[name] if name else zero
        for name in (levels.interaction_sd, levels.own_sd, levels.nested_sd)
    )
    n, number, kind, units, genes = (
        pt.as_tensor(data[name]) for name in ("n", "number", "kind", "units", "genes")
    )
    # SgRNAs, by pattern: p and h.
    spread = eta * n + noise
    p = n / spread
    growth = 1 + sgrna * p.sum(axis=1)
    h = sgrna / growth
    seen = pt.gt(n, 0) * number[:, None]
    log_det = (seen * pt.log(spread)).sum() + (number * pt.log(growth)).sum()
    n_obs = (number[:, None] * n).sum()
    log_det += (n_obs - seen.sum()) * pt.log(noise)
    squares = data["ss_within"] / noise
    rows, pattern = pt.as_tensor(data["sgrna_rows"]), pt.as_tensor(data["sgrna_pattern"])
    squares += (p[pattern] * rows**2).sum()
    squares -= (h[pattern] * (p[pattern] * rows).sum(axis=1) ** 2).sum()

    # Interactions, and then genes, by layout: R, A R, w and t. A is diagonal but for what sgRNAs of
    # a stratum share; the strata are taken in one after the other (Sherman and Morrison 1950), as
    # compiling products and inverses of many matrices takes minutes.
    eye = pt.eye(n.type.shape[1])
    diagonal = (units[:, :, None] * p[kind]).sum(axis=1)
    inverse = (1 / (1 + delta * diagonal))[:, :, None] * eye
    of_layouts = pt.log1p(delta * diagonal).sum(axis=1)
    strata = [(p[kind[:, k]], units[:, k] * h[kind[:, k]]) for k in range(kind.type.shape[1])]
    for of_stratum, share in strata:
        moved = (inverse * of_stratum[:, None, :]).sum(axis=2)
        rest = 1 - delta * share * (of_stratum * moved).sum(axis=1)
        inverse += (delta * share / rest)[:, None, None] * moved[:, :, None] * moved[:, None, :]
        of_layouts += pt.log(rest)
    left = diagonal[:, :, None] * inverse
    for of_stratum, share in strata:
        moved = (inverse * of_stratum[:, None, :]).sum(axis=2)
        left -= share[:, None, None] * of_stratum[:, :, None] * moved[:, None, :]
    w = left.sum(axis=2)
    growth = 1 + gene * w.sum(axis=1)
    t = gene / growth
    log_det += (genes * (of_layouts + pt.log(growth))).sum()

    def pull(of_strata: Any, kinds: Any) -> Any:
        known = p[kinds] * of_strata
        return (known - (h[kinds] * known.sum(axis=2))[:, :, None] * p[kinds]).sum(axis=1)

    layout = pt.as_tensor(data["layout"])
    b = pull(pt.as_tensor(data["rows"]), kind[layout])
    rb = (inverse[layout] * b[:, None, :]).sum(axis=2)
    squares -= delta * (b * rb).sum() + (t[layout] * rb.sum(axis=1) ** 2).sum()

    # Cell lines, and what all observations share.
    rb = (inverse * pull(pt.as_tensor(data["of_layouts"]), kind)[:, None, :]).sum(axis=2)
    pulled = (rb - (t * rb.sum(axis=1))[:, None] * w).sum(axis=0)
    known = (genes[:, None, None] * left).sum(axis=0)
    known -= pt.dot(w.T, (genes * t)[:, None] * w)
    shared = levels.shared(gene, line, genes.sum(), n.type.shape[1])
    prior = line * eye + shared
    matrix = eye + pt.dot(known, prior)
    log_det += pt.linalg.slogdet(matrix)[1]
    squares -= pt.dot(pulled, pt.dot(prior, pt.linalg.solve(matrix, pulled)))
    return -0.5 * (n_obs * np.log(2 * np.pi) + log_det + squares)

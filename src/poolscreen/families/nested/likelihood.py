"""The nested normal models with their effects integrated out."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from scipy import stats

from poolscreen.families.family import MEAN_SD, SCALE_RATE, absolute
from poolscreen.families.nested.data import Statistics, check_informative, statistics
from poolscreen.families.nested.levels import Levels
from poolscreen.screens.table import Screen

# Degrees of freedom, per unit or group, from which on the data are taken to show a scale.
ENOUGH = 0.1


def build(levels: Levels, screen: Screen) -> pm.Model:
    r"""Write a model down with its effects integrated out: only means and scales are left.

    Parameters
    ----------
    levels : Levels
        The model.
    screen : Screen
        The data.

    Returns
    -------
    pymc.Model
        With the parameters of `levels` under their own names.

    Raises
    ------
    PoolscreenError
        If there is one observation, or no variance to learn from.

    Examples
    --------
    The 2 × 2 effects `alpha_gc` are gone; a scale is sampled as an absolute value.

    >>> from poolscreen.models import m7a
    >>> from poolscreen.screens.simulate import Design, simulate
    >>> screen = Screen(simulate(Design(n_cell_lines=2, sgrnas_per_gene=(1, 2)))[0])
    >>> model = build(m7a.FAMILY, screen)
    >>> [rv.name for rv in model.free_RVs]
    ['mu_alpha_gc', 'sigma_alpha_signed', 'sigma']
    >>> [rv.name for rv in model.deterministics]
    ['sigma_alpha']
    """
    found = statistics(levels, screen)
    check_informative(screen, found)
    with pm.Model() as model:
        # With its shape known, the compiled code is twice as fast.
        data = Statistics(**{k: pm.Data(k, v, shape=v.shape) for k, v in found.as_data().items()})
        mean = pm.Normal(levels.mean, 0, MEAN_SD) if isinstance(levels.mean, str) else levels.mean
        scales = coordinates(levels, found)
        sd = scales[levels.sd] if isinstance(levels.sd, str) else levels.sd
        nested_sd = scales[levels.nested_sd] if levels.nested_sd else 0.0
        pm.Potential(
            "log_fc",
            log_marginal_likelihood(data, mean, sd, nested_sd, scales["sigma"]),
        )
    return model


def coordinates(levels: Levels, data: Statistics) -> dict[str, Any]:
    r"""Add the scales to a model, in coordinates that suit what the data leave open.

    Where little tells some scales apart, the data determine their sum of squares, and the
    posterior is a part of a circle, or of a sphere: in polar (spherical) coordinates, a radius and
    angles between 0 and :math:`\pi/2`, that is a straight line. Replicates show the noise, and
    several sgRNAs the scatter about a gene. A scale by itself may lie against 0, where its
    logarithm has a long tail and a wall: it is sampled as :math:`|u|`, `u` on the line. Only
    replicates keep the noise away from 0, and its logarithm is the better coordinate then.

    To be called inside a model, as PyMC's distributions are.

    Parameters
    ----------
    levels : Levels
        The model.
    data : Statistics
        The data.

    Returns
    -------
    dict of str to tensor
        The scales of `levels` by name.

    Examples
    --------
    >>> from poolscreen.models import m7b
    >>> from poolscreen.screens.simulate import Design, simulate
    >>> data = statistics(m7b.FAMILY, Screen(simulate(Design())[0]))
    >>> with pm.Model() as model:
    ...     scales = coordinates(m7b.FAMILY, data)
    >>> list(scales)
    ['sigma_gamma', 'sigma_alpha', 'sigma']
    >>> [rv.name for rv in model.free_RVs]
    ['sigma_gamma_signed', 'radius', 'angle_0']
    """
    scales: dict[str, Any] = {}
    for names in together(levels, data):
        if len(names) > 1:
            scales |= _spherical(names)
        elif names == ["sigma"] and _noise_is_shown(data):
            scales["sigma"] = pm.Exponential("sigma", SCALE_RATE)
        else:
            scales |= {name: absolute(name) for name in names}
    return scales


def together(levels: Levels, data: Statistics) -> list[list[str]]:
    """Return the scales, those that the data hardly tell apart in one list.

    Examples
    --------
    Without replicates nothing tells the scatter of sgRNAs from the noise:

    >>> from poolscreen.models import m7b
    >>> from poolscreen.screens.simulate import Design, simulate
    >>> for replicates in (1, 2):
    ...     screen = Screen(simulate(Design(replicates=replicates))[0])
    ...     together(m7b.FAMILY, statistics(m7b.FAMILY, screen))
    [['sigma_gamma'], ['sigma_alpha', 'sigma']]
    [['sigma_gamma'], ['sigma_alpha', 'sigma']]
    """
    n_groups, n_units = data.groups.sum(), (data.groups[:, None] * data.units).sum()
    scatter_is_shown = n_units - n_groups >= ENOUGH * n_groups
    above_noise = [name for name in levels.scales if name != "sigma"]
    if levels.nested and scatter_is_shown:
        top = [levels.sd] if isinstance(levels.sd, str) else []
        lists = [top, [*above_noise[len(top) :], "sigma"]]
    elif _noise_is_shown(data):
        lists = [above_noise, ["sigma"]]
    else:
        lists = [levels.scales]
    return [names for names in lists if names]


def _noise_is_shown(data: Statistics) -> bool:
    n_units = (data.groups[:, None] * data.units).sum()
    return bool(data.df_within >= ENOUGH * n_units)


def _spherical(names: list[str]) -> dict[str, Any]:
    """Add positive quantities with exponential priors in spherical coordinates."""
    rest = pm.HalfFlat("radius")
    found, log_volume = {}, 0.0
    for number, name in enumerate(names[:-1]):
        angle = pm.Uniform(f"angle_{number}", 0, np.pi / 2)
        log_volume += pt.log(rest)
        found[name] = pm.Deterministic(name, rest * pt.sin(angle))
        rest = rest * pt.cos(angle)
    found[names[-1]] = pm.Deterministic(names[-1], rest)
    pm.Potential("scale_prior", -SCALE_RATE * sum(found.values()) + log_volume)
    return found


def log_joint(levels: Levels, screen: Screen, values: Mapping[str, Any]) -> float:
    """Log density of all parameters and observations of a member of the levels.

    Parameters
    ----------
    levels : Levels
        The model.
    screen : Screen
        The data.
    values : mapping of str to float or numpy.ndarray
        Means, scales and effects by their names; effects have the shape (genes, cell lines) or
        (sgRNAs, cell lines).

    Returns
    -------
    float

    Raises
    ------
    KeyError
        If a value is missing.

    Examples
    --------
    >>> from poolscreen.models import m7a
    >>> table = pd.DataFrame({"cell_line": ["A"], "sgRNA": "s", "gene": "g", "log_fc": [0.0]})
    >>> values = {"mu_alpha_gc": 0.0, "sigma_alpha": 1.0, "sigma": 1.0}
    >>> values["alpha_gc"] = np.zeros((1, 1))  # gene, cell line
    >>> round(log_joint(m7a.FAMILY, Screen(table), values), 3)
    -6.366

    That is the sum of three normal and two exponential log densities:

    >>> round(sum(stats.norm.logpdf(0, 0, [5, 1, 1])) + 2 * stats.expon.logpdf(1), 3).item()
    -6.366
    """
    mean, sd = (values[v] if isinstance(v, str) else v for v in (levels.mean, levels.sd))
    scales = [values[name] for name in levels.parameters if name != levels.mean]
    lowest, row = values[levels.top], screen.sgrna_idx
    total = stats.expon.logpdf(scales, scale=1 / SCALE_RATE).sum()
    total += stats.norm.logpdf(lowest, mean, sd).sum()
    if isinstance(levels.mean, str):
        total += stats.norm.logpdf(mean, 0, MEAN_SD)
    if levels.nested and levels.nested_sd:
        top, lowest = lowest, values[levels.nested]
        about = top[screen.gene_of_sgrna]
        total += stats.norm.logpdf(lowest, about, values[levels.nested_sd]).sum()
    elif levels.level == "gene":
        row = screen.gene_idx
    mu = lowest[row, screen.cell_idx]
    return float(total + stats.norm.logpdf(screen.log_fc, mu, values["sigma"]).sum())


def log_marginal_likelihood(
    data: Statistics, mean: Any, sd: Any, nested_sd: Any, sigma: Any
) -> Any:
    r"""Log density of all observations given means and scales, the effects integrated out.

    For unit *u* with :math:`n_u` observations, :math:`v_u = \sigma_\alpha^2 + \sigma^2 / n_u` is
    the variance of its mean about the group's effect. Per group,
    :math:`P = \sum 1 / v_u`, :math:`m = \sum (\bar y_u / v_u) / P` and
    :math:`Q = \sum (\bar y_u - m)^2 / v_u`; then

    .. math::

        \log p = -\tfrac12 \sum_u \log v_u - \tfrac12 \sum Q - \tfrac12 \sum \log P
                 + \sum \log \text{Normal}\bigl(m \mid \mu, \sqrt{\tau^2 + 1 / P}\bigr)
                 - (N - M) \log \sigma - \frac{W}{2 \sigma^2} + \text{const}

    with `N` observations, `M` units and the sum of squares `W` within units (completing the
    square twice; Gelman et al., Bayesian Data Analysis, 3rd ed., section 5.4). Over groups of one
    layout `P` is the same, and the sums over `Q` and over :math:`(m - \mu)^2` are quadratic forms
    in its strata's weights.

    Parameters
    ----------
    data : Statistics
        The data, as arrays or tensors.
    mean, sd : tensor or float
        Mean and standard deviation of the top effects.
    nested_sd : tensor or float
        Standard deviation of the nested effects; 0 where there are none.
    sigma : tensor or float
        Standard deviation of the observations.

    Returns
    -------
    tensor
        Scalar; all constants are included.

    Examples
    --------
    One observation has the variance of its effect and of the noise together, 3² + 4² = 5²:

    >>> from poolscreen.models import m7a
    >>> table = pd.DataFrame({"cell_line": ["A"], "sgRNA": "s", "gene": "g", "log_fc": [2.0]})
    >>> data = statistics(m7a.FAMILY, Screen(table))
    >>> log_p = log_marginal_likelihood(data, mean=0.0, sd=3.0, nested_sd=0.0, sigma=4.0)
    >>> log_p.eval().round(4).item(), stats.norm.logpdf(2, 0, 5).round(4).item()
    (-2.6084, -2.6084)
    """
    # A plain 1.5 would be taken for a number of single precision.
    mean, sd, nested_sd, sigma = (
        pt.cast(value, "float64") for value in (mean, sd, nested_sd, sigma)
    )
    v = nested_sd**2 + sigma**2 / data.replicates
    weight = data.units / v
    precision = weight.sum(axis=1)
    share = weight / precision[:, None]
    pairs = share[:, :, None] * share[:, None, :]
    differences = precision * (pairs * data.difference).sum(axis=(1, 2)) / 2
    spread = (pairs * data.scatter).sum(axis=(1, 2))
    spread += data.groups * ((share * data.mean).sum(axis=1) - mean) ** 2
    variance = sd**2 + 1 / precision

    within = 2 * data.df_within * pt.log(sigma) + data.ss_within / sigma**2
    strata = data.groups[:, None] * data.units * pt.log(v) + data.ss_between / v
    groups = data.groups * pt.log(precision * variance) + differences
    groups += spread / variance
    return data.constant - 0.5 * (within + strata.sum() + groups.sum())

"""The crossed models as they are sampled: with everything but their scales integrated out."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pymc as pm
from scipy import stats

from poolscreen.arrays import FloatArray, IntArray
from poolscreen.families.crossed import additive_likelihood, interacting_likelihood
from poolscreen.families.crossed.data import Statistics, informative
from poolscreen.families.crossed.groups import Groups
from poolscreen.families.crossed.levels import Levels
from poolscreen.families.crossed.means import Means
from poolscreen.families.family import MEAN_SD, SCALE_RATE, absolute
from poolscreen.screens.table import Screen


def build(levels: Levels, screen: Screen) -> pm.Model:
    """Write the model down with everything but the scales integrated out.

    Parameters
    ----------
    levels : Levels
        The model.
    screen : Screen
        The data.

    Returns
    -------
    pymc.Model

    Raises
    ------
    PoolscreenError
        If all observations are equal.

    Examples
    --------
    >>> from poolscreen.screens.simulate import Design, simulate
    >>> screen = Screen(simulate(Design(n_cell_lines=2, sgrnas_per_gene=(1, 2)))[0])
    >>> [rv.name for rv in build(Levels(), screen).free_RVs]
    ['sigma_gamma_signed', 'sigma_alpha_signed', 'sigma_beta_signed', 'sigma_signed']
    """
    found = reduced(levels, screen)
    with pm.Model() as model:
        known = {k: pm.Data(k, v, shape=v.shape) for k, v in found.items()}
        scales = {name: absolute(name) for name in levels.parameters}
        pm.Potential("log_fc", log_marginal_likelihood(levels, known, scales))
    return model


def reduced(levels: Levels, screen: Screen) -> dict[str, FloatArray | IntArray]:
    """Reduce a screen to what the density of the scales needs: arrays by name.

    Parameters
    ----------
    levels : Levels
        The model.
    screen : Screen
        The data.

    Returns
    -------
    dict of str to numpy.ndarray

    Raises
    ------
    PoolscreenError
        If all observations are equal.

    Examples
    --------
    >>> sorted(reduced(Levels(), small_screen))
    ['cell_total', 'n', 'sgrnas', 'squares', 'sum_of_squares', 'total']
    """
    if not levels.additive:
        return Means(Groups(levels, screen)).as_data()
    data: dict[str, FloatArray | IntArray] = {**informative(screen).as_data()}
    if not levels.nested_sd:  # a compiled model does not know what it does not use
        del data["squares"]
    return data


def log_marginal_likelihood(
    levels: Levels, data: Mapping[str, Any], scales: Mapping[str, Any]
) -> Any:
    """Log density of all observations given the scales, everything else integrated out.

    Parameters
    ----------
    levels : Levels
        The model.
    data : mapping of str to tensor or numpy.ndarray
        See `reduced`.
    scales : mapping of str to tensor or float
        The scales by name.

    Returns
    -------
    tensor
        Scalar; all constants are included.

    Examples
    --------
    >>> scales = {"sigma_gamma": 1.0, "sigma_alpha": 0.5, "sigma_beta": 1.0, "sigma": 0.3}
    >>> log_p = log_marginal_likelihood(Levels(), reduced(Levels(), small_screen), scales)
    >>> without = Levels(interaction_sd="sigma_delta")
    >>> data, scales = reduced(without, small_screen), scales | {"sigma_delta": 0.0}
    >>> bool(np.isclose(log_p.eval(), log_marginal_likelihood(without, data, scales).eval()))
    True
    """
    if levels.additive:
        known = Statistics(**{"squares": 0.0, **data})
        return additive_likelihood.log_marginal_likelihood(levels, known, scales)
    return interacting_likelihood.log_marginal_likelihood(levels, data, scales)


def log_joint(levels: Levels, screen: Screen, values: Mapping[str, Any]) -> float:
    """Log density of all parameters and observations.

    Parameters
    ----------
    levels : Levels
        The model.
    screen : Screen
        The data.
    values : mapping of str to float or numpy.ndarray
        Means, scales and effects by their names.

    Returns
    -------
    float

    Raises
    ------
    KeyError
        If a value is missing.

    Examples
    --------
    >>> table = pd.DataFrame({"cell_line": ["A"], "sgRNA": "s", "gene": "g", "log_fc": [0.0]})
    >>> values = dict.fromkeys(["mu_gamma", "mu_beta"], 0.0)
    >>> values |= dict.fromkeys(["sigma_gamma", "sigma_beta", "sigma"], 1.0)
    >>> values |= {"gamma_g": np.zeros(1), "beta_c": np.zeros(1)}
    >>> levels = Levels(nested_sd=None, two_means=True)
    >>> expected = stats.norm.logpdf(0, 0, [5, 5, 1, 1, 1]).sum() + 3 * stats.expon.logpdf(1)
    >>> bool(np.isclose(log_joint(levels, Screen(table), values), expected))
    True
    """
    gene, line = values["gamma_g"], values["beta_c"]
    of = levels.at(values)
    gene_sd, line_sd = np.sqrt(of.gene), np.sqrt(of.line)
    scales = [values[name] for name in levels.parameters]
    total = stats.expon.logpdf(scales, scale=1 / SCALE_RATE).sum()
    if levels.two_means:
        means, level = (values["mu_gamma"], values["mu_beta"]), 0.0
        total += stats.norm.logpdf(means, 0, MEAN_SD).sum()
        total += stats.norm.logpdf(gene, means[0], gene_sd).sum()
        total += stats.norm.logpdf(line, means[1], line_sd).sum()
    else:
        level = values["mu"]
        total += stats.norm.logpdf(level, 0, MEAN_SD)
        total += _sum_to_zero(gene, gene_sd)
        total += _sum_to_zero(line, line_sd)
    lowest = level + gene[screen.gene_of_sgrna]
    if levels.nested_sd:
        about, lowest = lowest, values["alpha_s"]
        total += stats.norm.logpdf(lowest, about, values[levels.nested_sd]).sum()
    mu = lowest[screen.sgrna_idx] + line[screen.cell_idx]
    for name, sd, row in (
        ("delta_gc", levels.interaction_sd, screen.gene_idx),
        ("eta_sc", levels.own_sd, screen.sgrna_idx),
    ):
        if sd:
            total += stats.norm.logpdf(values[name], 0, values[sd]).sum()
            mu = mu + values[name][row, screen.cell_idx]
    return float(total + stats.norm.logpdf(screen.log_fc, mu, values["sigma"]).sum())


def _sum_to_zero(effects: FloatArray, sd: float) -> float:
    """Log density of PyMC's ZeroSumNormal: of all directions but one."""
    free = len(effects) - 1
    constant = free * np.log(2 * np.pi * sd**2)
    return float(-0.5 * (constant + (effects**2).sum() / sd**2))

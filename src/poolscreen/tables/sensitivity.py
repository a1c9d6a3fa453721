"""Tables of how far prior and likelihood move a posterior."""

import logging
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import xarray as xr

from poolscreen.arrays import FloatArray
from poolscreen.families.family import SCALE_RATE
from poolscreen.inference.scales import Weighted

type Quantity = Callable[[Mapping[str, FloatArray]], FloatArray]  # of the scales, point by point


def power_scaling(posterior: xr.Dataset, log_density: xr.Dataset) -> pd.DataFrame:
    """Measure how far prior and likelihood move a posterior, by power-scaling (ArviZ `psense`).

    Parameters
    ----------
    posterior : xarray.Dataset
        Draws of what is asked about.
    log_density : xarray.Dataset
        See `poolscreen.families.nested.likelihood.log_density`, of the same draws.

    Returns
    -------
    pandas.DataFrame
        Columns `quantity`, `prior`, `likelihood`: distance by which the posterior moves when
        either is raised to a power near one, per doubling of the power.

    Examples
    --------
    The likelihood moves this mean, and the prior does not:

    >>> mu = np.random.default_rng(103).normal(1.0, 0.1, (4, 500))
    >>> dims = ("chain", "draw")
    >>> density = xr.Dataset({"mu": (dims, -((mu / 5) ** 2) / 2)})
    >>> density["log_fc"] = (dims, -((mu - 1) ** 2) / 0.02)
    >>> power_scaling(xr.Dataset({"mu": (dims, mu)}), density).round(1)
      quantity  prior  likelihood
    0       mu    0.0         0.1
    """
    import arviz as az

    tree = xr.DataTree.from_dict(
        {
            "posterior": posterior,
            "log_prior": log_density.drop_vars("log_fc"),
            "log_likelihood": log_density[["log_fc"]],
        }
    )
    logger = logging.getLogger("arviz_stats")
    level = logger.level
    logger.setLevel(logging.ERROR)  # what it would warn of is what the table shows
    try:
        moved: pd.DataFrame = az.psense_summary(tree)
    finally:
        logger.setLevel(level)
    return moved[["prior", "likelihood"]].rename_axis("quantity").reset_index()


def half_normal(sd: float) -> Quantity:
    """Return the log density of half-normal scales less that of the models' exponential ones.

    It is a prior of `under_priors`.

    Parameters
    ----------
    sd : float
        Standard deviation of the normal distribution that is cut in half, for every scale.

    Returns
    -------
    callable
        Of the scales.

    Examples
    --------
    >>> ratio = half_normal(1.0)({"sigma": np.array([0.0, 1.0, 2.0])})
    >>> ratio.tolist()
    [0.0, 0.5, 0.0]
    """
    return lambda of: np.sum([SCALE_RATE * s - (s / sd) ** 2 / 2 for s in of.values()], axis=0)


def under_priors(
    points: Weighted, quantities: Mapping[str, Quantity], priors: Mapping[str, Quantity | None]
) -> pd.DataFrame:
    """Summarise functions of the scales under other priors of these, by importance weights.

    Parameters
    ----------
    points : Weighted
        The posterior of the scales.
    quantities : mapping of str to callable
        What is asked about, computed from the scales by name.
    priors : mapping of str to callable or None
        The log density of each prior less that of the model's, up to a constant, computed from the
        scales; None for the model's own.

    Returns
    -------
    pandas.DataFrame
        Columns `quantity`, `prior`, `mean`, `3%`, `97%` (quantiles) and `k` (Pareto's): above 0.7
        the points do not reach far enough to say.

    Examples
    --------
    >>> from poolscreen.inference.exact import solve
    >>> from poolscreen.models import m7a
    >>> points = solve(m7a.FAMILY, small_screen).points
    >>> noise = {"noise": lambda of: of["sigma"]}
    >>> priors = {"Exponential(1)": None, "Exponential(10)": lambda of: -9 * of["sigma"]}
    >>> found = under_priors(points, noise, priors)
    >>> bool(found["mean"].iloc[1] < found["mean"].iloc[0])
    True
    """
    rows = []
    for prior, log_ratio in priors.items():
        other = points.under(log_ratio(points.scales)) if log_ratio else points
        for name, quantity in quantities.items():
            values, weights = quantity(points.scales), other.weights
            low, high = np.quantile(values, [0.03, 0.97], weights=weights, method="inverted_cdf")
            rows.append((name, prior, weights @ values, low, high, other.pareto_k))
    return pd.DataFrame(rows, columns=["quantity", "prior", "mean", "3%", "97%", "k"])

"""Tables of how far prior and likelihood move a posterior."""

import logging
from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr


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


def reweighted(
    quantities: Mapping[str, xr.DataArray], log_ratio: xr.DataArray | None
) -> pd.DataFrame:
    """Summarise draws as if from another distribution, by Pareto-smoothed importance sampling.

    Parameters
    ----------
    quantities : mapping of str to xarray.DataArray
        Draws of each quantity, of any shape; all of one.
    log_ratio : xarray.DataArray or None
        Log density of the other distribution less that of the one which was sampled, per draw, up
        to a constant; None for that one itself.

    Returns
    -------
    pandas.DataFrame
        Columns `quantity`, `mean`, `3%`, `97%` (quantiles) and `k`: above 0.7 the draws do not
        reach far enough to say.

    Examples
    --------
    Draws of Normal(0, 1), weighted as if from Normal(0.5, 1):

    >>> normal = np.random.default_rng(103).normal(size=(4, 1000))
    >>> x = xr.DataArray(normal, dims=("chain", "draw"))
    >>> reweighted({"x": x}, None)["mean"].round(1).tolist()
    [0.0]
    >>> shifted = reweighted({"x": x}, 0.5 * x)
    >>> shifted["mean"].round(1).tolist(), (shifted["k"] < 0.7).tolist()
    ([0.5], [True])
    """
    from arviz_stats.base import array_stats

    if log_ratio is None:
        weights, k = np.ones(next(iter(quantities.values())).size), np.nan
    else:
        log_weights, k = array_stats.psislw(-np.ravel(log_ratio))
        weights = np.exp(log_weights - log_weights.max())
    rows = []
    for name, draws in quantities.items():
        values = np.ravel(draws)
        low, high = np.quantile(values, [0.03, 0.97], weights=weights, method="inverted_cdf")
        mean = np.average(values, weights=weights)
        rows.append((name, mean, low, high, float(k)))
    return pd.DataFrame(rows, columns=["quantity", "mean", "3%", "97%", "k"])

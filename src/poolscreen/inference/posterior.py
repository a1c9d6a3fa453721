"""Summaries of draws."""

import numpy as np
import pandas as pd
import xarray as xr

from poolscreen.arrays import FloatArray

HDI_PROB = 0.94  # of every interval


def summarise(posterior: xr.Dataset) -> dict[str, pd.DataFrame]:
    """Summarise every parameter of a posterior.

    Parameters
    ----------
    posterior : xarray.Dataset
        Dimensions `chain`, `draw` and those of the effects.

    Returns
    -------
    dict of str to pandas.DataFrame
        `scalars`, with a column `parameter`, and one table per effect, with a column per
        dimension. Both then have `mean`, `sd`, `hdi_3%`, `hdi_97%` (94 % highest-density
        interval), `mcse_mean`, `mcse_sd`, `ess_bulk`, `ess_tail` and `r_hat`.

    Examples
    --------
    >>> mu = np.random.default_rng(103).normal(-1.0, 0.1, (4, 500))
    >>> tables = summarise(xr.Dataset({"mu": (("chain", "draw"), mu)}))
    >>> row = tables["scalars"].set_index("parameter").loc["mu"]
    >>> row[["mean", "sd", "hdi_3%", "hdi_97%"]].round(1).to_dict()
    {'mean': -1.0, 'sd': 0.1, 'hdi_3%': -1.2, 'hdi_97%': -0.8}
    """
    import arviz as az

    summary = az.summary(
        xr.DataTree.from_dict({"posterior": posterior}),
        fmt="xarray",
        round_to="none",
        ci_prob=HDI_PROB,
        ci_kind="hdi",
    )
    summary = summary.assign_coords(
        summary=[
            "hdi_3%" if s.endswith("_lb") else "hdi_97%" if s.endswith("_ub") else s
            for s in summary["summary"].to_numpy().tolist()
        ]
    )
    tables = {}
    scalars = [str(name) for name in summary.data_vars if summary[name].dims == ("summary",)]
    if scalars:
        rows = pd.DataFrame({name: summary[name].to_series() for name in scalars}).T
        tables["scalars"] = rows.rename_axis("parameter")
    for name in (str(name) for name in summary.data_vars if name not in scalars):
        dims = [dim for dim in summary[name].dims if dim != "summary"]
        tables[name] = summary[name].transpose(*dims, "summary").to_series().unstack("summary")
        # Unstacking sorts the labels; the posterior's own order is the reader's.
        labels = [pd.Index(summary[dim].to_numpy(), name=dim) for dim in dims]
        own = labels[0] if len(labels) == 1 else pd.MultiIndex.from_product(labels)
        tables[name] = tables[name].reindex(own)
    columns = ["mean", "sd", "hdi_3%", "hdi_97%", "mcse_mean", "mcse_sd"]
    columns += ["ess_bulk", "ess_tail", "r_hat"]
    return {
        name: table[columns].reset_index().rename_axis(columns=None)
        for name, table in tables.items()
    }


def interval(draws: FloatArray | xr.DataArray) -> tuple[float, float]:
    """Return the 94 % highest-density interval of draws.

    Parameters
    ----------
    draws : array
        Draws of one quantity; its shape does not matter.

    Returns
    -------
    low, high : float
        In the unit of the draws.

    Examples
    --------
    It begins where the density is highest, here at 0:

    >>> low, high = interval(np.random.default_rng(103).exponential(size=(4, 5000)))
    >>> round(low, 1), round(high, 1)
    (0.0, 2.8)
    """
    import arviz as az

    low, high = az.hdi(np.asarray(draws, dtype=np.float64).ravel(), prob=HDI_PROB)
    return float(low), float(high)

"""The gate that each fit passes: whether it has converged."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from poolscreen.errors import PoolscreenError

MAX_R_HAT = 1.01
MIN_ESS = 400  # draws, bulk and tail
MIN_BFMI = 0.3
MAX_OFF = 5.0  # Monte Carlo errors between draws and the posterior that is computed without


def diagnose(tables: dict[str, pd.DataFrame], sample_stats: xr.Dataset) -> dict[str, float]:
    """Return the figures that decide whether a fit has converged.

    Parameters
    ----------
    tables : dict of str to pandas.DataFrame
        The posterior tables of `summarise`.
    sample_stats : xarray.Dataset
        With `diverging` and `energy`, dimensions `chain` and `draw`.

    Returns
    -------
    dict of str to float
        `max_r_hat`, `min_ess_bulk`, `min_ess_tail` (over every parameter), `divergences` and
        `min_bfmi` (over the chains).

    Examples
    --------
    Good draws, but for three divergences:

    >>> from poolscreen.inference.posterior import summarise
    >>> rng = np.random.default_rng(103)
    >>> dims = ("chain", "draw")
    >>> posterior = xr.Dataset({"mu": (dims, rng.normal(size=(4, 500)))})
    >>> stats = xr.Dataset({"energy": (dims, rng.normal(size=(4, 500)))})
    >>> stats["diverging"] = xr.zeros_like(stats["energy"], dtype=bool)
    >>> stats["diverging"][0, :3] = True
    >>> figures = diagnose(summarise(posterior), stats)
    >>> round(figures["max_r_hat"], 1), figures["min_ess_bulk"] > MIN_ESS, figures["divergences"]
    (1.0, True, 3.0)
    """
    import arviz as az

    every = pd.concat(tables.values())
    bfmi = az.bfmi(xr.DataTree.from_dict({"sample_stats": sample_stats}))["energy"]
    return {
        "max_r_hat": float(every["r_hat"].max(skipna=False)),
        "min_ess_bulk": float(every["ess_bulk"].min(skipna=False)),
        "min_ess_tail": float(every["ess_tail"].min(skipna=False)),
        "divergences": float(sample_stats["diverging"].sum()),
        "min_bfmi": float(bfmi.min()),
    }


def diagnose_draws(posterior: xr.Dataset, sample_stats: xr.Dataset) -> dict[str, float]:
    """Return the same as `diagnose`, from draws of which no tables are wanted.

    Parameters
    ----------
    posterior : xarray.Dataset
        Dimensions `chain`, `draw` and those of the effects.
    sample_stats : xarray.Dataset
        See `diagnose`.

    Returns
    -------
    dict of str to float
        See `diagnose`.

    Examples
    --------
    Chains that do not agree:

    >>> rng = np.random.default_rng(103)
    >>> dims = ("chain", "draw")
    >>> apart = rng.normal(size=(4, 500)) + np.array([[0], [0], [0], [3]])
    >>> stats = xr.Dataset({"energy": (dims, rng.normal(size=(4, 500)))})
    >>> stats["diverging"] = xr.zeros_like(stats["energy"], dtype=bool)
    >>> figures = diagnose_draws(xr.Dataset({"mu": (dims, apart)}), stats)
    >>> round(figures["max_r_hat"], 1), figures["min_ess_bulk"] < MIN_ESS
    (1.5, True)
    """
    import arviz as az

    columns = {
        "r_hat": az.rhat(posterior),
        "ess_bulk": az.ess(posterior, method="bulk"),
        "ess_tail": az.ess(posterior, method="tail"),
    }
    tables = {
        name: pd.DataFrame({c: np.ravel(values[name]) for c, values in columns.items()})
        for name in map(str, posterior.data_vars)
    }
    return diagnose(tables, sample_stats)


def faults(diagnostics: Mapping[str, float]) -> list[str]:
    """Say what is beyond the bounds of the gate.

    Parameters
    ----------
    diagnostics : mapping of str to float
        See `diagnose`.

    Returns
    -------
    list of str
        One phrase per fault; none if the fit has converged.

    Examples
    --------
    >>> good = {"max_r_hat": 1.002, "min_ess_bulk": 3000.0, "min_ess_tail": 2500.0}
    >>> good |= {"divergences": 0.0, "min_bfmi": 0.9}
    >>> faults(good)
    []
    >>> faults(good | {"max_r_hat": 1.05, "divergences": 12.0})
    ['R-hat up to 1.0500 (at most 1.01)', '12 divergences (none)']
    """
    beyond = []
    if not diagnostics["max_r_hat"] <= MAX_R_HAT:
        beyond.append(f"R-hat up to {diagnostics['max_r_hat']:.4f} (at most {MAX_R_HAT})")
    for kind in ("bulk", "tail"):
        ess = diagnostics[f"min_ess_{kind}"]
        if not ess >= MIN_ESS:
            beyond.append(f"{kind} effective sample size down to {ess:.0f} (at least {MIN_ESS})")
    if diagnostics["divergences"]:
        beyond.append(f"{diagnostics['divergences']:.0f} divergences (none)")
    if not diagnostics["min_bfmi"] >= MIN_BFMI:
        beyond.append(f"BFMI down to {diagnostics['min_bfmi']:.2f} (at least {MIN_BFMI})")
    return beyond


def check_gate(
    model: str,
    tables: dict[str, pd.DataFrame],
    diagnostics: dict[str, float],
    *,
    expect_failure: bool = False,
) -> None:
    """Refuse a fit that has not converged.

    Parameters
    ----------
    model : str
        What the fit is called in the message.
    tables : dict of str to pandas.DataFrame
        See `summarise`.
    diagnostics : dict of str to float
        See `diagnose`.
    expect_failure : bool
        For a chapter that shows a failure on purpose: refuse a fit that *has* converged.

    Raises
    ------
    PoolscreenError
        If R-hat, effective sample size, divergences or BFMI are beyond their bounds (or, where
        failure is expected, none is). It names the worst parameters with their figures.

    Examples
    --------
    >>> row = {"parameter": "sigma", "r_hat": 1.05, "ess_bulk": 80.0, "ess_tail": 90.0}
    >>> tables = {"scalars": pd.DataFrame([row])}
    >>> bad = {"max_r_hat": 1.05, "min_ess_bulk": 80.0, "min_ess_tail": 90.0}
    >>> bad |= {"divergences": 0.0, "min_bfmi": 0.9}
    >>> check_gate("m7a", tables, bad)
    Traceback (most recent call last):
    poolscreen.errors.PoolscreenError: the fit of m7a has not converged and is not a result: ...
    The worst parameters:
      sigma: R-hat 1.050, ESS bulk 80, tail 90
    ...
    >>> check_gate("m7a", tables, bad, expect_failure=True)
    """
    reasons = faults(diagnostics)
    if expect_failure:
        if not reasons:
            raise PoolscreenError(f"{model} is shown as a failure, but it has converged")
        return
    if not reasons:
        return
    every = pd.concat([_with_label(name, table) for name, table in tables.items()])
    worst = every.sort_values("r_hat", ascending=False, na_position="first").head(5)
    lines = [
        f"  {row.label}: R-hat {row.r_hat:.3f}, "
        f"ESS bulk {row.ess_bulk:.0f}, tail {row.ess_tail:.0f}"
        for row in worst.itertuples()
    ]
    raise PoolscreenError(
        f"the fit of {model} has not converged and is not a result: {'; '.join(reasons)}.\n"
        "The worst parameters:\n" + "\n".join(lines) + "\n"
        "What helps: a look at what the data identify, a reparametrisation, the marginal form "
        "(poolscreen.families), more draws."
    )


def distance(tables: dict[str, pd.DataFrame], exact: dict[str, pd.DataFrame]) -> float:
    """Return how far draws lie from the posterior as it is computed without, at most.

    Parameters
    ----------
    tables : dict of str to pandas.DataFrame
        Summaries of draws, see `summarise`.
    exact : dict of str to pandas.DataFrame
        See `poolscreen.inference.exact.Exact.tables`; rows are found by their labels.

    Returns
    -------
    float
        The largest difference of a mean or a standard deviation, in its Monte Carlo errors.

    Examples
    --------
    >>> row = {"parameter": "sigma", "mean": 0.31, "sd": 0.1, "mcse_mean": 0.01, "mcse_sd": 0.01}
    >>> tables = {"scalars": pd.DataFrame([row])}
    >>> exact = {"scalars": pd.DataFrame([{"parameter": "sigma", "mean": 0.29, "sd": 0.1}])}
    >>> round(distance(tables, exact), 1)
    2.0
    """
    largest = 0.0
    for name, table in tables.items():
        labels = table.columns[: list(table.columns).index("mean")].tolist()
        other = table[labels].merge(exact[name], on=labels, how="left", validate="1:1")
        for figure in ("mean", "sd"):
            off = (table[figure] - other[figure]).abs() / table[f"mcse_{figure}"]
            largest = max(largest, float(off.max(skipna=False)))
    return largest


def check_distance(model: str, off: float) -> None:
    """Refuse a fit whose draws are not of the posterior that is computed without them.

    Parameters
    ----------
    model : str
        What the fit is called in the message.
    off : float
        See `distance`.

    Raises
    ------
    PoolscreenError
        If it is more than `MAX_OFF`.

    Examples
    --------
    >>> check_distance("m7a", 3.2)
    >>> check_distance("m7a", 8.0)
    Traceback (most recent call last):
    poolscreen.errors.PoolscreenError: the draws of m7a lie up to 8.0 Monte Carlo errors from ...
    """
    if not off <= MAX_OFF:
        raise PoolscreenError(
            f"the draws of {model} lie up to {off:.1f} Monte Carlo errors from the posterior that "
            f"is computed without draws; more than {MAX_OFF:g} is no chance. One of the two is "
            "wrong: look at the closed form of the family (poolscreen.families) and at the sampler"
        )


def _with_label(name: str, table: pd.DataFrame) -> pd.DataFrame:
    if name == "scalars":
        return table.assign(label=table["parameter"])
    labels = table.select_dtypes(exclude="number").astype(str).agg(", ".join, axis=1)
    return table.assign(label=name + "[" + labels + "]")

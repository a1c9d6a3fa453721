"""Tables of fits: how they were sampled, and whether they converged."""

import json
from collections.abc import Mapping, Sequence

import pandas as pd
import xarray as xr

from poolscreen.inference.exact import Exact

# What tables call the ways to a posterior, by their names in the benchmark of samplers.
WAYS = {
    "pymc": "PyMC's NUTS",
    "nutpie": "nutpie's NUTS",
    "marginal": "marginal form, NUTS",
    "points": "weighted points",
    "pymc_default": "PyMC's NUTS, its default target acceptance",
}


def sampler_settings(fit: xr.DataTree) -> pd.DataFrame:
    """List how a fit was sampled.

    Parameters
    ----------
    fit : xarray.DataTree
        A fit, see `press.results.load_fit`.

    Returns
    -------
    pandas.DataFrame
        Columns `setting` and `value`.

    Examples
    --------
    >>> chosen = {"draws": 2000, "tune": 1000, "chains": 4, "target_accept": 0.95, "seed": 103}
    >>> fit = xr.DataTree()
    >>> fit.attrs = {"settings": json.dumps(chosen), "sampler": "nutpie", "form": "joint"}
    >>> sampler_settings(fit).set_index("setting")["value"]["draws per chain"]
    '2,000 after 1,000 of tuning'
    """
    chosen = json.loads(fit.attrs["settings"])
    rows = {
        "sampler": f"NUTS ({fit.attrs['sampler']})",
        "form": {
            "joint": "all parameters sampled",
            "marginal": "means and scales sampled, effects integrated out and drawn exactly",
        }[fit.attrs["form"]],
        "chains": str(chosen["chains"]),
        "draws per chain": f"{chosen['draws']:,} after {chosen['tune']:,} of tuning",
        "target acceptance": str(chosen["target_accept"]),
        "seed": str(chosen["seed"]),
        "compiled by": {"numba": "Numba", "jax": "JAX"}[chosen.get("backend", "numba")],
    }
    return pd.DataFrame({"setting": rows.keys(), "value": rows.values()})


def diagnostics(fits: Mapping[str, xr.DataTree]) -> pd.DataFrame:
    """Put the diagnostics of fits side by side.

    Parameters
    ----------
    fits : mapping of str to xarray.DataTree
        Fits by the names that the table shows.

    Returns
    -------
    pandas.DataFrame
        One row per fit; R-hat and effective sample sizes are the worst over all parameters.

    Examples
    --------
    >>> fit = xr.DataTree()
    >>> fit.attrs = {"max_r_hat": 1.002, "min_ess_bulk": 3210.4, "min_ess_tail": 2500.0}
    >>> fit.attrs |= {"divergences": 0.0, "min_bfmi": 0.9, "seconds_sampling": 4.2}
    >>> diagnostics({"model 7a": fit})[["fit", "min bulk ESS", "divergences", "min BFMI"]]
            fit  min bulk ESS  divergences  min BFMI
    0  model 7a          3210            0       0.9
    """
    rows = [
        {
            "fit": name,
            "max R\N{NON-BREAKING HYPHEN}hat": fit.attrs["max_r_hat"],
            "min bulk ESS": round(fit.attrs["min_ess_bulk"]),
            "min tail ESS": round(fit.attrs["min_ess_tail"]),
            "divergences": int(fit.attrs["divergences"]),
            "min BFMI": fit.attrs["min_bfmi"],
            "seconds sampling": fit.attrs["seconds_sampling"],
        }
        for name, fit in fits.items()
    ]
    return pd.DataFrame(rows)


def integrations(fits: Mapping[str, Exact]) -> pd.DataFrame:
    """Tabulate how well the points of the scales stand for their posterior.

    Parameters
    ----------
    fits : mapping of str to Exact
        Fits without draws, by the name that the table gives them.

    Returns
    -------
    pandas.DataFrame
        Columns `model`, `points`, `worth` (as many independent draws), `Pareto k`, and `error`, the
        largest of a mean or a standard deviation of a scale, in standard deviations.

    Examples
    --------
    >>> from poolscreen.inference.exact import solve
    >>> from poolscreen.models import m7a
    >>> table = integrations({"7a": solve(m7a.FAMILY, small_screen)})
    >>> bool((table["worth"] <= table["points"]).all()), bool((table["Pareto k"] < 0.7).all())
    (True, True)
    """
    return pd.DataFrame(
        {
            "model": name,
            "points": len(fit.points.weights),
            "worth": round(fit.points.efficiency * len(fit.points.weights)),
            "Pareto k": fit.points.pareto_k,
            "error": fit.points.error,
        }
        for name, fit in fits.items()
    )


def model_label(name: str) -> str:
    """Return what the tables call a model, for example `7a, no pooling` for `m7a_unpooled`.

    Parameters
    ----------
    name : str
        Name of the model's module.

    Returns
    -------
    str

    Examples
    --------
    >>> model_label("m7a_unpooled"), model_label("_m7b_noncentred")
    ('7a, no pooling', '7b, not centred')
    """
    label = name.removeprefix("_").removeprefix("m")
    for ending, words in {
        "_unpooled": ", no pooling",
        "_noncentred": ", not centred",
        "_two_means": ", two means",
    }.items():
        label = label.replace(ending, words)
    return label


def sampler_comparison(runs: pd.DataFrame, ways: Sequence[str] = tuple(WAYS)) -> pd.DataFrame:
    """Put ways to the posterior of models side by side.

    Parameters
    ----------
    runs : pandas.DataFrame
        One row per run of the benchmark of samplers: columns `model`, `sampler` and the figures.
    ways : sequence of str
        Those of `WAYS` that are shown.

    Returns
    -------
    pandas.DataFrame
        One row per model and way: medians of the runs, and the worst R-hat. R-hat and effective
        sample sizes are the worst over **all** parameters of a run; the last column is the least
        bulk ESS per second of sampling.

    Examples
    --------
    >>> run = {"model": "m7b_unpooled", "sampler": "nutpie", "max_r_hat": 1.002}
    >>> run |= {"min_ess_bulk": 3000.0, "divergences": 0.0, "seconds_compiling": 6.0}
    >>> run |= {"seconds_sampling": 1.5, "ess_per_second": 2000.0}
    >>> again = run | {"max_r_hat": 1.004, "ess_per_second": 1000.0}
    >>> sampler_comparison(pd.DataFrame([run, again]))[["model", "way", "ESS per second"]]
                model            way  ESS per second
    0  7b, no pooling  nutpie's NUTS          1500.0
    """
    order = {"model": list(runs["model"].unique()), "sampler": list(ways)}
    ordered = runs.assign(**{name: pd.Categorical(runs[name], of) for name, of in order.items()})
    of_each = ordered.groupby(list(order), observed=True)
    found = pd.DataFrame(
        {
            "max R\N{NON-BREAKING HYPHEN}hat": of_each["max_r_hat"].max(),
            "min bulk ESS": of_each["min_ess_bulk"].median().round(),
            "divergences": of_each["divergences"].median(),
            "seconds compiling": of_each["seconds_compiling"].median(),
            "seconds sampling": of_each["seconds_sampling"].median(),
            "ESS per second": of_each["ess_per_second"].median(),
        }
    ).reset_index()
    way = found["sampler"].astype("str").map(WAYS)
    labels = {"model": found["model"].astype("str").map(model_label), "way": way}
    return found.drop(columns="sampler").assign(**labels)[["model", "way", *found.columns[2:]]]


def ess_per_second(attempt: xr.DataTree) -> float:
    """Return the least bulk effective sample size over all parameters, per second of sampling.

    Parameters
    ----------
    attempt : xarray.DataTree
        With the attributes `min_ess_bulk` and `seconds_sampling`.

    Returns
    -------
    float

    Examples
    --------
    >>> attempt = xr.DataTree()
    >>> attempt.attrs = {"min_ess_bulk": 3000.0, "seconds_sampling": 1.5}
    >>> ess_per_second(attempt)
    2000.0
    """
    return float(attempt.attrs["min_ess_bulk"] / attempt.attrs["seconds_sampling"])

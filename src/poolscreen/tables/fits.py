"""Tables of fits: how they were sampled, and whether they converged."""

import json
from collections.abc import Mapping

import pandas as pd
import xarray as xr


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


def sampler_comparison(
    comparison: Mapping[str, xr.DataTree], titles: Mapping[str, str]
) -> pd.DataFrame:
    """Put samplers side by side.

    Parameters
    ----------
    comparison : mapping of str to xarray.DataTree
        Groups of `press.results.load_samplers`, by model.
    titles : mapping of str to str
        What the table calls each sampler.

    Returns
    -------
    pandas.DataFrame
        One row per model and sampler; R-hat and effective sample sizes are the worst over **all**
        parameters, and the last column is the least bulk ESS per second of sampling.

    Examples
    --------
    >>> attempt = xr.DataTree()
    >>> attempt.attrs = {"max_r_hat": 1.002, "min_ess_bulk": 3000.0, "min_ess_tail": 2500.0}
    >>> attempt.attrs |= {"divergences": 0.0, "seconds_compiling": 6.0, "seconds_sampling": 1.5}
    >>> comparison = {"m7b_unpooled": xr.DataTree.from_dict({"nutpie": attempt})}
    >>> titles = {"pymc": "PyMC's NUTS", "nutpie": "nutpie's NUTS"}
    >>> sampler_comparison(comparison, titles)[["model", "sampler", "ESS per second"]]
                model        sampler  ESS per second
    0  7b, no pooling  nutpie's NUTS          2000.0
    """
    rows = [
        {
            "model": model_label(model),
            "sampler": title,
            "max R\N{NON-BREAKING HYPHEN}hat": attempt.attrs["max_r_hat"],
            "min bulk ESS": round(attempt.attrs["min_ess_bulk"]),
            "min tail ESS": round(attempt.attrs["min_ess_tail"]),
            "divergences": int(attempt.attrs["divergences"]),
            "seconds compiling": attempt.attrs["seconds_compiling"],
            "seconds sampling": attempt.attrs["seconds_sampling"],
            "ESS per second": ess_per_second(attempt),
        }
        for model, group in comparison.items()
        for sampler, title in titles.items()
        if (attempt := group.children.get(sampler)) is not None
    ]
    return pd.DataFrame(rows)


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

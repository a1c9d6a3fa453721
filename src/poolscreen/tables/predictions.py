"""Tables of how well models predict what was left out, and find what was simulated."""

import warnings
from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from poolscreen.arrays import FloatArray
from poolscreen.inference.posterior import HDI_PROB
from poolscreen.inference.scales import MAX_PARETO_K


def leave_one_out(
    posterior: xr.Dataset, log_likelihoods: Mapping[str, xr.DataArray]
) -> pd.DataFrame:
    """Estimate how well a model predicts what is left out, from forms of its log likelihood.

    Parameters
    ----------
    posterior : xarray.Dataset
        The draws.
    log_likelihoods : mapping of str to xarray.DataArray
        See `poolscreen.families.nested.effects.log_likelihood`; dimensions `chain`, `draw`, `obs`.

    Returns
    -------
    pandas.DataFrame
        Columns `log likelihood`, `elpd` (expected log predictive density), `se`, `largest k` and
        `k above 0.7` (share of the observations whose Pareto k says that the estimate fails).

    Examples
    --------
    Ten observations, each with a log density of about -1 in every draw:

    >>> rng = np.random.default_rng(103)
    >>> posterior = xr.Dataset({"mu": (("chain", "draw"), rng.normal(size=(4, 500)))})
    >>> values = xr.DataArray(
    ...     rng.normal(-1.0, 0.01, (4, 500, 10)), dims=("chain", "draw", "obs"), name="log_fc"
    ... )
    >>> estimate = leave_one_out(posterior, {"marginal": values})
    >>> estimate[["log likelihood", "elpd", "k above 0.7"]].round(1)
      log likelihood  elpd  k above 0.7
    0       marginal -10.0          0.0
    """
    import arviz as az

    rows = []
    for name, values in log_likelihoods.items():
        tree = xr.DataTree.from_dict(
            {"posterior": posterior, "log_likelihood": values.to_dataset()}
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large k: they are what the table shows
            loo = az.loo(tree, pointwise=True)
        k = loo.pareto_k.to_numpy()
        rows.append((name, loo.elpd, loo.se, k.max(), float((k > MAX_PARETO_K).mean())))
    columns = ["log likelihood", "elpd", "se", "largest k", f"k above {MAX_PARETO_K}"]
    return pd.DataFrame(rows, columns=columns)


def compare_predictions(
    predictions: Mapping[str, xr.DataTree], left_out: str, log_fc: FloatArray
) -> pd.DataFrame:
    """Compare how well models predict what was left out (ArviZ `compare`).

    Parameters
    ----------
    predictions : mapping of str to xarray.DataTree
        See `poolscreen.inference.leaving_out.predict`, by model.
    left_out : str
        What was left out at a time, one of `poolscreen.inference.leaving_out.parts_left_out`.
    log_fc : numpy.ndarray, shape (observations,)
        What was observed.

    Returns
    -------
    pandas.DataFrame
        The best first: `model`, `elpd` (expected log predictive density, of all parts together),
        `se`, `difference` from the best and its `se of the difference`, `largest k`; then, of the
        single observations, the `RMS error` and `held %`, the share in their 94 % intervals.

    Examples
    --------
    >>> from poolscreen.models import m7, m7c
    >>> from poolscreen.inference.leaving_out import predict
    >>> screen = Screen(simulate(Design(n_cell_lines=6, sgrnas_per_gene=(2, 3)))[0])
    >>> rng = np.random.default_rng(103)
    >>> def draws(family):
    ...     return xr.Dataset(
    ...         {
    ...             name: (("chain", "draw"), rng.gamma(25, 0.02, (4, 400)))
    ...             for name in family.parameters
    ...         }
    ...     )
    >>> predictions = {
    ...     name: predict(family, screen, draws(family))
    ...     for name, family in {"7": m7.FAMILY, "7c": m7c.FAMILY}.items()
    ... }
    >>> compared = compare_predictions(predictions, "cell_line", screen.log_fc)
    >>> sorted(compared["model"]), compared["difference"][0].item()
    (['7', '7c'], 0.0)
    """
    import arviz as az
    from scipy import stats

    trees = dict(predictions)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of large k: they are what the table shows
        of_models = {
            name: az.loo(tree, pointwise=True, var_name=left_out) for name, tree in trees.items()
        }
        compared = az.compare(of_models, round_to="none")
    rows = []
    for name in compared.index:
        of_parts = trees[name]["predicted"].to_dataset().sel(left_out=left_out)
        mean, sd = of_parts["mean"].to_numpy(), of_parts["sd"].to_numpy()
        error = (log_fc - mean)[~np.isnan(mean)]
        limit = stats.norm.ppf((1 + HDI_PROB) / 2) * sd[~np.isnan(mean)]
        rows.append(
            {
                "model": name,
                "elpd": compared.loc[name, "elpd"],
                "se": compared.loc[name, "se"],
                "difference": compared.loc[name, "elpd_diff"],
                "se of the difference": compared.loc[name, "dse"],
                "largest k": float(of_models[name].pareto_k.max()),
                "RMS error": float(np.sqrt((error**2).mean())),
                "held %": 100 * float((np.abs(error) <= limit).mean()),
            }
        )
    return pd.DataFrame(rows)


def by_sgrnas(recoveries: Mapping[str, xr.Dataset], target: str) -> pd.DataFrame:
    """Tabulate how well models find the effects of genes, by the number of sgRNAs of the gene.

    Parameters
    ----------
    recoveries : mapping of str to xarray.Dataset
        See `poolscreen.inference.recovery.recover`, by model.
    target : str
        "in each line" or "over all lines".

    Returns
    -------
    pandas.DataFrame
        Columns `measure` ("RMS error", "intervals that hold the truth, %"), `model`, `sgRNAs`,
        `value`, and `low` and `high`: two standard errors, over the screens, to either side.

    Examples
    --------
    >>> dims = ("target", "screen", "gene")
    >>> recovered = xr.Dataset(
    ...     {"squared_error": (dims, np.full((1, 4, 1), 0.04)), "held": (dims, np.ones((1, 4, 1)))},
    ...     coords={"target": ["in each line"], "sgRNAs": ("gene", [3])},
    ... )
    >>> by_sgrnas({"7": recovered}, "in each line")[["measure", "sgRNAs", "value"]]
                               measure  sgRNAs  value
    0                        RMS error       3    0.2
    1  intervals that hold the truth, %       3  100.0
    """
    tables = []
    for name, recovered in recoveries.items():
        of_target = recovered.sel(target=target)
        for measure, variable in {
            "RMS error": "squared_error",
            "intervals that hold the truth, %": "held",
        }.items():
            values = of_target[variable].transpose("screen", "gene").to_numpy()
            mean, error = values.mean(0), 2 * values.std(0) / np.sqrt(len(values))
            ends = [mean, mean - error, np.minimum(mean + error, 1)]
            if variable == "squared_error":
                ends = [np.sqrt(v) for v in (mean, mean - error, mean + error)]
            else:
                ends = [100 * v for v in ends]
            columns = dict(zip(("value", "low", "high"), ends, strict=True))
            tables.append(
                pd.DataFrame({"sgRNAs": recovered["sgRNAs"].to_numpy(), **columns}).assign(
                    measure=measure, model=name
                )
            )
    return pd.concat(tables, ignore_index=True)

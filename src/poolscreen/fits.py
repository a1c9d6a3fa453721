"""Fits: the gate that each one passes, the file that it is kept in, its posterior tables."""

import importlib.metadata
import json
import os
import platform
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from poolscreen import project
from poolscreen.errors import PoolscreenError

FORMAT = 1  # of a fit's file; raise it when older files can no longer be read
HDI_PROB = 0.94

MAX_R_HAT = 1.01
MIN_ESS = 400
MIN_BFMI = 0.3

GROUPS = (
    "posterior",
    "sample_stats",
    "prior",
    "prior_predictive",
    "posterior_predictive",
    "log_likelihood",
    "observed_data",
    "constant_data",
)


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
    """
    import arviz as az  # noqa: PLC0415 (takes seconds; only making a fit needs it)

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
    scalars = [
        str(name) for name in summary.data_vars if summary[name].dims == ("summary",)
    ]
    if scalars:
        rows = pd.DataFrame({name: summary[name].to_series() for name in scalars}).T
        tables["scalars"] = rows.rename_axis("parameter")
    for name in (str(name) for name in summary.data_vars if name not in scalars):
        dims = [dim for dim in summary[name].dims if dim != "summary"]
        tables[name] = (
            summary[name].transpose(*dims, "summary").to_series().unstack("summary")
        )
        # Unstacking sorts the labels; the posterior's own order is the reader's.
        labels = [pd.Index(summary[dim].to_numpy(), name=dim) for dim in dims]
        own = labels[0] if len(labels) == 1 else pd.MultiIndex.from_product(labels)
        tables[name] = tables[name].reindex(own)
    columns = ["mean", "sd", "hdi_3%", "hdi_97%", "mcse_mean", "mcse_sd"]
    columns += ["ess_bulk", "ess_tail", "r_hat"]
    return {name: table[columns].reset_index() for name, table in tables.items()}


def diagnose(
    tables: dict[str, pd.DataFrame], sample_stats: xr.Dataset
) -> dict[str, float]:
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
    """
    import arviz as az  # noqa: PLC0415 (as above)

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
    """
    import arviz as az  # noqa: PLC0415 (as above)

    columns = {
        "r_hat": az.rhat(posterior),
        "ess_bulk": az.ess(posterior, method="bulk"),
        "ess_tail": az.ess(posterior, method="tail"),
    }
    tables = {
        name: pd.DataFrame({c: np.ravel(found[name]) for c, found in columns.items()})
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
    """
    found = []
    if not diagnostics["max_r_hat"] <= MAX_R_HAT:
        found.append(
            f"R-hat up to {diagnostics['max_r_hat']:.4f} (at most {MAX_R_HAT})"
        )
    for kind in ("bulk", "tail"):
        ess = diagnostics[f"min_ess_{kind}"]
        if not ess >= MIN_ESS:
            found.append(
                f"{kind} effective sample size down to {ess:.0f} (at least {MIN_ESS})"
            )
    if diagnostics["divergences"]:
        found.append(f"{diagnostics['divergences']:.0f} divergences (none)")
    if not diagnostics["min_bfmi"] >= MIN_BFMI:
        found.append(
            f"BFMI down to {diagnostics['min_bfmi']:.2f} (at least {MIN_BFMI})"
        )
    return found


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
        If R-hat, effective sample size, divergences or BFMI are beyond their bounds. It names
        the worst parameters with their figures.
    """
    found = faults(diagnostics)
    if expect_failure:
        if not found:
            raise PoolscreenError(
                f"{model} is shown as a failure, but it has converged"
            )
        return
    if not found:
        return
    every = pd.concat([_with_label(name, table) for name, table in tables.items()])
    worst = every.sort_values("r_hat", ascending=False, na_position="first").head(5)
    lines = [
        f"  {row.label}: R-hat {row.r_hat:.3f}, "
        f"ESS bulk {row.ess_bulk:.0f}, tail {row.ess_tail:.0f}"
        for row in worst.itertuples()
    ]
    raise PoolscreenError(
        f"the fit of {model} has not converged and is not a result: {'; '.join(found)}.\n"
        "The worst parameters:\n" + "\n".join(lines) + "\n"
        "What helps: a look at what the data identify, a reparametrisation, the marginal form "
        "(src/poolscreen/marginal.py), more draws."
    )


def _with_label(name: str, table: pd.DataFrame) -> pd.DataFrame:
    if name == "scalars":
        return table.assign(label=table["parameter"])
    labels = table.select_dtypes(exclude="number").astype(str).agg(", ".join, axis=1)
    return table.assign(label=name + "[" + labels + "]")


def environment() -> dict[str, str]:
    """Return what a fit depends on besides its code: the machine, Python, every package."""
    # Of this environment alone: a package may carry copies of others onto the path.
    places = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    installed = importlib.metadata.distributions(path=places)
    packages = {package.metadata["Name"]: package.version for package in installed}
    return {
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "packages": json.dumps(
            dict(sorted(packages.items(), key=lambda p: p[0].lower()))
        ),
    }


def json_text(values: dict[str, str]) -> str:
    """Return a dictionary as the text of an attribute."""
    return json.dumps(values, sort_keys=True)


def write_tables(folder: Path, tables: dict[str, pd.DataFrame]) -> list[str]:
    """Write posterior tables as CSV files, one per table, in full precision.

    Returns
    -------
    list of str
        Their paths, from the project's folder.
    """
    for name, table in tables.items():
        with project.replacing(folder / f"{name}.csv") as part:
            table.to_csv(part, index=False)
    return [
        (folder / f"{name}.csv").relative_to(project.root()).as_posix()
        for name in tables
    ]


def write_fit(path: Path, fit: xr.DataTree) -> None:
    """Write a fit to one NetCDF file, effects and predictions in single precision.

    The file appears whole or not at all.
    """
    compressed = xr.DataTree.from_dict(
        {name: _compact(group.to_dataset()) for name, group in fit.children.items()}
    )
    compressed.attrs = {**fit.attrs, "format": FORMAT}
    encoding = {
        f"/{name}": {
            variable: {"zlib": True, "complevel": 2, "shuffle": True}
            for variable, values in group.data_vars.items()
            if values.ndim > 0
        }
        for name, group in compressed.children.items()
    }
    with project.replacing(path) as part:
        compressed.to_netcdf(part, engine="h5netcdf", encoding=encoding)


def _compact(dataset: xr.Dataset) -> xr.Dataset:
    # Monte Carlo error is in the third digit; single precision keeps seven.
    return dataset.map(
        lambda values: (
            values.astype(np.float32)
            if values.dtype == np.float64 and values.ndim > 2
            else values
        )
    )


def read_tree(path: Path) -> xr.DataTree:
    """Read a result: a NetCDF file of one or several groups.

    Raises
    ------
    PoolscreenError
        If the file is not there or is damaged.
    """
    if not path.is_file():
        raise PoolscreenError(f"{path} is not there; `make book` makes it")
    try:
        with xr.open_datatree(path, engine="h5netcdf") as opened:
            return opened.load()
    except Exception as error:  # h5netcdf, h5py and xarray each raise their own kinds
        raise PoolscreenError(
            f"{path} is damaged ({error}); delete it and run `make book`, which makes it anew"
        ) from error


def read_fit(path: Path) -> xr.DataTree:
    """Read a fit.

    Raises
    ------
    PoolscreenError
        If the file is not there, is damaged, or is of another format.
    """
    fit = read_tree(path)
    remedy = "delete it and run `make book`, which makes it anew"
    if fit.attrs.get("format") != FORMAT:
        raise PoolscreenError(
            f"{path} is of format {fit.attrs.get('format')}, and this version reads {FORMAT}; "
            f"{remedy}"
        )
    missing = [group for group in GROUPS if group not in fit.children]
    if missing:
        raise PoolscreenError(f"{path} has no group {', '.join(missing)}; {remedy}")
    return fit


def read_attributes(path: Path) -> dict[str, Any]:
    """Read the attributes of a fit, and nothing else of it."""
    try:
        with xr.open_dataset(path, engine="h5netcdf") as opened:
            return dict(opened.attrs)
    except Exception as error:  # as in read_fit
        raise PoolscreenError(
            f"{path} is damaged ({error}); delete it and run `make book`"
        ) from error


def load_fit(fit: str) -> xr.DataTree:
    """Load a fit of the book; calling this in a chapter has the fit made.

    Parameters
    ----------
    fit : str
        Name of the model, for example `m7a`; on a real screen with the screen's name before it,
        for example `wang2014/m7a`.

    Returns
    -------
    xarray.DataTree
        Groups `posterior` (dimensions `chain`, `draw` and those of each effect), `sample_stats`,
        `prior`, `prior_predictive`, `posterior_predictive`, `log_likelihood`, `observed_data`
        and `constant_data`; attributes `model`, `seed`, `settings`, `seconds_compiling`,
        `seconds_sampling` and more.
    """
    return read_fit(project.fit_path(fit))


def load_table(fit: str, name: str) -> pd.DataFrame:
    """Load a posterior table of a fit of the book.

    Parameters
    ----------
    fit : str
        See `load_fit`.
    name : str
        `scalars` or the name of an effect.

    Returns
    -------
    pandas.DataFrame
        See `summarise`.
    """
    path = project.tables_path(fit) / f"{name}.csv"
    if not path.is_file():
        raise PoolscreenError(
            f"{path} is not there; `make book` makes the tables of each model"
        )
    return pd.read_csv(path)

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

    Examples
    --------
    >>> mu = np.random.default_rng(103).normal(-1.0, 0.1, (4, 500))
    >>> tables = summarise(xr.Dataset({"mu": (("chain", "draw"), mu)}))
    >>> row = tables["scalars"].set_index("parameter").loc["mu"]
    >>> row[["mean", "sd", "hdi_3%", "hdi_97%"]].round(1).to_dict()
    {'mean': -1.0, 'sd': 0.1, 'hdi_3%': -1.2, 'hdi_97%': -0.8}
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

    >>> rng = np.random.default_rng(103)
    >>> dims = ("chain", "draw")
    >>> posterior = xr.Dataset({"mu": (dims, rng.normal(size=(4, 500)))})
    >>> stats = xr.Dataset({"energy": (dims, rng.normal(size=(4, 500)))})
    >>> stats["diverging"] = xr.zeros_like(stats["energy"], dtype=bool)
    >>> stats["diverging"][0, :3] = True
    >>> found = diagnose(summarise(posterior), stats)
    >>> round(found["max_r_hat"], 1), found["min_ess_bulk"] > MIN_ESS, found["divergences"]
    (1.0, True, 3.0)
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

    Examples
    --------
    Chains that do not agree:

    >>> rng = np.random.default_rng(103)
    >>> dims = ("chain", "draw")
    >>> apart = rng.normal(size=(4, 500)) + np.array([[0], [0], [0], [3]])
    >>> stats = xr.Dataset({"energy": (dims, rng.normal(size=(4, 500)))})
    >>> stats["diverging"] = xr.zeros_like(stats["energy"], dtype=bool)
    >>> found = diagnose_draws(xr.Dataset({"mu": (dims, apart)}), stats)
    >>> round(found["max_r_hat"], 1), found["min_ess_bulk"] < MIN_ESS
    (1.5, True)
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

    Examples
    --------
    >>> good = {"max_r_hat": 1.002, "min_ess_bulk": 3000.0, "min_ess_tail": 2500.0}
    >>> good |= {"divergences": 0.0, "min_bfmi": 0.9}
    >>> faults(good)
    []
    >>> faults(good | {"max_r_hat": 1.05, "divergences": 12.0})
    ['R-hat up to 1.0500 (at most 1.01)', '12 divergences (none)']
    """
    found = []
    if not diagnostics["max_r_hat"] <= MAX_R_HAT:
        found.append(f"R-hat up to {diagnostics['max_r_hat']:.4f} (at most {MAX_R_HAT})")
    for kind in ("bulk", "tail"):
        ess = diagnostics[f"min_ess_{kind}"]
        if not ess >= MIN_ESS:
            found.append(f"{kind} effective sample size down to {ess:.0f} (at least {MIN_ESS})")
    if diagnostics["divergences"]:
        found.append(f"{diagnostics['divergences']:.0f} divergences (none)")
    if not diagnostics["min_bfmi"] >= MIN_BFMI:
        found.append(f"BFMI down to {diagnostics['min_bfmi']:.2f} (at least {MIN_BFMI})")
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
    found = faults(diagnostics)
    if expect_failure:
        if not found:
            raise PoolscreenError(f"{model} is shown as a failure, but it has converged")
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
    """Return what a fit depends on besides its code: the machine, Python, every package.

    Returns
    -------
    dict of str to str
        `python`, `machine`, and `packages`: names and versions, as JSON.

    Examples
    --------
    >>> sorted(environment())
    ['machine', 'packages', 'python']
    >>> json.loads(environment()["packages"])["pymc"]
    '6...'
    """
    # Of this environment alone: a package may carry copies of others onto the path.
    places = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    installed = importlib.metadata.distributions(path=places)
    packages = {package.metadata["Name"]: package.version for package in installed}
    return {
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "packages": json.dumps(dict(sorted(packages.items(), key=lambda p: p[0].lower()))),
    }


def json_text(values: dict[str, str]) -> str:
    """Return a dictionary as the text of an attribute.

    Parameters
    ----------
    values : dict of str to str
        What is kept.

    Returns
    -------
    str
        JSON, its names sorted, so that equal dictionaries have equal texts.

    Examples
    --------
    >>> json_text({"b": "2", "a": "1"})
    '{"a": "1", "b": "2"}'
    """
    return json.dumps(values, sort_keys=True)


def write_tables(folder: Path, tables: dict[str, pd.DataFrame]) -> list[str]:
    """Write posterior tables as CSV files, one per table, in full precision.

    Parameters
    ----------
    folder : pathlib.Path
        A folder in the project; it is made where there is none.
    tables : dict of str to pandas.DataFrame
        See `summarise`.

    Returns
    -------
    list of str
        Their paths, from the project's folder.

    Examples
    --------
    >>> import contextlib, tempfile
    >>> table = pd.DataFrame({"parameter": ["sigma"], "mean": [0.3]})
    >>> with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
    ...     Path("workflow").mkdir()
    ...     for mark in ("_toc.yml", "workflow/Snakefile"):  # of a project
    ...         Path(mark).touch()
    ...     write_tables(project.tables_path("m7a"), {"scalars": table})
    ...     Path("results/tables/m7a/scalars.csv").read_text().split()
    ['results/tables/m7a/scalars.csv']
    ['parameter,mean', 'sigma,0.3']
    """
    for name, table in tables.items():
        with project.replacing(folder / f"{name}.csv") as part:
            table.to_csv(part, index=False)
    return [(folder / f"{name}.csv").relative_to(project.root()).as_posix() for name in tables]


def write_fit(path: Path, fit: xr.DataTree) -> None:
    """Write a fit to one NetCDF file, effects and predictions in single precision.

    The file appears whole or not at all.

    Parameters
    ----------
    path : pathlib.Path
        A NetCDF file; its folder is made where there is none.
    fit : xarray.DataTree
        One group or several, and the attributes of the fit.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> draws = {"sigma": (("chain", "draw"), np.full((2, 3), 0.3))}
    >>> draws["alpha_gc"] = (("chain", "draw", "gene"), np.full((2, 3, 1), -1.0))
    >>> fit = xr.DataTree.from_dict({"posterior": xr.Dataset(draws)})
    >>> with TemporaryDirectory() as folder:
    ...     write_fit(Path(folder, "m7a.nc"), fit)
    ...     written = read_tree(Path(folder, "m7a.nc"))["posterior"]
    >>> {str(name): str(v.dtype) for name, v in written.data_vars.items()}
    {'sigma': 'float64', 'alpha_gc': 'float32'}
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
            values.astype(np.float32) if values.dtype == np.float64 and values.ndim > 2 else values
        )
    )


def read_tree(path: Path) -> xr.DataTree:
    """Read a result: a NetCDF file of one or several groups.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    xarray.DataTree
        Held in memory; the file is closed.

    Raises
    ------
    PoolscreenError
        If the file is not there or is damaged.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "samplers.nc")
    ...     xr.Dataset({"sigma": ("draw", [0.3, 0.4])}).to_netcdf(path, group="m7a/pymc")
    ...     read_tree(path)["m7a/pymc/sigma"].values.tolist()
    [0.3, 0.4]
    >>> read_tree(Path("nowhere.nc"))
    Traceback (most recent call last):
    poolscreen.errors.PoolscreenError: nowhere.nc is not there; `make book` makes it
    """
    _check_there(path)
    try:
        with xr.open_datatree(path, engine="h5netcdf") as opened:
            return opened.load()
    except Exception as error:  # h5netcdf, h5py and xarray each raise their own kinds
        raise PoolscreenError(
            f"{path} is damaged ({error}); delete it and run `make book`, which makes it anew"
        ) from error


def _check_there(path: Path) -> None:
    if not path.is_file():
        raise PoolscreenError(f"{path} is not there; `make book` makes it")


def read_fit(path: Path) -> xr.DataTree:
    """Read a fit.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    xarray.DataTree
        See `load_fit`.

    Raises
    ------
    PoolscreenError
        If the file is not there, is damaged, or is of another format.

    Examples
    --------
    What has not all the groups of a fit is refused:

    >>> from tempfile import TemporaryDirectory
    >>> part = xr.DataTree.from_dict({name: xr.Dataset() for name in GROUPS[:-1]})
    >>> with TemporaryDirectory() as folder:
    ...     write_fit(Path(folder, "m7a.nc"), part)
    ...     read_fit(Path(folder, "m7a.nc"))
    Traceback (most recent call last):
    poolscreen.errors.PoolscreenError: ...m7a.nc has no group constant_data; delete it ...
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
    """Read the attributes of a fit, and nothing else of it.

    Parameters
    ----------
    path : pathlib.Path
        File of a fit.

    Returns
    -------
    dict
        By name, numbers as NumPy's.

    Raises
    ------
    PoolscreenError
        If the file is not there or is damaged.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> fit = xr.DataTree.from_dict({"posterior": xr.Dataset({"sigma": ("draw", [0.3, 0.4])})})
    >>> fit.attrs = {"model": "m7a", "max_r_hat": 1.002}
    >>> with TemporaryDirectory() as folder:
    ...     write_fit(Path(folder, "m7a.nc"), fit)
    ...     found = read_attributes(Path(folder, "m7a.nc"))
    >>> found["model"], float(found["max_r_hat"]), int(found["format"])
    ('m7a', 1.002, 1)
    """
    _check_there(path)
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

    Raises
    ------
    PoolscreenError
        If the fit has not been made, or its file is damaged or of another format.

    Examples
    --------
    >>> posterior = load_fit("m7a")["posterior"]
    >>> dict(posterior["alpha_gc"].sizes)
    {'chain': 4, 'draw': 2000, 'gene': 10, 'cell_line': 20}
    >>> list(posterior.data_vars)
    ['mu_alpha_gc', 'sigma_alpha', 'sigma', 'alpha_gc']
    >>> load_fit("m7z")
    Traceback (most recent call last):
    poolscreen.errors.PoolscreenError: ...m7z.nc is not there; `make book` makes it
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

    Raises
    ------
    PoolscreenError
        If the fit has not been made, or has no such table.

    Examples
    --------
    >>> table = load_table("m7a", "scalars")
    >>> table[["parameter", "mean", "hdi_3%", "hdi_97%"]].round(1).head(2)
         parameter  mean  hdi_3%  hdi_97%
    0  mu_alpha_gc  -0.9    -1.1     -0.8
    1  sigma_alpha   1.1     1.0      1.2
    >>> len(load_table("m7a", "alpha_gc"))  # 10 genes in 20 cell lines
    200
    """
    path = project.tables_path(fit) / f"{name}.csv"
    if not path.is_file():
        raise PoolscreenError(f"{path} is not there; `make book` makes the tables of each model")
    return pd.read_csv(path)

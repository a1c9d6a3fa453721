"""The files that results are kept in: fits, their tables, and what else is computed."""

import importlib.metadata
import json
import os
import platform
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from poolscreen import files
from poolscreen.errors import PoolscreenError

FORMAT = 1  # of a fit's file; raise it when older files can no longer be read
REMEDY = "delete it and run `make book`, which makes it anew"
GROUPS = (  # of a fit
    "posterior",
    "sample_stats",
    "prior",
    "prior_predictive",
    "posterior_predictive",
    "log_likelihood",
    "observed_data",
    "constant_data",
)


def json_text(values: Mapping[str, str]) -> str:
    """Return a dictionary as the text of an attribute.

    Parameters
    ----------
    values : mapping of str to str
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


def write_tables(folder: Path, tables: dict[str, pd.DataFrame]) -> list[Path]:
    """Write posterior tables as CSV files, one per table, in full precision.

    Parameters
    ----------
    folder : pathlib.Path
        It is made where there is none.
    tables : dict of str to pandas.DataFrame
        See `summarise`.

    Returns
    -------
    list of pathlib.Path
        The files.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> table = pd.DataFrame({"parameter": ["sigma"], "mean": [0.3]})
    >>> with TemporaryDirectory() as folder:
    ...     (written,) = write_tables(Path(folder), {"scalars": table})
    ...     written.name, written.read_text().split()
    ('scalars.csv', ['parameter,mean', 'sigma,0.3'])
    """
    written = [folder / f"{name}.csv" for name in tables]
    for path, table in zip(written, tables.values(), strict=True):
        with files.replacing(path) as part:
            part.write_text(files.csv_text(table), encoding="utf-8")
    return written


def write_result(path: Path, result: xr.Dataset | xr.DataTree, inputs: Mapping[str, str]) -> None:
    """Write a result to one NetCDF file, with the record of what it was made from.

    Parameters
    ----------
    path : pathlib.Path
        A NetCDF file; its folder is made where there is none.
    result : xarray.Dataset or xarray.DataTree
        It is given the attribute `inputs`.
    inputs : mapping of str to str
        The SHA-256 of each file that it was made from.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_result(Path(folder, "0.nc"), xr.Dataset({"rank": 3}), {"uv.lock": "1f2e"})
    ...     read_attributes(Path(folder, "0.nc"))
    {'inputs': '{"uv.lock": "1f2e"}'}
    """
    result.attrs["inputs"] = json_text(inputs)
    _write(path, result.to_netcdf(engine="h5netcdf"))


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
    _write(path, compressed.to_netcdf(engine="h5netcdf", encoding=encoding))


def _write(path: Path, content: memoryview) -> None:
    """Write what was made in memory, as HDF5 itself crashes where a disk is full."""
    with files.replacing(path) as part:
        part.write_bytes(content)


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
    ...     path = Path(folder, "result.nc")
    ...     xr.Dataset({"sigma": ("draw", [0.3, 0.4])}).to_netcdf(path, group="m7a/pymc")
    ...     read_tree(path)["m7a/pymc/sigma"].values.tolist()
    [0.3, 0.4]
    >>> read_tree(Path("nowhere.nc"))
    Traceback (most recent call last):
    poolscreen.errors.PoolscreenError: nowhere.nc is not there; `make book` makes it
    """
    with _reading(path), xr.open_datatree(path, engine="h5netcdf") as opened:
        return opened.load()


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
    if fit.attrs.get("format") != FORMAT:
        raise PoolscreenError(
            f"{path} is of format {fit.attrs.get('format')}, and this version reads {FORMAT}; "
            f"{REMEDY}"
        )
    missing = [group for group in GROUPS if group not in fit.children]
    if missing:
        raise PoolscreenError(f"{path} has no group {', '.join(missing)}; {REMEDY}")
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
    ...     kept = read_attributes(Path(folder, "m7a.nc"))
    >>> kept["model"], float(kept["max_r_hat"]), int(kept["format"])
    ('m7a', 1.002, 1)
    """
    with _reading(path), xr.open_dataset(path, engine="h5netcdf") as opened:
        return dict(opened.attrs)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Say of a file that is not there, or damaged, what mends it."""
    if not path.is_file():
        raise PoolscreenError(f"{path} is not there; `make book` makes it")
    try:
        yield
    except Exception as error:  # h5netcdf, h5py and xarray each raise their own kinds
        raise PoolscreenError(f"{path} is damaged ({error}); {REMEDY}") from error


def _compact(dataset: xr.Dataset) -> xr.Dataset:
    # Monte Carlo error is in the third digit; single precision keeps seven.
    return dataset.map(
        lambda values: (
            values.astype(np.float32) if values.dtype == np.float64 and values.ndim > 2 else values
        )
    )

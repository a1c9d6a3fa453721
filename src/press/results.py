"""The results of the book, as its chapters load them: calling a loader has the result made."""

import json
from typing import Any

import pandas as pd
import xarray as xr

from poolscreen.errors import PoolscreenError
from poolscreen.inference import store
from poolscreen.inference.store import read_fit
from poolscreen.screens.table import LABELS, REPLICATE, Screen
from press import paths


def load_screen(screen: str = "") -> Screen:
    """Load a screen of the book; calling this in a chapter has the screen made.

    Parameters
    ----------
    screen : str
        Name of a real screen, whose counts lie in `data/`; by default the simulated screen.

    Returns
    -------
    Screen

    Raises
    ------
    PoolscreenError
        If the screen has not been made.

    Examples
    --------
    >>> screen = load_screen()
    >>> len(screen.log_fc), len(screen.genes), len(screen.sgrnas), len(screen.cell_lines)
    (1100, 10, 55, 20)
    >>> load_screen("unknown")
    Traceback (most recent call last):
    poolscreen.errors.PoolscreenError: ...unknown.csv is not there; `make book` makes ...
    """
    path = paths.screen_path(screen)
    if not path.is_file():
        raise PoolscreenError(f"{path} is not there; `make book` makes the book's own screens")
    return Screen(pd.read_csv(path, dtype=dict.fromkeys([*LABELS, REPLICATE], "str")))


def load_truth(parameter: str) -> pd.DataFrame:
    """Load the true values of a parameter of the book's simulated screen.

    Parameters
    ----------
    parameter : str
        For example `gamma_g`, `beta_c`, `alpha_s`, or the name of a scalar.

    Returns
    -------
    pandas.DataFrame
        The columns of the labels that the parameter has, and `value`.

    Raises
    ------
    PoolscreenError
        If there is no such parameter, or the screen has not been simulated.

    Examples
    --------
    >>> load_truth("sigma")["value"].item()
    0.3
    >>> load_truth("gamma_g").head(2).round(2)
         gene  value
    0  gene_0  -1.62
    1  gene_1  -1.13
    >>> load_truth("tau")
    Traceback (most recent call last):
    poolscreen.errors.PoolscreenError: ... holds no parameter 'tau'; it holds mu_gamma, ...
    """
    path = paths.truth_path()
    if not path.is_file():
        raise PoolscreenError(f"{path} is not there; `make book` makes it")
    truth = pd.read_csv(path)
    chosen = truth[truth["parameter"] == parameter]
    if chosen.empty:
        known = ", ".join(truth["parameter"].unique())
        raise PoolscreenError(f"{path} holds no parameter {parameter!r}; it holds {known}")
    return chosen.drop(columns="parameter").dropna(axis="columns", how="all").reset_index(drop=True)


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
    {'chain': 4, 'draw': 1000, 'gene': 10, 'cell_line': 20}
    >>> list(posterior.data_vars)
    ['mu_alpha_gc', 'sigma_alpha', 'sigma', 'alpha_gc']
    >>> load_fit("m7z")
    Traceback (most recent call last):
    poolscreen.errors.PoolscreenError: ...m7z.nc is not there; `make book` makes it
    """
    return read_fit(paths.fit_path(fit))


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
    path = paths.tables_path(fit) / f"{name}.csv"
    if not path.is_file():
        raise PoolscreenError(f"{path} is not there; `make book` makes the tables of each model")
    return pd.read_csv(path)


def load_calibration(model: str) -> xr.Dataset:
    """Load the calibration of a model; calling this in a chapter has the model calibrated.

    Parameters
    ----------
    model : str
        Name of the model.

    Returns
    -------
    xarray.Dataset
        See `poolscreen.inference.calibration.calibrate`.

    Raises
    ------
    PoolscreenError
        If the calibration has not been made, or its file is damaged.

    Examples
    --------
    >>> calibration = load_calibration("m7a")
    >>> calibration.sizes["data_set"], calibration.attrs["draws"].item()
    (1000, 200)
    >>> calibration["quantity"].to_numpy().tolist()
    ['mu_alpha_gc', 'sigma_alpha', 'alpha_gc[gene_0, cell_0]',
     'alpha_gc[gene_9, cell_19]', 'sigma', 'log likelihood']
    """
    return store.read_tree(paths.calibration_path(model)).to_dataset()


def load_attempt(attempt: str) -> xr.DataTree:
    """Load a model that was sampled in another way than the book's; this has it sampled.

    Parameters
    ----------
    attempt : str
        The model and the sampler: `m7b/pymc` is model 7b as it is written down, by PyMC's NUTS.

    Returns
    -------
    xarray.DataTree
        See `poolscreen.inference.samplers.attempt`.

    Raises
    ------
    PoolscreenError
        If the file is not there or is damaged.

    Examples
    --------
    >>> failed = load_attempt("m7b/pymc")
    >>> dict(failed["posterior"]["sigma"].sizes)
    {'chain': 4, 'draw': 2000}
    >>> bool(failed.attrs["max_r_hat"] > 1.05)
    True
    """
    return store.read_tree(paths.attempt_path(attempt))


def load_predictions(model: str) -> xr.DataTree:
    """Load what a model predicts of the parts of the book's screen; this has them made.

    Parameters
    ----------
    model : str
        Name of the model.

    Returns
    -------
    xarray.DataTree
        See `predict_book`.

    Raises
    ------
    PoolscreenError
        If they have not been made, or the file is damaged.

    Examples
    --------
    >>> predictions = load_predictions("m7")
    >>> dict(predictions["log_likelihood"]["cell_line"].sizes)
    {'chain': 1, 'draw': 500, 'cell_line_left_out': 20}
    """
    return store.read_tree(paths.predictions_path(model))


def load_benchmark(name: str) -> dict[str, Any]:
    """Load the figures of a benchmark.

    Parameters
    ----------
    name : str
        `samplers`, `seeds`, `prior_screens`, `builds`, `faults`, `scaling`, `peers`, `genome`,
        `mixture` or `edge`.

    Returns
    -------
    dict
        `machine` (see `machine`) and `figures`.

    Raises
    ------
    PoolscreenError
        If it has not been run, or its file is damaged.

    Examples
    --------
    >>> measured = load_benchmark("samplers")
    >>> sorted({figure["sampler"] for figure in measured["figures"]})
    ['marginal', 'nutpie', 'points', 'pymc', 'pymc_default']
    >>> load_benchmark("nothing")
    Traceback (most recent call last):
    poolscreen.errors.PoolscreenError: ...nothing.json is not there; `make bench` makes it
    """
    path = paths.benchmark_path(name)
    if not path.is_file():
        raise PoolscreenError(f"{path} is not there; `make bench` makes it")
    try:
        loaded: dict[str, Any] = json.loads(path.read_text())
    except ValueError as error:
        raise PoolscreenError(f"{path} is damaged ({error}); `git checkout` it") from error
    return loaded

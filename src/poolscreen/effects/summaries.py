"""The effects of genes in cell lines that a fit found."""

from collections.abc import Sequence

import pandas as pd
import xarray as xr

from poolscreen.errors import PoolscreenError
from poolscreen.models import Model
from poolscreen.screens.table import Screen


def gene_effects(posterior: xr.Dataset) -> xr.DataArray:
    """Return the draws of the effects by gene and cell line, whatever the model calls them.

    Parameters
    ----------
    posterior : xarray.Dataset
        The draws of a fit.

    Returns
    -------
    xarray.DataArray
        Dimensions `chain`, `draw`, `gene`, `cell_line`.

    Raises
    ------
    PoolscreenError
        If the model has none; `check_effects` says so before it is sampled.

    Examples
    --------
    >>> posterior = xr.Dataset({"sigma": (("chain", "draw"), np.ones((4, 500)))})
    >>> dims = ("chain", "draw", "gene", "cell_line")
    >>> posterior["gamma_gc"] = (dims, np.zeros((4, 500, 10, 20)))
    >>> effects = gene_effects(posterior)
    >>> effects.name, effects.shape
    ('gamma_gc', (4, 500, 10, 20))
    """
    wanted = {"chain", "draw", "gene", "cell_line"}
    for values in posterior.data_vars.values():
        if set(values.dims) == wanted:
            return values
    raise PoolscreenError(
        f"there are no effects by gene and cell line in {', '.join(map(str, posterior))}"
    )


def check_effects(model: Model, screen: Screen) -> None:
    """Refuse a model that has no effects by gene and cell line, before it is sampled.

    Parameters
    ----------
    model : Model
        Module of the model.
    screen : Screen
        The data.

    Raises
    ------
    PoolscreenError
        It says which models have them.

    Examples
    --------
    >>> import pymc as pm
    >>> from types import SimpleNamespace
    >>> from poolscreen.models import m7a
    >>> check_effects(m7a, small_screen)
    >>> bare = SimpleNamespace(TITLE="no effects", build=lambda screen: pm.Model())
    >>> check_effects(bare, small_screen)
    Traceback (most recent call last):
    poolscreen.errors.PoolscreenError: a report is about the effects of genes in cell lines, ...
    """
    dims = model.build(screen).named_vars_to_dims.values()
    if ("gene", "cell_line") not in map(tuple, dims):
        raise PoolscreenError(
            f"a report is about the effects of genes in cell lines, and the model "
            f"{model.TITLE!r} has none; m7a and m7b have"
        )


def probabilities(
    table: pd.DataFrame, draws: xr.DataArray, thresholds: Sequence[float]
) -> pd.DataFrame:
    """Add to a table of gene effects how likely each is to be below some thresholds.

    Parameters
    ----------
    table : pandas.DataFrame
        Posterior table of the effects, see `poolscreen.inference.posterior.summarise`.
    draws : xarray.DataArray
        See `gene_effects`.
    thresholds : sequence of float
        Log fold changes.

    Returns
    -------
    pandas.DataFrame
        Columns `gene`, `cell_line`, `mean`, `sd`, `hdi_3%`, `hdi_97%` and `P(below ...)`.

    Examples
    --------
    >>> draws = xr.DataArray(
    ...     np.reshape([-2.0, -1.2, -0.8, 0.4], (1, 4, 1, 1)),
    ...     dims=("chain", "draw", "gene", "cell_line"),
    ...     coords={"gene": ["MYC"], "cell_line": ["HL60"]},
    ... )
    >>> columns = {"mean": -0.9, "sd": 1.0, "hdi_3%": -2.0, "hdi_97%": 0.4}
    >>> table = pd.DataFrame({"gene": ["MYC"], "cell_line": ["HL60"], **columns})
    >>> probabilities(table, draws, (0, -1))[["gene", "P(below 0)", "P(below -1)"]]
      gene  P(below 0)  P(below -1)
    0  MYC        0.75          0.5
    """
    below = {f"P(below {value:g})": (draws < value).mean(["chain", "draw"]) for value in thresholds}
    shares = xr.Dataset(below).to_dataframe().reset_index()
    columns = ["gene", "cell_line", "mean", "sd", "hdi_3%", "hdi_97%"]
    return table[columns].merge(
        shares[["gene", "cell_line", *below]],
        on=["gene", "cell_line"],
        validate="1:1",
    )

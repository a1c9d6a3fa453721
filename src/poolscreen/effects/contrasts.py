"""Differences between effects."""

import pandas as pd
import xarray as xr

from poolscreen.inference.posterior import summarise


def differences(draws: xr.DataArray, one: str, other: str) -> pd.DataFrame:
    """Compare the effects of every gene between two cell lines.

    Parameters
    ----------
    draws : xarray.DataArray
        See `gene_effects`.
    one, other : str
        Names of the cell lines.

    Returns
    -------
    pandas.DataFrame
        Columns `gene`, `mean`, `sd`, `hdi_3%`, `hdi_97%` (of `one` less `other`) and
        `P(below 0)`.

    Examples
    --------
    >>> rng = np.random.default_rng(103)
    >>> draws = xr.DataArray(
    ...     rng.normal([-2.0, -1.0], 0.1, (4, 500, 1, 2)),
    ...     dims=("chain", "draw", "gene", "cell_line"),
    ...     coords={"gene": ["MYC"], "cell_line": ["HL60", "K562"]},
    ... )
    >>> gaps = differences(draws, "HL60", "K562")
    >>> gaps[["gene", "mean", "sd", "P(below 0)"]].round(1).iloc[0].to_dict()
    {'gene': 'MYC', 'mean': -1.0, 'sd': 0.1, 'P(below 0)': 1.0}
    """
    gap = (draws.sel(cell_line=one) - draws.sel(cell_line=other)).rename("difference")
    summary = summarise(gap.drop_vars("cell_line", errors="ignore").to_dataset())
    table = summary["difference"][["gene", "mean", "sd", "hdi_3%", "hdi_97%"]]
    return table.assign(**{"P(below 0)": (gap < 0).mean(["chain", "draw"]).to_numpy()})

"""Tables of ranks and coverage."""

from functools import cache

import numpy as np
import pandas as pd
import xarray as xr

from poolscreen.arrays import FloatArray

ENVELOPE_PROB = 0.99  # that a curve of uniform ranks stays within its band


def coverage(pit: xr.DataArray) -> pd.DataFrame:
    """Count how often central intervals hold the true value.

    Parameters
    ----------
    pit : xarray.DataArray
        See `poolscreen.inference.calibration.pit`.

    Returns
    -------
    pandas.DataFrame
        Columns `quantity`, one per interval with the coverage in percent and its Monte Carlo error
        (one standard error), and `p`, of a test that the ranks are uniform.

    Examples
    --------
    >>> ranks = (np.arange(200) + 0.5) / 200  # as even as can be
    >>> pit = xr.DataArray(
    ...     ranks[:, None], dims=("data_set", "quantity"), coords={"quantity": ["sigma"]}
    ... )
    >>> coverage(pit)[["quantity", "50% interval", "94% interval"]]
      quantity 50% interval 94% interval
    0    sigma   50.0 ± 3.5   94.0 ± 1.7
    """
    table = pd.DataFrame({"quantity": pit["quantity"].to_numpy()})
    for prob in (0.5, 0.8, 0.94):
        inside = np.abs(pit.transpose("data_set", ...).to_numpy() - 0.5) <= prob / 2
        held = inside.mean(axis=0)
        error = np.sqrt(held * (1 - held) / pit.sizes["data_set"])
        table[f"{prob:.0%} interval"] = [
            f"{100 * h:.1f} ± {100 * e:.1f}" for h, e in zip(held, error, strict=True)
        ]
    return table.merge(uniformity(pit), on="quantity")


def uniformity(pit: xr.DataArray) -> pd.DataFrame:
    """Test, for each quantity, whether its ranks could be uniform (ArviZ, `pot_c`).

    Parameters
    ----------
    pit : xarray.DataArray
        See `poolscreen.inference.calibration.pit`.

    Returns
    -------
    pandas.DataFrame
        Columns `quantity` and `p`; the test's p-values do not exceed about one half.

    Examples
    --------
    Ranks that are uniform, and ranks of posteriors whose draws are too low:

    >>> even = (np.arange(200) + 0.5) / 200
    >>> pit = xr.DataArray(
    ...     np.stack([even, even**0.5], axis=1),
    ...     dims=("data_set", "quantity"),
    ...     coords={"quantity": ["right", "wrong"]},
    ... )
    >>> uniformity(pit).set_index("quantity")["p"].gt(0.01).to_dict()
    {'right': True, 'wrong': False}
    """
    from arviz_stats.base import array_stats

    values, _, _ = array_stats.uniformity_test(pit.transpose(..., "data_set").to_numpy())
    return pd.DataFrame({"quantity": pit["quantity"].to_numpy(), "p": values})


def rank_differences(pit: xr.DataArray) -> pd.DataFrame:
    """Compare the distribution of ranks with the uniform one, with simultaneous bands (ArviZ).

    The same as `arviz.plot_ecdf_pit` with the method "envelope", which ArviZ 1.3 cannot draw, and
    on values between 0 and 1 that need no rescaling (Säilynoja, Bürkner and Vehtari 2022).

    Parameters
    ----------
    pit : xarray.DataArray
        See `poolscreen.inference.calibration.pit`.

    Returns
    -------
    pandas.DataFrame
        Columns `quantity`, `rank`, `difference` (of the distribution functions), `low` and `high`:
        the whole curve lies between these with probability `ENVELOPE_PROB` if ranks are uniform;
        `band`: "within" if it does, else "outside".

    Examples
    --------
    >>> even = (np.arange(200) + 0.5) / 200
    >>> pit = xr.DataArray(
    ...     np.stack([even, even**0.5], axis=1),
    ...     dims=("data_set", "quantity"),
    ...     coords={"quantity": ["right", "wrong"]},
    ... )
    >>> curves = rank_differences(pit)
    >>> curves.groupby("quantity")["band"].first().to_dict()
    {'right': 'within', 'wrong': 'outside'}
    """
    at, low, high = _band(pit.sizes["data_set"])
    curves = []
    for quantity in pit["quantity"].to_numpy():
        values = np.sort(pit.sel(quantity=quantity).to_numpy())
        ecdf = np.searchsorted(values, at, side="right") / len(values)
        outside = ((ecdf < low) | (ecdf > high)).any()
        curve = {
            "rank": at,
            "difference": ecdf - at,
            "low": low - at,
            "high": high - at,
        }
        curves.append(
            pd.DataFrame(curve).assign(quantity=quantity, band="outside" if outside else "within")
        )
    return pd.concat(curves, ignore_index=True)


@cache
def _band(size: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return where so many ranks are compared with uniform ones, and the band about these."""
    from arviz_stats.ecdf_utils import ecdf_pit

    at, _, low, high = ecdf_pit(np.zeros(size), ENVELOPE_PROB, n_simulations=1000)
    return at, low, high

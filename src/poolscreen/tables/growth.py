"""Tables of time and memory: rounds of a benchmark, and how they grow with the screen."""

import numpy as np
import pandas as pd


def best_and_median(rounds: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Reduce repeated measurements to their best and their median.

    Parameters
    ----------
    rounds : pandas.DataFrame
        Columns `by` and others, all numeric; `ESS per second` is best where it is highest, the
        others where they are lowest.
    by : list of str
        What was measured repeatedly.

    Returns
    -------
    pandas.DataFrame
        Columns `by`, and for each other one its best and its median.

    Examples
    --------
    >>> rounds = pd.DataFrame(
    ...     {"model": "m7a", "seconds": [3.0, 1.0, 8.0], "ESS per second": [900.0, 2000.0, 400.0]}
    ... )
    >>> best_and_median(rounds, ["model"])[["model", "seconds, best", "ESS per second, best"]]
      model  seconds, best  ESS per second, best
    0   m7a            1.0                2000.0
    """
    columns = {}
    for name in map(str, rounds.columns.drop(by)):
        groups = rounds.groupby(by, sort=False)[name]
        best = groups.max() if name == "ESS per second" else groups.min()
        columns[f"{name}, best"] = best
        columns[f"{name}, median"] = groups.median()
    return pd.DataFrame(columns).reset_index()


def slope(sizes: "pd.Series[float]", values: "pd.Series[float]") -> float:
    """Return by which power of the size a quantity grows, from a line through the logarithms.

    Parameters
    ----------
    sizes, values : pandas.Series
        Positive, in the same order.

    Returns
    -------
    float
        1 where the quantity is proportional to the size.

    Examples
    --------
    >>> sizes = pd.Series([1e3, 1e4, 1e5])
    >>> round(slope(sizes, 7 * sizes), 6), round(slope(sizes, sizes**0.5), 6)
    (1.0, 0.5)
    """
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])

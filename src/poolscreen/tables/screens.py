"""Tables of what a screen holds."""

import numpy as np
import pandas as pd

from poolscreen.arrays import IntArray
from poolscreen.screens.table import Screen


def holdings(screen: Screen) -> pd.DataFrame:
    """Say what a screen holds.

    Parameters
    ----------
    screen : Screen
        The screen.

    Returns
    -------
    pandas.DataFrame
        Columns `what` and `number` (text).

    Examples
    --------
    >>> holdings(Screen(small_screen.table[1:])).iloc[[0, 3, 6]]
                                              what  number
    0                                         rows       5
    3                                       sgRNAs       3
    6  missing combinations of sgRNA and cell line  1 of 6
    """
    per_gene, n = screen.sgrnas_per_gene, screen.replicates
    units = len(screen.sgrnas) * len(screen.cell_lines)
    rows = {
        "rows": f"{len(screen.log_fc):,}",
        "cell lines": f"{len(screen.cell_lines):,}",
        "genes": f"{len(screen.genes):,}",
        "sgRNAs": f"{len(screen.sgrnas):,}",
        "sgRNAs per gene": _range(np.asarray(per_gene, dtype=np.int64)),
        "rows per sgRNA and cell line": _range(n),
        "missing combinations of sgRNA and cell line": f"{units - len(n):,} of {units:,}",
    }
    return pd.DataFrame({"what": rows.keys(), "number": rows.values()})


def by_cell_line(screen: Screen) -> pd.DataFrame:
    """Summarise the log fold changes of each cell line.

    Parameters
    ----------
    screen : Screen
        The screen.

    Returns
    -------
    pandas.DataFrame
        Columns `cell_line`, `rows`, `mean`, `sd`, and the quantiles `3%`, `median`, `97%`, all
        but `rows` log fold changes.

    Examples
    --------
    >>> table = pd.DataFrame(
    ...     {"cell_line": ["A", "A", "B"], "sgRNA": "s", "gene": "g", "log_fc": [-1.0, -2.0, 0.5]}
    ... )
    >>> by_cell_line(Screen(table))[["cell_line", "rows", "mean", "median"]]
      cell_line  rows  mean  median
    0         A     2  -1.5    -1.5
    1         B     1   0.5     0.5
    """
    groups = screen.table.groupby("cell_line", observed=True, sort=False)["log_fc"]
    return pd.DataFrame(
        {
            "rows": groups.size(),
            "mean": groups.mean(),
            "sd": groups.std(),
            "3%": groups.quantile(0.03),
            "median": groups.median(),
            "97%": groups.quantile(0.97),
        }
    ).reset_index()


def _range(counts: IntArray) -> str:
    low, high = counts.min(), counts.max()
    if low == high:
        return f"{low}"
    return f"{low} to {high}, half of them {np.median(counts):g} or more"

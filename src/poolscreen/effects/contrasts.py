"""Differences between effects."""

import numpy as np
import pandas as pd

from poolscreen.errors import PoolscreenError
from poolscreen.inference.exact import Exact


def differences(fit: Exact, one: str, other: str) -> pd.DataFrame:
    """Compare the effects of every gene between two cell lines.

    Parameters
    ----------
    fit : Exact
        A fit of a model with effects of genes.
    one, other : str
        Names of the cell lines.

    Returns
    -------
    pandas.DataFrame
        Columns `gene`, `mean`, `sd`, `hdi_3%`, `hdi_97%` (of `one` less `other`) and
        `P(below 0)`.

    Raises
    ------
    PoolscreenError
        If a cell line is not in the screen.

    Examples
    --------
    >>> from poolscreen.inference.exact import solve
    >>> from poolscreen.models import m7b
    >>> gaps = differences(solve(m7b.FAMILY, small_screen), "cell_0", "cell_1")
    >>> gaps[["gene", "mean", "sd", "P(below 0)"]].round(1).iloc[0].to_dict()
    {'gene': 'gene_0', 'mean': 0.7, 'sd': 0.7, 'P(below 0)': 0.2}
    >>> differences(solve(m7b.FAMILY, small_screen), "cell_0", "K562")
    Traceback (most recent call last):
    poolscreen.errors.PoolscreenError: there is no cell line 'K562'; there are cell_0, cell_1
    """
    lines = fit.screen.cell_lines
    for name in (one, other):
        if name not in lines:
            raise PoolscreenError(f"there is no cell line {name!r}; there are {', '.join(lines)}")
    weights = np.array([[float(line == one) - float(line == other)] for line in lines])
    effects = fit.gene_effects([0.0], weights=weights, labels=[f"{one} less {other}"])
    return effects.drop(columns="cell_line")

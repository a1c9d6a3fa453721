"""What the examples in the docstrings start from."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

from poolscreen.screens.simulate import Design, simulate
from poolscreen.screens.table import Screen


@pytest.fixture(autouse=True)
def names_of_examples(doctest_namespace: dict[str, object]) -> None:
    """Give examples the usual packages, the simulator, and a small screen.

    It has two cell lines, a gene of one sgRNA, and a gene of two.
    """
    small = Screen(simulate(Design(n_cell_lines=2, sgrnas_per_gene=(1, 2)))[0])
    doctest_namespace |= {"np": np, "pd": pd, "xr": xr, "stats": stats}
    doctest_namespace |= {"Design": Design, "simulate": simulate, "Screen": Screen}
    doctest_namespace |= {"small_screen": small}

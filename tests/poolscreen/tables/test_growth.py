"""Repeated measurements, and by which power they grow."""

import pandas as pd
import pytest

from poolscreen.tables.growth import best_and_median, slope


def test_best_and_median():
    rounds = pd.DataFrame(
        {
            "model": list("aaab"),
            "s": [3.0, 1.0, 2.0, 9.0],
            "ESS per second": [1, 5, 2, 7],
        }
    )
    reduced = best_and_median(rounds, ["model"]).set_index("model").loc["a"]
    assert reduced["s, best"] == 1
    assert reduced["s, median"] == 2
    assert reduced["ESS per second, best"] == 5
    assert reduced["ESS per second, median"] == 2


def test_slope():
    sizes = pd.Series([10.0, 100.0, 1000.0])
    assert slope(sizes, 3 * sizes**1.5) == pytest.approx(1.5)

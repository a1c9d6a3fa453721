"""Cell lines held against each other, sgRNA by sgRNA, whatever replicates they have."""

import numpy as np
import pandas as pd
import pytest

from poolscreen.screens.differences import OTHERS, differences, others, overall
from poolscreen.screens.table import Screen

REPLICATES = {"A": 2, "B": 3, "C": 2}


@pytest.fixture
def unequal() -> Screen:
    """Three lines, one of which has a replicate more, in an order of no kind."""
    rows = [
        (line, sgrna, "g", chr(ord("a") + number))
        for line, replicates in REPLICATES.items()
        for sgrna in "stu"
        for number in range(replicates)
    ]
    table = pd.DataFrame(rows, columns=["cell_line", "sgRNA", "gene", "replicate"])
    rng = np.random.default_rng(1)
    reads = rng.integers(50, 500, len(table))
    table = table.assign(log_fc=rng.normal(size=len(table)), initial_reads=reads)
    return Screen(table.sample(frac=1, random_state=1))


@pytest.mark.parametrize("line", list(REPLICATES))
def test_a_line_is_compared_with_the_mean_of_the_others(unequal, line):
    found = differences(others(unequal, line), line, OTHERS)
    assert found.cell_lines == [f"{line}:{OTHERS}"]
    assert (found.table.groupby("sgRNA", observed=True).size() == 2).all()
    means = _means(unequal)
    for sgrna, apart in found.table.groupby("sgRNA", observed=True)["log_fc"]:
        rest = [means[other, sgrna] for other in REPLICATES if other != line]
        assert apart.mean() == pytest.approx(means[line, sgrna] - np.mean(rest))


def test_the_mean_over_lines_has_each_line_once(unequal):
    found, means = overall(unequal), _means(unequal)
    for sgrna, values in found.table.groupby("sgRNA", observed=True)["log_fc"]:
        assert values.mean() == pytest.approx(np.mean([means[x, sgrna] for x in REPLICATES]))


def _means(screen: Screen) -> dict[tuple[str, str], float]:
    """The mean of each sgRNA in a line; a third replicate is averaged with the first one."""
    means = {}
    for (line, sgrna), rows in screen.table.groupby(["cell_line", "sgRNA"], observed=True):
        values = rows["log_fc"].to_numpy()
        means[line, sgrna] = np.mean([values[0::2].mean(), values[1::2].mean()])
    return means

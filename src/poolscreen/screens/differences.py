"""What two cell lines, or two arms of a screen, differ by, sgRNA by sgRNA."""

import pandas as pd

from poolscreen.errors import PoolscreenError
from poolscreen.screens.table import REPLICATE, Screen


def differences(screen: Screen, line: str, other: str) -> Screen:
    """Return the log fold changes in one cell line less those in another.

    An sgRNA that cuts badly does so in both, and does not count twice. Where both lines have
    replicates of the same names, these are compared; else their means are.

    Parameters
    ----------
    screen : Screen
        The screen.
    line, other : str
        Two of its cell lines, for example a treated and an untreated arm.

    Returns
    -------
    Screen
        One cell line, `line:other`, with the sgRNAs that were measured in both. It does not know
        the reads.

    Raises
    ------
    PoolscreenError
        If there is no such cell line, or no sgRNA was measured in both.

    Examples
    --------
    >>> table = pd.DataFrame({"cell_line": list("AABB"), "sgRNA": list("stst"), "gene": "g"})
    >>> apart = differences(Screen(table.assign(log_fc=[-3.0, -1.0, -1.0, -1.0])), "A", "B")
    >>> apart.cell_lines, apart.log_fc.tolist()
    (['A:B'], [-2.0, 0.0])
    """
    for name in (line, other):
        if name not in screen.cell_lines:
            raise PoolscreenError(
                f"there is no cell line {name!r} to compare; there are "
                + ", ".join(screen.cell_lines)
            )
    parts = [screen.table[screen.table["cell_line"] == name] for name in (line, other)]
    key = ["sgRNA", "gene"]
    if REPLICATE in screen.table and _same_replicates(*parts):
        key.append(REPLICATE)
    one, two = (part.groupby(key, observed=True)["log_fc"].mean() for part in parts)
    apart = (one - two).dropna().reset_index()
    if apart.empty:
        raise PoolscreenError(f"no sgRNA was measured in both {line} and {other}")
    return Screen(apart.assign(cell_line=f"{line}:{other}"))


def _same_replicates(one: pd.DataFrame, two: pd.DataFrame) -> bool:
    return set(one[REPLICATE]) == set(two[REPLICATE])

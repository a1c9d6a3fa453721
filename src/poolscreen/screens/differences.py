"""What cell lines, or arms of a screen, have in common and differ by, sgRNA by sgRNA."""

import pandas as pd

from poolscreen.errors import PoolscreenError
from poolscreen.screens.rules import MANY, some
from poolscreen.screens.table import EXPECTED, INITIAL, LABELS, REPLICATE, Screen

OVERALL, OTHERS = "all lines", "others"
MOST = 0.5  # of the sgRNAs of a line, to be compared with others


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
        One cell line, `line:other`, with the sgRNAs that were measured in both, and the reads whose
        noise is that of the difference, where the screen has `expected_reads`.

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
                + some(screen.cell_lines, MANY)
            )
    parts = [screen.table[screen.table["cell_line"] == name] for name in (line, other)]
    key = ["sgRNA", "gene"]
    if REPLICATE in screen.table and _same_replicates(*parts):
        key.append(REPLICATE)
    one, two = (_averaged(part, key) for part in parts)
    apart = pd.DataFrame({"log_fc": one["log_fc"] - two["log_fc"]})
    if EXPECTED in one:
        apart[EXPECTED] = 1 / (1 / one[EXPECTED] + 1 / two[EXPECTED])
    apart = apart.dropna().reset_index()
    if apart.empty:
        raise PoolscreenError(f"no sgRNA was measured in both {line} and {other}")
    return Screen(apart.assign(cell_line=f"{line}:{other}"))


def _same_replicates(one: pd.DataFrame, two: pd.DataFrame) -> bool:
    return set(one[REPLICATE]) == set(two[REPLICATE])


def overall(screen: Screen) -> Screen:
    """Return the mean over the cell lines of each sgRNA.

    An sgRNA that cuts badly does so in all lines. It is one sgRNA in the mean, however many lines
    there are.

    Parameters
    ----------
    screen : Screen
        A screen of several lines.

    Returns
    -------
    Screen
        One cell line, `OVERALL`, with as many replicates as the line with the fewest: the first is
        the mean of the first ones of all lines that have it, and so on.

    Examples
    --------
    >>> table = pd.DataFrame({"cell_line": list("AABB"), "sgRNA": list("stst"), "gene": "g"})
    >>> mean = overall(Screen(table.assign(log_fc=[-3.0, -1.0, -1.0, -1.0])))
    >>> mean.cell_lines, mean.log_fc.tolist()
    (['all lines'], [-2.0, -1.0])
    """
    table = _averaged(_numbered(screen), ["sgRNA", "gene", REPLICATE]).reset_index()
    return Screen(table.assign(cell_line=OVERALL))


def _averaged(rows: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """Return means of log fold changes, and the reads whose noise is that of the mean.

    The variance of the noise goes with one over the reads, so that of a mean of n measurements is
    the mean of these, divided by n.
    """
    columns = [name for name in ("log_fc", INITIAL, EXPECTED) if name in rows]
    reads = columns[1:]
    values = rows[[*key, *columns]].assign(**{name: 1 / rows[name].astype(float) for name in reads})
    grouped = values.groupby(key, observed=True, sort=False)[columns]
    means, n = grouped.mean(), grouped.size()
    return means.assign(**{name: n / means[name] for name in reads})


def _numbered(screen: Screen) -> pd.DataFrame:
    """Give numbers to the replicates of each sgRNA and line, as far as every line has them.

    Those that a line has beyond this are averaged with the first ones.
    """
    reads = [name for name in (INITIAL, EXPECTED) if name in screen.table]
    rows = screen.table[[*LABELS, "log_fc", *reads]]
    number = rows.groupby(["sgRNA", "cell_line"], observed=True).cumcount()
    fewest = number.groupby(screen.cell_idx).max().min() + 1
    numbered = rows.assign(**{REPLICATE: (number % fewest + 1).astype(str)})
    return _averaged(numbered, [*LABELS, REPLICATE]).reset_index()


def why_apart(screen: Screen) -> str:
    """Say why the cell lines of a screen cannot be compared, or nothing if they can.

    Parameters
    ----------
    screen : Screen
        A screen of several lines.

    Returns
    -------
    str
        Empty if each line has most of its sgRNAs in common with another, and none is called
        `OVERALL` or `OTHERS`.

    Examples
    --------
    >>> table = pd.DataFrame({"cell_line": list("AB"), "sgRNA": list("st"), "gene": "g"})
    >>> why_apart(Screen(table.assign(log_fc=0.0)))
    'few sgRNAs of A, B were measured in another cell line'
    """
    taken = sorted({OVERALL, OTHERS} & set(screen.cell_lines))
    if taken:
        return f"a cell line is called {taken[0]!r}, which is what the mean over lines is called"
    seen = screen.sums("sgRNA")[0] > 0
    common = seen[seen.sum(axis=1) > 1].sum(axis=0) / seen.sum(axis=0)
    few = [line for line, share in zip(screen.cell_lines, common, strict=True) if share < MOST]
    return f"few sgRNAs of {some(few)} were measured in another cell line" if few else ""


def others(screen: Screen, line: str) -> Screen:
    """Return the screen with the mean over all cell lines but one in place of these.

    Parameters
    ----------
    screen : Screen
        A screen of several lines.
    line : str
        The line that stays as it is.

    Returns
    -------
    Screen
        Two lines, this one and `OTHERS`, with replicates of the same numbers.

    Examples
    --------
    >>> table = pd.DataFrame({"cell_line": list("ABC"), "sgRNA": "s", "gene": "g"})
    >>> two = others(Screen(table.assign(log_fc=[-3.0, -1.0, 0.0])), "A")
    >>> two.cell_lines, two.log_fc.tolist()
    (['A', 'others'], [-3.0, -0.5])
    """
    rows = _numbered(screen)
    of_line = rows["cell_line"] == line
    rest = overall(Screen(rows[~of_line])).table.assign(cell_line=OTHERS)
    return Screen(pd.concat([rows[of_line], rest], ignore_index=True))

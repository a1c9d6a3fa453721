"""Guessing from the names of columns which samples a table of counts has."""

import re

import pandas as pd

from poolscreen.errors import PoolscreenError
from poolscreen.screens.rules import MANY, some

# What columns from before a screen are called: T0, day 0, plasmid, library, ...
BEFORE = re.compile(
    r"(?:^|[^a-z0-9])(?:t0+|d0+|day[-_ ]?0+|p?dna|plasmid|initial|library|before)(?:[^0-9a-z]|$)",
    re.IGNORECASE,
)
TIME = re.compile(
    r"(?:^|[-_. ])(?:(?:t|d|day)[-_ ]?\d+|(?:initial|final|before|after|end(?:point)?)\b)",
    re.IGNORECASE,
)
REPLICATE = re.compile(
    r"(?:[-_. ]?(?:rep(?:licate)?|r)[-_. ]?(\w)|[-_. ]([A-Z0-9]))$", re.IGNORECASE
)


def guess(counts: pd.DataFrame, labels: list[str]) -> pd.DataFrame:
    """Guess which samples a table of counts has.

    Parameters
    ----------
    counts : pandas.DataFrame
        Columns of labels, and one per sample.
    labels : list of str
        The columns that are no samples.

    Returns
    -------
    pandas.DataFrame
        Columns `cell_line`, `replicate`, `initial`, `final`: to be looked at, and mended.

    Raises
    ------
    PoolscreenError
        If no column looks like one from before the screen, or no other is left.

    Examples
    --------
    >>> names = ["SEQUENCE", "GENE", "HAP1_T0", "HAP1_T18A", "HAP1_T18B"]
    >>> guess(pd.DataFrame({name: [400] for name in names}), names[:2])
      cell_line replicate  initial      final
    0      HAP1         A  HAP1_T0  HAP1_T18A
    1      HAP1         B  HAP1_T0  HAP1_T18B
    """
    numbers = [
        str(name)
        for name in counts
        if name not in labels and pd.to_numeric(counts[name], errors="coerce").notna().all()
    ]
    before = [name for name in numbers if BEFORE.search(name)]
    finals = [name for name in numbers if name not in before]
    if not before or not finals:
        raise PoolscreenError(
            f"which of the columns {some(numbers, MANY) or '(there are none with numbers)'} is "
            "from before the screen cannot be guessed; write a table with the columns cell_line, "
            "replicate, initial, final, and pass it as --samples"
        )
    rows = []
    for name in finals:
        line, replicate = _parts(name)
        own = [first for first in before if _parts(first)[0] == line] or before
        rows.append({"cell_line": line, "replicate": replicate, "initial": own[0], "final": name})
    table = pd.DataFrame(rows)
    number = table.groupby("cell_line").cumcount() + 1
    again = table.duplicated(["cell_line", "replicate"], keep=False)
    table.loc[again, "replicate"] = number[again].astype(str)
    return table


def _parts(name: str) -> tuple[str, str]:
    """Return the cell line and the replicate that a column's name tells."""
    time = TIME.search(name)
    rest = name[time.end() :].strip("-_. ") if time else ""
    line = name[: time.start()] if time else name
    if rest:
        return line.strip("-_. ") or "screen", re.sub("^r(?:ep(?:licate)?)?(?=.)", "", rest)
    found = REPLICATE.search(line)
    if not found:
        return line.strip("-_. ") or "screen", "1"
    return line[: found.start()].strip("-_. ") or "screen", found[1] or found[2]

"""What is wrong with a table: every fault at once, with its rows and a remedy."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from poolscreen.names import short
from poolscreen.screens.table import INITIAL, LABELS, REPLICATE

if TYPE_CHECKING:  # pandera takes a second to import
    import pandera.pandas as pa

NAMED = 5  # rows, or labels, that a message names
MANY = 20  # columns or cell lines, from which its reader is to choose
BEYOND_SENSE = 1e6  # counts are below that
NO_ROWS = "there are no rows below the header"
Rows = pd.Series  # of bool: which rows are sound


def schema(table: pd.DataFrame, *, once: bool) -> "pa.DataFrameSchema":
    """Return what a table with these columns must hold, each with the fault it would be.

    Parameters
    ----------
    table : pandas.DataFrame
        The table.
    once : bool
        Whether a combination of sgRNA and cell line may be there only once where no column tells
        replicates apart.

    Returns
    -------
    pandera.pandas.DataFrameSchema

    Examples
    --------
    Rows that no column `replicate` tells apart are a fault if `once`:

    >>> table = pd.DataFrame({"cell_line": "A", "sgRNA": ["s1", "s1"], "log_fc": [-2.0, -1.5]})
    >>> check(schema(table, once=False), table)
    []
    >>> check(schema(table, once=True), table)
    ['row 3, for example A, s1: the same sgRNA and cell line again; ...']
    """
    import pandera.pandas as pa

    columns = {name: label_column() for name in [*LABELS, REPLICATE]}
    columns["log_fc"] = pa.Column(
        checks=[
            pa.Check(is_number, error="is no number; write it with a decimal point"),
            pa.Check(is_finite, error="is infinite; leave the row out"),
            pa.Check(_has_sense, error="is beyond any log fold change; is it the right column?"),
        ],
        nullable=False,
        required=False,
    )
    columns[INITIAL] = count_column(required=False)
    across = []
    if {"sgRNA", "gene"} <= set(table):
        across.append(
            pa.Check(
                _one_gene,
                error="an sgRNA is listed under more than one gene; give it one",
            )
        )
    if {"sgRNA", "cell_line"} <= set(table) and (once or REPLICATE in table):
        across.append(
            pa.Check(
                _no_duplicate,
                error="the same sgRNA, cell line and replicate again; take doubled rows away"
                if REPLICATE in table
                else "the same sgRNA and cell line again; if they are replicates, add a column "
                "replicate that tells them apart",
            )
        )
    return pa.DataFrameSchema(columns, checks=across)


def label_column() -> "pa.Column":
    """Return what a column of names must hold.

    Returns
    -------
    pandera.pandas.Column

    Examples
    --------
    >>> import pandera.pandas as pa
    >>> wanted = pa.DataFrameSchema({"gene": label_column()})
    >>> for fault in check(wanted, pd.DataFrame({"gene": ["MYC", "Myc", "TP53 "]})):
    ...     print(fault.partition(";")[0])
    gene begins or ends with white space
    gene differs from another only in upper and lower case
    """
    import pandera.pandas as pa

    return pa.Column(
        checks=[
            _labels(str.strip, "is empty; name it or leave the row out"),
            _labels(
                lambda label: label == label.strip() or not label.strip(),
                "begins or ends with white space; take it away",
            ),
            pa.Check(
                _no_twin,
                error="differs from another only in upper and lower case; write them alike",
            ),
        ],
        nullable=False,
        required=False,
    )


def count_column(*, required: bool = True) -> "pa.Column":
    """Return what a column of read counts must hold.

    Parameters
    ----------
    required : bool
        Whether the column must be there.

    Returns
    -------
    pandera.pandas.Column

    Examples
    --------
    >>> import pandera.pandas as pa
    >>> wanted = pa.DataFrameSchema({"T0": count_column()})
    >>> check(wanted, pd.DataFrame({"T0": ["400", "-1"]}))
    ["T0 is negative; counts are wanted, not fold changes (row 3, for example '-1')"]
    """
    import pandera.pandas as pa

    checks = [
        pa.Check(is_number, error="is no number"),
        pa.Check(is_finite, error="is infinite"),
        pa.Check(
            lambda values: ~(pd.to_numeric(values, errors="coerce") < 0),
            error="is negative; counts are wanted, not fold changes",
        ),
    ]
    return pa.Column(checks=checks, nullable=False, required=required)


def check(wanted: "pa.DataFrameSchema", table: pd.DataFrame) -> list[str]:
    """Check a table against a schema, and say all that is wrong.

    Parameters
    ----------
    wanted : pandera.pandas.DataFrameSchema
        Each check says in its `error` what a row is that fails it.
    table : pandas.DataFrame
        The table, with an index from 0.

    Returns
    -------
    list of str
        One fault per check that fails, with its rows.

    Examples
    --------
    >>> table = pd.DataFrame({"gene": ["MYC", "TP53"], "log_fc": ["-2", "n.d."]})
    >>> print(*check(schema(table, once=True), table))
    log_fc is no number; write it with a decimal point
    (row 3, for example 'n.d.'; TP53 would have no rows left)
    """
    import pandera.pandas as pa

    try:
        wanted.validate(table, lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases
        return [
            _fault(str(column), str(fault), rows, table)
            for (column, fault), rows in cases.assign(
                column=cases["column"].where(cases["schema_context"] == "Column", "")
            ).groupby(["column", "check"], sort=False)
        ]
    return []


def _fault(column: str, fault: str, cases: pd.DataFrame, table: pd.DataFrame) -> str:
    rows = sorted(set(cases["index"].dropna().astype(int)))
    if fault == "not_nullable":
        fault = "is empty; name it or leave the row out"
        if column not in [*LABELS, REPLICATE]:
            fault = "is missing; leave the row out"
    if not column:
        first = table.iloc[rows[0]]
        label = ", ".join(short(first[name]) for name in LABELS if name in table)
        return f"{_rows(rows)}, for example {label}: {fault}"
    example = cases["failure_case"].iloc[0]
    shown = "" if pd.isna(example) else f", for example {short(repr(example))}"
    return f"{column} {fault} ({_rows(rows)}{shown}{_lost(column, rows, table)})"


def _rows(rows: list[int]) -> str:
    """Name rows as a spreadsheet numbers them."""
    named = ", ".join(f"{row + 2:,}" for row in rows[:NAMED])
    if len(rows) == 1:
        return f"row {named}"
    more = f" and {len(rows) - NAMED:,} more" if len(rows) > NAMED else ""
    return f"rows {named}{more}"


def _lost(column: str, rows: list[int], table: pd.DataFrame) -> str:
    """Say which genes have no row without the fault: leaving rows out would lose them."""
    if column != "log_fc" or "gene" not in table:
        return ""
    kept = set(table["gene"].drop(index=rows))
    lost = [g for g in table["gene"].dropna().unique() if g not in kept]
    if not lost:
        return ""
    return f"; {some(lost)} would have no rows left"


def some(labels: Iterable[object], most: int = NAMED) -> str:
    """Name the first few of many labels, and how many more there are.

    Parameters
    ----------
    labels : iterable
        Any number of them.
    most : int
        How many are named.

    Returns
    -------
    str

    Examples
    --------
    >>> some(["a", "b"]), some(range(1000))
    ('a, b', '0, 1, 2, 3, 4 and 995 more')
    """
    every = list(map(str, labels))
    more = f" and {len(every) - most:,} more" if len(every) > most else ""
    return ", ".join(short(label) for label in every[:most]) + more


def _labels(good: Callable[[str], object], fault: str) -> "pa.Check":
    """Look at each label once, not once per row: a screen may have millions."""
    import pandera.pandas as pa

    def sound(labels: pd.Series) -> Rows:
        codes, names = pd.factorize(labels)
        passes = np.array([bool(good(str(name))) for name in names] + [True])
        return pd.Series(passes[codes], index=labels.index)

    return pa.Check(sound, error=fault)


def _no_twin(labels: pd.Series) -> Rows:
    names = pd.Series(labels.dropna().unique(), dtype=str)
    twins = names[names.str.strip().str.casefold().duplicated(keep=False)]
    # Labels that differ in white space alone are told of by another check.
    twins = twins[~twins.str.strip().duplicated(keep=False)]
    return ~labels.isin(twins)


def is_number(values: pd.Series) -> Rows:
    """Tell which values can be read as a number, or are missing.

    Parameters
    ----------
    values : pandas.Series
        Numbers or text.

    Returns
    -------
    pandas.Series
        Of bool.

    Examples
    --------
    >>> is_number(pd.Series(["-1.5", "1,5", None])).tolist()
    [True, False, True]
    """
    return pd.to_numeric(values, errors="coerce").notna() | values.isna()


def is_finite(values: pd.Series) -> Rows:
    """Tell which values are not infinite.

    Parameters
    ----------
    values : pandas.Series
        Numbers or text.

    Returns
    -------
    pandas.Series
        Of bool; what is missing or no number is not infinite.

    Examples
    --------
    >>> is_finite(pd.Series([1.0, -np.inf, np.nan])).tolist()
    [True, False, True]
    """
    finite: Rows = ~np.isinf(pd.to_numeric(values, errors="coerce"))
    return finite


def _has_sense(values: pd.Series) -> Rows:
    size = np.abs(pd.to_numeric(values, errors="coerce"))
    sound: Rows = ~((size > BEYOND_SENSE) & (size < np.inf))
    return sound


def _one_gene(table: pd.DataFrame) -> Rows:
    sound: Rows = table.groupby("sgRNA")["gene"].transform("nunique") <= 1
    return sound


def _no_duplicate(table: pd.DataFrame) -> Rows:
    key = [name for name in ("sgRNA", "cell_line", REPLICATE) if name in table]
    return ~table.duplicated(key) | table[key].isna().any(axis=1)

"""What is wrong with the table of a screen: every fault at once, with its rows and a remedy."""

import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from poolscreen.errors import PoolscreenError

if TYPE_CHECKING:  # pandera takes a second to import
    import pandera.pandas as pa

    from poolscreen.screen import Screen

LABELS = ["cell_line", "sgRNA", "gene"]
COLUMNS = [*LABELS, "log_fc"]
REPLICATE = "replicate"
NAMED = 5  # rows, or labels, that a message names
LARGEST = 20.0  # |log fold change| of a count of one against a million
# Other names that the columns go by.
SYNONYMS = {
    "cell_line": ("cellline", "cell", "line", "sample"),
    "sgRNA": ("guide", "grna", "sgrnaid", "guideid", "construct", "barcode"),
    "gene": ("genesymbol", "genename", "symbol", "target"),
    "log_fc": ("lfc", "log2fc", "logfoldchange", "log2foldchange"),
    REPLICATE: ("rep",),
}
DATE = re.compile(r"\d{1,2}-(Mar|Sep|Dec|Oct)", re.IGNORECASE)


def tidy(table: pd.DataFrame, columns: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Make the table of a screen of one that somebody else wrote.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns `cell_line`, `sgRNA`, `gene`, `log_fc` and, where there are replicates,
        `replicate`. It is not changed.
    columns : mapping of str to str, optional
        What a column is called in the table, by the name it should have.

    Returns
    -------
    pandas.DataFrame
        The rows in their order, with these columns alone; labels are text.

    Raises
    ------
    PoolscreenError
        It names every fault, with rows (counted as a spreadsheet does: the header is row 1) and a
        remedy.

    Examples
    --------
    >>> table = pd.DataFrame(
    ...     {"line": "HL60", "SGRNA": [1, 2], "gene": ["MYC", "TP53"], "log_fc": ["-2", "0.5"]}
    ... )
    >>> tidy(table, columns={"cell_line": "line"})
      cell_line sgRNA  gene  log_fc
    0      HL60     1   MYC    -2.0
    1      HL60     2  TP53     0.5
    >>> tidy(table.assign(log_fc=["-2", "0,5"]), columns={"cell_line": "line"})
    Traceback (most recent call last):
    poolscreen.errors.PoolscreenError: 1 fault:
    - log_fc is no number; write it with a decimal point (row 3, for example '0,5'; ...
    """
    found, faults = choose(table, COLUMNS, [REPLICATE], columns or {})
    for label in {*LABELS, REPLICATE} & set(found):
        found[label] = found[label].astype("str")
    refuse([*faults, *check(schema(found, once=True), found), *_levels(found)])
    return found.assign(log_fc=pd.to_numeric(found["log_fc"]))


def choose(
    table: pd.DataFrame,
    needed: list[str],
    optional: list[str],
    columns: Mapping[str, str],
) -> tuple[pd.DataFrame, list[str]]:
    """Choose columns of a table by their names; upper and lower case do not matter.

    Parameters
    ----------
    table : pandas.DataFrame
        The table.
    needed, optional : list of str
        Names of columns.
    columns : mapping of str to str
        What a column is called in the table, by the name it should have.

    Returns
    -------
    found : pandas.DataFrame
        Those that are there, by the names they should have, with an index from 0.
    faults : list of str
        Those that are not.

    Examples
    --------
    >>> table = pd.DataFrame({"SGRNA": ["s1"], "symbol": ["MYC"], "reads": [400]})
    >>> found, faults = choose(table, ["sgRNA", "gene"], ["replicate"], {})
    >>> found.columns.tolist()
    ['sgRNA']
    >>> faults
    ['there is no column gene; ... if symbol is it, pass --column gene=symbol']
    >>> choose(table, ["sgRNA", "gene"], ["replicate"], {"gene": "symbol"})[1]
    []
    """
    present = list(map(str, table.columns))
    unknown = [name for name in columns if name not in [*needed, *optional]]
    faults = [
        f"--column {name}={columns[name]}: there is no such column to give; there are "
        + ", ".join([*needed, *optional])
        for name in unknown
    ]
    chosen = {}
    for name in [*needed, *optional]:
        source = columns.get(name, name)
        alike = [column for column in present if column.lower() == source.lower()]
        if source in present or len(alike) == 1:
            chosen[name] = table[source if source in present else alike[0]]
        elif name in needed or name in columns:
            faults.append(_missing(name, source, present))
    return pd.DataFrame(chosen).reset_index(drop=True), faults


def check_screen(table: pd.DataFrame) -> None:
    """Refuse a table that a model cannot be given.

    Parameters
    ----------
    table : pandas.DataFrame
        See `poolscreen.screen.Screen`.

    Raises
    ------
    PoolscreenError
        It names every fault.

    Examples
    --------
    Replicates need no names here; an sgRNA of two genes is a fault:

    >>> table = pd.DataFrame(
    ...     {"cell_line": "A", "sgRNA": ["s1", "s1"], "gene": "MYC", "log_fc": [-2.0, -1.5]}
    ... )
    >>> check_screen(table)
    >>> check_screen(table.assign(gene=["MYC", "TP53"]))
    Traceback (most recent call last):
    poolscreen.errors.PoolscreenError: 1 fault:
    - rows 2, 3, for example A, s1, MYC: an sgRNA is listed under more than one gene; give it one
    """
    columns = list(map(str, table.columns))
    faults = [_missing(name, name, columns) for name in COLUMNS if name not in columns]
    faults += check(schema(table, once=False), table.reset_index(drop=True))
    refuse([*faults, *([NO_ROWS] if table.empty else [])])


def refuse(faults: list[str]) -> None:
    """Raise an error that names the faults, if there are any.

    Parameters
    ----------
    faults : list of str
        A phrase each.

    Raises
    ------
    PoolscreenError
        If there is a fault; it lists them.

    Examples
    --------
    >>> refuse([])
    >>> refuse(["there is no column gene", "there are no rows"])
    Traceback (most recent call last):
    poolscreen.errors.PoolscreenError: 2 faults:
    - there is no column gene
    - there are no rows
    """
    if faults:
        raise PoolscreenError(
            f"{len(faults)} fault{'s' * (len(faults) > 1)}:\n"
            + "\n".join(f"- {fault}" for fault in faults)
        )


def _missing(name: str, source: str, present: list[str]) -> str:
    plain = {re.sub(r"[^a-z0-9]", "", column.lower()): column for column in present}
    wanted = [re.sub(r"[^a-z0-9]", "", name.lower()), *SYNONYMS.get(name, ())]
    guess = next((plain[w] for w in wanted if w in plain), None) or next(
        iter(get_close_matches(source, present, 1)), None
    )
    remedy = (
        f"if {guess} is it, pass --column {name}={guess}"
        if guess
        else f"name it so, or pass --column {name}=..."
    )
    return f"there is no column {source}; there are {', '.join(present)}: {remedy}"


# -- rows ------------------------------------------------------------------------------------

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
    import pandera.pandas as pa  # noqa: PLC0415 (it takes a second)

    columns = {name: label_column() for name in [*LABELS, REPLICATE]}
    columns["log_fc"] = pa.Column(
        checks=[
            pa.Check(is_number, error="is no number; write it with a decimal point"),
            pa.Check(is_finite, error="is infinite; leave the row out"),
        ],
        nullable=False,
        required=False,
    )
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
    import pandera.pandas as pa  # noqa: PLC0415 (as above)

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
    import pandera.pandas as pa  # noqa: PLC0415 (as above)

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
        label = ", ".join(str(first[name]) for name in LABELS if name in table)
        return f"{_rows(rows)}, for example {label}: {fault}"
    example = cases["failure_case"].iloc[0]
    shown = "" if pd.isna(example) else f", for example {example!r}"
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


def some(labels: Iterable[object]) -> str:
    """Name the first few of many labels, and how many more there are.

    Parameters
    ----------
    labels : iterable
        Any number of them.

    Returns
    -------
    str

    Examples
    --------
    >>> some(["a", "b"]), some(range(1000))
    ('a, b', '0, 1, 2, 3, 4 and 995 more')
    """
    every = list(map(str, labels))
    more = f" and {len(every) - NAMED:,} more" if len(every) > NAMED else ""
    return ", ".join(every[:NAMED]) + more


def _labels(good: Callable[[str], object], fault: str) -> "pa.Check":
    """Look at each label once, not once per row: a screen may have millions."""
    import pandera.pandas as pa  # noqa: PLC0415 (as above)

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


def _one_gene(table: pd.DataFrame) -> Rows:
    sound: Rows = table.groupby("sgRNA")["gene"].transform("nunique") <= 1
    return sound


def _no_duplicate(table: pd.DataFrame) -> Rows:
    key = [name for name in ("sgRNA", "cell_line", REPLICATE) if name in table]
    return ~table.duplicated(key) | table[key].isna().any(axis=1)


# -- the whole -------------------------------------------------------------------------------


def _levels(table: pd.DataFrame) -> list[str]:
    """Refuse a table in which there is nothing to compare."""
    if table.empty:
        return [NO_ROWS]
    if "gene" in table and len(table["gene"].unique()) == 1:
        gene = table["gene"].iloc[0]
        return [f"all rows are of one gene, {gene}: there is nothing to pool it with; add genes"]
    return []


def cautions(screen: "Screen") -> list[str]:
    """Say what of a screen can be used, but should be known.

    Parameters
    ----------
    screen : Screen
        The screen.

    Returns
    -------
    list of str
        Nothing if all is as it should be.

    Examples
    --------
    >>> from poolscreen.screen import Screen
    >>> table = pd.DataFrame(
    ...     {"cell_line": "A", "sgRNA": list("stu"), "gene": ["MYC", "MYC", "1-Mar"], "log_fc": 0.1}
    ... )
    >>> for caution in cautions(Screen(table)):
    ...     print(caution)
    1 of 2 genes have one sgRNA (1-Mar): a failed sgRNA cannot be told from an effect
    there is one cell line, A; nothing can be said of others
    1-Mar: these look like genes that a spreadsheet turned into dates
    """
    found = []
    seen = pd.Series(screen.sgrna_idx * len(screen.cell_lines) + screen.cell_idx)
    counts = seen.value_counts()
    missing = len(screen.sgrnas) * len(screen.cell_lines) - len(counts)
    if missing:
        found.append(
            f"{missing:,} of {missing + len(counts):,} combinations of sgRNA and cell line have "
            "no row; effects there rest on the other sgRNAs of the gene, or on the prior"
        )
    if counts.min() < counts.max():
        found.append(
            f"combinations of sgRNA and cell line have {counts.min()} to {counts.max()} "
            "replicates; those with more weigh more"
        )
    single = screen.sgrnas_per_gene[screen.sgrnas_per_gene == 1].index
    if len(single):
        found.append(
            f"{len(single):,} of {len(screen.genes):,} genes have one sgRNA ({some(single)}): a "
            "failed sgRNA cannot be told from an effect"
        )
    if len(screen.cell_lines) == 1:
        found.append(
            f"there is one cell line, {screen.cell_lines[0]}; nothing can be said of others"
        )
    dates = [gene for gene in screen.genes if DATE.fullmatch(gene)]
    if dates:
        found.append(f"{some(dates)}: these look like genes that a spreadsheet turned into dates")
    values = np.abs(screen.log_fc)
    if values.max() > LARGEST:
        found.append(
            f"log_fc reaches {values.max():,.1f} in size: is it a log fold change, and not a "
            "count? (`poolscreen fold-change` makes fold changes of counts)"
        )
    return found

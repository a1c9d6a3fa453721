"""Making the table of a screen of one that somebody else wrote."""

import re
from collections.abc import Mapping
from difflib import get_close_matches

import pandas as pd

from poolscreen.errors import refuse
from poolscreen.screens.rules import MANY, NO_ROWS, check, schema, some
from poolscreen.screens.table import COLUMNS, INITIAL, LABELS, REPLICATE

# Other names that the columns go by.
SYNONYMS = {
    "cell_line": ("cellline", "cell", "line", "sample"),
    "sgRNA": (
        "guide",
        "grna",
        "sgrnaid",
        "guideid",
        "reagentid",
        "construct",
        "barcode",
        "sequence",
        "constructbarcode",
    ),
    "gene": ("genesymbol", "genename", "symbol", "hgncsymbol", "geneid", "target"),
    "log_fc": ("lfc", "log2fc", "logfoldchange", "log2foldchange"),
    REPLICATE: ("rep",),
}


def tidy(table: pd.DataFrame, columns: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Make the table of a screen of one that somebody else wrote.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns `cell_line`, `sgRNA`, `gene`, `log_fc` and, where there are replicates,
        `replicate`; where they are known, `initial_reads`. It is not changed.
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
    chosen, faults = choose(table, COLUMNS, [REPLICATE, INITIAL], columns or {})
    for label in {*LABELS, REPLICATE} & set(chosen):
        chosen[label] = chosen[label].astype("str")
    refuse(
        [*faults, *check(schema(chosen, once=True), chosen), *_nothing_to_compare(chosen, table)]
    )
    numbers = {name: pd.to_numeric(chosen[name]) for name in ("log_fc", INITIAL) if name in chosen}
    return chosen.assign(**numbers)


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
    chosen : pandas.DataFrame
        Those that are there, by the names they should have, with an index from 0.
    faults : list of str
        Those that are not.

    Examples
    --------
    >>> table = pd.DataFrame({"SGRNA": ["s1"], "symbol": ["MYC"], "reads": [400]})
    >>> chosen, faults = choose(table, ["sgRNA", "gene"], ["replicate"], {})
    >>> chosen.columns.tolist()
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


def usual_names(
    table: pd.DataFrame, names: list[str], columns: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """Find columns that go by another of their usual names.

    Parameters
    ----------
    table : pandas.DataFrame
        The table.
    names : list of str
        Names of columns.
    columns : mapping of str to str
        What a column is called in the table, by the name it should have, as far as it is said.

    Returns
    -------
    columns : dict of str to str
        The same, and what was found.
    notes : list of str
        What was found.

    Examples
    --------
    >>> table = pd.DataFrame({"SEQUENCE": ["ACGT"], "Gene": ["MYC"], "T0": [400]})
    >>> usual_names(table, ["sgRNA", "gene"], {})
    ({'sgRNA': 'SEQUENCE'}, ['the column SEQUENCE is taken for sgRNA'])
    """
    found, present = dict(columns), list(map(str, table.columns))
    exact = {column.lower() for column in present}
    plain = {_plain(column): column for column in reversed(present)}
    for name in names:
        others = [plain[other] for other in SYNONYMS.get(name, ()) if other in plain]
        if name not in found and name.lower() not in exact and others:
            found[name] = others[0]
    new = [name for name in found if name not in columns]
    return found, [f"the column {found[name]} is taken for {name}" for name in new]


def _plain(column: str) -> str:
    return re.sub(r"[^a-z0-9]", "", column.lower())


def _missing(name: str, source: str, present: list[str]) -> str:
    plain = {_plain(column): column for column in present}
    wanted = [_plain(name), *SYNONYMS.get(name, ())]
    guess = next((plain[w] for w in wanted if w in plain), None) or next(
        iter(get_close_matches(source, present, 1)), None
    )
    remedy = (
        f"if {guess} is it, pass --column {name}={guess}"
        if guess
        else f"name it so, or pass --column {name}=..."
    )
    return f"there is no column {source}; there are {some(present, MANY)}: {remedy}"


def _nothing_to_compare(table: pd.DataFrame, whole: pd.DataFrame) -> list[str]:
    """Say why nothing in a table can be compared, if so; of the whole one, some columns are in."""
    if whole.empty:
        return [NO_ROWS]
    if "gene" in table and len(table["gene"].unique()) == 1:
        gene = table["gene"].iloc[0]
        return [f"all rows are of one gene, {gene}: there is nothing to pool it with; add genes"]
    return []

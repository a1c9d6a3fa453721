"""A pooled screen: its table, checked once, and the index arrays that the models need."""

import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from poolscreen.arrays import FloatArray, IntArray
from poolscreen.errors import PoolscreenError, refuse

LABELS = ["cell_line", "sgRNA", "gene"]
COLUMNS = [*LABELS, "log_fc"]
REPLICATE = "replicate"
INITIAL = "initial_reads"  # normalised reads before the screen, where they are known
EXPECTED = "expected_reads"  # ... and those expected after it, where effects have been fitted


@dataclass(frozen=True, eq=False)
class Screen:
    """A pooled screen as a tidy table, one row per observation.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns `cell_line`, `sgRNA`, `gene` (labels) and `log_fc` (log fold change of the
        sgRNA's abundance, usually to base 2); other columns are kept and not used. Several rows of
        one sgRNA and cell line are replicates, which a column `replicate` may name. Labels become
        text. The table itself is not changed.

    Raises
    ------
    PoolscreenError
        If a column is missing, a label is empty, a fold change is not a finite number, an sgRNA
        belongs to two genes, a replicate is there twice, or there are no rows. It names every
        fault.

    Examples
    --------
    >>> table = pd.DataFrame(
    ...     {
    ...         "cell_line": ["HL60", "HL60", "HL60"],
    ...         "sgRNA": ["MYC_1", "MYC_2", "AAVS1_1"],
    ...         "gene": ["MYC", "MYC", "AAVS1"],
    ...         "log_fc": [-2.1, -1.7, 0.1],
    ...     }
    ... )
    >>> screen = Screen(table)
    >>> screen.genes, screen.gene_of_sgrna.tolist()
    (['MYC', 'AAVS1'], [0, 0, 1])
    >>> Screen(table.drop(columns="gene"))
    Traceback (most recent call last):
    poolscreen.errors.PoolscreenError: 1 fault:
    - there is no column gene; there are cell_line, sgRNA, log_fc
    """

    table: pd.DataFrame

    def __post_init__(self) -> None:
        """Check the table and order its labels by appearance."""
        refuse(_faults(self.table))
        columns = {label: _in_order(self.table[label]) for label in LABELS}
        log_fc = pd.to_numeric(self.table["log_fc"])
        table = self.table.assign(**columns, log_fc=log_fc).reset_index(drop=True)
        object.__setattr__(self, "table", table)

    def measured(self, log_fc: FloatArray) -> "Screen":
        """Return a screen of the same design with other log fold changes.

        Its labels are those of this screen and are not checked again, so that it is quick.

        Parameters
        ----------
        log_fc : numpy.ndarray, shape (observations,)

        Returns
        -------
        Screen

        Raises
        ------
        PoolscreenError
            If the values are not finite, or not as many as there are rows.

        Examples
        --------
        >>> again = small_screen.measured(small_screen.log_fc - 1)
        >>> again.genes, round(float((again.log_fc - small_screen.log_fc).mean()), 6)
        (['gene_0', 'gene_1'], -1.0)
        """
        if log_fc.shape != self.log_fc.shape or not np.isfinite(log_fc).all():
            raise PoolscreenError(
                f"a screen of this design has {len(self.log_fc):,} finite log fold changes, and "
                f"these are {log_fc.size:,}, {np.isfinite(log_fc).sum():,} of them finite"
            )
        other = copy.copy(self)
        del other.__dict__["log_fc"]
        object.__setattr__(other, "table", self.table.assign(log_fc=log_fc))
        return other

    @cached_property
    def coords(self) -> dict[str, list[str]]:
        """Labels of the dimensions `gene`, `cell_line` and `sgRNA`, in order of appearance."""
        return {
            column: self.table[column].cat.categories.tolist()
            for column in ("gene", "cell_line", "sgRNA")
        }

    @property
    def genes(self) -> list[str]:
        """Names of the genes."""
        return self.coords["gene"]

    @property
    def cell_lines(self) -> list[str]:
        """Names of the cell lines."""
        return self.coords["cell_line"]

    @property
    def sgrnas(self) -> list[str]:
        """Names of the sgRNAs."""
        return self.coords["sgRNA"]

    def _codes(self, column: str) -> IntArray:
        return np.asarray(self.table[column].cat.codes, dtype=np.int64)

    @cached_property
    def gene_idx(self) -> IntArray:
        """Index of the gene of each observation."""
        return self._codes("gene")

    @cached_property
    def cell_idx(self) -> IntArray:
        """Index of the cell line of each observation."""
        return self._codes("cell_line")

    @cached_property
    def sgrna_idx(self) -> IntArray:
        """Index of the sgRNA of each observation."""
        return self._codes("sgRNA")

    @cached_property
    def gene_of_sgrna(self) -> IntArray:
        """Index of the gene of each *sgRNA* (not of each observation)."""
        gene = np.empty(len(self.sgrnas), dtype=np.int64)
        gene[self.sgrna_idx] = self.gene_idx
        return gene

    @cached_property
    def log_fc(self) -> FloatArray:
        """Log fold change of each observation."""
        return self.table["log_fc"].to_numpy(np.float64)

    @cached_property
    def sgrnas_per_gene(self) -> "pd.Series[int]":
        """Number of sgRNAs of each gene, by the gene's name."""
        counts = np.bincount(self.gene_of_sgrna, minlength=len(self.genes))
        return pd.Series(counts, index=pd.Index(self.genes, name="gene"), name="sgRNAs")

    def sums(self, level: Literal["gene", "sgRNA"]) -> tuple[IntArray, FloatArray]:
        """Count and add up the observations of each gene, or each sgRNA, in each cell line.

        Parameters
        ----------
        level : {"gene", "sgRNA"}
            What the rows are.

        Returns
        -------
        n, total : numpy.ndarray, shape (genes or sgRNAs, cell lines)
            Number of observations, and their sum (log fold changes).

        Examples
        --------
        >>> table = pd.DataFrame({"cell_line": list("AAB"), "sgRNA": "s", "gene": "g"})
        >>> n, total = Screen(table.assign(log_fc=[-1.0, -2.0, 0.5])).sums("sgRNA")
        >>> n.tolist(), total.tolist()
        ([[2, 1]], [[-3.0, 0.5]])
        """
        row = self.gene_idx if level == "gene" else self.sgrna_idx
        shape = (len(self.coords[level]), len(self.cell_lines))
        unit, size = row * shape[1] + self.cell_idx, shape[0] * shape[1]
        n = np.bincount(unit, minlength=size).reshape(shape)
        return n, np.bincount(unit, self.log_fc, minlength=size).reshape(shape)

    @cached_property
    def replicates(self) -> IntArray:
        """Number of rows of each combination of sgRNA and cell line that has any."""
        n, _ = self.sums("sgRNA")
        return n[n > 0]


def _in_order(labels: pd.Series) -> pd.Categorical:
    """Make labels text, ordered by their first appearance."""
    codes, names = pd.factorize(labels.astype("str"))
    return pd.Categorical.from_codes(codes, names, ordered=True)


def _faults(table: pd.DataFrame) -> list[str]:
    """Say what makes a table no screen: what a model could not be given.

    A stranger's table is held to more, in more words, by `poolscreen.screens.tidy`.
    """
    columns = list(map(str, table.columns))
    missing = [name for name in COLUMNS if name not in columns]
    faults = [f"there is no column {name}; there are {', '.join(columns)}" for name in missing]
    if table.empty:
        return [*faults, "there are no rows"]
    wrong = {f"{label} is empty": _empty(table[label]) for label in LABELS if label in table}
    if "log_fc" in table:
        numbers, absent = pd.to_numeric(table["log_fc"], errors="coerce"), table["log_fc"].isna()
        wrong["log_fc is missing"] = absent
        wrong["log_fc is no number"] = numbers.isna() & ~absent
        wrong["log_fc is infinite"] = numbers.abs() == np.inf
    if {"sgRNA", "gene"} <= set(table):
        pairs = table[["sgRNA", "gene"]].drop_duplicates()
        shared = pairs["sgRNA"][pairs["sgRNA"].duplicated()]
        wrong["an sgRNA is listed under more than one gene"] = table["sgRNA"].isin(shared)
    key = ["sgRNA", "cell_line", REPLICATE]
    if set(key) <= set(table):
        again = "the same sgRNA, cell line and replicate again"
        wrong[again] = table.duplicated(key) & table[key].notna().all(axis=1)
    return [*faults, *(_in_rows(fault, table, rows) for fault, rows in wrong.items() if rows.any())]


def _empty(labels: pd.Series) -> pd.Series:
    """Tell which labels are empty; each is looked at once, as there may be millions of rows."""
    names = pd.Series(labels.unique())
    return labels.isin(names[names.isna() | (names.astype("str").str.strip() == "")])


def _in_rows(fault: str, table: pd.DataFrame, rows: pd.Series) -> str:
    """Add to a fault the first of its rows, as a spreadsheet counts, and how many there are."""
    places = np.flatnonzero(rows)
    first = table.iloc[places[0]][[name for name in COLUMNS if name in table]].to_dict()
    more = f" and {len(places) - 1:,} more" if len(places) > 1 else ""
    return f"{fault} (row {places[0] + 2:,}{more}: {first})"

"""A pooled screen: its table, checked once, and the index arrays that the models need."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from poolscreen import project
from poolscreen.errors import PoolscreenError

LABELS = ["cell_line", "sgRNA", "gene"]
COLUMNS = [*LABELS, "log_fc"]

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Screen:
    """A pooled screen as a tidy table, one row per observation.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns `cell_line`, `sgRNA`, `gene` (labels) and `log_fc` (log fold change of the
        sgRNA's abundance); other columns are kept and not used. Several rows of one sgRNA and
        cell line are replicates. The table itself is not changed.

    Raises
    ------
    PoolscreenError
        If a column is missing, a label is empty, a fold change is not a finite number, an sgRNA
        belongs to two genes, or there are no rows.
    """

    table: pd.DataFrame

    def __post_init__(self) -> None:
        """Check the table and order its labels by appearance."""
        _check(self.table)
        ordered = {
            column: pd.Categorical(
                self.table[column], categories=self.table[column].unique(), ordered=True
            )
            for column in LABELS
        }
        object.__setattr__(
            self, "table", self.table.assign(**ordered).reset_index(drop=True)
        )

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


def _check(table: pd.DataFrame) -> None:
    missing = [column for column in COLUMNS if column not in table.columns]
    if missing:
        raise PoolscreenError(
            f"the screen has no column {', '.join(missing)}; it has {', '.join(map(str, table))}"
        )
    if table.empty:
        raise PoolscreenError("the screen has no rows; a model needs observations")
    # Labels are looked at once each, not once per row: a screen may have millions.
    factors = {column: pd.factorize(table[column]) for column in LABELS}
    for column, (codes, labels) in factors.items():
        blank = np.array([str(label).strip() == "" for label in labels], dtype=bool)
        empty = (codes < 0) | np.append(blank, False)[codes]
        _refuse_rows(empty, f"an empty {column}; name it or leave the row out")
    if not pd.api.types.is_numeric_dtype(table["log_fc"]):
        raise PoolscreenError(
            f"log_fc is of type {table['log_fc'].dtype}; it must be numeric"
        )
    _refuse_rows(
        ~np.isfinite(table["log_fc"]),
        "a log_fc that is not a finite number; leave the row out",
    )
    (sgrna, sgrnas), (gene, genes) = factors["sgRNA"], factors["gene"]
    pairs = np.unique(sgrna * len(genes) + gene)
    shared = np.asarray(sgrnas)[np.bincount(pairs // len(genes)) > 1]
    if len(shared):
        raise PoolscreenError(
            f"sgRNA {shared[0]} belongs to more than one gene ({len(shared)} such sgRNAs); "
            "give each sgRNA one gene"
        )


def _refuse_rows(bad: "pd.Series[bool] | npt.NDArray[np.bool_]", fault: str) -> None:
    rows = np.flatnonzero(bad)
    if rows.size:
        raise PoolscreenError(
            f"{rows.size} rows, the first of them row {rows[0]}, have {fault}"
        )


def read_screen(path: Path) -> Screen:
    """Read a screen from a CSV file.

    Raises
    ------
    PoolscreenError
        If the file is not there or what it holds is no screen.
    """
    if not path.is_file():
        raise PoolscreenError(
            f"{path} is not there; `make book` makes the book's own screen"
        )
    try:
        return Screen(pd.read_csv(path))
    except (
        pd.errors.ParserError,
        pd.errors.EmptyDataError,
        UnicodeDecodeError,
    ) as error:
        raise PoolscreenError(f"{path} is no CSV table: {error}") from error
    except PoolscreenError as error:
        raise PoolscreenError(f"{path}: {error}") from error


def load_screen() -> Screen:
    """Load the book's simulated screen."""
    return read_screen(project.screen_path())

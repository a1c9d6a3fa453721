"""A pooled screen: its table, checked once, and the index arrays that the models need."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from poolscreen import project, reading, validation
from poolscreen.errors import PoolscreenError
from poolscreen.validation import LABELS, REPLICATE

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


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
    - there is no column gene; there are cell_line, sgRNA, log_fc: ...
    """

    table: pd.DataFrame

    def __post_init__(self) -> None:
        """Check the table and order its labels by appearance."""
        validation.check_screen(self.table)
        text = {column: self.table[column].astype("str") for column in LABELS}
        ordered = {
            column: pd.Categorical(labels, categories=labels.unique(), ordered=True)
            for column, labels in text.items()
        } | {"log_fc": pd.to_numeric(self.table["log_fc"])}
        object.__setattr__(self, "table", self.table.assign(**ordered).reset_index(drop=True))

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


def read_screen(
    path: Path,
    *,
    columns: Mapping[str, str] | None = None,
    separator: str | None = None,
) -> Screen:
    """Read a screen from a file.

    Parameters
    ----------
    path : pathlib.Path
        CSV, TSV (gzipped or not) or Parquet, with the columns of `Screen`; replicates have a
        column `replicate`.
    columns : mapping of str to str, optional
        What a column is called in the file, by the name it should have.
    separator : str, optional
        What parts the fields; by default commas, or tabs where the name says so.

    Returns
    -------
    Screen

    Raises
    ------
    PoolscreenError
        If the file cannot be read, or what it holds is no screen. It names every fault, with rows
        and a remedy.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> table = pd.DataFrame(
    ...     {"line": "A", "sgRNA": [1, 2], "gene": ["MYC", "TP53"], "log_fc": [-2.0, 0.5]}
    ... )
    >>> with TemporaryDirectory() as folder:
    ...     table.to_csv(Path(folder, "own.csv"), index=False)
    ...     screen = read_screen(Path(folder, "own.csv"), columns={"cell_line": "line"})
    >>> screen.cell_lines, screen.log_fc.tolist()
    (['A'], [-2.0, 0.5])
    >>> read_screen(Path("nowhere.csv"))
    Traceback (most recent call last):
    poolscreen.errors.PoolscreenError: nowhere.csv is not there; is its name right?
    """
    table = reading.read_table(path, separator)
    try:
        return Screen(validation.tidy(table, columns))
    except PoolscreenError as error:
        raise PoolscreenError(f"{path}: {error}") from error


def load_screen(screen: str = "") -> Screen:
    """Load a screen of the book; calling this in a chapter has the screen made.

    Parameters
    ----------
    screen : str
        Name of a real screen, whose counts lie in `data/`; by default the simulated screen.

    Returns
    -------
    Screen

    Raises
    ------
    PoolscreenError
        If the screen has not been made.

    Examples
    --------
    >>> screen = load_screen()
    >>> len(screen.log_fc), len(screen.genes), len(screen.sgrnas), len(screen.cell_lines)
    (1100, 10, 55, 20)
    >>> load_screen("unknown")
    Traceback (most recent call last):
    poolscreen.errors.PoolscreenError: ...unknown.csv is not there; `make book` makes ...
    """
    path = project.screen_path(screen)
    if not path.is_file():
        raise PoolscreenError(f"{path} is not there; `make book` makes the book's own screens")
    return Screen(pd.read_csv(path, dtype=dict.fromkeys([*LABELS, REPLICATE], "str")))

"""Screens too large for a table in memory: a Parquet file, added up in pieces as it is read."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from poolscreen.arrays import FloatArray, IntArray
from poolscreen.errors import PoolscreenError, refuse
from poolscreen.processes import ahead
from poolscreen.progress import Progress, Say, silence
from poolscreen.screens.rules import MANY, some
from poolscreen.screens.table import COLUMNS, LABELS

LARGE = 1_000_000  # rows, from which on a file is read in pieces
ROWS = 2**20  # of a piece
FAR = 1e6  # beyond which a log fold change has no sense
SHOWN = 5  # examples of a fault


@dataclass(frozen=True)
class Matrix:
    """A screen, added up by cell line and sgRNA.

    Attributes
    ----------
    genes, sgrnas, cell_lines : list of str
        Labels, in order of appearance.
    gene_of_sgrna : numpy.ndarray, shape (sgRNAs,)
        Index of the gene of each sgRNA.
    n, total : numpy.ndarray, shape (cell lines, sgRNAs)
        Number of observations, and their sum.
    squares : float
        Sum of the squares of all observations.
    """

    genes: list[str]
    sgrnas: list[str]
    cell_lines: list[str]
    gene_of_sgrna: IntArray
    n: IntArray
    total: FloatArray
    squares: float

    @property
    def rows(self) -> int:
        """Number of observations."""
        return int(self.n.sum(dtype=np.int64))


def is_large(path: Path) -> bool:
    """Tell whether a file is a Parquet file with too many rows for a table in memory."""
    try:
        return bool(pq.read_metadata(path).num_rows >= LARGE)
    except (pa.ArrowException, OSError):
        return False


def read_matrix(path: Path, columns: Mapping[str, str] | None = None, say: Say = silence) -> Matrix:
    """Read a screen from a Parquet file, a few of its row groups at a time.

    Parameters
    ----------
    path : pathlib.Path
        The file; see `poolscreen.screens.table.Screen` for its columns. Its rows may be in any
        order; it is read fastest where those of a cell line lie together.
    columns : mapping of str to str, optional
        Names of the columns in the file, where they differ.
    say : callable, optional
        Takes messages: how far the work is.

    Returns
    -------
    Matrix

    Raises
    ------
    PoolscreenError
        If the file is damaged, a column is missing, a label is empty, a log fold change is not a
        finite number or beyond any sense, or an sgRNA belongs to two genes. It names every kind of
        fault, with examples.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "screen.parquet")
    ...     small_screen.table.to_parquet(path)
    ...     found = read_matrix(path)
    >>> found.n.tolist(), found.gene_of_sgrna.tolist()
    ([[1, 1, 1], [1, 1, 1]], [0, 1, 1])
    """
    names = {name: (columns or {}).get(name, name) for name in COLUMNS}
    file = pq.ParquetFile(path)
    there = set(file.schema_arrow.names)
    refuse(
        [
            f"there is no column {name}; there are {some(file.schema_arrow.names, MANY)}"
            for name in names.values()
            if name not in there
        ]
    )
    reading, progress = _Reading(), Progress(say)
    for batch in _batches(path, list(names.values()), file.num_row_groups):
        progress(f"{reading.row:,} of {file.metadata.num_rows:,} rows")
        reading.add({label: batch.column(name) for label, name in names.items()})
    return reading.result()


def _batches(path: Path, columns: list[str], row_groups: int) -> Iterator[pa.RecordBatch]:
    """Decode the row groups of a file in threads, each with a reader of its own; in their order."""
    of_thread = threading.local()

    def decoded(number: int) -> pa.Table:
        if not hasattr(of_thread, "file"):
            of_thread.file = pq.ParquetFile(path, read_dictionary=columns[: len(LABELS)])
        try:
            return of_thread.file.read_row_group(number, columns=columns, use_threads=False)
        except (pa.ArrowException, OSError) as error:
            raise PoolscreenError(
                f"row group {number} of the Parquet file is damaged ({error}); write or fetch the "
                "file again"
            ) from error

    for table in ahead(decoded, range(row_groups)):
        yield from table.to_batches(max_chunksize=ROWS)


@dataclass
class _Reading:
    """What has been read of a file."""

    row: int = 0
    labels: dict[str, pa.Array] = field(
        default_factory=lambda: dict.fromkeys(LABELS, pa.array([], pa.string()))
    )
    last: dict[str, tuple[pa.Array, IntArray]] = field(default_factory=dict)
    gene_of: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    lines: list[tuple[FloatArray, FloatArray]] = field(default_factory=list)
    squares: float = 0.0
    faults: dict[str, list[str]] = field(default_factory=dict)

    def add(self, columns: Mapping[str, pa.Array]) -> None:
        """Add a piece of the file."""
        codes = {name: self._codes(name, columns[name]) for name in LABELS}
        log_fc = _numbers(columns["log_fc"])
        wrong = ~np.isfinite(log_fc) | (np.abs(log_fc) > FAR)
        self._note("log_fc is no finite number within reason", np.flatnonzero(wrong), columns)
        good = ~wrong
        for found in codes.values():
            good &= found >= 0
        line, sgrna, gene = (found[good] for found in codes.values())
        self._check_genes(sgrna, gene, np.flatnonzero(good), columns)
        self._sum(line, sgrna, log_fc[good])
        self.row += len(log_fc)

    def _codes(self, name: str, column: pa.Array) -> IntArray:
        """Return the index of each label; -1 where it is empty."""
        if not pa.types.is_dictionary(column.type):
            column = column.cast(pa.string()).dictionary_encode()
        place = self._places(name, column.dictionary.cast(pa.string()))
        codes = pc.fill_null(column.indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False)
        found: IntArray = place[codes]
        missing = np.flatnonzero(found < 0)
        if len(missing):
            self._note(f"{name} is empty", missing, {})
        return found

    def _places(self, name: str, words: pa.Array) -> IntArray:
        """Return the index of each word of a dictionary, -1 where it is empty, and a last -1.

        Mostly a file has the same dictionary again and again.
        """
        if name in self.last and words.equals(self.last[name][0]):
            return self.last[name][1]
        empty = pc.fill_null(pc.equal(pc.utf8_trim_whitespace(words), ""), fill_value=True)
        known = self.labels[name]
        new = words.filter(pc.invert(pc.or_(empty, pc.is_in(words, value_set=known))))
        self.labels[name] = known = pa.concat_arrays([known, new.unique()])
        found = pc.fill_null(pc.index_in(words, value_set=known), -1)
        numbers = found.to_numpy(zero_copy_only=False).astype(np.int64)
        numbers[empty.to_numpy(zero_copy_only=False)] = -1
        place = np.append(numbers, -1)
        self.last[name] = words, place
        return place

    def _note(self, what: str, rows: IntArray, columns: Mapping[str, pa.Array]) -> None:
        """Keep a kind of fault, with the first rows that have it."""
        if len(rows):
            value = columns.get("log_fc")
            kept = self.faults.setdefault(what, [])
            for row in rows[: max(0, SHOWN - len(kept))]:
                shown = f" ({value[int(row)]})" if value is not None else ""
                kept.append(f"{self.row + int(row) + 1:,}{shown}")

    def _check_genes(
        self, sgrna: IntArray, gene: IntArray, rows: IntArray, columns: Mapping[str, pa.Array]
    ) -> None:
        """Remember the gene of each sgRNA, and note where it has another."""
        grown = np.full(max(len(self.labels["sgRNA"]), len(self.gene_of)), -1, dtype=np.int64)
        grown[: len(self.gene_of)] = self.gene_of
        new = grown[sgrna] < 0
        grown[sgrna[new]] = gene[new]
        self.gene_of = grown
        other = np.flatnonzero(grown[sgrna] != gene)
        for place in other[: SHOWN if other.size else 0]:
            name = columns["sgRNA"][int(rows[place])]
            kept = self.faults.setdefault("an sgRNA belongs to two genes", [])
            if len(kept) < SHOWN:
                kept.append(f"{self.row + int(rows[place]) + 1:,} ({name})")

    def _sum(self, line: IntArray, sgrna: IntArray, log_fc: FloatArray) -> None:
        """Add observations to the sums of their cell lines."""
        size = len(self.labels["sgRNA"])
        while len(self.lines) < len(self.labels["cell_line"]):
            self.lines.append((np.zeros(0), np.zeros(0)))
        order = np.argsort(line, kind="stable")
        if not np.array_equal(line[order], line):
            line, sgrna, log_fc = line[order], sgrna[order], log_fc[order]
        starts = np.flatnonzero(np.diff(line, prepend=-1))
        for start, end in zip(starts, [*starts[1:], len(line)], strict=True):
            which, part = line[start], sgrna[start:end]
            n, total = (_grown(values, size) for values in self.lines[which])
            np.add.at(n, part, 1.0)  # an int takes fifty times as long
            np.add.at(total, part, log_fc[start:end])
            self.lines[which] = n, total
        self.squares += float(log_fc @ log_fc)

    def result(self) -> Matrix:
        """Return the sums, if there was no fault."""
        refuse(
            [
                f"{what}, in row {', '.join(rows)}{' ...' * (len(rows) == SHOWN)}"
                for what, rows in self.faults.items()
            ]
        )
        if not self.lines:
            raise PoolscreenError("there are no rows")
        size = len(self.labels["sgRNA"])
        n = np.stack([_grown(counts, size).astype(np.int64) for counts, _ in self.lines])
        total = np.stack([_grown(totals, size) for _, totals in self.lines])
        genes, sgrnas, lines = (
            self.labels[name].to_pylist() for name in ("gene", "sgRNA", "cell_line")
        )
        return Matrix(genes, sgrnas, lines, self.gene_of, n, total, self.squares)


def _numbers(column: pa.Array) -> FloatArray:
    """Return a column of numbers; NaN where there is none."""
    try:
        values: FloatArray = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid as error:
        raise PoolscreenError(f"log_fc is not a column of numbers ({error})") from error
    return values


def _grown(values: FloatArray, size: int) -> FloatArray:
    """Return an array with zeros added, to have a size."""
    if len(values) == size:
        return values
    return np.concatenate([values, np.zeros(size - len(values))])


def pieces(matrix: Matrix, most: int) -> Iterator[slice]:
    """Give the cell lines, as many at a time as hold so many sgRNAs."""
    step = max(1, most // len(matrix.sgrnas))
    for start in range(0, len(matrix.cell_lines), step):
        yield slice(start, min(start + step, len(matrix.cell_lines)))

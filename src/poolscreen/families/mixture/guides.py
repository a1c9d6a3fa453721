"""What model 9 sees of a screen: the measurements of each guide, gene by gene."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from poolscreen.arrays import BoolArray, FloatArray, IntArray
from poolscreen.errors import PoolscreenError
from poolscreen.screens.table import EXPECTED, INITIAL, Screen


@dataclass(frozen=True)
class Guides:
    """The guides of one cell line, those of a gene side by side.

    Attributes
    ----------
    genes, names : list of str
        Labels of the genes, and of the guides.
    gene : numpy.ndarray, shape (guides,)
        Index of each guide's gene; it never falls.
    log_fc : numpy.ndarray, shape (guides, replicates)
        What was measured; NaN where a guide has fewer replicates than others.
    initial : numpy.ndarray, shape (guides,), or None
        Normalised reads before the screen; None where they are not known.
    expected : numpy.ndarray, shape (guides,), or None
        Reads that are expected after the screen, whatever the effect that is looked for: where this
        is a difference. They stand in for `initial`.
    """

    genes: list[str]
    names: list[str]
    gene: IntArray
    log_fc: FloatArray
    initial: FloatArray | None
    expected: FloatArray | None = None

    @cached_property
    def starts(self) -> IntArray:
        """Index of the first guide of each gene."""
        return np.searchsorted(self.gene, np.arange(len(self.genes)))

    @property
    def sizes(self) -> IntArray:
        """Number of guides of each gene."""
        return np.diff(np.append(self.starts, len(self.gene)))

    def of_genes(self, genes: slice | IntArray) -> "Guides":
        """Return the guides of some genes, in rising order."""
        chosen = np.arange(len(self.genes))[genes]
        place = np.full(len(self.genes), -1)
        place[chosen] = np.arange(len(chosen))
        return self._of(place[self.gene] >= 0, [self.genes[g] for g in chosen], place)

    def without(self, guides: IntArray) -> "Guides":
        """Return the screen without some guides; every gene keeps its place."""
        kept = np.ones(len(self.gene), dtype=bool)
        kept[guides] = False
        return self._of(kept, self.genes, np.arange(len(self.genes)))

    def _of(self, rows: BoolArray, genes: list[str], place: IntArray) -> "Guides":
        reads = [None if of is None else of[rows] for of in (self.initial, self.expected)]
        names = [self.names[row] for row in np.flatnonzero(rows)]
        return Guides(genes, names, place[self.gene[rows]], self.log_fc[rows], *reads)


def guides(screen: Screen, cell_line: str) -> Guides:
    """Put the measurements of each guide in one cell line into a row.

    Parameters
    ----------
    screen : Screen
        Its table may have a column `initial_reads`, normalised reads before the screen, or
        `expected_reads`.
    cell_line : str
        One of its cell lines.

    Returns
    -------
    Guides
        Genes in the order of the screen, those alone that were measured in this line.

    Raises
    ------
    PoolscreenError
        If there is no such cell line.

    Examples
    --------
    >>> found = guides(small_screen, "cell_0")
    >>> found.genes, found.gene.tolist(), found.log_fc.shape
    (['gene_0', 'gene_1'], [0, 1, 1], (3, 1))
    """
    if cell_line not in screen.cell_lines:
        raise PoolscreenError(
            f"there is no cell line {cell_line!r}; there are {', '.join(screen.cell_lines)}"
        )
    rows = np.flatnonzero(screen.cell_idx == screen.cell_lines.index(cell_line))
    rows = rows[np.lexsort((screen.sgrna_idx[rows], screen.gene_idx[rows]))]
    new = np.diff(screen.sgrna_idx[rows], prepend=-1) != 0
    guide, first = np.cumsum(new) - 1, np.flatnonzero(new)
    replicate = np.arange(len(rows)) - first[guide]
    log_fc = np.full((len(first), int(replicate.max()) + 1), np.nan)
    log_fc[guide, replicate] = screen.log_fc[rows]
    genes, gene = np.unique(screen.gene_idx[rows[first]], return_inverse=True)

    def reads(column: str) -> FloatArray | None:
        if column not in screen.table:
            return None
        of_rows = screen.table[column].to_numpy(np.float64)[rows]
        found: FloatArray = np.bincount(guide, of_rows) / np.bincount(guide)
        return found

    names = [screen.sgrnas[s] for s in screen.sgrna_idx[rows[first]]]
    labels = [screen.genes[g] for g in genes]
    return Guides(labels, names, gene, log_fc, reads(INITIAL), reads(EXPECTED))

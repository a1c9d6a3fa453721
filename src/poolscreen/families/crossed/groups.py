"""The design of a screen as the closed form of a crossed model sees it: what is alike together."""

import numpy as np

from poolscreen.arrays import IntArray
from poolscreen.families.crossed.data import informative
from poolscreen.families.crossed.levels import Levels
from poolscreen.families.layouts import layouts
from poolscreen.screens.table import Screen

# What is nested in what: each level with those whose effects more observations share, and the
# degrees of freedom, per effect of these, from which on the data tell the two scales apart. Two
# lines (one degree of freedom for each gene) tell those of genes and of interactions apart loosely:
# where one of the two may be near zero, the other is large.
WITHIN = {
    "noise": dict.fromkeys(("own", "sgrna", "interaction", "gene", "line"), 0.1),
    "own": dict.fromkeys(("sgrna", "interaction", "gene", "line"), 0.1),
    "sgrna": {"gene": 0.1},
    "interaction": {"gene": 1.5, "line": 0.1},
}


class Groups:
    """Genes and sgRNAs by how they were observed, and the model that is to take them in.

    Parameters
    ----------
    levels : Levels
        The model.
    screen : Screen
        The data.

    Attributes
    ----------
    n, totals : numpy.ndarray, shape (sgRNAs, cell lines)
        Number of observations, and their sum.
    patterns, pattern : numpy.ndarray, shapes (P, cell lines) and (sgRNAs,)
        The different rows of `n`, and which of them that of each sgRNA is.
    number : numpy.ndarray, shape (P,)
        Number of sgRNAs of each pattern.
    like : Layouts
        The genes, by the patterns of their sgRNAs.
    in_line : numpy.ndarray, shape (L, K, cell lines)
        Observations of each sgRNA of a stratum, by cell line.
    order, starts : numpy.ndarray, shapes (sgRNAs,) and (genes + 1,)
        The sgRNAs gene by gene, and where each gene begins among them.

    Raises
    ------
    PoolscreenError
        If all observations are equal.
    """

    def __init__(self, levels: Levels, screen: Screen) -> None:
        informative(screen)
        self.levels, self.screen = levels, screen
        n, self.totals = screen.sums("sgRNA")
        self.n = n.astype(np.float64)
        self.patterns, self.pattern = np.unique(self.n, axis=0, return_inverse=True)
        self.number = np.bincount(self.pattern).astype(np.float64)
        self.like = layouts(screen.gene_of_sgrna, self.pattern)
        self.in_line = self.patterns[self.like.kind]
        self.order = np.argsort(screen.gene_of_sgrna, kind="stable")
        bounds = np.arange(len(screen.genes) + 1)
        self.starts = np.searchsorted(screen.gene_of_sgrna[self.order], bounds)

    def sgrnas_of(self, genes: slice) -> IntArray:
        """Return the sgRNAs of some genes, gene by gene."""
        rows: IntArray = self.order[self.starts[genes.start] : self.starts[genes.stop]]
        return rows

    def column(self, sgrnas: IntArray) -> IntArray:
        """Return the number of the stratum of some sgRNAs within their gene."""
        columns: IntArray = self.like.column[self.like.stratum[sgrnas]]
        return columns


def together(groups: Groups) -> list[list[str]]:
    """Return the scales, those that the design hardly tells apart in one list.

    Parameters
    ----------
    groups : Groups
        The model, and the design.

    Returns
    -------
    list of list of str

    Examples
    --------
    In a single cell line nothing tells what a gene does there from what it does everywhere, and in
    two little does. Without replicates nothing tells the deviation of an sgRNA from the noise
    there:

    >>> levels = Levels(interaction_sd="sigma_delta")
    >>> table = small_screen.table
    >>> together(Groups(levels, Screen(table[table["cell_line"] == "cell_0"])))
    [['sigma_gamma', 'sigma_delta'], ['sigma_alpha', 'sigma'], ['sigma_beta']]
    >>> together(Groups(levels, small_screen))
    [['sigma_gamma', 'sigma_delta'], ['sigma_alpha'], ['sigma_beta'], ['sigma']]
    """
    levels, screen = groups.levels, groups.screen
    seen = np.zeros((len(screen.genes), groups.n.shape[1]))
    np.add.at(seen, screen.gene_of_sgrna, groups.n)
    sizes = {
        "gene": len(seen),
        "sgrna": len(groups.n),
        "line": seen.shape[1],
        "interaction": np.count_nonzero(seen),
        "own": np.count_nonzero(groups.n),
        "noise": len(screen.log_fc),
    }
    of = {
        "gene": levels.gene_sd,
        "sgrna": levels.nested_sd,
        "line": levels.line_sd,
        "interaction": levels.interaction_sd,
        "own": levels.own_sd,
        "noise": "sigma",
    }
    lists = [[name] for name in levels.parameters]
    pairs = ((f, *needed) for f, coarser in WITHIN.items() for needed in coarser.items())
    for finer, coarser, enough in pairs:
        apart = sizes[finer] - sizes[coarser] >= enough * sizes[coarser]
        if {of[finer], of[coarser]} <= set(levels.parameters) and not apart:
            one, other = (next(x for x in lists if of[level] in x) for level in (coarser, finer))
            if one is not other:
                one += other
                lists.remove(other)
    order = levels.parameters.index
    return [sorted(names, key=order) for names in lists]

"""A screen as a crossed model sees it: sums by gene and by pattern of observation."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from poolscreen.arrays import FloatArray
from poolscreen.errors import PoolscreenError
from poolscreen.screens.table import Screen


@dataclass(frozen=True)
class Statistics:
    """What a screen tells of the scales: sums by gene and by pattern of observation.

    A *pattern* is how often an sgRNA was observed in each cell line. A complete screen has one.

    Attributes
    ----------
    n : numpy.ndarray, shape (P, cell lines)
        Observations of an sgRNA of each pattern, by cell line.
    sgrnas, total : numpy.ndarray, shape (genes, P)
        Number of sgRNAs of each gene and pattern, and the sum of their observations.
    squares : numpy.ndarray, shape (P,)
        Sum, over the sgRNAs of a pattern, of the square of the sum of their observations.
    cell_total : numpy.ndarray, shape (cell lines,)
        Sum of the observations in each cell line.
    sum_of_squares : float
        Of all observations.

    Examples
    --------
    >>> from poolscreen.screens.simulate import Design, simulate
    >>> screen = Screen(simulate(Design(n_cell_lines=2, sgrnas_per_gene=(1, 2)))[0])
    >>> found = statistics(screen)
    >>> found.n.tolist(), found.sgrnas.tolist()
    ([[1.0, 1.0]], [[1], [2]])
    """

    n: Any
    sgrnas: Any
    total: Any
    squares: Any
    cell_total: Any
    sum_of_squares: Any

    def as_data(self) -> dict[str, FloatArray]:
        """Return the attributes by name, as arrays of floats.

        Returns
        -------
        dict of str to numpy.ndarray

        Examples
        --------
        >>> from poolscreen.screens.simulate import Design, simulate
        >>> screen = Screen(simulate(Design(n_cell_lines=2, sgrnas_per_gene=(1, 2)))[0])
        >>> {name: values.shape for name, values in statistics(screen).as_data().items()}["total"]
        (2, 1)
        """
        return {
            field.name: np.asarray(getattr(self, field.name), dtype=np.float64)
            for field in fields(self)
        }


def statistics(screen: Screen) -> Statistics:
    """Reduce a screen to what the marginal likelihood of a crossed model needs.

    Parameters
    ----------
    screen : Screen
        Any number of replicates, equal or not; combinations may be missing.

    Returns
    -------
    Statistics

    Examples
    --------
    An sgRNA that was not seen in the second cell line has a pattern of its own:

    >>> from poolscreen.screens.simulate import Design, simulate
    >>> table, _ = simulate(Design(n_cell_lines=2, sgrnas_per_gene=(1, 2)))
    >>> statistics(Screen(table.drop(index=1))).n.tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """
    n, total = screen.sums("sgRNA")
    patterns, pattern = np.unique(n.astype(np.float64), axis=0, return_inverse=True)
    shape = (len(screen.genes), len(patterns))
    place = screen.gene_of_sgrna * shape[1] + pattern
    of_sgrna = total.sum(1)
    return Statistics(
        n=patterns,
        sgrnas=np.bincount(place, minlength=shape[0] * shape[1]).reshape(shape),
        total=np.bincount(place, of_sgrna, minlength=shape[0] * shape[1]).reshape(shape),
        squares=np.bincount(pattern, of_sgrna**2, minlength=shape[1]),
        cell_total=total.sum(0),
        sum_of_squares=float((screen.log_fc**2).sum()),
    )


def informative(screen: Screen) -> Statistics:
    """Reduce a screen, unless all of its observations are equal.

    Parameters
    ----------
    screen : Screen
        The data.

    Returns
    -------
    Statistics

    Raises
    ------
    PoolscreenError
        If there is nothing to learn a standard deviation from.

    Examples
    --------
    >>> informative(Screen(small_screen.table.assign(log_fc=-1.0)))
    Traceback (most recent call last):
    poolscreen.errors.PoolscreenError: all 6 values of log_fc are -1: with zero variance ...
    """
    if len(screen.log_fc) < 2 or np.ptp(screen.log_fc) == 0:
        raise PoolscreenError(
            f"all {len(screen.log_fc)} values of log_fc are {screen.log_fc[0]:g}: with zero "
            "variance there is nothing to estimate; is this the right column?"
        )
    return statistics(screen)

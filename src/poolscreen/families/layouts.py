"""Groups that are alike: what makes a large screen as small as its design is simple."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from poolscreen.arrays import FloatArray, IntArray


@dataclass(frozen=True)
class Layouts:
    """Groups of units, by what they consist of.

    The units of a group that are of one kind form a *stratum*. Groups whose strata are of the same
    kinds and sizes have the same *layout*.

    Attributes
    ----------
    stratum : numpy.ndarray, shape (units,)
        Stratum of each unit.
    group, column : numpy.ndarray, shape (strata,)
        Group of each stratum, and its number within the group.
    layout : numpy.ndarray, shape (groups,)
        Layout of each group.
    groups : numpy.ndarray, shape (L,)
        Number of groups of each layout.
    units, kind : numpy.ndarray, shape (L, K)
        Units in each stratum of a group of the layout, and their kind; 0 where the layout has fewer
        strata.
    """

    stratum: IntArray
    group: IntArray
    column: IntArray
    layout: IntArray
    groups: IntArray
    units: IntArray
    kind: IntArray

    def by_group(self, values: FloatArray) -> FloatArray:
        """Put what belongs to each stratum into a table with a row for each group, else 0."""
        table = np.zeros((len(self.layout), self.units.shape[1], *values.shape[1:]))
        table[self.group, self.column] = values
        return table

    def over_groups(self, values: FloatArray) -> FloatArray:
        """Add up, over the groups of each layout, what belongs to each group."""
        flat = values.reshape(len(values), -1).T
        sums = [np.bincount(self.layout, column, minlength=len(self.groups)) for column in flat]
        return np.stack(sums, axis=-1).reshape(len(self.groups), *values.shape[1:])


def layouts(group: IntArray, kind: IntArray) -> Layouts:
    """Find the groups of units that are alike.

    Parameters
    ----------
    group, kind : numpy.ndarray, shape (units,)
        Group of each unit, from 0 on and none empty, and its kind, not below 0.

    Returns
    -------
    Layouts

    Examples
    --------
    Three groups; the first and the last have two units of kind 1:

    >>> found = layouts(np.array([0, 0, 1, 1, 2, 2]), np.array([1, 1, 1, 3, 1, 1]))
    >>> found.layout.tolist(), found.groups.tolist()
    ([0, 1, 0], [2, 1])
    >>> found.units.tolist(), found.kind.tolist()
    ([[2, 0], [1, 1]], [[1, 0], [1, 3]])
    """
    kinds = int(kind.max()) + 1
    codes, stratum, units = np.unique(group * kinds + kind, return_inverse=True, return_counts=True)
    of_stratum = codes // kinds
    first = np.searchsorted(of_stratum, np.arange(of_stratum[-1] + 1))
    column = np.arange(len(codes)) - first[of_stratum]
    table = np.zeros((2, len(first), int(column.max()) + 1), dtype=np.int64)
    table[:, of_stratum, column] = units, codes % kinds
    # pandas tells equal rows by hashing; NumPy would sort them.
    rows = pd.DataFrame(np.hstack(list(table)))
    layout = rows.groupby(list(rows), sort=False).ngroup().to_numpy(np.int64)
    _, example = np.unique(layout, return_index=True)
    return Layouts(
        stratum=stratum,
        group=of_stratum,
        column=column,
        layout=np.asarray(layout, dtype=np.int64),
        groups=np.bincount(layout),
        units=table[0][example],
        kind=table[1][example],
    )

"""A screen as a nested model sees it: units, and sufficient statistics."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np

from poolscreen.arrays import FloatArray, IntArray
from poolscreen.errors import PoolscreenError
from poolscreen.families.layouts import layouts
from poolscreen.families.nested.levels import Levels
from poolscreen.screens.table import Screen


@dataclass(frozen=True)
class Units:
    """The observations of a screen by *unit*: the lowest level of a model in one cell line.

    Attributes
    ----------
    n, mean : numpy.ndarray, shape (rows, cell lines)
        Count and mean (a log fold change) of the observations of each unit; the mean is 0 where
        the count is. A row is an sgRNA, or a gene where the model has no level below.
    row : numpy.ndarray, shape (observations,)
        Row of each observation.
    group_of_row : numpy.ndarray, shape (rows,)
        Row of the top level that each row of the lowest level belongs to.
    ss_within : float
        Sum of squares of the observations about their unit's mean, over all units.

    Examples
    --------
    Two replicates in the first cell line, one observation in the second:

    >>> from poolscreen.models import m7b
    >>> table = pd.DataFrame(
    ...     {"cell_line": ["A", "A", "B"], "sgRNA": "s1", "gene": "g", "log_fc": [-1, -2, 0.5]}
    ... )
    >>> found = units(m7b.FAMILY, Screen(table))
    >>> found.n.tolist(), found.mean.tolist(), found.ss_within
    ([[2, 1]], [[-1.5, 0.5]], 0.5)
    """

    n: IntArray
    mean: FloatArray
    row: IntArray
    group_of_row: IntArray
    ss_within: float


def units(levels: Levels, screen: Screen) -> Units:
    """Gather the observations of a screen by the units of a model.

    Parameters
    ----------
    levels : Levels
        The model.
    screen : Screen
        Any number of replicates, equal or not; combinations may be missing.

    Returns
    -------
    Units

    Examples
    --------
    One gene of two sgRNAs: to model 7a they are looks at one effect, to model 7b two effects.

    >>> from poolscreen.models import m7a, m7b
    >>> table = pd.DataFrame(
    ...     {"cell_line": "A", "sgRNA": ["s1", "s2"], "gene": "g", "log_fc": [-1.0, -2.0]}
    ... )
    >>> units(m7a.FAMILY, Screen(table)).mean.tolist()
    [[-1.5]]
    >>> units(m7b.FAMILY, Screen(table)).mean.tolist()
    [[-1.0], [-2.0]]
    """
    level: Literal["gene", "sgRNA"] = (
        "gene" if levels.level == "gene" and levels.nested is None else "sgRNA"
    )
    row = screen.gene_idx if level == "gene" else screen.sgrna_idx
    n, total = screen.sums(level)
    mean = total / np.maximum(n, 1)
    return Units(
        n=n,
        mean=mean,
        row=row,
        group_of_row=screen.gene_of_sgrna if levels.nested else np.arange(len(n)),
        ss_within=float(np.sum((screen.log_fc - mean[row, screen.cell_idx]) ** 2)),
    )


@dataclass(frozen=True)
class Statistics:
    r"""What a screen tells about the means and scales of a model: sufficient statistics.

    A *group* is a combination of the top level and cell line. Its units with equally many
    replicates form a *stratum*. Groups with the same strata have the same *layout*, and enter the
    likelihood together: a screen of any size is as many numbers as it has layouts, `L`, of at most
    `K` strata.

    Attributes
    ----------
    groups : numpy.ndarray, shape (L,)
        Number of groups of the layout.
    units, replicates : numpy.ndarray, shape (L, K)
        Units of the stratum in each group (0 where the layout has fewer strata), and observations
        of each unit.
    mean : numpy.ndarray, shape (L, K)
        Mean of the stratum's units, averaged over the groups.
    scatter : numpy.ndarray, shape (L, K, K)
        Sums of squares and products, over the groups, of the strata's means about `mean`.
    difference : numpy.ndarray, shape (L, K, K)
        Sum of squares, over the groups, of the differences between the means of two strata.
    ss_between : numpy.ndarray, shape (L, K)
        Sum of squares of the units' means about the mean of their stratum, over the groups.
    ss_within, df_within : float
        Sum of squares of the observations about their unit's mean, over all units, and its degrees
        of freedom.
    constant : float
        What the log density holds besides.

    Examples
    --------
    To model 7b, the 1,100 rows of the book's screen have ten layouts, one for each number of
    sgRNAs of a gene, each of twenty groups (the cell lines):

    >>> from poolscreen.models import m7b
    >>> from poolscreen.screens.simulate import Design, simulate
    >>> data = statistics(m7b.FAMILY, Screen(simulate(Design())[0]))
    >>> data.units.ravel().astype(int).tolist()
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    >>> set(data.groups.tolist())
    {20}
    """

    groups: Any
    units: Any
    replicates: Any
    mean: Any
    scatter: Any
    difference: Any
    ss_between: Any
    ss_within: Any
    df_within: Any
    constant: Any

    def as_data(self) -> dict[str, FloatArray]:
        """Return the statistics by name, as arrays of floats.

        Returns
        -------
        dict of str to numpy.ndarray
            The attributes, in the shapes that they have there; numbers have the shape ().

        Examples
        --------
        >>> from poolscreen.models import m7a
        >>> from poolscreen.screens.simulate import Design, simulate
        >>> screen = Screen(simulate(Design(n_cell_lines=2, sgrnas_per_gene=(1, 2)))[0])
        >>> data = statistics(m7a.FAMILY, screen).as_data()
        >>> {name: data[name].shape for name in ("groups", "units", "scatter", "ss_within")}
        {'groups': (2,), 'units': (2, 1), 'scatter': (2, 1, 1), 'ss_within': ()}
        """
        return {
            field.name: np.asarray(getattr(self, field.name), dtype=np.float64)
            for field in fields(self)
        }


def statistics(levels: Levels, screen: Screen) -> Statistics:
    """Reduce a screen to the sufficient statistics of a model.

    Parameters
    ----------
    levels : Levels
        The model.
    screen : Screen
        Any number of replicates, equal or not; combinations may be missing.

    Returns
    -------
    Statistics

    Examples
    --------
    One gene with two sgRNAs, in two cell lines: two groups of one layout, with two units each.

    >>> from poolscreen.models import m7b
    >>> from poolscreen.screens.simulate import Design, simulate
    >>> screen = Screen(simulate(Design(n_cell_lines=2, sgrnas_per_gene=(2,)))[0])
    >>> data = statistics(m7b.FAMILY, screen)
    >>> data.groups.tolist(), data.units.tolist(), data.replicates.tolist()
    ([2], [[2.0]], [[1]])
    >>> bool(np.isclose(data.mean.item(), screen.log_fc.mean()))
    True
    """
    return reduced(units(levels, screen))


def reduced(by_unit: Units) -> Statistics:
    """Reduce the observations of a screen to what the likelihood needs; see `statistics`.

    Parameters
    ----------
    by_unit : Units
        The observations; which unit each belongs to need not be known.

    Returns
    -------
    Statistics
    """
    observed = np.flatnonzero(by_unit.n)
    n, mean = by_unit.n.ravel()[observed], by_unit.mean.ravel()[observed]

    # A group is a combination of the top level and cell line, a unit's kind its replicates.
    n_cells = by_unit.n.shape[1]
    group = by_unit.group_of_row[observed // n_cells] * n_cells + observed % n_cells
    like = layouts(np.unique(group, return_inverse=True)[1], n)
    size = np.bincount(like.stratum)
    stratum_mean = np.bincount(like.stratum, mean) / size
    ss = like.by_group(np.bincount(like.stratum, (mean - stratum_mean[like.stratum]) ** 2))
    means = like.by_group(stratum_mean)

    mean_of_groups = like.over_groups(means) / like.groups[:, None]
    about = means - mean_of_groups[like.layout]
    gaps = means[:, :, None] - means[:, None, :]
    n_obs = int(n.sum())
    return Statistics(
        groups=like.groups,
        units=like.units.astype(np.float64),
        replicates=np.maximum(like.kind, 1),
        mean=mean_of_groups,
        scatter=like.over_groups(about[:, :, None] * about[:, None, :]),
        difference=like.over_groups(gaps**2),
        ss_between=like.over_groups(ss),
        ss_within=by_unit.ss_within,
        df_within=n_obs - len(observed),
        constant=-0.5 * (n_obs * np.log(2 * np.pi) + np.log(n).sum()),
    )


def merged(parts: Sequence[Statistics]) -> Statistics:
    """Put the statistics of parts of a screen together, none of which share a group.

    Parameters
    ----------
    parts : sequence of Statistics
        For example of its cell lines.

    Returns
    -------
    Statistics
        That of the whole screen.

    Examples
    --------
    >>> from poolscreen.models import m7b
    >>> of = m7b.FAMILY
    >>> lines = small_screen.table.groupby("cell_line", observed=True)
    >>> whole = merged([statistics(of, Screen(rows)) for _, rows in lines])
    >>> np.allclose(whole.scatter, statistics(of, small_screen).scatter)
    True
    """
    widest = max(part.units.shape[1] for part in parts)
    alike: dict[
        tuple[float, ...], tuple[float, FloatArray, FloatArray, FloatArray, FloatArray]
    ] = {}
    for part in parts:
        pad = widest - part.units.shape[1]
        of_units, kinds = (np.pad(v, ((0, 0), (0, pad))) for v in (part.units, part.replicates))
        mean, ss = (np.pad(v, ((0, 0), (0, pad))) for v in (part.mean, part.ss_between))
        scatter, difference = (
            np.pad(v, ((0, 0), (0, pad), (0, pad))) for v in (part.scatter, part.difference)
        )
        for row, groups in enumerate(part.groups):
            # Where a layout has fewer strata, their kind does not matter.
            key = (*of_units[row], *np.where(of_units[row] > 0, kinds[row], 1))
            new = (float(groups), mean[row], scatter[row], difference[row], ss[row])
            alike[key] = _together(alike[key], new) if key in alike else new
    keys, values = np.array(list(alike)), list(zip(*alike.values(), strict=True))
    groups, mean, scatter, difference, ss_between = (np.stack(value) for value in values)
    return Statistics(
        groups=groups.astype(np.int64),
        units=keys[:, :widest],
        replicates=keys[:, widest:].astype(np.int64),
        mean=mean,
        scatter=scatter,
        difference=difference,
        ss_between=ss_between,
        ss_within=sum(part.ss_within for part in parts),
        df_within=sum(part.df_within for part in parts),
        constant=sum(part.constant for part in parts),
    )


def _together(
    one: tuple[float, FloatArray, FloatArray, FloatArray, FloatArray],
    other: tuple[float, FloatArray, FloatArray, FloatArray, FloatArray],
) -> tuple[float, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Add up groups, mean, scatter, differences and squares of groups of the same layout."""
    n = one[0] + other[0]
    gap = other[1] - one[1]
    mean = one[1] + gap * other[0] / n
    scatter = one[2] + other[2] + np.outer(gap, gap) * one[0] * other[0] / n
    return n, mean, scatter, one[3] + other[3], one[4] + other[4]


def check_informative(screen: Screen, data: Statistics) -> None:
    """Refuse observations for which the likelihood has no maximum, or says nothing of a scale.

    Parameters
    ----------
    screen : Screen
        The data.
    data : Statistics
        The same, reduced.

    Raises
    ------
    PoolscreenError
        If there is one observation, if all are equal, or if all that could show the noise are.

    Examples
    --------
    >>> from poolscreen.models import m7a
    >>> from poolscreen.screens.simulate import Design, simulate
    >>> table, _ = simulate(Design(n_cell_lines=2, sgrnas_per_gene=(1, 2)))
    >>> screen = Screen(table.assign(log_fc=-1.0))
    >>> check_informative(screen, statistics(m7a.FAMILY, screen))
    Traceback (most recent call last):
    poolscreen.errors.PoolscreenError: all 6 values of log_fc are -1: with zero variance ...
    """
    y = screen.log_fc
    zero = len(y) * (1e-12 * np.abs(y).max()) ** 2  # what rounding leaves of equal values
    check_spread(data, len(y), float(y[0]), float(np.sum((y - y.mean()) ** 2)), float(zero))


def check_spread(data: Statistics, n_obs: int, value: float, spread: float, zero: float) -> None:
    """Refuse observations of which their sums say what `check_informative` refuses.

    Parameters
    ----------
    data : Statistics
        The observations, reduced.
    n_obs : int
        Their number.
    value : float
        One of them.
    spread : float
        Sum of squares about their mean.
    zero : float
        The largest such sum that rounding leaves of equal values.

    Raises
    ------
    PoolscreenError
        See there.
    """
    if n_obs < 2:
        raise PoolscreenError(
            "the screen has one observation, and nothing to learn a standard deviation from; "
            "add rows"
        )
    if spread <= zero:
        raise PoolscreenError(
            f"all {n_obs:,} values of log_fc are {value:g}: with zero variance there is nothing to "
            "estimate; is this the right column?"
        )
    if data.df_within > 0 and data.ss_within <= zero:
        raise PoolscreenError(
            f"the {n_obs:,} rows are to this model repeated looks at {n_obs - data.df_within:,} "
            "effects, and all looks at one effect are equal: they show a noise of zero, for which "
            "the density is infinite; were rows doubled, or values copied from gene to sgRNA?"
        )
    several = (data.units.sum(axis=1) > 1).any()
    if several and data.df_within == 0 and data.ss_between.sum() <= zero:
        raise PoolscreenError(
            "in every cell line all sgRNAs of a gene have the same log_fc: with zero variance "
            "within genes the density is infinite; were values copied from gene to sgRNA?"
        )

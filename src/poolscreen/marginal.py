r"""The nested normal models with their effects integrated out, and the exact draws back.

Given its scales, every model of the family is normal in everything else. The effects then
integrate out in closed form, a sampler only sees the few scales, and each draw of the scales
gives one exact draw of all effects.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, Protocol

import numpy as np
import pandas as pd
import pymc as pm
import pytensor
import pytensor.tensor as pt
import xarray as xr
from pymc.model.transform.conditioning import remove_value_transforms
from scipy import stats

from poolscreen.errors import PoolscreenError
from poolscreen.screen import FloatArray, IntArray, Screen

# The prior of a mean is Normal(0, MEAN_SD), that of a scale Exponential(SCALE_RATE).
MEAN_SD = 5.0
SCALE_RATE = 1.0
DRAWS_AT_A_TIME = 50
# Degrees of freedom, per unit or group, from which on the data are taken to show a scale.
ENOUGH = 0.1


class Family(Protocol):
    """What sampling needs of a family of models whose effects integrate out.

    Examples
    --------
    >>> from poolscreen.models import m7, m7b
    >>> m7.FAMILY.parameters, m7b.FAMILY.parameters
    (['sigma_gamma', 'sigma_alpha', 'sigma_beta', 'sigma'],
     ['mu_gamma', 'sigma_gamma', 'sigma_alpha', 'sigma'])
    """

    @property
    def parameters(self) -> list[str]:
        """Names of what is sampled; the rest is drawn exactly."""

    def build(self, screen: Screen) -> pm.Model:
        """Write the model down with its effects integrated out."""

    def data_of(self, model: pm.Model, screen: Screen) -> dict[str, FloatArray]:
        """Reduce another screen to data for a model that is built already."""

    def log_joint(self, screen: Screen, values: Mapping[str, Any]) -> float:
        """Log density of all parameters and observations."""

    def draw_effects(
        self, screen: Screen, posterior: xr.Dataset, rng: np.random.Generator
    ) -> xr.Dataset:
        """Draw what is not sampled, exactly, to each draw of what is."""


@dataclass(frozen=True)
class NestedNormal:
    r"""A member of the nested normal family, in the names of its parameters.

    ``top ~ Normal(mean, sd)`` for every gene (or sgRNA) and cell line; where there is a nested
    level, ``nested ~ Normal(top, nested_sd)`` for every sgRNA and cell line; and the observations
    ``log_fc ~ Normal(effect, sigma)`` about the lowest level.

    Attributes
    ----------
    top : str
        Name of the top effects.
    level : {"gene", "sgRNA"}
        What the top effects belong to, besides the cell line.
    mean, sd : str or float
        Name of the top effects' mean and standard deviation, or their fixed value.
    nested, nested_sd : str or None
        Name of the effects of the sgRNAs within a gene and of their standard deviation.

    Examples
    --------
    Model 7a, and the same without pooling, whose prior has nothing to sample:

    >>> pooled = NestedNormal(
    ...     top="alpha_gc", level="gene", mean="mu_alpha_gc", sd="sigma_alpha"
    ... )
    >>> pooled.parameters
    ['mu_alpha_gc', 'sigma_alpha', 'sigma']
    >>> NestedNormal(top="alpha_gc", level="gene", mean=0.0, sd=5.0).parameters
    ['sigma']
    """

    top: str
    level: Literal["gene", "sgRNA"]
    mean: str | float
    sd: str | float
    nested: str | None = None
    nested_sd: str | None = None

    @property
    def scales(self) -> list[str]:
        """Names of the sampled scales: a list of str, top effects first, the noise last.

        Examples
        --------
        >>> from poolscreen.models import m7b, m7b_unpooled
        >>> m7b.FAMILY.scales
        ['sigma_gamma', 'sigma_alpha', 'sigma']
        >>> m7b_unpooled.FAMILY.scales
        ['sigma']
        """
        named = (self.sd, self.nested_sd, "sigma")
        return [name for name in named if isinstance(name, str)]

    @property
    def parameters(self) -> list[str]:
        """Names of the sampled means and scales: a list of str, the mean first.

        Examples
        --------
        >>> from poolscreen.models import m7b
        >>> m7b.FAMILY.parameters
        ['mu_gamma', 'sigma_gamma', 'sigma_alpha', 'sigma']
        """
        return [*([self.mean] if isinstance(self.mean, str) else []), *self.scales]

    def build(self, screen: Screen) -> pm.Model:
        """See `poolscreen.marginal.build`."""
        return build(self, screen)

    def data_of(self, model: pm.Model, screen: Screen) -> dict[str, FloatArray]:
        """See `poolscreen.marginal.data_of`."""
        return data_of(model, self, screen)

    def log_joint(self, screen: Screen, values: Mapping[str, Any]) -> float:
        """See `poolscreen.marginal.log_joint`."""
        return log_joint(self, screen, values)

    def draw_effects(
        self, screen: Screen, posterior: xr.Dataset, rng: np.random.Generator
    ) -> xr.Dataset:
        """See `poolscreen.marginal.draw_effects`."""
        return draw_effects(self, screen, posterior, rng)


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


def units(family: NestedNormal, screen: Screen) -> Units:
    """Gather the observations of a screen by the units of a model.

    Parameters
    ----------
    family : NestedNormal
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
    by_gene = family.level == "gene" and family.nested is None
    row, n_rows = (
        (screen.gene_idx, len(screen.genes)) if by_gene else (screen.sgrna_idx, len(screen.sgrnas))
    )
    shape = (n_rows, len(screen.cell_lines))
    unit = row * shape[1] + screen.cell_idx
    n = np.bincount(unit, minlength=shape[0] * shape[1])
    mean = np.bincount(unit, screen.log_fc, minlength=n.size) / np.maximum(n, 1)
    return Units(
        n=n.reshape(shape),
        mean=mean.reshape(shape),
        row=row,
        group_of_row=screen.gene_of_sgrna if family.nested else np.arange(n_rows),
        ss_within=float(np.sum((screen.log_fc - mean[unit]) ** 2)),
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
    >>> from poolscreen.simulate import Design, simulate
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
        >>> from poolscreen.simulate import Design, simulate
        >>> screen = Screen(simulate(Design(n_cell_lines=2, sgrnas_per_gene=(1, 2)))[0])
        >>> data = statistics(m7a.FAMILY, screen).as_data()
        >>> {name: data[name].shape for name in ("groups", "units", "scatter", "ss_within")}
        {'groups': (2,), 'units': (2, 1), 'scatter': (2, 1, 1), 'ss_within': ()}
        """
        return {
            field.name: np.asarray(getattr(self, field.name), dtype=np.float64)
            for field in fields(self)
        }


def statistics(family: NestedNormal, screen: Screen) -> Statistics:
    """Reduce a screen to the sufficient statistics of a model.

    Parameters
    ----------
    family : NestedNormal
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
    >>> from poolscreen.simulate import Design, simulate
    >>> screen = Screen(simulate(Design(n_cell_lines=2, sgrnas_per_gene=(2,)))[0])
    >>> data = statistics(m7b.FAMILY, screen)
    >>> data.groups.tolist(), data.units.tolist(), data.replicates.tolist()
    ([2], [[2.0]], [[1]])
    >>> bool(np.isclose(data.mean.item(), screen.log_fc.mean()))
    True
    """
    by_unit = units(family, screen)
    observed = np.flatnonzero(by_unit.n)
    n, mean = by_unit.n.ravel()[observed], by_unit.mean.ravel()[observed]

    # Strata: the units of one group with equally many replicates, in the order of the groups.
    n_cells = len(screen.cell_lines)
    group = by_unit.group_of_row[observed // n_cells] * n_cells + observed % n_cells
    codes, stratum = np.unique(group * (n.max() + 1) + n, return_inverse=True)
    units_in = np.bincount(stratum)
    stratum_mean = np.bincount(stratum, mean) / units_in
    ss_between = np.bincount(stratum, (mean - stratum_mean[stratum]) ** 2)

    # Groups, a row each, with their strata in columns.
    _, first, group = np.unique(codes // (n.max() + 1), return_index=True, return_inverse=True)
    place = (group, np.arange(len(codes)) - first[group])
    shape = (len(first), int(place[1].max()) + 1)

    def in_groups(values: Any, fill: float = 0.0) -> FloatArray:
        table = np.full(shape, fill)
        table[place] = values
        return table

    n_units, replicates = in_groups(units_in), in_groups(codes % (n.max() + 1), fill=1)
    means, ss = in_groups(stratum_mean), in_groups(ss_between)

    # Layouts: the groups with the same strata.
    table = pd.DataFrame(np.hstack([n_units, replicates]))
    layout = table.groupby(list(table), sort=False).ngroup().to_numpy()
    groups = np.bincount(layout)

    def over_groups(values: FloatArray) -> FloatArray:
        flat = values.reshape(len(values), -1).T
        sums = np.stack([np.bincount(layout, column) for column in flat], axis=-1)
        return sums.reshape(len(groups), *values.shape[1:])

    mean_of_groups = over_groups(means) / groups[:, None]
    about = means - mean_of_groups[layout]
    gaps = means[:, :, None] - means[:, None, :]
    _, example = np.unique(layout, return_index=True)
    n_obs = len(screen.log_fc)
    return Statistics(
        groups=groups,
        units=n_units[example],
        replicates=replicates[example],
        mean=mean_of_groups,
        scatter=over_groups(about[:, :, None] * about[:, None, :]),
        difference=over_groups(gaps**2),
        ss_between=over_groups(ss),
        ss_within=by_unit.ss_within,
        df_within=n_obs - len(observed),
        constant=-0.5 * (n_obs * np.log(2 * np.pi) + np.log(n).sum()),
    )


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
    >>> from poolscreen.simulate import Design, simulate
    >>> table, _ = simulate(Design(n_cell_lines=2, sgrnas_per_gene=(1, 2)))
    >>> screen = Screen(table.assign(log_fc=-1.0))
    >>> check_informative(screen, statistics(m7a.FAMILY, screen))
    Traceback (most recent call last):
    poolscreen.errors.PoolscreenError: all 6 values of log_fc are -1: with zero variance ...
    """
    n_obs, y = len(screen.log_fc), screen.log_fc
    if n_obs < 2:
        raise PoolscreenError(
            "the screen has one observation, and nothing to learn a standard deviation from; "
            "add rows"
        )
    zero = n_obs * (1e-12 * np.abs(y).max()) ** 2  # what rounding leaves of equal values
    if np.sum((y - y.mean()) ** 2) <= zero:
        raise PoolscreenError(
            f"all {n_obs} values of log_fc are {y[0]:g}: with zero variance there is nothing to "
            "estimate; is this the right column?"
        )
    if data.df_within > 0 and data.ss_within <= zero:
        raise PoolscreenError(
            f"the {n_obs} rows are to this model repeated looks at {n_obs - data.df_within} "
            "effects, and all looks at one effect are equal: they show a noise of zero, for which "
            "the density is infinite; were rows doubled, or values copied from gene to sgRNA?"
        )
    several = (data.units.sum(axis=1) > 1).any()
    if several and data.df_within == 0 and data.ss_between.sum() <= zero:
        raise PoolscreenError(
            "in every cell line all sgRNAs of a gene have the same log_fc: with zero variance "
            "within genes the density is infinite; were values copied from gene to sgRNA?"
        )


def build(family: NestedNormal, screen: Screen) -> pm.Model:
    r"""Write a model down with its effects integrated out: only means and scales are left.

    The sufficient statistics are `pymc.Data`: a model that has been compiled for one screen takes
    those of another of the same layout (`data_of`).

    Parameters
    ----------
    family : NestedNormal
        The model.
    screen : Screen
        The data.

    Returns
    -------
    pymc.Model
        With the parameters of `family` under their own names.

    Raises
    ------
    PoolscreenError
        If there is one observation, or no variance to learn from.

    Examples
    --------
    The 2 × 2 effects `alpha_gc` are gone; a scale is sampled as an absolute value.

    >>> from poolscreen.models import m7a
    >>> from poolscreen.simulate import Design, simulate
    >>> screen = Screen(simulate(Design(n_cell_lines=2, sgrnas_per_gene=(1, 2)))[0])
    >>> model = build(m7a.FAMILY, screen)
    >>> [rv.name for rv in model.free_RVs]
    ['mu_alpha_gc', 'sigma_alpha_signed', 'sigma']
    >>> [rv.name for rv in model.deterministics]
    ['sigma_alpha']
    """
    found = statistics(family, screen)
    check_informative(screen, found)
    with pm.Model() as model:
        # With its shape known, the compiled code is twice as fast.
        data = Statistics(**{k: pm.Data(k, v, shape=v.shape) for k, v in found.as_data().items()})
        mean = pm.Normal(family.mean, 0, MEAN_SD) if isinstance(family.mean, str) else family.mean
        scales = coordinates(family, found)
        sd = scales[family.sd] if isinstance(family.sd, str) else family.sd
        nested_sd = scales[family.nested_sd] if family.nested_sd else 0.0
        pm.Potential(
            "log_fc",
            log_marginal_likelihood(data, mean, sd, nested_sd, scales["sigma"]),
        )
    return model


def data_of(model: pm.Model, family: NestedNormal, screen: Screen) -> dict[str, FloatArray]:
    """Reduce another screen to data for a model that is built, or even compiled, already.

    The model keeps the coordinates that suit the screen it was built for.

    Parameters
    ----------
    model : pymc.Model
        See `build`.
    family : NestedNormal
        The model.
    screen : Screen
        The other data.

    Returns
    -------
    dict of str to numpy.ndarray
        For `pymc.set_data`, or the method `with_data` of nutpie's compiled models.

    Raises
    ------
    PoolscreenError
        If the other screen has more or fewer layouts, or is degenerate (see `build`).

    Examples
    --------
    >>> from poolscreen.models import m7a
    >>> from poolscreen.simulate import Design, simulate
    >>> design = Design(n_cell_lines=2, sgrnas_per_gene=(1, 2))
    >>> model = build(m7a.FAMILY, Screen(simulate(design)[0]))
    >>> other = Screen(simulate(Design(n_cell_lines=2, sgrnas_per_gene=(1, 2), seed=1))[0])
    >>> pm.set_data(data_of(model, m7a.FAMILY, other), model=model)
    >>> larger = Screen(simulate(Design(n_cell_lines=2, sgrnas_per_gene=(1, 2, 3)))[0])
    >>> data_of(model, m7a.FAMILY, larger)
    Traceback (most recent call last):
    poolscreen.errors.PoolscreenError: the model was built for 2 layouts ...
    """
    found = statistics(family, screen)
    check_informative(screen, found)
    data = found.as_data()
    expected = model["units"].get_value().shape
    if data["units"].shape != expected:
        raise PoolscreenError(
            f"the model was built for {expected[0]} layouts of at most {expected[1]} strata, and "
            f"this screen has {data['units'].shape[0]} of at most {data['units'].shape[1]}; build "
            "it anew for this screen"
        )
    return data


def coordinates(family: NestedNormal, data: Statistics) -> dict[str, Any]:
    r"""Add the scales to a model, in coordinates that suit what the data leave open.

    Where little tells some scales apart, the data determine their sum of squares, and the
    posterior is a part of a circle, or of a sphere: in polar (spherical) coordinates, a radius and
    angles between 0 and :math:`\pi/2`, that is a straight line. Replicates show the noise, and
    several sgRNAs the scatter about a gene. A scale by itself may lie against 0, where its
    logarithm has a long tail and a wall: it is sampled as :math:`|u|`, `u` on the line. Only
    replicates keep the noise away from 0, and its logarithm is the better coordinate then.

    To be called inside a model, as PyMC's distributions are.

    Parameters
    ----------
    family : NestedNormal
        The model.
    data : Statistics
        The data.

    Returns
    -------
    dict of str to tensor
        The scales of `family` by name.

    Examples
    --------
    >>> from poolscreen.models import m7b
    >>> from poolscreen.simulate import Design, simulate
    >>> data = statistics(m7b.FAMILY, Screen(simulate(Design())[0]))
    >>> with pm.Model() as model:
    ...     scales = coordinates(m7b.FAMILY, data)
    >>> list(scales)
    ['sigma_gamma', 'sigma_alpha', 'sigma']
    >>> [rv.name for rv in model.free_RVs]
    ['sigma_gamma_signed', 'radius', 'angle_0']
    """
    n_groups, n_units = data.groups.sum(), (data.groups[:, None] * data.units).sum()
    noise_is_shown = data.df_within >= ENOUGH * n_units
    scatter_is_shown = n_units - n_groups >= ENOUGH * n_groups
    above_noise = [name for name in family.scales if name != "sigma"]
    if family.nested and scatter_is_shown:
        top = [family.sd] if isinstance(family.sd, str) else []
        together = [top, [*above_noise[len(top) :], "sigma"]]
    elif noise_is_shown:
        together = [above_noise, ["sigma"]]
    else:
        together = [family.scales]
    scales: dict[str, Any] = {}
    for names in filter(None, together):
        if len(names) > 1:
            scales |= _spherical(names)
        elif names == ["sigma"] and noise_is_shown:
            scales["sigma"] = pm.Exponential("sigma", SCALE_RATE)
        else:
            scales |= {name: _absolute(name) for name in names}
    return scales


def _absolute(name: str) -> Any:
    """Add a positive quantity with an exponential prior as the absolute value of a signed one."""
    positive = pm.Deterministic(name, pt.abs(pm.Flat(f"{name}_signed")))
    pm.Potential(f"{name}_prior", -SCALE_RATE * positive)
    return positive


def _spherical(names: list[str]) -> dict[str, Any]:
    """Add positive quantities with exponential priors in spherical coordinates."""
    rest = pm.HalfFlat("radius")
    found, log_volume = {}, 0.0
    for number, name in enumerate(names[:-1]):
        angle = pm.Uniform(f"angle_{number}", 0, np.pi / 2)
        log_volume += pt.log(rest)
        found[name] = pm.Deterministic(name, rest * pt.sin(angle))
        rest = rest * pt.cos(angle)
    found[names[-1]] = pm.Deterministic(names[-1], rest)
    pm.Potential("scale_prior", -SCALE_RATE * sum(found.values()) + log_volume)
    return found


def log_joint(family: NestedNormal, screen: Screen, values: Mapping[str, Any]) -> float:
    """Log density of all parameters and observations of a member of the family.

    Parameters
    ----------
    family : NestedNormal
        The model.
    screen : Screen
        The data.
    values : mapping of str to float or numpy.ndarray
        Means, scales and effects by their names; effects have the shape (genes, cell lines) or
        (sgRNAs, cell lines).

    Returns
    -------
    float

    Raises
    ------
    KeyError
        If a value is missing.

    Examples
    --------
    >>> from poolscreen.models import m7a
    >>> table = pd.DataFrame({"cell_line": ["A"], "sgRNA": "s", "gene": "g", "log_fc": [0.0]})
    >>> values = {"mu_alpha_gc": 0.0, "sigma_alpha": 1.0, "sigma": 1.0}
    >>> values["alpha_gc"] = np.zeros((1, 1))  # gene, cell line
    >>> round(log_joint(m7a.FAMILY, Screen(table), values), 3)
    -6.366

    That is the sum of three normal and two exponential log densities:

    >>> round(sum(stats.norm.logpdf(0, 0, [5, 1, 1])) + 2 * stats.expon.logpdf(1), 3).item()
    -6.366
    """
    mean, sd = (values[v] if isinstance(v, str) else v for v in (family.mean, family.sd))
    scales = [values[name] for name in family.parameters if name != family.mean]
    lowest, row = values[family.top], screen.sgrna_idx
    total = stats.expon.logpdf(scales, scale=1 / SCALE_RATE).sum()
    total += stats.norm.logpdf(lowest, mean, sd).sum()
    if isinstance(family.mean, str):
        total += stats.norm.logpdf(mean, 0, MEAN_SD)
    if family.nested and family.nested_sd:
        top, lowest = lowest, values[family.nested]
        about = top[screen.gene_of_sgrna]
        total += stats.norm.logpdf(lowest, about, values[family.nested_sd]).sum()
    elif family.level == "gene":
        row = screen.gene_idx
    mu = lowest[row, screen.cell_idx]
    return float(total + stats.norm.logpdf(screen.log_fc, mu, values["sigma"]).sum())


def check_member(family: Family, screen: Screen, model: pm.Model) -> None:
    """Hold a model, as it is written down, against the family that is integrated.

    Priors and structure stand in two places, in the model that a reader sees and in this module;
    this is what keeps them one.

    Parameters
    ----------
    family : Family
        What the model is said to be.
    screen : Screen
        The data.
    model : pymc.Model
        The model written down for that screen.

    Raises
    ------
    PoolscreenError
        If their log densities differ at a point drawn from the prior, or the model lacks a
        parameter of the family.

    Examples
    --------
    >>> from poolscreen.models import m7a, m7a_unpooled
    >>> from poolscreen.simulate import Design, simulate
    >>> screen = Screen(simulate(Design(n_cell_lines=2, sgrnas_per_gene=(1, 2)))[0])
    >>> check_member(m7a.FAMILY, screen, m7a.build(screen))
    >>> check_member(m7a.FAMILY, screen, m7a_unpooled.build(screen))
    Traceback (most recent call last):
    poolscreen.errors.PoolscreenError: the model has no parameter 'mu_alpha_gc'; see ...
    """
    density_of = remove_value_transforms(model).compile_logp()
    names = [rv.name for rv in model.free_RVs]
    for seed in range(3):
        drawn = dict(zip(names, pm.draw(model.free_RVs, random_seed=seed), strict=True))
        written = float(density_of(drawn))
        try:
            integrated = family.log_joint(screen, drawn)
        except KeyError as error:
            raise PoolscreenError(f"the model has no parameter {error}; see {family}") from None
        if not np.isclose(written, integrated, rtol=1e-8, atol=1e-4):
            raise PoolscreenError(
                f"the model as it is written down is not {family}, which is integrated: "
                f"their log densities are {written:.3f} and {integrated:.3f} at one point. Change "
                "them together, or sample the model as it stands (FAMILY = None)."
            )


def log_marginal_likelihood(
    data: Statistics, mean: Any, sd: Any, nested_sd: Any, sigma: Any
) -> Any:
    r"""Log density of all observations given means and scales, the effects integrated out.

    For unit *u* with :math:`n_u` observations, :math:`v_u = \sigma_\alpha^2 + \sigma^2 / n_u` is
    the variance of its mean about the group's effect. Per group,
    :math:`P = \sum 1 / v_u`, :math:`m = \sum (\bar y_u / v_u) / P` and
    :math:`Q = \sum (\bar y_u - m)^2 / v_u`; then

    .. math::

        \log p = -\tfrac12 \sum_u \log v_u - \tfrac12 \sum Q - \tfrac12 \sum \log P
                 + \sum \log \text{Normal}\bigl(m \mid \mu, \sqrt{\tau^2 + 1 / P}\bigr)
                 - (N - M) \log \sigma - \frac{W}{2 \sigma^2} + \text{const}

    with `N` observations, `M` units and the sum of squares `W` within units (completing the
    square twice; Gelman et al., Bayesian Data Analysis, 3rd ed., section 5.4). Over groups of one
    layout `P` is the same, and the sums over `Q` and over :math:`(m - \mu)^2` are quadratic forms
    in its strata's weights.

    Parameters
    ----------
    data : Statistics
        The data, as arrays or tensors.
    mean, sd : tensor or float
        Mean and standard deviation of the top effects.
    nested_sd : tensor or float
        Standard deviation of the nested effects; 0 where there are none.
    sigma : tensor or float
        Standard deviation of the observations.

    Returns
    -------
    tensor
        Scalar; all constants are included.

    Examples
    --------
    One observation has the variance of its effect and of the noise together, 3² + 4² = 5²:

    >>> from poolscreen.models import m7a
    >>> table = pd.DataFrame({"cell_line": ["A"], "sgRNA": "s", "gene": "g", "log_fc": [2.0]})
    >>> data = statistics(m7a.FAMILY, Screen(table))
    >>> log_p = log_marginal_likelihood(data, mean=0.0, sd=3.0, nested_sd=0.0, sigma=4.0)
    >>> log_p.eval().round(4).item(), stats.norm.logpdf(2, 0, 5).round(4).item()
    (-2.6084, -2.6084)
    """
    # A plain 1.5 would be taken for a number of single precision.
    mean, sd, nested_sd, sigma = (
        pt.cast(value, "float64") for value in (mean, sd, nested_sd, sigma)
    )
    v = nested_sd**2 + sigma**2 / data.replicates
    weight = data.units / v
    precision = weight.sum(axis=1)
    share = weight / precision[:, None]
    pairs = share[:, :, None] * share[:, None, :]
    differences = precision * (pairs * data.difference).sum(axis=(1, 2)) / 2
    spread = (pairs * data.scatter).sum(axis=(1, 2))
    spread += data.groups * ((share * data.mean).sum(axis=1) - mean) ** 2
    variance = sd**2 + 1 / precision

    within = 2 * data.df_within * pt.log(sigma) + data.ss_within / sigma**2
    strata = data.groups[:, None] * data.units * pt.log(v) + data.ss_between / v
    groups = data.groups * pt.log(precision * variance) + differences
    groups += spread / variance
    return data.constant - 0.5 * (within + strata.sum() + groups.sum())


def log_density(family: NestedNormal, screen: Screen, posterior: xr.Dataset) -> xr.Dataset:
    """Log density of the prior of means and scales and of the data, effects integrated out.

    Parameters
    ----------
    family : NestedNormal
        The model.
    screen : Screen
        The data.
    posterior : xarray.Dataset
        Draws of the model's means and scales, dimensions `chain` and `draw`.

    Returns
    -------
    xarray.Dataset
        One variable per mean and scale with its log prior density, and `log_fc` with the log
        density of all observations; dimensions `chain` and `draw`.

    Examples
    --------
    >>> from poolscreen.models import m7a
    >>> from poolscreen.simulate import Design, simulate
    >>> screen = Screen(simulate(Design(n_cell_lines=2, sgrnas_per_gene=(1, 2)))[0])
    >>> draws = {"mu_alpha_gc": [[-1, -1]], "sigma_alpha": [[0.5, 0.5]], "sigma": [[0.3, 9]]}
    >>> posterior = xr.Dataset({name: (("chain", "draw"), v) for name, v in draws.items()})
    >>> found = log_density(m7a.FAMILY, screen, posterior)
    >>> found["sigma"].to_numpy().tolist()  # Exponential(1)
    [[-0.3, -9.0]]
    >>> found["log_fc"].round(1).to_numpy().tolist()  # a noise of 9 does not fit
    [[-5.7, -18.7]]
    """
    prior = {
        name: stats.expon.logpdf(posterior[name], scale=1 / SCALE_RATE) for name in family.scales
    }
    if isinstance(family.mean, str):
        prior[family.mean] = stats.norm.logpdf(posterior[family.mean], 0, MEAN_SD)
    inputs = [pt.dscalar(name) for name in family.parameters]
    of = dict(zip(family.parameters, inputs, strict=True))
    mean, sd = (of[v] if isinstance(v, str) else v for v in (family.mean, family.sd))
    nested_sd = of[family.nested_sd] if family.nested_sd else 0.0
    data = statistics(family, screen)
    total = log_marginal_likelihood(data, mean, sd, nested_sd, of["sigma"])
    likelihood = xr.apply_ufunc(
        pytensor.function(inputs, total),
        *(posterior[name] for name in family.parameters),
        vectorize=True,
    )
    densities = {name: (("chain", "draw"), values) for name, values in prior.items()}
    return xr.Dataset({**densities, "log_fc": likelihood}, coords=posterior.coords)


def draw_effects(
    family: NestedNormal,
    screen: Screen,
    posterior: xr.Dataset,
    rng: np.random.Generator,
) -> xr.Dataset:
    r"""Draw all effects, exactly: one conjugate normal draw per draw of means and scales.

    Given the scales, the top effects have precision :math:`1/\tau^2 + P` and mean
    :math:`(\mu/\tau^2 + P m) / (1/\tau^2 + P)`, the nested ones about them precision
    :math:`1/\sigma_\alpha^2 + n/\sigma^2`. A combination without observations gets its prior.

    Parameters
    ----------
    family : NestedNormal
        The model.
    screen : Screen
        The data that the posterior was sampled with.
    posterior : xarray.Dataset
        Draws of the model's means and scales, dimensions `chain` and `draw`.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    xarray.Dataset
        The effects, dimensions `chain`, `draw`, `gene` or `sgRNA`, `cell_line`.

    Examples
    --------
    With many draws of one value of the scales, the effects' means are known:

    >>> from poolscreen.models import m7a
    >>> table = pd.DataFrame({"cell_line": ["A"], "sgRNA": "s", "gene": "g", "log_fc": [-2.0]})
    >>> scales = {"mu_alpha_gc": 0.0, "sigma_alpha": 1.0, "sigma": 1.0}
    >>> posterior = xr.Dataset(
    ...     {name: (("chain", "draw"), np.full((4, 2500), v)) for name, v in scales.items()}
    ... )
    >>> effects = draw_effects(m7a.FAMILY, Screen(table), posterior, np.random.default_rng(103))
    >>> effects["alpha_gc"].dims
    ('chain', 'draw', 'gene', 'cell_line')
    >>> effects["alpha_gc"].mean().round(1).item()  # half way from -2 to 0
    -1.0
    """
    by_unit, values = units(family, screen), samples(posterior)
    n_samples, (n_rows, n_cells) = values["sigma"].size, by_unit.n.shape
    n_top = int(by_unit.group_of_row.max()) + 1
    drawn = {family.top: np.empty((n_samples, n_top, n_cells))}
    if family.nested:
        drawn[family.nested] = np.empty((n_samples, n_rows, n_cells))
    # A few draws at a time: what is only needed in between then stays in the processor's cache.
    for start in range(0, n_samples, DRAWS_AT_A_TIME):
        some = slice(start, start + DRAWS_AT_A_TIME)
        given = _Conditional(family, by_unit, {k: v[some] for k, v in values.items()})
        top = drawn[family.top][some] = _normal(rng, *given.top())
        if family.nested:
            location, sd, _ = given.nested(top)
            drawn[family.nested][some] = _normal(rng, location, sd)
    sample = {dim: posterior[dim] for dim in ("chain", "draw")}
    sizes = (posterior.sizes["chain"], posterior.sizes["draw"])
    effects = {k: v.reshape(*sizes, *v.shape[1:]) for k, v in drawn.items()}
    return _labelled(family, screen, effects, sample)


def _normal(rng: np.random.Generator, location: FloatArray, sd: FloatArray) -> FloatArray:
    # Several times as fast as rng.normal, which looks every location up by itself.
    drawn = rng.standard_normal(location.shape)
    drawn *= sd
    drawn += location
    return drawn


def effect_moments(family: NestedNormal, screen: Screen, posterior: xr.Dataset) -> xr.Dataset:
    """Posterior means and standard deviations of all effects, without drawing them.

    The moments of the effects given the scales are known; they are averaged over the draws of the
    scales, one at a time. For a screen with so many effects that their draws find no room.

    Parameters
    ----------
    family : NestedNormal
        The model.
    screen : Screen
        The data that the posterior was sampled with.
    posterior : xarray.Dataset
        Draws of the model's means and scales, dimensions `chain` and `draw`.

    Returns
    -------
    xarray.Dataset
        The effects, dimensions `moment` ("mean", "sd"), `gene` or `sgRNA`, `cell_line`.

    Examples
    --------
    >>> from poolscreen.models import m7a
    >>> table = pd.DataFrame({"cell_line": ["A"], "sgRNA": "s", "gene": "g", "log_fc": [-2.0]})
    >>> scales = {"mu_alpha_gc": 0.0, "sigma_alpha": 1.0, "sigma": 1.0}
    >>> posterior = xr.Dataset({n: (("chain", "draw"), [[v]]) for n, v in scales.items()})
    >>> moments = effect_moments(m7a.FAMILY, Screen(table), posterior)["alpha_gc"]
    >>> moments.sel(gene="g", cell_line="A").round(3).to_series().to_dict()
    {'mean': -1.0, 'sd': 0.707}
    """
    by_unit, values = units(family, screen), samples(posterior)
    n_samples = values["sigma"].size
    sums: dict[str, list[Any]] = {}
    for number in range(n_samples):
        one = {name: v[number : number + 1] for name, v in values.items()}
        given = _Conditional(family, by_unit, one)
        location, sd = given.top()
        found = {family.top: (location, sd**2)}
        if family.nested:
            below, sd_below, slope = given.nested(location)
            variance = (sd**2)[:, by_unit.group_of_row]
            found[family.nested] = (below, sd_below**2 + slope**2 * variance)
        for name, (mean, variance) in found.items():
            total = sums.setdefault(name, [0.0, 0.0])
            total[0] += mean[0] / n_samples
            total[1] += (variance + mean**2)[0] / n_samples
    moments = {
        name: np.stack([mean, np.sqrt(np.maximum(square - mean**2, 0))])
        for name, (mean, square) in sums.items()
    }
    return _labelled(family, screen, moments, {"moment": ["mean", "sd"]})


def _labelled(
    family: NestedNormal,
    screen: Screen,
    effects: Mapping[str, FloatArray],
    leading: Mapping[str, Any],
) -> xr.Dataset:
    rows = {family.top: family.level, family.nested: "sgRNA"}
    used = {rows[name] for name in effects} | {"cell_line"}
    return xr.Dataset(
        {name: ((*leading, rows[name], "cell_line"), values) for name, values in effects.items()},
        coords=dict(leading) | {d: v for d, v in screen.coords.items() if d in used},
    )


def log_likelihood(
    family: NestedNormal,
    screen: Screen,
    posterior: xr.Dataset,
    *,
    form: Literal["conditional", "marginal"],
) -> xr.DataArray:
    r"""Log density of each observation, for each draw: what leave-one-out works with.

    The conditional form is that of an observation given its own effect. Where an effect has one
    observation, that observation all but decides it, and leaving it out changes the posterior too
    much for importance sampling. The marginal form is the density of an observation given the
    scales *and all other observations*, :math:`p(y_i \mid y_{-i}, \mu, \tau, \sigma_\alpha,
    \sigma)`, every effect integrated out; dividing by it leaves an observation out exactly
    (Bürkner, Gabry and Vehtari 2021, Computational Statistics 36, 1243-1261, section 2).

    Parameters
    ----------
    family : NestedNormal
        The model.
    screen : Screen
        The data that the posterior was sampled with.
    posterior : xarray.Dataset
        Draws of means and scales, dimensions `chain` and `draw`; for the conditional form also
        of the effects.
    form : {"conditional", "marginal"}
        Which of the two.

    Returns
    -------
    xarray.DataArray
        Named `log_fc`, dimensions `chain`, `draw`, `obs`.

    Examples
    --------
    The second of two sgRNAs of a gene lies at -2, and in the marginal form it moves what is
    expected of the first:

    >>> from poolscreen.models import m7a
    >>> table = pd.DataFrame(
    ...     {"cell_line": "A", "sgRNA": ["s1", "s2"], "gene": "g", "log_fc": [0.0, -2.0]}
    ... )
    >>> draws = {"mu_alpha_gc": [[0.0]], "sigma_alpha": [[1.0]], "sigma": [[1.0]]}
    >>> posterior = xr.Dataset({name: (("chain", "draw"), v) for name, v in draws.items()})
    >>> posterior["alpha_gc"] = (("chain", "draw", "gene", "cell_line"), [[[[0.0]]]])
    >>> for form in ("conditional", "marginal"):
    ...     print(log_likelihood(m7a.FAMILY, Screen(table), posterior, form=form).round(3).values)
    [[[-0.919 -2.919]]]
    [[[-1.455 -2.455]]]
    """
    by_unit = units(family, screen)
    unit = (slice(None), by_unit.row, screen.cell_idx)
    given = _Conditional(family, by_unit, samples(posterior[family.parameters]))
    noise = given.sigma[:, :, 0] ** 2
    if form == "conditional":
        effects = posterior[family.nested or family.top].to_numpy()
        location = effects.reshape(-1, *effects.shape[2:])[unit]
        variance = noise
    else:
        group = (unit[0], by_unit.group_of_row[by_unit.row], screen.cell_idx)
        y_unit, n_unit = (of[unit[1:]] for of in (by_unit.mean, by_unit.n))
        # The effect of the group without the unit; that of the unit without the observation. What
        # the unit adds is taken off before the prior is added, which could be lost beside it.
        weight = given.weight()
        others = given.in_groups(weight)[group] - weight[unit]
        pull = given.in_groups(weight * by_unit.mean)[group] - weight[unit] * y_unit
        of_prior = given.sd[:, :, 0] ** -2
        precision = of_prior + others
        location = (given.mean[:, :, 0] * of_prior + pull) / precision
        prior = 1 / (1 / precision + given.nested_sd[:, :, 0] ** 2)
        precision = prior + (n_unit - 1) / noise
        sum_of_others = n_unit * y_unit - screen.log_fc
        location = (location * prior + sum_of_others / noise) / precision
        variance = 1 / precision + noise
    density = stats.norm.logpdf(screen.log_fc, location, np.sqrt(variance))
    sample = {dim: posterior[dim] for dim in ("chain", "draw")}
    shape = (posterior.sizes["chain"], posterior.sizes["draw"], -1)
    return xr.DataArray(density.reshape(shape), coords=sample, dims=(*sample, "obs"), name="log_fc")


def samples(posterior: xr.Dataset) -> dict[str, FloatArray]:
    """Return draws of scalars with all chains in one row."""
    return {
        str(name): values.to_numpy().astype(np.float64).ravel()
        for name, values in posterior.data_vars.items()
        if values.dims == ("chain", "draw")
    }


class _Conditional:
    """Distributions of the effects given the data and draws of means and scales.

    Shapes are (sample, row, cell line); parameters have 1 for the last two.
    """

    def __init__(
        self, family: NestedNormal, by_unit: Units, samples: Mapping[str, FloatArray]
    ) -> None:
        def draws(value: str | float | None) -> FloatArray:
            if isinstance(value, str):
                return samples[value][:, None, None]
            return np.full((1, 1, 1), value or 0.0)

        self.by_unit = by_unit
        self.mean, self.sd = draws(family.mean), draws(family.sd)
        self.nested_sd, self.sigma = draws(family.nested_sd), draws("sigma")

    def weight(self) -> FloatArray:
        """Precision of each unit's mean about its group's effect; 0 without observations."""
        n = self.by_unit.n
        return n / (n * self.nested_sd**2 + self.sigma**2)

    def top(self) -> tuple[FloatArray, FloatArray]:
        """Mean and standard deviation of the top effects."""
        weight = self.weight()
        precision = 1 / self.sd**2 + self.in_groups(weight)
        pulled = self.in_groups(weight * self.by_unit.mean)
        return (self.mean / self.sd**2 + pulled) / precision, 1 / np.sqrt(precision)

    def nested(self, top: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Mean and standard deviation of the nested effects given the top ones, and the slope.

        The slope is by how much the mean moves with the top effect.
        """
        noise = self.nested_sd**2 * self.by_unit.n
        slope = self.sigma**2 / (self.sigma**2 + noise)
        location = slope * (top[:, self.by_unit.group_of_row] - self.by_unit.mean)
        location += self.by_unit.mean
        return location, self.nested_sd * np.sqrt(slope), slope

    def in_groups(self, values: FloatArray) -> FloatArray:
        """Add up the rows of each group."""
        group = self.by_unit.group_of_row
        if np.array_equal(group, np.arange(len(group))):
            return values
        # reduceat wants the rows of a group together, and no group is empty.
        order = np.argsort(group, kind="stable")
        starts = np.searchsorted(group[order], np.arange(group.max() + 1))
        return np.add.reduceat(values[:, order], starts, axis=1)

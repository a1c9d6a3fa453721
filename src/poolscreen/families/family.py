"""What sampling needs of a family of models whose effects integrate out."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr
from pymc.model.transform.conditioning import remove_value_transforms

from poolscreen.arrays import FloatArray, IntArray
from poolscreen.errors import PoolscreenError
from poolscreen.screens.table import Screen

# The prior of a mean is Normal(0, MEAN_SD), that of a scale Exponential(SCALE_RATE).
MEAN_SD = 5.0
SCALE_RATE = 1.0
DRAWS_AT_A_TIME = 50
# Of what is computed a few times: where nothing was compiled before, Numba takes long.
AT_ONCE = "FAST_COMPILE"

Points = Mapping[str, FloatArray]  # the scales by name, each of shape (points,)


class Moments(NamedTuple):
    """Means and variances of normal quantities, given each of several points of the scales."""

    mean: FloatArray
    variance: FloatArray


class Given(Protocol):
    """Means and effects of a model of a screen, given its scales: normal, each by its moments.

    Everything is there for all points of the scales at once; the first dimension of an array is the
    point.
    """

    def means(self) -> dict[str, Moments]:
        """Return what all genes share, by name: arrays of shape (points,) or (points, lines)."""

    def effects(self, genes: slice) -> dict[str, tuple[IntArray, Moments]]:
        """Return the effects of some genes, and of their sgRNAs, by name.

        Returns
        -------
        dict of str to (numpy.ndarray, Moments)
            Rows of the effects (which genes, or sgRNAs), and arrays of shape (points, rows) or
            (points, rows, cell lines).
        """

    def gene_effects(self, genes: slice, weights: FloatArray) -> Moments:
        """Return combinations over the cell lines of the effects of some genes in these.

        The effect of a gene that has none of its own is the mean of its sgRNAs'.

        Parameters
        ----------
        weights : numpy.ndarray, shape (cell lines, combinations)
            One column for each combination.

        Returns
        -------
        Moments
            Arrays of shape (points, genes, combinations).
        """


class OfScales(Protocol):
    """What a screen says about the scales of a model.

    Attributes
    ----------
    together : list of list of str
        Names of the scales; those that the data hardly tell apart stand in one list.
    size : int
        Numbers that one point takes in memory, as an order of magnitude.
    """

    together: list[list[str]]
    size: int

    def log_likelihood(self, scales: Points) -> FloatArray:
        """Return the log density of all observations, everything but the scales integrated out."""


class Closed(OfScales, Protocol):
    """A model of a screen in closed form: what is normal once the scales are given.

    Attributes
    ----------
    screen : Screen
        The data.
    """

    screen: Screen

    def given(self, scales: Points) -> Given:
        """Return means and effects, given the scales."""

    def draw_effects(self, values: Points, rng: np.random.Generator) -> dict[str, FloatArray]:
        """Draw what is not sampled, exactly: one draw for each of what is.

        Parameters
        ----------
        values : mapping of str to numpy.ndarray, shape (draws,)
            Draws of the family's `parameters`.

        Returns
        -------
        dict of str to numpy.ndarray
            The first dimension is the draw.
        """


def absolute(name: str) -> Any:
    """Add a scale to a model, with its exponential prior, as the absolute value of a signed one.

    It may come close to zero: there its logarithm would have a long tail, and itself a wall.

    Parameters
    ----------
    name : str
        Name of the scale.

    Returns
    -------
    tensor

    Examples
    --------
    >>> with pm.Model() as model:
    ...     sigma = absolute("sigma")
    >>> [rv.name for rv in model.free_RVs], [scale.name for scale in model.deterministics]
    (['sigma_signed'], ['sigma'])
    """
    positive = pm.Deterministic(name, pt.abs(pm.Flat(f"{name}_signed")))
    pm.Potential(f"{name}_prior", -SCALE_RATE * positive)
    return positive


def log_normal(value: FloatArray, variance: FloatArray) -> FloatArray:
    """Log density of a value of a normal quantity with mean zero."""
    density: FloatArray = -0.5 * (np.log(2 * np.pi * variance) + value**2 / variance)
    return density


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

    @property
    def nested_sd(self) -> str | None:
        """Name of the standard deviation of sgRNAs about their gene; None where there is none."""

    @property
    def scales(self) -> list[str]:
        """Names of the scales, the noise last."""

    @property
    def dims(self) -> dict[str, tuple[str, ...]]:
        """Dimensions of the effects, by their names."""

    def closed(self, screen: Screen) -> Closed:
        """Return the model of a screen in closed form, given its scales."""

    def build(self, screen: Screen) -> pm.Model:
        """Write the model down with its effects integrated out."""

    def log_joint(self, screen: Screen, values: Mapping[str, Any]) -> float:
        """Log density of all parameters and observations."""

    def expected(self, screen: Screen, values: Mapping[str, FloatArray]) -> FloatArray:
        """Return the mean of each observation, given all means and effects.

        Parameters
        ----------
        values : mapping of str to numpy.ndarray
            Means and effects by their names; the first dimension is the draw.

        Returns
        -------
        numpy.ndarray, shape (draws, observations)
        """

    def parts(self, screen: Screen) -> dict[str, IntArray]:
        """Return what the observations share: a random effect for each part of the model.

        Returns
        -------
        dict of str to numpy.ndarray, shape (observations,)
            The group of each observation, by the name of the standard deviation of the effects that
            the observations of a group share; `mean` for what all share, `fixed` for effects whose
            standard deviation is no parameter. The noise is no part.
        """

    def variances(self, screen: Screen, scales: Mapping[str, float]) -> dict[str, float]:
        """Return the variance of the effects of each of the `parts`, given the scales."""


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
    >>> from poolscreen.screens.simulate import Design, simulate
    >>> screen = Screen(simulate(Design(n_cell_lines=2, sgrnas_per_gene=(1, 2)))[0])
    >>> check_member(m7a.FAMILY, screen, m7a.build(screen))
    >>> check_member(m7a.FAMILY, screen, m7a_unpooled.build(screen))
    Traceback (most recent call last):
    poolscreen.errors.PoolscreenError: the model has no parameter 'mu_alpha_gc'; see ...
    """
    density_of = remove_value_transforms(model).compile_logp(mode=AT_ONCE)
    names = [rv.name for rv in model.free_RVs]
    for seed in range(3):
        drawn = dict(
            zip(names, pm.draw(model.free_RVs, random_seed=seed, mode=AT_ONCE), strict=True)
        )
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


def samples(posterior: xr.Dataset) -> dict[str, FloatArray]:
    """Return draws of scalars with all chains in one row."""
    return {name: values for name, values in in_rows(posterior).items() if values.ndim == 1}


def draws_at_a_time(values: Points) -> Iterator[dict[str, FloatArray]]:
    """Give a few draws at a time: what is needed in between stays in the processor's cache."""
    for start in range(0, len(next(iter(values.values()))), DRAWS_AT_A_TIME):
        yield {name: drawn[start : start + DRAWS_AT_A_TIME] for name, drawn in values.items()}


def labelled(
    family: Family, screen: Screen, values: Points, sample: Mapping[str, Any]
) -> xr.Dataset:
    """Label draws of parameters and effects.

    Parameters
    ----------
    family : Family
        The model.
    screen : Screen
        For the labels.
    values : mapping of str to numpy.ndarray
        The first dimension is the draw, the others those of the effect.
    sample : mapping of str to sequence
        The dimensions of the draws, with their labels: `chain` and `draw`.

    Returns
    -------
    xarray.Dataset

    Examples
    --------
    >>> from poolscreen.models import m7a
    >>> values = {"sigma": np.ones(6), "alpha_gc": np.zeros((6, 2, 2))}
    >>> drawn = labelled(m7a.FAMILY, small_screen, values, {"chain": [0, 1], "draw": [0, 1, 2]})
    >>> dict(drawn["alpha_gc"].sizes), drawn["sigma"].dims
    ({'chain': 2, 'draw': 3, 'gene': 2, 'cell_line': 2}, ('chain', 'draw'))
    """
    sizes = [len(labels) for labels in sample.values()]
    dims = {name: family.dims.get(name, ()) for name in values}
    used = {dim for of_name in dims.values() for dim in of_name}
    return xr.Dataset(
        {
            name: ((*sample, *dims[name]), drawn.reshape(*sizes, *drawn.shape[1:]))
            for name, drawn in values.items()
        },
        coords={**sample, **{dim: v for dim, v in screen.coords.items() if dim in used}},
    )


def in_rows(posterior: xr.Dataset) -> dict[str, FloatArray]:
    """Return draws with all chains in one row; the first dimension is the draw."""
    return {
        str(name): values.to_numpy().astype(np.float64).reshape(-1, *values.shape[2:])
        for name, values in posterior.data_vars.items()
    }

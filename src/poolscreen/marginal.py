r"""The nested normal models with their effects integrated out, and the exact draws back.

Given its scales, every model of the family is normal in everything else. The effects then
integrate out in closed form, a sampler only sees the few scales, and each draw of the scales
gives one exact draw of all effects.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr
from pymc.model.transform.conditioning import remove_value_transforms
from scipy import stats

from poolscreen.errors import PoolscreenError
from poolscreen.screen import FloatArray, IntArray, Screen

# The prior of a mean is Normal(0, MEAN_SD), that of a scale Exponential(SCALE_RATE).
MEAN_SD = 5.0
SCALE_RATE = 1.0


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
    """

    top: str
    level: Literal["gene", "sgRNA"]
    mean: str | float
    sd: str | float
    nested: str | None = None
    nested_sd: str | None = None

    @property
    def parameters(self) -> list[str]:
        """Names of the sampled means and scales."""
        named = (self.mean, self.sd, self.nested_sd, "sigma")
        return [name for name in named if isinstance(name, str)]


@dataclass(frozen=True)
class Statistics:
    r"""What a screen tells about the means and scales of a model: sufficient statistics.

    A *unit* is a combination of the lowest level (sgRNA or gene) and cell line, a *group* one of
    the top level and cell line. Units of one group with equally many observations enter the
    likelihood only together, as a *stratum*; there are `J` strata in `G` observed groups.

    Attributes
    ----------
    unit_n, unit_mean : numpy.ndarray, shape (rows, cell lines)
        Count and mean of the observations of each unit; the mean is 0 where the count is.
    group_of_row : numpy.ndarray, shape (rows,)
        Row of the top level that each row of the lowest level belongs to.
    group : numpy.ndarray, shape (J,)
        Index of the stratum's group among the observed groups.
    replicates : numpy.ndarray, shape (J,)
        Observations per unit of the stratum.
    units : numpy.ndarray, shape (J,)
        Number of units of the stratum.
    mean : numpy.ndarray, shape (J,)
        Mean of the units' means.
    ss_between : numpy.ndarray, shape (J,)
        Sum of squares of the units' means about their mean.
    ss_within : float
        Sum of squares of the observations about their unit's mean, over all units.
    """

    unit_n: IntArray
    unit_mean: FloatArray
    group_of_row: IntArray
    group: IntArray
    replicates: IntArray
    units: IntArray
    mean: FloatArray
    ss_between: FloatArray
    ss_within: float

    @property
    def n_groups(self) -> int:
        """Number of observed groups."""
        return int(self.group.max()) + 1


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
    """
    by_gene = family.level == "gene" and family.nested is None
    row, n_rows = (
        (screen.gene_idx, len(screen.genes))
        if by_gene
        else (screen.sgrna_idx, len(screen.sgrnas))
    )
    n_cells = len(screen.cell_lines)
    group_of_row = screen.gene_of_sgrna if family.nested else np.arange(n_rows)

    unit = row * n_cells + screen.cell_idx
    n = np.bincount(unit, minlength=n_rows * n_cells)
    mean = np.bincount(unit, screen.log_fc, minlength=n.size) / np.maximum(n, 1)
    ss_within = float(np.sum((screen.log_fc - mean[unit]) ** 2))

    observed = np.flatnonzero(n)
    group_of_unit = group_of_row[observed // n_cells] * n_cells + observed % n_cells
    strata, stratum = np.unique(
        np.stack([group_of_unit, n[observed]]), axis=1, return_inverse=True
    )
    units = np.bincount(stratum)
    stratum_mean = np.bincount(stratum, mean[observed]) / units
    ss_between = np.bincount(stratum, (mean[observed] - stratum_mean[stratum]) ** 2)
    return Statistics(
        unit_n=n.reshape(n_rows, n_cells),
        unit_mean=mean.reshape(n_rows, n_cells),
        group_of_row=group_of_row,
        group=np.unique(strata[0], return_inverse=True)[1],
        replicates=strata[1],
        units=units,
        mean=stratum_mean,
        ss_between=ss_between,
        ss_within=ss_within,
    )


def build(family: NestedNormal, screen: Screen) -> pm.Model:
    r"""Write a model down with its effects integrated out: only means and scales are left.

    The coordinates are chosen for what the data leave open. With one observation per unit they
    determine :math:`\sigma_\alpha^2 + \sigma^2`, and the posterior of the two scales is an arc:
    they are sampled in polar coordinates, :math:`r = \sqrt{\sigma_\alpha^2 + \sigma^2}` and an
    angle, with the Jacobian :math:`r`. Without the nested level :math:`\sigma` may lie against 0,
    where its logarithm has a long tail and a wall: it is sampled as :math:`|u|`, `u` on the line.

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
    """
    data = statistics(family, screen)
    with pm.Model() as model:
        mean = _parameter(family.mean, lambda name: pm.Normal(name, 0, MEAN_SD))
        sd = _parameter(family.sd, lambda name: pm.Exponential(name, SCALE_RATE))
        if family.nested_sd is None:
            signed = pm.Flat("sigma_signed")
            nested_sd, sigma = 0.0, pm.Deterministic("sigma", pt.abs(signed))
            pm.Potential("scale_prior", -SCALE_RATE * sigma)
        else:
            total = pm.HalfFlat("sigma_total")
            angle = pm.Uniform("angle", 0, np.pi / 2)
            nested_sd = pm.Deterministic(family.nested_sd, total * pt.sin(angle))
            sigma = pm.Deterministic("sigma", total * pt.cos(angle))
            pm.Potential(
                "scale_prior", -SCALE_RATE * (nested_sd + sigma) + pt.log(total)
            )
        pm.Potential(
            "log_fc", log_marginal_likelihood(data, mean, sd, nested_sd, sigma)
        )
    return model


def log_joint(family: NestedNormal, screen: Screen, values: Mapping[str, Any]) -> float:
    """Log density of all parameters and observations of a member of the family.

    Parameters
    ----------
    family : NestedNormal
        The model.
    screen : Screen
        The data.
    values : mapping of str to float or numpy.ndarray
        Means, scales and effects by their names.

    Returns
    -------
    float
    """
    mean, sd = (
        values[v] if isinstance(v, str) else v for v in (family.mean, family.sd)
    )
    scales = [values[name] for name in family.parameters if name != family.mean]
    lowest, row = values[family.top], screen.sgrna_idx
    log_density = stats.expon.logpdf(scales, scale=1 / SCALE_RATE).sum()
    log_density += stats.norm.logpdf(lowest, mean, sd).sum()
    if isinstance(family.mean, str):
        log_density += stats.norm.logpdf(mean, 0, MEAN_SD)
    if family.nested and family.nested_sd:
        top, lowest = lowest, values[family.nested]
        about = top[screen.gene_of_sgrna]
        log_density += stats.norm.logpdf(lowest, about, values[family.nested_sd]).sum()
    elif family.level == "gene":
        row = screen.gene_idx
    mu = lowest[row, screen.cell_idx]
    return float(
        log_density + stats.norm.logpdf(screen.log_fc, mu, values["sigma"]).sum()
    )


def check_member(family: NestedNormal, screen: Screen, model: pm.Model) -> None:
    """Hold a model, as it is written down, against the family that is integrated.

    Priors and structure stand in two places, in the model that a reader sees and in this module;
    this is what keeps them one.

    Parameters
    ----------
    family : NestedNormal
        What the model is said to be.
    screen : Screen
        The data.
    model : pymc.Model
        The model written down for that screen.

    Raises
    ------
    PoolscreenError
        If their log densities differ at a point drawn from the prior.
    """
    log_density = remove_value_transforms(model).compile_logp()
    names = [rv.name for rv in model.free_RVs]
    for seed in range(3):
        drawn = dict(zip(names, pm.draw(model.free_RVs, random_seed=seed), strict=True))
        written = float(log_density(drawn))
        try:
            integrated = log_joint(family, screen, drawn)
        except KeyError as error:
            raise PoolscreenError(
                f"the model has no parameter {error}; see {family}"
            ) from None
        if not np.isclose(written, integrated, rtol=1e-6, atol=1e-6):
            raise PoolscreenError(
                f"the model as it is written down is not {family}, which marginal.py integrates: "
                f"their log densities are {written:.3f} and {integrated:.3f} at one point. Change "
                "them together, or sample the model as it stands (MARGINAL = False)."
            )


def _parameter(value: str | float, prior: Any) -> Any:
    return prior(value) if isinstance(value, str) else value


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
    square twice; Gelman et al., Bayesian Data Analysis, 3rd ed., section 5.4).

    Parameters
    ----------
    data : Statistics
        The data.
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
    """
    n_obs, n_units = data.unit_n.sum(), data.units.sum()
    v = nested_sd**2 + sigma**2 / data.replicates
    precision = _sum_by_group(data.units / v, data)
    m = _sum_by_group(data.units * data.mean / v, data) / precision
    q = (data.ss_between + data.units * (data.mean - m[data.group]) ** 2) / v
    top_variance = sd**2 + 1 / precision
    within = -(n_obs - n_units) * pt.log(sigma) - data.ss_within / (2 * sigma**2)
    between = -0.5 * (
        pt.sum(data.units * pt.log(v)) + pt.sum(q) + pt.sum(pt.log(precision))
    )
    top = -0.5 * pt.sum(pt.log(top_variance) + (m - mean) ** 2 / top_variance)
    constant = -0.5 * n_obs * np.log(2 * np.pi) - 0.5 * np.sum(
        data.units * np.log(data.replicates)
    )
    return within + between + top + constant


def _sum_by_group(values: Any, data: Statistics) -> Any:
    return pt.zeros(data.n_groups)[data.group].inc(values)


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
    """
    data = statistics(family, screen)

    def draws(value: str | float) -> FloatArray:
        """Give a parameter the shape (chain, draw, 1, 1)."""
        values = (
            posterior[value].to_numpy()
            if isinstance(value, str)
            else np.array([[value]])
        )
        return np.asarray(values, dtype=np.float64)[:, :, None, None]

    mean, sd, sigma = draws(family.mean), draws(family.sd), draws("sigma")
    nested_sd = draws(family.nested_sd) if family.nested_sd else np.zeros((1, 1, 1, 1))
    n, unit_mean = data.unit_n, data.unit_mean

    with np.errstate(divide="ignore"):  # a unit without observations has no precision
        weight = np.where(n > 0, 1 / (nested_sd**2 + sigma**2 / n), 0.0)
    # Rows of one group add up. The rows are few, the draws many: a product with a 0/1 matrix.
    membership = np.eye(data.group_of_row.max() + 1)[data.group_of_row].T
    precision = 1 / sd**2 + membership @ weight
    location = (mean / sd**2 + membership @ (weight * unit_mean)) / precision
    top = rng.normal(location, 1 / np.sqrt(precision))

    dims = ("chain", "draw", family.level, "cell_line")
    effects = {family.top: (dims, top)}
    if family.nested:
        about = top[:, :, data.group_of_row]
        precision = 1 / nested_sd**2 + n / sigma**2
        location = (about / nested_sd**2 + n * unit_mean / sigma**2) / precision
        effects[family.nested] = (
            ("chain", "draw", "sgRNA", "cell_line"),
            rng.normal(location, 1 / np.sqrt(precision)),
        )
    used = {dim for dims, _ in effects.values() for dim in dims}
    coords = {dim: labels for dim, labels in screen.coords.items() if dim in used}
    return xr.Dataset(
        effects,
        coords={"chain": posterior["chain"], "draw": posterior["draw"], **coords},
    )

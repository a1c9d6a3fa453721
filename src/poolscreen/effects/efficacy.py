r"""What an sgRNA does alike in all cell lines of a screen.

An sgRNA that cuts badly does so in every line. And where all lines share the reads before the
screen, an error of these is in every log fold change of the sgRNA. The mean :math:`y_{sc}` of the
measurements of an sgRNA in a line, less the effect :math:`\gamma_{g[s]c}` of its gene, is taken to
be

.. math::

    y_{sc} - \gamma_{g[s]c} = \rho_s \gamma_{g[s]c} + \tau_s
        + \text{a deviation in this line} + \text{noise}

with an efficacy :math:`1 + \rho_s` and an offset :math:`\tau_s`. Their scales are estimated, and
both follow for each sgRNA by a regression on the effects of its gene. No line tells how well the
sgRNAs of a gene cut on average, since this is one with the effect of the gene: efficacies are
relative to this average, and the effect is the mean of the sgRNAs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import optimize, special

from poolscreen.arrays import FloatArray, IntArray
from poolscreen.families.mixture.densities import Values, noise_sd
from poolscreen.families.mixture.guides import Guides

SGRNAS = 8000  # that the scales are estimated from, drawn at random
START = np.log([0.3, 0.2, 0.2, 0.2, 8.0 - 1])  # of the search, in the order of `Scatter`


@dataclass(frozen=True)
class Residuals:
    """How the sgRNAs of a gene lie about its effect, line by line.

    Attributes
    ----------
    sgrnas : pandas.MultiIndex
        Levels `gene` and `sgRNA`.
    effect, residual, noise : numpy.ndarray, shape (sgRNAs, lines)
        The effect of the gene, the mean of the sgRNA's measurements less this, and the variance of
        the noise of this mean; NaN where there is no measurement.
    share : numpy.ndarray, shape (sgRNAs, lines)
        The part of the variance of sgRNAs that is left in their residuals, as the effect of the
        gene follows the mean of them.
    """

    sgrnas: pd.MultiIndex
    effect: FloatArray
    residual: FloatArray
    noise: FloatArray
    share: FloatArray

    def of(self, rows: IntArray) -> "Residuals":
        """Return those of some sgRNAs."""
        arrays = (self.effect, self.residual, self.noise, self.share)
        return Residuals(self.sgrnas[rows], *(array[rows] for array in arrays))


def residuals(data: Mapping[str, Guides], parameters: Mapping[str, Values]) -> Residuals:
    """Return how the sgRNAs of a gene lie about its effect, line by line.

    Parameters
    ----------
    data : mapping of str to Guides
        The sgRNAs of each cell line.
    parameters : mapping of str to (mapping of str to float)
        The parameters of model 9 in each line.

    Returns
    -------
    Residuals

    Examples
    --------
    >>> from poolscreen.families.mixture.densities import START as usual
    >>> from poolscreen.families.mixture.guides import guides
    >>> data = {line: guides(small_screen, line) for line in small_screen.cell_lines}
    >>> of = residuals(data, dict.fromkeys(data, usual))
    >>> of.residual.shape, of.share[:, 0].tolist()  # one gene has one sgRNA, the other two
    ((3, 2), [0.0, 0.5, 0.5])
    """
    parts = {}
    for line, of in data.items():
        measured = np.nanmean(of.log_fc, axis=1)
        effect = (np.add.reduceat(measured, of.starts) / of.sizes)[of.gene]
        after = None if of.initial is None else of.initial * 2.0**effect
        noise = noise_sd(parameters[line], after, np.zeros(1))[:, 0]
        parts[line] = pd.DataFrame(
            {
                "effect": effect,
                "residual": measured - effect,
                "noise": noise**2 / np.isfinite(of.log_fc).sum(axis=1),
                "share": 1 - 1 / of.sizes[of.gene],
            },
            index=_labels(of),
        )
    table = pd.concat(parts, axis=1, sort=False)
    columns = ("effect", "residual", "noise", "share")
    arrays = [table.xs(name, axis=1, level=1)[list(data)].to_numpy() for name in columns]
    return Residuals(pd.MultiIndex.from_tuples(table.index, names=table.index.names), *arrays)


def _labels(guides: Guides) -> pd.MultiIndex:
    genes = [guides.genes[g] for g in guides.gene]
    return pd.MultiIndex.from_arrays([genes, guides.names], names=["gene", "sgRNA"])


@dataclass(frozen=True)
class Scatter:
    """How sgRNAs differ: alike in all lines, and in each line anew.

    Attributes
    ----------
    efficacy, offset : float
        Scales of what an sgRNA does in all lines.
    slope_alpha, sigma_alpha : float
        Scales of the rest: in proportion to the effect of the gene, and independent of it.
    nu : float
        Degrees of freedom of all residuals of an sgRNA together.
    """

    efficacy: float
    offset: float
    slope_alpha: float
    sigma_alpha: float
    nu: float


def estimate(of: Residuals, seed: int = 103) -> Scatter:
    """Estimate how sgRNAs differ, at the mode of the posterior.

    Parameters
    ----------
    of : Residuals
        The residuals; of more than `SGRNAS` so many are drawn at random.
    seed : int
        Of this draw.

    Returns
    -------
    Scatter

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> effect, rho = np.full((500, 4), -2.0), rng.normal(0, 0.4, (500, 1))
    >>> index = pd.MultiIndex.from_product([["gene"], range(500)])
    >>> residual = rho * effect + rng.normal(0, 0.1, effect.shape)
    >>> noise, share = np.full(effect.shape, 0.01), np.ones(effect.shape)
    >>> found = estimate(Residuals(index, effect, residual, noise, share))
    >>> 0.7 < np.hypot(2 * found.efficacy, found.offset) < 0.85
    np.True_
    """
    if len(of.sgrnas) > SGRNAS:
        rng = np.random.default_rng(seed)
        of = of.of(np.sort(rng.choice(len(of.sgrnas), SGRNAS, replace=False)))

    def depth(x: FloatArray) -> float:
        scatter = _scatter(x)
        return -_log_density(scatter, _regress(scatter, of)) - _log_prior(x)

    found = optimize.minimize(depth, START, method="L-BFGS-B", bounds=[(-7, 4)] * len(START))
    return _scatter(found.x)


def _scatter(x: FloatArray) -> Scatter:
    efficacy, offset, slope, sigma, above = np.exp(x).tolist()
    return Scatter(efficacy, offset, slope, sigma, 1 + above)


def _log_prior(x: FloatArray) -> float:
    """Return the log prior as a density on the line: those of the parameters of model 9."""
    scales, above = np.exp(x[:-1]), np.exp(x[-1])
    return float((x[:-1] - scales).sum() + 2 * x[-1] - above / 10)


class _Regression(NamedTuple):
    """What the residuals of each sgRNA tell of its efficacy and offset."""

    mean: FloatArray  # (sgRNAs, 2)
    covariance: FloatArray  # (sgRNAs, 2, 2)
    square: FloatArray  # of the residuals, in units of their sd
    number: IntArray  # of lines
    log_det: FloatArray  # of the covariance of the residuals


def _regress(scatter: Scatter, of: Residuals) -> _Regression:
    """Regress the residuals of each sgRNA on the effects of its gene."""
    there = np.isfinite(of.residual) & (of.share > 0)
    variance = scatter.sigma_alpha**2 + (scatter.slope_alpha * of.effect) ** 2 + of.noise
    residual = of.residual / np.sqrt(np.where(there, of.share, 1.0))
    x, y, own = (np.where(there, array, 0.0) for array in (of.effect, residual, variance))
    weight = np.divide(1.0, own, out=np.zeros_like(own), where=there)
    xx, x1, one, xy, y1, yy = (
        (weight * product).sum(axis=1) for product in (x * x, x, there, x * y, y, y * y)
    )
    prior = np.diag([scatter.efficacy**-2, scatter.offset**-2])
    precision = np.moveaxis(np.array([[xx, x1], [x1, one]]), -1, 0) + prior
    covariance = np.linalg.inv(precision)
    moment = np.stack([xy, y1], axis=-1)
    mean = np.einsum("sij,sj->si", covariance, moment)
    log_det = np.log(own, out=np.zeros_like(own), where=there).sum(axis=1)
    log_det += np.log(np.linalg.det(precision)) - np.log(np.linalg.det(prior))
    return _Regression(
        mean, covariance, yy - (moment * mean).sum(axis=1), there.sum(axis=1), log_det
    )


def _log_density(scatter: Scatter, found: _Regression) -> float:
    """Return the log density of the residuals; those of an sgRNA are Student distributed as one."""
    nu, n = scatter.nu, found.number
    constant = special.gammaln((nu + n) / 2) - special.gammaln(nu / 2) - n / 2 * np.log(nu * np.pi)
    log_density = constant - found.log_det / 2 - (nu + n) / 2 * np.log1p(found.square / nu)
    return float(log_density.sum())


def of_sgrnas(scatter: Scatter, of: Residuals) -> pd.DataFrame:
    """Tabulate what each sgRNA does alike in all lines.

    Parameters
    ----------
    scatter : Scatter
        How sgRNAs differ, see `estimate`.
    of : Residuals
        The residuals of all lines.

    Returns
    -------
    pandas.DataFrame
        A row per sgRNA of a gene that has others: `sgRNA`, `gene`; its `efficacy` relative to the
        mean of the gene's sgRNAs, 1 if it is like them and 0 if it does nothing, with `sd`; and its
        `offset` (log fold change), with `sd_offset`. Where a gene has no effect in any line,
        nothing is known of the efficacy: it is about 1, with the `sd` of all sgRNAs.

    Examples
    --------
    >>> shape = np.ones((3, 2))
    >>> index = pd.MultiIndex.from_product([["g"], ["s", "t", "u"]], names=["gene", "sgRNA"])
    >>> residual = np.array([[2.0, -1, -1], [2, -1, -1]]).T
    >>> of = Residuals(index, -2 * shape, residual, 0.1 * shape, shape * 2 / 3)
    >>> of_sgrnas(Scatter(0.5, 0.1, 0.1, 0.1, 8.0), of)["efficacy"].round(1).tolist()
    [0.1, 1.5, 1.5]
    """
    of = of.of(np.flatnonzero(np.nanmax(of.share, axis=1) > 0))
    found = _regress(scatter, of)
    share = np.sqrt(np.nanmax(of.share, axis=1))
    # The further the residuals lie out, the wider is the Student distribution of the rest.
    wider = np.sqrt((scatter.nu + found.square) / (scatter.nu + found.number))
    mean = found.mean * share[:, None]
    sd = np.sqrt(np.diagonal(found.covariance, axis1=1, axis2=2)) * (share * wider)[:, None]
    return of.sgrnas.to_frame(index=False)[["sgRNA", "gene"]].assign(
        efficacy=1 + mean[:, 0], sd=sd[:, 0], offset=mean[:, 1], sd_offset=sd[:, 1]
    )

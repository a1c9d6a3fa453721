r"""The densities of model 9 on a grid of effects.

With the effect :math:`\gamma_g` of a gene, and :math:`\theta_s` of a guide,

.. math::

    \gamma_g &\sim \pi_0\, \text{Normal}(\mu_0, \tau_0) + \pi_-\, \text{Normal}^-(\mu_-, \tau_-)
        + \pi_+\, \text{Normal}^+(0, \tau_+) \\
    \theta_s &\sim \text{Student}_{\nu_\alpha}\bigl(\gamma_{g[s]},
        \sqrt{\sigma_\alpha^2 + \lambda^2 \gamma_{g[s]}^2}\bigr) \\
    \text{logFC}_i &\sim \text{Student}_\nu\bigl(\theta_{s[i]},
        \sqrt{\sigma^2 + \omega / (2^{\theta_{s[i]}} n_{s[i]})}\bigr)

where the superscripts stand for the parts below and above zero, and :math:`n_s` are the normalised
reads of a guide before the screen. Given the parameters a gene is an integral over its effect, and
each of its guides one over :math:`\theta_s`. Both are sums over one grid.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from scipy import special

from poolscreen.arrays import BoolArray, FloatArray
from poolscreen.families.mixture.guides import Guides

STEP = 0.08  # of the grid, in log fold changes
USUAL = (-6.0, 3.0)  # effects that the grid reaches to in any case, as the prior does
FARTHEST = 15.0  # and at most: an sgRNA hardly ever has 2**15 reads to lose or to gain
BEYOND = 1.0  # how far the grid goes beyond the data
MOST = 400  # points, of data that reach very far
TINY = 1e-300
FOLDS = 60  # doublings
BLOCK = 256  # sgRNAs at a time: what stays close to the processor is computed faster
TOGETHER = 8  # replicates whose densities are multiplied; more might be too large for a number

Values = Mapping[str, float]  # the parameters by name


class Parts(NamedTuple):
    """The prior of a gene's effect on the grid, by its parts; together they sum to 1."""

    null: FloatArray
    down: FloatArray
    up: FloatArray


def grid(guides: Guides) -> FloatArray:
    """Return the effects that are looked at: evenly spaced, with zero in the middle of a gap.

    Parameters
    ----------
    guides : Guides
        The data.

    Returns
    -------
    numpy.ndarray, shape (points,)

    Examples
    --------
    >>> from poolscreen.families.mixture.guides import guides
    >>> points = grid(guides(small_screen, "cell_0"))
    >>> bool(np.isclose(np.abs(points).min(), STEP / 2))
    True
    """
    low = max(min(np.nanmin(guides.log_fc), USUAL[0]), -FARTHEST) - BEYOND
    high = min(max(np.nanmax(guides.log_fc), USUAL[1]), FARTHEST) + BEYOND
    step = max(STEP, (high - low) / MOST)
    below, above = int(np.ceil(-low / step)), int(np.ceil(high / step))
    points: FloatArray = np.asarray((np.arange(-below, above) + 0.5) * step, dtype=np.float64)
    return points


def noise_sd(values: Values, initial: FloatArray | None, effect: FloatArray) -> FloatArray:
    """Return the scale of the noise: of many reads, and of the reads that an effect leaves.

    Parameters
    ----------
    values : mapping of str to float
        The parameters `sigma` and `omega`.
    initial : numpy.ndarray, shape (guides,), or None
        Normalised reads before the screen.
    effect : numpy.ndarray, shape (points,)
        Log fold changes to base 2.

    Returns
    -------
    numpy.ndarray, shape (guides or 1, points)

    Examples
    --------
    >>> noise_sd({"sigma": 0.3, "omega": 16.0}, np.array([100.0]), np.array([0.0, -2.0]))
    array([[0.5       , 0.85440037]])
    """
    variance = np.full((1, len(effect)), values["sigma"] ** 2)
    if initial is not None:
        fold = 2.0 ** np.clip(effect, -FOLDS, FOLDS)  # beyond any sense, and no overflow
        variance = variance + values["omega"] / (initial[:, None] * fold)
    sd: FloatArray = np.sqrt(variance)
    return sd


def noise_of(values: Values, guides: Guides, effect: FloatArray) -> FloatArray:
    """Return the scale of the noise of guides; shape (guides, points).

    Where the reads after the screen are known to be expected, it is the same for all effects.
    """
    known = guides.expected is not None
    reads, at = (guides.expected, np.zeros(1)) if known else (guides.initial, effect)
    return np.broadcast_to(noise_sd(values, reads, at), (len(guides.log_fc), len(effect)))


def log_likelihood(values: Values, guides: Guides, effect: FloatArray) -> FloatArray:
    """Return the log density of each guide's measurements, at each value of its effect.

    Parameters
    ----------
    values : mapping of str to float
        The parameters.
    guides : Guides
        The data.
    effect : numpy.ndarray, shape (points,)
        Effects of the guide.

    Returns
    -------
    numpy.ndarray, shape (guides, points)
    """
    total = np.empty((len(guides.log_fc), len(effect)))
    sd = noise_of(values, guides, effect)
    for start in range(0, len(total), BLOCK):
        at = slice(start, start + BLOCK)
        total[at] = _of_replicates(values["nu"], guides.log_fc[at], sd[at], effect)
    return total


def _of_replicates(nu: float, log_fc: FloatArray, sd: FloatArray, effect: FloatArray) -> FloatArray:
    """Return the log density of measurements; see `log_likelihood`.

    The logarithm of a product is taken, as one logarithm of each replicate takes most of the time.
    """
    there = np.isfinite(log_fc)
    known, weight = np.where(there, log_fc, 0.0), 1 / (nu * np.square(sd))
    total: FloatArray = there.sum(axis=1)[:, None] * (_log_t_constant(nu) - np.log(sd))
    for start in range(0, log_fc.shape[1], TOGETHER):
        product = np.ones(sd.shape)
        for replicate in range(start, min(start + TOGETHER, log_fc.shape[1])):
            away = np.square(known[:, [replicate]] - effect) * weight
            product *= 1 + there[:, [replicate]] * away
        total -= (nu + 1) / 2 * np.log(product)
    return total


def of_guides(values: Values, effect: FloatArray) -> FloatArray:
    """Return the probability of each effect of a guide, given that of its gene.

    Parameters
    ----------
    values : mapping of str to float
        The parameters.
    effect : numpy.ndarray, shape (points,)
        The grid.

    Returns
    -------
    numpy.ndarray, shape (points, points)
        A row for each effect of the gene, which sums to 1.
    """
    nu = values["nu_alpha"]
    sd = np.sqrt(values["sigma_alpha"] ** 2 + (values["slope_alpha"] * effect) ** 2)[:, None]
    away = np.square((effect - effect[:, None]) / sd) / nu
    density = (1 + away) ** (-(nu + 1) / 2)
    share: FloatArray = density / density.sum(axis=1, keepdims=True)
    return share


def of_genes(values: Values, effect: FloatArray) -> Parts:
    """Return the prior probability of each effect of a gene, by its parts.

    Parameters
    ----------
    values : mapping of str to float
        The parameters.
    effect : numpy.ndarray, shape (points,)
        The grid.

    Returns
    -------
    Parts
        Arrays of shape (points,).

    Examples
    --------
    >>> effect = (np.arange(-50, 50) + 0.5) / 10
    >>> parts = of_genes(START, effect)
    >>> [round(float(part.sum()), 3) for part in parts]
    [0.8, 0.18, 0.02]
    """

    def bell(mean: float, sd: float, inside: BoolArray) -> FloatArray:
        log_density = np.where(inside, -0.5 * np.square((effect - mean) / sd), -np.inf)
        density = np.exp(log_density - log_density.max())
        share: FloatArray = density / density.sum()
        return share

    null, up = values["null"], values["up"]
    everywhere = np.ones(len(effect), dtype=bool)
    return Parts(
        null=null * bell(values["mu_null"], values["sd_null"], everywhere),
        down=(1 - null) * (1 - up) * bell(values["mu_down"], values["sd_down"], effect < 0),
        up=(1 - null) * up * bell(0.0, values["sd_up"], effect > 0),
    )


def _log_t_constant(nu: float) -> float:
    return float(special.gammaln((nu + 1) / 2) - special.gammaln(nu / 2) - 0.5 * np.log(nu * np.pi))


# Where a search for the parameters begins: a screen of knock-outs as most are.
START = {
    "sigma": 0.3,
    "omega": 50.0,
    "nu": 8.0,
    "sigma_alpha": 0.4,
    "slope_alpha": 0.4,
    "nu_alpha": 8.0,
    "null": 0.8,
    "up": 0.1,
    "mu_null": 0.0,
    "sd_null": 0.2,
    "mu_down": -1.5,
    "sd_down": 1.0,
    "sd_up": 0.7,
}

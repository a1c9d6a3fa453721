"""Model 9: its parameters by their mode, and each gene as an integral over its effect."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
import pandas as pd
import xarray as xr
from scipy import optimize, special, stats

from poolscreen.arrays import FloatArray
from poolscreen.errors import PoolscreenError
from poolscreen.families.mixture import densities
from poolscreen.families.mixture.densities import START, TINY, Parts, Values
from poolscreen.families.mixture.guides import Guides
from poolscreen.inference.exact import ENDS
from poolscreen.inference.posterior import HDI_PROB
from poolscreen.processes import ahead
from poolscreen.progress import Progress, Say, silence

GENES = 2000  # that the parameters are estimated from, drawn at random
BLOCK = 1000  # genes at a time: what stays close to the processor is computed faster
STEPS, CLOSE = 60, 0.001  # of the search; the gain in log density below which it ends
NEAR = 1.0  # and the one from which on it goes on by BFGS
LEFT = 1.0  # and the one above which a search that has ended has failed
NARROWEST = densities.STEP / 2
DIFFERENCE = 1e-4  # that slopes are taken from, in the coordinates of the search


@dataclass(frozen=True)
class Parameter:
    """A parameter of model 9.

    Attributes
    ----------
    of : {"noise", "guide", "gene"}
        What it belongs to; the less of the model a parameter moves, the less is computed anew.
    inside : callable
        From the line to the parameter's values.
    line : callable
        Back.
    log_prior : callable
        Log density of its prior.
    log_slope : callable
        Logarithm of the slope of `inside`, at a point of the line.
    """

    of: str
    inside: Callable[[float], float]
    line: Callable[[float], float]
    log_prior: Callable[[float], float]
    log_slope: Callable[[float], float]


def _positive(of: str, mean: float) -> Parameter:
    return Parameter(of, np.exp, np.log, partial(stats.expon.logpdf, scale=mean), float)


def _scale(of: str) -> Parameter:
    """Build a scale of effects: below half a gap of the grid it could not be told from zero."""
    return Parameter(
        of,
        lambda x: NARROWEST + np.exp(x),
        lambda value: np.log(value - NARROWEST),
        stats.expon.logpdf,
        float,
    )


def _freedom(of: str) -> Parameter:
    """Degrees of freedom above 1: nearly a normal distribution, or heavy tails."""
    return Parameter(
        of,
        lambda x: 1 + np.exp(x),
        lambda value: np.log(value - 1),
        lambda value: stats.gamma.logpdf(value - 1, 2, scale=10),
        float,
    )


def _share(a: float, b: float) -> Parameter:
    prior = partial(stats.beta.logpdf, a=a, b=b)
    return Parameter(
        "gene",
        special.expit,
        special.logit,
        prior,
        lambda x: -np.logaddexp(0, x) - np.logaddexp(0, -x),
    )


def _mean(centre: float, sd: float) -> Parameter:
    prior = partial(stats.norm.logpdf, loc=centre, scale=sd)
    return Parameter("gene", float, float, prior, lambda _: 0.0)


PARAMETERS = {
    "sigma": _scale("noise"),
    "omega": _positive("noise", 100),
    "nu": _freedom("noise"),
    "sigma_alpha": _scale("guide"),
    "slope_alpha": _positive("guide", 1),
    "nu_alpha": _freedom("guide"),
    "null": _share(8, 2),
    "up": _share(1, 3),
    "mu_null": _mean(0, 0.25),
    "sd_null": _scale("gene"),
    "mu_down": _mean(-2, 1),
    "sd_down": _scale("gene"),
    "sd_up": _scale("gene"),
}


@dataclass(frozen=True)
class Mode:
    """The parameters at the mode of their posterior.

    Attributes
    ----------
    parameters : dict of str to float
        By name.
    sd : dict of str to float
        Of the posterior, as the curvature at the mode has it.
    genes : int
        How many genes they were estimated from.
    """

    parameters: dict[str, float]
    sd: dict[str, float]
    genes: int

    def table(self) -> pd.DataFrame:
        """Tabulate the parameters: columns `parameter`, `mode`, `sd`."""
        rows = {"parameter": self.parameters.keys(), "mode": self.parameters.values()}
        return pd.DataFrame(rows | {"sd": [self.sd[name] for name in self.parameters]})


def find_mode(
    guides: Guides,
    *,
    fixed: Values | None = None,
    seed: int = 103,
    say: Say = silence,
) -> Mode:
    """Find the parameters of model 9 for the guides of a cell line.

    It is the mode in the coordinates of the search: logarithms of what is positive, the logit of a
    share. The search takes steps by the scores of the genes: their sum is the slope of the log
    density, and the sum of their products stands for its curvature (Berndt, Hall, Hall and Hausman
    1974, Annals of Economic and Social Measurement 3, 653-665). Close to the mode, where such steps
    become slow, it goes on by BFGS, which learns the curvature on its way.

    Parameters
    ----------
    guides : Guides
        The data; of more than `GENES` genes so many are drawn at random.
    fixed : mapping of str to float, optional
        Parameters that are known, by name.
    seed : int
        Of this draw.
    say : callable, optional
        Takes a message at each step.

    Returns
    -------
    Mode

    Raises
    ------
    PoolscreenError
        If all measurements are equal, or the density of the parameters is finite nowhere, or its
        mode is not found.

    Examples
    --------
    >>> from poolscreen.families.mixture.guides import guides
    >>> screen = Screen(simulate(Design(n_cell_lines=1, sgrnas_per_gene=(4,) * 60))[0])
    >>> mode = find_mode(guides(screen, "cell_0"))
    >>> mode.genes, "omega" in mode.parameters  # the simulator knows no reads
    (60, False)
    """
    if np.nanmax(guides.log_fc) == np.nanmin(guides.log_fc):
        raise PoolscreenError(
            f"all log fold changes are {guides.log_fc.flat[0]:g}: with zero variance there is "
            "nothing to estimate; is this the right column?"
        )
    effect = densities.grid(guides)
    chosen = np.arange(len(guides.genes))
    if len(chosen) > GENES:
        chosen = np.sort(np.random.default_rng(seed).choice(chosen, GENES, replace=False))
    search = _Search(guides.of_genes(chosen), effect, fixed or {})
    x = np.array([PARAMETERS[name].line(START[name]) for name in search.names])
    height, scores = search.scores(x)
    if not np.isfinite(height):
        raise PoolscreenError(
            "the density of the parameters is finite nowhere; are there values beyond any sense?"
        )
    for number in range(STEPS):
        gradient, information = search.slope(x, scores)
        gain = _gain(gradient, information)
        if gain < NEAR:
            x, gradient, information = search.polish(x, information)
            gain = _gain(gradient, information)
            break
        say(f"step {number + 1}: {gain:,.1f} to gain in log density")
        before = x
        x, height = search.climb(x, gradient, information, height)
        if x is before:
            break
        _, scores = search.scores(x)
    if gain > LEFT:
        raise PoolscreenError(
            "the search for the parameters of model 9 ended before it had reached their mode "
            f"({gain:.1f} were still to gain in log density); are these the log "
            "fold changes of a screen? `poolscreen report` fits a simpler model"
        )
    values = search.values(x)
    line_sd = np.sqrt(np.diag(np.linalg.inv(information)))
    widths = search.values(x + 0.5 * line_sd), search.values(x - 0.5 * line_sd)
    sd = {name: abs(widths[0][name] - widths[1][name]) for name in values}  # 0 of what is fixed
    return Mode(values, sd, len(chosen))


def _gain(gradient: FloatArray, information: FloatArray) -> float:
    """Return what is left to gain in log density, if it is a parabola."""
    return float(gradient @ np.linalg.solve(information, gradient) / 2)


class _Search:
    """The log density of the parameters, gene by gene, in coordinates on the line."""

    def __init__(self, guides: Guides, effect: FloatArray, fixed: Values) -> None:
        self.guides, self.effect, self.fixed = guides, effect, dict(fixed)
        self.damping = 0.0
        without = {*fixed, *(["omega"] if guides.initial is guides.expected is None else [])}
        self.names = [name for name in PARAMETERS if name not in without]

    def values(self, x: FloatArray) -> dict[str, float]:
        """Return the parameters at a point."""
        line = zip(self.names, x, strict=True)
        return {name: float(PARAMETERS[name].inside(at)) for name, at in line} | self.fixed

    def log_prior(self, x: FloatArray) -> FloatArray:
        """Return the log prior of each parameter, as a density on the line.

        Its mode keeps away from zero, where few genes would let the density of a scale grow
        without bound.
        """
        values = self.values(x)
        return np.array(
            [
                float(PARAMETERS[name].log_prior(values[name]) + PARAMETERS[name].log_slope(at))
                for name, at in zip(self.names, x, strict=True)
            ]
        )

    def prior_slope(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the slope of the log prior, and its curvature downwards."""
        step = 1e-3
        low, middle, high = (self.log_prior(x + d) for d in (-step, 0.0, step))
        return (high - low) / (2 * step), (2 * middle - high - low) / step**2

    def height(self, x: FloatArray) -> float:
        """Return the log density at a point."""
        values = self.values(x)
        of_genes = by_gene(values, self.guides, self.effect)[0]
        return float(of_genes.sum() + self.log_prior(x).sum())

    def scores(self, x: FloatArray) -> tuple[float, FloatArray]:
        """Return the log density, and the slope of that of each gene; shape (genes, parameters)."""
        values, effect = self.values(x), self.effect
        relative, top = _relative(densities.log_likelihood(values, self.guides, effect))
        of_genes = _over_guides(values, self.guides, effect, relative, top)
        base, _ = _integrated(of_genes, values, effect)

        def score(name: str) -> FloatArray:
            moved = self.values(x + DIFFERENCE * (np.array(self.names) == name))
            kind = PARAMETERS[name].of
            if kind == "noise":
                new = _relative(densities.log_likelihood(moved, self.guides, effect))
                found = _over_guides(moved, self.guides, effect, *new)
            elif kind == "guide":
                found = _over_guides(moved, self.guides, effect, relative, top)
            else:
                found = of_genes
            change: FloatArray = (_integrated(found, moved, effect)[0] - base) / DIFFERENCE
            return change

        scores = np.stack(list(ahead(score, self.names)), axis=1)
        return float(base.sum() + self.log_prior(x).sum()), scores

    def slope(self, x: FloatArray, scores: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the slope of the log density, and what stands for its curvature downwards."""
        slope, curvature = self.prior_slope(x)
        return scores.sum(axis=0) + slope, scores.T @ scores + np.diag(np.maximum(curvature, 1e-3))

    def polish(
        self, x: FloatArray, information: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Go on by BFGS from a point close to the mode; return it, slope and curvature there.

        Its coordinates are those in which the curvature is thought to be 1.
        """
        root = np.linalg.cholesky(information)

        def place(z: FloatArray) -> FloatArray:
            return x + np.linalg.solve(root.T, z)

        @cache  # the end of the search is asked for again
        def at(z: tuple[float, ...]) -> tuple[float, FloatArray, FloatArray]:
            height, scores = self.scores(place(np.array(z)))
            return height, *self.slope(place(np.array(z)), scores)

        def depth(z: FloatArray) -> tuple[float, FloatArray]:
            height, gradient, _ = at(tuple(z))
            return -height, -np.linalg.solve(root, gradient)

        found = optimize.minimize(
            depth,
            np.zeros(len(x)),
            jac=True,
            method="BFGS",
            # Half the square of the slope is what is left to gain.
            options={"gtol": np.sqrt(2 * CLOSE), "norm": 2, "maxiter": STEPS},
        )
        return place(found.x), *at(tuple(found.x))[1:]

    def climb(
        self, x: FloatArray, gradient: FloatArray, information: FloatArray, height: float
    ) -> tuple[FloatArray, float]:
        """Take the step that the curvature suggests, damped until the density rises.

        The more damping, the shorter the step, and the closer its direction to the steepest one.
        """
        own = np.diag(np.diag(information))
        self.damping = max(self.damping / 10, 1e-3)  # at first as much as was right before
        while self.damping < 1e6:
            step = np.linalg.solve(information + self.damping * own, gradient)
            step = np.clip(step, -1, 1)  # where it is flat, a coordinate would run away
            new = self.height(x + step)
            if new > height:
                return x + step, new
            self.damping *= 5
        return x, height


def _relative(log_density: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return densities divided by the largest of each row, and the logarithms of these."""
    top = log_density.max(axis=1, keepdims=True)
    return np.exp(log_density - top), top


def _over_guides(
    values: Values, guides: Guides, effect: FloatArray, relative: FloatArray, top: FloatArray
) -> FloatArray:
    """Integrate the guides of each gene over their effects; shape (genes, points)."""
    given = np.log(relative @ densities.of_guides(values, effect).T + TINY) + top
    return np.add.reduceat(given, guides.starts, axis=0)


def _integrated(
    of_genes: FloatArray, values: Values, effect: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Integrate genes over their effects: log densities, and the posterior on the grid."""
    prior = sum(densities.of_genes(values, effect))
    posterior, top = _relative(of_genes + np.log(prior + TINY))
    total = posterior.sum(axis=1, keepdims=True)
    return (np.log(total) + top)[:, 0], posterior / total


def by_gene(values: Values, guides: Guides, effect: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the log density of each gene's measurements, and the posterior of its effect.

    Parameters
    ----------
    values : mapping of str to float
        The parameters.
    guides : Guides
        The data.
    effect : numpy.ndarray, shape (points,)
        The grid.

    Returns
    -------
    log_density : numpy.ndarray, shape (genes,)
    posterior : numpy.ndarray, shape (genes, points)
        Each row sums to 1.

    Examples
    --------
    >>> from poolscreen.families.mixture.guides import guides
    >>> data = guides(small_screen, "cell_0")
    >>> log_density, posterior = by_gene(START, data, densities.grid(data))
    >>> log_density.shape, posterior.sum(axis=1).round(6).tolist()
    ((2,), [1.0, 1.0])
    """
    relative = _relative(densities.log_likelihood(values, guides, effect))
    return _integrated(_over_guides(values, guides, effect, *relative), values, effect)


@dataclass(frozen=True)
class Effects:
    """The posterior of all genes of a cell line.

    Attributes
    ----------
    genes : pandas.DataFrame
        A row per gene: `gene`, `n_sgrnas`, `mean`, `sd`, `hdi_3%`, `hdi_97%`, and the log odds
        `down` and `up` that the gene belongs to the part of the prior below, or above, zero.
        Probabilities would round to 1, and tie, for all strong effects.
    guides : pandas.DataFrame
        A row per guide of a gene that has others: `gene`, `sgRNA`, `mean` of its measurements,
        `expected` from the others of its gene, `tail`, the probability of a value that far out, and
        `log score`, the log density of its measurements given the others, per measurement.
    posterior : xarray.DataArray, dimensions `gene` and `effect`
        The probability of each effect on the grid, a row per gene, in single precision.
    """

    genes: pd.DataFrame
    guides: pd.DataFrame
    posterior: xr.DataArray


def effects(values: Values, guides: Guides, *, say: Say = silence) -> Effects:
    """Integrate every gene over its effect, and hold each guide against the others of its gene.

    Parameters
    ----------
    values : mapping of str to float
        The parameters, see `find_mode`.
    guides : Guides
        The data.
    say : callable, optional
        Takes messages: how far the work is.

    Returns
    -------
    Effects

    Examples
    --------
    >>> from poolscreen.families.mixture.guides import guides
    >>> found = effects(START, guides(small_screen, "cell_0"))
    >>> found.genes[["gene", "n_sgrnas"]].to_numpy().tolist()
    [['gene_0', 1], ['gene_1', 2]]
    """
    effect = densities.grid(guides)
    progress = Progress(say)

    def of_block(block: slice) -> tuple[pd.DataFrame, FloatArray, pd.DataFrame]:
        part = guides.of_genes(block)
        of_part, posterior = _genes_of(values, part, effect)
        return of_part, posterior.astype(np.float32), _guides_of(values, part, effect)

    blocks, found = list(_blocks(len(guides.genes))), []
    for block, of_part in zip(blocks, ahead(of_block, blocks), strict=True):
        progress(f"{block.stop:,} of {len(guides.genes):,} genes")
        found.append(of_part)
    genes, posteriors, others = zip(*found, strict=True)
    return Effects(
        genes=pd.concat(genes, ignore_index=True),
        guides=pd.concat(others, ignore_index=True),
        posterior=xr.DataArray(
            np.concatenate(posteriors),
            coords={"gene": guides.genes, "effect": effect},
            dims=("gene", "effect"),
        ),
    )


def _blocks(size: int) -> Iterator[slice]:
    for start in range(0, size, BLOCK):
        yield slice(start, min(start + BLOCK, size))


def _genes_of(
    values: Values, guides: Guides, effect: FloatArray
) -> tuple[pd.DataFrame, FloatArray]:
    """Summarise the posterior of each gene, and return it on the grid."""
    relative, top = _relative(densities.log_likelihood(values, guides, effect))
    of_genes = _over_guides(values, guides, effect, relative, top)
    _, posterior = _integrated(of_genes, values, effect)
    mean = posterior @ effect
    parts = densities.of_genes(values, effect)
    with np.errstate(divide="ignore"):
        logs = [special.logsumexp(of_genes + np.log(part), axis=1) for part in parts]
    of = Parts(*logs)
    low, high = shortest(posterior, effect)
    summary = pd.DataFrame(
        {
            "gene": guides.genes,
            "n_sgrnas": guides.sizes,
            "mean": mean,
            "sd": np.sqrt(np.maximum(posterior @ effect**2 - mean**2, 0)),
            ENDS[0]: low,
            ENDS[1]: high,
            "down": of.down - np.logaddexp(of.null, of.up),
            "up": of.up - np.logaddexp(of.null, of.down),
        }
    )
    return summary, posterior


def given_others(
    values: Values, guides: Guides, effect: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Predict the effect of each guide from the others of its gene; from the prior if it has none.

    Parameters
    ----------
    values : mapping of str to float
        The parameters.
    guides : Guides
        The data.
    effect : numpy.ndarray, shape (points,)
        The grid.

    Returns
    -------
    predicted : numpy.ndarray, shape (guides, points)
        Each row sums to 1.
    relative, top : numpy.ndarray, shapes (guides, points) and (guides, 1)
        The density of each guide's own measurements, relative to its largest, and the logarithm of
        that.

    Examples
    --------
    >>> from poolscreen.families.mixture.guides import guides
    >>> data = guides(small_screen, "cell_0")
    >>> predicted, _, _ = given_others(START, data, densities.grid(data))
    >>> predicted.sum(axis=1).round(6).tolist()
    [1.0, 1.0, 1.0]
    """
    relative, top = _relative(densities.log_likelihood(values, guides, effect))
    kernel = densities.of_guides(values, effect)
    given = np.log(relative @ kernel.T + TINY) + top
    whole = np.add.reduceat(given, guides.starts, axis=0)
    prior = np.log(sum(densities.of_genes(values, effect)) + TINY)
    others, _ = _relative(prior + whole[guides.gene] - given)
    return others / others.sum(axis=1, keepdims=True) @ kernel, relative, top


def _guides_of(values: Values, guides: Guides, effect: FloatArray) -> pd.DataFrame:
    """Hold each guide against what the others of its gene predict of it."""
    several = np.flatnonzero(guides.sizes[guides.gene] > 1)
    predicted, relative, top = (of[several] for of in given_others(values, guides, effect))
    score = np.log((predicted * relative).sum(axis=1) + TINY) + top[:, 0]
    measured = guides.log_fc[several]
    mean, n = np.nanmean(measured, axis=1), np.isfinite(measured).sum(axis=1)
    sd = densities.noise_of(values, guides, effect)[several] / np.sqrt(n)[:, None]
    # Between 8,001 places, where no probability is off by more than a millionth.
    places = np.sinh(np.linspace(-8, 8, 8001))
    below = np.interp((mean[:, None] - effect) / sd, places, special.stdtr(values["nu"], places))
    share = (predicted * below).sum(axis=1)
    return pd.DataFrame(
        {
            "gene": [guides.genes[g] for g in guides.gene[several]],
            "sgRNA": [guides.names[s] for s in several],
            "mean": mean,
            "expected": predicted @ effect,
            "tail": 2 * np.minimum(share, 1 - share),
            "log score": score / n,
        }
    )


def shortest(
    posterior: FloatArray, effect: FloatArray, probability: float = HDI_PROB
) -> tuple[FloatArray, FloatArray]:
    """Return the ends of the shortest interval of each row that holds a probability.

    Parameters
    ----------
    posterior : numpy.ndarray, shape (rows, points)
        Probabilities of the points, each spread over the gap around it.
    effect : numpy.ndarray, shape (points,)
        The grid.
    probability : float
        Of the interval.

    Returns
    -------
    low, high : numpy.ndarray, shape (rows,)

    Examples
    --------
    >>> effect = np.linspace(-6, 6, 241)
    >>> bell = stats.norm.pdf(effect)[None] / stats.norm.pdf(effect).sum()
    >>> [round(float(end[0]), 2) for end in shortest(bell, effect)]
    [-1.87, 1.89]
    """
    step = effect[1] - effect[0]
    edges = np.append(effect - step / 2, effect[-1] + step / 2)
    low, high = np.empty(len(posterior)), np.empty(len(posterior))
    for row, shares in enumerate(posterior):
        cumulative = np.append(0.0, np.cumsum(shares))
        starts = edges[cumulative <= 1 - probability]
        ends = np.interp(cumulative[: len(starts)] + probability, cumulative, edges)
        best = (ends - starts).argmin()
        low[row], high[row] = starts[best], ends[best]
    return low, high

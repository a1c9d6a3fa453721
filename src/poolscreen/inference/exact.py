"""The posterior of a model whose effects integrate out: without a Markov chain, without draws."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from poolscreen import models
from poolscreen.arrays import FloatArray, IntArray
from poolscreen.errors import PoolscreenError, refuse
from poolscreen.families.family import (
    DRAWS_AT_A_TIME,
    Closed,
    Family,
    Given,
    Moments,
    in_rows,
    labelled,
)
from poolscreen.inference import store
from poolscreen.inference.mixtures import Mixture, weighted_interval
from poolscreen.inference.posterior import HDI_PROB
from poolscreen.inference.scales import MAX_PARETO_K, TOLERANCE, Weighted, integrate
from poolscreen.progress import Say, silence
from poolscreen.screens.table import Screen

# Points of the scales that effects are mixed from: fewer where there are many effects, as a large
# screen leaves little doubt about its scales.
NUMBERS = 2**24  # points times effects
FEWEST, MOST = 64, 1024
BLOCK = 2**21  # numbers in memory at a time
ENDS = ("hdi_3%", "hdi_97%")


@dataclass(frozen=True)
class Exact:
    """The posterior of a model of a screen: weighted points of the scales, effects given these.

    Given a point of the scales every effect is normal, so its posterior is a finite mixture of
    normal distributions: mean, standard deviation, probabilities and intervals follow as
    accurately as the points stand for the scales.

    Attributes
    ----------
    family : Family
        The model.
    closed : Closed
        The model of a screen in closed form.
    points : Weighted
        The scales.
    most : int
        How many of the points effects are mixed from, at most.

    Examples
    --------
    >>> from poolscreen.models import m7b
    >>> posterior = solve(m7b.FAMILY, Screen(simulate(Design())[0]))
    >>> posterior.scalars().set_index("parameter").loc["mu_gamma", ["mean", "sd"]].round(2).tolist()
    [-0.94, 0.08]
    >>> tables = posterior.tables(thresholds=(0.0,))
    >>> tables["gamma_gc"].round(2).head(1).to_dict("records")
    [{'gene': 'gene_0', 'cell_line': 'cell_0', 'mean': -0.97, 'sd': 0.33, 'hdi_3%': -1.6,
      'hdi_97%': -0.34, 'P(below 0)': 1.0}]
    """

    family: Family
    closed: Closed
    points: Weighted
    most: int = MOST

    @property
    def screen(self) -> Screen:
        """The data."""
        return self.closed.screen

    @cached_property
    def few(self) -> Weighted:
        """The points that effects are mixed from."""
        effects = (len(self.screen.genes) + len(self.screen.sgrnas)) * len(self.screen.cell_lines)
        return self.points.fewer(min(max(FEWEST, NUMBERS // effects), self.most))

    @cached_property
    def given(self) -> Given:
        """Means and effects, given these points."""
        return self.closed.given(self.few.scales)

    def scalars(self) -> pd.DataFrame:
        """Summarise the scales, and what all effects have in common.

        Returns
        -------
        pandas.DataFrame
            Columns `parameter`, `mean`, `sd`, `hdi_3%`, `hdi_97%`.
        """
        rows = {}
        for name, moments in self.given.means().items():
            if moments.mean.ndim == 1:
                (rows[name],) = _summaries(self._mixture(moments), ()).to_numpy()
        for name, values in self.points.scales.items():
            mean = self.points.weights @ values
            sd = np.sqrt(self.points.weights @ (values - mean) ** 2)
            rows[name] = np.array([mean, sd, *weighted_interval(values, self.points.weights)])
        table = pd.DataFrame.from_dict(rows, orient="index", columns=["mean", "sd", *ENDS])
        return table.rename_axis("parameter").reset_index()

    def tables(
        self, thresholds: Sequence[float] = (), *, intervals: bool = True
    ) -> dict[str, pd.DataFrame]:
        """Summarise every parameter.

        Parameters
        ----------
        thresholds : sequence of float
            Log fold changes.
        intervals : bool
            Whether the intervals of effects are computed, which takes most of the time.

        Returns
        -------
        dict of str to pandas.DataFrame
            `scalars`, see there, and one table per kind of effect, with a column for each label,
            `mean`, `sd`, `hdi_3%`, `hdi_97%` (94 % highest-density interval), and `P(below ...)`
            for each threshold.
        """
        found: dict[str, list[pd.DataFrame]] = {}
        order: dict[str, list[IntArray]] = {}
        for name, moments in self.given.means().items():
            if moments.mean.ndim > 1:
                mixture = self._mixture(moments)
                found[name] = [_summaries(mixture, thresholds, intervals=intervals)]
                order[name] = [np.arange(moments.mean.shape[1])]
        for genes in self._blocks():
            for name, (rows, moments) in self.given.effects(genes).items():
                mixture = self._mixture(moments)
                summary = _summaries(mixture, thresholds, intervals=intervals)
                found.setdefault(name, []).append(summary)
                order.setdefault(name, []).append(rows)
        dims = self.family.dims
        tables = {"scalars": self.scalars()}
        for name in sorted(found, key=list(dims).index):
            tables[name] = self._labelled(dims[name], order[name], pd.concat(found[name]))
        return tables

    def gene_effects(
        self,
        thresholds: Sequence[float] = (),
        weights: FloatArray | None = None,
        labels: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """Summarise the effects of genes in cell lines, or combinations of these over the lines.

        Every model has them: where genes and lines have an effect each, it is the sum of both and
        of what all have in common; where only sgRNAs have, it is the mean of those of the gene.

        Parameters
        ----------
        thresholds : sequence of float
            Log fold changes.
        weights : numpy.ndarray, shape (cell lines, combinations), optional
            By default each cell line by itself. One line less another is a difference; equal
            weights that sum to 1 are a mean.
        labels : sequence of str, optional
            What the combinations are called, in the column `cell_line`.

        Returns
        -------
        pandas.DataFrame
            Columns `gene`, `cell_line`, `mean`, `sd`, `hdi_3%`, `hdi_97%`, and `P(below ...)`.

        Examples
        --------
        >>> from poolscreen.models import m7
        >>> posterior = solve(m7.FAMILY, small_screen)
        >>> gap = posterior.gene_effects(weights=np.array([[1.0], [-1.0]]), labels=["0 less 1"])
        >>> gap[["gene", "cell_line"]].to_numpy().tolist()
        [['gene_0', '0 less 1'], ['gene_1', '0 less 1']]
        >>> bool(np.ptp(gap["mean"]) < 1e-9)  # to model 7, lines differ alike in all genes
        True
        """
        lines = self.screen.cell_lines
        weights = np.eye(len(lines)) if weights is None else weights
        labels = lines if labels is None else list(labels)
        if weights.shape != (len(lines), len(labels)):
            raise PoolscreenError(
                f"weights of the shape {weights.shape} do not fit {len(lines)} cell lines and "
                f"{len(labels)} combinations"
            )
        parts = []
        for genes in self._blocks():
            moments = self.given.gene_effects(genes, weights)
            parts.append(_summaries(self._mixture(moments), thresholds))
        index = pd.MultiIndex.from_product([self.screen.genes, labels], names=["gene", "cell_line"])
        return pd.concat(parts).set_index(index).reset_index()

    def draws(
        self, size: int, names: Sequence[str] | None = None, *, seed: int | list[int] = 103
    ) -> xr.Dataset:
        """Draw from the posterior, independently and exactly.

        Parameters
        ----------
        size : int
            Number of draws.
        names : sequence of str, optional
            What is kept, for example `gamma_gc`; by default everything. The memory that is needed
            is that of what is kept.
        seed : int or list of int
            The same seed gives the same draws.

        Returns
        -------
        xarray.Dataset
            Dimensions `chain` (of one), `draw`, and those of each effect, as in any other fit.

        Examples
        --------
        >>> from poolscreen.models import m7b
        >>> draws = solve(m7b.FAMILY, small_screen).draws(1000, ["sigma", "gamma_gc"])
        >>> dict(draws["gamma_gc"].sizes)
        {'chain': 1, 'draw': 1000, 'gene': 2, 'cell_line': 2}
        """
        rng = np.random.default_rng(seed)
        effects = (len(self.screen.genes) + len(self.screen.sgrnas)) * len(self.screen.cell_lines)
        step = max(DRAWS_AT_A_TIME, BLOCK // effects)
        sizes = [min(step, size - start) for start in range(0, size, step)]
        parts = [self._drawn(n, names, rng) for n in sizes]
        kept = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        sample = {"chain": [0], "draw": np.arange(size)}
        return labelled(self.family, self.screen, kept, sample)

    def _drawn(
        self, size: int, names: Sequence[str] | None, rng: np.random.Generator
    ) -> dict[str, FloatArray]:
        """Draw what is kept, at once; see `draws`."""
        drawn = self.points.drawn(size, rng)
        for name in set(self.family.parameters) - set(drawn):  # a mean that all have in common
            moments = self.closed.given(drawn).means()[name]
            drawn[name] = rng.normal(moments.mean, np.sqrt(moments.variance))
        drawn = {name: drawn[name] for name in self.family.parameters}
        if names is None or not set(names) <= set(drawn):
            drawn |= self.closed.draw_effects(drawn, rng)
        return {name: drawn[name] for name in names or drawn}

    def predicted(self, size: int, *, seed: int = 103) -> xr.Dataset:
        """Predict screens like the one that was observed.

        Parameters
        ----------
        size : int
            Number of screens.
        seed : int
            The same seed gives the same screens.

        Returns
        -------
        xarray.Dataset
            `log_fc`, dimensions `chain` (of one), `draw`, `obs`.
        """
        rng = np.random.default_rng([seed, 1])
        drawn = in_rows(self.draws(size, seed=seed))
        mean = self.family.expected(self.screen, drawn)
        log_fc = mean + drawn["sigma"][:, None] * rng.standard_normal(mean.shape)
        coords = {"chain": [0], "draw": np.arange(size)}
        return xr.Dataset({"log_fc": (("chain", "draw", "obs"), log_fc[None])}, coords=coords)

    def tree(self) -> xr.DataTree:
        """Return what a file holds of it: the points, and the data that effects are drawn from.

        Returns
        -------
        xarray.DataTree
            Groups `scales` (dimension `point`), `observed_data` and `constant_data` (`obs`).
        """
        points = {"weight": self.points.weights, **self.points.scales}
        scales = xr.Dataset({name: ("point", values) for name, values in points.items()})
        indices = {
            "sgRNA_idx": ("obs", self.screen.sgrna_idx.astype(np.int32)),
            "cell_idx": ("obs", self.screen.cell_idx.astype(np.int32)),
            "gene_of_sgRNA": ("sgRNA", self.screen.gene_of_sgrna.astype(np.int32)),
        }
        names = {f"{dim}_name": (dim, labels) for dim, labels in self.screen.coords.items()}
        tree = xr.DataTree.from_dict(
            {
                "scales": scales,
                "observed_data": xr.Dataset({"log_fc": ("obs", self.screen.log_fc)}),
                "constant_data": xr.Dataset(indices | names),
            }
        )
        tree.attrs = {"error": self.points.error, "pareto_k": self.points.pareto_k}
        return tree

    def _mixture(self, moments: Moments) -> Mixture:
        mean, variance = (np.broadcast_to(part, moments.mean.shape) for part in moments)
        flat = mean.reshape(len(mean), -1)
        return Mixture(self.few.weights, flat, np.sqrt(variance).reshape(flat.shape))

    def _blocks(self) -> Iterator[slice]:
        """Give the genes, as many at a time as memory is meant to hold."""
        n_genes, n_lines = len(self.screen.genes), len(self.screen.cell_lines)
        rows = (n_genes + len(self.screen.sgrnas)) / n_genes * n_lines
        step = max(1, int(BLOCK / (len(self.few.weights) * rows)))
        for start in range(0, n_genes, step):
            yield slice(start, min(start + step, n_genes))

    def _labelled(
        self, dims: tuple[str, ...], rows: list[IntArray], table: pd.DataFrame
    ) -> pd.DataFrame:
        """Put a table of effects into the order of the screen's labels, and add these."""
        index = np.concatenate(rows)
        each = len(table) // len(index)
        place = np.argsort(index, kind="stable")
        table = table.iloc[(place[:, None] * each + np.arange(each)).ravel()]
        labels = [self.screen.coords[dim] for dim in dims]
        names = pd.MultiIndex.from_product(labels, names=dims)
        return table.set_index(names).reset_index()


def read(path: Path) -> Exact:
    """Read a fit that `poolscreen fit` wrote, to draw from it.

    Parameters
    ----------
    path : pathlib.Path
        The file `fit.nc` in the folder of the fit.

    Returns
    -------
    Exact

    Raises
    ------
    PoolscreenError
        If the file is not there, is damaged, or holds draws, which xarray opens.
    """
    tree = store.read_tree(path)
    if "scales" not in tree.children:
        raise PoolscreenError(f"{path} holds draws; open it with xarray.open_datatree")
    scales, data = (tree[name].to_dataset() for name in ("scales", "constant_data"))
    names = {
        dim: data[f"{dim}_name"].to_numpy().astype(str) for dim in ("sgRNA", "gene", "cell_line")
    }
    sgrna = data["sgRNA_idx"].to_numpy()
    screen = Screen(
        pd.DataFrame(
            {
                "cell_line": names["cell_line"][data["cell_idx"].to_numpy()],
                "sgRNA": names["sgRNA"][sgrna],
                "gene": names["gene"][data["gene_of_sgRNA"].to_numpy()[sgrna]],
                "log_fc": tree["observed_data"]["log_fc"].to_numpy(),
            }
        )
    )
    values = {str(name): scales[name].to_numpy() for name in scales.data_vars}
    weights = values.pop("weight")
    points = Weighted(values, weights, float(tree.attrs["error"]), float(tree.attrs["pareto_k"]))
    family = models.get(tree.attrs["model"]).FAMILY
    assert family is not None  # only those are solved
    return Exact(family, family.closed(screen), points)


def solve(
    family: Family, screen: Screen, *, tolerance: float = TOLERANCE, say: Say = silence
) -> Exact:
    """Find the posterior of a model of a screen.

    Where the scales cannot be integrated by importance sampling, they are sampled by NUTS, and have
    to pass the gate.

    Parameters
    ----------
    family : Family
        The model.
    screen : Screen
        The data.
    tolerance : float
        See `poolscreen.inference.scales.integrate`.
    say : callable, optional
        Takes a message where NUTS takes over.

    Returns
    -------
    Exact

    Raises
    ------
    PoolscreenError
        If there is no variance to learn from, or NUTS fails as well.

    Examples
    --------
    >>> from poolscreen.models import m7a
    >>> solve(m7a.FAMILY, small_screen).scalars()["parameter"].tolist()
    ['mu_alpha_gc', 'sigma_alpha', 'sigma']
    """
    closed = family.closed(screen)
    points = integrate(closed, tolerance=tolerance)
    if not points.pareto_k < MAX_PARETO_K:
        say(
            f"the scales cannot be integrated by importance sampling (Pareto k "
            f"{points.pareto_k:.2f}, where {MAX_PARETO_K} is the limit), so NUTS samples them"
        )
        points = _sampled(family, screen)
    return Exact(family, closed, points)


def _sampled(family: Family, screen: Screen) -> Weighted:
    """Sample the scales by NUTS, in the form that it takes."""
    import nutpie

    from poolscreen.inference import gate, sampling

    compiled = nutpie.compile_pymc_model(family.build(screen))
    sampled = sampling.sample_compiled(compiled, sampling.Settings())
    posterior, stats = (sampled[name].to_dataset() for name in ("posterior", "sample_stats"))
    diagnostics = gate.diagnose_draws(posterior[family.scales], stats)
    refuse([f"NUTS has not converged: {fault}" for fault in gate.faults(diagnostics)])
    scales = {name: posterior[name].to_numpy().ravel() for name in family.scales}
    size = len(scales["sigma"])
    error = float(diagnostics["min_ess_bulk"]) ** -0.5
    return Weighted(scales, np.full(size, 1 / size), error, np.nan)


def _summaries(
    mixture: Mixture, thresholds: Sequence[float], *, intervals: bool = True
) -> pd.DataFrame:
    mean, sd = mixture.moments()
    columns = {"mean": mean, "sd": sd}
    if intervals:
        columns |= dict(zip(ENDS, mixture.hdi(HDI_PROB), strict=True))
    columns |= {f"P(below {value:g})": mixture.below(value) for value in thresholds}
    return pd.DataFrame(columns)

"""A fit of a screen of one's own, however its model is fitted."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import pandas as pd
import xarray as xr

from poolscreen import models
from poolscreen.effects import summaries
from poolscreen.inference import fitting, sampling
from poolscreen.inference.exact import Exact, solve
from poolscreen.progress import Say
from poolscreen.screens.table import Screen
from poolscreen.tables import fits

# Of a model without a family. Enough for two digits of every estimate.
SETTINGS = sampling.Settings(draws=1000, tune=1000)
SCALES = 4000  # draws of means and scales that a report works with
PREDICTED = 60  # screens


class Fit(Protocol):
    """What a report and the files of a fit need of it.

    Attributes
    ----------
    packages : sequence of str
        Names of the packages that fitted.
    words : str
        What is said of how it was fitted.
    """

    packages: Sequence[str]
    words: str

    def tree(self) -> xr.DataTree:
        """Return what its file holds."""

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return a summary of every parameter, see `poolscreen.inference.exact.Exact.tables`."""

    def gene_effects(self, thresholds: Sequence[float]) -> pd.DataFrame:
        """Return a summary of effects of genes in cell lines, with `P(below ...)`."""

    def scales(self) -> xr.Dataset:
        """Return draws of means and scales; dimensions `chain`, `draw`."""

    def predicted(self) -> xr.DataTree:
        """Return predicted screens, as `posterior_predictive`, and the observed one."""

    def settings(self) -> pd.DataFrame:
        """Tabulate how it was fitted: columns `setting` and `value`."""

    def quality(self) -> pd.DataFrame:
        """Tabulate what says that it can be used."""


@dataclass(frozen=True)
class Integrated:
    """A fit whose scales are integrated, and whose effects are in closed form."""

    name: str
    exact: Exact
    packages: Sequence[str] = ("numpy", "scipy")
    words: str = """The scales of the model, its standard deviations, are integrated over by weighted
        points. Given these every effect is known in closed form, so nothing below has a sampling
        error of its own. Whether the points can be used is said by their weights: a Pareto k below
        0.7 is asked for, and a fit that has not got it is refused."""

    def tree(self) -> xr.DataTree:
        """Return the points, and what is needed to draw effects."""
        tree = self.exact.tree()
        model = models.get(self.name)
        tree.attrs |= {"model": self.name, "title": model.TITLE, **fitting.environment()}
        return tree

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return a summary of every parameter."""
        return self.exact.tables()

    def gene_effects(self, thresholds: Sequence[float]) -> pd.DataFrame:
        """Return a summary of effects of genes in cell lines."""
        return self.exact.gene_effects(thresholds)

    def scales(self) -> xr.Dataset:
        """Return draws of means and scales."""
        return self.exact.draws(SCALES, self.exact.family.parameters)

    def predicted(self) -> xr.DataTree:
        """Return predicted screens, and the observed one."""
        observed = xr.Dataset({"log_fc": ("obs", self.exact.screen.log_fc)})
        groups = {"posterior_predictive": self.exact.predicted(PREDICTED), "observed_data": observed}
        return xr.DataTree.from_dict(groups)

    def settings(self) -> pd.DataFrame:
        """Tabulate how the scales were integrated."""
        points = self.exact.points
        rows = {
            "scales": "integrated by importance sampling",
            "effects": "in closed form, given the scales",
            "points of the scales": f"{len(points.weights):,}",
            "points that effects are mixed from": f"{len(self.exact.few.weights):,}",
        }
        return pd.DataFrame({"setting": rows.keys(), "value": rows.values()})

    def quality(self) -> pd.DataFrame:
        """Tabulate what says that the points can be used."""
        points = self.exact.points
        rows = {
            "Pareto k of the weights": points.pareto_k,
            "equally weighted points that are worth as much": round(
                points.efficiency * len(points.weights)
            ),
            "largest error of a mean or sd of a scale, in sd": points.error,
        }
        return pd.DataFrame({"quantity": rows.keys(), "value": rows.values()})


@dataclass(frozen=True)
class Sampled:
    """A fit of a model whose effects do not integrate out, by NUTS."""

    name: str
    fit: xr.DataTree
    summary: dict[str, pd.DataFrame]
    packages: Sequence[str] = ("pymc", "nutpie")
    words: str = """Chains that agree, and enough independent draws, are what a posterior needs to be
        read at all. A fit that has not converged is refused; this one has. R-hat and effective
        sample sizes are the worst over all parameters."""

    @cached_property
    def _posterior(self) -> xr.Dataset:
        return self.fit["posterior"].to_dataset()

    def tree(self) -> xr.DataTree:
        """Return all draws."""
        return self.fit

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return a summary of every parameter."""
        return self.summary

    def gene_effects(self, thresholds: Sequence[float]) -> pd.DataFrame:
        """Return a summary of effects of genes in cell lines."""
        draws = summaries.gene_effects(self._posterior)
        return summaries.probabilities(self.summary[str(draws.name)], draws, thresholds)

    def scales(self) -> xr.Dataset:
        """Return draws of means and scales."""
        names = [name for name, values in self._posterior.items() if values.ndim == 2]
        return self._posterior[names]

    def predicted(self) -> xr.DataTree:
        """Return predicted screens, and the observed one."""
        return self.fit

    def settings(self) -> pd.DataFrame:
        """Tabulate how it was sampled."""
        return fits.sampler_settings(self.fit)

    def quality(self) -> pd.DataFrame:
        """Tabulate the diagnostics."""
        return fits.diagnostics({self.name: self.fit})


def fit(name: str, screen: Screen, say: Say) -> Fit:
    """Fit a model to a screen, exactly where its effects integrate out, else by NUTS.

    Parameters
    ----------
    name : str
        Name of the model.
    screen : Screen
        The data.
    say : callable
        Takes messages: how far the work is.

    Returns
    -------
    Fit

    Raises
    ------
    PoolscreenError
        If there is no such model, or the fit is no result.
    """
    family = models.get(name).FAMILY
    if family is None:
        return Sampled(name, *fitting.fit(name, screen, SETTINGS, say=say))
    say("integrating the scales")
    exact = solve(family, screen, say=say)
    say(
        f"{len(exact.points.weights):,} points, Pareto k {exact.points.pareto_k:.2f}, largest error "
        f"of a scale {exact.points.error:.3f} standard deviations"
    )
    return Integrated(name, exact)


def check_effects(name: str, screen: Screen) -> None:
    """Refuse a model that has no effects by gene and cell line, before it is fitted.

    A model whose effects integrate out always has them, see
    `poolscreen.inference.exact.Exact.gene_effects`.
    """
    model = models.get(name)
    if model.FAMILY is None:
        summaries.check_effects(model, screen)

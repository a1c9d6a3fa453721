"""Many fits of one model, on screens of one design."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import pymc as pm
import xarray as xr

from poolscreen import models
from poolscreen.families.family import Family
from poolscreen.inference.exact import Exact
from poolscreen.inference.scales import MAX_PARETO_K, integrate
from poolscreen.screens.table import Screen

if TYPE_CHECKING:
    from nutpie.compile_pymc import CompiledPyMCModel

DRAWS = 200  # of each fit, independent: ranks and quantiles want no more
TOLERANCE = 0.03  # of the scales, in standard deviations; a rank among `DRAWS` has a larger error
THIN = 14  # one of so many draws of a Markov chain is kept, which are then nearly independent


class Refitted(Protocol):
    """A model that is fitted to many screens of one design."""

    def fit(self, screen: Screen, seed: int) -> tuple[xr.Dataset, str]:
        """Draw from the posterior for one screen.

        Parameters
        ----------
        screen : Screen
            Of the design.
        seed : int
            Seed of everything random.

        Returns
        -------
        posterior : xarray.Dataset
            Parameters and effects, `DRAWS` draws that are independent, or nearly so.
        fault : str
            Why the fit is no result; empty if it is one.
        """


@dataclass(frozen=True)
class Integrated:
    """A model whose scales are integrated, and whose effects are drawn exactly."""

    family: Family

    def fit(self, screen: Screen, seed: int) -> tuple[xr.Dataset, str]:
        """Draw from the posterior for one screen; see `Refitted`."""
        closed = self.family.closed(screen)
        points = integrate(closed, tolerance=TOLERANCE)
        good = points.pareto_k < MAX_PARETO_K
        fault = "" if good else f"Pareto k {points.pareto_k:.2f} (below {MAX_PARETO_K})"
        return Exact(self.family, closed, points).draws(DRAWS, seed=seed), fault


@dataclass(frozen=True)
class Sampled:
    """A model that is sampled as it is written down, compiled once for all screens."""

    form: pm.Model
    compiled: "CompiledPyMCModel"

    def fit(self, screen: Screen, seed: int) -> tuple[xr.Dataset, str]:
        """Draw from the posterior for one screen; see `Refitted`."""
        from poolscreen.inference import gate, sampling

        settings = sampling.Settings(
            draws=DRAWS * THIN // 4, tune=300, target_accept=0.8, seed=seed
        )
        (observed,) = self.form.observed_RVs
        data = {self.form.rvs_to_values[observed].name: screen.log_fc}
        sampled = sampling.sample_compiled(self.compiled.with_data(**data), settings, cores=1)
        posterior, stats = (sampled[name].to_dataset() for name in ("posterior", "sample_stats"))
        fault = "; ".join(gate.faults(gate.diagnose_draws(posterior, stats)))
        return posterior.isel(draw=slice(None, None, THIN)), fault


def refit(model: models.Model, screen: Screen) -> Refitted:
    """Prepare a model for many screens of one design.

    Parameters
    ----------
    model : Model
        Module of the model; without a `FAMILY`, its one observed variable is `pm.Data`.
    screen : Screen
        The design: labels and how often each combination is observed. Its fold changes do not
        matter.

    Returns
    -------
    Refitted

    Examples
    --------
    A model of one mean, fitted to two screens:

    >>> from types import SimpleNamespace
    >>> with pm.Model() as form:
    ...     y = pm.Data("y", small_screen.log_fc)
    ...     _ = pm.Normal("log_fc", pm.Normal("mu", 0, 5), observed=y)
    >>> refitted = refit(SimpleNamespace(FAMILY=None, build=lambda _: form), small_screen)
    >>> for shift in (-3, 3):
    ...     other = small_screen.table.assign(log_fc=small_screen.log_fc + shift)
    ...     posterior, fault = refitted.fit(Screen(other), seed=103)
    ...     dict(posterior["mu"].sizes), "below 0" if posterior["mu"].mean() < 0 else "above 0"
    ({'chain': 4, 'draw': 50}, 'below 0')
    ({'chain': 4, 'draw': 50}, 'above 0')
    """
    if model.FAMILY:
        return Integrated(model.FAMILY)
    import nutpie

    form = model.build(screen)
    return Sampled(form, nutpie.compile_pymc_model(form))

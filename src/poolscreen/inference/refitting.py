"""Many fits of one model, which is compiled once for all screens of a design."""

from dataclasses import dataclass, replace

import nutpie
import pymc as pm
import xarray as xr
from nutpie.compile_pymc import CompiledPyMCModel

from poolscreen import models
from poolscreen.arrays import FloatArray
from poolscreen.inference import gate, sampling
from poolscreen.screens.table import Screen

# Of each fit; the one fit of a screen that is looked at closely has more.
SHORT = sampling.Settings(draws=700, tune=300, target_accept=0.8)
THIN = 7  # one of so many draws is kept: ranks and quantiles want nearly independent ones


@dataclass(frozen=True)
class Refitted:
    """A model in the form in which it is sampled, compiled for screens of one design.

    Attributes
    ----------
    model : Model
        Module of the model.
    form : pymc.Model
        With the effects integrated out, if the model has a `FAMILY`; else as it is written down.
    compiled : CompiledPyMCModel
        The form, compiled.
    """

    model: models.Model
    form: pm.Model
    compiled: CompiledPyMCModel

    def fit(self, screen: Screen, seed: int) -> tuple[xr.Dataset, str]:
        """Sample the posterior for one screen.

        Parameters
        ----------
        screen : Screen
            Of the design that the model was compiled for.
        seed : int
            Seed of everything random.

        Returns
        -------
        posterior : xarray.Dataset
            Parameters and effects, one of `THIN` draws.
        fault : str
            Why the fit fails the gate, by what was sampled; empty if it passes.
        """
        settings, family = replace(SHORT, seed=seed), self.model.FAMILY
        compiled = self.compiled.with_data(**self._data_of(screen))
        sampled = sampling.sample_compiled(compiled, settings, cores=1)
        fault = self._fault(sampled)
        thinned = sampled.isel(draw=slice(None, None, THIN))
        if family:
            thinned = sampling.add_effects(family, screen, thinned, seed)
        return thinned["posterior"].to_dataset(), fault

    def _data_of(self, screen: Screen) -> dict[str, FloatArray]:
        if self.model.FAMILY:
            return self.model.FAMILY.data_of(self.form, screen)
        (observed,) = self.form.observed_RVs
        return {self.form.rvs_to_values[observed].name: screen.log_fc}

    def _fault(self, sampled: xr.DataTree) -> str:
        posterior, stats = (sampled[g].to_dataset() for g in ("posterior", "sample_stats"))
        family = self.model.FAMILY
        names = family.parameters if family else list(posterior)
        return "; ".join(gate.faults(gate.diagnose_draws(posterior[names], stats)))


def compile_once(model: models.Model, screen: Screen) -> Refitted:
    """Compile a model for all screens of one design.

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
    >>> refitted = compile_once(SimpleNamespace(FAMILY=None, build=lambda _: form), small_screen)
    >>> for shift in (-3, 3):
    ...     other = small_screen.table.assign(log_fc=small_screen.log_fc + shift)
    ...     posterior, fault = refitted.fit(Screen(other), seed=103)
    ...     dict(posterior["mu"].sizes), "below 0" if posterior["mu"].mean() < 0 else "above 0"
    ({'chain': 4, 'draw': 100}, 'below 0')
    ({'chain': 4, 'draw': 100}, 'above 0')
    """
    form = model.FAMILY.build(screen) if model.FAMILY else model.build(screen)
    return Refitted(model, form, nutpie.compile_pymc_model(form))

"""Model 9 on a grid: against plain quadrature, the model as written, and what was simulated."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from pymc.model.transform.conditioning import remove_value_transforms
from scipy import integrate, stats

from poolscreen.effects.hits import find_hits, ranked
from poolscreen.errors import PoolscreenError
from poolscreen.families.family import AT_ONCE
from poolscreen.families.mixture import densities, simulation
from poolscreen.families.mixture.guides import guides
from poolscreen.inference import quadrature
from poolscreen.inference.quadrature import PARAMETERS, by_gene, effects, find_mode
from poolscreen.models import m9
from poolscreen.screens.table import INITIAL, Screen

VALUES = {
    "sigma": 0.25,
    "omega": 60.0,
    "nu": 9.0,
    "sigma_alpha": 0.4,
    "slope_alpha": 0.4,
    "nu_alpha": 8.0,
    "null": 0.8,
    "up": 0.15,
    "mu_null": -0.05,
    "sd_null": 0.15,
    "mu_down": -2.0,
    "sd_down": 0.8,
    "sd_up": 0.8,
}


def simulated(n_genes, seed, **design):
    """A screen that model 9 was run forwards for, its true effects, and their parts."""
    screen, truth = simulation.simulate_mixture(VALUES, n_genes=n_genes, seed=seed, **design)
    kind = truth["part"].map({"null": 0, "down": 1, "up": 2}).to_numpy()
    return screen, truth["effect"].to_numpy(), kind


def log_prior_of_gene(gamma):
    """Log density of a gene's effect, by plain formulas."""
    of = VALUES
    down, up = (of["mu_down"], of["sd_down"]), (0, of["sd_up"])
    below = stats.norm.pdf(gamma, *down) * (gamma < 0) / stats.norm.cdf(0, *down)
    above = 2 * stats.norm.pdf(gamma, *up) * (gamma > 0)
    null = of["null"] * stats.norm.pdf(gamma, of["mu_null"], of["sd_null"])
    return np.log(null + (1 - of["null"]) * ((1 - of["up"]) * below + of["up"] * above))


def log_of_guide(gamma, theta, log_fc, reads):
    """Log density of a guide's effect and its measurements, by plain formulas."""
    of = VALUES
    spread = np.hypot(of["sigma_alpha"], of["slope_alpha"] * gamma)
    total = stats.t.logpdf(theta, of["nu_alpha"], gamma, spread)
    sd = np.sqrt(of["sigma"] ** 2 + of["omega"] / (reads * 2.0**theta))
    for value in log_fc:
        total = total + stats.t.logpdf(value, of["nu"], theta, sd)
    return total


def test_the_model_as_written_has_this_density():
    screen, _, _ = simulated(3, seed=1, sgrnas=2)
    model = m9.build(screen)
    density = remove_value_transforms(model).compile_logp(mode=AT_ONCE)
    rng = np.random.default_rng(2)
    gamma = rng.normal(-1, 1, 3)
    theta = rng.normal(-1, 1, 6)
    point = dict(VALUES)
    for name in ("nu", "nu_alpha"):
        point[f"{name}_above_1"] = point.pop(name) - 1
    written = float(density({**point, "gamma_gc": gamma[:, None], "theta_sc": theta[:, None]}))

    expected = sum(float(PARAMETERS[name].log_prior(value)) for name, value in VALUES.items())
    expected += log_prior_of_gene(gamma).sum()
    for s, of_guide in enumerate(theta):
        rows = screen.sgrna_idx == s
        reads = screen.table[INITIAL].to_numpy()[rows][0]
        g = screen.gene_of_sgrna[s]
        expected += log_of_guide(gamma[g], of_guide, screen.log_fc[rows], reads)
    assert written == pytest.approx(expected, abs=1e-6)


def test_a_gene_is_the_integral_over_its_effect():
    screen, _, _ = simulated(4, seed=3, sgrnas=1)
    data = guides(screen, "A")
    found, posterior = by_gene(VALUES, data, densities.grid(data))

    theta = np.linspace(-14, 12, 5201)
    for g in range(4):

        def at(gamma, g=g):
            inner = log_of_guide(gamma, theta, data.log_fc[g], data.initial[g])
            return np.exp(log_prior_of_gene(gamma)) * integrate.trapezoid(np.exp(inner), theta)

        total, mean = (
            sum(
                integrate.quad(lambda x, k=power: x**k * at(x), *ends, points=[-0.05], limit=200)[0]
                for ends in ((-9, 0), (0, 9))
            )
            for power in (0, 1)
        )
        assert found[g] == pytest.approx(np.log(total), abs=0.01)
        assert posterior[g] @ densities.grid(data) == pytest.approx(mean / total, abs=0.01)


@pytest.fixture(scope="module")
def fitted():
    screen, gamma, kind = simulated(3000, seed=5)
    data = guides(screen, "A")
    return screen, data, gamma, kind, find_mode(data)


def test_known_parameters_are_found(fitted):
    *_, found = fitted
    assert found.genes == quadrature.GENES
    table = found.table().set_index("parameter")
    true = pd.Series(VALUES)
    z = (table["mode"] - true) / table["sd"]
    assert z.abs().max(skipna=False) < 4, z
    relative = table["sd"] / true.abs()
    assert relative[["sigma", "omega", "null"]].max() < 0.2


def test_effects_are_as_certain_as_is_said(fitted):
    _, data, gamma, kind, mode = fitted
    hits = ranked(effects(mode.parameters, data).genes)
    table = hits.set_index("gene").loc[[f"g{g}" for g in range(len(gamma))]]
    inside = (table["hdi_3%"] < gamma) & (gamma < table["hdi_97%"])
    assert 0.92 < inside.mean() < 0.96
    assert np.corrcoef(table["mean"], gamma)[0, 1] > 0.93
    listed = (table["fdr"] < 0.05).to_numpy()
    wrong = (kind == 0) | ((kind == 1) != (table["mean"] < 0).to_numpy())
    assert listed.sum() > 300
    assert 0.02 < wrong[listed].mean() < 0.08
    assert sorted(table["rank"]) == list(range(1, len(gamma) + 1))


def test_a_guide_is_held_against_the_others_of_its_gene(fitted):
    _, data, _, _, mode = fitted
    few = data.of_genes(slice(0, 20))
    found = effects(mode.parameters, few).guides
    effect = densities.grid(few)
    for place in (0, 7, 50):
        rest = few.without(np.array([place]))
        _, posterior = by_gene(mode.parameters, rest, effect)
        predicted = posterior[few.gene[place]] @ densities.of_guides(mode.parameters, effect)
        assert found["expected"][place] == pytest.approx(predicted @ effect, abs=1e-9)
    assert (found["tail"] < 0.05).mean() < 0.15


def test_equal_values_are_refused():
    screen, _, _ = simulated(5, seed=1)
    with pytest.raises(PoolscreenError, match="all log fold changes are 2: with zero variance"):
        find_hits(Screen(screen.table.assign(log_fc=2.0)))


@pytest.mark.parametrize("sizes", [(2, 1, 1), (3, 4, 1), (10, 1, 3)])
def test_small_screens_are_fitted(sizes):
    n_genes, sgrnas, replicates = sizes
    screen, _, _ = simulated(n_genes, seed=2, sgrnas=sgrnas, replicates=replicates)
    hits = find_hits(Screen(screen.table.drop(columns=INITIAL)))
    assert len(hits.genes) == n_genes
    assert np.isfinite(hits.genes.select_dtypes("number")).all(axis=None)
    # So few genes do not make it certain.
    assert (hits.genes["sd"] > 0.1).all()
    assert hits.modes["A"].parameters["sigma"] > 0.05


def test_a_value_far_out_does_not_blur_the_others(fitted):
    """The grid reaches as far as effects do; a value beyond is noise."""
    _, data, *_ = fitted
    log_fc = data.log_fc.copy()
    log_fc[0, 0] = 100_000.0
    far = replace(data, log_fc=log_fc)
    effect = densities.grid(far)
    assert np.diff(effect).max() < 1.2 * densities.STEP
    means = [by_gene(VALUES, of, densities.grid(of))[1] @ densities.grid(of) for of in (data, far)]
    assert np.allclose(means[0][1:], means[1][1:], atol=0.01)

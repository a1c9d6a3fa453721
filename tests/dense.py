"""The joint normal of a model, written down densely, and points to try it at."""

import numpy as np
import xarray as xr
from hypothesis import strategies as st

from poolscreen.families.crossed.family import Crossed
from poolscreen.families.nested.family import NestedNormal
from poolscreen.screens.table import Screen

ADDITIVE = [
    Crossed(),
    Crossed(nested_sd=None),
    Crossed(two_means=True),
    Crossed(nested_sd=None, gene_sd=5.0, line_sd=5.0),
]
INTERACTING = [
    Crossed(interaction_sd="sigma_delta"),
    Crossed(interaction_sd="sigma_delta", own_sd="sigma_eta"),
    Crossed(interaction_sd="sigma_delta", nested_sd=None, two_means=True),
    Crossed(own_sd="sigma_eta"),
]
FAMILIES = [*ADDITIVE, *INTERACTING]


scales = st.floats(0.05, 8)


points = st.fixed_dictionaries(
    dict.fromkeys(
        [*(f"sigma_{name}" for name in "gamma alpha beta delta eta".split()), "sigma"], scales
    )
)


class Dense:
    """The joint normal of means, effects and observations, from how each is defined."""

    def __init__(self, family: Crossed, screen: Screen, point) -> None:
        sizes = {
            "gamma_g": len(screen.genes),
            "beta_c": len(screen.cell_lines),
            "alpha_s": len(screen.sgrnas),
            "delta_gc": len(screen.genes) * len(screen.cell_lines),
            "eta_sc": len(screen.sgrnas) * len(screen.cell_lines),
        }
        # Independent parts: means, deviations of genes, of cell lines, of sgRNAs, of genes and of
        # sgRNAs in single lines.
        means = ["mu_gamma", "mu_beta"] if family.two_means else ["mu"]
        sd = [*[5.0] * len(means)]
        for name, size in sizes.items():
            fixed = {"gamma_g": family.gene_sd, "beta_c": family.line_sd}.get(name)
            own = fixed if isinstance(fixed, float) else point[f"sigma_{name.split('_')[0]}"]
            sd += [own if name in family.dims else 0.0] * size
        eye = np.eye(len(sd))
        starts = np.cumsum([len(means), *sizes.values()])
        of_mean, gene, line, deviation, interaction, own = np.split(eye, starts[:-1])
        if family.two_means:
            gene, line = gene + of_mean[0], line + of_mean[1]
            level = np.zeros((1, len(sd)))
        else:
            gene, line = gene - gene.mean(0), line - line.mean(0)
            level = of_mean
        sgrna = level + gene[screen.gene_of_sgrna] + deviation
        mu = sgrna[screen.sgrna_idx] + line[screen.cell_idx]
        n_lines = len(screen.cell_lines)
        mu = mu + interaction[screen.gene_idx * n_lines + screen.cell_idx]
        mu = mu + own[screen.sgrna_idx * n_lines + screen.cell_idx]
        prior = np.diag(np.square(sd))
        self.covariance = mu @ prior @ mu.T + point["sigma"] ** 2 * np.eye(len(mu))
        self.effects = {"gamma_g": gene, "beta_c": line}
        self.effects |= {name: of_mean[[i]] for i, name in enumerate(means)}
        rest = {"alpha_s": sgrna, "delta_gc": interaction, "eta_sc": own}
        self.effects |= {name: rows for name, rows in rest.items() if name in family.dims}
        self.prior, self.mu = prior, mu

    def effect(self, name: str, y) -> tuple[np.ndarray, np.ndarray]:
        """Posterior mean and covariance."""
        rows = self.effects[name]
        linked = rows @ self.prior @ self.mu.T
        weight = np.linalg.solve(self.covariance, linked.T).T
        return weight @ y, rows @ self.prior @ rows.T - weight @ linked.T


def repeated(point, family, draws=1):
    """The point as a posterior, of draws that are equal as nearly as weights can be smoothed."""
    nearly = 1 + 1e-7 * np.random.default_rng(1).normal(size=(1, draws))
    return xr.Dataset(
        {name: (("chain", "draw"), point[name] * nearly) for name in family.parameters}
    )


FIXED = NestedNormal(top="top", level="sgRNA", mean=0.0, sd=5.0)


def covariance(family, screen, point):
    """Of all observations, from who shares what."""
    n_lines = len(screen.cell_lines)
    if isinstance(family, Crossed):
        return Dense(family, screen, point).covariance
    unit = screen.sgrna_idx * n_lines + screen.cell_idx
    group = screen.gene_idx * n_lines + screen.cell_idx

    def same(of):
        return np.equal.outer(of, of).astype(float)

    noise = point["sigma"] ** 2 * np.eye(len(unit))
    if family is FIXED:
        return 25 * same(unit) + noise
    gene, sgrna = (point[f"sigma_{name}"] ** 2 for name in ("gamma", "alpha"))
    return 25 + gene * same(group) + sgrna * same(unit) + noise

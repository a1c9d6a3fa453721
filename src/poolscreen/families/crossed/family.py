"""Models of genes, and their sgRNAs, crossed with cell lines, that integrate out."""

from collections.abc import Mapping

import numpy as np

from poolscreen.arrays import FloatArray, IntArray
from poolscreen.families.crossed import likelihood
from poolscreen.families.crossed.closed import Closed
from poolscreen.families.crossed.levels import Levels
from poolscreen.screens.table import Screen


class Crossed(Levels):
    """A model of the crossed family.

    Examples
    --------
    >>> Crossed(two_means=True).parameters
    ['sigma_gamma', 'sigma_alpha', 'sigma_beta', 'sigma']
    """

    build = likelihood.build
    log_joint = likelihood.log_joint

    def closed(self, screen: Screen) -> Closed:
        """Return the model of a screen in closed form, given its scales."""
        return Closed(self, screen)

    def expected(self, screen: Screen, values: Mapping[str, FloatArray]) -> FloatArray:
        """Return the mean of each observation: the level of its sgRNA, and its cell line's effect.

        Examples
        --------
        >>> effects = {"alpha_s": np.array([[-1.0, 0.0, 0.5]]), "beta_c": np.array([[0.0, 2.0]])}
        >>> Crossed().expected(small_screen, effects).tolist()
        [[-1.0, 1.0, 0.0, 2.0, 0.5, 2.5]]
        """
        if self.nested_sd:
            level = values["alpha_s"][:, screen.sgrna_idx]
        else:
            level = values["gamma_g"][:, screen.gene_idx]
            if not self.two_means:
                level = level + values["mu"][:, None]
        mean: FloatArray = level + values["beta_c"][:, screen.cell_idx]
        if self.interaction_sd:
            mean += values["delta_gc"][:, screen.gene_idx, screen.cell_idx]
        if self.own_sd:
            mean += values["eta_sc"][:, screen.sgrna_idx, screen.cell_idx]
        return mean

    def parts(self, screen: Screen) -> dict[str, IntArray]:
        """Return what observations share, see `poolscreen.families.family.Family.parts`.

        Examples
        --------
        >>> table = pd.DataFrame(
        ...     {"cell_line": list("ABAB"), "sgRNA": list("ssrr"), "gene": "g", "log_fc": 0.0}
        ... )
        >>> {name: group.tolist() for name, group in Crossed().parts(Screen(table)).items()}
        {'mean': [0, 0, 0, 0], 'sigma_gamma': [0, 0, 0, 0], 'sigma_alpha': [0, 0, 1, 1],
         'sigma_beta': [0, 1, 0, 1]}
        """
        n_lines = len(screen.cell_lines)
        groups = {
            "mean": np.zeros_like(screen.cell_idx),
            self._name("gene"): screen.gene_idx,
            self.nested_sd: screen.sgrna_idx,
            self._name("line"): screen.cell_idx,
            self.interaction_sd: screen.gene_idx * n_lines + screen.cell_idx,
            self.own_sd: screen.sgrna_idx * n_lines + screen.cell_idx,
        }
        return {name: group for name, group in groups.items() if name}

    def _name(self, level: str) -> str:
        """Return what the part of genes, or of cell lines, is called."""
        sd = {"gene": self.gene_sd, "line": self.line_sd}[level]
        return sd if isinstance(sd, str) else f"fixed {level}"

    def variances(self, screen: Screen, scales: Mapping[str, float]) -> dict[str, float]:
        """Return the variance of each part, see `poolscreen.families.family.Family.variances`.

        That of `mean` is less than nothing where effects that sum to zero are large: these are
        independent effects less their mean.

        Examples
        --------
        >>> scales = {"sigma_gamma": 1.0, "sigma_alpha": 0.5, "sigma_beta": 1.0, "sigma": 0.3}
        >>> Crossed().variances(small_screen, scales)
        {'mean': 24.0, 'sigma_gamma': 1.0, 'sigma_alpha': 0.25, 'sigma_beta': 1.0}
        """
        of, sizes = self.at(scales), (len(screen.genes), len(screen.cell_lines))
        named = {
            "mean": self.shared(of.gene, of.line, *sizes),
            self._name("gene"): of.gene,
            self.nested_sd: of.sgrna,
            self._name("line"): of.line,
            self.interaction_sd: of.interaction,
            self.own_sd: of.own,
        }
        return {name: float(variance) for name, variance in named.items() if name}

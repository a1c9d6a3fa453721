"""Models of effects of genes in cell lines, and of sgRNAs nested in them, that integrate out."""

from collections.abc import Mapping

import numpy as np

from poolscreen.arrays import FloatArray, IntArray
from poolscreen.families.family import MEAN_SD
from poolscreen.families.nested import likelihood
from poolscreen.families.nested.closed import Closed
from poolscreen.families.nested.levels import Levels
from poolscreen.screens.table import Screen


class NestedNormal(Levels):
    """A model of the nested normal family.

    Examples
    --------
    >>> model = NestedNormal(top="alpha_gc", level="gene", mean=0.0, sd=5.0)
    >>> model.parameters
    ['sigma']
    """

    build = likelihood.build
    log_joint = likelihood.log_joint

    def closed(self, screen: Screen) -> Closed:
        """Return the model of a screen in closed form, given its scales."""
        return Closed(self, screen)

    def expected(self, screen: Screen, values: Mapping[str, FloatArray]) -> FloatArray:
        """Return the mean of each observation: the effect of its sgRNA, or of its gene.

        Examples
        --------
        >>> from poolscreen.models import m7a
        >>> effects = {"alpha_gc": np.array([[[-1.0, -2.0], [0.0, 0.5]]])}  # draw, gene, cell line
        >>> m7a.FAMILY.expected(small_screen, effects).tolist()
        [[-1.0, -2.0, 0.0, 0.5, 0.0, 0.5]]
        """
        by_gene = self.level == "gene" and not self.nested
        row = screen.gene_idx if by_gene else screen.sgrna_idx
        effects: FloatArray = values[self.nested or self.top][:, row, screen.cell_idx]
        return effects

    def parts(self, screen: Screen) -> dict[str, IntArray]:
        """Return what observations share, see `poolscreen.families.family.Family.parts`.

        Examples
        --------
        >>> from poolscreen.models import m7a
        >>> table = pd.DataFrame(
        ...     {"cell_line": list("ABAB"), "sgRNA": list("ssrr"), "gene": "g", "log_fc": 0.0}
        ... )
        >>> {name: group.tolist() for name, group in m7a.FAMILY.parts(Screen(table)).items()}
        {'mean': [0, 0, 0, 0], 'sigma_alpha': [0, 1, 0, 1]}
        """
        n_lines = len(screen.cell_lines)
        row = screen.gene_idx if self.level == "gene" else screen.sgrna_idx
        shared = {"mean": np.zeros_like(row)} if isinstance(self.mean, str) else {}
        shared[self.sd if isinstance(self.sd, str) else "fixed"] = row * n_lines + screen.cell_idx
        if self.nested_sd:
            shared[self.nested_sd] = screen.sgrna_idx * n_lines + screen.cell_idx
        return shared

    def variances(self, screen: Screen, scales: Mapping[str, float]) -> dict[str, float]:
        """Return the variance of each part, see `poolscreen.families.family.Family.variances`.

        Examples
        --------
        >>> from poolscreen.models import m7a, m7a_unpooled
        >>> m7a.FAMILY.variances(small_screen, {"sigma_alpha": 0.5, "sigma": 0.3})
        {'mean': 25.0, 'sigma_alpha': 0.25}
        >>> m7a_unpooled.FAMILY.variances(small_screen, {"sigma": 0.3})
        {'fixed': 25.0}
        """
        of_parts = {"mean": MEAN_SD**2} if isinstance(self.mean, str) else {}
        if not isinstance(self.sd, str):
            of_parts["fixed"] = self.sd**2
        return of_parts | {name: scales[name] ** 2 for name in self.scales if name != "sigma"}

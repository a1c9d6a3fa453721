"""The levels of a crossed model, in the names of its parameters."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from poolscreen.families.family import MEAN_SD


class Variances(NamedTuple):
    """Variances of the levels of a crossed model: numbers, arrays or tensors; 0 for what is not."""

    noise: Any
    gene: Any
    line: Any
    sgrna: Any
    interaction: Any
    own: Any


@dataclass(frozen=True)
class Levels:
    r"""A model of effects of genes, perhaps of their sgRNAs, crossed with those of cell lines.

    ``log_fc ~ Normal(alpha_s + beta_c + delta_gc + eta_sc, sigma)`` with
    ``alpha_s ~ Normal(mu + gamma_g, sigma_alpha)``, and ``gamma_g`` and ``beta_c`` either summing
    to zero about an intercept ``mu``, or each about a mean of their own. What a gene does in one
    line beyond that, ``delta_gc ~ Normal(0, sigma_delta)``, and an sgRNA beyond its gene,
    ``eta_sc ~ Normal(0, sigma_eta)``, may be left out.

    Attributes
    ----------
    nested_sd : str or None
        `sigma_alpha`, or None where sgRNAs of a gene do not differ.
    two_means : bool
        Whether genes and cell lines have a mean each, ``mu_gamma`` and ``mu_beta``, in place of an
        intercept and effects that sum to zero.
    interaction_sd : str or None
        `sigma_delta`, or None where the effect of a gene is the same in all cell lines.
    own_sd : str or None
        `sigma_eta`, or None where the deviation of an sgRNA from its gene is the same in all.
    gene_sd, line_sd : str or float
        `sigma_gamma` and `sigma_beta`; or a number where the standard deviation is fixed.

    Examples
    --------
    Only the scales are sampled: means and effects are all normal given these.

    >>> Levels().parameters
    ['sigma_gamma', 'sigma_alpha', 'sigma_beta', 'sigma']
    >>> Levels(nested_sd=None).parameters
    ['sigma_gamma', 'sigma_beta', 'sigma']
    """

    nested_sd: str | None = "sigma_alpha"
    two_means: bool = False
    interaction_sd: str | None = None
    own_sd: str | None = None
    gene_sd: str | float = "sigma_gamma"
    line_sd: str | float = "sigma_beta"

    @property
    def parameters(self) -> list[str]:
        """Names of what is sampled: the scales, a list of str, the noise last.

        Examples
        --------
        >>> Levels(two_means=True).parameters
        ['sigma_gamma', 'sigma_alpha', 'sigma_beta', 'sigma']
        """
        above = [self.gene_sd, self.nested_sd, self.line_sd, self.interaction_sd, self.own_sd]
        return [*(sd for sd in above if isinstance(sd, str)), "sigma"]

    @property
    def scales(self) -> list[str]:
        """Names of the scales: here all that is sampled."""
        return self.parameters

    @property
    def dims(self) -> dict[str, tuple[str, ...]]:
        """Dimensions of the effects, by their names.

        Examples
        --------
        >>> Levels().dims
        {'gamma_g': ('gene',), 'beta_c': ('cell_line',), 'alpha_s': ('sgRNA',)}
        """
        dims: dict[str, tuple[str, ...]] = {"gamma_g": ("gene",), "beta_c": ("cell_line",)}
        if self.nested_sd:
            dims["alpha_s"] = ("sgRNA",)
        if self.interaction_sd:
            dims["delta_gc"] = ("gene", "cell_line")
        if self.own_sd:
            dims["eta_sc"] = ("sgRNA", "cell_line")
        return dims

    @property
    def additive(self) -> bool:
        """Whether nothing of a gene or an sgRNA depends on the cell line."""
        return not (self.interaction_sd or self.own_sd)

    def at(self, scales: Mapping[str, Any]) -> Variances:
        """Return the variances of all levels.

        Parameters
        ----------
        scales : mapping of str to number, array or tensor
            The scales by name.

        Returns
        -------
        Variances

        Examples
        --------
        >>> Levels(nested_sd=None, gene_sd=5.0).at({"sigma_beta": 2.0, "sigma": 1.0})
        Variances(noise=1.0, gene=25.0, line=4.0, sgrna=0.0, interaction=0.0, own=0.0)
        """
        sigma = scales["sigma"]

        def variance(sd: str | float | None) -> Any:
            if isinstance(sd, str):
                return scales[sd] ** 2
            fixed = (sd or 0.0) ** 2
            return np.full_like(sigma, fixed) if isinstance(sigma, np.ndarray) else fixed

        return Variances(
            noise=scales["sigma"] ** 2,
            gene=variance(self.gene_sd),
            line=variance(self.line_sd),
            sgrna=variance(self.nested_sd),
            interaction=variance(self.interaction_sd),
            own=variance(self.own_sd),
        )

    def shared(self, gene: Any, line: Any, n_genes: Any, n_lines: Any) -> Any:
        """Return what all observations share beside effects that are independent.

        Parameters
        ----------
        gene, line : tensor or float
            Variances of the effects of genes and of cell lines.
        n_genes, n_lines : int
            Their numbers.

        Returns
        -------
        tensor or float
            A covariance; below 0 where effects that sum to zero are large.

        Examples
        --------
        >>> Levels().shared(1.0, 1.0, 4, 2), Levels(two_means=True).shared(1.0, 1.0, 4, 2)
        (24.25, 50.0)
        """
        if self.two_means:
            return 2 * MEAN_SD**2
        return MEAN_SD**2 - gene / n_genes - line / n_lines

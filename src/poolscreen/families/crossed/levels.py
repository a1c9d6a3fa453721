"""The levels of a crossed model, in the names of its parameters."""

from dataclasses import dataclass
from typing import Any

from poolscreen.families.family import MEAN_SD


@dataclass(frozen=True)
class Levels:
    r"""A model of effects of genes, perhaps of their sgRNAs, crossed with those of cell lines.

    ``log_fc ~ Normal(alpha_s + beta_c, sigma)`` with ``alpha_s ~ Normal(mu + gamma_g,
    sigma_alpha)``, and ``gamma_g`` and ``beta_c`` either summing to zero about an intercept ``mu``,
    or each about a mean of their own.

    Attributes
    ----------
    nested_sd : str or None
        `sigma_alpha`, or None where sgRNAs of a gene do not differ.
    two_means : bool
        Whether genes and cell lines have a mean each, ``mu_gamma`` and ``mu_beta``, in place of an
        intercept and effects that sum to zero.

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

    @property
    def parameters(self) -> list[str]:
        """Names of what is sampled: the scales, a list of str, the noise last.

        Examples
        --------
        >>> Levels(two_means=True).parameters
        ['sigma_gamma', 'sigma_alpha', 'sigma_beta', 'sigma']
        """
        nested = [self.nested_sd] if self.nested_sd else []
        return ["sigma_gamma", *nested, "sigma_beta", "sigma"]

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
        nested = {"alpha_s": ("sgRNA",)} if self.nested_sd else {}
        return {"gamma_g": ("gene",), "beta_c": ("cell_line",), **nested}

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

"""The levels of a nested normal model, in the names of its parameters."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Levels:
    r"""The levels of a nested normal model, in the names of its parameters.

    ``top ~ Normal(mean, sd)`` for every gene (or sgRNA) and cell line; where there is a nested
    level, ``nested ~ Normal(top, nested_sd)`` for every sgRNA and cell line; and the observations
    ``log_fc ~ Normal(effect, sigma)`` about the lowest level.

    Attributes
    ----------
    top : str
        Name of the top effects.
    level : {"gene", "sgRNA"}
        What the top effects belong to, besides the cell line.
    mean, sd : str or float
        Name of the top effects' mean and standard deviation, or their fixed value.
    nested, nested_sd : str or None
        Name of the effects of the sgRNAs within a gene and of their standard deviation.

    Examples
    --------
    Model 7a, and the same without pooling, whose prior has nothing to sample:

    >>> pooled = Levels(
    ...     top="alpha_gc", level="gene", mean="mu_alpha_gc", sd="sigma_alpha"
    ... )
    >>> pooled.parameters
    ['mu_alpha_gc', 'sigma_alpha', 'sigma']
    >>> Levels(top="alpha_gc", level="gene", mean=0.0, sd=5.0).parameters
    ['sigma']
    """

    top: str
    level: Literal["gene", "sgRNA"]
    mean: str | float
    sd: str | float
    nested: str | None = None
    nested_sd: str | None = None

    @property
    def scales(self) -> list[str]:
        """Names of the sampled scales: a list of str, top effects first, the noise last.

        Examples
        --------
        >>> from poolscreen.models import m7b, m7b_unpooled
        >>> m7b.FAMILY.scales
        ['sigma_gamma', 'sigma_alpha', 'sigma']
        >>> m7b_unpooled.FAMILY.scales
        ['sigma']
        """
        named = (self.sd, self.nested_sd, "sigma")
        return [name for name in named if isinstance(name, str)]

    @property
    def parameters(self) -> list[str]:
        """Names of the sampled means and scales: a list of str, the mean first.

        Examples
        --------
        >>> from poolscreen.models import m7b
        >>> m7b.FAMILY.parameters
        ['mu_gamma', 'sigma_gamma', 'sigma_alpha', 'sigma']
        """
        return [*([self.mean] if isinstance(self.mean, str) else []), *self.scales]

    @property
    def dims(self) -> dict[str, tuple[str, ...]]:
        """Dimensions of the effects, by their names, top effects first.

        Examples
        --------
        >>> from poolscreen.models import m7b
        >>> m7b.FAMILY.dims
        {'gamma_gc': ('gene', 'cell_line'), 'alpha_sc': ('sgRNA', 'cell_line')}
        """
        nested = {self.nested: ("sgRNA", "cell_line")} if self.nested else {}
        return {self.top: (self.level, "cell_line"), **nested}

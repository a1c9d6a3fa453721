"""The models of the book: one module each, found by its name."""

import importlib
import pkgutil
from typing import TYPE_CHECKING, Protocol, cast

from poolscreen.errors import PoolscreenError

if TYPE_CHECKING:  # the names alone are asked for often, and PyMC takes seconds to import
    import pymc as pm

    from poolscreen.families.family import Family
    from poolscreen.screens.table import Screen

# Fitted line by line, on a grid, by `poolscreen hits` alone (`poolscreen.effects.hits`).
OF_HITS = "m9"


class Model(Protocol):
    """What a model's module holds.

    Attributes
    ----------
    TITLE : str
        What the model is, in a few words.
    FAMILY : Family or None
        What the model is a member of, if its effects integrate out and are drawn exactly
        (`NestedNormal`, `Crossed`); None for a model that is sampled as it stands.

    Examples
    --------
    >>> from poolscreen.models import m7a, m7b
    >>> m7a.TITLE
    'gene × cell line, partial pooling'
    >>> m7b.FAMILY.top, m7b.FAMILY.nested
    ('gamma_gc', 'alpha_sc')
    """

    @property
    def TITLE(self) -> str: ...

    @property
    def FAMILY(self) -> "Family | None": ...

    def build(self, screen: "Screen") -> "pm.Model":
        """Write the model down for a screen.

        Parameters
        ----------
        screen : Screen
            The data.

        Returns
        -------
        pymc.Model
            With the coordinates `gene`, `cell_line` and `sgRNA`.

        Examples
        --------
        >>> from poolscreen.models import m7a
        >>> model = m7a.build(small_screen)
        >>> [rv.name for rv in model.free_RVs]
        ['mu_alpha_gc', 'sigma_alpha', 'alpha_gc', 'sigma']
        >>> model.named_vars_to_dims["alpha_gc"]
        ('gene', 'cell_line')
        """


def names() -> list[str]:
    """Return the names of the models that can be fitted to any screen.

    A leading underscore keeps one out, and so is model 9, which `poolscreen hits` fits.

    Returns
    -------
    list of str
        In alphabetical order.

    Examples
    --------
    >>> [name for name in names() if name.startswith("m7a")]
    ['m7a', 'm7a_unpooled']
    >>> "_m7a_variance" in names()
    False
    """
    return [name for name in _modules() if not name.startswith("_") and name != OF_HITS]


def exists(name: str) -> bool:
    """Tell whether there is a model of this name, in the book or kept out of it.

    Parameters
    ----------
    name : str
        Name of the model.

    Returns
    -------
    bool

    Examples
    --------
    >>> exists("m7a"), exists("_m7a_variance"), exists("m7z")
    (True, True, False)
    """
    return name in _modules()


def _modules() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def get(name: str) -> Model:
    """Return the module of a model, also of one that is kept out of the book.

    Parameters
    ----------
    name : str
        Name of the model, for example `m7a`.

    Returns
    -------
    Model

    Raises
    ------
    PoolscreenError
        If there is no model of this name.

    Examples
    --------
    >>> get("m7a").TITLE
    'gene × cell line, partial pooling'
    >>> get("m7z")
    Traceback (most recent call last):
    poolscreen.errors.PoolscreenError: there is no model 'm7z'; there are ...m7a, ...
    """
    if not exists(name):
        raise PoolscreenError(f"there is no model {name!r}; there are {', '.join(names())}")
    return cast("Model", importlib.import_module(f"{__name__}.{name}"))

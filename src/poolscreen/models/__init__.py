"""The models of the book: one module each, found by its name."""

import importlib
import pkgutil
from typing import TYPE_CHECKING, Protocol, cast

from poolscreen.errors import PoolscreenError

if (
    TYPE_CHECKING
):  # the names alone are asked for often, and PyMC takes seconds to import
    import pymc as pm

    from poolscreen.marginal import NestedNormal
    from poolscreen.screen import Screen


class Model(Protocol):
    """What a model's module holds.

    Attributes
    ----------
    TITLE : str
        What the model is, in a few words.
    FAMILY : NestedNormal or None
        The model's place in the nested normal family, whose effects integrate out and are drawn
        exactly; None for a model outside it, which is sampled as it stands.
    """

    @property
    def TITLE(self) -> str:  # noqa: N802, D102 (a constant of the module)
        ...

    @property
    def FAMILY(self) -> "NestedNormal | None":  # noqa: N802, D102 (as above)
        ...

    def build(self, screen: "Screen") -> "pm.Model":
        """Write the model down for a screen."""


def names() -> list[str]:
    """Return the names of the models of the book; a leading underscore keeps one out of it."""
    return [name for name in _modules() if not name.startswith("_")]


def exists(name: str) -> bool:
    """Tell whether there is a model of this name, in the book or kept out of it."""
    return name in _modules()


def _modules() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def get(name: str) -> Model:
    """Return the module of a model, also of one that is kept out of the book.

    Raises
    ------
    PoolscreenError
        If there is no model of this name.
    """
    if not exists(name):
        raise PoolscreenError(
            f"there is no model {name!r}; there are {', '.join(names())}"
        )
    return cast("Model", importlib.import_module(f"{__name__}.{name}"))

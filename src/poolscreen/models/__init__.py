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
        The model's place in the nested normal family, whose effects integrate out; None for a
        model outside it.
    MARGINAL : bool
        Whether the published fit samples the marginal form. It takes a `FAMILY`.
    """

    TITLE: str
    FAMILY: "NestedNormal | None"
    MARGINAL: bool

    def build(self, screen: "Screen") -> "pm.Model":
        """Write the model down for a screen."""


def names() -> list[str]:
    """Return the names of all models."""
    found = (module.name for module in pkgutil.iter_modules(__path__))
    return sorted(name for name in found if not name.startswith("_"))


def get(name: str) -> Model:
    """Return the module of a model.

    Raises
    ------
    PoolscreenError
        If there is no model of this name.
    """
    if name not in names():
        raise PoolscreenError(
            f"there is no model {name!r}; there are {', '.join(names())}"
        )
    return cast("Model", importlib.import_module(f"{__name__}.{name}"))

"""What depends on what, derived from the code: modules by their imports, files by their content."""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import grimp

from poolscreen.errors import PoolscreenError
from poolscreen.files import sha256
from press import paths

PACKAGES = ("poolscreen", "press")


@cache
def import_graph() -> grimp.ImportGraph:
    """Return which module of the project imports which when it runs.

    Raises
    ------
    PoolscreenError
        If a module is not Python.
    """
    try:
        # What is imported for types alone does not run.
        return grimp.build_graph(*PACKAGES, cache_dir=None, exclude_type_checking_imports=True)
    except grimp.exceptions.SourceSyntaxError as error:
        raise PoolscreenError(f"the package is not Python: {error}") from error


def upstream(names: Iterable[str]) -> set[str]:
    """Return modules, and all that runs when they are imported.

    Parameters
    ----------
    names : iterable of str
        Fully dotted names of modules of the project.

    Returns
    -------
    set of str
        Themselves, what they import, directly or not, and the packages that these lie in, with
        what those import.

    Raises
    ------
    PoolscreenError
        If one is no module of the project: whatever hangs on it would never be made anew.

    Examples
    --------
    >>> needed = upstream(["poolscreen.screens.table"])
    >>> "poolscreen.screens" in needed, "poolscreen.errors" in needed, "poolscreen.models" in needed
    (True, True, False)
    >>> upstream(["poolscreen.screen"])
    Traceback (most recent call last):
    poolscreen.errors.PoolscreenError: there is no module poolscreen.screen in src/; ...
    """
    graph, modules, new = import_graph(), set[str](), set(names)
    for name in sorted(new - graph.modules):
        raise PoolscreenError(
            f"there is no module {name} in src/; was it renamed? Mend the name where it is used"
        )
    while new:
        modules |= new
        reached = new.union(*(graph.find_upstream_modules(name) for name in new))
        reached |= {package for name in reached for package in _packages_of(name)}
        new = reached - modules
    return modules


def _packages_of(module: str) -> list[str]:
    """Return the packages that a module lies in; importing it runs them first."""
    parts = module.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]


def module_files(modules: Iterable[str]) -> list[str]:
    """Return the files of modules, from the project's folder, sorted."""
    return sorted(_module_file(name) for name in modules)


def _module_file(name: str) -> str:
    path = Path("src", *name.split("."))
    package = path / "__init__.py"
    file = package if (paths.root() / package).is_file() else path.with_suffix(".py")
    return file.as_posix()


def digest(files: Iterable[str]) -> dict[str, str]:
    """Return the SHA-256 of the content of each file, by its path from the project's folder."""
    return {path: sha256(paths.root() / path) for path in sorted(set(files))}


def check_fresh(what: str, files: Mapping[str, str]) -> None:
    """Refuse a result if a file that it was made from, or with, has changed since.

    The workflow sees to that; this is the second lock on the door to the reader.

    Parameters
    ----------
    what : str
        What was made.
    files : mapping of str to str
        The SHA-256 of each file when it was made.

    Raises
    ------
    PoolscreenError
        It names the file.
    """
    for path, recorded in files.items():
        if not (paths.root() / path).is_file() or digest([path])[path] != recorded:
            raise PoolscreenError(
                f"{path} is not what it was when {what} was made; run `make book` again, and if "
                "this message comes back, `make clean book`"
            )

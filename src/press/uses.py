"""What a chapter uses, from its code: modules, results, files."""

import ast
from functools import cache
from pathlib import Path

import jupytext

from poolscreen.errors import PoolscreenError
from press import paths
from press.chapters import FOLDER, script_path

# Calls of these in a chapter's code say which results it depends on ...
LOADERS = (
    "load_fit",
    "load_table",
    "load_screen",
    "load_truth",
    "load_attempt",
    "load_calibration",
    "load_predictions",
    "load_benchmark",
)
# ... and these would hide it.
UNTRACKED = (
    "read_fit",
    "read_tree",
    "read_screen",
    "attempt_path",
    "calibration_path",
    "predictions_path",
    "benchmark_path",
    "import_module",
    "__import__",
)


def syntax_trees(chapter: str) -> list[tuple[int, ast.Module]]:
    """Parse the code of a chapter, cell by cell.

    Parameters
    ----------
    chapter : str
        Name of the chapter.

    Returns
    -------
    list of (int, ast.Module)
        Number of each code cell, counted from 1 over prose and code, and its syntax tree.

    Raises
    ------
    PoolscreenError
        If a cell is not plain Python.
    """
    return _parsed(chapter, script_path(chapter).read_text(encoding="utf-8"))


@cache  # asked for dozens of times in a build
def _parsed(chapter: str, text: str) -> list[tuple[int, ast.Module]]:
    trees = []
    for number, cell in enumerate(jupytext.reads(text, fmt="py").cells, start=1):
        if cell.cell_type != "code":
            continue
        try:
            trees.append((number, ast.parse(cell.source)))
        except SyntaxError as error:
            raise PoolscreenError(
                f"{chapter}, cell {number}, line {error.lineno} is not Python: {error.msg}"
            ) from error
    return trees


def imports(chapter: str) -> set[tuple[str, str]]:
    """Return what a chapter imports.

    Parameters
    ----------
    chapter : str
        Name of the chapter.

    Returns
    -------
    set of (str, str)
        Modules, and a name from each; empty for the module itself.
    """
    imported = set()
    for _, tree in syntax_trees(chapter):
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                imported |= {(alias.name, "") for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported |= {(node.module, alias.name) for alias in node.names}
    return imported


def loaded(chapter: str, loader: str) -> set[str]:
    """Return what a chapter loads: the first arguments of its calls of a loader.

    Parameters
    ----------
    chapter : str
        Name of the chapter.
    loader : str
        Name of the loader, for example `load_fit`.

    Returns
    -------
    set of str
        The arguments; the empty string for a call without any, as `load_screen` allows.

    Raises
    ------
    PoolscreenError
        If an argument is not a string written out, so that it cannot be known beforehand.
    """
    arguments = set()
    for number, tree in syntax_trees(chapter):
        for call in _calls(tree).get(loader, []):
            argument = call.args[0] if call.args else ast.Constant("")
            if call.keywords or not (
                isinstance(argument, ast.Constant) and isinstance(argument.value, str)
            ):
                raise PoolscreenError(
                    f"{chapter}, cell {number}: write the first argument of {loader}() as a "
                    "string, so that the build knows what the chapter depends on"
                )
            arguments.add(argument.value)
    return arguments


def check_loading(chapter: str) -> None:
    """Refuse ways of loading results and models that the build cannot follow.

    Parameters
    ----------
    chapter : str
        Name of the chapter.

    Raises
    ------
    PoolscreenError
        If a loader is renamed or passed on rather than called, or a chapter reads a fit by its
        path or a model by its name.
    """
    for number, tree in syntax_trees(chapter):
        called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        for node in ast.walk(tree):
            name = getattr(node, "id", None) or getattr(node, "attr", None) or ""
            renamed = isinstance(node, ast.alias) and node.name in LOADERS and node.asname
            by_name = name == "get" and ast.unparse(node).endswith("models.get")
            passed_on = name in LOADERS and id(node) not in called
            if renamed or by_name or passed_on or name in UNTRACKED:
                raise PoolscreenError(
                    f"{chapter}, cell {number}: the build cannot tell what "
                    f"`{ast.unparse(node)}` depends on; import models by `import`, and call "
                    f"{', '.join(LOADERS)} by their own names, with the model written out"
                )


def opened_files(chapter: str) -> list[Path]:
    """Return the files of the project that a chapter names in its code, as in `read_csv("...")`.

    Parameters
    ----------
    chapter : str
        Name of the chapter.

    Returns
    -------
    list of pathlib.Path
        Names of files count from the folder of the chapters, which is where these are executed.
    """
    folder = paths.root() / FOLDER
    named = {
        (folder / node.value).resolve()
        for _, tree in syntax_trees(chapter)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if "/" in node.value and len(node.value) < 256  # longer text is no name
    }
    return sorted(path for path in named if path.is_file() and path.is_relative_to(paths.root()))


def calls(chapter: str, function: str) -> bool:
    """Tell whether a chapter calls a function of this name."""
    return any(function in _calls(tree) for _, tree in syntax_trees(chapter))


@cache  # walked once, as each loader is asked for in turn
def _calls(tree: ast.Module) -> dict[str, list[ast.Call]]:
    """Gather the calls of each function, by its own name or as an attribute of whatever."""
    found: dict[str, list[ast.Call]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            found.setdefault(name, []).append(node)
    return found

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
    "load_samplers",
    "load_calibration",
    "load_predictions",
    "load_benchmark",
)
# ... and these would hide it.
UNTRACKED = (
    "read_fit",
    "read_tree",
    "read_screen",
    "samplers_path",
    "calibration_paths",
    "predictions_path",
    "benchmark_path",
    "import_module",
    "__import__",
)


def syntax_trees(chapter: str) -> list[tuple[int, ast.Module]]:
    """Parse the code of a chapter, cell by cell.

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
    """Return what a chapter imports: modules, and a name from each; empty for the module itself."""
    found = set()
    for _, tree in syntax_trees(chapter):
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found |= {(alias.name, "") for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found |= {(node.module, alias.name) for alias in node.names}
    return found


def loaded(chapter: str, loader: str) -> set[str]:
    """Return the first arguments of a chapter's calls of a loader, such as `load_fit`.

    A call without any, as `load_screen` allows, gives the empty string.

    Raises
    ------
    PoolscreenError
        If an argument is not a string written out, so that it cannot be known beforehand.
    """
    found = set()
    for number, tree in syntax_trees(chapter):
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and _called(node) == loader):
                continue
            argument = node.args[0] if node.args else ast.Constant("")
            if node.keywords or not (
                isinstance(argument, ast.Constant) and isinstance(argument.value, str)
            ):
                raise PoolscreenError(
                    f"{chapter}, cell {number}: write the first argument of {loader}() as a "
                    "string, so that the build knows what the chapter depends on"
                )
            found.add(argument.value)
    return found


def check_loading(chapter: str) -> None:
    """Refuse ways of loading results and models that the build cannot follow.

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

    Paths count from the folder of the chapters, which is where they are executed.
    """
    folder = paths.root() / FOLDER
    found = set()
    for _, tree in syntax_trees(chapter):
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                path = (folder / node.value).resolve()
                if len(node.value) < 256 and "/" in node.value and path.is_file():
                    found.add(path)
    return sorted(path for path in found if path.is_relative_to(paths.root()))


def calls(chapter: str, function: str) -> bool:
    """Tell whether a chapter calls a function of this name."""
    return any(
        isinstance(node, ast.Call) and _called(node) == function
        for _, tree in syntax_trees(chapter)
        for node in ast.walk(tree)
    )


def _called(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")

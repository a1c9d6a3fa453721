"""Chapters: Jupytext pairs without outputs, executed apart from their prose."""

import ast
import hashlib
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import jupytext
import nbformat
import yaml
from nbformat import NotebookNode

from poolscreen import project
from poolscreen.errors import PoolscreenError

FOLDER = "notebooks"
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


def toc() -> list[str]:
    """Return the pages of the book in the order of `_toc.yml`, as paths without their ending.

    Raises
    ------
    PoolscreenError
        If a page is not there.
    """
    path = project.root() / "_toc.yml"
    try:
        pages = list(_pages(yaml.safe_load(path.read_text())))
    except yaml.YAMLError as error:
        raise PoolscreenError(f"{path.name} is no YAML: {error}") from error
    for page in pages:
        ending = ".py" if page.startswith(f"{FOLDER}/") else ".md"
        if not (project.root() / f"{page}{ending}").is_file():
            raise PoolscreenError(
                f"_toc.yml names {page}, but there is no {page}{ending}; "
                "add the file or take the entry out"
            )
    return pages


def _pages(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("root", "file"):
                yield str(value)
            else:
                yield from _pages(value)
    elif isinstance(node, list):
        for item in node:
            yield from _pages(item)


def names() -> list[str]:
    """Return the names of the chapters, for example `01_data_generation`."""
    return [Path(page).name for page in toc() if page.startswith(f"{FOLDER}/")]


def script_path(chapter: str) -> Path:
    """Return the path of the chapter's script, the half of the pair that is reviewed."""
    return project.root() / FOLDER / f"{chapter}.py"


def notebook_path(chapter: str) -> Path:
    """Return the path of the chapter's notebook, the half for Jupyter, Binder and Colab."""
    return script_path(chapter).with_suffix(".ipynb")


def read(chapter: str) -> NotebookNode:
    """Read the present text of a chapter."""
    return jupytext.read(script_path(chapter))


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Return the code cells of a notebook."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def cell_lines(chapter: str) -> list[tuple[int, int]]:
    """Return the first and the last line of each cell in the script of a chapter."""
    lines = script_path(chapter).read_text().splitlines()
    starts = [number for number, line in enumerate(lines, 1) if line.startswith("# %%")]
    ends = [start - 1 for start in starts[1:]] + [len(lines)]
    filled = [number for number, line in enumerate(lines, 1) if line.strip()]
    return [
        (start, max(number for number in filled if number <= end))
        for start, end in zip(starts, ends, strict=True)
    ]


def code_digest(notebook: NotebookNode) -> str:
    """Return a digest of the code of a notebook; prose, tags and captions do not enter it."""
    code = json.dumps([cell.source for cell in code_cells(notebook)])
    return hashlib.sha256(code.encode()).hexdigest()


# -- the pair --------------------------------------------------------------------------------


def make_notebook(chapter: str) -> NotebookNode:
    """Make the notebook of the pair from its script; the same script gives the same bytes."""
    notebook = read(chapter)
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
    notebook.metadata = {
        "jupytext": {"formats": "ipynb,py:percent"},
        "kernelspec": {
            "display_name": "Python 3",
            "language": "python",
            "name": "python3",
        },
    }
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def write_notebook(chapter: str) -> None:
    """Bring the notebook of the pair in step with its script."""
    with project.replacing(notebook_path(chapter)) as part:
        nbformat.write(make_notebook(chapter), part)


def check_pair(chapter: str) -> None:
    """Compare the content of the two halves of the pair; outputs and times do not matter.

    Raises
    ------
    PoolscreenError
        If they differ. It names the first cell that does, and the command that mends it.
    """
    path = notebook_path(chapter)
    if not path.is_file():
        raise PoolscreenError(f"{_short(path)} is not there; `make pair` makes it from the script")
    try:
        present = nbformat.read(path, as_version=4)
    except (
        ValueError,
        nbformat.reader.NotJSONError,
        nbformat.ValidationError,
    ) as error:
        raise PoolscreenError(
            f"{_short(path)} is no notebook ({error}); `make pair` makes it from the script"
        ) from error
    theirs, ours = ([_content(c) for c in nb.cells] for nb in (present, make_notebook(chapter)))
    if theirs == ours:
        return
    shared = min(len(theirs), len(ours))
    differs = [i for i in range(shared) if theirs[i] != ours[i]]
    number = differs[0] + 1 if differs else shared + 1
    raise PoolscreenError(
        f"{_short(script_path(chapter))} and its .ipynb differ from cell {number} on.\n"
        "To keep the script: make pair\n"
        f"To keep the notebook: .venv/bin/jupytext --to py:percent {_short(path)}"
    )


def _content(cell: NotebookNode) -> tuple[str, str, str]:
    shown = {
        key: cell.metadata[key] for key in ("tags", "mystnb", "table") if cell.metadata.get(key)
    }
    return cell.cell_type, cell.source, json.dumps(shown, sort_keys=True)


def _short(path: Path) -> str:
    return path.relative_to(project.root()).as_posix()


# -- what a chapter uses ---------------------------------------------------------------------


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


def imported_modules(chapter: str) -> set[str]:
    """Return the names that a chapter imports, fully dotted; some may be no modules."""
    found = set()
    for _, tree in syntax_trees(chapter):
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
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
    folder = project.root() / FOLDER
    found = set()
    for _, tree in syntax_trees(chapter):
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                path = (folder / node.value).resolve()
                if len(node.value) < 256 and "/" in node.value and path.is_file():
                    found.add(path)
    return sorted(path for path in found if path.is_relative_to(project.root()))


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


def join(chapter: str, executed: NotebookNode) -> NotebookNode:
    """Join the outputs of an executed chapter with its present prose, captions and tags.

    Raises
    ------
    PoolscreenError
        If the executed code is not the present code.
    """
    present = make_notebook(chapter)
    if code_digest(executed) != code_digest(present):
        raise PoolscreenError(
            f"{_short(project.executed_path(chapter))} was executed from other code; delete it and "
            "run `make book`"
        )
    for cell, done in zip(code_cells(present), code_cells(executed), strict=True):
        cell.outputs, cell.execution_count = done.outputs, done.execution_count
    return present

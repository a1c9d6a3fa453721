"""Chapters: Jupytext pairs without outputs, executed apart from their prose."""

import hashlib
import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import jupytext
import nbformat
import yaml
from jupytext.compare import NotebookDifference, compare_cells
from nbformat import NotebookNode

from poolscreen import files
from poolscreen.errors import PoolscreenError
from press import paths

FOLDER = "notebooks"
KEPT = ("tags", "mystnb", "table")  # metadata of a cell that the page needs


def toc() -> list[str]:
    """Return the pages of the book in the order of `_toc.yml`, as paths without their ending.

    Returns
    -------
    list of str
        For example `notebooks/01_data_generation`.

    Raises
    ------
    PoolscreenError
        If a page is not there.
    """
    path = paths.root() / "_toc.yml"
    try:
        pages = list(_pages(yaml.safe_load(path.read_text())))
    except yaml.YAMLError as error:
        raise PoolscreenError(f"{path.name} is no YAML: {error}") from error
    for page in pages:
        ending = ".py" if page.startswith(f"{FOLDER}/") else ".md"
        if not (paths.root() / f"{page}{ending}").is_file():
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
    return paths.root() / FOLDER / f"{chapter}.py"


def notebook_path(chapter: str) -> Path:
    """Return the path of the chapter's notebook, the half for Jupyter, Binder and Colab."""
    return script_path(chapter).with_suffix(".ipynb")


def read(chapter: str) -> NotebookNode:
    """Read the present text of a chapter, as a notebook without outputs."""
    return jupytext.read(script_path(chapter))


def read_executed(chapter: str) -> NotebookNode:
    """Read an executed chapter.

    Parameters
    ----------
    chapter : str
        Name of the chapter.

    Returns
    -------
    nbformat.NotebookNode

    Raises
    ------
    PoolscreenError
        If it is not there, or damaged.
    """
    path = paths.executed_path(chapter)
    try:
        return nbformat.read(path, as_version=4)
    except (OSError, ValueError, nbformat.ValidationError) as error:
        raise PoolscreenError(
            f"{path} is damaged ({error}); delete it and run `make book`"
        ) from error


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Return the code cells of a notebook."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def lines_of_cells(chapter: str) -> list[tuple[int, int]]:
    """Return the first and the last line of each cell in the script of a chapter.

    Parameters
    ----------
    chapter : str
        Name of the chapter.

    Returns
    -------
    list of (int, int)
        Lines count from 1; the first is the one that begins with `# %%`.
    """
    lines = script_path(chapter).read_text().splitlines()
    starts = [number for number, line in enumerate(lines, 1) if line.startswith("# %%")]
    ends = [start - 1 for start in starts[1:]] + [len(lines)]
    filled = [number for number, line in enumerate(lines, 1) if line.strip()]
    return [
        (start, max(number for number in filled if number <= end))
        for start, end in zip(starts, ends, strict=True)
    ]


def code_digest(notebook: NotebookNode) -> str:
    """Return a digest of the code of a notebook; prose, tags and captions do not enter it.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        The notebook.

    Returns
    -------
    str

    Examples
    --------
    >>> from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
    >>> code = new_code_cell("1 + 1")
    >>> announced = new_notebook(cells=[new_markdown_cell("A sum."), code])
    >>> code_digest(announced) == code_digest(new_notebook(cells=[code]))
    True
    """
    code = json.dumps([cell.source for cell in code_cells(notebook)])
    return hashlib.sha256(code.encode()).hexdigest()


def make_notebook(chapter: str) -> NotebookNode:
    """Make the notebook of a pair from its script; the same script gives the same bytes.

    Parameters
    ----------
    chapter : str
        Name of the chapter.

    Returns
    -------
    nbformat.NotebookNode
        With cells numbered by their ids, and the metadata that Jupyter needs.
    """
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
    """Bring the notebook of a pair in step with its script."""
    with files.replacing(notebook_path(chapter)) as part:
        nbformat.write(make_notebook(chapter), part)


def check_pair(chapter: str) -> None:
    """Compare the content of the two halves of a pair; outputs and times do not matter.

    Parameters
    ----------
    chapter : str
        Name of the chapter.

    Raises
    ------
    PoolscreenError
        If they differ, or the notebook is not there. It shows the first difference, and names the
        command that mends it.
    """
    # Editors add to a cell how they show it, and its number: neither matters.
    halves = [_read_notebook(chapter).cells, make_notebook(chapter).cells]
    for cell in chain(*halves):
        cell.metadata = {key: cell.metadata[key] for key in KEPT if cell.metadata.get(key)}
    try:
        compare_cells(*halves, compare_outputs=False, compare_ids=False)
    except NotebookDifference as difference:
        raise PoolscreenError(
            f"{paths.short(script_path(chapter))} and its .ipynb differ: {difference}\n"
            "Expected is the script, actual the notebook.\n"
            "To keep the script: make pair\n"
            "To keep the notebook: "
            f".venv/bin/jupytext --to py:percent {paths.short(notebook_path(chapter))}"
        ) from None


def _read_notebook(chapter: str) -> NotebookNode:
    """Read the notebook of a pair."""
    path = notebook_path(chapter)
    try:
        return nbformat.read(path, as_version=4)
    except FileNotFoundError:
        fault = "is not there"
    except (ValueError, nbformat.reader.NotJSONError, nbformat.ValidationError) as error:
        fault = f"is no notebook ({error})"
    raise PoolscreenError(f"{paths.short(path)} {fault}; `make pair` makes it from the script")


def join(chapter: str, executed: NotebookNode) -> NotebookNode:
    """Join the outputs of an executed chapter with its present prose, captions and tags.

    Parameters
    ----------
    chapter : str
        Name of the chapter.
    executed : nbformat.NotebookNode
        The chapter as it was executed, with other prose perhaps.

    Returns
    -------
    nbformat.NotebookNode

    Raises
    ------
    PoolscreenError
        If the executed code is not the present code.
    """
    present = make_notebook(chapter)
    if code_digest(executed) != code_digest(present):
        raise PoolscreenError(
            f"{paths.short(paths.executed_path(chapter))} was executed from other code; run "
            "`make book` again, and if this message comes back, delete that file first"
        )
    for cell, done in zip(code_cells(present), code_cells(executed), strict=True):
        cell.outputs, cell.execution_count = done.outputs, done.execution_count
    return present

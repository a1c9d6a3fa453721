"""A new chapter: a model, a notebook pair and an entry in the table of contents, ready to edit."""

import keyword
import re
from pathlib import Path
from string import Template

from poolscreen import files, models
from poolscreen.errors import PoolscreenError
from press import chapters, paths

TEMPLATES = Path(__file__).parent / "templates"
ENTRY = re.compile(rf"^(\s*)- file: {chapters.FOLDER}/(\d+)_\w+\n", re.MULTILINE)


def create(model: str, title: str) -> list[Path]:
    """Write the start of a chapter about a model of its own.

    Parameters
    ----------
    model : str
        What the model is called in code, for example `m7d`.
    title : str
        Title of the chapter.

    Returns
    -------
    list of pathlib.Path
        The files that were written or changed.

    Raises
    ------
    PoolscreenError
        If the name is taken, is no name for a Python module, or the title is empty; nothing is
        written then.
    """
    toc = paths.root() / "_toc.yml"
    entries = list(ENTRY.finditer(toc.read_text()))
    if not entries:
        raise PoolscreenError(
            f"{toc.name} lists no chapter such as {chapters.FOLDER}/01_name to put this one after"
        )
    number = 1 + max(int(entry[2]) for entry in entries)
    chapter = f"{number:02}_{model}"
    _check(model, title, chapter)

    module = _models_folder() / f"{model}.py"
    script = chapters.script_path(chapter)
    written = [module, script, chapters.notebook_path(chapter)]
    try:
        _fill("model.py", module, model, title)
        _fill("chapter.py", script, model, title)
        chapters.write_notebook(chapter)
        _add_entry(toc, entries[-1], chapter)
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise
    return [*written, toc]


class _Blanks(Template):
    """A template whose blanks are Python names, `BLANK_TITLE`: ruff checks it like other code."""

    delimiter = "BLANK_"


def _fill(template: str, path: Path, model: str, title: str) -> None:
    """Write a template with its three blanks filled in."""
    blanks = _Blanks((TEMPLATES / template).read_text(encoding="utf-8"))
    text = blanks.substitute(MODEL=model, NAME=model.removeprefix("m"), TITLE=title)
    with files.replacing(path) as part:
        part.write_text(text, encoding="utf-8")


def _add_entry(toc: Path, last: re.Match[str], chapter: str) -> None:
    """Add a chapter after the last one; the rest of the file stays as it is written."""
    text = toc.read_text()
    line = f"{last[1]}- file: {chapters.FOLDER}/{chapter}\n"
    with files.replacing(toc) as part:
        part.write_text(text[: last.end()] + line + text[last.end() :])


def _models_folder() -> Path:
    return paths.root() / "src" / "poolscreen" / "models"


def _check(model: str, title: str, chapter: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", model) or keyword.iskeyword(model):
        raise PoolscreenError(
            f"{model!r} cannot be the name of a Python module: use small letters, digits and _, "
            "beginning with a letter, for example m7d"
        )
    if not title.strip() or set(title) & set('"\\\n{}`$'):
        raise PoolscreenError(
            f"{title!r} cannot be a title: write a few words without quotation marks, braces, "
            "backslashes or $"
        )
    if models.exists(model):
        raise PoolscreenError(
            f"there is a model {model} already; there are {', '.join(models.names())}"
        )
    taken = [
        path
        for path in (
            _models_folder() / f"{model}.py",
            _models_folder() / model,
            chapters.script_path(chapter),
            chapters.notebook_path(chapter),
        )
        if path.exists()
    ]
    if taken:
        raise PoolscreenError(f"{paths.short(taken[0])} is there already; choose another name")

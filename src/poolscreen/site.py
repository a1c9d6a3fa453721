"""The site: the book's pages joined with the results, and built apart from the last good one."""

import base64
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import nbformat
import pandas as pd

from poolscreen import chapters, fits, flow, models, project, publishing
from poolscreen.errors import PoolscreenError


def build() -> None:
    """Build the site and publish it.

    Raises
    ------
    PoolscreenError
        If an executed chapter or a fit was not made from what is there now, or Sphinx finds
        fault with a page. The last good site is then left as it was.
    """
    staging = project.root() / "_build" / "book"
    built = project.root() / "_build" / "sphinx"
    for folder in (staging, built):
        shutil.rmtree(folder, ignore_errors=True)
    made_from = pedigree()
    stage(staging)
    run_jupyter_book(staging, built)
    flow.check_fresh("the site", made_from)  # nothing was edited meanwhile
    with project.replacing(publishing.pedigree_path()) as part:
        part.write_text(json.dumps(made_from, indent=1))
    publishing.publish(built / "_build" / "html")


def pedigree() -> dict[str, str]:
    """Return the SHA-256 of every file that the site is made from, directly or not."""
    files = flow.digest(flow.site_sources())
    for model in models.names():
        records = fits.read_attributes(project.fit_path(model))
        for record in ("inputs", "tables"):
            files |= json.loads(records[record])
    for result in flow.other_results():
        records = fits.read_attributes(project.root() / result)
        files |= json.loads(records["inputs"])
    for chapter in chapters.names():
        files |= read_executed(chapter).metadata["poolscreen"]["inputs"]
    return files


def stage(staging: Path) -> None:
    """Lay out what Jupyter Book reads: settings, prose, joined chapters, tables to download."""
    root = project.root()
    shutil.copytree(
        root / "book", staging / "book", ignore=shutil.ignore_patterns("_static")
    )
    shutil.copytree(root / "book" / "_static", staging / "_static")
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy2(root / name, staging)
    (staging / chapters.FOLDER).mkdir()
    (staging / "figures").mkdir()
    for chapter in chapters.names():
        notebook = joined(chapter)
        nbformat.write(notebook, staging / chapters.FOLDER / f"{chapter}.ipynb")
        for name, image in named_figures(notebook):
            (staging / "figures" / f"{name}.png").write_bytes(image)
    results = staging / "results"
    results.mkdir()
    for path in (project.screen_path(), project.truth_path()):
        shutil.copy2(path, results)
    for model in models.names():
        records = fits.read_attributes(project.fit_path(model))
        for record in ("inputs", "tables"):
            flow.check_fresh(f"the fit of {model}", json.loads(records[record]))
        shutil.copytree(project.tables_path(model), results / "tables" / model)
    for result in flow.other_results():
        records = fits.read_attributes(project.root() / result)
        flow.check_fresh(result, json.loads(records["inputs"]))
    write_environment(results)
    write_datatables(staging / "extra" / "vendor")


def write_datatables(folder: Path) -> None:
    """Write the script that makes tables searchable, as the package itables brings it.

    It is a module there, which browsers do not load from a `file://` page; here it becomes a plain
    script that leaves jQuery, with DataTables, under `window.DataTablesQuery`.
    """
    package = files("itables") / "html"
    script = (package / "dt_bundle.js").read_text(encoding="utf-8")
    body, _, exports = script.rpartition("export{")
    jquery = re.search(r"(\w+) as jQuery", exports)
    if jquery is None:
        raise PoolscreenError(
            "the script of itables exports no jQuery; pin the version before it"
        )
    folder.mkdir(parents=True)
    text = f"(() => {{{body}\nwindow.DataTablesQuery = {jquery[1]};\n}})();\n"
    (folder / "datatables.js").write_text(text, encoding="utf-8")
    shutil.copy2(Path(str(package / "dt_bundle.css")), folder / "datatables.css")


def named_figures(notebook: nbformat.NotebookNode) -> Iterator[tuple[str, bytes]]:
    """Give the figures of a chapter by their names, for other pages to show as well.

    Yields
    ------
    str
        The name, for example `fig-shrinkage`.
    bytes
        The PNG image.
    """
    for cell in chapters.code_cells(notebook):
        name = cell.metadata.get("mystnb", {}).get("figure", {}).get("name")
        for output in cell.outputs:
            if name and "image/png" in output.get("data", {}):
                yield name, base64.b64decode(output.data["image/png"])


def key_figure() -> io.BytesIO:
    """Return the key figure of the book, as chapter 3 drew it."""
    return io.BytesIO(dict(named_figures(joined("03_model_7b")))["fig-shrinkage"])


def read_executed(chapter: str) -> nbformat.NotebookNode:
    """Read an executed chapter.

    Raises
    ------
    PoolscreenError
        If it is damaged.
    """
    path = project.executed_path(chapter)
    try:
        return nbformat.read(path, as_version=4)
    except (OSError, ValueError, nbformat.ValidationError) as error:
        raise PoolscreenError(
            f"{path} is damaged ({error}); delete it and run `make book`"
        ) from error


def joined(chapter: str) -> nbformat.NotebookNode:
    """Return a chapter with the outputs of its execution and its present prose."""
    executed = read_executed(chapter)
    flow.check_fresh(chapter, executed.metadata["poolscreen"]["inputs"])
    chapters.check_outputs(chapter, executed)
    return chapters.join(chapter, executed)


def write_environment(folder: Path) -> None:
    """Write the tables of the appendix on the environment, from the fits' own records."""
    attributes = [
        fits.read_attributes(project.fit_path(model)) for model in models.names()
    ]
    packages = json.loads(attributes[0]["packages"])
    pd.DataFrame({"package": packages.keys(), "version": packages.values()}).to_csv(
        folder / "packages.csv", index=False
    )
    columns = {
        "model": "model",
        "created": "sampled at (UTC)",
        "machine": "machine",
        "python": "Python",
        "seed": "seed",
        "seconds_compiling": "seconds compiling",
        "seconds_sampling": "seconds sampling",
    }
    pd.DataFrame(attributes)[list(columns)].rename(columns=columns).to_csv(
        folder / "fits.csv", index=False
    )


def run_jupyter_book(staging: Path, built: Path) -> None:
    """Build the HTML; every warning of Sphinx is an error.

    Raises
    ------
    PoolscreenError
        With Sphinx's warnings.
    """
    jupyter_book = Path(sys.executable).with_name("jupyter-book")
    command = [str(jupyter_book), "build", str(staging)]
    command += ["--path-output", str(built), "-W", "-n", "--keep-going", "--quiet"]
    # Sphinx's own log is long; what matters in it are the warnings.
    ran = subprocess.run(
        command,
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "NO_COLOR": "1", "PYTHONWARNINGS": "ignore"},
    )
    if ran.returncode:
        lines = [
            line
            for line in ran.stdout.splitlines()
            if "WARNING" in line or "ERROR" in line
        ]
        found = "\n".join(lines or ran.stdout.splitlines()[-20:])
        raise PoolscreenError(
            "Sphinx finds fault with the pages:\n" + found.replace(f"{staging}/", "")
        )

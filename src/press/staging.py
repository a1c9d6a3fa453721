"""What Jupyter Book reads: joined chapters, prose, settings, files to take away."""

import base64
import io
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import yaml
from nbformat import NotebookNode

from poolscreen.errors import PoolscreenError
from poolscreen.inference import store
from press import chapters, execution, flow, paths, provenance, repository, steps
from press.scripts import present_interactive, write_datatables, write_vega


def stage(staging: Path) -> None:
    """Lay out what Jupyter Book reads: settings, prose, joined chapters, files to take away.

    Raises
    ------
    PoolscreenError
        If a result is not what its record says, or a chapter shows what has no name.
    """
    root = paths.root()
    shutil.copytree(root / "book", staging / "book", ignore=shutil.ignore_patterns("_*"))
    for folder in ("_static", "_templates"):
        shutil.copytree(root / "book" / folder, staging / folder)
    shutil.copy2(root / "_toc.yml", staging)
    (staging / "_config.yml").write_text(yaml.safe_dump(configuration()))
    stage_results(staging)
    for folder in (chapters.FOLDER, "figures", "tables", "downloads"):
        (staging / folder).mkdir()
    for chapter in chapters.names():
        stage_chapter(staging, chapter)
    write_datatables(staging / "extra" / "vendor")
    write_vega(staging / "extra" / "vendor")


def configuration() -> dict[str, Any]:
    """Return the settings of Jupyter Book, with links to the repository where one is known.

    Nothing points to a place that may not be there: buttons, the map of the site and the cards of
    social media, which need full addresses, come with the repository that the clone came from.
    """
    settings: dict[str, Any] = yaml.safe_load((paths.root() / "_config.yml").read_text())
    commit, sphinx = repository.head(), settings["sphinx"]["config"]
    sphinx["notfound_urls_prefix"] = commit.site_path
    sphinx["notfound_context"] = not_found(commit.site_path)
    if commit.repository:
        settings["repository"] = {"url": commit.repository, "branch": "main"}
        settings["html"]["use_repository_button"] = True
        settings["launch_buttons"] = {"colab_url": "https://colab.research.google.com"}
        settings["html"]["baseurl"] = commit.site_url
        sphinx["extensions"] += ["sphinx_sitemap", "sphinxext.opengraph"]
        sphinx["sitemap_url_scheme"] = "{link}"
        sphinx["ogp_site_url"] = commit.site_url
        sphinx["ogp_site_name"] = settings["title"]
        sphinx["ogp_image"] = "_static/key-figure.png"
        sphinx["ogp_social_cards"] = {"enable": False}
    return settings


def not_found(prefix: str) -> dict[str, str]:
    """Return what the page for what is not found says.

    Parameters
    ----------
    prefix : str
        Path of the site on its host. The page answers at any depth, so its links are absolute.
    """
    title = "Page not found"
    home = f'<a class="reference internal" href="{prefix}{chapters.toc()[0]}.html">'
    search = f'<a class="reference internal" href="{prefix}search.html">'
    return {
        "title": title,
        "body": f"<h1>{title}</h1>\n<p>This book has no page at this address. Begin at its "
        f"{home}first page</a>, or {search}search the book</a>.</p>",
    }


def stage_results(staging: Path) -> None:
    """Link the results that pages offer, and refuse those that are not fresh."""
    wanted = [paths.screen_path(), paths.truth_path()]
    wanted += [paths.screen_path(screen) for screen in steps.screen_names()]
    for fit in steps.fit_names():
        path = paths.fit_path(fit)
        records = store.read_attributes(path)
        for record in ("inputs", "tables"):
            flow.check_fresh(f"the fit of {fit}", json.loads(records[record]))
        wanted += [path, *paths.tables_path(fit).glob("*.csv")]
    for result in steps.recorded_results():
        path = paths.root() / result
        flow.check_fresh(result, json.loads(store.read_attributes(path)["inputs"]))
        wanted.append(path)
    for path in wanted:
        target = staging / path.relative_to(paths.root())
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(path, target)
    write_environment(staging / "results")


def stage_chapter(staging: Path, chapter: str) -> None:
    """Lay out a chapter, its figures and the data of its tables."""
    notebook = joined(chapter)
    nbformat.write(notebook, staging / "downloads" / f"{chapter}.ipynb")
    for name, image in named_figures(notebook):
        (staging / "figures" / f"{name}.png").write_bytes(image)
    shutil.copy2(chapters.script_path(chapter), staging / "downloads")
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            first, last = chapters.cell_lines(chapter)[number]
            script = chapters.script_path(chapter).relative_to(paths.root())
            link = repository.head().link(script.as_posix(), first, last)
            place = f"{chapter}, cell {number + 1}"
            present_figure(cell, place, link)
            present_interactive(cell)
            data = present_table(cell, place, link)
            if data is not None:
                name = cell.metadata["table"]["name"]
                (staging / "tables" / f"{name}.csv").write_text(data)
    notebook.cells.append(nbformat.v4.new_markdown_cell(provenance.card(chapter)))
    notebook.cells[-1]["id"] = "provenance"
    nbformat.write(notebook, staging / chapters.FOLDER / f"{chapter}.ipynb")


def present_figure(cell: NotebookNode, place: str, link: str) -> None:
    """Refuse a figure that nobody could cite or hear, and lead from its caption to its code."""
    kinds = {kind for output in cell.outputs for kind in output.get("data", {})}
    if not kinds & {"image/png", "image/svg+xml"}:
        return
    shown = cell.metadata.get("mystnb", {})
    figure, image = shown.get("figure", {}), shown.get("image", {})
    if not (figure.get("name") and figure.get("caption") and image.get("alt")):
        raise PoolscreenError(
            f"{place} shows a figure without a name, a caption or a text for those who cannot see "
            'it; write in its first line mystnb={"figure": {"name": "fig-...", "caption": "..."}, '
            '"image": {"alt": "..."}}'
        )
    if link:
        figure["caption"] += f" [The code of this figure]({link})."


def present_table(cell: NotebookNode, place: str, link: str) -> str | None:
    """Give a table its number and caption, and lead from it to its data and its code.

    Returns
    -------
    str or None
        The data of the table as CSV; None if the cell shows no table.
    """
    tables = [output for output in cell.outputs if "text/csv" in output.get("data", {})]
    if not tables:
        return None
    named = cell.metadata.get("table", {})
    if len(tables) > 1 or not (named.get("name") and named.get("caption")):
        raise PoolscreenError(
            f"{place} shows {len(tables)} tables, or one without a name and a caption; show one, "
            'and write in the first line of the cell table={"name": "tbl-...", "caption": "..."}'
        )
    (output,) = tables
    parts = re.fullmatch(
        r'<table class="dataframe (?P<classes>[^"]*)">(?P<rows>.*)</table>',
        output.data["text/html"],
        flags=re.DOTALL,
    )
    if parts is None:
        raise PoolscreenError(f"{place} shows a table that poolscreen.display.table() did not make")
    lines = [
        f":::{{ready-table}} {named['caption']}",
        f":name: {named['name']}",
        f":class: {parts['classes']}",
        "",
        parts["rows"].strip(),
        ":::",
        "",
        ":::{div} table-source",
        f"{{download}}`Data of this table (CSV) <../tables/{named['name']}.csv>`"
        + (f" · [its code]({link})" if link else ""),
        ":::",
    ]
    data: str = output.data["text/csv"]
    output.data = {"text/markdown": "\n".join(lines)}
    cell.metadata.setdefault("mystnb", {})["markdown_format"] = "myst"
    return data


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
    path = paths.executed_path(chapter)
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
    execution.check_outputs(chapter, executed)
    return chapters.join(chapter, executed)


def write_environment(folder: Path) -> None:
    """Write the tables of the page on reproducibility, from the fits' own records."""
    attributes = [store.read_attributes(paths.fit_path(fit)) for fit in steps.fit_names()]
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
    made = pd.DataFrame(attributes).assign(model=steps.fit_names())
    made[list(columns)].rename(columns=columns).to_csv(folder / "machines.csv", index=False)
    provenance.fit_rows(steps.fit_names()).to_csv(folder / "fits.csv", index=False)
    (folder / "commit.md").write_text(provenance.commit_text() + "\n")

"""What Jupyter Book reads: joined chapters, prose, settings, files to take away."""

import io
import json
import os
import shutil
from pathlib import Path
from typing import Any

import nbformat
import yaml
from nbformat import NotebookNode

from poolscreen.inference import store
from press import (
    chapters,
    execution,
    flow,
    outputs,
    paths,
    policy,
    provenance,
    repository,
    scripts,
    steps,
)


def stage(staging: Path, commit: repository.Commit) -> None:
    """Lay out what Jupyter Book reads: settings, prose, joined chapters, files to take away.

    Parameters
    ----------
    staging : pathlib.Path
        A folder that is not there yet, on the file system of the results, which are linked.
    commit : press.repository.Commit
        The commit that the pages name.

    Raises
    ------
    PoolscreenError
        If a result is not what its record says, or a chapter shows what has no name.
    """
    stage_prose(staging, commit)
    _stage_results(staging, commit)
    for chapter in chapters.names():
        stage_chapter(staging, chapter, commit)
    extra = staging / "extra"
    scripts.write_datatables(extra / "vendor")
    scripts.write_vega(extra / "vendor")
    (extra / "index.html").write_text(policy.redirection(f"{chapters.toc()[0]}.html"))


def joined(chapter: str) -> NotebookNode:
    """Return a chapter with the outputs of its execution and its present prose.

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
        If what it was executed with has changed, or an output holds an error.
    """
    executed = chapters.read_executed(chapter)
    flow.check_fresh(chapter, executed.metadata["poolscreen"]["inputs"])
    execution.check_outputs(chapter, executed)
    return chapters.join(chapter, executed)


def key_figure() -> io.BytesIO:
    """Return the key figure of the book, as chapter 8 drew it."""
    return io.BytesIO(dict(outputs.named_figures(joined("08_which_model")))["fig-in-each-line"])


# -- prose and settings ----------------------------------------------------------------------


def stage_prose(staging: Path, commit: repository.Commit) -> None:
    """Lay out the pages that run no code, the settings, and what all pages look like."""
    root = paths.root()
    shutil.copytree(root / "book", staging / "book", ignore=shutil.ignore_patterns("_*"))
    for folder in ("_static", "_templates"):
        shutil.copytree(root / "book" / folder, staging / folder)
    shutil.copy2(root / "_toc.yml", staging)
    (staging / "_config.yml").write_text(yaml.safe_dump(_configuration(commit)))


def _configuration(commit: repository.Commit) -> dict[str, Any]:
    """Return the settings of Jupyter Book, with links to the repository where one is known.

    Nothing points to a place that may not be there: buttons, the map of the site and the cards of
    social media, which need full addresses, come with the repository that the clone came from.
    """
    settings: dict[str, Any] = yaml.safe_load((paths.root() / "_config.yml").read_text())
    sphinx = settings["sphinx"]["config"]
    sphinx["notfound_urls_prefix"] = commit.site_path
    sphinx["notfound_context"] = _not_found(commit.site_path)
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


def _not_found(prefix: str) -> dict[str, str]:
    """Return what the page for what is not found says; its links are absolute, at any depth."""
    title = "Page not found"
    home = f'<a class="reference internal" href="{prefix}{chapters.toc()[0]}.html">'
    search = f'<a class="reference internal" href="{prefix}search.html">'
    return {
        "title": title,
        "body": f"<h1>{title}</h1>\n<p>This book has no page at this address. Begin at its "
        f"{home}first page</a>, or {search}search the book</a>.</p>",
    }


# -- results ---------------------------------------------------------------------------------


def _stage_results(staging: Path, commit: repository.Commit) -> None:
    """Link the results that pages offer, and write the tables of their records."""
    screens = map(paths.screen_path, ["", *steps.screen_names()])
    for path in [*screens, paths.truth_path(), *fresh_results()]:
        target = staging / path.relative_to(paths.root())
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(path, target)
    provenance.write_tables(staging / "results", commit)


def fresh_results() -> list[Path]:
    """Return the fits, their tables and what else carries a record, if each is what that says."""
    results = []
    for fit in steps.fit_names():
        path = paths.fit_path(fit)
        records = store.read_attributes(path)
        for record in ("inputs", "tables"):
            flow.check_fresh(f"the fit of {fit}", json.loads(records[record]))
        results += [path, *paths.tables_path(fit).glob("*.csv")]
    for name in steps.recorded_results():
        path = paths.root() / name
        flow.check_fresh(name, json.loads(store.read_attributes(path)["inputs"]))
        results.append(path)
    return results


# -- chapters --------------------------------------------------------------------------------


def stage_chapter(staging: Path, chapter: str, commit: repository.Commit) -> None:
    """Lay out a chapter, its figures and the data of its tables."""
    for folder in (chapters.FOLDER, "figures", "tables", "downloads"):
        (staging / folder).mkdir(parents=True, exist_ok=True)
    notebook, script = joined(chapter), chapters.script_path(chapter)
    nbformat.write(notebook, staging / "downloads" / f"{chapter}.ipynb")
    shutil.copy2(script, staging / "downloads")
    for name, image in outputs.named_figures(notebook):
        (staging / "figures" / f"{name}.png").write_bytes(image)
    placed = chapters.lines_of_cells(chapter)
    for number, (cell, lines) in enumerate(zip(notebook.cells, placed, strict=True), start=1):
        if cell.cell_type == "code":
            link = commit.link(paths.short(script), *lines)
            _present(cell, f"{chapter}, cell {number}", link, staging / "tables")
    card = nbformat.v4.new_markdown_cell(provenance.card(chapter, commit), id="provenance")
    notebook.cells.append(card)
    # Sphinx names lines of the script where it finds fault.
    notebook.metadata["source_map"] = [*(first for first, _ in placed), placed[-1][1]]
    nbformat.write(notebook, staging / chapters.FOLDER / f"{chapter}.ipynb")


def _present(cell: NotebookNode, place: str, link: str, tables: Path) -> None:
    """Give the outputs of a cell what a page needs, and write the data of its table."""
    outputs.present_figure(cell, place, link)
    scripts.present_interactive(cell)
    data = outputs.present_table(cell, place, link)
    if data is not None:
        (tables / f"{cell.metadata['table']['name']}.csv").write_text(data)

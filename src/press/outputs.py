"""Figures and tables of a chapter, as its page shows them: numbered, leading to data and code."""

import base64
import re
from collections.abc import Iterator

from nbformat import NotebookNode

from poolscreen.errors import PoolscreenError
from press import chapters

# What `poolscreen.display.table` shows.
TABLE = re.compile(r'<table class="dataframe (?P<classes>[^"]*)">(?P<rows>.*)</table>', re.DOTALL)


def present_figure(cell: NotebookNode, place: str, link: str) -> None:
    """Refuse a figure that nobody could cite or hear, and lead from its caption to its code.

    Parameters
    ----------
    cell : nbformat.NotebookNode
        An executed cell; the caption of its figure is changed.
    place : str
        What messages call the cell.
    link : str
        Address of its code; empty if readers would not find it.

    Raises
    ------
    PoolscreenError
        If its figure lacks a name, a caption or a text for those who cannot see it, or the cell
        names a figure and shows no picture.

    Examples
    --------
    >>> import nbformat
    >>> output = nbformat.v4.new_output("display_data", {"image/png": ""})
    >>> cell = nbformat.v4.new_code_cell("plot", outputs=[output])
    >>> present_figure(cell, "01_data, cell 7", link="")
    Traceback (most recent call last):
    poolscreen.errors.PoolscreenError: 01_data, cell 7 shows a figure without a name, ...
    """
    kinds = {kind for output in cell.outputs for kind in output.get("data", {})}
    settings = cell.metadata.get("mystnb", {})
    figure, image = settings.get("figure", {}), settings.get("image", {})
    if not kinds & {"image/png", "image/svg+xml"}:
        if figure:
            raise PoolscreenError(
                f"{place} names the figure {figure.get('name')} and shows no picture; return one, "
                "such as a plotnine figure or one of poolscreen.figures, as the last value"
            )
        return
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

    Parameters
    ----------
    cell : nbformat.NotebookNode
        An executed cell; what it shows as a table is changed.
    place, link : str
        See `present_figure`.

    Returns
    -------
    str or None
        The data of the table as CSV; None if the cell shows no table.

    Raises
    ------
    PoolscreenError
        If the table lacks a name or a caption, is one of several, or was not made by
        `poolscreen.display.table`.

    Examples
    --------
    >>> import nbformat
    >>> from poolscreen.display import table
    >>> shown = table(pd.DataFrame({"mean": [-1.23456]}))._repr_mimebundle_()
    >>> cell = nbformat.v4.new_code_cell(
    ...     "table(means)",
    ...     outputs=[nbformat.v4.new_output("display_data", shown)],
    ...     metadata={"table": {"name": "tbl-means", "caption": "Means."}},
    ... )
    >>> present_table(cell, "01_data, cell 7", link="").split()
    ['mean', '-1.23456']
    >>> cell.outputs[0].data["text/markdown"].splitlines()[:3]
    [':::{ready-table} Means.', ':name: tbl-means', ':class: labels-0']
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
    html = TABLE.fullmatch(output.data["text/html"])
    if html is None:
        raise PoolscreenError(f"{place} shows a table that poolscreen.display.table() did not make")
    data: str = output.data["text/csv"]
    output.data = {"text/markdown": _numbered_table(named, html["classes"], html["rows"], link)}
    cell.metadata.setdefault("mystnb", {})["markdown_format"] = "myst"
    return data


def _numbered_table(named: NotebookNode, classes: str, rows: str, link: str) -> str:
    """Write a table in MyST: numbered, with its caption, and below it its data and its code."""
    data = f"{{download}}`Data of this table (CSV) <../tables/{named['name']}.csv>`"
    lines = [
        f":::{{ready-table}} {named['caption']}",
        f":name: {named['name']}",
        f":class: {classes}",
        "",
        rows.strip(),
        ":::",
        "",
        ":::{div} table-source",
        data + (f" · [its code]({link})" if link else ""),
        ":::",
    ]
    return "\n".join(lines)


def named_figures(notebook: NotebookNode) -> Iterator[tuple[str, bytes]]:
    """Give the figures of a chapter by their names, for other pages to show as well.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        An executed chapter.

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

"""Text, tables and figures as one HTML file that needs no other, and no network."""

import re
import warnings
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template

import plotnine as p9
from markdown_it import MarkdownIt
from matplotlib.figure import Figure as Drawing

from poolscreen.display import Table
from poolscreen.figures.image import png
from poolscreen.files import csv_text
from poolscreen.names import visible
from poolscreen.reports import policy, searchable

TEMPLATE = Path(__file__).with_name("template.html")
SCRIPT = Path(__file__).with_name("page.js")


@dataclass(frozen=True)
class Shown:
    """A table or a figure of a page, with what is said of it.

    Attributes
    ----------
    content : Table, plotnine.ggplot or matplotlib.figure.Figure
        What is shown.
    name : str
        Name of the file with a table's data.
    caption : str
        What it shows.
    alt : str
        For those who cannot see it, what a figure shows.
    """

    content: Table | p9.ggplot | Drawing
    name: str
    caption: str
    alt: str = ""


@dataclass(frozen=True)
class Live:
    """A part of a page that answers, as HTML, and the script that brings it to life."""

    html: str
    script: str


Block = str | Shown | Live  # text in Markdown, or a table or a figure, or a part that answers


def csv_of(blocks: Iterable[Block]) -> dict[str, str]:
    r"""Return the data of the tables of a page as CSV, by their names.

    Parameters
    ----------
    blocks : iterable of str or Shown
        The page.

    Returns
    -------
    dict of str to str

    Examples
    --------
    >>> from poolscreen.display import table
    >>> effects = table(pd.DataFrame({"gene": ["MYC"], "mean": [-1.25]}))
    >>> csv_of(["Effects:", Shown(effects, "effects", "Effects.")])
    {'effects': 'gene,mean\nMYC,-1.25\n'}
    """
    return {
        block.name: csv_text(block.content.frame)
        for block in blocks
        if isinstance(block, Shown) and isinstance(block.content, Table)
    }


def html(blocks: Iterable[Block], *, title: str) -> str:
    r"""Render a page.

    Parameters
    ----------
    blocks : iterable of str, Shown or Live
        The page, from the top down. Tables and figures are numbered; a table offers its data.
    title : str
        Title of the page.

    Returns
    -------
    str
        HTML.

    Examples
    --------
    >>> page = html(["# Effects\n\nOf *two* genes."], title="effects.csv")
    >>> "<title>effects.csv</title>" in page, "<p>Of <em>two</em> genes.</p>" in page
    (True, True)
    """
    markdown, body, tables, figures = MarkdownIt("js-default"), [], 0, 0
    scripts = []
    for block in blocks:
        if isinstance(block, str):
            body.append(markdown.render(block))
        elif isinstance(block, Live):
            body.append(block.html)
            scripts.append(block.script)
        elif isinstance(block.content, Table):
            tables += 1
            body.append(_table(block, block.content, tables))
        else:
            figures += 1
            body.append(_figure(block, block.content, figures))
    script = "\n".join([searchable.script(), SCRIPT.read_text(encoding="utf-8"), *scripts])
    script = script.replace("</script", "<\\/script")  # within a page this would end the script
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        policy=policy.element([script]),
        title=escape(title),
        body="\n".join(body),
        datatables_style=searchable.style(),
        script=script,
    )


def _table(shown: Shown, table: Table, number: int) -> str:
    data = b64encode(csv_text(table.frame).encode()).decode("ascii")
    return (
        f"<figure><figcaption>Table {number}. {escape(shown.caption)} "
        f'<a class="source" href="data:text/csv;base64,{data}" download="{shown.name}.csv">CSV</a>'
        f'</figcaption><div class="box">{table.html}</div></figure>'
    )


def _figure(shown: Shown, figure: p9.ggplot | Drawing, number: int) -> str:
    """Draw a figure, with what the library warns of; a figure that fails costs no other result."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            data = b64encode(png(figure)).decode("ascii")
            drawn = f'<img src="data:image/png;base64,{data}" alt="{escape(shown.alt)}">'
        except Exception as error:  # whatever a library makes of somebody's data
            drawn = f"<p>This figure could not be drawn: {escape(visible(str(error)))}</p>"
    said = {visible(str(warning.message)) for warning in caught if _concerns(warning)}
    notes = "".join(f" (While it was drawn: {escape(text)})" for text in sorted(said))
    return (
        f"<figure>{drawn}<figcaption>Figure {number}. {escape(shown.caption)}{notes}"
        "</figcaption></figure>"
    )


def _concerns(warning: warnings.WarningMessage) -> bool:
    """Tell whether a warning is about the data; those of what will change concern programmers."""
    return not issubclass(warning.category, (DeprecationWarning, FutureWarning))


def plain(text: str) -> str:
    r"""Write a text as Markdown that shows it as it is, but for code between backticks.

    Parameters
    ----------
    text : str
        A sentence, in which there may be names of genes or cell lines.

    Returns
    -------
    str

    Examples
    --------
    >>> print(plain("<b>[x](y): see `poolscreen fold-change`"))
    \<b\>\[x\]\(y\): see `poolscreen fold-change`
    """
    parts = visible(text).split("`")
    return "`".join(
        re.sub(r"([\\*_{}\[\]()<>#+!|~&$])", r"\\\1", part) if place % 2 == 0 else part
        for place, part in enumerate(parts)
    )

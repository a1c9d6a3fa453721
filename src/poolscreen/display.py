"""What a chapter shows besides figures: tables, source code, graphs, numbers for its prose."""

import inspect
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from IPython.display import SVG, Markdown

from poolscreen.errors import PoolscreenError
from poolscreen.files import csv_text
from poolscreen.names import CUT, LONGEST, short, visible

if TYPE_CHECKING:
    import pymc as pm


# Effective sample sizes are counts; everything else in a posterior table has a unit.
COUNTS = ("ess_bulk", "ess_tail")


class Table:
    """A table to read, and its data to take away.

    Parameters
    ----------
    frame : pandas.DataFrame
        The data, not rounded.
    html : str
        What is shown.

    Examples
    --------
    The page shows the HTML, and its reader takes the data away as they are:

    >>> shown = table(pd.DataFrame({"gene": ["MYC"], "mean": [-1.23456]}))
    >>> "-1.235" in shown.html
    True
    >>> shown._repr_mimebundle_()["text/csv"].split()
    ['gene,mean', 'MYC,-1.23456']
    """

    def __init__(self, frame: pd.DataFrame, html: str) -> None:
        self.frame, self.html = frame, html

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/html": self.html, "text/csv": csv_text(self.frame)}


def table(frame: pd.DataFrame, *, digits: int = 3, searchable: bool = False) -> Table:
    """Show a table in full, its numbers rounded for reading.

    A chapter names its tables in the first line of their cells, as
    ``table={"name": "tbl-errors", "caption": "..."}``; the book numbers them, and offers the data,
    not rounded, as CSV.

    Parameters
    ----------
    frame : pandas.DataFrame
        Labels in its first columns, numbers in the others; its index is not shown.
    digits : int
        Decimals of numbers that are not counts.
    searchable : bool
        Whether the page lets its reader search, sort and leaf through the table. For long ones.

    Returns
    -------
    Table

    Examples
    --------
    Numbers are rounded by what they are: counts have no decimals.

    >>> import re
    >>> frame = pd.DataFrame({"parameter": ["sigma"], "mean": [0.34567], "ess_bulk": [7656.2]})
    >>> shown = table(frame, digits=2)
    >>> re.findall("<td>(.*?)</td>", shown.html)
    ['sigma', '0.35', '7,656']
    """
    labels = [column for column in frame if not pd.api.types.is_numeric_dtype(frame[column])]
    shown = {}
    for column in map(str, frame):
        show = _label if column in labels else _format(column, digits)
        shown[_label(column)] = ["" if pd.isna(cell) else show(cell) for cell in frame[column]]
    html = pd.DataFrame(shown).to_html(
        index=False,
        border=0,
        escape=False,
        classes=[f"labels-{len(labels)}", *(["searchable"] if searchable else [])],
    )
    return Table(frame, html.replace(' style="text-align: right;"', ""))


def _label(text: object) -> str:
    """Return a text for a cell: as text whatever it holds, and in full on hover if it is cut."""
    full = visible(str(text))
    # A sentence breaks at its spaces; a name has none.
    wide = max(map(len, full.split(" "))) > LONGEST
    cut = short(full, LONGEST if wide else CUT)
    whole = f' title="{escape(full)}"' if cut != full else ""
    return f"<span{whole}>{escape(cut)}</span>" if whole else escape(cut)


def _format(column: str, digits: int) -> Callable[[object], str]:
    def show(cell: object) -> str:
        value = float(str(cell))
        if column.startswith("P("):  # one that rounds to 1 is no certainty
            return f"{value:.3f}"
        if column in COUNTS or value.is_integer():
            return f"{value:,.0f}"
        if column.startswith("ESS"):  # a rate: three digits are more than it has
            return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"
        if column.startswith("seconds"):
            return f"{value:.1f}"
        if column.startswith("mcse"):
            # It says how many digits of the estimate hold: two of its own are enough.
            text = np.format_float_positional(value, 2, unique=False, fractional=False)
            return text.rstrip(".")
        return f"{value:.{digits}f}"

    return show


def answer(text: str) -> Markdown:
    """Show the answer to an exercise, with the numbers that its cell has computed.

    Parameters
    ----------
    text : str
        Markdown.

    Returns
    -------
    IPython.display.Markdown

    Examples
    --------
    >>> answer(f"The factor is {100 * 0.25:.0f} %.").data
    'The factor is 25 %.'
    """
    return Markdown(text)


def source(thing: Callable[..., object]) -> Markdown:
    """Show the source code of a function: the very code that runs.

    Parameters
    ----------
    thing : callable
        The function.

    Returns
    -------
    IPython.display.Markdown
        A block of Python code.

    Examples
    --------
    >>> from poolscreen.models import m7a
    >>> text = source(m7a.build).data
    >>> text.splitlines()[1]
    'def build(screen: Screen) -> pm.Model:'
    """
    return Markdown(f"```python\n{inspect.getsource(thing).strip()}\n```")


def graph(model: "pm.Model") -> SVG:
    """Draw the graph of a model with whichever Graphviz is there.

    Parameters
    ----------
    model : pymc.Model
        The model.

    Returns
    -------
    IPython.display.SVG

    Raises
    ------
    PoolscreenError
        If there is none, or it fails.

    Examples
    --------
    >>> from poolscreen.models import m7a
    >>> drawing = graph(m7a.build(small_screen)).data
    >>> [name in drawing for name in ("alpha_gc", "sigma", "gamma_gc")]
    [True, True, False]
    """
    import pymc as pm

    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    programs = (shutil.which(name, path=places) for name in ("graphviz-pure", "dot"))
    program = next(filter(None, programs), None)
    if program is None:
        raise PoolscreenError(
            "there is no Graphviz to draw the model with; install the package graphviz-pure, or "
            "Graphviz itself"
        )
    drawing = pm.model_to_graphviz(model)
    drawing.graph_attr.update(bgcolor="white", fontname="Helvetica")
    drawing.node_attr.update(fontname="Helvetica")
    ran = subprocess.run(
        [program, "-Tsvg"],
        input=drawing.source,
        check=False,
        capture_output=True,
        text=True,
    )
    if ran.returncode:
        raise PoolscreenError(f"{program} cannot draw the model: {ran.stderr.strip()}")
    return SVG(ran.stdout)

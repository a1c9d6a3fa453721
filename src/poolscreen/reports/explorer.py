"""Every gene of a screen as a point of a figure, found by its name, with its sgRNAs."""

import base64
import gzip
import json
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
import pandas as pd

from poolscreen.effects.hits import Hits
from poolscreen.inference.exact import ENDS
from poolscreen.names import visible
from poolscreen.screens.table import Screen

HERE = Path(__file__).parent
CAPTION = (
    "Every gene: its effect, and the probability that it has none, or one of the other sign "
    "(lfsr). Coloured: a false discovery rate below 5 %. Click on a gene, or find it by its name, "
    "to see its sgRNAs."
)


def html(hits: Hits, screen: Screen) -> str:
    """Return the figure and the table of all genes, with their data, for a page.

    Parameters
    ----------
    hits : Hits
        What is shown.
    screen : Screen
        For the measurements of the sgRNAs.

    Returns
    -------
    str
        HTML; `script` brings it to life.
    """
    genes = hits.genes
    lines = genes["cell_line"].unique().tolist()
    number = {name: number for number, name in enumerate(screen.genes)}
    columns = {
        "lines": [visible(line) for line in lines],
        "genes": [visible(gene) for gene in screen.genes],
        "line": [lines.index(name) for name in genes["cell_line"]],
        "gene": [number[name] for name in genes["gene"]],
        "n": genes["n_sgrnas"].tolist(),
        "rank": genes["rank"].tolist(),
        **{
            name: _rounded(genes[column], 3)
            for name, column in (("mean", "mean"), ("low", ENDS[0]), ("high", ENDS[1]))
        },
        **{name: [float(f"{value:.3g}") for value in genes[name]] for name in ("lfsr", "fdr")},
        "guides": _guides(screen, lines),
    }
    template = Template((HERE / "explorer.html").read_text(encoding="utf-8"))
    return template.substitute(caption=CAPTION, data=_packed(columns))


def script() -> str:
    """Return the script of the figure; it needs DataTables, see `poolscreen.reports.searchable`."""
    return (HERE / "explorer.js").read_text(encoding="utf-8")


def _rounded(values: pd.Series, digits: int) -> list[float]:
    return [float(value) for value in values.round(digits)]


def _guides(screen: Screen, lines: list[str]) -> list[list[list[Any]]]:
    """Return the sgRNAs of each gene: their names, and the measurements in each cell line."""
    found: list[list[list[Any]]] = [[] for _ in screen.genes]
    n_lines, places = len(screen.cell_lines), [screen.cell_lines.index(line) for line in lines]
    pair = screen.sgrna_idx * n_lines + screen.cell_idx
    order = np.argsort(pair, kind="stable")
    ends = np.searchsorted(pair[order], np.arange(len(screen.sgrnas) * n_lines), side="right")
    measured = np.split(screen.log_fc[order].round(2), ends[:-1])
    for number, (name, gene) in enumerate(zip(screen.sgrnas, screen.gene_of_sgrna, strict=True)):
        of_lines = [measured[number * n_lines + place].tolist() for place in places]
        found[gene].append([visible(name), *of_lines])
    return found


def _packed(data: dict[str, Any]) -> str:
    """Return data as compressed text, a third as long; nothing in it can end an HTML element."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(gzip.compress(text.encode(), 6, mtime=0)).decode()

"""Every gene of a screen as a point of a figure, found by its name, with its sgRNAs."""

import json
from pathlib import Path
from string import Template

import numpy as np
import pandas as pd

from poolscreen.effects.hits import Hits
from poolscreen.inference.exact import ENDS
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
    columns = {
        "lines": lines,
        "line": [lines.index(name) for name in genes["cell_line"]],
        "gene": genes["gene"].tolist(),
        "n": genes["n_sgrnas"].tolist(),
        "rank": genes["rank"].tolist(),
        **{
            name: _rounded(genes[column], 3)
            for name, column in (("mean", "mean"), ("low", ENDS[0]), ("high", ENDS[1]))
        },
        **{name: [float(f"{value:.3g}") for value in genes[name]] for name in ("lfsr", "fdr")},
        "guides": [_guides_of(screen, line) for line in lines],
    }
    # "<" would end the element where a gene is called so.
    data = json.dumps(columns, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    template = Template((HERE / "explorer.html").read_text(encoding="utf-8"))
    return template.substitute(caption=CAPTION, data=data)


def script() -> str:
    """Return the script of the figure; it needs DataTables, see `poolscreen.reports.searchable`."""
    return (HERE / "explorer.js").read_text(encoding="utf-8")


def _rounded(values: pd.Series, digits: int) -> list[float]:
    return [float(value) for value in values.round(digits)]


def _guides_of(screen: Screen, line: str) -> dict[str, list[tuple[str, list[float]]]]:
    """Return the measurements of the sgRNAs of each gene in a cell line."""
    rows = np.flatnonzero(screen.cell_idx == screen.cell_lines.index(line))
    rows = rows[np.argsort(screen.sgrna_idx[rows], kind="stable")]
    guide = screen.sgrna_idx[rows]
    starts = np.flatnonzero(np.diff(guide, prepend=-1))
    found: dict[str, list[tuple[str, list[float]]]] = {}
    for start, measured in zip(
        starts, np.split(screen.log_fc[rows].round(2), starts[1:]), strict=True
    ):
        gene = screen.genes[screen.gene_of_sgrna[guide[start]]]
        found.setdefault(gene, []).append((screen.sgrnas[guide[start]], measured.tolist()))
    return found

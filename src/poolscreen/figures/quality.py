"""Figures of how good a screen is, before any model."""

from collections.abc import Collection
from io import BytesIO

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from poolscreen.figures.style import BLUE, GREY, LOG_FC, ORANGE, WIDTH
from poolscreen.names import drawn

QUANTILES = np.linspace(0.001, 0.999, 200)
MOST = 12  # samples or cell lines that are told apart by their names


class _Drawing(Figure):
    """A figure that a notebook shows as a picture, though pyplot has not made it."""

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        width, height = (round(100 * inches) for inches in self.get_size_inches())
        picture = BytesIO()
        self.savefig(picture, format="png", dpi=200, metadata={"Software": None})
        return picture.getvalue(), {"width": width, "height": height}


def reads(counts: pd.DataFrame) -> Figure:
    """Draw the distribution of the reads of each sample.

    Parameters
    ----------
    counts : pandas.DataFrame
        Counts, a row per sgRNA and a column per sample.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> drawn = reads(pd.DataFrame({"T0": [90, 110, 100], "T18": [200, 0, 50]}))
    >>> [line.get_label() for line in drawn.axes[0].lines]
    ['T0', 'T18']
    """
    figure = _Drawing(figsize=(WIDTH, 3.0), layout="constrained")
    axes = figure.add_subplot()
    for name in counts:
        axes.plot(1 + counts[name].quantile(QUANTILES), QUANTILES, label=drawn(name), lw=1.5)
    axes.set(xscale="log", xlabel="reads of an sgRNA, plus one", ylabel="share of the sgRNAs")
    if counts.shape[1] <= MOST:
        axes.legend(fontsize=8, frameon=False)
    _plain(figure)
    return figure


def separation(
    table: pd.DataFrame, essential: Collection[str], nonessential: Collection[str]
) -> Figure:
    """Draw the log fold changes of the sgRNAs of essential, of non-essential and of other genes.

    Parameters
    ----------
    table : pandas.DataFrame
        The table of a screen.
    essential, nonessential : collection of str
        Gold standards.

    Returns
    -------
    matplotlib.figure.Figure
        A panel for each of the first cell lines.

    Examples
    --------
    >>> drawn = separation(small_screen.table, ["gene_0"], ["gene_1"])
    >>> [axes.get_title() for axes in drawn.axes]
    ['cell_0', 'cell_1']
    """
    lines = list(table["cell_line"].unique())[:MOST]
    columns = min(len(lines), 3)
    rows = -(-len(lines) // columns)
    figure = _Drawing(figsize=(WIDTH, 0.6 + 2.2 * rows), layout="constrained")
    values = table["log_fc"]
    low, high = np.quantile(values, [0.001, 0.999])
    bins = np.linspace(low, high, 60).tolist()
    gene = table["gene"].astype(str)
    known = {ORANGE: gene.isin(essential), BLUE: gene.isin(nonessential)}
    groups = {GREY: ~(known[ORANGE] | known[BLUE]), **known}
    names = {GREY: "other genes", ORANGE: "essential", BLUE: "non-essential"}
    for place, line in enumerate(lines):
        axes = figure.add_subplot(rows, columns, place + 1)
        for colour, chosen in groups.items():
            of = values[chosen & (table["cell_line"] == line)]
            if len(of):
                share = np.full(len(of), 1 / len(of))
                axes.hist(
                    of, bins, weights=share, histtype="step", color=colour, label=names[colour]
                )
        axes.set(title=drawn(line), xlabel=LOG_FC, yticks=[])
        if not place:
            axes.legend(fontsize=8, frameon=False)
    _plain(figure)
    return figure


def _plain(figure: Figure) -> None:
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
        axes.title.set_fontsize(10)

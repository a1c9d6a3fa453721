"""The look that all figures share."""

from collections.abc import Sequence

import pandas as pd
import plotnine as p9

p9.options.set_option("figure_format", "retina")
# Okabe and Ito's palette, which colour-blind readers tell apart.
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#777777"
PURPLE = "#5D3A9B"
MODEL_COLOURS = [ORANGE, BLUE, GREEN]
# One for each model that is compared, pooled ones strong, those without pooling grey.
COMPARED_COLOURS = {
    "7": BLUE,
    "8": GREEN,
    "7c": "#56B4E9",
    "7b": "#E69F00",
    "7a": ORANGE,
    "7c, no pooling": "#CC79A7",
    "7a, no pooling": GREY,
    "7b, no pooling": "#BBBBBB",
    "complete pooling": PURPLE,
}
CHAIN_COLOURS = [ORANGE, BLUE, GREEN, "#CC79A7"]
# Viridis without its light end, which would be lost on white.
SGRNA_COLOURS = ["#440154", "#414487", "#2A788E", "#22A884", "#8FBC2E"]
LOG_FC = "log fold change"
SEED = 103  # of the jitter
# In inches. Small enough for its text to be read where the page gives a figure half of that.
WIDTH = 6.4


def theme(height: float) -> p9.theme:
    """Return the look of all plotnine figures, with the height in inches.

    Parameters
    ----------
    height : float
        In inches.

    Returns
    -------
    plotnine.theme

    Examples
    --------
    >>> theme(3.5).getp("figure_size")
    (6.4, 3.5)
    """
    return p9.theme_minimal(base_size=11) + p9.theme(
        figure_size=(WIDTH, height),
        plot_title=p9.element_text(size=12, weight="bold"),
        panel_grid_minor=p9.element_blank(),
        panel_grid_major_x=p9.element_blank(),
        plot_background=p9.element_rect(fill="white", colour="white"),
        legend_key_size=11,
    )


def in_order(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Make labels categorical, in their order of appearance; a plot then keeps that order.

    Parameters
    ----------
    table : pandas.DataFrame
        Any table; it is not changed.
    columns : sequence of str
        Its columns of labels.

    Returns
    -------
    pandas.DataFrame

    Examples
    --------
    >>> table = pd.DataFrame({"gene": ["TP53", "MYC", "TP53"]})
    >>> in_order(table, ["gene"])["gene"].cat.categories.tolist()
    ['TP53', 'MYC']
    """
    return table.assign(
        **{c: pd.Categorical(table[c], categories=table[c].unique()) for c in columns}
    )

"""Figures of ranks."""

import pandas as pd
import plotnine as p9

from poolscreen.figures.style import BLUE, ORANGE, in_order, theme


def rank_curves(curves: pd.DataFrame, *, title: str, columns: int = 3) -> p9.ggplot:
    """Draw how far ranks are from uniform, with simultaneous bands.

    Parameters
    ----------
    curves : pandas.DataFrame
        See `poolscreen.tables.calibration.rank_differences`.
    title : str
        Title of the figure.
    columns : int
        Panels in a row.

    Returns
    -------
    plotnine.ggplot
        One panel per quantity: the curve in blue, or in orange where it leaves its band.

    Examples
    --------
    >>> curves = pd.DataFrame(
    ...     {"quantity": ["sigma", "mu"] * 2, "rank": [0.2, 0.2, 0.8, 0.8], "difference": 0.01}
    ... ).assign(low=-0.1, high=0.1, band="within")
    >>> plot = rank_curves(curves, title="Ranks", columns=2)
    >>> len(plot.draw().axes)  # a panel per quantity
    2
    """
    rows = -(-curves["quantity"].nunique() // columns)
    colours = {"within": BLUE, "outside": ORANGE}
    return (
        p9.ggplot(in_order(curves, ["quantity"]), p9.aes("rank"))
        + p9.geom_ribbon(p9.aes(ymin="low", ymax="high"), fill="#CCCCCC")
        + p9.geom_hline(yintercept=0, colour="#777777", size=0.3)
        + p9.geom_line(p9.aes(y="difference", colour="band"), size=0.6)
        + p9.scale_colour_manual(values=colours, guide=None)
        + p9.facet_wrap("quantity", ncol=columns, labeller=_on_two_lines)
        + p9.scale_x_continuous(breaks=[0, 0.5, 1], labels=["0", "0.5", "1"])
        + p9.labs(x="rank of the true value", y="difference from uniform", title=title)
        + theme(1 + 1.7 * rows)
        + p9.theme(strip_text=p9.element_text(size=8))
    )


def _on_two_lines(quantity: str) -> str:
    return quantity.replace("[", "\n[")

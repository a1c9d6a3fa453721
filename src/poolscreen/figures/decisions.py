"""Figures of decisions."""

import pandas as pd
import plotnine as p9

from poolscreen.figures.style import BLUE, MODEL_COLOURS, in_order, theme


def expected_and_realised(
    table: pd.DataFrame, *, x: str, y: str, at: float, labels: tuple[str, str], title: str
) -> p9.ggplot:
    """Draw a quantity as a posterior expects it, and as it turned out, against another.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns `x`, `y` and `kind`.
    x, y : str
        Names of the columns.
    at : float
        Where a dotted line marks `x`.
    labels : tuple of str
        Of the two axes.
    title : str
        Title of the figure.

    Returns
    -------
    plotnine.ggplot

    Examples
    --------
    >>> table = pd.DataFrame({"threshold": [0.1, 0.5], "loss": [9.0, 5.0], "kind": "expected"})
    >>> plot = expected_and_realised(
    ...     table, x="threshold", y="loss", at=0.2, labels=("threshold", "loss"), title="Loss"
    ... )
    >>> [type(layer.geom).__name__ for layer in plot.layers]
    ['geom_vline', 'geom_line', 'geom_blank']
    """
    return (
        p9.ggplot(in_order(table, ["kind"]), p9.aes(x, y, colour="kind"))
        + p9.geom_vline(xintercept=at, linetype="dotted")
        + p9.geom_line(size=0.8)
        + p9.scale_colour_manual(values=MODEL_COLOURS)
        + p9.expand_limits(y=0)
        + p9.labs(x=labels[0], y=labels[1], colour="", title=title)
        + theme(3.2)
    )


def ranks(table: pd.DataFrame, *, title: str) -> p9.ggplot:
    """Draw ranks of genes with intervals, and the true ranks.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns `gene`, `low`, `rank`, `high` and `true`; a row per gene, the first on top.
    title : str
        Title of the figure.

    Returns
    -------
    plotnine.ggplot

    Examples
    --------
    >>> table = pd.DataFrame({"gene": ["MYC"], "low": 1.0, "rank": 2.0, "high": 9.0, "true": 3})
    >>> [type(layer.geom).__name__ for layer in ranks(table, title="Ranks").layers]
    ['geom_linerange', 'geom_point', 'geom_point']
    """
    genes = pd.Categorical(table["gene"], table["gene"][::-1])
    return (
        p9.ggplot(table.assign(gene=genes), p9.aes("gene", "rank"))
        + p9.geom_linerange(p9.aes(ymin="low", ymax="high"), colour=BLUE, size=0.9)
        + p9.geom_point(colour=BLUE, size=2.2, stroke=0)
        + p9.geom_point(p9.aes(y="true"), shape="|", size=4)
        + p9.coord_flip()
        + p9.labs(x="", y="rank (1 = lowest effect)", title=title)
        + theme(5)
    )

"""Figures of what pooling does."""

import numpy as np
import pandas as pd
import plotnine as p9

from poolscreen.figures.style import GREY, MODEL_COLOURS, SGRNA_COLOURS, in_order, theme


def shrinkage(pulled: pd.DataFrame, *, title: str) -> p9.ggplot:
    """Draw pooled against unpooled intercepts, with the pull of each as a stroke.

    Parameters
    ----------
    pulled : pandas.DataFrame
        Columns `unpooled`, `pooled`, `sgRNAs`, see `poolscreen.tables.shrinkage.pull`.
    title : str
        Title of the figure.

    Returns
    -------
    plotnine.ggplot
        No pooling on x, pooling on y; strokes lead from the identity line to the points.

    Examples
    --------
    >>> pulled = pd.DataFrame({"unpooled": [-2.0, 1.0], "pooled": [-1.5, 0.75], "sgRNAs": [1, 4]})
    >>> plot = shrinkage(pulled, title="Pulled")
    >>> [type(layer.geom).__name__ for layer in plot.layers]
    ['geom_abline', 'geom_segment', 'geom_point']
    >>> plot.labels.x, plot.labels.y
    ('posterior mean, no pooling', 'posterior mean, partial pooling')
    """
    return (
        p9.ggplot(pulled, p9.aes("unpooled", "pooled", colour="sgRNAs"))
        + p9.geom_abline(slope=1, intercept=0, colour="#999999")
        + p9.geom_segment(p9.aes(xend="unpooled", y="unpooled", yend="pooled"), size=0.4, alpha=0.6)
        + p9.geom_point(size=1.5, stroke=0, alpha=0.9)
        + _colour_by_sgrnas()
        + p9.coord_fixed()
        + p9.labs(
            x="posterior mean, no pooling",
            y="posterior mean, partial pooling",
            colour="sgRNAs\nof the gene",
            title=title,
        )
        + theme(6)
        + p9.theme(panel_grid_major_x=p9.element_line())
    )


def shrinkage_slopes(
    pulled: pd.DataFrame,
    *,
    x: str,
    y: str,
    identity: float,
    labels: tuple[str, str],
    title: str,
) -> p9.ggplot:
    """Draw what pooling does to each intercept, with the line of each gene.

    Parameters
    ----------
    pulled : pandas.DataFrame
        Columns `x`, `y`, `gene` and `sgRNAs`, see `poolscreen.tables.shrinkage.pull`.
    x, y : str
        Columns on the axes.
    identity : float
        Slope of the line that no pooling would give.
    labels : tuple of str
        Labels of the axes.
    title : str
        Title of the figure.

    Returns
    -------
    plotnine.ggplot
        Points and, per gene, the least-squares line.

    Examples
    --------
    >>> pulled = pd.DataFrame(
    ...     {"gene": "g", "sgRNAs": 2, "unpooled": [-2.0, 1.0], "pooled": [-1.5, 0.75]}
    ... )
    >>> plot = shrinkage_slopes(
    ...     pulled, x="unpooled", y="pooled", identity=1, labels=("before", "after"), title="Slopes"
    ... )
    >>> plot.labels.x, plot.labels.y, plot.mapping["group"]
    ('before', 'after', 'gene')
    >>> [type(layer.geom).__name__ for layer in plot.layers]
    ['geom_abline', 'geom_smooth', 'geom_point']
    """
    return (
        p9.ggplot(pulled, p9.aes(x, y, colour="sgRNAs", group="gene"))
        + p9.geom_abline(slope=identity, intercept=0, colour="#999999")
        + p9.geom_smooth(method="lm", se=False, size=0.4)
        + p9.geom_point(size=1.6, stroke=0, alpha=0.8)
        + _colour_by_sgrnas()
        + p9.labs(x=labels[0], y=labels[1], colour="sgRNAs\nof the gene", title=title)
        + theme(4.2)
        + p9.theme(panel_grid_major_x=p9.element_line())
    )


def expected_pull(table: pd.DataFrame, *, title: str) -> p9.ggplot:
    """Draw how far estimates are pulled to the mean, by the number of sgRNAs.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns `screen` (its name), `sgRNAs` and `pull` (per cent of the way to the mean).
    title : str
        Title of the figure.

    Returns
    -------
    plotnine.ggplot

    Examples
    --------
    >>> table = pd.DataFrame({"screen": "noisy", "sgRNAs": [1, 2], "pull": [60.0, 43.0]})
    >>> plot = expected_pull(table, title="Pull")
    >>> plot.labels.y
    'pull towards the mean, %'
    """
    return (
        p9.ggplot(in_order(table, ["screen"]), p9.aes("sgRNAs", "pull", colour="screen"))
        + p9.geom_line(size=0.7)
        + p9.geom_point(size=2.4, stroke=0)
        + p9.scale_x_continuous(breaks=range(1, 11))
        + p9.scale_colour_manual(values=[*MODEL_COLOURS, GREY])
        + p9.expand_limits(y=0)
        + p9.labs(
            x="sgRNAs of the gene", y="pull towards the mean, %", colour="screen", title=title
        )
        + theme(3.2)
    )


def _colour_by_sgrnas() -> p9.scale_color_cmap:
    def whole(limits: tuple[float, float]) -> list[int]:
        return sorted({round(number) for number in np.linspace(*limits, 4).tolist()})

    return p9.scale_colour_gradientn(SGRNA_COLOURS, breaks=whole)

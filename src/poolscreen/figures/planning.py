"""Figures of what a design will be able to say."""

import pandas as pd
import plotnine as p9

from poolscreen.figures.style import MODEL_COLOURS, in_order, theme


def expected(table: pd.DataFrame, *, title: str) -> p9.ggplot:
    """Draw expected errors by the number of measurements of a gene, and what they are spent on.

    Parameters
    ----------
    table : pandas.DataFrame
        See `poolscreen.screens.planning.ways_to_measure_more`.
    title : str
        Title of the figure.

    Returns
    -------
    plotnine.ggplot
        Two panels, of the effect in a line and of that over lines.

    Examples
    --------
    >>> table = pd.DataFrame({"more": "sgRNAs", "measurements": [8, 16], "in a line": 0.2})
    >>> plot = expected(table.assign(**{"over lines": 0.1}), title="Twice as much")
    >>> plot.data["target"].tolist()
    ['in a line', 'in a line', 'over lines', 'over lines']
    """
    targets = ["in a line", "over lines"]
    long = table.melt(["more", "measurements"], targets, var_name="target", value_name="error")
    steps = sorted(long["measurements"].unique())
    return (
        p9.ggplot(
            in_order(long, ["more", "target"]), p9.aes("measurements", "error", colour="more")
        )
        + p9.geom_line(size=0.7)
        + p9.geom_point(size=2.4, stroke=0)
        + p9.facet_wrap("target", labeller=lambda name: f"effect {name}")
        + p9.scale_x_log10(breaks=steps, labels=[str(step) for step in steps])
        + p9.scale_colour_manual(values=MODEL_COLOURS)
        + p9.expand_limits(y=0)
        + p9.labs(x="measurements of a gene", y="expected error", colour="more", title=title)
        + theme(3.2)
    )

"""Figures of a screen: its observations, by label."""

import numpy as np
import pandas as pd
import plotnine as p9

from poolscreen.figures.style import (
    BLUE,
    GREY,
    LOG_FC,
    SEED,
    SGRNA_COLOURS,
    in_order,
    theme,
)
from poolscreen.names import drawn

ROWS = 3000  # of a cell line that a violin is drawn from, at most


def observations(
    data: pd.DataFrame,
    *,
    by: str,
    colour: str,
    value: str = "log_fc",
    effects: pd.DataFrame | None = None,
    title: str,
    value_label: str = LOG_FC,
    part_by: str | None = None,
) -> p9.ggplot:
    """Draw values by label, jittered, with bars for effects.

    The labels of `colour` are coloured by the rank of their mean: twenty hues could not be told
    apart, an order can be seen.

    Parameters
    ----------
    data : pandas.DataFrame
        Columns `by`, `colour` and `value`.
    by, colour : str
        Label on the x axis; label that colours the points.
    value : str
        Column on the y axis.
    effects : pandas.DataFrame, optional
        Columns `by`, `value` and `effect` ("true" or "estimated").
    title, value_label : str
        Title of the figure and of the y axis.
    part_by : str, optional
        Column whose groups are parted by dotted lines, and named on the x axis in place of `by`.

    Returns
    -------
    plotnine.ggplot

    Examples
    --------
    >>> data = pd.DataFrame(
    ...     {"gene": ["MYC", "MYC", "AAVS1"], "sgRNA": ["s1", "s2", "s3"], "log_fc": [-2, -1, 0.1]}
    ... )
    >>> plot = observations(data, by="gene", colour="sgRNA", title="A screen")
    >>> plot.labels.y, plot.data["rank"].tolist()
    ('log fold change', [3.0, 2.0, 1.0])
    >>> effects = pd.DataFrame({"gene": ["MYC"], "value": [-1.5], "effect": "true"})
    >>> both = observations(data, by="gene", colour="sgRNA", effects=effects, title="With effects")
    >>> len(plot.layers), len(both.layers)
    (2, 3)
    """
    ranks = data.groupby(colour, observed=True)[value].mean().rank(ascending=False)
    data = in_order(data, [by])
    data["rank"] = data[colour].map(ranks).astype(float)
    plot = (
        p9.ggplot(data, p9.aes(by, value))
        + p9.geom_hline(yintercept=0, colour="#BBBBBB")
        + p9.geom_point(
            p9.aes(fill="rank"),
            position=p9.position_jitter(width=0.3, height=0, random_state=SEED),
            size=1.7,
            stroke=0,
            alpha=0.75,
        )
        + p9.scale_fill_gradientn(
            SGRNA_COLOURS,
            breaks=[1, len(ranks)] if len(ranks) > 1 else [],
            labels=["highest", "lowest"] if len(ranks) > 1 else [],
            guide=p9.guide_colorbar(reverse=True),
        )
        + p9.labs(x="", y=value_label, fill=f"{colour.replace('_', ' ')}\nby mean", title=title)
        + theme(3.7)
        + p9.theme(axis_text_x=p9.element_text(rotation=90, vjust=1, ha="center"))
    )
    if part_by:
        first = data.drop_duplicates(by).reset_index(drop=True)[part_by].astype(str)
        starts = first.index[first != first.shift()]
        ends = [*starts[1:], len(first)]
        middles = [(start + end) // 2 for start, end in zip(starts, ends, strict=True)]
        labels = list(data[by].cat.categories)
        plot = (
            plot
            + p9.geom_vline(xintercept=list(starts[1:] + 0.5), linetype="dotted", colour=GREY)
            + p9.scale_x_discrete(
                breaks=[labels[middle] for middle in middles],
                labels=list(first[starts]),
            )
        )
    if effects is None:
        return plot
    shown = [e for e in ("true", "estimated") if e in set(effects["effect"])]
    return (
        plot
        + p9.geom_errorbar(
            p9.aes(x=by, ymin="value", ymax="value", colour="effect"),
            data=effects.assign(effect=pd.Categorical(effects["effect"], categories=shown)),
            inherit_aes=False,
            width=0.75,
            size=0.9,
        )
        + p9.scale_colour_manual(values={"true": "black", "estimated": BLUE})
        + p9.labs(colour="effect")
    )


def cell_lines(table: pd.DataFrame) -> p9.ggplot:
    """Draw the distribution of the log fold changes in each cell line.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns `cell_line` and `log_fc`, see `poolscreen.screens.table.Screen`.

    Returns
    -------
    plotnine.ggplot
        A violin per cell line, with its median as a bar.

    Examples
    --------
    >>> table = pd.DataFrame({"cell_line": ["K562", "HL60", "HL60"], "log_fc": [-1.0, 0.5, 0.2]})
    >>> plot = cell_lines(table)
    >>> [type(layer.geom).__name__ for layer in plot.layers]
    ['geom_hline', 'geom_violin', 'geom_errorbar']
    >>> plot.data["cell_line"].cat.categories.tolist()
    ['K562', 'HL60']
    """
    ordered = in_order(table, ["cell_line"])[["cell_line", "log_fc"]]
    # The density at each height is a sum over all rows, so of many every so many are taken, in the
    # order of their values: they have the same distribution.
    number = ordered.sort_values("log_fc").groupby("cell_line", observed=True).cumcount()
    rows = ordered.groupby("cell_line", observed=True)["log_fc"].transform("size")
    few = ordered[number.reindex(ordered.index) % (1 + rows // ROWS) == 0]
    return (
        p9.ggplot(few, p9.aes("cell_line", "log_fc"))
        + p9.geom_hline(yintercept=0, colour="#BBBBBB")
        + p9.geom_violin(fill=BLUE, colour="none", alpha=0.5, width=0.9)
        + p9.stat_summary(
            fun_y=np.median,
            fun_ymin=np.median,
            fun_ymax=np.median,
            geom="errorbar",
            width=0.5,
            size=0.9,
        )
        + p9.scale_x_discrete(labels=lambda names: [drawn(name) for name in names])
        + p9.labs(x="", y=LOG_FC, title="Log fold changes by cell line")
        + theme(3.4)
        + p9.theme(axis_text_x=p9.element_text(rotation=45, ha="right"))
    )

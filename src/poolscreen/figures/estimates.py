"""Figures of estimates: by label, model, and beside the truth."""

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotnine as p9
from matplotlib.figure import Figure

from poolscreen.figures.style import (
    BLUE,
    COMPARED_COLOURS,
    LOG_FC,
    MODEL_COLOURS,
    ORANGE,
    SEED,
    WIDTH,
    in_order,
    theme,
)
from poolscreen.names import drawn


def two_cell_lines(
    effects: pd.DataFrame, x: str, y: str, *, named: Sequence[str], title: str
) -> p9.ggplot:
    """Draw the effects of genes in one cell line against those in another.

    Parameters
    ----------
    effects : pandas.DataFrame
        Columns `gene`, `cell_line`, `mean`, `hdi_3%`, `hdi_97%`.
    x, y : str
        Names of the cell lines.
    named : sequence of str
        Genes whose names and intervals are drawn.
    title : str
        Title of the figure.

    Returns
    -------
    plotnine.ggplot

    Examples
    --------
    >>> effects = pd.DataFrame(
    ...     {"gene": ["MYC", "TP53"] * 2, "cell_line": list("AABB"), "mean": [-2, 0.5, -1, 0]}
    ... ).assign(**{"hdi_3%": -3.0, "hdi_97%": 1.0})
    >>> plot = two_cell_lines(effects, "A", "B", named=["MYC"], title="A and B")
    >>> plot.labels.x, plot.data[["gene", "x_mean", "y_mean"]].to_numpy().tolist()
    ('effect in A', [['MYC', -2.0, -1.0], ['TP53', 0.5, 0.0]])
    >>> type(plot.layers[-1].geom).__name__  # the name of MYC
    'geom_text'
    """
    columns = {"mean": "mean", "hdi_3%": "low", "hdi_97%": "high"}
    by_gene = effects.set_index("gene")
    wide = pd.concat(
        [
            by_gene.loc[by_gene["cell_line"] == line, list(columns)]
            .rename(columns=columns)
            .add_prefix(f"{axis}_")
            for axis, line in (("x", x), ("y", y))
        ],
        axis=1,
    ).reset_index()
    few = wide[wide["gene"].isin(named)]
    return (
        p9.ggplot(wide, p9.aes("x_mean", "y_mean"))
        + p9.geom_abline(slope=1, intercept=0, colour="#999999")
        + p9.geom_linerange(p9.aes(ymin="y_low", ymax="y_high"), few, colour=ORANGE, size=0.5)
        + p9.geom_segment(
            p9.aes(x="x_low", xend="x_high", yend="y_mean"),
            few,
            colour=ORANGE,
            size=0.5,
        )
        + p9.geom_point(size=1.8, stroke=0, colour=BLUE, alpha=0.7)
        + p9.geom_text(p9.aes(label="gene"), few, size=8, ha="left", va="bottom", nudge_x=0.03)
        + p9.coord_fixed()
        + p9.labs(x=f"effect in {x}", y=f"effect in {y}", title=title)
        + theme(5.6)
        + p9.theme(panel_grid_major_x=p9.element_line())
    )


def heat_map(table: pd.DataFrame, *, title: str) -> Figure:
    """Draw posterior means, gene by cell line (seaborn).

    Parameters
    ----------
    table : pandas.DataFrame
        Columns `gene`, `cell_line`, `mean`.
    title : str
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> table = pd.DataFrame(
    ...     {"gene": ["MYC", "TP53"], "cell_line": "HL60", "mean": [-2.0, 0.5]}
    ... )
    >>> axes, bar = heat_map(table, title="Effects").axes
    >>> axes.get_title(), [label.get_text() for label in axes.get_yticklabels()]
    ('Effects', ['MYC', 'TP53'])
    >>> [float(end) for end in bar.get_ylim()]  # as far above zero as below
    [-2.0, 2.0]
    """
    import matplotlib.pyplot as plt
    import seaborn as sns

    grid = in_order(table, ["gene", "cell_line"]).pivot_table(
        index="gene", columns="cell_line", values="mean", observed=True
    )
    grid.index, grid.columns = grid.index.map(drawn), grid.columns.map(drawn)
    limit = float(grid.abs().max().max())
    figure, axes = plt.subplots(
        figsize=(WIDTH, max(3.4, 1 + 0.2 * len(grid))), dpi=200, layout="constrained"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is drawn once here, and once when it is shown
        sns.heatmap(
            grid,
            cmap="vlag",
            vmin=-limit,
            vmax=limit,
            linewidths=0.5,
            cbar_kws={"label": f"posterior mean of the {LOG_FC}"},
            ax=axes,
        )
    axes.set(xlabel="", ylabel="", title=title)
    axes.title.set_fontweight("bold")
    plt.close(figure)
    return figure


def by_model(
    stacked: pd.DataFrame, *, by: str, title: str, value_label: str = "posterior mean"
) -> p9.ggplot:
    """Draw posterior means of several models side by side, by label.

    Parameters
    ----------
    stacked : pandas.DataFrame
        Columns `by`, `mean` and `model`, see `poolscreen.tables.estimates.stack`.
    by : str
        Label on the x axis.
    title, value_label : str
        Title of the figure and of the y axis.

    Returns
    -------
    plotnine.ggplot

    Examples
    --------
    >>> from poolscreen.tables.estimates import stack
    >>> means = pd.DataFrame({"gene": ["MYC", "TP53"], "mean": [-2.0, 0.5]})
    >>> plot = by_model(stack({"7a": means, "7b": means}), by="gene", title="Two models")
    >>> plot.mapping["fill"], plot.data["model"].cat.categories.tolist()
    ('model', ['7a', '7b'])
    """
    dodge = p9.position_jitterdodge(jitter_width=0.15, dodge_width=0.7, random_state=SEED)
    return (
        p9.ggplot(in_order(stacked, [by]), p9.aes(by, "mean", fill="model"))
        + p9.geom_hline(yintercept=0, colour="#BBBBBB")
        + p9.geom_point(position=dodge, size=1.8, stroke=0, alpha=0.7)
        + p9.scale_fill_manual(values=MODEL_COLOURS)
        + p9.guides(fill=p9.guide_legend(override_aes={"size": 3}))
        + p9.labs(x="", y=value_label, fill="", title=title)
        + theme(4)
        + p9.theme(
            legend_position="top",
            axis_text_x=p9.element_text(rotation=90, vjust=1, ha="center"),
        )
    )


def by_model_in_genes(stacked: pd.DataFrame, *, title: str) -> p9.ggplot:
    """Draw posterior means of two models side by side, by sgRNA, one panel per gene.

    Parameters
    ----------
    stacked : pandas.DataFrame
        Columns `gene`, `sgRNA`, `mean` and `model`, see `poolscreen.tables.estimates.stack`.
    title : str
        Title of the figure.

    Returns
    -------
    plotnine.ggplot

    Examples
    --------
    >>> from poolscreen.tables.estimates import stack
    >>> means = pd.DataFrame({"gene": ["b", "a"], "sgRNA": ["s1", "s2"], "mean": [-2.0, 0.5]})
    >>> plot = by_model_in_genes(stack({"7a": means, "7b": means}), title="Two models")
    >>> len(plot.draw().axes)  # a panel per gene
    2
    """
    return (
        by_model(stacked, by="sgRNA", title=title)
        + p9.stat_summary(
            p9.aes(colour="model"),
            fun_y=np.mean,
            fun_ymin=np.mean,
            fun_ymax=np.mean,
            geom="errorbar",
            width=0.6,
            size=0.8,
            position=p9.position_dodge(width=0.7),
            show_legend=False,
        )
        + p9.scale_colour_manual(values=MODEL_COLOURS)
        + p9.facet_wrap("gene", ncol=2, scales="free_x")
        + theme(12)
        + p9.theme(legend_position="top", axis_text_x=p9.element_text(rotation=90, size=8))
    )


def intervals_against_truth(table: pd.DataFrame, *, title: str) -> p9.ggplot:
    """Draw estimates with their intervals against the truth, one panel per kind of effect.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns `effect`, `true`, `mean`, `hdi_3%`, `hdi_97%` (log fold changes).
    title : str
        Title of the figure.

    Returns
    -------
    plotnine.ggplot
        Intervals that miss the truth are orange.

    Examples
    --------
    >>> table = pd.DataFrame({"effect": "genes", "true": [0.0, 1.0], "mean": [0.1, 2.0]})
    >>> table = table.assign(**{"hdi_3%": table["mean"] - 0.5, "hdi_97%": table["mean"] + 0.5})
    >>> intervals_against_truth(table, title="Found").data["interval"].tolist()
    ['holds the truth', 'misses it']
    """
    held = (table["hdi_3%"] <= table["true"]) & (table["true"] <= table["hdi_97%"])
    shown = in_order(
        table.rename(columns={"hdi_3%": "low", "hdi_97%": "high"}).assign(
            interval=np.where(held, "holds the truth", "misses it")
        ),
        ["effect"],
    )
    return (
        p9.ggplot(shown, p9.aes("true", "mean", colour="interval"))
        + p9.geom_abline(slope=1, intercept=0, colour="#999999")
        + p9.geom_linerange(p9.aes(ymin="low", ymax="high"), size=0.5)
        + p9.geom_point(size=1.6, stroke=0)
        + p9.facet_wrap("effect", scales="free")
        + p9.scale_colour_manual(values={"holds the truth": BLUE, "misses it": ORANGE})
        + p9.labs(x="true effect", y="estimate, 94 % interval", colour="", title=title)
        + theme(3.4)
        + p9.theme(panel_grid_major_x=p9.element_line(), legend_position="top")
    )


def intervals_by_model(table: pd.DataFrame, *, title: str) -> p9.ggplot:
    """Draw the effect of each gene by several models, with intervals, and the truth as a bar.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns `gene`, `model`, `true`, `mean`, `low`, `high` (log fold changes).
    title : str
        Title of the figure.

    Returns
    -------
    plotnine.ggplot

    Examples
    --------
    >>> table = pd.DataFrame({"gene": "MYC", "model": ["7", "7a"], "true": 0.0, "mean": 0.1})
    >>> plot = intervals_by_model(table.assign(low=-0.2, high=0.4), title="Two models")
    >>> plot.labels.y
    'effect, 94 % interval'
    """
    dodge = p9.position_dodge(width=0.7)
    table = in_order(table, ["gene", "model"])
    models = list(table["model"].cat.categories)
    return (
        p9.ggplot(table, p9.aes("gene", "mean", colour="model"))
        + p9.geom_errorbar(p9.aes(ymin="true", ymax="true"), colour="black", width=0.8, size=0.6)
        + p9.geom_linerange(p9.aes(ymin="low", ymax="high"), position=dodge, size=0.9)
        + p9.geom_point(position=dodge, size=1.8, stroke=0)
        + p9.scale_colour_manual(values=[COMPARED_COLOURS[m] for m in models])
        + p9.labs(x="", y="effect, 94 % interval", colour="model", title=title)
        + theme(4)
        + p9.theme(legend_position="top")
    )

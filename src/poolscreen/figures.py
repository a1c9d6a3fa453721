"""Figures of the chapters (plotnine and seaborn): functions from tidy tables to plots."""

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import plotnine as p9
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

if TYPE_CHECKING:
    import altair as alt

p9.options.set_option("figure_format", "retina")

# Okabe and Ito's palette, which colour-blind readers tell apart.
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#777777"
MODEL_COLOURS = [ORANGE, BLUE, GREEN]
# One for each model that is compared, pooled ones strong, those without pooling grey.
COMPARED_COLOURS = {
    "7": BLUE,
    "7c": "#56B4E9",
    "7b": "#E69F00",
    "7a": ORANGE,
    "7a, no pooling": GREY,
    "7b, no pooling": "#BBBBBB",
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
        + p9.labs(x="", y=value_label, fill=f"{_words(colour)}\nby mean", title=title)
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


def _words(column: str) -> str:
    return column.replace("_", " ")


def cell_lines(table: pd.DataFrame) -> p9.ggplot:
    """Draw the distribution of the log fold changes in each cell line.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns `cell_line` and `log_fc`, see `poolscreen.screen.Screen`.

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
    return (
        p9.ggplot(in_order(table, ["cell_line"]), p9.aes("cell_line", "log_fc"))
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
        + p9.labs(x="", y=LOG_FC, title="Log fold changes by cell line")
        + theme(3.4)
        + p9.theme(axis_text_x=p9.element_text(rotation=45, ha="right"))
    )


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
    import matplotlib.pyplot as plt  # noqa: PLC0415 (a plotnine figure does without)
    import seaborn as sns  # noqa: PLC0415

    grid = in_order(table, ["gene", "cell_line"]).pivot_table(
        index="gene", columns="cell_line", values="mean", observed=True
    )
    limit = float(grid.abs().max().max())
    figure, axes = plt.subplots(
        figsize=(WIDTH, max(3.4, 1 + 0.2 * len(grid))), dpi=200, layout="constrained"
    )
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
        Columns `by`, `mean` and `model`, see `poolscreen.tables.stack`.
    by : str
        Label on the x axis.
    title, value_label : str
        Title of the figure and of the y axis.

    Returns
    -------
    plotnine.ggplot

    Examples
    --------
    >>> from poolscreen.tables import stack
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
        Columns `gene`, `sgRNA`, `mean` and `model`, see `poolscreen.tables.stack`.
    title : str
        Title of the figure.

    Returns
    -------
    plotnine.ggplot

    Examples
    --------
    >>> from poolscreen.tables import stack
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


def shrinkage(pulled: pd.DataFrame, *, title: str) -> p9.ggplot:
    """Draw pooled against unpooled intercepts, with the pull of each as a stroke.

    Parameters
    ----------
    pulled : pandas.DataFrame
        Columns `unpooled`, `pooled`, `sgRNAs`, see `poolscreen.tables.pull`.
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


def shrinkage_to_explore(pulled: pd.DataFrame) -> "alt.LayerChart":
    """Draw what `shrinkage` draws as a figure that answers to a pointer and to a choice of a gene.

    Parameters
    ----------
    pulled : pandas.DataFrame
        Columns `gene`, `sgRNA`, `cell_line`, `sgRNAs`, `unpooled`, `pooled` and `effect`, see
        `poolscreen.tables.towards_genes`.

    Returns
    -------
    altair.LayerChart
        Hovering names an intercept and its estimates; the chosen gene stands out.

    Examples
    --------
    >>> pulled = pd.DataFrame(
    ...     {"gene": ["g"], "sgRNA": "s", "cell_line": "A", "sgRNAs": 1, "unpooled": -2.0}
    ... ).assign(pooled=-1.5, effect=-1.0)
    >>> chart = shrinkage_to_explore(pulled).to_dict()
    >>> [layer["mark"]["type"] for layer in chart["layer"]]
    ['line', 'rule', 'circle']
    >>> [tip["field"] for tip in chart["layer"][2]["encoding"]["tooltip"]][:3]
    ['sgRNA', 'gene', 'cell_line']
    """
    import altair as alt  # noqa: PLC0415 (only one chapter draws with it)

    estimates = ["unpooled", "pooled", "effect"]
    data = pulled.assign(gene=pulled["gene"].astype(str)).round(dict.fromkeys(estimates, 4))
    genes = list(dict.fromkeys(data["gene"]))
    choice = alt.param(
        name="gene",
        value="",
        bind=alt.binding_select(options=["", *genes], labels=["all genes", *genes], name="Gene "),
    )
    chosen = "gene === '' || datum.gene === gene"
    x = alt.X("unpooled:Q", title="posterior mean, no pooling")
    colour = alt.Color(
        "sgRNAs:Q",
        title=["sgRNAs", "of the gene"],
        scale=alt.Scale(range=SGRNA_COLOURS, interpolate="lab"),
        legend=alt.Legend(values=[1, 4, 7, 10]),
    )
    drawn = alt.Chart(data).encode(x=x, color=colour)
    strokes = drawn.mark_rule(aria=False).encode(
        y=alt.Y("unpooled:Q", title="posterior mean, partial pooling"),
        y2="pooled:Q",
        opacity=alt.condition(chosen, alt.value(0.6), alt.value(0.04)),
    )
    points = drawn.mark_circle(size=36, aria=False).encode(
        y="pooled:Q",
        opacity=alt.condition(chosen, alt.value(0.9), alt.value(0.06)),
        tooltip=[
            "sgRNA:N",
            "gene:N",
            "cell_line:N",
            alt.Tooltip("unpooled:Q", title="no pooling", format=".3f"),
            alt.Tooltip("pooled:Q", title="model 7b", format=".3f"),
            alt.Tooltip("effect:Q", title="its gene, 7b", format=".3f"),
        ],
    )
    ends = [data[estimates[:2]].min().min(), data[estimates[:2]].max().max()]
    identity = (
        alt.Chart(pd.DataFrame({"end": ends}))
        .mark_line(color="#999999", strokeWidth=1, aria=False)
        .encode(x="end:Q", y="end:Q")
    )
    return alt.LayerChart(layer=[identity, strokes, points.add_params(choice)]).properties(
        width="container",
        height=460,
        description="Intercepts of model 7b with partial pooling against no pooling.",
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
        Columns `x`, `y`, `gene` and `sgRNAs`, see `poolscreen.tables.pull`.
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


def _colour_by_sgrnas() -> p9.scale_color_cmap:
    def whole(limits: tuple[float, float]) -> list[int]:
        return sorted({round(number) for number in np.linspace(*limits, 4).tolist()})

    return p9.scale_colour_gradientn(SGRNA_COLOURS, breaks=whole)


def ring(exact: pd.DataFrame, chains: pd.DataFrame, *, title: str) -> Figure:
    """Draw chains of a sampler over the exact posterior of the two scales of model 7b (seaborn).

    Parameters
    ----------
    exact, chains : pandas.DataFrame
        Draws in columns `sigma_alpha`, `sigma`; `chains` also has `chain`.
    title : str
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        Exact draws grey, each chain in a colour; marginal densities at the edges.

    Examples
    --------
    >>> rng = np.random.default_rng(103)
    >>> exact = pd.DataFrame(rng.uniform(0.1, 0.3, (40, 2)), columns=["sigma_alpha", "sigma"])
    >>> figure = ring(exact, exact.assign(chain=np.repeat(range(4), 10)), title="A ring")
    >>> joint = figure.axes[0]
    >>> joint.get_xlabel(), [text.get_text() for text in joint.get_legend().texts]
    ('scale of the sgRNAs', ['exact', 'chain 0', 'chain 1', 'chain 2', 'chain 3'])
    """
    import matplotlib.pyplot as plt  # noqa: PLC0415 (a plotnine figure does without)
    import seaborn as sns  # noqa: PLC0415

    axes = {"x": "sigma_alpha", "y": "sigma"}
    colours = {"hue": "chain", "palette": CHAIN_COLOURS, "legend": False}
    grid = sns.JointGrid(data=exact, **axes, height=6, ratio=5, space=0.15)
    grid.figure.set_dpi(200)
    grid.plot_joint(sns.scatterplot, color="#BBBBBB", s=6, linewidth=0)
    shuffled = chains.sample(frac=1, random_state=SEED)  # no chain lies on top
    sns.scatterplot(shuffled, **axes, **colours, s=7, linewidth=0, ax=grid.ax_joint)
    for side, margin in (("x", grid.ax_marg_x), ("y", grid.ax_marg_y)):
        bins = {"bins": 40, "binrange": (0, 0.4), "stat": "density"}
        sns.histplot(exact, **{side: axes[side]}, **bins, color="#BBBBBB", ax=margin)
        steps = {"element": "step", "fill": False, "common_norm": False}
        sns.histplot(chains, **{side: axes[side]}, **bins, **steps, **colours, ax=margin)
        margin.set_yscale("linear")
    grid.ax_joint.set(
        xlim=(-0.01, 0.4),
        ylim=(-0.01, 0.4),
        xlabel="scale of the sgRNAs",
        ylabel="scale of the noise",
    )
    handles = [
        Line2D([], [], color=colour, marker="o", linestyle="", label=label)
        for label, colour in [
            ("exact", "#BBBBBB"),
            *((f"chain {i}", c) for i, c in enumerate(CHAIN_COLOURS)),
        ]
    ]
    grid.ax_joint.legend(handles=handles, loc="lower left", frameon=False)
    grid.figure.suptitle(title, fontweight="bold", fontsize=12, y=1.01)
    figure: Figure = grid.figure
    plt.close(figure)
    return figure


def chains(attempt: xr.DataTree, names: Sequence[str], kind: str, *, title: str) -> Figure:
    """Draw the chains of some parameters as traces or as ranks (ArviZ).

    Parameters
    ----------
    attempt : xarray.DataTree
        With a group `posterior`, dimensions `chain` (with coordinates) and `draw`.
    names : sequence of str
        Parameters, one panel each.
    kind : {"trace", "rank"}
        Draws in their order; or the difference of the distribution of each chain's ranks among all
        draws from an even one, with the band in which it stays if the chains agree.
    title : str
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> draws = np.random.default_rng(103).normal(size=(4, 50))
    >>> posterior = xr.Dataset({"mu": (("chain", "draw"), draws)}, coords={"chain": range(4)})
    >>> attempt = xr.DataTree.from_dict({"posterior": posterior})
    >>> figure = chains(attempt, ["mu"], "trace", title="Four chains")
    >>> figure.axes[0].get_title(), figure.axes[0].get_xlabel(), len(figure.axes[0].lines)
    ('mu', 'draw', 4)
    """
    import arviz as az  # noqa: PLC0415 (it takes seconds)
    import matplotlib.pyplot as plt  # noqa: PLC0415

    options = {
        "var_names": list(names),
        "color": CHAIN_COLOURS,
        "backend": "matplotlib",
        "figure_kwargs": {"figsize": (WIDTH, 2.9), "dpi": 200, "layout": "constrained"},
    }
    if kind == "trace":
        lines = {"trace": {"width": 0.6}, "divergence": False}
        drawn = az.plot_trace(attempt, **options, visuals=lines)
    else:
        with warnings.catch_warnings():
            # Announced to go, and the only method that draws the band.
            warnings.simplefilter("ignore", FutureWarning)
            drawn = az.plot_rank(
                attempt,
                **options,
                method="envelope",
                envelope_prob=0.99,
                thin=False,
                stats={"ecdf_pit": {"rng": np.random.default_rng(SEED)}},
            )
    figure: Figure = drawn.viz["figure"].item()
    for axes, name in zip(figure.axes, names, strict=False):
        axes.set_title(name, fontsize=10)
        axes.set_xlabel("draw" if kind == "trace" else "rank, from 0 to 1")
    figure.suptitle(title, fontweight="bold", fontsize=12)
    plt.close(figure)
    return figure


def rank_differences(curves: pd.DataFrame, *, title: str, columns: int = 3) -> p9.ggplot:
    """Draw how far ranks are from uniform, with simultaneous bands.

    Parameters
    ----------
    curves : pandas.DataFrame
        See `poolscreen.tables.rank_differences`.
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
    >>> plot = rank_differences(curves, title="Ranks", columns=2)
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


def growth(scaling: pd.DataFrame) -> p9.ggplot:
    """Draw seconds and memory of fits by the size of the screen.

    Parameters
    ----------
    scaling : pandas.DataFrame
        Columns `model`, `design`, `rows`, `seconds`, `mib_peak`.

    Returns
    -------
    plotnine.ggplot
        Two panels with logarithmic axes.

    Examples
    --------
    >>> scaling = pd.DataFrame(
    ...     {"model": "m7a", "design": "balanced", "rows": [1e3, 1e5], "seconds": [7.0, 8.0]}
    ... ).assign(mib_peak=[500.0, 700.0])
    >>> plot = growth(scaling)
    >>> plot.data["panel"].cat.categories.tolist(), plot.labels.x
    (['seconds in all', 'peak memory, MiB'], 'rows of the screen')
    """
    panels = {"seconds": "seconds in all", "mib_peak": "peak memory, MiB"}
    long = scaling.rename(columns=panels).melt(
        ["model", "design", "rows"], list(panels.values()), var_name="panel"
    )
    sizes = [10**power for power in range(3, 8)]
    return (
        p9.ggplot(
            in_order(long, ["panel"]),
            p9.aes("rows", "value", colour="model", linetype="design"),
        )
        + p9.geom_line()
        + p9.geom_point(size=2)
        + p9.facet_wrap("panel", scales="free_y")
        + p9.scale_x_log10(breaks=sizes, labels=[f"{size:,}" for size in sizes])
        + p9.scale_y_log10()
        + p9.scale_colour_manual(values=MODEL_COLOURS)
        + p9.labs(x="rows of the screen", y="", title="An exact fit, by size of screen")
        + theme(3.2)
        + p9.theme(axis_text_x=p9.element_text(rotation=30, ha="right"))
    )


def shares_by_measurements(table: pd.DataFrame, truth: float, *, title: str) -> p9.ggplot:
    """Draw the share of the sgRNAs in the variance about a gene by number of measurements.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns `measurements`, `share`, `3%`, `97%`.
    truth : float
        The share that was simulated, drawn as a line.
    title : str
        Title of the figure.

    Returns
    -------
    plotnine.ggplot

    Examples
    --------
    >>> table = pd.DataFrame({"measurements": [1, 2], "share": [0.5, 0.4], "3%": 0.1, "97%": 0.8})
    >>> plot = shares_by_measurements(table, truth=0.31, title="Shares")
    >>> [type(layer.geom).__name__ for layer in plot.layers], plot.scales[0].limits
    (['geom_hline', 'geom_pointrange'], (0, 1))
    """
    return (
        p9.ggplot(
            table.rename(columns={"3%": "low", "97%": "high"}),
            p9.aes("factor(measurements)", "share"),
        )
        + p9.geom_hline(yintercept=truth, linetype="dashed", colour="black")
        + p9.geom_pointrange(p9.aes(ymin="low", ymax="high"), colour=BLUE, size=0.7)
        + p9.scale_y_continuous(limits=(0, 1))
        + p9.labs(
            x="measurements of each sgRNA in each cell line",
            y="share of the sgRNAs",
            title=title,
        )
        + theme(3.2)
    )


def shares(prior: pd.Series, posterior: pd.Series, *, title: str) -> p9.ggplot:
    """Draw prior and posterior of a share between 0 and 1 as histograms.

    Parameters
    ----------
    prior, posterior : pandas.Series
        Draws.
    title : str
        Title of the figure.

    Returns
    -------
    plotnine.ggplot

    Examples
    --------
    >>> prior, posterior = pd.Series([0.1, 0.5, 0.9]), pd.Series([0.3, 0.4])
    >>> plot = shares(prior, posterior, title="Share")
    >>> plot.data["distribution"].value_counts(sort=False).to_dict()
    {'prior': 3, 'posterior': 2}
    """
    draws = pd.concat(
        [
            pd.DataFrame({"share": prior, "distribution": "prior"}),
            pd.DataFrame({"share": posterior, "distribution": "posterior"}),
        ]
    )
    draws["distribution"] = pd.Categorical(draws["distribution"], ["prior", "posterior"])
    return (
        p9.ggplot(draws, p9.aes("share", p9.after_stat("density"), fill="distribution"))
        + p9.geom_histogram(breaks=[i / 20 for i in range(21)], colour="white")
        + p9.facet_wrap("distribution")
        + p9.scale_fill_manual(values={"prior": GREY, "posterior": BLUE}, guide=None)
        + p9.labs(
            x="share of the sgRNAs in the variance about a gene",
            y="density",
            title=title,
        )
        + theme(3)
    )


def predictive(fit: xr.DataTree, group: str, *, title: str, draws: int = 60) -> Figure:
    """Draw distributions that a fit predicts, each of a whole screen (ArviZ).

    Parameters
    ----------
    fit : xarray.DataTree
        A fit.
    group : {"prior_predictive", "posterior_predictive"}
        What predicts; beside the posterior's predictions stands what was observed, in black.
    title : str
        Title of the figure.
    draws : int
        How many predicted screens are drawn.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> rng = np.random.default_rng(103)
    >>> group = xr.Dataset({"log_fc": (("chain", "draw", "obs"), rng.normal(size=(2, 20, 30)))})
    >>> fit = xr.DataTree.from_dict({"prior_predictive": group})
    >>> axes = predictive(fit, "prior_predictive", title="Of the prior", draws=5).axes[0]
    >>> axes.get_title(), axes.get_xlabel(), axes.get_ylabel(), len(axes.lines)
    ('Of the prior', 'log fold change', 'cumulative share', 5)
    """
    import arviz as az  # noqa: PLC0415 (it takes seconds)
    import matplotlib.pyplot as plt  # noqa: PLC0415

    drawn = az.plot_ppc_dist(
        fit,
        group=group,
        # Screens of the prior differ too much in width for densities to be drawn on one scale.
        kind="ecdf" if group == "prior_predictive" else "kde",
        num_samples=draws,
        backend="matplotlib",
        figure_kwargs={"figsize": (WIDTH, 3.2), "dpi": 200},
        visuals={"predictive_dist": {"color": BLUE, "alpha": 0.3}},
    )
    figure: Figure = drawn.viz["figure"].item()
    axes = figure.axes[0]
    axes.set_title(title, fontweight="bold")
    axes.set_xlabel(LOG_FC)
    if group == "prior_predictive":
        axes.set_ylabel("cumulative share")
        axes.yaxis.set_visible(True)
        axes.set_yticks([0, 0.5, 1])
    plt.close(figure)
    return figure


def two_means(prior: pd.DataFrame, posterior: pd.DataFrame, *, title: str) -> p9.ggplot:
    """Draw what prior and posterior say of two means of which only the sum is identified.

    Parameters
    ----------
    prior, posterior : pandas.DataFrame
        Draws; columns `mu_gamma` and `mu_beta`.
    title : str
        Title of the figure.

    Returns
    -------
    plotnine.ggplot

    Examples
    --------
    >>> draws = pd.DataFrame({"mu_gamma": [1.0, -2.0], "mu_beta": [-2.0, 1.0]})
    >>> plot = two_means(draws, draws, title="Two means")
    >>> plot.data["draws of the"].unique().tolist()
    ['prior', 'posterior']
    """
    both = pd.concat(
        [prior.assign(of="prior"), posterior.assign(of="posterior")], ignore_index=True
    ).rename(columns={"of": "draws of the"})
    return (
        p9.ggplot(both, p9.aes("mu_gamma", "mu_beta", colour="draws of the"))
        + p9.geom_point(size=1.2, stroke=0, alpha=0.6)
        + p9.scale_colour_manual(values={"prior": "#999999", "posterior": BLUE})
        + p9.guides(colour=p9.guide_legend(override_aes={"size": 3, "alpha": 1}))
        + p9.coord_fixed()
        + p9.labs(x="mean of the genes", y="mean of the cell lines", title=title)
        + theme(4.6)
        + p9.theme(panel_grid_major_x=p9.element_line(), legend_position="right")
    )


def recovery(table: pd.DataFrame, *, title: str) -> p9.ggplot:
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
    >>> recovery(table, title="Found").data["interval"].tolist()
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


def statistic(predicted: pd.DataFrame, observed: float, *, title: str, label: str) -> p9.ggplot:
    """Draw what models predict of a statistic, one panel per model, and what was observed.

    Parameters
    ----------
    predicted : pandas.DataFrame
        Columns `model` and `value`, a row per prediction.
    observed : float
        The statistic of the observed screen.
    title, label : str
        Title of the figure and of the x axis.

    Returns
    -------
    plotnine.ggplot

    Examples
    --------
    >>> predicted = pd.DataFrame({"model": ["7", "7", "7a"], "value": [0.2, 0.21, 0.1]})
    >>> plot = statistic(predicted, 0.2, title="Scatter", label="sd")
    >>> [type(layer.geom).__name__ for layer in plot.layers]
    ['geom_histogram', 'geom_vline']
    """
    return (
        p9.ggplot(in_order(predicted, ["model"]), p9.aes("value"))
        + p9.geom_histogram(fill=BLUE, bins=40)
        + p9.geom_vline(xintercept=observed, colour="black", size=0.9)
        + p9.facet_wrap("model", ncol=1, labeller=lambda name: f"model {name}")
        + p9.labs(x=label, y="predictions", title=title)
        + theme(5)
    )


def by_number_of_sgrnas(
    table: pd.DataFrame, *, title: str, lines: Mapping[str, float] | None = None
) -> p9.ggplot:
    """Draw measures of models by the number of sgRNAs of a gene, one panel per measure.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns `measure`, `model`, `sgRNAs`, `value`, `low`, `high`.
    title : str
        Title of the figure.
    lines : mapping of str to float, optional
        Where a measure should be.

    Returns
    -------
    plotnine.ggplot

    Examples
    --------
    >>> table = pd.DataFrame({"measure": "error", "model": "7", "sgRNAs": [1, 2], "value": 0.1})
    >>> plot = by_number_of_sgrnas(
    ...     table.assign(low=0.0, high=0.2), title="By number", lines={"error": 0.0}
    ... )
    >>> len(plot.layers)
    4
    """
    table = in_order(table, ["measure", "model"])
    models = list(table["model"].cat.categories)
    dodge = p9.position_dodge(width=0.5)  # some models nearly coincide
    plot = (
        p9.ggplot(table, p9.aes("sgRNAs", "value", colour="model"))
        + p9.geom_linerange(p9.aes(ymin="low", ymax="high"), size=0.5, position=dodge)
        + p9.geom_line(size=0.5, position=dodge)
        + p9.geom_point(size=1.8, stroke=0, position=dodge)
        + p9.facet_wrap("measure", scales="free_y", ncol=1)
        + p9.scale_colour_manual(values=[COMPARED_COLOURS[m] for m in models])
        + p9.scale_x_continuous(breaks=sorted(table["sgRNAs"].unique()))
        + p9.labs(x="sgRNAs of the gene", y="", colour="model", title=title)
        + theme(5.4)
        + p9.theme(legend_position="right")
    )
    if lines is None:
        return plot
    at = pd.DataFrame({"measure": lines.keys(), "at": lines.values()})
    at["measure"] = pd.Categorical(at["measure"], table["measure"].cat.categories)
    return plot + p9.geom_hline(p9.aes(yintercept="at"), at, linetype="dotted")


def predictive_losses(table: pd.DataFrame, *, title: str) -> p9.ggplot:
    """Draw by how much each model predicts worse than the best, one panel per what is left out.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns `left out`, `model`, `loss` and `se` (log density per observation).
    title : str
        Title of the figure.

    Returns
    -------
    plotnine.ggplot
        Points with two standard errors to either side.

    Examples
    --------
    >>> table = pd.DataFrame({"left out": "an sgRNA", "model": ["7", "7a"], "loss": [0.0, 0.2]})
    >>> plot = predictive_losses(table.assign(se=[0.0, 0.03]), title="Losses")
    >>> plot.data["high"].round(2).tolist(), len(plot.draw().axes)
    ([0.0, 0.26], 1)
    """
    table = in_order(table.rename(columns={"left out": "part"}), ["part"]).assign(
        model=pd.Categorical(table["model"], list(COMPARED_COLOURS)[::-1]),
        low=table["loss"] - 2 * table["se"],
        high=table["loss"] + 2 * table["se"],
    )
    return (
        p9.ggplot(table, p9.aes("model", "loss", colour="model"))
        + p9.geom_hline(yintercept=0, colour="#BBBBBB")
        + p9.geom_linerange(p9.aes(ymin="low", ymax="high"), size=0.9)
        + p9.geom_point(size=2.4, stroke=0)
        + p9.facet_wrap("part", ncol=1)
        + p9.scale_colour_manual(values=COMPARED_COLOURS, guide=None)
        + p9.coord_flip()
        + p9.labs(x="", y="loss against the best model, per observation", title=title)
        + theme(6)
        + p9.theme(panel_grid_major_x=p9.element_line())
    )

"""Figures of predictions, of whole screens and of what was left out."""

from collections.abc import Mapping

import pandas as pd
import plotnine as p9
import xarray as xr
from matplotlib.figure import Figure

from poolscreen.figures.style import BLUE, COMPARED_COLOURS, LOG_FC, WIDTH, in_order, theme


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
    import arviz as az
    import matplotlib.pyplot as plt

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
        + theme(7.5)
        + p9.theme(panel_grid_major_x=p9.element_line())
    )

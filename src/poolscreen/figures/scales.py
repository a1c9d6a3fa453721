"""Figures of scales and means."""

import numpy as np
import pandas as pd
import plotnine as p9
import xarray as xr

from poolscreen.figures.style import BLUE, GREY, in_order, theme


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


def straightened(scales: xr.Dataset, *, title: str) -> p9.ggplot:
    """Draw the two scales of model 7b as they are, and in polar coordinates.

    Parameters
    ----------
    scales : xarray.Dataset
        Draws of `sigma_alpha` and `sigma`.
    title : str
        Title of the figure.

    Returns
    -------
    plotnine.ggplot
        Two panels.

    Examples
    --------
    >>> draws = (("chain", "draw"), np.full((1, 2), 0.3))
    >>> plot = straightened(xr.Dataset({"sigma_alpha": draws, "sigma": draws}), title="A ring")
    >>> plot.data.groupby("panel", observed=True)[["x", "y"]].first().round(2).to_numpy().tolist()
    [[0.3, 0.3], [45.0, 0.42]]
    """
    alpha, noise = (np.ravel(scales[name]) for name in ("sigma_alpha", "sigma"))
    panels = {
        "sgRNAs (across), noise (up)": (alpha, noise),
        "angle in degrees (across), radius (up)": (
            np.degrees(np.arctan2(alpha, noise)),
            np.hypot(alpha, noise),
        ),
    }
    points = pd.concat(
        pd.DataFrame({"x": x, "y": y, "panel": name}) for name, (x, y) in panels.items()
    )
    return (
        p9.ggplot(in_order(points, ["panel"]), p9.aes("x", "y"))
        + p9.geom_point(colour=BLUE, size=0.5, stroke=0, alpha=0.3)
        + p9.facet_wrap("panel", scales="free_x")
        + p9.scale_y_continuous(limits=(0, 0.45))
        + p9.labs(x="", y="", title=title)
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


def prior_and_posterior_means(
    prior: pd.DataFrame, posterior: pd.DataFrame, *, title: str
) -> p9.ggplot:
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
    >>> plot = prior_and_posterior_means(draws, draws, title="Two means")
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

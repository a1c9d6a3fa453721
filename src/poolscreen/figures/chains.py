"""Figures of chains."""

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from poolscreen.figures.style import CHAIN_COLOURS, SEED, WIDTH

RANKED_EVERY = 4  # the work for the band grows with the square of the number of draws


def ring(exact: pd.DataFrame, sampled: pd.DataFrame, *, title: str) -> Figure:
    """Draw chains of a sampler over the exact posterior of the two scales of model 7b (seaborn).

    Parameters
    ----------
    exact, sampled : pandas.DataFrame
        Draws in columns `sigma_alpha`, `sigma`; `sampled` also has `chain`.
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
    import matplotlib.pyplot as plt
    import seaborn as sns

    axes = {"x": "sigma_alpha", "y": "sigma"}
    colours = {"hue": "chain", "palette": CHAIN_COLOURS, "legend": False}
    grid = sns.JointGrid(data=exact, **axes, height=6, ratio=5, space=0.15)
    grid.figure.set_dpi(200)
    grid.plot_joint(sns.scatterplot, color="#BBBBBB", s=6, linewidth=0)
    shuffled = sampled.sample(frac=1, random_state=SEED)  # no chain lies on top
    sns.scatterplot(shuffled, **axes, **colours, s=7, linewidth=0, ax=grid.ax_joint)
    for side, margin in (("x", grid.ax_marg_x), ("y", grid.ax_marg_y)):
        bins = {"bins": 40, "binrange": (0, 0.4), "stat": "density"}
        sns.histplot(exact, **{side: axes[side]}, **bins, color="#BBBBBB", ax=margin)
        steps = {"element": "step", "fill": False, "common_norm": False}
        sns.histplot(sampled, **{side: axes[side]}, **bins, **steps, **colours, ax=margin)
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
        Draws in their order; or, of every fourth draw, the difference of the distribution of each
        chain's ranks among all from an even one, with the band in which it stays if the chains
        agree.
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
    import arviz as az
    import matplotlib.pyplot as plt

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
            every = slice(None, None, RANKED_EVERY)
            drawn = az.plot_rank(
                xr.DataTree.from_dict({"posterior": attempt["posterior"].isel(draw=every)}),
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

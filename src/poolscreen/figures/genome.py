"""Figures of a genome-wide screen."""

from collections.abc import Mapping

import pandas as pd
import plotnine as p9

from poolscreen.arrays import FloatArray
from poolscreen.figures.style import BLUE, GREEN, GREY, LOG_FC, ORANGE, in_order, theme

LINES = [ORANGE, BLUE]


def observed_and_expected(
    observed: pd.DataFrame,
    curves: Mapping[str, FloatArray],
    *,
    label: str,
    title: str,
    log_x: bool = False,
) -> p9.ggplot:
    """Draw an observed standard deviation, and what models expect of it.

    Parameters
    ----------
    observed : pandas.DataFrame
        Two columns: what the standard deviation depends on, and `sd`.
    curves : mapping of str to numpy.ndarray
        The expected standard deviation at each row, by model.
    label, title : str
        Of the horizontal axis, and of the figure.
    log_x : bool
        Whether this axis is logarithmic.

    Returns
    -------
    plotnine.ggplot

    Examples
    --------
    >>> observed = pd.DataFrame({"reads": [10.0, 100.0], "sd": [1.5, 0.5]})
    >>> curves = {"7b": np.array([0.8, 0.8]), "9": np.array([1.4, 0.5])}
    >>> plot = observed_and_expected(observed, curves, label="reads", title="Noise", log_x=True)
    >>> plot.labels.x, plot.labels.y
    ('reads', 'standard deviation')
    """
    x = observed.columns[0]
    lines = pd.concat(
        [pd.DataFrame({x: observed[x], "sd": sd, "model": name}) for name, sd in curves.items()]
    )
    plot = (
        p9.ggplot(observed, p9.aes(x, "sd"))
        + p9.geom_line(p9.aes(colour="model"), in_order(lines, ["model"]), size=1)
        + p9.geom_point(size=2)
        + p9.scale_colour_manual(values=LINES)
        + p9.expand_limits(y=0)
        + p9.labs(x=label, y="standard deviation", title=title)
        + theme(3.0)
    )
    return plot + p9.scale_x_log10() if log_x else plot


def parts_of_genes(
    means: FloatArray, effect: FloatArray, parts: Mapping[str, FloatArray], *, title: str
) -> p9.ggplot:
    """Draw the means of all genes, and the parts of the distribution of their effects.

    Parameters
    ----------
    means : numpy.ndarray, shape (genes,)
        What was measured.
    effect : numpy.ndarray, shape (points,)
        A grid of effects.
    parts : mapping of str to numpy.ndarray, shapes (points,)
        Probabilities on the grid, by part.
    title : str
        Of the figure.

    Returns
    -------
    plotnine.ggplot
        The vertical axis is a square root, or the few genes with an effect would not be seen.

    Examples
    --------
    >>> effect = np.array([-1.0, 0.0, 1.0])
    >>> parts = {"without effect": np.array([0.1, 0.8, 0.1])}
    >>> parts_of_genes(np.array([0.1, -0.1]), effect, parts, title="Genes").labels.x
    'log fold change'
    """
    step = effect[1] - effect[0]
    lines = pd.concat(
        [
            pd.DataFrame({"effect": effect, "density": share / step, "part": name})
            for name, share in parts.items()
        ]
    )
    return (
        p9.ggplot(pd.DataFrame({"effect": means}), p9.aes("effect"))
        + p9.geom_histogram(
            p9.aes(y=p9.after_stat("density")), binwidth=2 * step, fill=GREY, alpha=0.5
        )
        + p9.geom_line(
            p9.aes("effect", "density", colour="part"), in_order(lines, ["part"]), size=1
        )
        + p9.scale_colour_manual(values=[BLUE, ORANGE, GREEN])
        + p9.scale_y_sqrt()
        + p9.coord_cartesian(xlim=(float(means.min()) - 0.2, float(means.max()) + 0.2))
        + p9.labs(x=LOG_FC, y="density", title=title)
        + theme(3.2)
    )

"""Figures of time and memory, by size of screen."""

import pandas as pd
import plotnine as p9

from poolscreen.figures.style import MODEL_COLOURS, PURPLE, in_order, theme


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
        + p9.scale_colour_manual(values=[*MODEL_COLOURS, PURPLE])
        + p9.labs(x="rows of the screen", y="", title="An exact fit, by size of screen")
        + theme(3.2)
        + p9.theme(axis_text_x=p9.element_text(rotation=30, ha="right"))
    )

"""Figures that answer to their reader, beside the static ones that stand in without scripts."""

from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    import altair as alt


def shrinkage_to_explore(pulled: pd.DataFrame) -> "alt.LayerChart":
    """Draw what `shrinkage` draws as a figure that answers to a pointer and to a choice of a gene.

    Parameters
    ----------
    pulled : pandas.DataFrame
        Columns `gene`, `sgRNA`, `cell_line`, `sgRNAs`, `unpooled`, `pooled` and `effect`, see
        `poolscreen.tables.shrinkage.towards_genes`.

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
    import altair as alt

    decimals = dict.fromkeys(["unpooled", "pooled", "effect"], 4)
    data = pulled.assign(gene=pulled["gene"].astype(str)).round(decimals)
    genes = list(dict.fromkeys(data["gene"]))
    choice = alt.param(
        name="gene",
        value="",
        bind=alt.binding_select(options=["", *genes], labels=["all genes", *genes], name="Gene "),
    )
    strokes, points = _strokes_and_points(data)
    return alt.LayerChart(layer=[_identity(data), strokes, points.add_params(choice)]).properties(
        width="container",
        height=460,
        description="Intercepts of model 7b with partial pooling against no pooling.",
    )


def _strokes_and_points(data: pd.DataFrame) -> "tuple[alt.Chart, alt.Chart]":
    """Draw each intercept as a point, and a stroke to it from where it would be unpooled."""
    import altair as alt

    from poolscreen.figures.style import SGRNA_COLOURS

    chosen = "gene === '' || datum.gene === gene"
    drawn = alt.Chart(data).encode(
        x=alt.X("unpooled:Q", title="posterior mean, no pooling"),
        color=alt.Color(
            "sgRNAs:Q",
            title=["sgRNAs", "of the gene"],
            scale=alt.Scale(range=SGRNA_COLOURS, interpolate="lab"),
            legend=alt.Legend(values=[1, 4, 7, 10]),
        ),
    )
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
    return strokes, points


def _identity(data: pd.DataFrame) -> "alt.Chart":
    """Draw the line on which both means are the same."""
    import altair as alt

    means = data[["unpooled", "pooled"]]
    ends = pd.DataFrame({"end": [means.min().min(), means.max().max()]})
    line = alt.Chart(ends).mark_line(color="#999999", strokeWidth=1, aria=False)
    drawn: alt.Chart = line.encode(x="end:Q", y="end:Q")
    return drawn


class Interactive:
    """A figure that answers to its reader, beside the static one that stands in without scripts.

    Parameters
    ----------
    chart : altair.LayerChart
        The figure that answers.
    figure : str
        Name of the static figure.

    Examples
    --------
    >>> import altair as alt
    >>> chart = alt.LayerChart(layer=[alt.Chart(pd.DataFrame({"x": [1]})).mark_point()])
    >>> data, metadata = Interactive(chart, "fig-shrinkage")._repr_mimebundle_()
    >>> list(data), metadata[Interactive.mime]
    (['application/vnd.vegalite.v6+json'], {'figure': 'fig-shrinkage'})
    """

    mime = "application/vnd.vegalite.v6+json"

    def __init__(self, chart: "alt.LayerChart", figure: str) -> None:
        self.chart, self.figure = chart, figure

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, Any], dict[str, Any]]:
        return {self.mime: self.chart.to_dict()}, {self.mime: {"figure": self.figure}}


def interactive(chart: "alt.LayerChart", *, figure: str) -> Interactive:
    """Show a chart in the place of a static figure, where a page's reader has scripts.

    Parameters
    ----------
    chart : altair.LayerChart
        The chart.
    figure : str
        Name of the static figure, for example `fig-shrinkage`. It keeps its number, its caption
        and its text, and is what print and readers without scripts see.

    Returns
    -------
    Interactive

    Examples
    --------
    >>> import altair as alt
    >>> chart = alt.LayerChart(layer=[alt.Chart(pd.DataFrame({"x": [1]})).mark_point()])
    >>> interactive(chart, figure="fig-shrinkage").figure
    'fig-shrinkage'
    """
    return Interactive(chart, figure)

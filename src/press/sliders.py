"""Figures to turn: what a formula says, drawn anew as its numbers are moved."""

from typing import TYPE_CHECKING

import pandas as pd

from poolscreen.figures.style import GREY, MODEL_COLOURS, PURPLE
from poolscreen.screens.simulate import Design

if TYPE_CHECKING:
    import altair as alt

MOST_SGRNAS = 10
# The factor of `poolscreen.tables.shrinkage.shrinkage_factor`, in per cent and in Vega's language.
UNIT = "(scatter * scatter + noise * noise / replicates) / datum.sgRNAs"
PULL_FORMULA = f"100 * {UNIT} / ({UNIT} + spread * spread)"


def pull_to_turn(
    pulls: pd.DataFrame, *, noise: float, scatter: float, spread: float
) -> "alt.LayerChart":
    """Draw how far an estimate is pulled to the mean, by the number of sgRNAs, with sliders.

    Parameters
    ----------
    pulls : pandas.DataFrame
        See `poolscreen.figures.shrinkage.expected_pull`: screens that stay where they are.
    noise, scatter, spread : float
        Where the sliders begin: standard deviations of the noise, of sgRNAs about their gene, and
        of gene effects.

    Returns
    -------
    altair.LayerChart
        With a thick line that follows the sliders.

    Examples
    --------
    >>> pulls = pd.DataFrame({"screen": "noisy", "sgRNAs": [1, 2], "pull": [60.0, 43.0]})
    >>> chart = pull_to_turn(pulls, noise=0.3, scatter=0.2, spread=1.1).to_dict()
    >>> [param["name"] for param in chart["params"]]
    ['noise', 'scatter', 'spread', 'replicates']
    >>> [layer["mark"]["type"] for layer in chart["layer"]]
    ['line', 'line', 'circle']
    """
    import altair as alt

    sliders = [
        _slider("noise", noise, (0.05, 2.0, 0.05), "sd of the noise "),
        _slider("scatter", scatter, (0.0, 1.0, 0.05), "sd of sgRNAs about their gene "),
        _slider("spread", spread, (0.05, 2.0, 0.05), "sd of gene effects "),
        _slider("replicates", 1, (1, 8, 1), "replicates "),
    ]
    screens = list(dict.fromkeys(pulls["screen"]))
    scale = alt.Scale(domain=screens, range=[*MODEL_COLOURS, GREY][: len(screens)])
    still = _pull_line(alt.Chart(pulls)).encode(
        color=alt.Color(
            "screen:N",
            title=None,
            scale=scale,
            legend=alt.Legend(orient="top", columns=1, labelLimit=300),
        )
    )
    numbers = pd.DataFrame({"sgRNAs": range(1, MOST_SGRNAS + 1)})
    moved = _pull_line(alt.Chart(numbers).transform_calculate(pull=PULL_FORMULA))
    layers = [
        still.mark_line(strokeWidth=1.5, aria=False),
        moved.mark_line(color=PURPLE, strokeWidth=3, aria=False),
        moved.mark_circle(color=PURPLE, size=70, opacity=1, aria=False),
    ]
    return _sized(
        alt.LayerChart(layer=layers).add_params(*sliders),
        "How far an estimate is pulled to the mean, by the number of sgRNAs.",
    )


def _pull_line(chart: "alt.Chart") -> "alt.Chart":
    import altair as alt

    drawn: alt.Chart = chart.encode(
        x=alt.X("sgRNAs:Q", title="sgRNAs of the gene", axis=alt.Axis(tickCount=MOST_SGRNAS)),
        y=alt.Y("pull:Q", title="pull towards the mean, %", scale=alt.Scale(domain=[0, 100])),
        tooltip=["sgRNAs:Q", alt.Tooltip("pull:Q", title="pull, %", format=".1f")],
    )
    return drawn


def errors_to_turn(plans: pd.DataFrame, design: Design) -> "alt.LayerChart":
    """Draw expected errors by the number of measurements of a gene, with sliders.

    Parameters
    ----------
    plans : pandas.DataFrame
        See `poolscreen.screens.planning.ways_to_measure_more`.
    design : Design
        Where the sliders begin.

    Returns
    -------
    altair.LayerChart
        The formula is that of `poolscreen.screens.planning.expected_errors`.

    Examples
    --------
    >>> from poolscreen.screens.planning import ways_to_measure_more
    >>> start = Design(n_cell_lines=2, sgrnas_per_gene=(4,))
    >>> chart = errors_to_turn(ways_to_measure_more(start), start).to_dict()
    >>> [param["name"] for param in chart["params"]]
    ['noise', 'scatter', 'interaction', 'spread', 'effect']
    """
    import altair as alt

    effect = alt.param(
        name="effect",
        value="in a line",
        bind=alt.binding_radio(options=["in a line", "over lines"], name="effect "),
    )
    sliders = [
        _slider("noise", design.sigma, (0.1, 2.0, 0.05), "sd of the noise "),
        _slider("scatter", design.sigma_alpha, (0.0, 1.0, 0.05), "sd of sgRNAs about their gene "),
        _slider("interaction", design.sigma_delta, (0.0, 1.0, 0.05), "sd of interactions "),
        _slider("spread", design.sigma_gamma, (0.05, 1.0, 0.05), "sd of gene effects "),
    ]
    renamed = plans.rename(columns={"cell lines": "lines"})
    data = renamed[["more", "sgRNAs", "replicates", "lines", "measurements"]]
    steps = sorted({int(n) for n in data["measurements"]})
    drawn = (
        alt.Chart(data)
        .transform_calculate(**ERROR_FORMULA)
        .encode(
            x=alt.X(
                "measurements:Q",
                title="measurements of a gene",
                scale=alt.Scale(type="log", base=2),
                axis=alt.Axis(values=steps),
            ),
            y=alt.Y("error:Q", title="expected error", scale=alt.Scale(zero=True)),
            color=alt.Color(
                "more:N",
                title="more",
                sort=list(dict.fromkeys(data["more"])),
                scale=alt.Scale(range=MODEL_COLOURS),
            ),
            tooltip=["sgRNAs:Q", "replicates:Q", "lines:Q", alt.Tooltip("error:Q", format=".3f")],
        )
    )
    layers = [drawn.mark_line(aria=False), drawn.mark_circle(size=60, opacity=1, aria=False)]
    return _sized(
        alt.LayerChart(layer=layers).add_params(*sliders, effect),
        "Expected error of the effect of a gene, by the number of its measurements.",
    )


# Names and symbols are those of `poolscreen.screens.planning.expected_errors`; `c1` and `c2` are
# the sum of the covariances and of their squares. In Vega's language, in the order of evaluation.
ERROR_FORMULA = {
    "own": "interaction * interaction * (effect == 'in a line' ? 1 : 1 / datum.lines)",
    "k": "interaction * interaction + noise * noise / (datum.sgRNAs * datum.replicates)",
    "v": "spread * spread + scatter * scatter / datum.sgRNAs",
    "c1": "datum.lines * spread * spread + interaction * interaction",
    "c2": (
        "effect == 'in a line' ? datum.lines * pow(spread, 4)"
        " + 2 * pow(spread * interaction, 2) + pow(interaction, 4)"
        " : datum.c1 * datum.c1 / datum.lines"
    ),
    "known": "(datum.c2 - datum.v * datum.c1 * datum.c1 / (datum.k + datum.lines * datum.v))",
    "error": "sqrt(spread * spread + datum.own - datum.known / datum.k)",
}


def _slider(
    name: str, value: float, span: tuple[float, float, float], label: str
) -> "alt.Parameter":
    import altair as alt

    low, high, step = span
    bound = alt.binding_range(min=low, max=high, step=step, name=label)
    return alt.param(name=name, value=value, bind=bound)


def _sized(chart: "alt.LayerChart", description: str) -> "alt.LayerChart":
    drawn: alt.LayerChart = chart.properties(width="container", height=320, description=description)
    return drawn

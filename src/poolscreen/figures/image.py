"""A figure as an image: PNG, and light."""

import io

import plotnine as p9
from matplotlib.figure import Figure
from PIL import Image

RESOLUTION = 200  # dots per inch, twice those of most screens


def png(figure: p9.ggplot | Figure) -> bytes:
    """Draw a figure as a light PNG image.

    Parameters
    ----------
    figure : plotnine.ggplot or matplotlib.figure.Figure
        The figure.

    Returns
    -------
    bytes

    Examples
    --------
    >>> plot = p9.ggplot(pd.DataFrame({"x": [1, 2]}), p9.aes("x", "x")) + p9.geom_point()
    >>> Image.open(io.BytesIO(png(plot))).format
    'PNG'
    """
    drawn = io.BytesIO()
    if isinstance(figure, Figure):
        figure.savefig(drawn, format="png", dpi=RESOLUTION, bbox_inches="tight")
    else:
        figure.save(drawn, format="png", dpi=RESOLUTION, verbose=False)
    return lightened(drawn.getvalue())


def lightened(image: bytes) -> bytes:
    """Give a PNG image a palette of its own: it weighs a third and looks the same.

    Parameters
    ----------
    image : bytes
        A PNG image.

    Returns
    -------
    bytes
        Likewise.

    Examples
    --------
    >>> drawn = io.BytesIO()
    >>> Image.new("RGB", (60, 40), "white").save(drawn, "PNG")
    >>> Image.open(io.BytesIO(lightened(drawn.getvalue()))).mode
    'P'
    """
    few, light = Image.open(io.BytesIO(image)).convert("RGB").quantize(256, kmeans=3), io.BytesIO()
    few.save(light, "PNG", optimize=True)
    return light.getvalue()

"""The scripts that the pages bring with them: for tables to search and figures to touch."""

import json
from pathlib import Path

from nbformat import NotebookNode

from poolscreen.reports import searchable
from press.interactive import Interactive


def present_interactive(cell: NotebookNode) -> None:
    """Give the page what its script needs to put an interactive figure in a static one's place.

    Parameters
    ----------
    cell : nbformat.NotebookNode
        An executed cell; a chart among its outputs becomes data that the page holds.

    Examples
    --------
    >>> import nbformat
    >>> output = nbformat.v4.new_output(
    ...     "display_data",
    ...     data={Interactive.mime: {"mark": "point"}},
    ...     metadata={Interactive.mime: {"figure": "fig-a"}},
    ... )
    >>> present_interactive(nbformat.v4.new_code_cell("chart", outputs=[output]))
    >>> output.data["text/html"]
    '<script ... class="interactive" data-figure="fig-a">{"mark":"point"}</script>'
    """
    for output in cell.outputs:
        data = output.get("data", {})
        if Interactive.mime in data:
            text = json.dumps(data[Interactive.mime], separators=(",", ":"))
            text = text.replace("</", "<\\/")  # no end of a script within it
            figure = output.metadata[Interactive.mime]["figure"]
            output.data = {
                "text/html": f'<script type="application/json" class="interactive" '
                f'data-figure="{figure}">{text}</script>'
            }


def write_datatables(folder: Path) -> None:
    """Write the script and the style that make tables searchable."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "datatables.js").write_text(searchable.script(), encoding="utf-8")
    (folder / "datatables.css").write_text(searchable.style(), encoding="utf-8")


def write_vega(folder: Path) -> None:
    """Write the script that draws interactive figures, as the package vl-convert brings it.

    Parameters
    ----------
    folder : pathlib.Path
        Where `vega.js` is written.
    """
    import vl_convert

    folder.mkdir(parents=True, exist_ok=True)
    # In a scope of its own: its names are short, and others have taken them.
    script = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    (folder / "vega.js").write_text(f"(() => {{{script}}})();\n", encoding="utf-8")

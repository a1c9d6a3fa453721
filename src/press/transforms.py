"""What Sphinx and its extensions write otherwise than readers of the pages need it."""

import re
from collections.abc import Callable

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode, depart_HideCellInput, visit_HideCellInput
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.writers.html5 import HTML5Translator

MINUS = "\N{MINUS SIGN}"


class MinusSigns(SphinxPostTransform):
    """Numbers below zero, in tables and where the prose quotes them, have a minus sign.

    Code, names, dates and mathematics keep their hyphens, as does what is typed into the prose.
    """

    default_priority = 200  # by then, outputs and quoted numbers are in their places
    formats = ("html",)

    def run(self, **_: object) -> None:
        """Replace the hyphens that such numbers begin with."""
        for text in list(self.document.findall(nodes.Text)):
            quoted = "pasted-text" in text.parent.get("classes", [])
            if quoted or _begins_cell(text):
                text.parent.replace(text, nodes.Text(re.sub(r"^-(?=\d)", MINUS, text)))


def _begins_cell(text: nodes.Text) -> bool:
    paragraph = text.parent
    return (
        isinstance(paragraph, nodes.paragraph)
        and isinstance(paragraph.parent, nodes.entry)
        and paragraph[0] is text
    )


def minus_signs_in_rows(html: str) -> str:
    """Give numbers below zero in the rows of an HTML table a minus sign.

    Parameters
    ----------
    html : str
        Rows of a table.

    Returns
    -------
    str
        The rows. A hyphen is replaced where a number begins a cell, or follows on a space in a
        heading.

    Examples
    --------
    >>> minus_signs_in_rows("<th>P(below -1)</th><td>-0.5</td><td>gene-1</td><td>2026-11-23</td>")
    '<th>P(below −1)</th><td>−0.5</td><td>gene-1</td><td>2026-11-23</td>'
    """
    return re.sub(r"(<td>|<th>[^<]*\s)-(?=\d)", rf"\1{MINUS}", html)


Write = Callable[[HTML5Translator, nodes.Element], None]


def without(write: Write, *attributes: str) -> Write:
    """Return what writes an element as another function does, but without some attributes.

    Parameters
    ----------
    write : callable
        Takes the translator and the element, and writes into the translator's body.
    *attributes : str
        The attributes, as they stand in the HTML.

    Returns
    -------
    callable
    """

    def write_without(translator: HTML5Translator, node: nodes.Element) -> None:
        start = len(translator.body)
        write(translator, node)
        for attribute in attributes:
            written = translator.body[start:]
            translator.body[start:] = [part.replace(f" {attribute}", "") for part in written]

    return write_without


def number_printed_title(
    app: Sphinx, page: str, template: str, context: dict[str, object], doctree: object
) -> None:
    """Give the title that the theme keeps for paper the number that the page's title has.

    Parameters
    ----------
    app, page, template, doctree
        What Sphinx hands over of a page besides; not used.
    context : dict of str to object
        What the templates make the page from; it is changed.
    """
    if "pagetitle" in context:
        context["pagetitle"] = context["title"]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register what stands in the place of what Sphinx, myst-nb and the theme do.

    Parameters
    ----------
    app : sphinx.application.Sphinx
        The build.

    Returns
    -------
    dict of str to bool
        That pages may be read and written side by side.
    """
    app.add_post_transform(MinusSigns)
    app.connect("html-page-context", number_printed_title, priority=900)  # after the theme
    # Folded code is called what its button says.
    fold = without(visit_HideCellInput, 'aria-label="Toggle hidden content"')
    app.add_node(HideCodeCellNode, override=True, html=(fold, depart_HideCellInput))
    # Roles that do not belong to their elements, or no longer exist.
    cite = without(HTML5Translator.visit_citation, 'role="list"', 'role="doc-biblioentry"')
    app.add_node(nodes.citation, override=True, html=(cite, HTML5Translator.depart_citation))
    begin = without(HTML5Translator.visit_label, 'role="doc-backlink"')
    end = without(HTML5Translator.depart_label, 'role="doc-backlink"')
    app.add_node(nodes.label, override=True, html=(begin, end))
    return {"parallel_read_safe": True, "parallel_write_safe": True}

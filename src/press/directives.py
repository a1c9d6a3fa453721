"""A directive of the book's pages: a numbered table whose cells are ready HTML."""

from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from press.transforms import minus_signs_in_rows


class ReadyTable(SphinxDirective):
    """A table with a caption, numbered and referred to like any other.

    Its content is what stands between the tags of an HTML table. Parsing a thousand rows of
    Markdown would take Sphinx longer than all else on the page.
    """

    has_content = True
    required_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar = {
        "name": directives.unchanged,
        "class": directives.class_option,
    }

    def run(self) -> list[nodes.Node]:
        """Make the table."""
        table = nodes.table(classes=self.options.get("class", []))
        self.set_source_info(table)
        caption, messages = self.parse_inline(self.arguments[0])
        table += nodes.title("", "", *caption)
        rows = minus_signs_in_rows("\n".join(self.content))
        table += nodes.raw("", rows, format="html")
        self.add_name(table)
        return [table, *messages]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive.

    Parameters
    ----------
    app : sphinx.application.Sphinx
        The build.

    Returns
    -------
    dict of str to bool
        That pages may be read and written side by side.
    """
    app.add_directive("ready-table", ReadyTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""What the book adds to Sphinx: tables whose cells are ready HTML, and minus signs."""

import re
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

# A number below zero at the start of a cell; of a heading, also after a word.
BELOW_ZERO = re.compile(r"(<td>|<th>(?:[^<]*\s)?)-(?=\d)")


def minus_signs(rows: str) -> str:
    """Give the numbers below zero of an HTML table a minus sign in place of a hyphen."""
    return BELOW_ZERO.sub("\\1\N{MINUS SIGN}", rows)


class MinusSigns(SphinxPostTransform):
    """Give numbers of the prose and of plain tables a minus sign in place of a hyphen."""

    default_priority = 900  # when numbers of other pages have been pasted

    def run(self, **_: object) -> None:
        """Replace the hyphens that such numbers begin with."""
        for text in list(self.document.findall(nodes.Text)):
            pasted = "pasted-text" in text.parent.get("classes", [])
            if pasted or _begins_cell(text):
                text.parent.replace(text, nodes.Text(re.sub(r"^-(?=\d)", "\N{MINUS SIGN}", text)))


def _begins_cell(text: nodes.Text) -> bool:
    """Tell whether a text is the first of a cell; code and mathematics are not."""
    paragraph = text.parent
    return (
        isinstance(paragraph, nodes.paragraph)
        and isinstance(paragraph.parent, nodes.entry)
        and paragraph[0] is text
    )


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
        table += nodes.raw("", minus_signs("\n".join(self.content)), format="html")
        self.add_name(table)
        return [table, *messages]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register both."""
    app.add_directive("ready-table", ReadyTable)
    app.add_post_transform(MinusSigns)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""Prose: no decimal number in it is typed by hand."""

import re
from collections.abc import Iterator
from functools import cache

import yaml
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser
from nbformat import NotebookNode

from poolscreen.errors import PoolscreenError
from press import chapters, paths

DECIMAL = re.compile(r"(?<![\w.])\d+\.\d+(?![\w.]*\d)")
# Directives whose content is no prose.
VERBATIM = ("code-cell", "code-block", "code", "math", "glue:math", "csv-table")


@cache
def _parser() -> MarkdownIt:
    config = yaml.safe_load((paths.root() / "_config.yml").read_text())
    extensions = set(config["parse"]["myst_enable_extensions"])
    return create_md_parser(MdParserConfig(enable_extensions=extensions), RendererHTML)


def decimals(text: str) -> Iterator[tuple[int, str]]:
    r"""Find decimal numbers in MyST, outside mathematics, code, roles and addresses.

    Parameters
    ----------
    text : str
        Markdown as MyST reads it.

    Yields
    ------
    int
        The line, counted from 0.
    str
        The number.

    Examples
    --------
    >>> list(decimals("About 0.35,\nor {glue:text}`mean:.2f`; $x = 0.2$ and `0.1`.\n\nOr 2.5."))
    [(0, '0.35'), (3, '2.5')]
    """
    for block in _parser().parse(text):
        if block.map is None:
            continue
        first = block.map[0]
        if block.type == "inline":
            yield from _decimals_in_lines(block.children or [], first)
        elif block.type in ("fence", "colon_fence"):
            directive = re.match(r"\{([\w-]+)\}", block.info)
            if directive and directive[1] not in VERBATIM:
                for line, number in decimals(block.content):
                    yield first + 1 + line, number


def _decimals_in_lines(tokens: list[Token], line: int) -> Iterator[tuple[int, str]]:
    """Find decimal numbers in the text of a paragraph that begins in this line."""
    for token in tokens:
        if token.type in ("softbreak", "hardbreak"):
            line += 1
        elif token.type == "text":
            for number in DECIMAL.findall(token.content):
                yield line, number


def check(chapter: str) -> None:
    """Refuse decimal numbers in the prose, the captions and the image texts of a chapter.

    Parameters
    ----------
    chapter : str
        Name of the chapter.

    Raises
    ------
    PoolscreenError
        It names every number with its line in the script.
    """
    cells = chapters.read(chapter).cells
    typed = []
    for cell, (first, _) in zip(cells, chapters.lines_of_cells(chapter), strict=True):
        if cell.cell_type == "markdown":
            typed += [(first + 1 + line, number) for line, number in decimals(cell.source)]
        else:
            for text in _texts(cell):
                typed += [(first, number) for _, number in decimals(text)]
    if typed:
        places = ", ".join(f"{number} in line {line}" for line, number in typed)
        script = paths.short(chapters.script_path(chapter))
        raise PoolscreenError(
            f"{script} types numbers by hand, which nothing keeps right: {places}. Give them to "
            "the prose with numbers({...}) and quote them as {glue:text}`name:.2f`"
        )


def _texts(cell: NotebookNode) -> list[str]:
    """Return what a code cell says of its figure or its table."""
    settings, table = cell.metadata.get("mystnb", {}), cell.metadata.get("table", {})
    figure, image = settings.get("figure", {}), settings.get("image", {})
    return [figure.get("caption", ""), image.get("alt", ""), table.get("caption", "")]

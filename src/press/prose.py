"""Prose: no decimal number in it is typed by hand."""

import re
from collections.abc import Iterator
from functools import cache

import yaml
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser

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
    """Find decimal numbers in MyST, outside mathematics, code, roles and addresses.

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
    """
    for block in _parser().parse(text):
        if block.map and block.type in ("fence", "colon_fence"):
            directive = re.match(r"\{([\w-]+)\}", block.info)
            if directive and directive[1] not in VERBATIM:
                for line, number in decimals(block.content):
                    yield block.map[0] + 1 + line, number
        if block.type != "inline" or block.map is None:
            continue
        line = block.map[0]
        for token in block.children or []:
            if token.type in ("softbreak", "hardbreak"):
                line += 1
            elif token.type == "text":
                for found in DECIMAL.findall(token.content):
                    yield line, found


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
    found = []
    for cell, (first, _) in zip(cells, chapters.lines_of_cells(chapter), strict=True):
        if cell.cell_type == "markdown":
            found += [(first + 1 + line, value) for line, value in decimals(cell.source)]
        else:
            shown = cell.metadata.get("mystnb", {})
            texts = [
                shown.get("figure", {}).get("caption", ""),
                shown.get("image", {}).get("alt", ""),
                cell.metadata.get("table", {}).get("caption", ""),
            ]
            found += [(first, value) for text in texts for _, value in decimals(text)]
    if found:
        places = ", ".join(f"{value} in line {line}" for line, value in found)
        script = chapters.script_path(chapter).relative_to(paths.root())
        raise PoolscreenError(
            f"{script} types numbers by hand, which nothing keeps right: {places}. Give them to "
            "the prose with numbers({...}) and quote them as {glue:text}`name:.2f`"
        )

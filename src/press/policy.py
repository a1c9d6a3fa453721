"""Templates that give each page of the site its policy: what it may load and run."""

import re
from pathlib import Path

import lxml.html
from sphinx.jinja2glue import BuiltinTemplateLoader

from poolscreen.reports import policy

# What a policy comes after: it holds for what follows it, and so it comes as early as may be.
CHARSET = re.compile(r'<meta charset="[^"]*"\s*/?>')
SCRIPTS = "//script[not(@src)][not(@type='application/json')]/text()"
HANDLERS = "//@*[starts-with(name(), 'on')]"


class Templates(BuiltinTemplateLoader):
    """Sphinx's own templates; it finds these by their name in _config.yml."""

    def render(self, template: str, context: dict) -> str:  # type: ignore[override, type-arg]
        """Make a page, or a part of one."""
        return with_policy(super().render(template, context))


def with_policy(page: str) -> str:
    """Give a page the policy that lets it load files of its own site, and run its own scripts.

    Parameters
    ----------
    page : str
        HTML as it will be published, but for the policy.

    Returns
    -------
    str
        The page with its policy. A part of a page, whose head is elsewhere, stays as it is.

    Examples
    --------
    >>> print(with_policy('<head><meta charset="utf-8"><script>draw();</script></head>'))
    <head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="...
    >>> with_policy("<button>Print</button>")
    '<button>Print</button>'
    """
    charset = CHARSET.search(page)
    if charset is None:
        return page
    parsed = lxml.html.document_fromstring(page)
    element = policy.element(parsed.xpath(SCRIPTS), parsed.xpath(HANDLERS), files="'self'")
    return f"{page[: charset.end()]}{element}{page[charset.end() :]}"


def redirection(page: str) -> str:
    """Return a page that leads on to another.

    Parameters
    ----------
    page : str
        Address of the other.

    Returns
    -------
    str
        HTML.

    Examples
    --------
    >>> print(redirection("book/index.html"))
    <!DOCTYPE html>
    ...<meta http-equiv="refresh" content="0; url=book/index.html">...
    """
    return with_policy(
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="refresh" content="0; url={page}">\n<title>Begin</title>\n</head>\n'
        f'<body><a href="{page}">Begin</a></body>\n</html>\n'
    )


def pages(html: Path) -> list[Path]:
    """Return the pages of a site; what the theme leaves in `_static` are templates.

    Parameters
    ----------
    html : pathlib.Path
        Folder of the site.

    Returns
    -------
    list of pathlib.Path
    """
    return [path for path in sorted(html.rglob("*.html")) if "_static" not in path.parts]

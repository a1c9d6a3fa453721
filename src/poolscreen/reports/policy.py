"""The content security policy of a page: what it may load and run. Browsers refuse all else.

A script within the page is named by its digest, so that one which was brought in does not run.
"""

from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256


def element(scripts: Iterable[str], handlers: Iterable[str] = (), *, files: str = "") -> str:
    """Return the element of a page's head that sets its policy.

    Parameters
    ----------
    scripts : iterable of str
        The scripts that stand within the page.
    handlers : iterable of str
        Attributes of the page that are scripts, such as those called `onclick`.
    files : str
        Where the files lie that the page loads: `'self'` for its own site; empty for a page that
        loads none.

    Returns
    -------
    str
        HTML. Images may also stand within the page, and styles wherever scripts put them.

    Examples
    --------
    >>> print(element(["draw();"]))
    <meta ... script-src 'sha256-Nrzt+A...='; style-src 'unsafe-inline'; ...
    >>> print(element([], handlers=["print()"], files="'self'"))
    <meta ... script-src 'self' 'unsafe-hashes' 'sha256-...='; style-src 'self' 'unsafe-inline'; ...
    """
    named = _digests(handlers)
    attributes = ["'unsafe-hashes'", *named] if named else []
    sources = {
        "default-src": [],
        "script-src": [files, *_digests(scripts), *attributes],
        "style-src": [files, "'unsafe-inline'"],
        "img-src": [files, "data:"],
        "font-src": [files],
        "connect-src": [files],
        "form-action": [files],
        "base-uri": [],
    }
    content = "; ".join(
        f"{directive} {' '.join(filter(None, allowed)) or "'none'"}"
        for directive, allowed in sources.items()
    )
    return f'<meta http-equiv="Content-Security-Policy" content="{content}">'


def _digests(scripts: Iterable[str]) -> list[str]:
    """Return the digests of scripts as a policy writes them, each once."""
    digests = (b64encode(sha256(script.encode()).digest()).decode() for script in scripts)
    return list(dict.fromkeys(f"'sha256-{digest}'" for digest in digests))

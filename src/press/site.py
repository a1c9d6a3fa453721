"""The site: built apart from the last good one, checked, and published."""

import errno
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

import lxml.html

from poolscreen import files
from poolscreen.errors import PoolscreenError
from poolscreen.inference import store
from press import chapters, flow, paths, policy, publishing, repository, staging, steps


def build() -> None:
    """Build the site and publish it.

    Raises
    ------
    PoolscreenError
        If an executed chapter or a fit was not made from what is there now, or Sphinx finds
        fault with a page, or a link leads nowhere. The last good site is then left as it was.
    """
    staged = paths.root() / "_build" / "book"
    built = paths.root() / "_build" / "sphinx"
    for folder in (staged, built):
        shutil.rmtree(folder, ignore_errors=True)
    made_from = pedigree()
    staging.stage(staged, repository.head())
    run_jupyter_book(staged, built)
    check_links((built / "_build" / "html").resolve())
    flow.check_fresh("the site", made_from)  # nothing was edited meanwhile
    with files.replacing(publishing.pedigree_path()) as part:
        part.write_text(json.dumps(made_from, indent=1))
    publishing.publish(built / "_build" / "html")


def pedigree() -> dict[str, str]:
    """Return the SHA-256 of every file that the site is made from, directly or not."""
    digests = flow.digest(steps.sources("site"))
    for fit in steps.fit_names():
        records = store.read_attributes(paths.fit_path(fit))
        for record in ("inputs", "tables"):
            digests |= json.loads(records[record])
    for result in steps.recorded_results():
        records = store.read_attributes(paths.root() / result)
        digests |= json.loads(records["inputs"])
    for chapter in chapters.names():
        digests |= chapters.read_executed(chapter).metadata["poolscreen"]["inputs"]
    return digests


def run_jupyter_book(staged: Path, built: Path) -> None:
    """Build the HTML; every warning of Sphinx is an error.

    Parameters
    ----------
    staged : pathlib.Path
        What Jupyter Book reads, see `staging.stage`.
    built : pathlib.Path
        Where it writes: the site is in `_build/html` below.

    Raises
    ------
    PoolscreenError
        With Sphinx's warnings.
    """
    jupyter_book = Path(sys.executable).with_name("jupyter-book")
    command = [str(jupyter_book), "build", str(staged)]
    command += ["--path-output", str(built), "-W", "-n", "--keep-going", "--quiet"]
    ran = subprocess.run(
        command,
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "NO_COLOR": "1", "PYTHONWARNINGS": "ignore"},
    )
    if ran.returncode and (full := os.strerror(errno.ENOSPC)) in ran.stdout:
        raise OSError(errno.ENOSPC, full, str(built))
    if ran.returncode:
        raise PoolscreenError(faults(ran.stdout, staged))


def faults(said: str, staged: Path) -> str:
    r"""Return what Sphinx finds fault with, from all that it says.

    Parameters
    ----------
    said : str
        What it wrote to the terminal.
    staged : pathlib.Path
        The folder that it read.

    Returns
    -------
    str
        Its warnings, with the lines of the scripts of chapters; if there are none, how it ended.

    Examples
    --------
    >>> said = "reading\n/b/notebooks/a.ipynb:7: WARNING: undefined label: 'fig-a'\nwriting"
    >>> print(faults(said, Path("/b")))
    Sphinx finds fault with the pages:
    notebooks/a.py:7: WARNING: undefined label: 'fig-a'
    """
    # Its own log is long; what matters in it are the warnings.
    lines = said.splitlines()
    warnings = [line for line in lines if "WARNING" in line or "ERROR" in line]
    found = "\n".join(warnings or lines[-20:]).replace(f"{staged}/", "")
    return "Sphinx finds fault with the pages:\n" + re.sub(r"\.ipynb:(?=\d)", ".py:", found)


def check_links(html: Path) -> None:
    """Follow every link inside the built pages, anchors included.

    Parameters
    ----------
    html : pathlib.Path
        Folder of the pages.

    Raises
    ------
    PoolscreenError
        It names each link that leads nowhere, with its page.
    """
    pages = {path: lxml.html.parse(path) for path in policy.pages(html)}
    anchors = {path: set(page.xpath("//@id | //@name")) for path, page in pages.items()}
    broken = {
        f"{path.relative_to(html)}: {link}"
        for path, page in pages.items()
        for link in page.xpath("//@href | //@src")
        if not _leads(urlsplit(link), path, html, anchors)
    }
    if broken:
        raise PoolscreenError("links lead nowhere:\n" + "\n".join(sorted(broken)))


def _leads(link: SplitResult, page: Path, html: Path, anchors: dict[Path, set[str]]) -> bool:
    """Tell whether a link of a page leads somewhere; links that leave the site are not followed."""
    if link.scheme or link.netloc:
        return True
    target = _target(unquote(link.path), page, html)
    anchor = unquote(link.fragment)
    return target.is_file() and (not anchor or anchor in anchors.get(target, {anchor}))


def _target(path: str, page: Path, html: Path) -> Path:
    """Return the file that the path of a link means."""
    if not path:
        return page
    if path.startswith("/"):  # on the page for what is not found
        return html / path.removeprefix(repository.head().site_path)
    return (page.parent / path).resolve()

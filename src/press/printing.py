"""The whole book as one PDF, printed by a browser."""

import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import lxml.html
from pypdf import PdfWriter

from poolscreen import files
from poolscreen.errors import PoolscreenError
from press import chapters, paths, publishing

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# Options of a browser that asks nobody anything.
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
PRINTING = (
    "--headless",
    "--no-pdf-header-footer",
    "--virtual-time-budget=30000",  # mathematics is set by a script
)


def browser() -> str | None:
    """Return the path of Chromium or Chrome, if there is one."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def pdf_path() -> Path:
    """Return the path of the book as PDF."""
    return paths.root() / "_build" / "book.pdf"


def write_pdf() -> None:
    """Print every page of the finished site, in the order of the book, into one PDF.

    Raises
    ------
    PoolscreenError
        If there is no Chromium, or it cannot print a page.
    """
    program = browser()
    if program is None:
        raise PoolscreenError(
            f"there is no browser to print with ({', '.join(BROWSERS)}); install Chromium, or "
            "print single pages from your own browser"
        )
    book = PdfWriter()
    with TemporaryDirectory(prefix="poolscreen-") as folder:
        for number, page in enumerate(chapters.toc()):
            html = publishing.html_path() / f"{page}.html"
            printed = Path(folder, f"{number}.pdf")
            _print(program, html, printed)
            title = lxml.html.parse(html).findtext(".//title") or page
            name = title.split(" — ")[0].strip()
            book.append(str(printed), outline_item=name)
        with files.replacing(pdf_path()) as part:
            book.write(part)


def _print(program: str, html: Path, printed: Path) -> None:
    """Print one page into one PDF, the browser's own files beside it."""
    command = [program, *QUIET, *PRINTING, f"--user-data-dir={printed.parent / 'profile'}"]
    command += [f"--print-to-pdf={printed}", html.as_uri()]
    ran = subprocess.run(
        command,
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=300,
    )
    if ran.returncode or not printed.is_file():
        raise PoolscreenError(f"{program} cannot print {html}:\n{ran.stdout}")

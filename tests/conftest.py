"""What several tests share: a screen, a copy of the finished project, a browser."""

import functools
import http.server
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import playwright.sync_api
import pytest
from hypothesis import HealthCheck, settings
from tests.tree import HANGING, ROOT, Tree, copy_project

from poolscreen import processes
from press import paths, printing, repository

os.environ.update(processes.ONE_THREAD)  # before NumPy is imported

from poolscreen.screens.simulate import Design, simulate
from poolscreen.screens.table import Screen

# A busy machine is slow in drawing examples, which is no fault of a test.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

# What runs in the background of a shell ignores interrupts, and so does what it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The examples of the loaders load results of the book."""
    for item in items:
        if isinstance(item, pytest.DoctestItem) and ".load_" in item.name:
            item.add_marker(pytest.mark.book)


@pytest.fixture(scope="session")
def screen() -> Screen:
    return Screen(simulate(Design())[0])


@pytest.fixture(scope="session")
def book() -> Path:
    """The project's folder, with the book finished."""
    if not (ROOT / "_build" / "site.sha256").is_file():
        pytest.fail("the book is not finished; run `make book` first")
    return ROOT


@pytest.fixture
def tree(book: Path, tmp_path: Path) -> Iterator[Tree]:
    """A copy of the finished project."""
    copied = copy_project(book, tmp_path / "tree")
    yield copied
    copied.remove()


class Browser:
    """Chromium, whose pages wait for as long as a busy machine takes."""

    def __init__(self, launched: playwright.sync_api.Browser) -> None:
        self.launched = launched

    def new_context(self, **settings: object) -> playwright.sync_api.BrowserContext:
        context = self.launched.new_context(**settings)
        context.set_default_timeout(1000 * HANGING)
        return context

    def new_page(self, **settings: object) -> playwright.sync_api.Page:
        page = self.launched.new_page(**settings)
        page.set_default_timeout(1000 * HANGING)
        return page


@pytest.fixture(scope="module")  # while Playwright runs, so does an event loop of its own
def browser() -> Iterator[Browser]:
    """Chromium, driven by Playwright."""
    program = printing.browser()
    if program is None:
        message = f"there is no browser ({', '.join(printing.BROWSERS)})"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with playwright.sync_api.sync_playwright() as driver:
        launched = driver.chromium.launch(
            executable_path=program,
            args=[*printing.QUIET, "--disable-quic"],
            timeout=1000 * HANGING,
        )
        yield Browser(launched)
        launched.close()


@pytest.fixture(scope="session")
def site_url(book: Path) -> Iterator[str]:
    """The finished site, served on localhost."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(book / "_build" / "html"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def in_project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """An empty project, as the working directory."""
    (tmp_path / "workflow").mkdir()
    (tmp_path / "workflow" / "Snakefile").touch()
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: notebooks/a\n")
    monkeypatch.chdir(tmp_path)
    assert paths.root() == tmp_path
    repository.head.cache_clear()  # that of this project's own repository
    yield tmp_path
    repository.head.cache_clear()

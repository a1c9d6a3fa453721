"""A writer's loop: edits are in the open browser at once, and the site is none the worse for it."""

import os
import queue
import re
import shutil
import signal
import threading
import urllib.request

import pytest
from tests.tree import HANGING

pytestmark = [pytest.mark.book, pytest.mark.browser, pytest.mark.slow]

SCRIPT = "websocket-reload"  # what tells an open page to load anew


class Served:
    """A copy of the book that is served, and what the command says meanwhile."""

    def __init__(self, tree) -> None:
        self.process, self.lines = tree.start("serve", "--port", "0"), queue.Queue()
        self.reading = threading.Thread(target=self._read)
        self.reading.start()
        self.url = re.search(r"http://\S+", self.says("shows the book"))[0]

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def says(self, text: str) -> str:
        """Wait until it says something, and nothing of an error before."""
        said = []
        while not said or text not in said[-1]:
            line = self.lines.get(timeout=HANGING)
            assert line is not None, f"it ended: {said}"
            assert text in line or "error" not in line, line
            said.append(line)
        return said[-1]

    def page(self, name: str) -> str:
        with urllib.request.urlopen(f"{self.url}/{name}.html", timeout=HANGING) as answer:
            assert answer.headers["Cache-Control"] == "no-cache"
            return answer.read().decode()

    def end(self) -> None:
        """End it as Ctrl-C does."""
        os.killpg(self.process.pid, signal.SIGINT)
        assert self.process.wait(timeout=HANGING) == 0
        self.reading.join()


@pytest.fixture
def served(tree):
    started = Served(tree)
    yield started
    if started.process.poll() is None:
        started.end()


def build_site(tree):
    built = tree.press("build")
    assert built.returncode == 0, built.stdout
    assert tree.site_is_whole()


def test_a_writers_loop(tree, served, browser):
    """Prose, a heading, a fault, code; then the site is that of a build from nothing."""
    before = tree.site()
    chapter, glossary = "notebooks/01_data_generation", "book/glossary"
    assert SCRIPT in served.page(glossary)

    opened = browser.new_page()
    opened.goto(f"{served.url}/{chapter}.html")
    tree.edit(f"{chapter}.py", "simulates a pooled", "draws a POOLED")
    opened.get_by_text("draws a POOLED").wait_for()
    opened.close()
    assert "draws a POOLED" in (tree.folder / f"{chapter}.ipynb").read_text()

    tree.edit(f"{glossary}.md", "# Glossary", "# Glossary\n\n{numref}`fig-nowhere`")
    served.says("error: Sphinx finds fault with the pages:")
    served.says(f"{glossary}.md:3: WARNING: undefined label: 'fig-nowhere'")
    served.says("The browser keeps the last good pages.")
    assert "nowhere" not in served.page(glossary)
    tree.edit(f"{glossary}.md", "{numref}`fig-nowhere`", "All words.")
    served.says(f"{glossary}.md: shown")
    assert "All words." in served.page(glossary)

    title = "Model 7a: pooling genes and cell lines"
    tree.edit("notebooks/02_model_7a.py", f"# # {title}", "# # Model 7a: ANOTHER TITLE")
    served.says("02_model_7a.py: shown")
    assert "ANOTHER TITLE" in served.page("notebooks/02_model_7a")
    tree.edit(f"{glossary}.md", "# Glossary\n\nAll words.", "# Glossary")  # as it was
    served.says(f"{glossary}.md: shown")
    served.says("all pages in step")
    assert "All words." not in served.page(glossary)
    for page in (glossary, chapter, "book/index"):
        assert "ANOTHER TITLE" in served.page(page)
        assert title not in served.page(page)

    tree.edit("src/poolscreen/tables/growth.py", '"{name}, best"', '"{name}, BEST"')
    served.says("src/poolscreen/tables/growth.py: reruns execute measurements")
    served.says("growth.py: shown")
    assert "seconds sampling, BEST" in served.page("notebooks/measurements")
    assert tree.site() == before
    served.end()

    shutil.rmtree(tree.folder / "_build" / "html")
    build_site(tree)  # from nothing
    assert tree.site("_build/preview/html") == tree.site()  # every file, byte for byte
    assert SCRIPT not in tree.page(chapter)

"""What several tests share: a screen, a copy of the finished project, a browser."""

import functools
import hashlib
import http.server
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from poolscreen import processes
from press import paths, printing

os.environ.update(processes.ONE_THREAD)  # before NumPy is imported
from poolscreen.screens.simulate import Design, simulate
from poolscreen.screens.table import Screen

# What runs in the background of a shell ignores interrupts, and so does what it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).parent.parent


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


class Tree:
    """A copy of the project, to break and to build in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {**os.environ, "PYTHONPATH": str(folder / "src")}

    def poolscreen(self, *arguments: str, timeout: float = 300) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "-m", "poolscreen", *arguments],
            cwd=self.folder,
            env=self.env,
            check=False,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout,
        )

    def start_build(self) -> subprocess.Popen:
        """Start a build in a process group of its own, which can be killed as a whole."""
        return subprocess.Popen(
            [sys.executable, "-m", "poolscreen", "build"],
            cwd=self.folder,
            env=self.env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def would_run(self) -> list[str]:
        """List what a build would run, as `rule` or `rule name`, sorted."""
        command = [
            sys.executable,
            "-m",
            "snakemake",
            "--snakefile",
            "workflow/Snakefile",
        ]
        command += [
            "--cores",
            "2",
            "--dry-run",
            "--nolock",
            "--max-checksum-file-size",
            "1GB",
        ]
        ran = subprocess.run(
            command,
            cwd=self.folder,
            env=self.env,
            check=True,
            text=True,
            capture_output=True,
        )
        jobs = []
        for block in re.split(r"^(?:local)?rule ", ran.stdout, flags=re.MULTILINE)[1:]:
            name = block.split(":")[0]
            wildcards = re.search(r"wildcards: (.*)", block)
            values = re.findall(r"=([\w/]+)", wildcards[1]) if wildcards else []
            jobs.append(" ".join([name, *values]))
        return sorted(job for job in jobs if job != "all")

    def edit(self, path: str, old: str, new: str) -> None:
        file = self.folder / path
        text = file.read_text()
        assert old in text, f"{path} no longer holds {old!r}"
        file.unlink()  # it may be linked to the original
        file.write_text(text.replace(old, new, 1))

    def edit_chapter(self, chapter: str, old: str, new: str) -> None:
        self.edit(f"notebooks/{chapter}.py", old, new)
        assert self.poolscreen("pair").returncode == 0

    def page(self, name: str) -> str:
        return (self.folder / "_build" / "html" / f"{name}.html").read_text()

    def site_is_whole(self) -> bool:
        """Whether the published files are those that the site's manifest lists."""
        manifest = (self.folder / "_build" / "site.sha256").read_text()
        listed = dict(reversed(line.split("  ", 1)) for line in manifest.splitlines())
        return listed == self.site()

    def site(self) -> dict[str, str]:
        """The SHA-256 of every published file."""
        html = self.folder / "_build" / "html"
        return {
            path.relative_to(html.parent).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in html.rglob("*")
            if path.is_file()
        }


def copy_project(book: Path, folder: Path) -> Tree:
    """Copy the finished project. Its results are links: nothing writes into them."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=book,
        check=True,
        text=True,
        capture_output=True,
    )
    for name in listed.stdout.split():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(book / name, target)
    for part in (book / "results").iterdir():
        if part.name == "benchmarks":  # those are in the repository
            continue
        copy = functools.partial(shutil.copytree, copy_function=os.link)
        (folder / "results").mkdir(exist_ok=True)
        (copy if part.is_dir() else os.link)(part, folder / "results" / part.name)
    shutil.copytree(book / ".snakemake", folder / ".snakemake")
    repository = book / ".git"  # pages name the commit; in a linked work tree it is a file
    (shutil.copytree if repository.is_dir() else shutil.copy2)(repository, folder / ".git")
    for part in ("executed", "html", "pedigree.json", "site.sha256"):
        source = book / "_build" / part
        copy = shutil.copytree if source.is_dir() else shutil.copy2
        (folder / "_build").mkdir(exist_ok=True)
        copy(source, folder / "_build" / part)
    return Tree(folder)


@pytest.fixture
def tree(book: Path, tmp_path: Path) -> Iterator[Tree]:
    """A copy of the finished project."""
    yield copy_project(book, tmp_path / "tree")
    shutil.rmtree(tmp_path / "tree")


@pytest.fixture(scope="session")
def browser() -> Iterator:
    """Chromium, driven by Playwright."""
    program = printing.browser()
    if program is None:
        message = f"there is no browser ({', '.join(printing.BROWSERS)})"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=program,
            args=[*printing.QUIET, "--disable-quic"],
        )
        yield launched
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
def in_project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty project, as the working directory."""
    (tmp_path / "workflow").mkdir()
    (tmp_path / "workflow" / "Snakefile").touch()
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: notebooks/a\n")
    monkeypatch.chdir(tmp_path)
    assert paths.root() == tmp_path
    return tmp_path

"""The book in an open browser, brought in step with each edit.

uvicorn serves the pages, sphinx-autobuild has the open ones load anew, watchfiles says when a file
was edited, and `press.preview` what that asks for.
"""

import asyncio
import errno
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Collection, Coroutine
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import uvicorn
import watchfiles
from sphinx_autobuild.server import RebuildServer
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from poolscreen import files
from poolscreen.errors import PoolscreenError
from poolscreen.progress import Say
from press import apart, chapters, locks, paths, preview, repository, steps

HOST = "127.0.0.1"
RELOAD = "/websocket-reload"
# What the book is made from lies in these folders, or beside them.
FOLDERS = ("book", "data", "notebooks", "results/benchmarks", "src", "workflow")
FILES = ("_config.yml", "_toc.yml", steps.LOCK)
# Makes what pages show; the site itself is the business of `make book`.
BUILD = (sys.executable, "-m", "press", "build", "--results")
KEPT = "The browser keeps the last good pages."
# The packages of others that `preview` uses, and Sphinx by their names in _config.yml.
PACKAGES = [
    "grimp",
    "h5netcdf",
    "jupyter_book.sphinx",
    "jupytext",
    "lxml.html",
    "myst_nb.sphinx_ext",
    "pandas",
    "plotnine",
    "sphinx.builders.html",
    "sphinx_book_theme",
    "sphinx_design",
    "sphinx_external_toc",
    "sphinxcontrib.bibtex",
    "xarray",
]


def listen(port: int) -> socket.socket:
    """Take a port of this machine.

    Parameters
    ----------
    port : int
        The port; 0 takes one that is free.

    Returns
    -------
    socket.socket

    Raises
    ------
    PoolscreenError
        If it cannot be taken.

    Examples
    --------
    >>> with listen(0) as taken:
    ...     listen(taken.getsockname()[1])
    Traceback (most recent call last):
    poolscreen.errors.PoolscreenError: port ... is in use; end what uses it, or take another: ...
    """
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # the last one's, just ended
    try:
        listening.bind((HOST, port))
        listening.listen()
    except OSError as error:
        listening.close()
        in_use = error.errno == errno.EADDRINUSE
        raise PoolscreenError(
            f"port {port} {'is in use; end what uses it, or' if in_use else 'cannot be taken;'} "
            f"take another: make serve PORT={port + 1}"
        ) from error
    return listening


def digests() -> dict[str, str]:
    """Return the SHA-256 of every file that the book may be made from.

    Returns
    -------
    dict of str to str
        By the path from the project's folder. What editors and Python leave beside is left out.
    """
    root, found = paths.root(), {}
    inside = (path for folder in FOLDERS for path in (root / folder).rglob("*"))
    for path in [*inside, *(root / name for name in FILES)]:
        name = path.relative_to(root)
        aside = any(part.startswith((".", "__pycache__")) for part in name.parts)
        if not aside and not name.name.endswith("~") and path.is_file():
            with suppress(FileNotFoundError):  # an editor's, gone meanwhile
                found[name.as_posix()] = files.sha256(path)
    return found


def serve(listening: socket.socket, known: dict[str, str], say: Say) -> None:
    """Show the finished book, and what is edited, until interrupted.

    Parameters
    ----------
    listening : socket.socket
        See `listen`.
    known : dict of str to str
        What `digests` returned before the book was made.
    say : callable
        Takes what there is to say.
    """
    # With an edit, there are changes that are not committed, and the pages say so.
    commit = replace(repository.head(), clean=False)
    with locks.alone("preview"), suppress(KeyboardInterrupt):
        preview.begin()
        asyncio.run(_serve(listening, commit, known, say))


async def _serve(
    listening: socket.socket, commit: repository.Commit, known: dict[str, str], say: Say
) -> None:
    browsers = RebuildServer([], None, None)  # it watches nothing; `Loop` does
    loop = Loop(commit, known, browsers.flag.set, say)
    server = uvicorn.Server(uvicorn.Config(application(browsers), log_level="warning"))
    say("Sphinx reads what it has not read yet, so that edits are shown at once")
    async with asyncio.TaskGroup() as group:
        following = group.create_task(loop.follow())
        await loop.ready.wait()
        port = listening.getsockname()[1]
        say(f"http://localhost:{port} shows the book, and edits as they are saved; Ctrl-C ends it")
        await server.serve([listening])
        following.cancel()


def application(browsers: RebuildServer) -> Starlette:
    """Return what answers the requests of browsers.

    Parameters
    ----------
    browsers : sphinx_autobuild.server.RebuildServer
        It tells the open pages to load anew.

    Returns
    -------
    starlette.applications.Starlette
    """
    return Starlette(
        routes=[
            WebSocketRoute(RELOAD, browsers),
            Route(f"{RELOAD}.js", _reload_script),
            Mount("/", _Pages(directory=preview.html_path(), html=True)),
        ]
    )


def _reload_script(_: Request) -> Response:
    told = f"new WebSocket(`ws://${{location.host}}{RELOAD}`).onmessage"
    return Response(f"{told} = () => location.reload();\n", media_type="text/javascript")


class _Pages(StaticFiles):
    """Pages that a browser asks for each time that it shows them, and loads anew when told."""

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """Answer a request."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        if Path(full_path).suffix == ".html":
            # No file holds the script. The policy of a page would let none run that stands in it.
            page = Path(full_path).read_bytes() + f'<script src="{RELOAD}.js"></script>\n'.encode()
            response = HTMLResponse(page, status_code)
        response.headers["Cache-Control"] = "no-cache"
        return response


class Loop:
    """Takes up edits, one after another.

    Parameters
    ----------
    commit : press.repository.Commit
        The commit that the pages name.
    known : dict of str to str
        What `digests` returned when the pages were made, or before.
    reload : callable
        Has the open pages load anew.
    say : callable
        Takes what there is to say.

    Attributes
    ----------
    ready : asyncio.Event
        Set when edits are taken up at once.
    """

    def __init__(
        self,
        commit: repository.Commit,
        known: dict[str, str],
        reload: Callable[[], None],
        say: Say,
    ) -> None:
        self._commit, self._known, self._reload, self._say = commit, known, reload, say
        self._lock = known[steps.LOCK]
        self.ready = asyncio.Event()
        self._edits: set[str] = set()  # that nobody has taken up
        self._edited = asyncio.Event()  # set while there are any
        self._pending: set[str] = set()  # that are taken up, and not shown yet

    async def follow(self) -> None:
        """Take up edits until cancelled."""
        apart.preload(PACKAGES)
        root = paths.root()
        folders = [root / name for name in FOLDERS if (root / name).is_dir()]
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch(*folders))
            group.create_task(self._watch(root, recursive=False))
            group.create_task(self._work())

    async def _watch(self, *watched: Path, recursive: bool = True) -> None:
        async for _ in watchfiles.awatch(*watched, watch_filter=None, recursive=recursive):
            self._look()

    def _look(self) -> None:
        """Notice the files whose content has changed since the last look."""
        before, self._known = self._known, digests()
        self._edits |= {path for path, _ in before.items() ^ self._known.items()}
        if self._edits:
            self._edited.set()

    def _take(self) -> set[str]:
        """Return the edits that nobody has taken up; they are pending from now on."""
        taken, self._edits = self._edits, set()
        self._edited.clear()
        self._pending |= taken
        return taken

    async def _work(self) -> None:
        await self._told(apart.call(preview.prepare, self._commit))
        self.ready.set()
        self._look()  # the book may have been edited while it was made
        while True:
            await self._edited.wait()
            self._take()
            await self._told(self._take_up())

    async def _told(self, work: Coroutine[object, object, object]) -> None:
        """Do some work; what is wrong is said, and the next edit may mend it."""
        try:
            await work
        except PoolscreenError as error:
            self._say(f"error: {error}\n{KEPT}")
        except Exception:
            self._say(f"{traceback.format_exc()}\n{KEPT}")

    async def _take_up(self) -> None:
        """Show the pending edits, once what they rerun has run."""
        began, edited = time.monotonic(), _listed(self._pending)
        if self._known.get(steps.LOCK) != self._lock:
            raise PoolscreenError(
                f"{steps.LOCK} was edited, and asks for another environment: end this with Ctrl-C, "
                "and `make serve` sets it up"
            )
        self._write_notebooks()
        outcome = await apart.call(preview.take_up, sorted(self._pending), self._commit)
        if outcome.jobs:
            self._say(f"{edited}: reruns {_listed(outcome.jobs)}, and what follows from it")
            if not await self._rerun():
                return await self._take_up()
            self._write_notebooks()  # of what was edited meanwhile
            edited = _listed(self._pending)
            self._pending.clear()  # what it reruns has run, whatever is wrong with a page
            outcome = await apart.call(preview.refresh, self._commit)
        self._pending.clear()
        self._say(f"{edited}: shown after {time.monotonic() - began:.1f} s")
        if outcome.files:
            self._reload()
        if not outcome.complete:
            await self._complete()
        return None

    def _write_notebooks(self) -> None:
        """Bring notebooks in step with their scripts where nothing but the script was edited."""
        for chapter in chapters.names():
            script = paths.short(chapters.script_path(chapter))
            notebook = paths.short(chapters.notebook_path(chapter))
            if script in self._pending and notebook not in self._pending:
                chapters.write_notebook(chapter)
                self._known[notebook] = files.sha256(paths.root() / notebook)

    async def _complete(self) -> None:
        """Bring in step what other pages show of the edited ones, unless an edit comes first."""
        began = time.monotonic()
        work = asyncio.create_task(apart.call(preview.complete))
        try:
            if not await self._done_before_an_edit(work):
                return
        finally:
            work.cancel()
        others = await work
        self._say(f"all pages in step after {time.monotonic() - began:.1f} s more")
        if any(name.endswith(".html") for name in others):
            self._reload()

    async def _rerun(self) -> bool:
        """Make the results anew; return False if an edit came that asks for others."""
        build = await asyncio.create_subprocess_exec(
            *BUILD,
            cwd=paths.root(),
            start_new_session=True,  # it is interrupted here, not by the terminal as well
        )
        ended = asyncio.create_task(build.wait())
        try:
            code = await apart.call(preview.present_code)
            while not await self._done_before_an_edit(ended):
                if await self._asks_for_others(code):
                    return False
        finally:
            if not ended.done():
                os.killpg(build.pid, signal.SIGINT)
                await ended
        if build.returncode:
            raise PoolscreenError("what it reruns has failed; see above")
        return True

    async def _asks_for_others(self, code: dict[str, str]) -> bool:
        """Take up edits while results are made; tell whether they rerun any themselves."""
        edited = self._take()
        try:
            jobs = await apart.call(preview.jobs, sorted(edited), code)
        except PoolscreenError:
            return True  # what is wrong will be said
        if not jobs:
            self._say(f"{_listed(edited)}: shown when this is done")
        return bool(jobs)

    async def _done_before_an_edit[T](self, work: asyncio.Task[T]) -> bool:
        """Wait until some work is done, or an edit noticed."""
        noticed = asyncio.create_task(self._edited.wait())
        await asyncio.wait([work, noticed], return_when=asyncio.FIRST_COMPLETED)
        noticed.cancel()
        return work.done()


def _listed(names: Collection[str], most: int = 6) -> str:
    """List names, if they are many the first of them."""
    shown = ", ".join(sorted(names)[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"

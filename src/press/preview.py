"""A preview of the site, brought in step with edits while someone waits.

The site itself is built from nothing, apart from the last good one, and its links are followed
(`press.site`). Here Sphinx keeps what it has read of the pages that were not edited. What they
show of others, such as titles and numbers, is brought in step afterwards, by `complete`.
"""

import contextlib
import filecmp
import io
import json
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from poolscreen.errors import PoolscreenError
from press import chapters, flow, paths, publishing, repository, site, staging, steps


@dataclass
class Outcome:
    """What became of edits.

    Attributes
    ----------
    jobs : list of str
        What has to run before they can be shown, as `step name`.
    files : list of str
        Files of the preview that are others now.
    complete : bool
        Whether all pages are in step, not only those that were edited.
    """

    jobs: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    complete: bool = False


def html_path() -> Path:
    """Return the folder of the pages that are served: the last good ones."""
    return _folder() / "html"


def _folder() -> Path:
    return paths.root() / "_build" / "preview"


# -- edits -----------------------------------------------------------------------------------


def take_up(edited: Collection[str], commit: repository.Commit) -> Outcome:
    """Bring the preview in step with edits, or say what has to run first.

    Parameters
    ----------
    edited : collection of str
        Files whose content has changed, from the project's folder.
    commit : press.repository.Commit
        The commit that the pages name.

    Returns
    -------
    Outcome

    Raises
    ------
    PoolscreenError
        If an edit would stop a build, or Sphinx finds fault with a page. The pages that are
        served are then left as they were.
    """
    if not (_record().is_file() and all(map(_is_page, edited))):
        needed = jobs(edited, executed_code(chapters.names()))
        return Outcome(needed) if needed else refresh(commit)
    written = [chapter for chapter in chapters.names() if _halves(chapter) & set(edited)]
    for chapter in written:
        steps.check_chapter(chapter)
    needed = _executions(executed_code(written))
    return Outcome(needed) if needed else Outcome(files=_show(written, commit))


def _is_page(path: str) -> bool:
    """Tell whether a file is the source of one page, and perhaps no more than that."""
    place = (path.partition("/")[0], Path(path).suffix)
    pages = {("book", ".md"), (chapters.FOLDER, ".py"), (chapters.FOLDER, ".ipynb")}
    return place in pages and (paths.root() / path).is_file()


def _halves(chapter: str) -> set[str]:
    """Return the script of a chapter and its notebook, from the project's folder."""
    return set(map(paths.short, (chapters.script_path(chapter), chapters.notebook_path(chapter))))


def jobs(edited: Collection[str], code: Mapping[str, str]) -> list[str]:
    """Return what edits make run again, before they can be shown.

    Parameters
    ----------
    edited : collection of str
        Files whose content has changed, from the project's folder.
    code : mapping of str to str
        The digest of the code of each chapter that has been executed, or is being executed.

    Returns
    -------
    list of str
        Jobs, as `step name`. What depends on their results may follow.

    Examples
    --------
    >>> jobs(["book/index.md"], code={})
    []
    >>> jobs(["src/poolscreen/models/m7c.py"], code={})[:3]
    ['fit m7c', 'calibrate m7c', 'predict m7c']
    """
    reruns = steps.reruns()
    found = [job for path in edited for job in reruns.get(path, []) if job != "site"]
    # The rules themselves: the workflow knows what it has made by which.
    found += [path for path in edited if path.startswith("workflow/")]
    return list(dict.fromkeys([*found, *_executions(code)]))


def _executions(code: Mapping[str, str]) -> list[str]:
    """Return the jobs that execute chapters whose code is another now."""
    return [f"execute {name}" for name, digest in code.items() if digest != _code_of(name)]


def _code_of(chapter: str) -> str:
    return chapters.code_digest(chapters.read(chapter))


def present_code() -> dict[str, str]:
    """Return the digest of the code of each chapter, as it is now."""
    return {chapter: _code_of(chapter) for chapter in chapters.names()}


def executed_code(names: Iterable[str]) -> dict[str, str]:
    """Return the digests of the code that chapters were executed with; empty if they were not."""
    return {
        name: chapters.code_digest(chapters.read_executed(name))
        if paths.executed_path(name).is_file()
        else ""
        for name in names
    }


# -- pages -----------------------------------------------------------------------------------


def begin() -> None:
    """Show the published site, until the first edit."""
    mirror(publishing.html_path(), html_path(), _link)


def prepare(commit: repository.Commit) -> None:
    """Have Sphinx read what it has not read yet; the pages that are served stay.

    Parameters
    ----------
    commit : press.repository.Commit
        The commit that the pages name.

    Raises
    ------
    PoolscreenError
        See `refresh`.
    """
    steps.check()
    record, code = _record(), _code()
    before = json.loads(record.read_text()) if record.is_file() else {}
    known = bool(before) and _makes_pages(before) == _makes_pages(code)
    complete = before == code and not _incomplete().is_file()
    record.unlink(missing_ok=True)
    fresh = _fresh()
    staging.stage(fresh, commit)
    changed = mirror(fresh, _staged(), move)
    if "_config.yml" in changed or not known:
        shutil.rmtree(_built(), ignore_errors=True)
    _built().mkdir(exist_ok=True)
    if changed or not complete:
        _incomplete().touch()
    record.write_text(json.dumps(code))
    if changed or not complete:
        _run_sphinx(all_pages=True)


def _record() -> Path:
    """Return where it says what code has read the pages; it is there when all are staged."""
    return _built() / "code.json"


def _incomplete() -> Path:
    """Return what is there while pages may not be in step with what they show of others."""
    return _built() / "incomplete"


def _code() -> dict[str, str]:
    """Return the digests of the code that pages are made with, or show."""
    modules = (paths.root() / "src").rglob("*.py")
    return flow.digest([steps.LOCK, *map(paths.short, modules)])


def _makes_pages(code: Mapping[str, str]) -> dict[str, str]:
    """Return the digests of that code which Sphinx knows nothing of; the other it reads itself."""
    return {path: digest for path, digest in code.items() if "/poolscreen/" not in path}


def refresh(commit: repository.Commit) -> Outcome:
    """Bring all pages in step with their sources and with the results.

    Parameters
    ----------
    commit : press.repository.Commit
        The commit that the pages name.

    Returns
    -------
    Outcome

    Raises
    ------
    PoolscreenError
        If something would stop a build, Sphinx finds fault with a page, or a result is not up to
        date. The pages that are served are then left as they were.
    """
    prepare(commit)
    return Outcome(files=mirror(_built() / "html", html_path(), copy), complete=True)


def _show(written: Iterable[str], commit: repository.Commit) -> list[str]:
    """Bring the pages that were edited in step, chapters among them; return what is other now."""
    _incomplete().touch()
    fresh = _fresh()
    staging.stage_prose(fresh, commit)
    for chapter in written:
        staging.stage_chapter(fresh, chapter, commit)
    bring(_files(fresh), fresh, _staged(), move)
    since = _now()
    _run_sphinx(all_pages=False)
    # Not what a process that was ended, or a page with faults, left behind.
    html = _built() / "html"
    whole = {
        name
        for name in _files(html)
        if not name.endswith(".html") or (html / name).stat().st_mtime_ns >= since
    }
    return bring(whole, html, html_path(), copy)


def complete() -> list[str]:
    """Bring in step what pages show of others; return the files that are others now.

    Raises
    ------
    PoolscreenError
        If Sphinx finds fault with a page that was not edited.
    """
    _run_sphinx(all_pages=True)
    return mirror(_built() / "html", html_path(), copy)


def _fresh() -> Path:
    """Return a folder to stage in, empty."""
    fresh = _folder() / "fresh"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    return fresh


def _staged() -> Path:
    return _folder() / "book"


def _built() -> Path:
    return _folder() / "sphinx"


# -- Sphinx ----------------------------------------------------------------------------------


def _run_sphinx(*, all_pages: bool) -> None:
    """Read what has changed, and write these pages or all.

    In this process, it does what `site.run_jupyter_book` does in one of its own, from nothing.
    """
    from jupyter_book.sphinx import build_sphinx
    from sphinx.util.console import nocolor

    nocolor()
    staged, said = _staged(), io.StringIO()
    # Of what extensions put there last, the pages of a build from nothing name no checksum.
    static = _built() / "html" / "_static"
    shutil.rmtree(static, ignore_errors=True)
    static.mkdir(parents=True)
    with (
        reading(_built() / "doctrees"),
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(said),
    ):
        failed = build_sphinx(
            staged,
            _built() / "html",
            noconfig=True,
            path_config=staged / "_config.yml",
            confoverrides={
                "external_toc_path": (staged / "_toc.yml").as_posix(),
                "latex_individualpages": False,
                "nitpicky": True,
            },
            doctreedir=_built() / "doctrees",
            force_all=all_pages,
            quiet=True,
            warningiserror=True,
            keep_going=True,
        )
        if failed:
            raise PoolscreenError(site.faults(said.getvalue(), staged))
    if all_pages:
        _incomplete().unlink(missing_ok=True)


@contextlib.contextmanager
def reading(doctrees: Path) -> Iterator[None]:
    """Have Sphinx read again what it read in vain: it would not name the same fault twice."""
    unfinished = doctrees / "unfinished"
    if unfinished.exists():
        since = unfinished.stat().st_mtime_ns
        for read in doctrees.rglob("*.doctree"):
            if read.stat().st_mtime_ns >= since:
                read.unlink()
    else:
        doctrees.mkdir(parents=True, exist_ok=True)
        unfinished.touch()
    yield
    unfinished.unlink()


def _now() -> int:
    """Return the time by the clock of the files."""
    clock = _folder() / "clock"
    clock.touch()
    return clock.stat().st_mtime_ns


# -- folders ---------------------------------------------------------------------------------

Put = Callable[[Path, Path], None]


def mirror(source: Path, target: Path, put: Put) -> list[str]:
    """Bring a folder in step with another; files whose content is the same are left alone.

    Parameters
    ----------
    source, target : pathlib.Path
        The folders.
    put : callable
        Brings a file of `source` to its place in `target`.

    Returns
    -------
    list of str
        Files that are others in `target` now, or gone, sorted.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     source, target = Path(folder, "source"), Path(folder, "target")
    ...     for path, text in [(source / "a", "1"), (source / "b", "2"), (target / "b", "2")]:
    ...         path.parent.mkdir(exist_ok=True)
    ...         _ = path.write_text(text)
    ...     mirror(source, target, copy)
    ...     mirror(source, target, copy)
    ['a']
    []
    """
    there, gone = _files(source), _files(target) - _files(source)
    for name in gone:
        (target / name).unlink()
    return sorted([*bring(there, source, target, put), *gone])


def bring(names: Iterable[str], source: Path, target: Path, put: Put) -> list[str]:
    """Bring files of a folder in step with those of another; see `mirror`."""
    changed = [name for name in sorted(names) if not _same(source / name, target / name)]
    for name in changed:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        put(source / name, target / name)
    return changed


def _files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def _same(one: Path, other: Path) -> bool:
    return other.is_file() and filecmp.cmp(one, other)


def copy(source: Path, target: Path) -> None:
    """Copy a file; who reads the target sees the old one or the new one."""
    part = target.with_name(f".{target.name}.part")
    shutil.copy2(source, part)
    part.replace(target)


def _link(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    target.hardlink_to(source)


def move(source: Path, target: Path) -> None:
    """Move a file where Sphinx reads it."""
    source.replace(target)
    if target.stat().st_nlink == 1:  # a result is linked, and keeps its time
        target.touch()  # Sphinx reads what is newer than what it has read

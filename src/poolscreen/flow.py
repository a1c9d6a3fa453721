"""What depends on what, derived from the code: the inputs of the workflow's rules."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import grimp

from poolscreen import chapters, models, project, prose
from poolscreen.errors import PoolscreenError

PACKAGE = "poolscreen"
LOCK = "uv.lock"
AUTOMODULE = re.compile(r"^\.\. automodule:: ([\w.]+)$", re.MULTILINE)


@cache
def _import_graph() -> grimp.ImportGraph:
    return grimp.build_graph(PACKAGE, cache_dir=None)


def module_paths(names: Iterable[str]) -> list[str]:
    """Return the files of modules and of all that they import, directly or not.

    Parameters
    ----------
    names : iterable of str
        Fully dotted names; those that are not modules of the package are passed over.

    Returns
    -------
    list of str
        Paths from the project's folder, sorted.
    """
    graph = _import_graph()
    modules = {name for name in names if name in graph.modules}
    for name in list(modules):
        modules |= graph.find_upstream_modules(name)
    # Importing a module runs the packages that it lies in.
    for name in list(modules):
        parts = name.split(".")
        modules |= {".".join(parts[:i]) for i in range(1, len(parts))}
    return sorted(_module_path(name) for name in modules)


def _module_path(name: str) -> str:
    path = Path("src", *name.split("."))
    package = path / "__init__.py"
    return (package if (project.root() / package).is_file() else path.with_suffix(".py")).as_posix()


def screen_sources() -> list[str]:
    """Return what the simulated screen depends on."""
    return [LOCK, *module_paths([f"{PACKAGE}.simulate"])]


def counts_sources(screen: str) -> list[str]:
    """Return what a real screen depends on.

    Raises
    ------
    PoolscreenError
        If there are no counts of that name.
    """
    files = [project.counts_path(screen), project.samples_path(screen)]
    for path in files:
        if not path.is_file():
            raise PoolscreenError(f"there is no screen {screen!r}: {_short(path)} is not there")
    return [LOCK, *module_paths([f"{PACKAGE}.counts"]), *map(_short, files)]


def fit_sources(fit: str) -> list[str]:
    """Return what a fit depends on, besides the screen."""
    _, model = project.split_fit(fit)
    return [LOCK, *module_paths([f"{PACKAGE}.sampling", f"{PACKAGE}.models.{model}"])]


def fit_screen(fit: str) -> str:
    """Return the path of the screen that a fit is of."""
    return _short(project.screen_path(project.split_fit(fit)[0]))


def fit_names() -> list[str]:
    """Return the fits of the book: every model on the simulated screen, and what chapters load."""
    loaded = (fit for name in chapters.names() for fit in chapter_fits(name))
    return sorted({*models.names(), *loaded})


def screen_names() -> list[str]:
    """Return the real screens of the book: those that chapters load, or fits of them."""
    loaded = (
        screen
        for name in chapters.names()
        for screen in [
            *chapters.loaded(name, "load_screen"),
            *(project.split_fit(fit)[0] for fit in chapter_fits(name)),
        ]
    )
    return sorted({screen for screen in loaded if screen})


def samplers_sources() -> list[str]:
    """Return what the comparison of samplers depends on, besides the screen."""
    return [LOCK, *module_paths([f"{PACKAGE}.comparison"])]


def calibration_sources(model: str) -> list[str]:
    """Return what the calibration of a model depends on."""
    return [
        LOCK,
        *module_paths([f"{PACKAGE}.calibration", f"{PACKAGE}.models.{model}"]),
    ]


def predictions_sources(model: str) -> list[str]:
    """Return what the predictions of a model depend on, besides the screen and the fit."""
    return [
        LOCK,
        *module_paths([f"{PACKAGE}.prediction", f"{PACKAGE}.models.{model}"]),
    ]


def chapter_sources(chapter: str) -> list[str]:
    """Return what an executed chapter depends on, besides its code and the results it loads.

    Raises
    ------
    PoolscreenError
        If it loads a benchmark that has not been run.
    """
    measured = []
    for name in sorted(chapters.loaded(chapter, "load_benchmark")):
        path = project.benchmark_path(name)
        if not path.is_file():
            raise PoolscreenError(
                f"{chapter} loads {path}, which is not there; `make bench` makes it"
            )
        measured.append(_short(path))
    opened = map(_short, chapters.opened_files(chapter))
    return [
        LOCK,
        *module_paths({*chapters.imported_modules(chapter), f"{PACKAGE}.execution"}),
        *measured,
        *sorted(opened),
    ]


def chapter_fits(chapter: str) -> list[str]:
    """Return the fits that a chapter loads, or tables of them, from its calls of the loaders.

    Raises
    ------
    PoolscreenError
        If no model makes a fit, or there is no such screen.
    """
    fits = chapters.loaded(chapter, "load_fit") | chapters.loaded(chapter, "load_table")
    for fit in fits:
        screen, model = project.split_fit(fit)
        if model not in models.names():
            raise PoolscreenError(
                f"{chapter} loads the fit of {model!r}, which no model makes; there are "
                + ", ".join(models.names())
            )
        if screen:
            counts_sources(screen)
    return sorted(fits)


def chapter_results(chapter: str) -> list[str]:
    """Return the results that a chapter loads, from its calls of the loaders.

    Raises
    ------
    PoolscreenError
        If it loads what nothing makes.
    """
    results = []
    for screen in sorted(chapters.loaded(chapter, "load_screen")):
        if screen:
            counts_sources(screen)
        results.append(project.screen_path(screen))
    if chapters.calls(chapter, "load_truth"):
        results.append(project.truth_path())
    if chapters.calls(chapter, "load_samplers"):
        results.append(project.samplers_path())
    results += [project.fit_path(fit) for fit in chapter_fits(chapter)]
    for model in _models_of(chapter, "load_calibration", "calibration"):
        results += project.calibration_paths(model)
    for model in _models_of(chapter, "load_predictions", "predictions"):
        results.append(project.predictions_path(model))
    return [_short(path) for path in results]


def _models_of(chapter: str, loader: str, what: str) -> list[str]:
    """Return the models whose results a chapter loads, from its calls of a loader."""
    loaded = sorted(chapters.loaded(chapter, loader))
    for model in loaded:
        if not models.exists(model):
            raise PoolscreenError(
                f"{chapter} loads the {what} of {model!r}, which is no model; there are "
                + ", ".join(models.names())
            )
    return loaded


def other_results() -> list[str]:
    """Return what chapters load besides screens and fits: each carries its own record."""
    loaded = (result for name in chapters.names() for result in chapter_results(name))
    fits = _short(project.root() / "results" / "fits")
    return sorted({r for r in loaded if r.endswith(".nc") and not r.startswith(fits)})


def _short(path: Path) -> str:
    return path.relative_to(project.root()).as_posix()


def site_sources() -> list[str]:
    """Return the prose and settings that the site is made from, besides the results."""
    pages = [
        f"{page}.py" if page.startswith("notebooks/") else f"{page}.md" for page in chapters.toc()
    ]
    assets = [
        _short(path)
        for path in (project.root() / "book").rglob("*")
        if path.is_file() and not path.name.startswith(".")
    ]
    documented = {
        module
        for page in pages
        for module in AUTOMODULE.findall((project.root() / page).read_text())
    }
    # Sphinx loads the second by its name in _config.yml.
    modules = {f"{PACKAGE}.site", f"{PACKAGE}.directives", *documented}
    settings = ["_config.yml", "_toc.yml", LOCK]
    return sorted({*settings, *pages, *assets, *module_paths(modules)})


def digest(paths: Iterable[str]) -> dict[str, str]:
    """Return the SHA-256 of the content of each file, by its path from the project's folder."""
    return {
        path: hashlib.sha256((project.root() / path).read_bytes()).hexdigest()
        for path in sorted(set(paths))
    }


def check_fresh(what: str, files: Mapping[str, str]) -> None:
    """Refuse a result if a file that it was made from, or with, has changed since.

    The workflow sees to that; this is the second lock on the door to the reader.

    Parameters
    ----------
    what : str
        What was made.
    files : mapping of str to str
        The SHA-256 of each file when it was made.

    Raises
    ------
    PoolscreenError
        It names the file.
    """
    for path, recorded in files.items():
        if not (project.root() / path).is_file() or digest([path])[path] != recorded:
            raise PoolscreenError(
                f"{path} is not what it was when {what} was made; run `make book` again, and if "
                "this message comes back, `make clean book`"
            )


def check() -> None:
    """Find what would stop the build, before anything runs.

    Raises
    ------
    PoolscreenError
        If a chapter or page of `_toc.yml` is not there, a pair differs, a cell is not Python, a
        chapter loads what nothing makes, or its prose types numbers by hand.
    """
    try:
        _import_graph()
    except grimp.exceptions.SourceSyntaxError as error:
        raise PoolscreenError(f"the package is not Python: {error}") from error
    for chapter in chapters.names():
        chapters.check_pair(chapter)
        chapters.check_loading(chapter)
        chapter_results(chapter)
        chapter_sources(chapter)
        prose.check(chapter)

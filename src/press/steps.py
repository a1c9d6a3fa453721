"""The steps of the workflow: which jobs each has in this book, and what a job is made from."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from poolscreen import models, processes
from poolscreen.errors import PoolscreenError
from press import chapters, flow, locks, made, paths, prose, times, uses

LOCK = "uv.lock"
# One hash seed, as PyMC draws its graphs in the order of a set.
ENVIRONMENT = {"PYTHONPATH": "src", "PYTHONHASHSEED": "0", **processes.ONE_THREAD}
# They find a result and hand it over as it is: what a chapter shows does not depend on them.
CARRIERS = frozenset({"press.results", "press.paths"})
AUTOMODULE = re.compile(r"^\.\. automodule:: ([\w.]+)$", re.MULTILINE)


def _nothing(_: str) -> list[str]:
    return []


@dataclass(frozen=True)
class Step:
    """A step of the workflow.

    Attributes
    ----------
    names : callable
        Names of its jobs in this book, for example `m7a` of the step `fit`.
    modules : callable
        Modules that make the result, by the name of the job. What they import counts as well.
    files : callable
        Files of the repository that the job reads, from the project's folder.
    results : callable
        Results of other jobs that it reads, likewise.
    makes : callable
        Files that it makes, or folders of files, likewise.
    aside : frozenset of str
        Modules that are imported, and on which the result does not depend.
    """

    names: Callable[[], list[str]]
    modules: Callable[[str], list[str]]
    files: Callable[[str], list[str]] = _nothing
    results: Callable[[str], list[str]] = _nothing
    makes: Callable[[str], list[str]] = _nothing
    aside: frozenset[str] = frozenset()


def sources(step: str, name: str = "") -> list[str]:
    """Return the files of the repository that a job's result depends on.

    Parameters
    ----------
    step : str
        One of `STEPS`.
    name : str
        Name of the job; empty where a step has one job.

    Returns
    -------
    list of str
        Paths from the project's folder: the lock of the environment, files, and modules with all
        that they import.
    """
    made_by = STEPS[step]
    modules = flow.module_files(flow.upstream(made_by.modules(name)) - made_by.aside)
    return [LOCK, *made_by.files(name), *modules]


def results(step: str, name: str = "") -> list[str]:
    """Return the results of other jobs that a job reads, from the project's folder."""
    return STEPS[step].results(name)


@dataclass(frozen=True)
class Inputs:
    """What a job is made from: the SHA-256 of each file, as it was when the job began."""

    job: str
    files: dict[str, str]

    def unchanged(self) -> dict[str, str]:
        """Return the digests for the record of the result, if no file has changed meanwhile.

        Raises
        ------
        PoolscreenError
            It names the file that has.
        """
        flow.check_fresh(self.job, self.files)
        return self.files


@contextmanager
def job(step: str, name: str = "") -> Iterator[Inputs]:
    """Do a job in no two processes at once; its inputs are read before its code is imported.

    Parameters
    ----------
    step, name : str
        See `sources`.

    Yields
    ------
    Inputs
    """
    title = f"{step} {name}".strip()
    with locks.alone(title), times.taken(title):
        yield Inputs(title, flow.digest([*sources(step, name), *results(step, name)]))
        made.record(title, STEPS[step].makes(name))


# -- screens ---------------------------------------------------------------------------------


def screen_names() -> list[str]:
    """Return the real screens of the book: those that chapters load, or fits of them."""
    loaded = (
        screen
        for chapter in chapters.names()
        for screen in [
            *uses.loaded(chapter, "load_screen"),
            *(paths.split_fit(fit)[0] for fit in chapter_fits(chapter)),
        ]
    )
    return sorted({screen for screen in loaded if screen})


def counts_files(screen: str) -> list[str]:
    """Return the files that a real screen is made from.

    Raises
    ------
    PoolscreenError
        If there are no counts of that name.
    """
    files = [paths.short(path) for path in (paths.counts_path(screen), paths.samples_path(screen))]
    for path in files:
        if not (paths.root() / path).is_file():
            raise PoolscreenError(f"there is no screen {screen!r}: {path} is not there")
    return files


def fit_screen(fit: str) -> list[str]:
    """Return the screen that a fit is of."""
    return [paths.short(paths.screen_path(paths.split_fit(fit)[0]))]


# -- what chapters load ----------------------------------------------------------------------


def chapter_fits(chapter: str) -> list[str]:
    """Return the fits that a chapter loads, or tables of them, from its calls of the loaders.

    Raises
    ------
    PoolscreenError
        If no model makes a fit, or there is no such screen.
    """
    fits = uses.loaded(chapter, "load_fit") | uses.loaded(chapter, "load_table")
    for fit in fits:
        screen, model = paths.split_fit(fit)
        if model not in models.names():
            raise PoolscreenError(
                f"{chapter} loads the fit of {model!r}, which no model makes; there are "
                + ", ".join(models.names())
            )
        if screen:
            counts_files(screen)
    return sorted(fits)


def chapter_results(chapter: str) -> list[str]:
    """Return the results that a chapter loads, from its calls of the loaders.

    Raises
    ------
    PoolscreenError
        If it loads what nothing makes.
    """
    loaded = []
    for screen in sorted(uses.loaded(chapter, "load_screen")):
        if screen:
            counts_files(screen)
        loaded.append(paths.screen_path(screen))
    if uses.calls(chapter, "load_truth"):
        loaded.append(paths.truth_path())
    loaded += [paths.fit_path(fit) for fit in chapter_fits(chapter)]
    loaded += [paths.attempt_path(attempt) for attempt in _attempts_of(chapter)]
    for model in _models_of(chapter, "load_calibration", "calibration"):
        loaded.append(paths.calibration_path(model))
    for model in _models_of(chapter, "load_predictions", "predictions"):
        loaded.append(paths.predictions_path(model))
    return [paths.short(path) for path in loaded]


def _models_of(chapter: str, loader: str, what: str) -> list[str]:
    """Return the models whose results a chapter loads, from its calls of a loader."""
    loaded = sorted(uses.loaded(chapter, loader))
    for model in loaded:
        if not models.exists(model):
            raise PoolscreenError(
                f"{chapter} loads the {what} of {model!r}, which is no model; there are "
                + ", ".join(models.names())
            )
    return loaded


def _attempts_of(chapter: str) -> list[str]:
    """Return the attempts that a chapter loads, for example `m7b/pymc`, from its calls."""
    attempts = sorted(uses.loaded(chapter, "load_attempt"))
    for attempt in attempts:
        if not models.exists(attempt.partition("/")[0]):
            raise PoolscreenError(
                f"{chapter} loads the attempt {attempt!r}, which is no model and sampler, such as "
                f"'m7b/pymc'; there are the models {', '.join(models.names())}"
            )
    return attempts


def chapter_modules(chapter: str) -> list[str]:
    """Return the modules that a chapter imports, and what executes it."""
    graph = flow.import_graph()
    modules = {"press.execution"}
    for module, name in uses.imports(chapter):
        if module.partition(".")[0] in flow.PACKAGES:
            modules |= {module} | ({f"{module}.{name}"} & graph.modules)
    return sorted(modules)


def chapter_files(chapter: str) -> list[str]:
    """Return the files of the repository that a chapter reads.

    Raises
    ------
    PoolscreenError
        If it loads a benchmark that has not been run.
    """
    measured = []
    for name in sorted(uses.loaded(chapter, "load_benchmark")):
        path = paths.benchmark_path(name)
        if not path.is_file():
            raise PoolscreenError(
                f"{chapter} loads {path}, which is not there; `make bench` makes it"
            )
        measured.append(path)
    return [paths.short(path) for path in [*measured, *uses.opened_files(chapter)]]


# -- the jobs of this book -------------------------------------------------------------------


def fit_names() -> list[str]:
    """Return the fits of the book: those that chapters load."""
    loaded = (fit for chapter in chapters.names() for fit in chapter_fits(chapter))
    return sorted(set(loaded))


def _loaded_models(loader: str) -> list[str]:
    loaded = (uses.loaded(chapter, loader) for chapter in chapters.names())
    return sorted(set().union(*loaded))


def _attempts() -> list[str]:
    return sorted({attempt for chapter in chapters.names() for attempt in _attempts_of(chapter)})


def recorded_results() -> list[str]:
    """Return what chapters load besides screens and fits: each carries its own record."""
    loaded = (result for chapter in chapters.names() for result in chapter_results(chapter))
    return sorted({r for r in loaded if r.endswith(".nc") and not r.startswith("results/fits/")})


def _site_files(_: str) -> list[str]:
    """Return the prose and settings that the site is made from."""
    assets = [
        paths.short(path)
        for path in (paths.root() / "book").rglob("*")
        if path.is_file() and not path.name.startswith(".")
    ]
    return sorted({"_config.yml", "_toc.yml", *_pages(), *assets})


def _pages() -> list[str]:
    return [
        f"{page}.py" if page.startswith("notebooks/") else f"{page}.md" for page in chapters.toc()
    ]


def _site_modules(_: str) -> list[str]:
    """Return the modules that make the site, and those whose docstrings it shows."""
    texts = ((paths.root() / page).read_text() for page in _pages())
    documented = {module for text in texts for module in AUTOMODULE.findall(text)}
    # Sphinx loads the second by its name in _config.yml.
    return sorted({"press.site", "press.directives", *documented, *CARRIERS})


def _site_results(_: str) -> list[str]:
    executed = (paths.executed_path(chapter) for chapter in chapters.names())
    fits = (paths.fit_path(fit) for fit in fit_names())
    screens = (paths.screen_path(screen) for screen in ["", *screen_names()])
    made = [paths.short(path) for path in (*executed, *fits, *screens, paths.truth_path())]
    return [*made, *recorded_results()]


def _one() -> list[str]:
    return [""]


def _paths(*functions: Callable[[str], Path]) -> Callable[[str], list[str]]:
    """Return what gives the paths of what a job makes."""
    return lambda name: [paths.short(path(name)) for path in functions]


def _model(name: str) -> str:
    return f"poolscreen.models.{name}"


STEPS = {
    "simulate": Step(
        _one,
        lambda _: ["poolscreen.screens.simulate"],
        makes=_paths(paths.screen_path, lambda _: paths.truth_path()),
    ),
    # A real screen, from read counts that lie in the repository.
    "fold-change": Step(
        screen_names,
        lambda _: ["poolscreen.screens.reading", "poolscreen.screens.counts"],
        files=counts_files,
        makes=_paths(paths.screen_path),
    ),
    "fit": Step(
        fit_names,
        lambda fit: [
            "poolscreen.inference.fitting",
            "poolscreen.inference.store",
            _model(paths.split_fit(fit)[1]),
        ],
        results=fit_screen,
        makes=_paths(paths.fit_path, paths.tables_path),
    ),
    "calibrate": Step(
        lambda: _loaded_models("load_calibration"),
        lambda model: ["poolscreen.inference.calibration", _model(model)],
        makes=_paths(paths.calibration_path),
    ),
    "predict": Step(
        lambda: _loaded_models("load_predictions"),
        lambda model: ["poolscreen.inference.recovery", _model(model)],
        results=fit_screen,
        makes=_paths(paths.predictions_path),
    ),
    # What fails by intent: the sampler is not the book's.
    "attempt": Step(
        _attempts,
        lambda attempt: ["poolscreen.inference.samplers", _model(Path(attempt).parent.name)],
        results=lambda _: fit_screen(""),
        makes=_paths(paths.attempt_path),
    ),
    "execute": Step(
        chapters.names,
        chapter_modules,
        chapter_files,
        chapter_results,
        makes=_paths(paths.executed_path),
        aside=CARRIERS,
    ),
    "site": Step(_one, _site_modules, _site_files, _site_results),
}


def reruns() -> dict[str, list[str]]:
    """Return which jobs an edit of each file makes run again.

    Results that come out the same rerun nothing further; what depends on those that do not, runs
    as well.

    Returns
    -------
    dict of str to list of str
        Jobs, as `step name`, by the path of the file from the project's folder.
    """
    jobs: dict[str, list[str]] = {
        path: [] for path in flow.module_files(flow.import_graph().modules)
    }
    for step, made_by in STEPS.items():
        for name in made_by.names():
            for path in sources(step, name):
                jobs.setdefault(path, []).append(f"{step} {name}".strip())
    return jobs


def check() -> None:
    """Find what would stop the build, before anything runs.

    Raises
    ------
    PoolscreenError
        If a chapter or page of `_toc.yml` is not there, a pair differs, a cell is not Python, a
        chapter imports or loads what is not there, or its prose types numbers by hand.
    """
    for chapter in chapters.names():
        check_chapter(chapter)


def check_chapter(chapter: str) -> None:
    """Find what of a chapter would stop the build; see `check`."""
    chapters.check_pair(chapter)
    uses.check_loading(chapter)
    results("execute", chapter)
    sources("execute", chapter)
    prose.check(chapter)

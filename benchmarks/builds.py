"""Builds of this book beside a plain Jupyter Book of the same chapters with its own cache.

The plain book executes the same notebooks inside `jupyter-book build`, with
`execute_notebooks: cache`. Where a chapter of this book loads a result, the plain one computes it
in the notebook: it samples with PyMC's own NUTS, and passes no gate. Chapter 5 is added last, in
both with a few data sets per model: a thousand by PyMC's NUTS would take hours.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.tree import Tree

from poolscreen.inference import calibration
from press import chapters, measurements, paths, steps

ADDED_LAST = "05_calibration"
# Chapters 1 to 4 are built; what comes after them loads what takes a plain book hours.
LEFT_OUT = tuple(chapters.names()[4:])
DATA_SETS = 20  # of each calibration, where the book has calibration.DATA_SETS

# What the plain book's loaders do instead, appended to the module that holds them.
LOADERS = "src/press/results.py"
OVERLAY = """

import functools
from dataclasses import replace


def load_screen():
    from poolscreen.screens.simulate import Design, simulate

    return Screen(simulate(Design())[0])


def load_truth(parameter):
    from poolscreen.screens.simulate import Design, simulate

    truth = simulate(Design())[1]
    chosen = truth[truth["parameter"] == parameter].drop(columns="parameter")
    return chosen.dropna(axis="columns", how="all").reset_index(drop=True)


@functools.cache
def _fitted(model):
    from poolscreen.inference import fitting, samplers, sampling

    fitting.sample = lambda model, screen, settings, say: samplers.sample_with_pymc(
        model.build(screen), settings
    )
    fitting.gate.check_gate = fitting.gate.check_distance = lambda *_: None
    return fitting.fit(model, load_screen(), sampling.Settings())


def load_fit(model):
    return _fitted(model)[0]


def load_table(model, name):
    return _fitted(model)[1][name]


def load_attempt(name):
    from poolscreen import models
    from poolscreen.inference import samplers, sampling

    model, sampler = name.split("/")
    return samplers.attempt(models.get(model), load_screen(), sampler, sampling.Settings())


def load_calibration(model):
    from poolscreen import models
    from poolscreen.inference import calibration, gate, refitting, samplers
    from poolscreen.inference.sampling import Settings
    from poolscreen.models import _m7a_variance, m7a

    class Plain:
        def __init__(self, fitted, screen):
            self.model = m7a if fitted is _m7a_variance else fitted

        def fit(self, screen, seed):
            settings = Settings(draws=700, tune=300, target_accept=0.8, seed=seed)
            sampled = samplers.sample_with_pymc(self.model.build(screen), settings)
            posterior, stats = (sampled[g].to_dataset() for g in ("posterior", "sample_stats"))
            diagnosed = gate.diagnose_draws(posterior[self.model.FAMILY.parameters], stats)
            thinned = posterior.isel(draw=slice(None, None, refitting.THIN))
            return thinned, "; ".join(gate.faults(diagnosed))

    calibration.refit = Plain
    return calibration.calibrate(models.get(model), calibration.design(), say=print)
"""


class Ours:
    """A copy of this project, without what is left out."""

    def __init__(self, folder: Path) -> None:
        self.tree = copy_sources(folder)
        self.edit, self.edit_chapter = self.tree.edit, self.tree.edit_chapter

    def build(self) -> None:
        """Bring the site up to date."""
        built = self.tree.press("build")
        assert built.returncode == 0, built.stdout

    def page(self, chapter: str) -> str:
        """Return the text of a page."""
        return text_of(self.tree.page(f"notebooks/{chapter}"))


class Plain:
    """A plain Jupyter Book of the same chapters."""

    def __init__(self, folder: Path) -> None:
        self.tree = copy_sources(folder)
        self.edit, self.edit_chapter = self.tree.edit, self.tree.edit_chapter
        self.edit("_config.yml", 'execute_notebooks: "off"', "execute_notebooks: cache")
        self.edit("_config.yml", "  execute_notebooks: cache", CACHE)
        (folder / "extra").mkdir()  # what the settings name, and only this book's staging makes
        loaders = folder / LOADERS
        loaders.write_text(loaders.read_text() + OVERLAY)

    def build(self) -> None:
        """Bring the site up to date."""
        command = [
            Path(sys.executable).with_name("jupyter-book"),
            "build",
            "--quiet",
            ".",
        ]
        # The same settings as the jobs of this book have.
        env = {**self.tree.env, **steps.ENVIRONMENT, "PYTHONWARNINGS": "ignore"}
        env["PYTHONPATH"] = str(self.tree.folder / "src")
        ran = subprocess.run(
            command,
            cwd=self.tree.folder,
            env=env,
            check=False,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert ran.returncode == 0, ran.stdout

    def page(self, chapter: str) -> str:
        """Return the text of a page."""
        path = self.tree.folder / "_build" / "html" / "notebooks" / f"{chapter}.html"
        return text_of(path.read_text())


CACHE = """  execute_notebooks: cache
  timeout: -1
  raise_on_error: true"""


def copy_sources(folder: Path) -> Tree:
    """Copy what is in the repository, but for the chapters and pages that are left out."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(
        command, cwd=paths.root(), check=True, text=True, stdout=subprocess.PIPE
    )
    for name in listed.stdout.split():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(paths.root() / name, folder / name)
    shutil.copytree(folder / "book" / "_static", folder / "_static")
    pages = "\n".join(
        f"  - file: {page}"
        for page in [
            *(f"notebooks/{c}" for c in chapters.names() if c not in LEFT_OUT),
            "book/glossary",
            "book/reproducibility",
            "book/bibliography",
        ]
    )
    tree = Tree(folder)
    # With a few data sets, or fits that have not converged, what chapters assert need not hold.
    few, many = f"DATA_SETS = {DATA_SETS}", f"DATA_SETS = {calibration.DATA_SETS}"
    tree.edit("src/poolscreen/inference/calibration.py", many, few)
    # What is left out, at first or for good, cannot be linked to.
    for chapter in chapters.names():
        rewrite(folder, chapter, "^assert ", "_ = ")
        for page in LEFT_OUT:
            rewrite(folder, chapter, rf"\[([^]]*)\]\({page}\)", r"\1")
    assert tree.press("pair").returncode == 0
    (folder / "_toc.yml").write_text(f"format: jb-book\nroot: book/start\nchapters:\n{pages}\n")
    (folder / "book" / "start.md").write_text("# Start\n")
    # This one is made of what only this book's staging makes.
    (folder / "book" / "reproducibility.md").write_text("# Reproducibility\n")
    return tree


def rewrite(folder: Path, chapter: str, pattern: str, by: str) -> None:
    """Replace what matches in the script of a chapter."""
    script = folder / "notebooks" / f"{chapter}.py"
    script.write_text(re.sub(pattern, by, script.read_text(), flags=re.MULTILINE))


def text_of(html: str) -> str:
    """Return the text of a page without tags and line breaks."""
    return " ".join(re.sub(r"<[^>]*>", "", html).split())


Edit = tuple[Callable[[], None], Callable[[], bool]]


def edits(book: Ours | Plain) -> dict[str, Edit]:
    """Give each edit, and what the reader must see after it."""

    def model() -> None:
        path = "src/poolscreen/models/m7a_unpooled.py"
        book.edit(path, "mean=0.0, sd=5.0", "mean=0.0, sd=4.0")
        book.edit(path, '"alpha_gc", 0, 5', '"alpha_gc", 0, 4')

    last, added = "  - file: notebooks/04_integrating_out", f"notebooks/{ADDED_LAST}"

    def shows(chapter: str, text: str) -> Callable[[], bool]:
        return lambda: text in book.page(chapter)

    return {
        "cold": (lambda: None, shows("03_model_7b", "How far is each sgRNA pulled?")),
        "nothing": (lambda: None, shows("02_model_7a", "target acceptance")),
        "prose": (
            lambda: book.edit_chapter("02_model_7a", "### The model", "### THE MODEL"),
            shows("02_model_7a", "THE MODEL"),
        ),
        "code of a chapter": (
            lambda: book.edit_chapter(
                "02_model_7a",
                'diagnostics({"7a": pooled})',
                'diagnostics({"7A": pooled})',
            ),
            shows("02_model_7a", " 7A "),
        ),
        "a helper": (
            lambda: book.edit(
                "src/poolscreen/tables/fits.py", '"target acceptance"', '"TARGET ACCEPTANCE"'
            ),
            shows("02_model_7a", "TARGET ACCEPTANCE"),
        ),
        "a model": (model, shows("02_model_7a", '"alpha_gc", 0, 4')),
        "chapter 5": (
            lambda: book.edit("_toc.yml", last, f"{last}\n  - file: {added}"),
            shows(ADDED_LAST, "Are these posteriors right?"),
        ),
    }


def timed(book: Ours | Plain) -> float:
    started = time.perf_counter()
    book.build()
    return time.perf_counter() - started


def main() -> None:
    """Build both books cold, after each edit, and with chapter 5 added, in turn."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        books = {
            "this book": Ours(Path(folder, "ours")),
            "plain book": Plain(Path(folder, "plain")),
        }
        todo = {name: edits(book) for name, book in books.items()}
        for step in todo["this book"]:
            for name, book in books.items():
                edit, shows = todo[name][step]
                edit()
                seconds, right = timed(book), shows()
                figures = {"after": step, "book": name, "seconds": seconds}
                figures["data_sets"] = DATA_SETS
                found.append(figures | {"right": right})
                print(
                    f"{step:20} {name:10} {seconds:8.1f} s  right: {right}",
                    flush=True,
                )
    measurements.record("builds", found)

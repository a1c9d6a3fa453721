"""What is refused before anything runs, and after: in process, on a copy of the finished book."""

import os
import shutil

import pytest
from tests.tree import copy_project

from poolscreen.errors import PoolscreenError
from press import chapters, flow, publishing, site, staging, steps

pytestmark = pytest.mark.book


@pytest.fixture(scope="module")
def copied(book, tmp_path_factory):
    """One copy for all: each test puts back what it changes."""
    tree = copy_project(book, tmp_path_factory.mktemp("refusals") / "tree")
    yield tree
    tree.remove()


@pytest.fixture
def tree(copied, monkeypatch):
    monkeypatch.chdir(copied.folder)
    return copied


@pytest.fixture
def put(tree):
    """Change a file of the copy; it is put back afterwards."""
    before = {}

    def change(path, content):
        file = tree.folder / path
        before[file] = file.read_bytes()
        file.unlink()  # it is linked to the original
        if content is not None:
            file.write_bytes(content)

    yield change
    for file, content in before.items():
        file.write_bytes(content)


def replaced(tree, path, old, new):
    text = (tree.folder / path).read_text()
    assert old in text
    return text.replace(old, new, 1).encode()


@pytest.mark.parametrize(
    ("path", "old", "new", "message"),
    [
        (
            "_toc.yml",
            "notebooks/02_model_7a",
            "notebooks/02_model_9",
            r"_toc.yml names notebooks/02_model_9, but there is no notebooks/02_model_9\.py",
        ),
        (
            "notebooks/02_model_7a.py",
            "# The original notebook calls its unpooled models",
            "# The original notebook called its unpooled models",
            r"notebooks/02_model_7a\.py and its \.ipynb differ: .* on markdown cell #1",
        ),
    ],
)
def test_faults_of_chapters(tree, put, path, old, new, message):
    steps.check()
    put(path, replaced(tree, path, old, new))
    with pytest.raises(PoolscreenError, match=message):
        steps.check()


@pytest.mark.parametrize(
    ("chapter", "old", "new", "message"),
    [
        (
            "02_model_7a",
            'load_fit("m7a")',
            'load_fit("m7z")',
            "02_model_7a loads the fit of 'm7z', which no model makes; there are m7,",
        ),
        (
            "05_calibration",
            'load_calibration("m7a")',
            'load_calibration("m7z")',
            "05_calibration loads the calibration of 'm7z', which is no model",
        ),
        (
            "02_model_7a",
            "from press.results import",
            "from press.result import",
            "there is no module press.result in src/",
        ),
    ],
)
def test_what_nothing_makes(tree, put, chapter, old, new, message):
    path = f"notebooks/{chapter}.py"
    put(path, replaced(tree, path, old, new))
    put(f"notebooks/{chapter}.ipynb", (tree.folder / f"notebooks/{chapter}.ipynb").read_bytes())
    chapters.write_notebook(chapter)
    with pytest.raises(PoolscreenError, match=message):
        steps.check()


def test_a_measurement_that_is_not_there(tree, put):
    put("results/benchmarks/scaling.json", None)
    with pytest.raises(PoolscreenError, match=r"scaling\.json, which is not there; `make bench`"):
        steps.check()


@pytest.mark.parametrize(
    ("path", "other", "chapter"),
    [
        (
            "results/calibration/m7a.nc",
            "results/calibration/m7b.nc",
            "05_calibration",
        ),
        ("results/fits/m7a.nc", "results/fits/m7a_unpooled.nc", "02_model_7a"),
    ],
)
def test_a_result_from_elsewhere(tree, put, path, other, chapter):
    """Nobody's time stamps or records tell, but the chapter records what it has shown."""
    put(path, (tree.folder / other).read_bytes())
    message = f"{path} is not what it was when {chapter} was made"
    with pytest.raises(PoolscreenError, match=message):
        staging.joined(chapter)


def test_a_table_that_was_edited(tree, put):
    path = "results/tables/m7a/scalars.csv"
    put(path, replaced(tree, path, "mu_alpha_gc", "mu_alpha"))
    message = r"scalars\.csv is not what it was when the fit of m7a was made"
    with pytest.raises(PoolscreenError, match=message):
        staging.fresh_results()


def test_a_truncated_fit(tree, put):
    path = "results/fits/m7a.nc"
    put(path, (tree.folder / path).read_bytes()[:5000])
    with pytest.raises(
        PoolscreenError, match=r"m7a\.nc is damaged .*delete it and run `make book`"
    ):
        staging.fresh_results()


def test_a_damaged_execution(tree, put):
    path = "_build/executed/01_data_generation.ipynb"
    put(path, (tree.folder / path).read_bytes()[:1000])
    message = r"01_data_generation\.ipynb is damaged .*delete it and run `make book`"
    with pytest.raises(PoolscreenError, match=message):
        staging.joined("01_data_generation")


def test_an_execution_of_other_code(tree, put):
    path = "notebooks/01_data_generation.py"
    put(path, replaced(tree, path, "design = Design()", "design = Design(seed=1)"))
    message = r"01_data_generation\.ipynb was executed from other code; run `make book` again"
    with pytest.raises(PoolscreenError, match=message):
        staging.joined("01_data_generation")


def test_what_the_site_was_made_from(tree, put):
    """The pedigree names every file: of the site, and of each result on it."""
    made_from = site.pedigree()
    for path in ("src/poolscreen/models/m7b.py", "book/index.md", "data/wang2014_counts.tsv"):
        put(path, (tree.folder / path).read_bytes() + b"\n")
        with pytest.raises(PoolscreenError, match=f"{path} is not what it was when the site"):
            flow.check_fresh("the site", made_from)
        (tree.folder / path).write_bytes((tree.folder / path).read_bytes()[:-1])
    flow.check_fresh("the site", made_from)


def test_a_page_that_was_changed_by_hand_is_not_whole(tree, put):
    assert publishing.is_whole()
    put("_build/html/book/glossary.html", b"gone")
    assert not publishing.is_whole()


def test_a_publication_that_was_killed_is_undone(tree):
    """Between its two renames: the old site has moved away, the new one has not come."""
    html = publishing.html_path()
    html.rename(html.with_name("html.old"))
    publishing.restore()
    assert publishing.is_whole()
    shutil.copytree(html, html.with_name("html.old"), copy_function=os.link)
    publishing.restore()
    assert not html.with_name("html.old").exists()

"""Chapters: the pair, what a digest sees, what a chapter uses, errors while executing."""

import re
from pathlib import Path

import nbformat
import pytest

from poolscreen.errors import PoolscreenError
from press import chapters, execution, paths, uses

SCRIPT = """\
# %% [markdown]
# Some prose.

# %% tags=["hide-input"] mystnb={"image": {"alt": "A line."}}
from poolscreen import figures
import poolscreen.tables as t
x = load_fit("m7a"); y = fits.load_table("m7b", "scalars")
"""


@pytest.fixture
def chapter(in_project):
    """A chapter `a` whose script a test writes; the pair is made."""

    def write(script: str = SCRIPT) -> str:
        chapters.script_path("a").write_text(script)
        chapters.write_notebook("a")
        return "a"

    return write


def digest(script: str) -> str:
    chapters.script_path("a").write_text(script)
    return chapters.code_digest(chapters.read("a"))


@pytest.mark.parametrize("name", chapters.names())
def test_pairs_of_the_book_are_in_step_and_hold_no_outputs(name):
    chapters.check_pair(name)
    for cell in chapters.code_cells(nbformat.read(chapters.notebook_path(name), as_version=4)):
        assert cell.outputs == []
        assert cell.execution_count is None


def test_digest_sees_code_alone(chapter):
    chapter()
    assert digest(SCRIPT) == digest(SCRIPT.replace("Some prose", "Other prose"))
    assert digest(SCRIPT) == digest(SCRIPT.replace("A line", "A curve"))
    assert digest(SCRIPT) == digest(SCRIPT.replace("hide-input", "remove-input"))
    assert digest(SCRIPT) != digest(SCRIPT.replace("m7a", "m7b"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Some prose", "Other prose"),
        ("m7a", "m7b"),
        ("A line", "A curve"),
        ("hide", "remove"),
    ],
)
def test_a_pair_that_differs_is_named_with_the_remedy(chapter, old, new):
    chapter()
    chapters.script_path("a").write_text(SCRIPT.replace(old, new))
    with pytest.raises(PoolscreenError, match=r"(?s)a\.py and its \.ipynb differ: .*make pair"):
        chapters.check_pair("a")
    chapters.write_notebook("a")
    chapters.check_pair("a")


def test_what_an_editor_adds_is_no_difference(chapter):
    chapter()
    path = chapters.notebook_path("a")
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.metadata |= {"tags": cell.metadata.get("tags", []), "collapsed": True}
    notebook.metadata["language_info"] = {"name": "python", "version": "3.13.0"}
    nbformat.write(notebook, path)
    chapters.check_pair("a")


def test_a_pair_without_its_notebook_is_named(chapter):
    chapter()
    chapters.notebook_path("a").unlink()
    with pytest.raises(PoolscreenError, match="make pair"):
        chapters.check_pair("a")
    chapters.notebook_path("a").write_text("{")
    with pytest.raises(PoolscreenError, match="is no notebook"):
        chapters.check_pair("a")


def test_the_same_script_gives_the_same_bytes(chapter):
    chapter()
    first = chapters.notebook_path("a").read_bytes()
    chapters.write_notebook("a")
    assert chapters.notebook_path("a").read_bytes() == first


def test_what_a_chapter_uses(chapter):
    chapter()
    assert ("poolscreen.tables", "") in uses.imports("a")
    assert ("poolscreen", "figures") in uses.imports("a")
    assert uses.loaded("a", "load_fit") == {"m7a"}
    assert uses.loaded("a", "load_table") == {"m7b"}
    assert uses.calls("a", "load_fit")
    assert not uses.calls("a", "load_screen")


def test_a_fit_whose_name_is_not_written_out_is_an_error(chapter):
    chapter("# %%\nfor m in models:\n    load_fit(m)\n")
    with pytest.raises(PoolscreenError, match=r"a, cell 1: write the first argument of load_fit"):
        uses.loaded("a", "load_fit")


@pytest.mark.parametrize(
    "code",
    [
        "from press.results import load_fit as load",
        "map(load_fit, ['m7a', 'm7b'])",
        "fits.read_fit(path)",
        "models.get('m7b')",
        "import importlib; importlib.import_module('poolscreen.models.m7b')",
    ],
)
def test_hidden_dependencies_are_refused(chapter, code):
    chapter(f"# %%\nx = 1\n\n# %%\n{code}\n")
    with pytest.raises(PoolscreenError, match="a, cell 2: the build cannot tell"):
        uses.check_loading("a")


def test_plain_loading_is_not(chapter):
    chapter()
    uses.check_loading("a")


def test_code_that_is_not_python_is_an_error(chapter):
    chapter("# %%\nx = 1\n\n# %%\n1 +\n")
    with pytest.raises(PoolscreenError, match="a, cell 2, line 1 is not Python"):
        uses.imports("a")


def execute(name):
    notebook = chapters.make_notebook(name)
    return execution.execute(notebook, name, paths.root() / chapters.FOLDER)


def test_execution_gives_outputs_and_joins_them_with_new_prose(chapter):
    chapter("# %% [markdown]\n# Old.\n\n# %%\n1 + 1\n")
    executed = execute("a")
    chapters.script_path("a").write_text("# %% [markdown]\n# New.\n\n# %% tags=['x']\n1 + 1\n")
    joined = chapters.join("a", executed)
    assert joined.cells[0].source == "New."
    assert joined.cells[1].outputs[0].data["text/plain"] == "2"


def test_text_that_comes_in_pieces_is_one_output(chapter):
    """Otherwise two executions of a chapter would differ by chance."""
    chapter(
        "# %%\nimport time\n\nfor n in range(3):\n    print(n, flush=True)\n    time.sleep(0.5)\n"
    )
    (output,) = execute("a").cells[0].outputs
    assert output.text == "0\n1\n2\n"


def test_outputs_are_not_joined_with_other_code(chapter):
    chapter("# %%\n1 + 1\n")
    executed = chapters.make_notebook("a")
    chapters.script_path("a").write_text("# %%\n1 + 2\n")
    with pytest.raises(PoolscreenError, match="was executed from other code"):
        chapters.join("a", executed)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("1 / 0", "a, cell 2 raised ZeroDivisionError: division by zero"),
        ("import warnings; warnings.warn('old')", "a, cell 2 writes a warning"),
        ("import os; os._exit(1)", "a, cell 2 ended its kernel"),
    ],
)
def test_a_cell_that_fails_is_named(chapter, code, message):
    # The tag would let a notebook go on after an error; here it must not.
    chapter(f'# %%\nx = 1\n\n# %% tags=["raises-exception"]\n{code}\n')
    with pytest.raises(PoolscreenError, match=message):
        execute("a")


def test_a_kernel_that_ends_before_the_first_cell_is_named(chapter, monkeypatch):
    chapter("# %%\n1 + 1\n")
    monkeypatch.setenv("PYTHONHOME", "nowhere")
    with pytest.raises(PoolscreenError, match="a, no kernel started: Kernel died before replying"):
        execute("a")


def test_a_page_that_is_not_there_is_named(in_project):
    with pytest.raises(PoolscreenError, match=r"_toc\.yml names notebooks/a, but there is no"):
        chapters.toc()


def test_every_reference_can_be_followed():
    text = Path("book/references.bib").read_text()
    entries = re.split(r"^(?=@)", text, flags=re.MULTILINE)[1:]
    assert len(entries) > 20
    assert [entry for entry in entries if "doi = {10." not in entry] == []


def test_a_chapter_from_elsewhere_runs_nothing_until_it_is_executed(chapter):
    """What it loads, imports and needs is read from its code, which is not run."""
    name = chapter('import pathlib\npathlib.Path("ran").touch()\nif False:\n    load_fit("m7a")\n')
    chapters.check_pair(name)
    chapters.code_digest(chapters.read(name))
    assert uses.loaded(name, "load_fit") == {"m7a"}
    assert not Path("ran").exists()
    execution.execute(chapters.make_notebook(name), name, Path.cwd())
    assert Path("ran").exists()

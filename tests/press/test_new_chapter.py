"""A new chapter in one command, and the page that teaches it, run as it is written."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from poolscreen.errors import PoolscreenError
from press import new_chapter

BLOCK = re.compile(r"^```(bash|diff)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    ("model", "title", "message"),
    [
        ("7d", "A title", "cannot be the name of a Python module"),
        ("class", "A title", "cannot be the name of a Python module"),
        ("m7 d", "A title", "cannot be the name of a Python module"),
        ("M7D", "A title", "cannot be the name of a Python module"),
        ("../m7d", "A title", "cannot be the name of a Python module"),
        ("m7a", "A title", "there is a model m7a already"),
        ("m7d", " ", "cannot be a title"),
        ("m7d", 'A "title"', "cannot be a title"),
        ("m7t", "A title", "notebooks/02_m7t.ipynb is there already"),
    ],
)
def test_what_cannot_be_is_named_and_nothing_is_written(model, title, message, in_project):
    toc = "format: jb-book\nroot: book/index\nchapters:\n  - file: notebooks/01_a\n"
    (in_project / "_toc.yml").write_text(toc)
    (in_project / "notebooks" / "02_m7t.ipynb").touch()
    before = sorted(in_project.rglob("*"))
    with pytest.raises(PoolscreenError, match=message):
        new_chapter.create(model, title)
    assert sorted(in_project.rglob("*")) == before
    assert (in_project / "_toc.yml").read_text() == toc


def test_a_failure_half_way_leaves_nothing(in_project):
    toc = "chapters:\n  - file: notebooks/01_a\n"
    (in_project / "_toc.yml").write_text(toc)
    (in_project / "src").symlink_to("/dev/full")  # the module cannot be written
    before = sorted(in_project.rglob("*"))
    with pytest.raises(OSError):
        new_chapter.create("m7d", "A title")
    assert sorted(in_project.rglob("*")) == before
    assert (in_project / "_toc.yml").read_text() == toc


def test_the_rest_of_the_contents_stays_as_it_is_written(in_project):
    toc = "# mine\nchapters:\n  - file: notebooks/01_a  # first\n  - file: book/b\n"
    (in_project / "_toc.yml").write_text(toc.replace("  # first", ""))
    written = new_chapter.create("m7d", "A title")
    assert [p.relative_to(in_project).as_posix() for p in written] == [
        "src/poolscreen/models/m7d.py",
        "notebooks/02_m7d.py",
        "notebooks/02_m7d.ipynb",
        "_toc.yml",
    ]
    assert (in_project / "_toc.yml").read_text() == (
        "# mine\nchapters:\n  - file: notebooks/01_a\n  - file: notebooks/02_m7d\n"
        "  - file: book/b\n"
    )


@pytest.fixture
def shell(tree):
    """Run a step in a copy of the project, whose environment is that of the tests."""
    (tree.folder / ".venv").symlink_to(Path(sys.executable).parent.parent)
    commit = "git add -A && git -c user.name=t -c user.email=t commit -qm t --allow-empty"
    # The environment is there already; only the tests of the new model are run, by one worker.
    environment = {**tree.env, "PYTEST_ADDOPTS": "-k m7d"}

    def run(text, given=""):
        ran = subprocess.run(
            ["bash", "-ec", 'make() { command make -o env WORKERS=1 "$@"; }\n' + text],
            cwd=tree.folder,
            env=environment,
            input=given,
            check=False,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert ran.returncode == 0, f"{text}\n{ran.stdout}"
        return ran.stdout

    run(commit)
    return run


@pytest.mark.book
@pytest.mark.slow
def test_the_page_works_as_it_is_written(book, tree, shell):
    page = (book / "book" / "extending.md").read_text()
    steps = BLOCK.findall(page)
    assert [kind for kind, _ in steps] == "bash bash diff diff bash bash bash".split()
    start, first, *diffs, second, tests, undo = (text for _, text in steps)

    shell(start)
    changed = set(shell("git status --porcelain").split("\n")) - {""}
    assert changed == {
        " M _toc.yml",
        "?? notebooks/12_m7d.ipynb",
        "?? notebooks/12_m7d.py",
        "?? src/poolscreen/models/m7d.py",
    }
    assert tree.would_run() == ["execute 12_m7d", "fit m7d", "site"]
    shell(first)
    assert "Genes with a noise of their own" in tree.page("notebooks/12_m7d")

    for diff in diffs:
        shell("git apply --verbose -", given=diff)
    shell(second.splitlines()[0])
    assert tree.would_run() == ["execute 12_m7d", "fit m7d", "site"]
    ran = shell(tests)  # which makes the book, too
    assert "sigma_g" in tree.page("notebooks/12_m7d")
    passed = re.search(r"(\d+) passed", ran)
    assert passed and int(passed[1]) >= 2

    shell(undo)
    assert shell("git status --porcelain") == ""

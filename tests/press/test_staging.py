"""What the pages are made of: named tables and figures, the commit, links that lead somewhere."""

import base64
import io
import re
import subprocess

import nbformat
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from poolscreen import display
from poolscreen.errors import PoolscreenError
from press import chapters, execution, outputs, repository


def cell_with(shown, **metadata):
    output = nbformat.v4.new_output("display_data", shown)
    return nbformat.v4.new_code_cell("x", outputs=[output], metadata=metadata)


@pytest.fixture
def frame():
    return pd.DataFrame({"gene": ["a|b", "c_d*"], "mean": [1 / 3, None]})


def test_a_table_is_numbered_and_its_data_are_not_rounded(frame):
    shown = display.table(frame, searchable=True)._repr_mimebundle_()
    cell = cell_with(shown, table={"name": "tbl-a", "caption": "Means."})
    data = outputs.present_table(cell, "a, cell 1", "https://code")
    assert data.splitlines()[1] == "a|b,0.3333333333333333"
    text = cell.outputs[0].data["text/markdown"]
    assert text.startswith(
        ":::{ready-table} Means.\n:name: tbl-a\n:class: labels-1 searchable\n\n<thead>"
    )
    assert re.findall("<td>(.*?)</td>", text) == ["a|b", "0.333", "c_d*", ""]
    assert "tables/tbl-a.csv" in text
    assert "(https://code)" in text


def test_lighter_figures_keep_their_colours():
    """A colour bar is what a small palette spoils."""
    colours = np.zeros((256, 600, 3), np.uint8)
    colours[:, :300] = np.linspace([42, 100, 180], [250, 250, 250], 256)[:, None]
    colours[:, 300:] = np.linspace([250, 250, 250], [170, 50, 60], 256)[:, None]
    drawn = io.BytesIO()
    Image.fromarray(colours).save(drawn, "PNG")
    cell = cell_with({"image/png": base64.b64encode(drawn.getvalue()).decode()})
    execution.lighten(nbformat.v4.new_notebook(cells=[cell]))
    light = base64.b64decode(cell.outputs[0].data["image/png"])
    found = np.asarray(Image.open(io.BytesIO(light)).convert("RGB"), int)
    assert np.abs(found - colours).max() <= 8


def test_what_is_shown_is_named(frame):
    table = cell_with(display.table(frame)._repr_mimebundle_())
    with pytest.raises(PoolscreenError, match=r"a, cell 1 shows 1 tables.*tbl-"):
        outputs.present_table(table, "a, cell 1", "")
    figure = cell_with({"image/png": ""}, mystnb={"figure": {"name": "fig-a"}})
    with pytest.raises(PoolscreenError, match=r"a, cell 1 shows a figure without"):
        outputs.present_figure(figure, "a, cell 1", "")
    text = cell_with({"text/plain": "<Figure>"}, mystnb={"figure": {"name": "fig-a"}})
    with pytest.raises(PoolscreenError, match=r"a, cell 1 names the figure fig-a and shows no"):
        outputs.present_figure(text, "a, cell 1", "")


@pytest.fixture
def commit(in_project):
    """The commit of a repository, by its remote."""

    def git(*arguments):
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
        subprocess.run(command, cwd=in_project, check=True, capture_output=True)

    def head(remote):
        git("init", "--quiet")
        git("add", ".")
        git("commit", "--quiet", "--message", "a")
        git("remote", "add", "origin", remote)
        repository.head.cache_clear()
        return repository.head()

    yield head
    repository.head.cache_clear()


@pytest.mark.parametrize(
    ("remote", "address", "site_url"),
    [
        ("git@github.com:Lab/screens.git", "Lab/screens", "lab.github.io/screens/"),
        ("https://github.com/lab/screens", "lab/screens", "lab.github.io/screens/"),
        ("https://github.com/lab/lab.github.io", "lab/lab.github.io", "lab.github.io/"),
    ],
)
def test_the_commit_and_where_it_is_published(commit, remote, address, site_url):
    head = commit(remote)
    assert head.clean
    assert head.repository == f"https://github.com/{address}"
    assert head.site_url == f"https://{site_url}"
    assert head.link("a.py", 3, 5).endswith(f"/blob/{head.hash}/a.py#L3-L5")


def test_no_links_to_what_readers_would_not_find(commit, in_project):
    assert commit("/home/someone/screens").link("a.py", 1, 2) == ""
    (in_project / "src").mkdir()
    (in_project / "src" / "new.py").touch()
    repository.head.cache_clear()
    assert not repository.head().clean


def test_outside_a_repository(in_project):
    repository.head.cache_clear()
    assert repository.head() == repository.Commit()
    repository.head.cache_clear()


def test_lines_of_cells(in_project):
    (in_project / "notebooks" / "a.py").write_text(
        "# ---\n# jupyter: {}\n# ---\n\n# %% [markdown]\n# text\n\n# %%\nx = 1\ny = 2\n"
    )
    assert chapters.lines_of_cells("a") == [(5, 6), (8, 10)]

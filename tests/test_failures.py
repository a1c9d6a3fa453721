"""What goes wrong ends in one clear message, and the last good site stays as it was."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.book

ROOT = Path(__file__).parent.parent


def fails(tree, *messages):
    """Build; the build must fail with these messages last, and the site stay as it was."""
    before = tree.site()
    built = tree.poolscreen("build")
    assert built.returncode == 1, built.stdout
    _, _, ending = built.stdout.rpartition("\nerror: ")
    if built.stdout.startswith("error: "):
        ending = built.stdout
    for message in messages:
        assert message in ending, built.stdout
    assert tree.site() == before
    return ending


def test_a_cell_that_raises(tree):
    tree.edit_chapter("01_data_generation", "design = Design()", "design = Design(1 / 0)")
    ending = fails(
        tree,
        "01_data_generation, cell 4 raised ZeroDivisionError: division by zero",
        "Traceback",
    )
    assert "design = Design(1 / 0)" in ending


def test_a_fit_that_fails_the_gate(tree):
    chapters = re.findall(r" +- file: notebooks/.*\n", (tree.folder / "_toc.yml").read_text())
    for entry in chapters[3:]:  # what else would be run
        tree.edit("_toc.yml", entry, "")
    tree.edit(
        "src/poolscreen/models/m7b_unpooled.py",
        'FAMILY = NestedNormal(top="alpha_sc", level="sgRNA", mean=0.0, sd=5.0)',
        "FAMILY = None",
    )
    fails(
        tree,
        "the fit of m7b_unpooled has not converged and is not a result",
        "R-hat up to",
    )
    assert not (tree.folder / "results/fits/m7b_unpooled.nc").exists()


def test_a_chapter_that_is_not_there(tree):
    tree.edit("_toc.yml", "notebooks/02_model_7a", "notebooks/02_model_9")
    fails(
        tree,
        "_toc.yml names notebooks/02_model_9, but there is no notebooks/02_model_9.py",
    )


def test_a_pair_that_differs(tree):
    tree.edit("notebooks/02_model_7a.py", "# A word on words.", "# A word about words.")
    fails(
        tree,
        "notebooks/02_model_7a.py and its .ipynb differ",
        "make pair",
    )


def test_a_fit_that_no_model_makes(tree):
    tree.edit_chapter("02_model_7a", 'load_fit("m7a")', 'load_fit("m7z")')
    fails(tree, "02_model_7a loads the fit of 'm7z', which no model makes; there are m7,")


def test_a_calibration_of_no_model(tree):
    old, new = 'load_calibration("m7a")', 'load_calibration("m7z")'
    tree.edit_chapter("05_calibration", old, new)
    fails(tree, "05_calibration loads the calibration of 'm7z', which is no model")


def test_a_measurement_that_is_not_there(tree):
    (tree.folder / "results/benchmarks/scaling.json").unlink()
    fails(tree, "scaling.json, which is not there; `make bench` makes it")


def test_a_calibration_from_elsewhere(tree):
    """Two batches with each other's records: the records tell which code made them."""
    path = tree.folder / "results/calibration/m7a/0.nc"
    stamp = path.stat().st_mtime
    path.unlink()
    shutil.copy2(tree.folder / "results/calibration/m7b/0.nc", path)
    os.utime(path, (stamp, stamp))
    tree.edit("book/index.md", "## How to read it", "## How to read this book")
    fails(tree, "calibration/m7a/0.nc is not what it was when")


def test_a_truncated_fit(tree):
    path = tree.folder / "results/fits/m7a.nc"
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data[: len(data) // 2])
    fails(tree, "m7a.nc is damaged", "delete it and run `make book`")


def test_a_fit_from_elsewhere(tree):
    """Nobody's time stamps or records tell, but the fit itself does."""
    path = tree.folder / "results/fits/m7a.nc"
    stamp = path.stat().st_mtime
    path.unlink()
    shutil.copy2(tree.folder / "results/fits/m7a_unpooled.nc", path)
    os.utime(path, (stamp, stamp))
    tree.edit("book/index.md", "## How to read it", "## How to read this book")
    fails(tree, "results/fits/m7a.nc is not what it was when")


def test_a_table_that_was_edited(tree):
    tree.edit("results/tables/m7a/scalars.csv", "mu_alpha_gc", "mu_alpha")
    tree.edit("book/index.md", "## How to read it", "## How to read this book")
    fails(tree, "scalars.csv is not what it was when the fit of m7a was made")


def test_a_page_that_sphinx_finds_fault_with(tree):
    tree.edit("book/index.md", "](rebuilding)", "](no_such_page)")
    fails(tree, "Sphinx finds fault with the pages", "no_such_page")


def test_lost_records(tree):
    """Without Snakemake's records it would find nothing to do; the site's pedigree objects."""
    shutil.rmtree(tree.folder / ".snakemake")
    tree.edit("src/poolscreen/models/m7b.py", '"mu_gamma", 0, 5', '"mu_gamma", 0, 4')
    fails(tree, "src/poolscreen/models/m7b.py is not what it was when the site was made")


def test_a_damaged_execution(tree):
    path = tree.folder / "_build/executed/01_data_generation.ipynb"
    stamp = path.stat().st_mtime
    path.write_text(path.read_text()[:1000])
    os.utime(path, (stamp, stamp))
    tree.edit("book/index.md", "## How to read it", "## How to read this book")
    fails(tree, "01_data_generation.ipynb is damaged", "delete it and run `make book`")


def test_code_that_is_not_python(tree):
    tree.edit("src/poolscreen/tables.py", "def settings(", "def settings((")
    fails(tree, "the package is not Python", "tables.py")


def test_a_page_that_was_changed_by_hand_is_built_again(tree):
    page = tree.folder / "_build/html/book/glossary.html"
    page.write_text("gone")
    assert tree.poolscreen("build").returncode == 0
    assert "shrinkage" in tree.page("book/glossary")


def test_a_deleted_site_is_built_again(tree):
    """Elsewhere and later, from the same commit and results: the same, byte by byte."""
    before = tree.site()
    shutil.rmtree(tree.folder / "_build" / "html")
    assert tree.poolscreen("build").returncode == 0
    assert tree.site_is_whole()
    assert tree.site() == before


def wait_for(condition, process, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < deadline, "nothing to interrupt"
        time.sleep(0.05)


def images(folder):
    """Names of the page's images: each is the digest of its content."""
    return {path.name for path in (folder / "_build/html/_images").iterdir()}


def interrupt_a_fit(tree, kill):
    """Delete a fit, and stop the build while it is made anew."""
    (tree.folder / "results/fits/wang2014/m7a.nc").unlink()
    log = tree.folder / "logs/fit_wang2014/m7a.log"
    log.unlink(missing_ok=True)
    process = tree.start_build()
    wait_for(lambda: log.exists() and "compiling" in log.read_text(), process)
    os.killpg(process.pid, kill)
    output, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    assert tree.site_is_whole()
    return output


def test_a_fit_that_its_user_stops(tree):
    output = interrupt_a_fit(tree, signal.SIGINT)
    assert "interrupted; the last good site is as it was" in output
    assert not (tree.folder / "results/fits/wang2014/m7a.nc").exists()
    assert "fit wang2014/m7a" in tree.would_run()


def test_a_fit_that_is_killed(tree):
    """The next build gives the site of an undisturbed one."""
    interrupt_a_fit(tree, signal.SIGKILL)
    again = tree.poolscreen("build")
    assert again.returncode == 0, again.stdout
    assert images(tree.folder) == images(ROOT)
    table = "results/tables/wang2014/m7a/alpha_gc.csv"
    assert (tree.folder / table).read_bytes() == (ROOT / table).read_bytes()
    assert tree.page("book/index") == (ROOT / "_build/html/book/index.html").read_text()
    assert tree.would_run() == []


def test_an_interrupted_site(tree):
    tree.edit("book/index.md", "## How to read it", "## How to read this book")
    process = tree.start_build()
    wait_for((tree.folder / "_build/sphinx").exists, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    assert "How to read it" in tree.page("book/index")

    assert tree.poolscreen("build").returncode == 0
    assert "How to read this book" in tree.page("book/index")
    assert tree.site_is_whole()


def test_a_build_that_outlived_its_command(tree):
    """The command is killed, its workflow goes on: a second build waits for it, then is done."""
    tree.edit("book/index.md", "## How to read it", "## How to read this book")
    process = tree.start_build()
    wait_for((tree.folder / "_build/sphinx").exists, process)
    os.kill(process.pid, signal.SIGKILL)
    again = tree.poolscreen("build")
    assert again.returncode == 0, again.stdout
    assert "build: waiting for another process that is at it" in again.stdout
    assert "How to read this book" in tree.page("book/index")
    assert tree.site_is_whole()
    process.communicate(timeout=60)


def setup(tmp_path, path, **env):
    """Run the set-up script of an empty project, on a machine whose programs are all in `path`."""
    script = (ROOT / "workflow/setup.sh").read_text()
    assert " /usr/bin/python3;" in script
    (tmp_path / "workflow").mkdir()
    (tmp_path / "workflow/setup.sh").write_text(script.replace(" /usr/bin/python3;", ";"))
    return subprocess.run(
        ["/bin/sh", "workflow/setup.sh"],
        cwd=tmp_path,
        env={"PATH": str(path), "HOME": str(tmp_path), **env},
        check=False,
        text=True,
        capture_output=True,
    )


@pytest.fixture
def tools(tmp_path):
    """A folder for PATH that holds a shell's tools, and no Python."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for tool in ("dirname", "rm"):
        (folder / tool).symlink_to(shutil.which(tool))
    return folder


def test_no_python(tmp_path, tools):
    ran = setup(tmp_path, tools)
    assert ran.returncode == 1
    assert ran.stderr.startswith("error: there is no Python 3.9 or newer, and no uv.")


def test_an_old_python_is_none(tmp_path, tools):
    """Nor is a shim that stands on PATH and does not run."""
    (tools / "python3").write_text("#!/bin/sh\nexit 1\n")
    (tools / "python3").chmod(0o755)
    ran = setup(tmp_path, tools)
    assert ran.returncode == 1
    assert ran.stderr.startswith("error: there is no Python 3.9 or newer, and no uv.")


def test_no_way_to_fetch_uv(tmp_path, tools):
    (tools / "python3").symlink_to(sys.executable)
    ran = setup(
        tmp_path,
        tools,
        PIP_INDEX_URL="http://127.0.0.1:9/simple",
        PIP_RETRIES="0",
        PIP_NO_CACHE_DIR="1",
        PIP_CONFIG_FILE="/dev/null",
    )
    assert ran.returncode == 1
    assert "error: uv could not be fetched from PyPI" in ran.stderr
    assert "https://docs.astral.sh/uv/" in ran.stderr
    assert not (tmp_path / ".uv").exists()

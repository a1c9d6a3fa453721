"""Builds from end to end, on copies of the finished project: what an edit runs, and what stops one.

Which jobs depend on which file is held in tests/press/test_steps.py, what each check refuses in
tests/press/test_refusals.py, in a thousandth of the time.
"""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from tests.tree import HANGING, ROOT

from press import chapters

pytestmark = [pytest.mark.book, pytest.mark.slow]

M7B = "src/poolscreen/models/m7b.py"
OF_M7B = ["attempt m7b/pymc", "calibrate m7b", "fit m7b", "predict m7b"]
OF_M7B += [f"execute {name}" for name in chapters.names()[2:] if name != "measurements"]
OF_M7B += ["site"]


def touch(folder):
    """Give every file a time of its own, in the future; links to the original become copies."""
    later = time.time() + 1000
    files = [p for p in folder.rglob("*") if p.is_file() and ".snakemake" not in p.parts]
    for number, path in enumerate(files):
        if path.stat().st_nlink > 1:
            shutil.copy2(path, f"{path}.copy")
            Path(f"{path}.copy").replace(path)
        os.utime(path, (later + number, later + number))


def test_what_an_edit_would_run(tree):
    """By content: neither a touch nor what is put back runs anything."""
    assert tree.would_run() == []
    touch(tree.folder)
    assert tree.would_run() == []

    for old, new in [
        ("simulates a pooled screen", "draws a pooled screen"),  # prose
        ("Log fold changes by gene. Each point", "Fold changes by gene. Each point"),  # a caption
        ("Jittered points of log fold change for ten", "Jittered points for ten"),  # an alt text
        ('# %% tags=["hide-input"]\n', '# %% tags=["remove-input"]\n'),
    ]:
        tree.edit_chapter("01_data_generation", old, new)
    tree.edit("book/index.md", "## How to read it", "## How to read this book")
    assert tree.would_run() == ["site"]

    tree.edit_chapter("02_model_7a", 'title="Intercepts by gene"', 'title="Intercepts"')
    assert tree.would_run() == ["execute 02_model_7a", "site"]
    tree.edit_chapter("02_model_7a", 'title="Intercepts"', 'title="Intercepts by gene"')

    stamp = (tree.folder / M7B).stat().st_mtime - 10_000
    tree.edit(M7B, '"mu_gamma", 0, 5', '"mu_gamma", 0, 4')
    os.utime(tree.folder / M7B, (stamp, stamp))  # as `mv m7b.py.bak m7b.py` leaves it
    assert tree.would_run() == sorted(OF_M7B)
    tree.edit(M7B, '"mu_gamma", 0, 4', '"mu_gamma", 0, 5')
    assert tree.would_run() == ["site"]

    (tree.folder / "results/calibration/m7b.nc").unlink()
    jobs = tree.would_run()
    assert {"calibrate m7b", "execute 05_calibration"} <= set(jobs)
    assert "calibrate m7a" not in jobs

    models = tree.folder / "src/poolscreen/models"
    (models / "m7d.py").write_text((models / "m7a.py").read_text())
    old = 'load_calibration("m7b_unpooled"),\n'
    tree.edit_chapter("05_calibration", old, old + '    "7d": load_calibration("m7d"),\n')
    jobs = set(tree.would_run())
    assert "calibrate m7d" in jobs
    assert "calibrate m7a" not in jobs


def build(tree):
    built = tree.press("build")
    assert built.returncode == 0, built.stdout
    assert tree.site_is_whole()
    return built.stdout


def test_edits_reach_the_page_and_its_links_the_code(tree):
    """In a clone from GitHub: prose, the commit; buttons, the site's map, its cards."""

    def git(*arguments):
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
        ran = subprocess.run(command, cwd=tree.folder, check=True, text=True, capture_output=True)
        return ran.stdout.strip()

    tree.edit_chapter("01_data_generation", "simulates a pooled", "SIMULATES A POOLED")
    git("config", "remote.origin.url", "https://github.com/lab/screens.git")
    git("add", "--all")
    git("commit", "--quiet", "--message", "as it is")
    head = git("rev-parse", "HEAD")
    assert tree.would_run() == ["site"]
    assert re.search(r"Where the time went, .*:\n +\d+ s +\d+ MB  site\n", build(tree))
    assert tree.would_run() == []
    assert "SIMULATES A POOLED" in tree.page("notebooks/01_data_generation")

    page = tree.page("notebooks/03_model_7b")
    code = f"https://github.com/lab/screens/blob/{head}/notebooks/03_model_7b.py"
    spans = re.findall(rf'href="{code}#L(\d+)-L(\d+)"', page)
    script = (tree.folder / "notebooks" / "03_model_7b.py").read_text().splitlines()
    cells = [script[int(first) - 1 : int(last)] for first, last in spans]
    assert len(cells) > 20
    for cell in cells:
        assert cell[0].startswith("# %%")
        assert "fig-" in cell[0] or "tbl-" in cell[0]
        assert not any(line.startswith("# %%") for line in cell[1:])
    assert f"https://github.com/lab/screens/tree/{head}" in page
    assert "/github/lab/screens/blob/main/notebooks/03_model_7b.ipynb" in page  # Colab
    site = "https://lab.github.io/screens/"
    assert re.search(rf'property="og:image" content="{site}_static/key-figure.png"', page)
    html = tree.folder / "_build" / "html"
    mapped = re.findall("<loc>(.*?)</loc>", (html / "sitemap.xml").read_text())
    assert f"{site}notebooks/03_model_7b.html" in mapped
    assert 'href="/screens/_static' in (html / "404.html").read_text()


def fails(tree, *messages):
    """Build; the build must fail with these messages last, and the site stay as it was."""
    before = tree.site()
    built = tree.press("build")
    assert built.returncode == 1, built.stdout
    _, _, ending = f"\n{built.stdout}".rpartition("\nerror: ")
    for message in messages:
        assert message in ending, built.stdout
    assert tree.site() == before


def test_what_fails_ends_in_one_message(tree):
    """Whatever fails: a cell, a page, a fit. Checks are tried in tests/press/test_refusals.py."""
    right, wrong = "design = Design()", "design = Design(1 / 0)"
    tree.edit_chapter("01_data_generation", right, wrong)
    message = "01_data_generation, cell 4 raised ZeroDivisionError: division by zero"
    fails(tree, message, "Traceback", wrong)
    tree.edit_chapter("01_data_generation", wrong, right)

    chapters_listed = re.findall(
        r" +- file: notebooks/.*\n", (tree.folder / "_toc.yml").read_text()
    )
    for entry in chapters_listed[3:]:  # what else would be run
        tree.edit("_toc.yml", entry, "")
    tree.edit("book/index.md", "](rebuilding)", "](no_such_page)")
    fails(tree, "Sphinx finds fault with the pages", "no_such_page")
    tree.edit("book/index.md", "](no_such_page)", "](rebuilding)")

    # Sampled as it is written down, it does not converge.
    unpooled = "src/poolscreen/models/m7b_unpooled.py"
    family = re.search(r"^FAMILY = .*$", (tree.folder / unpooled).read_text(), re.MULTILINE)[0]
    tree.edit(unpooled, family, "FAMILY = None")
    fails(tree, "the fit of m7b_unpooled has not converged and is not a result", "R-hat up to")
    assert not (tree.folder / "results/fits/m7b_unpooled.nc").exists()


def test_lost_records(tree):
    """Without Snakemake's records it would find nothing to do; the site's pedigree objects."""
    shutil.rmtree(tree.folder / ".snakemake")
    tree.edit(M7B, '"mu_gamma", 0, 5', '"mu_gamma", 0, 4')
    fails(tree, f"{M7B} is not what it was when the site was made")


def wait_for(condition, process):
    """Wait until something has happened while a process runs."""
    deadline = time.monotonic() + HANGING
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
    process = tree.start("build")
    wait_for(lambda: log.exists() and "compiling" in log.read_text(), process)
    os.killpg(process.pid, kill)
    output, _ = process.communicate(timeout=HANGING)
    assert process.returncode != 0
    assert tree.site_is_whole()
    return output


def interrupt_the_site(tree, kill):
    """Stop the build while the site is made; the last good one stays."""
    process = tree.start("build")
    wait_for((tree.folder / "_build/sphinx").exists, process)
    kill(process.pid)
    return process


def test_what_is_interrupted_goes_on(tree):
    """A fit or a site, stopped or killed: the next build gives the site of an undisturbed one."""
    output = interrupt_a_fit(tree, signal.SIGINT)
    assert "interrupted; the last good site is as it was" in output
    assert not (tree.folder / "results/fits/wang2014/m7a.nc").exists()
    assert "fit wang2014/m7a" in tree.would_run()
    cut_short = tree.folder / "results/fits/wang2014/m7a.nc"
    cut_short.parent.mkdir(exist_ok=True)  # it goes with the last file in it
    cut_short.touch()
    interrupt_a_fit(tree, signal.SIGKILL)

    tree.edit("book/index.md", "## How to read it", "## How to read this book")
    process = interrupt_the_site(tree, lambda pid: os.killpg(pid, signal.SIGKILL))
    process.communicate(timeout=HANGING)
    assert "How to read it" in tree.page("book/index")
    # Of a command that is killed, the workflow goes on: the next one waits for it, then is done.
    shutil.rmtree(tree.folder / "_build/sphinx", ignore_errors=True)
    interrupt_the_site(tree, lambda pid: os.kill(pid, signal.SIGKILL))
    assert "build: waiting for another process that is at it" in build(tree)
    assert images(tree.folder) == images(ROOT)
    table = "results/tables/wang2014/m7a/alpha_gc.csv"
    assert (tree.folder / table).read_bytes() == (ROOT / table).read_bytes()
    assert "How to read this book" in tree.page("book/index")
    assert tree.would_run() == []

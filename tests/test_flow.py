"""What would run after which edit, on a copy of the finished project."""

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.book

NESTED = ["m7a", "m7a_unpooled", "m7b", "m7b_unpooled"]
CROSSED = ["m7", "m7c"]
FITS = [f"fit {model}" for model in [*NESTED, *CROSSED, "m7_two_means"]]
PREDICTIONS = [f"predict {model}" for model in [*NESTED, *CROSSED]]
CALIBRATED = ["_m7a_variance", *NESTED, *CROSSED]
CALIBRATIONS = [f"calibrate {model} {batch}" for model in CALIBRATED for batch in "01"]
CHAPTERS = [
    "01_data_generation",
    "02_model_7a",
    "03_model_7b",
    "04_integrating_out",
    "05_calibration",
    "06_model_7",
    "07_which_model",
    "08_real_screen",
    "measurements",
]
EXECUTIONS = [f"execute {chapter}" for chapter in CHAPTERS]
FIRST, SAMPLERS, CALIBRATION, MODEL_7, WHICH, LAST, MEASUREMENTS = (
    EXECUTIONS[0],
    *EXECUTIONS[3:],
)
# The chapters that show fits, and all that is sampled.
OF_FITS = EXECUTIONS[1:8]
REAL = [LAST, "fit wang2014/m7", "fit wang2014/m7a", "fit wang2014/m7b"]
SAMPLED = [*FITS, *REAL[1:], *CALIBRATIONS, *PREDICTIONS, "samplers"]
EVERYTHING = sorted([*EXECUTIONS, *SAMPLED, "simulate", "fold_change wang2014", "site"])
OF_M7B = ["calibrate m7b 0", "calibrate m7b 1", "fit m7b", "fit wang2014/m7b"]
OF_M7B += ["predict m7b", "samplers", *EXECUTIONS[2:], "site"]
OF_M7B = sorted(OF_M7B)


def test_nothing(tree):
    assert tree.would_run() == []


def test_a_touch_or_a_fresh_checkout(tree):
    later = time.time() + 1000
    files = [p for p in tree.folder.rglob("*") if p.is_file() and ".snakemake" not in p.parts]
    for number, path in enumerate(files):
        if path.stat().st_nlink > 1:  # a link to the original's results
            shutil.copy2(path, f"{path}.copy")
            Path(f"{path}.copy").replace(path)
        os.utime(path, (later + number, later + number))
    assert tree.would_run() == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("simulates a pooled screen", "draws a pooled screen"),
        ("Log fold changes by gene. Each point", "Fold changes by gene. Each point"),
        ("Jittered points of log fold change for ten", "Jittered points for ten"),
        ('# %% tags=["hide-input"]\nfrom', '# %% tags=["remove-input"]\nfrom'),
    ],
    ids=["prose", "caption", "alt text", "tag"],
)
def test_prose_of_a_chapter(tree, old, new):
    tree.edit_chapter("01_data_generation", old, new)
    assert tree.would_run() == ["site"]


def test_prose_of_a_page(tree):
    tree.edit("book/index.md", "## How to read it", "## How to read this book")
    assert tree.would_run() == ["site"]


def test_a_directive_of_the_pages(tree):
    """No module imports it."""
    tree.edit("src/poolscreen/directives.py", "has_content = True", "has_content = 1")
    assert tree.would_run() == ["site"]


def test_code_of_a_chapter(tree):
    tree.edit_chapter("02_model_7a", 'title="Intercepts by gene"', 'title="Intercepts"')
    assert tree.would_run() == ["execute 02_model_7a", "site"]


def test_a_figure_helper(tree):
    tree.edit("src/poolscreen/figures.py", "SEED = 103", "SEED = 104")
    assert tree.would_run() == sorted([*EXECUTIONS, "site"])


def test_a_helper_that_some_chapters_import(tree):
    tree.edit("src/poolscreen/tables.py", '"sampler": f"NUTS', '"algorithm": f"NUTS')
    assert tree.would_run() == [*OF_FITS, MEASUREMENTS, "site"]


def test_how_chapters_are_executed(tree):
    tree.edit("src/poolscreen/execution.py", "quantize(256", "quantize(128")
    assert tree.would_run() == sorted([*EXECUTIONS, "site"])


def test_the_calibration(tree):
    tree.edit("src/poolscreen/calibration.py", "draws=700", "draws=800")
    assert tree.would_run() == sorted([*CALIBRATIONS, CALIBRATION, MODEL_7, MEASUREMENTS, "site"])


def test_the_comparison_of_samplers(tree):
    tree.edit("src/poolscreen/comparison.py", "DEFAULT_ACCEPT = 0.8", "DEFAULT_ACCEPT = 0.7")
    assert tree.would_run() == [SAMPLERS, MODEL_7, MEASUREMENTS, "samplers", "site"]


def test_a_measurement(tree):
    tree.edit("results/benchmarks/scaling.json", '"machine"', ' "machine"')
    assert tree.would_run() == [MEASUREMENTS, "site"]


def test_a_model(tree):
    tree.edit("src/poolscreen/models/m7b.py", '"mu_gamma", 0, 5', '"mu_gamma", 0, 4')
    assert tree.would_run() == OF_M7B


def test_a_model_that_is_put_back_with_an_older_time_stamp(tree):
    """As `mv m7b.py.bak m7b.py` leaves it: other content, an old file."""
    path = tree.folder / "src/poolscreen/models/m7b.py"
    stamp = path.stat().st_mtime - 10_000
    tree.edit("src/poolscreen/models/m7b.py", '"mu_gamma", 0, 5', '"mu_gamma", 0, 4')
    os.utime(path, (stamp, stamp))
    assert tree.would_run() == OF_M7B
    tree.edit("src/poolscreen/models/m7b.py", '"mu_gamma", 0, 4', '"mu_gamma", 0, 5')
    assert tree.would_run() == []


def test_the_marginal_form(tree):
    """Every model names its family, which stands in that module."""
    tree.edit("src/poolscreen/marginal.py", "MEAN_SD = 5.0", "MEAN_SD = 4.0")
    assert tree.would_run() == sorted([*SAMPLED, *OF_FITS, MEASUREMENTS, "site"])


def test_the_sampler_settings(tree):
    tree.edit("src/poolscreen/sampling.py", "seed: int = 103", "seed: int = 104")
    assert tree.would_run() == sorted([*SAMPLED, *OF_FITS, MEASUREMENTS, "site"])


def test_a_result_that_was_deleted(tree):
    (tree.folder / "results/fits/m7a_unpooled.nc").unlink()
    (tree.folder / "results/calibration/m7b/1.nc").unlink()
    jobs = ["calibrate m7b 1", *EXECUTIONS[1:5], WHICH, "fit m7a_unpooled", "site"]
    jobs.append("predict m7a_unpooled")
    assert tree.would_run() == sorted(jobs)


def test_the_counts_of_a_real_screen(tree):
    tree.edit(
        "data/wang2014_counts.tsv",
        "A1CF_m52595977\tA1CF\t213",
        "A1CF_m52595977\tA1CF\t214",
    )
    assert tree.would_run() == sorted([*REAL, "fold_change wang2014", "site"])


def test_how_fold_changes_are_made(tree):
    tree.edit("src/poolscreen/counts.py", "PSEUDO_COUNT = 1.0", "PSEUDO_COUNT = 0.5")
    assert tree.would_run() == sorted([*REAL, "fold_change wang2014", "site"])


def test_the_simulator(tree):
    """The real screen does not depend on it."""
    old, new = "sigma: float = 0.3", "sigma: float = 0.4"
    tree.edit("src/poolscreen/simulate.py", old, new)
    assert tree.would_run() == sorted(set(EVERYTHING) - {*REAL, "fold_change wang2014"})


def test_everything(tree):
    tree.edit("uv.lock", 'name = "numpy"', 'name = "numpy" ')
    assert tree.would_run() == EVERYTHING


def test_a_new_chapter(tree):
    script = "# %% [markdown]\n# # New\n\n# %%\n"
    script += 'from poolscreen.fits import load_fit\nload_fit("m7b")\n'
    (tree.folder / "notebooks/04_new.py").write_text(script)
    last = "      - file: notebooks/03_model_7b\n"
    tree.edit("_toc.yml", last, f"{last}      - file: notebooks/04_new\n")
    assert tree.poolscreen("pair").returncode == 0
    assert tree.would_run() == ["execute 04_new", "site"]


def test_a_new_model_is_calibrated_by_naming_it(tree):
    """The one call, in a chapter, makes the jobs."""
    models = tree.folder / "src/poolscreen/models"
    (models / "m7d.py").write_text((models / "m7a.py").read_text())
    old = 'load_calibration("m7b_unpooled"),\n'
    new = old + '    "7d": load_calibration("m7d"),\n'
    tree.edit_chapter("05_calibration", old, new)
    jobs = tree.would_run()
    assert {"calibrate m7d 0", "calibrate m7d 1", "fit m7d"} <= set(jobs)
    assert not set(jobs) & {*CALIBRATIONS, *FITS}


def test_a_helper_reaches_the_page(tree):
    """The chapters run the helpers of their own project, wherever the package is installed."""
    tree.edit("src/poolscreen/measurements.py", '"{name}, best"', '"{name}, BEST"')
    built = tree.poolscreen("build")
    assert built.returncode == 0, built.stdout
    assert "seconds sampling, BEST" in tree.page("notebooks/measurements")


def test_a_clone_from_github_leads_back_to_it(tree):
    """Links to the code at the commit, buttons, the site's map and its cards."""

    def git(*arguments):
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
        ran = subprocess.run(command, cwd=tree.folder, check=True, text=True, capture_output=True)
        return ran.stdout.strip()

    git("config", "remote.origin.url", "https://github.com/lab/screens.git")
    git("commit", "--quiet", "--allow-empty", "--all", "--message", "as it is")
    head = git("rev-parse", "HEAD")
    assert tree.would_run() == ["site"]
    built = tree.poolscreen("build")
    assert built.returncode == 0, built.stdout

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
    assert (
        "/github/lab/screens/blob/main/notebooks/03_model_7b.ipynb" in page  # Colab
    )
    site = "https://lab.github.io/screens/"
    card = rf'property="og:image" content="{site}_static/key-figure.png"'
    assert re.search(card, page)
    html = tree.folder / "_build" / "html"
    mapped = re.findall("<loc>(.*?)</loc>", (html / "sitemap.xml").read_text())
    assert f"{site}notebooks/03_model_7b.html" in mapped
    assert 'href="/screens/_static' in (html / "404.html").read_text()


def test_prose_reaches_the_page(tree):
    tree.edit_chapter("01_data_generation", "simulates a pooled", "SIMULATES A POOLED")
    built = tree.poolscreen("build")
    assert built.returncode == 0, built.stdout
    assert "SIMULATES A POOLED" in tree.page("notebooks/01_data_generation")
    assert tree.site_is_whole()
    assert tree.would_run() == []

"""The commands for a screen of one's own, run as a user runs them."""

import contextlib
import hashlib
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from click.testing import CliRunner
from tests.injection import is_refused
from tests.tables import small_table
from tests.tree import HANGING, ROOT

from poolscreen.cli import main
from poolscreen.inference import exact

COUNTS = ROOT / "data" / "wang2014_counts.tsv"
SAMPLES = ROOT / "data" / "wang2014_samples.csv"


def as_a_user(folder, *arguments):
    """Run the command in a process of its own, in a folder that is not the project."""
    return subprocess.run(
        [sys.executable, "-m", "poolscreen", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=HANGING,
    )


def poolscreen(folder, *arguments):
    """Run the command in this process, which has imported what it needs already."""
    with contextlib.chdir(folder):
        ran = CliRunner().invoke(main, [*map(str, arguments)])
    if ran.exception and not isinstance(ran.exception, SystemExit):
        raise ran.exception
    return subprocess.CompletedProcess(arguments, ran.exit_code, ran.output)


def write_screen(path, replicates=2, **more):
    small_table(replicates).assign(**more).to_csv(path, index=False)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_sound_screen_is_said_to_be_sound(tmp_path):
    path = tmp_path / "screen.csv"
    write_screen(path)
    ran = as_a_user(tmp_path, "validate", path)
    assert ran.returncode == 0
    assert "216 rows, 12 genes, 36 sgRNAs, 3 cell lines" in ran.stdout
    assert "mind" not in ran.stdout


def test_faults_are_an_error_with_one_message(tmp_path):
    path = tmp_path / "screen.csv"
    write_screen(path, log_fc="low")
    ran = as_a_user(tmp_path, "validate", path)
    assert ran.returncode == 1
    assert "error: " in ran.stdout
    assert "log_fc is no number" in ran.stdout
    assert "Traceback" not in ran.stdout


@pytest.mark.parametrize("command", ["validate", "fold-change", "fit", "report"])
def test_help_says_what_a_command_takes(command, tmp_path):
    ran = poolscreen(tmp_path, command, "--help")
    assert ran.returncode == 0
    assert "--separator" in ran.stdout and "--column" in ran.stdout


def test_counts_become_a_screen(tmp_path):
    made = tmp_path / "screen.csv"
    before = digest(COUNTS)
    command = ["fold-change", COUNTS, "--samples", SAMPLES, "--output", made]
    ran = as_a_user(tmp_path, *command)
    assert ran.returncode == 0, ran.stdout
    assert "size factors: HL60.initial 0.682" in ran.stdout
    assert "9 of 999 sgRNAs left out" in ran.stdout
    assert len(pd.read_csv(made)) == 1980
    assert digest(COUNTS) == before

    made.write_text("mine")
    ran = poolscreen(tmp_path, *command)
    assert ran.returncode == 1
    assert "is there already; pass --force" in ran.stdout
    assert made.read_text() == "mine"
    assert poolscreen(tmp_path, *command, "--force").returncode == 0
    assert len(pd.read_csv(made)) == 1980


def test_controls_are_read_from_a_file(tmp_path):
    controls = tmp_path / "controls.txt"
    controls.write_text("A1CF\nAAAS\n\n")
    made = tmp_path / "screen.csv"
    command = ["fold-change", COUNTS, "--samples", SAMPLES, "-o", made]
    ran = poolscreen(tmp_path, *command, "--controls", controls)
    assert ran.returncode == 0, ran.stdout
    table = pd.read_csv(made)
    chosen = table[table["gene"].isin(["A1CF", "AAAS"])]
    medians = chosen.groupby("cell_line")["log_fc"].median()
    np.testing.assert_allclose(medians, 0, atol=1e-12)
    controls.write_text("A1CF\nNOSUCH\n")
    ran = poolscreen(tmp_path, *command, "--force", "--controls", controls)
    assert ran.returncode == 0
    assert "1 of 2 control genes are not in the counts: NOSUCH" in ran.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["report", "screen.csv", "--model", "m6"], "there is no model 'm6'"),
        (["fit", "m6", "--screen", "screen.csv"], "there is no model 'm6'"),
        (["fit", "m9", "--screen", "screen.csv"], "m9 is the model of `poolscreen hits`"),
        (["report", "none.csv"], "none.csv is not there"),
        (["report", "screen.csv", "-o", "no/such/place"], "there is no folder no/such"),
        (
            ["report", "screen.csv", "-o", "/proc/place"],
            "/proc/place cannot be written",
        ),
        (["report", "screen.csv", "-o", "taken"], "taken is there already"),
        (["report", "screen.csv", "--column", "gene"], "--column takes NAME=COLUMN"),
        (["report", "screen.csv", "--column", "guide=x"], "there is no such column to"),
    ],
)
def test_mistakes_are_named_before_anything_is_sampled(arguments, message, tmp_path):
    write_screen(tmp_path / "screen.csv")
    (tmp_path / "taken").mkdir()
    before = sorted(tmp_path.iterdir())
    ran = poolscreen(tmp_path, *arguments)
    assert ran.returncode == 1
    assert message in ran.stdout
    assert "Traceback" not in ran.stdout
    assert "sampling" not in ran.stdout
    assert sorted(tmp_path.iterdir()) == before


def test_degenerate_data_are_named(tmp_path):
    path = tmp_path / "screen.csv"
    write_screen(path, log_fc=1.0)
    ran = poolscreen(tmp_path, "report", path)
    assert "all 216 values of log_fc are 1: with zero variance" in ran.stdout
    assert [p.name for p in tmp_path.iterdir()] == ["screen.csv"]


@pytest.mark.slow
def test_a_fit_is_a_folder(tmp_path):
    path = tmp_path / "screen.csv"
    write_screen(path)
    before = digest(path)
    ran = poolscreen(tmp_path, "fit", "m7b", "--screen", path)
    assert ran.returncode == 0, ran.stdout
    made = tmp_path / "screen_m7b"
    genes = pd.read_csv(made / "gamma_gc.csv").groupby("gene")["mean"].mean()
    assert genes["g0"] == pytest.approx(-3, abs=0.3)
    drawn = exact.read(made / "fit.nc").draws(500, ["gamma_gc"])["gamma_gc"]
    assert drawn.sel(gene="g0").mean() == pytest.approx(-3, abs=0.3)
    assert digest(path) == before


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A report on a small screen with replicates."""
    folder = tmp_path_factory.mktemp("own")
    path = folder / "screen.csv"
    write_screen(path)
    ran = as_a_user(folder, "report", path, "--threshold", "-2")
    assert ran.returncode == 0, ran.stdout
    assert "integrating the scales" in ran.stdout
    return folder / "screen_report"


@pytest.mark.slow
def test_a_report_has_its_tables_as_csv(report):
    effects = pd.read_csv(report / "gene_effects.csv")
    assert len(effects) == 36
    lost = effects[effects["gene"] == "g0"]
    assert (lost["P(below -2)"] > 0.99).all()
    others = effects[effects["gene"] != "g0"]
    assert (others["P(below -2)"] < 0.01).all()
    assert len(pd.read_csv(report / "sgrnas.csv")) == 36
    assert {p.suffix for p in report.iterdir()} == {".csv", ".html"}
    assert len(list(report.parent.iterdir())) == 2  # nothing else is left behind


@pytest.mark.slow
def test_a_report_says_what_the_data_identify(report, tmp_path):
    text = (report / "report.html").read_text()
    assert "The data tell the two apart, since 108 combinations" in text
    path = tmp_path / "single.csv"
    write_screen(path, replicates=1)
    ran = poolscreen(tmp_path, "report", path)
    assert ran.returncode == 0, ran.stdout
    text = (tmp_path / "single_report" / "report.html").read_text()
    assert "these data do not say" in text


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_a_report_is_one_sound_page(report, browser, scheme, width):
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    asked, complaints = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto((report / "report.html").as_uri())
    page.wait_for_selector(".dt-search")
    assert [u for u in asked if not u.startswith(("file:", "data:"))] == []
    assert complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    alts = page.eval_on_selector_all("img", "all => all.map(img => img.alt)")
    assert len(alts) == 4 and all(alts)
    found = Axe().run(page).response["violations"]
    grave = [v["id"] for v in found if v["impact"] in ("serious", "critical")]
    assert grave == []
    page.fill(".dt-search input >> nth=0", "g0")
    assert "1 to 3 of 3 rows" in page.inner_text(".dt-info >> nth=0")
    with page.expect_download() as download:
        page.click("a[download] >> nth=0")
    data = download.value.path().read_bytes()
    assert data == (report / download.value.suggested_filename).read_bytes()
    assert complaints == []
    assert is_refused(page)
    context.close()

"""Which jobs an edit of a file reruns: as few as can be, and never one too few."""

import re

import pytest
import yaml
from click.testing import CliRunner
from tests.tree import ROOT

from poolscreen.errors import PoolscreenError
from press import chapters, paths, steps, uses
from press.cli import main

CROSSED = {"m7", "m7_two_means", "m7c", "m7c_unpooled", "m8"}
NESTED = {"m7a", "m7a_unpooled", "m7b", "m7b_unpooled"}
SAMPLED = ("fit", "calibrate", "predict", "attempt")


@pytest.fixture(scope="module")
def reruns():
    return steps.reruns()


def kinds(jobs):
    return {job.partition(" ")[0] for job in jobs}


def names(jobs, step):
    """Names of the jobs of a step."""
    return {job.partition(" ")[2] for job in jobs if job.partition(" ")[0] == step}


def models_of(jobs):
    """Models that are sampled again; of fits on real screens, too."""
    sampled = set().union(*(names(jobs, step) for step in ("fit", "calibrate", "predict")))
    return {part for name in sampled for part in name.split("/") if part.startswith(("m", "_"))}


def every(step):
    return set(steps.STEPS[step].names())


def chapters_that_import(module):
    """Chapters whose code names the module, read apart from what derives it."""
    package, _, name = module.rpartition(".")
    pattern = rf"^\s*(from {module} import|from {package} import .*\b{name}\b|import {module}\b)"
    return {
        chapter
        for chapter in chapters.names()
        if re.search(pattern, chapters.script_path(chapter).read_text(), re.MULTILINE)
    }


@pytest.mark.parametrize("module", ["paths", "locks", "results", "uses", "staging", "steps"])
def test_where_results_are_is_the_sites_alone(module, reruns):
    assert reruns[f"src/press/{module}.py"] == ["site"]


@pytest.mark.parametrize("module", ["rules", "tidy", "reading"])
def test_what_is_said_of_strangers_tables(module, reruns):
    """Real screens are read again; what follows runs only if their content changes."""
    jobs = reruns[f"src/poolscreen/screens/{module}.py"]
    assert kinds(jobs) <= {"fold-change", "execute", "site"}
    assert names(jobs, "fold-change") == every("fold-change")
    assert names(jobs, "execute") <= chapters_that_import("poolscreen.screens.counts")


def test_cautions_are_the_sites_alone(reruns):
    assert reruns["src/poolscreen/screens/cautions.py"] == ["site"]


@pytest.mark.parametrize("room", ["figures", "tables"])
def test_a_theme_reruns_the_chapters_that_import_it(room, reruns):
    themes = sorted((ROOT / "src/poolscreen" / room).glob("[a-z]*.py"))
    assert len(themes) > 5
    for path in themes:
        if path.stem in ("style", "image"):  # which all figures share
            continue
        jobs = reruns[paths.short(path)]
        assert kinds(jobs) <= {"execute", "site"}, path
        executed = names(jobs, "execute")
        assert executed >= chapters_that_import(f"poolscreen.{room}.{path.stem}"), path
        assert 1 <= len(executed) < len(chapters.names()), path


def test_the_style_of_figures_reruns_all_chapters(reruns):
    jobs = reruns["src/poolscreen/figures/style.py"]
    assert kinds(jobs) == {"execute", "site"}
    assert names(jobs, "execute") == set(chapters.names())


def test_how_chapters_are_executed_reruns_all_chapters(reruns):
    assert names(reruns["src/press/execution.py"], "execute") == set(chapters.names())


@pytest.mark.parametrize(
    ("family", "members", "others"), [("nested", NESTED, CROSSED), ("crossed", CROSSED, NESTED)]
)
@pytest.mark.parametrize("module", ["data", "likelihood", "effects", "family"])
def test_a_family_reruns_its_members(family, members, others, module, reruns):
    jobs = reruns[f"src/poolscreen/families/{family}/{module}.py"]
    assert models_of(jobs) >= members
    assert not models_of(jobs) & others


@pytest.mark.parametrize("module", ["leaving_out", "recovery"])
def test_what_only_predictions_use(module, reruns):
    jobs = reruns[f"src/poolscreen/inference/{module}.py"]
    assert names(jobs, "predict") == every("predict")
    assert not kinds(jobs) & {"fit", "calibrate", "attempt"}


def test_the_calibration(reruns):
    jobs = reruns["src/poolscreen/inference/calibration.py"]
    assert names(jobs, "calibrate") == every("calibrate")
    assert not kinds(jobs) & {"fit", "predict", "attempt"}


@pytest.mark.parametrize("module", ["store", "gate", "fitting", "sampling"])
def test_the_file_of_a_fit_and_its_gate_rerun_all_fits(module, reruns):
    assert names(reruns[f"src/poolscreen/inference/{module}.py"], "fit") == every("fit")


@pytest.mark.parametrize("module", ["data", "likelihood", "effects"])
def test_what_a_record_holds(module):
    """The jobs that an edit reruns are those whose results record the file."""
    path = f"src/poolscreen/families/nested/{module}.py"
    assert path in steps.sources("fit", "m7b")
    assert path not in steps.sources("fit", "m7")


def test_a_model_reruns_what_samples_it(reruns):
    jobs = reruns["src/poolscreen/models/m7b.py"]
    assert models_of(jobs) == {"m7b"}
    assert names(jobs, "fit") == {"m7b"}
    assert names(jobs, "calibrate") == {"m7b"}
    assert names(jobs, "attempt") == {"m7b/pymc"}


def test_the_simulator_leaves_real_screens_alone(reruns):
    jobs = reruns["src/poolscreen/screens/simulate.py"]
    assert "simulate" in jobs
    assert not kinds(jobs) & {"fit", "fold-change"}
    assert "execute 10_real_screen" not in jobs


def test_counts_of_a_real_screen(reruns):
    for kind in ("counts.tsv", "samples.csv"):
        jobs = set(reruns[f"data/wang2014_{kind}"])
        assert "fold-change wang2014" in jobs
        assert jobs <= {"fold-change wang2014", "execute 10_real_screen"}


def test_the_lock_of_the_environment_reruns_everything(reruns):
    jobs = {f"{step} {name}".strip() for step in steps.STEPS for name in every(step)}
    assert set(reruns["uv.lock"]) == jobs


def test_prose_and_settings_are_the_sites_alone(reruns):
    for path in ("_config.yml", "book/index.md", "book/_static/book.css"):
        assert reruns[path] == ["site"]
    for chapter in chapters.names():  # its code is the workflow's business, by its digest
        assert reruns[f"notebooks/{chapter}.py"] == ["site"]


def test_a_directive_of_the_pages_is_the_sites_alone(reruns):
    """No module imports it."""
    assert reruns["src/press/directives.py"] == ["site"]


def test_commands_rerun_nothing(reruns):
    for path in ("poolscreen/cli.py", "press/cli.py", "press/new_chapter.py"):
        assert reruns[f"src/{path}"] == []


def test_an_import_of_nothing_is_an_error(monkeypatch):
    """One forgotten rename, and the chapter would never be executed anew."""
    monkeypatch.setattr(uses, "imports", lambda _: {("poolscreen.screen", "load_screen")})
    with pytest.raises(PoolscreenError, match=r"there is no module poolscreen\.screen in src/"):
        steps.sources("execute", "01_data_generation")


def test_every_rule_says_what_its_jobs_need():
    """As jobs of a cluster ask for it; a profile names rules that there are."""
    text = (ROOT / "workflow" / "Snakefile").read_text()
    rules = dict(re.findall(r"^rule (\w+):\n(.*?)(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL))
    assert {step.replace("-", "_") for step in steps.STEPS} == set(rules) - {"all", "results"}
    for rule in set(rules) - {"all", "results"}:
        assert re.search(r"mem_mb=\d+,\n +runtime=\d+,\n", rules[rule]), rule
    for path in (ROOT / "workflow" / "profiles").glob("*/config.yaml"):
        profile = yaml.safe_load(path.read_text())
        assert set(profile["groups"]) <= set(rules)
        for rule in profile["groups"]:
            assert "in_group=1," in rules[rule], rule


def test_a_profile_that_is_not_there_is_named():
    ran = CliRunner().invoke(main, ["build", "--dry-run", "--profile", "lsf"])
    assert ran.exit_code == 1
    assert "there is no profile 'lsf'" in ran.output
    assert "there are slurm" in ran.output

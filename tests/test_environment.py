"""The environment: one in two files, and of each package only what needs it."""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib

import grimp
import pandas as pd
import pytest
import yaml
from tests.tables import small_table
from tests.tree import HANGING, ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
# conda-forge's name for a package of PyPI.
CONDA_NAMES = {"graphviz": "python-graphviz", "snakemake": "snakemake-minimal"}
# Packages that are not imported, but asked for by name: an engine, a program, data.
UNSEEN = {"graphviz", "graphviz-pure", "h5netcdf", "h5py", "itables"}


def split(requirement: str) -> tuple[str, str]:
    """Split `name>=1,<2` into its name and its bounds."""
    name = re.match(r"[A-Za-z0-9_.-]+", requirement)[0]
    return name, requirement[len(name) :].strip()


def required(group: str = "") -> dict[str, str]:
    """Names and bounds of what the package needs, or a group of dependencies."""
    groups, project = PROJECT["dependency-groups"], PROJECT["project"]
    return dict(map(split, groups[group] if group else project["dependencies"]))


def test_conda_environment_is_that_of_pyproject():
    wanted = required() | required("book") | required("dev")
    wanted["python"] = PROJECT["project"]["requires-python"]

    *conda, pip = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    given = dict(map(split, [*conda, *pip["pip"]]))
    assert "graphviz" in given, "Graphviz itself draws the model graphs for conda users"
    del given["graphviz"], given["pip"]
    assert given == {CONDA_NAMES.get(name, name): bounds for name, bounds in wanted.items()}


def test_lock_holds_every_requirement_with_hashes():
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    packages = {package["name"]: package for package in lock["package"]}
    assert set(required() | required("book") | required("dev")) <= set(packages)
    assert packages.pop(PROJECT["project"]["name"])["source"] == {"editable": "."}
    for name, package in packages.items():
        files = package.get("wheels", []) + [
            package[kind] for kind in ("sdist",) if kind in package
        ]
        assert files, name
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", file["hash"]) for file in files), name


def imported(package: str) -> set[str]:
    """Distributions of other projects that a package imports."""
    graph = grimp.build_graph(package, include_external_packages=True, cache_dir=None)
    outside = {name.partition(".")[0] for name in graph.modules} - sys.stdlib_module_names
    distributions = importlib.metadata.packages_distributions()
    return {
        distributions[name][0].lower().replace("_", "-")
        for name in outside - {"poolscreen", "press"}
    }


def test_the_science_needs_what_it_asks_for_and_no_more():
    arviz = {"arviz-stats"}  # a part of ArviZ
    assert imported("poolscreen") - arviz == set(required()) - UNSEEN


def test_the_book_needs_what_it_asks_for():
    jupyter_book = {"docutils", "sphinx"}  # come with it
    known = {*required(), *required("book")}
    assert imported("press") - jupyter_book <= known


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The wheel in an environment that holds nothing else but what it needs."""
    folder = tmp_path_factory.mktemp("alone")
    uv = shutil.which("uv") or str(ROOT / ".uv" / "bin" / "uv")

    def run(*command, **more):
        return subprocess.run(
            [uv, *map(str, command)],
            cwd=ROOT,
            check=True,
            timeout=HANGING,
            env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
            **more,
        )

    locked = folder / "locked.txt"
    locked.write_bytes(
        run("export", "--no-default-groups", "--no-emit-project", stdout=subprocess.PIPE).stdout
    )
    run("build", "--wheel", "--out-dir", folder)
    (wheel,) = folder.glob("*.whl")
    run("venv", "--python", sys.executable, folder / "environment")
    python = folder / "environment" / "bin" / "python"
    run("pip", "install", "--python", python, "--requirements", locked)
    run("pip", "install", "--python", python, "--no-deps", wheel)
    return python


@pytest.mark.slow
def test_the_wheel_alone_reports_on_a_screen(alone, tmp_path):
    small_table().to_csv(tmp_path / "screen.csv", index=False)
    ran = subprocess.run(
        [alone.with_name("poolscreen"), "report", "screen.csv"],
        cwd=tmp_path,
        check=False,
        text=True,
        timeout=HANGING,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert ran.returncode == 0, ran.stdout
    effects = pd.read_csv(tmp_path / "screen_report" / "gene_effects.csv")
    assert effects.loc[effects["mean"].idxmin(), "gene"] == "g0"
    assert "Effects of the genes" in (tmp_path / "screen_report" / "report.html").read_text()
    for package in ("press", "sphinx", "snakemake", "jupyter_book", "altair", "jupytext"):
        missing = subprocess.run([alone, "-c", f"import {package}"], check=False, cwd=tmp_path)
        assert missing.returncode != 0, package

"""One environment in two files: environment.yml says what pyproject.toml says."""

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent
# conda-forge's name for a package of PyPI.
CONDA_NAMES = {"graphviz": "python-graphviz", "snakemake": "snakemake-minimal"}


def split(requirement: str) -> tuple[str, str]:
    """Split `name>=1,<2` into its name and its bounds."""
    name = re.match(r"[A-Za-z0-9_.-]+", requirement)[0]
    return name, requirement[len(name) :].strip()


def test_conda_environment_is_that_of_pyproject():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = dict(map(split, project["project"]["dependencies"]))
    wanted |= dict(map(split, project["dependency-groups"]["dev"]))
    wanted["python"] = project["project"]["requires-python"]

    *conda, pip = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    given = dict(map(split, [*conda, *pip["pip"]]))
    assert "graphviz" in given, "Graphviz itself draws the model graphs for conda users"
    del given["graphviz"], given["pip"]
    assert given == {CONDA_NAMES.get(name, name): bounds for name, bounds in wanted.items()}


def test_lock_holds_every_requirement_with_hashes():
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    packages = {package["name"]: package for package in lock["package"]}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for requirement in project["project"]["dependencies"]:
        package = packages[split(requirement)[0]]
        assert all("hash" in wheel for wheel in package["wheels"])

"""The set-up on machines that lack something: one clear message, and nothing half-made."""

import os
import re
import runpy
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from tests.tree import ROOT


def setup(tmp_path, path, **env):
    """Run the set-up script of an empty project, on a machine whose programs are all in `path`."""
    script = (ROOT / "workflow/setup.sh").read_text()
    assert " /usr/bin/python3;" in script
    (tmp_path / "workflow").mkdir()
    (tmp_path / "workflow/setup.sh").write_text(script.replace(" /usr/bin/python3;", ";"))
    shutil.copy2(ROOT / "workflow/uv.txt", tmp_path / "workflow")
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


def test_another_uv_than_that_of_the_hashes_is_refused(tmp_path, tools):
    """A package of the same name and version that lies nearer than PyPI."""
    version = re.search(r"^uv==(\S+)", (ROOT / "workflow/uv.txt").read_text(), flags=re.MULTILINE)[
        1
    ]
    other = tmp_path / "other"
    other.mkdir()
    with zipfile.ZipFile(other / f"uv-{version}-py3-none-any.whl", "w") as wheel:
        folder = f"uv-{version}.dist-info"
        wheel.writestr(
            f"{folder}/METADATA", f"Metadata-Version: 2.1\nName: uv\nVersion: {version}\n"
        )
        wheel.writestr(f"{folder}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{folder}/RECORD", "")
    (tools / "python3").symlink_to(sys.executable)
    ran = setup(
        tmp_path, tools, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(other), PIP_CONFIG_FILE="/dev/null"
    )
    assert ran.returncode == 1
    assert "DO NOT MATCH THE HASHES" in ran.stderr
    assert not (tmp_path / ".uv").exists()


damaged = runpy.run_path(str(ROOT / "workflow/damaged.py"))["damaged"]


def test_this_environment_is_whole():
    assert list(damaged(Path(sysconfig.get_path("purelib")))) == []


@pytest.mark.parametrize("harm", ["file", "record", "nothing"])
def test_half_a_package_as_a_killed_set_up_leaves_it(tmp_path, harm):
    """For each package that is named, the set-up asks uv to install it anew."""
    for name in ("whole", "half"):
        information = tmp_path / f"{name}-1.0.dist-info"
        information.mkdir()
        (tmp_path / name).write_text("x = 1\n")
        (information / "RECORD").write_text(f"{name},sha256=1f,6\n{information.name}/RECORD,,\n")
    if harm == "file":
        os.truncate(tmp_path / "half", 3)
    elif harm == "record":
        (tmp_path / "half-1.0.dist-info/RECORD").unlink()
    assert list(damaged(tmp_path)) == ([] if harm == "nothing" else ["half"])

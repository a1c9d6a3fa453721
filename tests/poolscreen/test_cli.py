"""Errors that a user can mend end a command with one message."""

import shutil
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from poolscreen.cli import Group


def ending(function):
    """Return how a command that calls a function ends: its code, and what it says."""
    group = Group(commands=[click.Command("it", callback=function)])
    ran = CliRunner().invoke(group, ["it"])
    return ran.exit_code, ran.output


def write_to_a_full_disk():
    Path("/dev/full").write_text("x" * 100_000)


def copy_to_a_full_disk():
    """As the site is laid out; the error of `shutil` holds those of the files."""
    folder = Path("from")
    folder.mkdir()
    (folder / "page").write_text("x" * 100_000)
    Path("to").mkdir()
    Path("to/page").symlink_to("/dev/full")
    shutil.copytree(folder, "to", dirs_exist_ok=True)


def write_after_an_error():
    """As HDF5 does, which gives the cause first and an error of its own kind last."""
    try:
        write_to_a_full_disk()
    finally:
        raise RuntimeError("can't decrement the count of references")


@pytest.mark.parametrize(
    "function", [write_to_a_full_disk, copy_to_a_full_disk, write_after_an_error]
)
def test_a_full_disk(tmp_path, monkeypatch, function):
    monkeypatch.chdir(tmp_path)
    code, said = ending(function)
    assert code == 1
    assert said == "error: writing: No space left on device; make room, and try again\n"


def test_no_memory():
    code, said = ending(lambda: bytearray(2**62))
    assert code == 1
    assert said.startswith("error: memory ran out")


def test_another_fault_of_the_disk():
    assert ending(lambda: Path("/dev").write_text("")) == (1, "error: /dev: Is a directory\n")


def test_a_fault_of_the_program_keeps_its_traceback():
    ran = CliRunner().invoke(Group(commands=[click.Command("it", callback=lambda: 1 / 0)]), ["it"])
    assert isinstance(ran.exception, ZeroDivisionError)

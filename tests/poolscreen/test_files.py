"""What is written is there whole, or what was there before."""

from pathlib import Path

import pandas as pd
import pytest
import xarray as xr

from poolscreen import files
from poolscreen.inference import store


def test_an_interrupted_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")

    def write():
        with files.replacing(path) as part:
            part.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_the_old_file(tmp_path):
    """A real file system with no room left."""
    path = tmp_path / "table.csv"
    path.write_text("old")

    def write():
        with files.replacing(path) as part:
            part.symlink_to("/dev/full")
            pd.DataFrame({"x": range(100_000)}).to_csv(part)

    with pytest.raises(OSError, match="No space left") as raised:
        write()
    assert raised.value.filename == str(path)
    assert path.read_text() == "old"


def in_a_folder(own, do):
    """Do something in a folder that is being written, and return the error that it ends in."""
    with pytest.raises(OSError) as raised, files.replacing_folder(own) as folder:
        do(folder)
    assert list(own.parent.iterdir()) == []
    return raised.value


def test_a_fault_in_a_folder_names_its_place(tmp_path):
    own = tmp_path / "own"
    full = in_a_folder(own, lambda _: Path("/dev/full").write_text("does not say where"))
    assert full.filename == str(own)
    lost = in_a_folder(own, lambda folder: (folder / "hits.csv").read_text())
    assert lost.filename == str(own / "hits.csv")


def test_a_result_on_a_full_disk_is_an_error_and_no_crash(tmp_path):
    """HDF5 would end the process with a segmentation fault."""
    path = tmp_path / "fit.nc"
    (tmp_path / ".fit.nc.part").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        store.write_result(path, xr.Dataset({"draws": ("draw", [0.0] * 100_000)}), {})
    assert list(tmp_path.iterdir()) == []

"""What is written is there whole, or what was there before."""

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


def test_a_result_on_a_full_disk_is_an_error_and_no_crash(tmp_path):
    """HDF5 would end the process with a segmentation fault."""
    path = tmp_path / "fit.nc"
    (tmp_path / ".fit.nc.part").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        store.write_result(path, xr.Dataset({"draws": ("draw", [0.0] * 100_000)}), {})
    assert list(tmp_path.iterdir()) == []

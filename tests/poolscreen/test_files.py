"""What is written is there whole, or what was there before."""

import pandas as pd
import pytest

from poolscreen import files


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

    with pytest.raises(OSError, match="No space left"):
        write()
    assert path.read_text() == "old"

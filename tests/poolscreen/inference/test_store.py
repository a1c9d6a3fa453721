"""The file of a fit: whole, or refused with a message."""

import contextlib
import pickle
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr

from poolscreen.errors import PoolscreenError
from poolscreen.inference import store


@pytest.fixture
def fit():
    group = xr.Dataset(
        {
            "x": (
                ("chain", "draw", "obs"),
                np.random.default_rng(0).normal(size=(2, 5, 3)),
            )
        }
    )
    tree = xr.DataTree.from_dict(dict.fromkeys(store.GROUPS, group))
    tree.attrs = {"model": "m", "seed": 1}
    return tree


def test_file_holds_the_fit(fit, tmp_path):
    path = tmp_path / "m.nc"
    store.write_fit(path, fit)
    read = store.read_fit(path)
    assert set(read.children) == set(store.GROUPS)
    assert read.attrs["model"] == "m"
    np.testing.assert_allclose(read["posterior"]["x"], fit["posterior"]["x"], rtol=1e-6)
    assert store.read_attributes(path)["seed"] == 1
    assert [p.name for p in tmp_path.iterdir()] == ["m.nc"]


@pytest.mark.parametrize("keep", [0, 100, 5000])
def test_truncated_file_is_named(fit, tmp_path, keep):
    path = tmp_path / "m.nc"
    store.write_fit(path, fit)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(PoolscreenError, match=r"m\.nc is damaged .*delete it and run `make book`"):
        store.read_fit(path)


def test_file_of_another_version_is_named(fit, tmp_path, monkeypatch):
    path = tmp_path / "m.nc"
    monkeypatch.setattr(store, "FORMAT", store.FORMAT + 1)
    store.write_fit(path, fit)
    monkeypatch.undo()
    with pytest.raises(PoolscreenError, match="is of format 2, and this version reads 1"):
        store.read_fit(path)


def test_missing_file_and_missing_group_are_named(fit, tmp_path):
    with pytest.raises(PoolscreenError, match="is not there"):
        store.read_fit(tmp_path / "none.nc")
    del fit["prior"]
    store.write_fit(tmp_path / "m.nc", fit)
    with pytest.raises(PoolscreenError, match="has no group prior"):
        store.read_fit(tmp_path / "m.nc")


class Attack:
    """What a stranger could hide in a file: unpickled, it leaves a file behind."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_file_from_elsewhere_runs_nothing(fit, tmp_path):
    path, ran = tmp_path / "m.nc", tmp_path / "ran"
    store.write_fit(path, fit)
    hidden = pickle.dumps(Attack(ran))
    with h5py.File(path, "a") as file:
        file.attrs["hidden"] = np.void(hidden)
        file["posterior"].create_dataset("hidden", data=np.void(hidden))
    for read in (store.read_fit, store.read_attributes):
        with contextlib.suppress(PoolscreenError):
            read(path)
        assert not ran.exists()
    pickle.loads(hidden)
    assert ran.exists()  # the attack is one

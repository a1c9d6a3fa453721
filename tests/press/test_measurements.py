"""Measurements are kept with the machine, whole."""

import json

import pytest

from poolscreen.errors import PoolscreenError
from press import measurements, paths, results


def test_measurements_are_kept_whole(in_project):
    measurements.record("scaling", [1, 2])
    assert results.load_benchmark("scaling")["figures"] == [1, 2]
    assert {"cores", "pymc", "measured"} <= set(results.load_benchmark("scaling")["machine"])
    path = paths.benchmark_path("scaling")
    path.write_text(json.dumps({"a": 1})[:-1])
    with pytest.raises(PoolscreenError, match=r"scaling\.json is damaged"):
        results.load_benchmark("scaling")
    path.unlink()
    with pytest.raises(PoolscreenError, match="`make bench` makes it"):
        results.load_benchmark("scaling")

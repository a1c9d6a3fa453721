"""The gate lets good draws pass and refuses the others, with their worst parameters."""

import importlib
import re

import numpy as np
import pytest
import xarray as xr
from tests.poolscreen.inference.test_posterior import drawn

from poolscreen.errors import PoolscreenError
from poolscreen.inference import gate
from poolscreen.inference.posterior import summarise


def sample_stats(chains=4, draws=500, divergences=0, rng=None):
    rng = rng or np.random.default_rng(0)
    diverging = np.zeros((chains, draws), dtype=bool)
    diverging[0, :divergences] = True
    dims = ("chain", "draw")
    return xr.Dataset(
        {
            "diverging": (dims, diverging),
            "energy": (dims, rng.normal(size=(chains, draws))),
        }
    )


def pass_gate(draws, **changes):
    tables = summarise(draws)
    diagnostics = gate.diagnose(tables, sample_stats()) | changes
    gate.check_gate("m", tables, diagnostics)


def test_gate_lets_good_draws_pass():
    pass_gate(drawn())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"max_r_hat": 1.02}, r"R-hat up to 1\.020"),
        ({"max_r_hat": float("nan")}, "R-hat up to nan"),
        ({"min_ess_bulk": 399.0}, "bulk effective sample size down to 399"),
        ({"min_ess_tail": 10.0}, "tail effective sample size down to 10"),
        ({"divergences": 1.0}, "1 divergences"),
        ({"min_bfmi": 0.29}, r"BFMI down to 0\.29"),
    ],
)
def test_gate_refuses(change, message):
    with pytest.raises(PoolscreenError, match=message):
        pass_gate(drawn(), **change)


def test_gate_names_a_remedy_that_is_there():
    with pytest.raises(PoolscreenError, match=r"the marginal form \(poolscreen\.\w+\)") as refused:
        pass_gate(drawn(), divergences=1.0)
    importlib.import_module(re.search(r"\((poolscreen\.\w+)\)", str(refused.value))[1])


def test_gate_names_the_worst_parameter():
    with pytest.raises(PoolscreenError, match=r"The worst parameters:\n  sigma: R-hat"):
        pass_gate(drawn(shift=3.0))


def test_a_failure_on_purpose_must_be_one():
    tables = summarise(drawn())
    good = gate.diagnose(tables, sample_stats())
    with pytest.raises(PoolscreenError, match="shown as a failure, but it has converged"):
        gate.check_gate("m", tables, good, expect_failure=True)
    gate.check_gate("m", tables, good | {"divergences": 3.0}, expect_failure=True)

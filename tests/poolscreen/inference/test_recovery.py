"""How well a model finds what was simulated."""

import numpy as np
import pytest

from poolscreen import models
from poolscreen.inference import recovery


@pytest.mark.slow
def test_the_truth_is_found_as_often_as_it_should_be():
    """By the model that made it; one that forgets what cell lines share is too sure."""
    found, too_sure = (recovery.recover(models.get(name), screens=20) for name in ("m7", "m7a"))
    assert (found["fault"] == "").mean() > 0.9
    held = found["held"].mean(["screen", "gene"])
    assert (np.abs(held - 0.94) < 0.05).all()
    assert too_sure["held"].sel(target="over all lines").mean() < 0.75
    error = (of["squared_error"].sel(target="in each line").mean() for of in (found, too_sure))
    assert next(error) < 0.5 * next(error)

"""Sampling says how far it is."""

import re

import nutpie
import pymc as pm

from poolscreen.inference import sampling


def test_chains_say_how_far_they_are(monkeypatch):
    heard = []
    monkeypatch.setattr(sampling, "Progress", lambda say: say)  # every message is passed on
    with pm.Model() as model:
        pm.Normal("mu")
    compiled = nutpie.compile_pymc_model(model)
    sampling.sample_compiled(compiled, sampling.Settings(draws=20_000), say=heard.append)
    assert re.fullmatch(r"[\d,]+ of 88,000 draws \(\d+%\)", heard[-1])

"""What sgRNAs do alike in all lines: as it was simulated, and told from what each line has anew."""

import numpy as np
import pandas as pd
import pytest

from poolscreen.effects.efficacy import estimate, of_sgrnas, residuals
from poolscreen.families.mixture.densities import START
from poolscreen.families.mixture.guides import guides
from poolscreen.families.mixture.simulation import simulate_mixture

VALUES = {**START, "sigma_alpha": 0.15, "slope_alpha": 0.15, "null": 0.7}
NOISELESS = {**VALUES, "sigma_alpha": 1e-9, "slope_alpha": 1e-9, "sigma": 1e-9, "omega": 1e-9}
LINES = ["A", "B", "C"]


def found(values=VALUES, **scales):
    """The residuals of a simulated screen of three lines, how sgRNAs scatter, and the screen."""
    screen, _ = simulate_mixture(values, n_genes=600, lines=LINES, seed=8, **scales)
    data = {line: guides(screen, line) for line in LINES}
    of = residuals(data, dict.fromkeys(LINES, values))
    return of, estimate(of), screen


@pytest.mark.parametrize(
    ("efficacy", "offset", "about"), [(0.4, 0.2, (0.1, 0.06)), (0.0, 0.0, (0.08, 0.06))]
)
def test_scales_are_those_of_the_simulation(efficacy, offset, about):
    _, scatter, _ = found(efficacy=efficacy, offset=offset)
    assert scatter.efficacy == pytest.approx(efficacy, abs=about[0])
    assert scatter.offset == pytest.approx(offset, abs=about[1])


def test_an_efficacy_is_that_of_the_simulation():
    """The same seed without noise shows what is true."""
    of, scatter, _ = found(efficacy=0.4)
    table = of_sgrnas(scatter, of)
    *_, exact = found(NOISELESS, efficacy=0.4)
    rows = exact.table[(exact.table["cell_line"] == "A") & (exact.table["replicate"] == "1")]
    rows = rows.astype({"gene": str, "sgRNA": str})
    effect = rows.groupby("gene")["log_fc"].transform("mean")
    true = (rows["log_fc"] / effect).to_numpy()[(effect < -1.5).to_numpy()]
    said = table.set_index("sgRNA").loc[rows["sgRNA"][effect < -1.5]]
    assert len(true) > 300
    assert np.corrcoef(said["efficacy"], true)[0, 1] > 0.85
    assert np.mean(np.abs(said["efficacy"] - true) < 2 * said["sd"]) > 0.9


def test_nothing_is_known_where_a_gene_does_nothing():
    of, scatter, _ = found(efficacy=0.4)
    table = of_sgrnas(scatter, of)
    nothing = (np.abs(of.effect) < 0.1).all(axis=1)
    assert nothing.sum() > 30
    assert table["efficacy"][nothing].between(0.9, 1.1).all()
    assert (table["sd"][nothing] > 0.8 * scatter.efficacy * np.sqrt(3 / 4)).all()


def test_an_sgrna_without_others_or_without_a_line_is_no_fault():
    screen, _ = simulate_mixture(VALUES, n_genes=30, lines=LINES, seed=8)
    table = screen.table.astype({"gene": str, "sgRNA": str, "cell_line": str})
    alone = table["gene"].isin(["g0"]) & ~table["sgRNA"].isin(["s0"])
    gone = (table["sgRNA"] == "s4") & (table["cell_line"] == "A")
    part = type(screen)(table[~alone & ~gone])
    of = residuals({line: guides(part, line) for line in LINES}, dict.fromkeys(LINES, VALUES))
    rows = of_sgrnas(estimate(of), of).set_index("sgRNA")
    assert "s0" not in rows.index
    assert np.isfinite(rows.loc["s4", ["efficacy", "sd"]].to_numpy(float)).all()
    assert len(rows) == 29 * 4
    assert not pd.isna(rows).any().any()

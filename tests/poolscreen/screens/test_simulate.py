"""The simulated screen: the original's to every printed digit."""

import numpy as np
import pytest
from scipy import stats

from poolscreen.errors import PoolscreenError
from poolscreen.screens.simulate import Design, simulate

PRINTED = [
    (0, "cell_0", "sgRNA_0", "gene_0", -1.284686, -0.974021),
    (1, "cell_1", "sgRNA_0", "gene_0", -1.986886, -2.358464),
    (2, "cell_2", "sgRNA_0", "gene_0", -0.883180, -0.911884),
    (3, "cell_3", "sgRNA_0", "gene_0", -0.267206, -0.774813),
    (4, "cell_4", "sgRNA_0", "gene_0", -3.064072, -2.866197),
    (1095, "cell_15", "sgRNA_54", "gene_9", -2.116856, -2.188318),
    (1096, "cell_16", "sgRNA_54", "gene_9", -2.245777, -1.630069),
    (1097, "cell_17", "sgRNA_54", "gene_9", -1.079010, -0.752161),
    (1098, "cell_18", "sgRNA_54", "gene_9", -1.900383, -1.697479),
    (1099, "cell_19", "sgRNA_54", "gene_9", -1.452215, -1.609552),
]


@pytest.mark.parametrize("row", PRINTED, ids=lambda row: str(row[0]))
def test_screen_is_the_originals(row):
    number, *expected = row
    screen, _ = simulate(Design())
    assert [round(v, 6) if isinstance(v, float) else v for v in screen.loc[number]] == expected


def test_size_of_the_screen():
    screen, _ = simulate(Design())
    assert len(screen) == 1100
    assert screen.nunique()[["cell_line", "sgRNA", "gene"]].tolist() == [20, 55, 10]


def test_truth_makes_the_means():
    screen, truth = simulate(Design())
    alpha = truth[truth["parameter"] == "alpha_s"].set_index("sgRNA")["value"]
    beta = truth[truth["parameter"] == "beta_c"].set_index("cell_line")["value"]
    means = screen["sgRNA"].map(alpha) + screen["cell_line"].map(beta)
    np.testing.assert_allclose(means, screen["mu_sc"], rtol=1e-12)


def test_another_design_recovers_its_scales():
    design = Design(n_cell_lines=400, sgrnas_per_gene=(5,) * 200, sigma=0.7, seed=1)
    screen, truth = simulate(design)
    drawn = truth[truth["parameter"] == "gamma_g"]["value"]
    assert drawn.std() == pytest.approx(design.sigma_gamma, rel=0.15)
    assert (screen["log_fc"] - screen["mu_sc"]).std() == pytest.approx(0.7, rel=0.01)


def test_replicates_differ_by_noise_alone():
    design = Design(n_cell_lines=40, sgrnas_per_gene=(5,) * 20, replicates=3)
    screen, _ = simulate(design)
    units = screen.groupby(["sgRNA", "cell_line"])
    assert (units.size() == 3).all()
    assert (units["mu_sc"].nunique() == 1).all()
    assert units["log_fc"].std().pow(2).mean() == pytest.approx(0.3**2, rel=0.05)


def test_heavier_tails_have_the_same_spread():
    sizes = {"n_cell_lines": 1, "sgrnas_per_gene": (5,) * 4000}
    kurtosis = []
    for design in (Design(**sizes), Design(**sizes, tails=5)):
        _, truth = simulate(design)
        values = truth.pivot_table(index=["gene", "sgRNA"], values="value")["value"]
        within = values - values.groupby("gene").transform("mean")
        assert within.std() == pytest.approx(0.2 * np.sqrt(4 / 5), rel=0.03)
        kurtosis.append(stats.kurtosis(within))
    assert abs(kurtosis[0]) < 0.1
    assert kurtosis[1] > 1


def test_tails_without_a_standard_deviation_are_refused():
    with pytest.raises(PoolscreenError, match=r"with 1\.5 degrees of freedom has no"):
        simulate(Design(tails=1.5))

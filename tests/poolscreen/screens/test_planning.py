"""Expected errors, against the posterior of a screen of many genes."""

import numpy as np
import pytest

from poolscreen.models import m8
from poolscreen.screens.planning import expected_errors
from poolscreen.screens.simulate import Design, simulate
from poolscreen.screens.table import Screen

MANY = (1, 2, 5) * 100


@pytest.mark.parametrize(
    "design",
    [
        Design(n_cell_lines=3, sgrnas_per_gene=MANY, sigma_delta=0.2),
        Design(n_cell_lines=2, sgrnas_per_gene=MANY, sigma_delta=0.4, sigma=0.8, replicates=3),
        Design(n_cell_lines=4, sgrnas_per_gene=MANY, sigma_gamma=0.2, sigma_alpha=0.6),
    ],
)
def test_expected_errors_are_the_posteriors(design):
    """With the scales known; the effects of lines nearly are, with so many genes."""
    screen = Screen(simulate(design)[0])
    scales = {name: np.array([getattr(design, name)]) for name in m8.FAMILY.scales}
    given = m8.FAMILY.closed(screen).given(scales)
    lines = design.n_cell_lines
    weights = np.column_stack([np.eye(lines)[0], np.full(lines, 1 / lines)])
    variance = given.gene_effects(slice(None), weights).variance[0]  # genes, combinations
    expected = expected_errors(design).set_index("sgRNAs")
    for number, errors in expected.iterrows():
        of_gene = np.sqrt(variance[MANY.index(number)])
        np.testing.assert_allclose(errors, of_gene, rtol=0.02)

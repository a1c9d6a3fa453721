"""What a screen will be able to say: expected errors, before it is made."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from poolscreen.arrays import FloatArray
from poolscreen.screens.simulate import Design


def expected_errors(design: Design) -> pd.DataFrame:
    r"""Compute the expected error of the effect of a gene, by its number of sgRNAs.

    The error is the posterior standard deviation of model 8 with its scales and the effects of the
    cell lines known, as they nearly are in a screen of many genes. Write :math:`k = \sigma_\delta^2
    + \sigma^2 / (n r)` for the variance of the mean of a gene's `n` sgRNAs and `r` replicates in
    one of `C` cell lines, about what lines have in common, and :math:`v = \sigma_\gamma^2 +
    \sigma_\alpha^2 / n` for the variance of what they have in common. With the covariance
    :math:`c_j` of the effect in question and the mean in line `j`, its posterior variance is its
    prior variance less :math:`(\sum_j c_j^2 - v (\sum_j c_j)^2 / (k + C v)) / k` (conditioning of a
    multivariate normal, Rue and Held, Gaussian Markov Random Fields, 2005, section 2.1.7; the
    covariance matrix :math:`k I + v 1 1^\top` is inverted by the Sherman-Morrison formula).

    Parameters
    ----------
    design : Design
        Standard deviations, sizes and replicates. The effects of the cell lines do not matter.

    Returns
    -------
    pandas.DataFrame
        Columns `sgRNAs` and the errors (log fold changes) `in a line`, of the effect of a gene in
        one cell line, and `over lines`, of its mean over the cell lines of the screen. Effects are
        measured from those of all genes.

    Examples
    --------
    A second measurement by another sgRNA is worth more than one by the same:

    >>> from dataclasses import replace
    >>> screen = Design(sgrnas_per_gene=(2, 4), sigma_delta=0.2)
    >>> errors = [expected_errors(replace(screen, replicates=r)) for r in (1, 2)]
    >>> pd.concat(errors, keys=["once", "twice"]).round(3)
             sgRNAs  in a line  over lines
    once  0       2      0.201       0.143
          1       4      0.156       0.103
    twice 0       2      0.182       0.140
          1       4      0.136       0.101
    """
    n, lines = np.unique(design.sgrnas_per_gene).astype(float), design.n_cell_lines
    gene, own = design.sigma_gamma**2, design.sigma_delta**2
    apart = own + design.sigma**2 / (n * design.replicates)
    shared = gene + design.sigma_alpha**2 / n

    def error(covariances: FloatArray, prior: float) -> FloatArray:
        total = covariances.sum()
        known = (covariances**2).sum() - shared * total**2 / (apart + lines * shared)
        posterior: FloatArray = np.sqrt(prior - known / apart)
        return posterior

    in_line = np.full(lines, gene)
    in_line[0] += own
    over_lines = np.full(lines, gene + own / lines)
    return pd.DataFrame(
        {
            "sgRNAs": n.astype(int),
            "in a line": error(in_line, gene + own),
            "over lines": error(over_lines, gene + own / lines),
        }
    )


def ways_to_measure_more(design: Design, times: Sequence[int] = (1, 2, 4, 8)) -> pd.DataFrame:
    """Multiply the sgRNAs, the replicates or the cell lines of a design, one at a time.

    Parameters
    ----------
    design : Design
        With the same number of sgRNAs for every gene.
    times : sequence of int
        By what they are multiplied.

    Returns
    -------
    pandas.DataFrame
        Columns `more` (what was multiplied), `sgRNAs`, `replicates`, `cell lines`, `measurements`
        (of a gene), `in a line` and `over lines`, see `expected_errors`.

    Examples
    --------
    >>> start = Design(n_cell_lines=2, sgrnas_per_gene=(4,))
    >>> more = ways_to_measure_more(start, times=(1, 2))
    >>> more[["more", "measurements", "over lines"]].round(3)
             more  measurements  over lines
    0      sgRNAs             8       0.140
    1      sgRNAs            16       0.101
    2  replicates             8       0.140
    3  replicates            16       0.121
    4  cell lines             8       0.140
    5  cell lines            16       0.121
    """
    (n,) = set(design.sgrnas_per_gene)
    designs = {
        "sgRNAs": [replace(design, sgrnas_per_gene=(n * by,)) for by in times],
        "replicates": [replace(design, replicates=design.replicates * by) for by in times],
        "cell lines": [replace(design, n_cell_lines=design.n_cell_lines * by) for by in times],
    }
    rows = [
        {
            "more": more,
            "replicates": tried.replicates,
            "cell lines": tried.n_cell_lines,
            "measurements": tried.sgrnas_per_gene[0] * tried.replicates * tried.n_cell_lines,
            **expected_errors(tried).iloc[0].to_dict(),
        }
        for more, of_kind in designs.items()
        for tried in of_kind
    ]
    columns = ["more", "sgRNAs", "replicates", "cell lines", "measurements"]
    return pd.DataFrame(rows)[[*columns, "in a line", "over lines"]].astype({"sgRNAs": int})

"""Tables of variance: sgRNAs and noise."""

import numpy as np
import pandas as pd

from poolscreen.arrays import FloatArray, IntArray
from poolscreen.errors import PoolscreenError
from poolscreen.inference.posterior import HDI_PROB
from poolscreen.screens.table import Screen


def sgrna_variance(screen: Screen) -> pd.DataFrame:
    r"""Divide the scatter about genes into sgRNAs and noise by analysis of variance.

    Each gene's mean in each cell line is taken out. What is left of an sgRNA, averaged over the `C`
    cell lines, has variance :math:`\sigma_\alpha^2 + \sigma^2 / C` (up to the degrees of freedom)
    if an sgRNA's deviation is the same in all cell lines. The interval of the share comes from
    the F distribution of the ratio of the mean squares (Searle, Casella and McCulloch, Variance
    Components, 1992, section 3.6).

    Parameters
    ----------
    screen : Screen
        Balanced: each sgRNA once in each cell line.

    Returns
    -------
    pandas.DataFrame
        Columns `quantity`, `estimate`, `low`, `high` (94 % confidence interval).

    Raises
    ------
    PoolscreenError
        If the screen is not balanced, or has one cell line.

    Examples
    --------
    The screen of the book was simulated with a noise of 0.3 and a share of 0.31, that is
    0.2² / (0.2² + 0.3²):

    >>> sgrna_variance(Screen(simulate(Design())[0])).round(2)
                  quantity  estimate   low  high
    0      sd of the noise      0.30  0.29  0.31
    1  share of the sgRNAs      0.27  0.19  0.38
    >>> sgrna_variance(Screen(simulate(Design(n_cell_lines=1))[0]))
    Traceback (most recent call last):
    poolscreen.errors.PoolscreenError: the analysis of variance takes each sgRNA once in each ...
    """
    from scipy import stats

    n_cells, n = len(screen.cell_lines), screen.replicates
    if n_cells < 2 or n.max() > 1 or len(n) < len(screen.sgrnas) * n_cells:
        raise PoolscreenError(
            "the analysis of variance takes each sgRNA once in each of two or more cell lines"
        )
    y = np.empty((len(screen.sgrnas), n_cells))
    y[screen.sgrna_idx, screen.cell_idx] = screen.log_fc
    membership = np.eye(len(screen.genes))[screen.gene_of_sgrna]
    residual = y - membership @ (membership.T @ y / membership.sum(0)[:, None])
    mean = residual.mean(1, keepdims=True)
    df_sgrnas = len(screen.sgrnas) - len(screen.genes)
    df_noise = df_sgrnas * (n_cells - 1)
    ms_sgrnas = n_cells * float((mean**2).sum()) / df_sgrnas
    ss_noise = float(((residual - mean) ** 2).sum())
    noise = ss_noise / df_noise

    tails = [(1 + HDI_PROB) / 2, (1 - HDI_PROB) / 2]
    noise_ends = np.sqrt(ss_noise / stats.chi2.ppf(tails, df_noise))
    f_ends = ms_sgrnas / noise / stats.f.ppf(tails, df_sgrnas, df_noise)
    ratio_ends = (f_ends - 1) / n_cells
    ratio = (ms_sgrnas / noise - 1) / n_cells
    rows = [
        ("sd of the noise", np.sqrt(noise), *noise_ends),
        ("share of the sgRNAs", ratio / (1 + ratio), *(ratio_ends / (1 + ratio_ends))),
    ]
    return pd.DataFrame(rows, columns=["quantity", "estimate", "low", "high"])


def scatter_of_sgrnas(log_fc: FloatArray, screen: Screen) -> FloatArray:
    """Return the standard deviation of the sgRNAs' means about the mean of their gene.

    Parameters
    ----------
    log_fc : numpy.ndarray, shape (screens, observations)
        Log fold changes of screens of one design.
    screen : Screen
        The design. Balanced: each sgRNA equally often in each cell line.

    Returns
    -------
    numpy.ndarray, shape (screens,)

    Raises
    ------
    PoolscreenError
        If no gene has two sgRNAs.

    Examples
    --------
    Two sgRNAs whose means are -1 and 1:

    >>> table = pd.DataFrame({"cell_line": list("ABAB"), "sgRNA": list("ssrr"), "gene": "g"})
    >>> screen = Screen(table.assign(log_fc=[-2.0, 0.0, 1.0, 1.0]))
    >>> scatter_of_sgrnas(screen.log_fc[None], screen).round(3).tolist()
    [1.414]
    """
    df = len(screen.sgrnas) - len(screen.genes)
    if df == 0:
        raise PoolscreenError("no gene has two sgRNAs, so their scatter cannot be seen")

    def means(values: FloatArray, group: IntArray) -> FloatArray:
        member = np.eye(group.max() + 1)[group]
        return values @ member / member.sum(0)

    of_sgrna = means(log_fc, screen.sgrna_idx)
    of_gene = means(of_sgrna, screen.gene_of_sgrna)
    about = of_sgrna - of_gene[:, screen.gene_of_sgrna]
    scatter: FloatArray = np.sqrt((about**2).sum(1) / df)
    return scatter

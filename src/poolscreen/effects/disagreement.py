"""Where a model strains: sgRNAs that disagree with their gene, observations far out."""

import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

from poolscreen.families.family import Family
from poolscreen.screens.table import Screen

FAR = 3.0  # standard deviations, from which on an sgRNA is said to disagree
TAILS = (2.0, 3.0, 4.0)


def disagreement(screen: Screen, posterior: xr.Dataset, family: Family | None) -> pd.DataFrame:
    r"""Measure how far each sgRNA lies from the others of its gene.

    In each cell line, the sgRNA's mean is compared with the mean of the gene's other sgRNAs there;
    the differences are averaged over the cell lines. If the model holds, the mean of an sgRNA with
    `n` rows has variance :math:`\sigma_\alpha^2 + \sigma^2 / n` about its gene, independently in
    each cell line, and `z` is about standard normal.

    Parameters
    ----------
    screen : Screen
        The screen.
    posterior : xarray.Dataset
        The draws of a fit.
    family : Family or None
        Which parameters are the scales.

    Returns
    -------
    pandas.DataFrame
        Columns `sgRNA`, `gene`, `cell lines` (in which it can be compared), `its mean`, `others`
        (their mean), `difference`, `z`, and `it is` ("lower" or "higher" than they). The largest
        `z` first; sgRNAs without another of their gene are left out.

    Examples
    --------
    One of four sgRNAs does nothing:

    >>> table = pd.DataFrame(
    ...     {"cell_line": "A", "sgRNA": list("stuv"), "gene": "g", "log_fc": [-2.0, -2.1, -1.9, 0]}
    ... )
    >>> posterior = xr.Dataset({"sigma": (("chain", "draw"), np.full((2, 5), 0.5))})
    >>> sgrnas = disagreement(Screen(table), posterior, family=None)
    >>> sgrnas[["sgRNA", "its mean", "others", "z"]].round(2).head(1)
      sgRNA  its mean  others     z
    0     v       0.0    -2.0  3.46
    """
    noise, scatter = _variances(posterior, family)
    n, total = screen.sums("sgRNA")
    seen = n > 0
    mean = total / np.maximum(n, 1)
    variance = np.where(seen, scatter + noise / np.maximum(n, 1), 0.0)

    def others(values: np.ndarray) -> np.ndarray:
        """Sum over the other sgRNAs of the gene, in the same cell line."""
        by_gene = np.zeros((len(screen.genes), n.shape[1]))
        np.add.at(by_gene, screen.gene_of_sgrna, values)
        total: np.ndarray = by_gene[screen.gene_of_sgrna] - values
        return total

    k = others(seen.astype(float))
    compared = seen & (k > 0)
    other_mean = others(np.where(seen, mean, 0.0)) / np.maximum(k, 1)
    gap_variance = variance + others(variance) / np.maximum(k, 1) ** 2
    cells = compared.sum(axis=1)

    def over_cells(values: np.ndarray) -> np.ndarray:
        total: np.ndarray = np.where(compared, values, 0.0).sum(axis=1)
        return total

    its_mean, their_mean = (over_cells(v) / np.maximum(cells, 1) for v in (mean, other_mean))
    sd = np.sqrt(over_cells(gap_variance)) / np.maximum(cells, 1)
    table = pd.DataFrame(
        {
            "sgRNA": screen.sgrnas,
            "gene": np.array(screen.genes)[screen.gene_of_sgrna],
            "cell lines": cells,
            "its mean": its_mean,
            "others": their_mean,
            "difference": its_mean - their_mean,
            "z": (its_mean - their_mean) / np.where(sd > 0, sd, 1),
            "it is": np.where(its_mean < their_mean, "lower", "higher"),
        }
    )[cells > 0]
    order = table["z"].abs().sort_values(ascending=False).index
    return table.loc[order].reset_index(drop=True)


def tails(
    screen: Screen,
    table: pd.DataFrame,
    posterior: xr.Dataset,
    family: Family | None,
) -> pd.DataFrame:
    """Count observations that lie far from their gene, beside what a normal model expects.

    An observation is measured from the effect of its gene in its cell line, in standard deviations
    of one measurement about a gene (sgRNA and noise together).

    Parameters
    ----------
    screen : Screen
        The screen.
    table : pandas.DataFrame
        Posterior table of the gene effects.
    posterior : xarray.Dataset
        The draws of a fit.
    family : Family or None
        Which parameters are the scales.

    Returns
    -------
    pandas.DataFrame
        Columns `standard deviations`, `below` and `above` (observations that lie at least so far
        below or above), `expected` (on either side, of a normal distribution).

    Examples
    --------
    Of three observations about an effect of -1, one lies three standard deviations above it:

    >>> table = pd.DataFrame(
    ...     {"cell_line": "A", "sgRNA": ["s", "t", "u"], "gene": "g", "log_fc": [-1, -1, 0.6]}
    ... )
    >>> effects = pd.DataFrame({"gene": ["g"], "cell_line": ["A"], "mean": [-1.0]})
    >>> posterior = xr.Dataset({"sigma": (("chain", "draw"), np.full((2, 5), 0.5))})
    >>> tails(Screen(table), effects, posterior, family=None).round(3)
       standard deviations  below  above  expected
    0                  2.0      0      1     0.068
    1                  3.0      0      1     0.004
    2                  4.0      0      0     0.000
    """
    noise, scatter = _variances(posterior, family)
    effect = table.set_index(["gene", "cell_line"])["mean"]
    labels = screen.table[["gene", "cell_line"]].astype(str)
    expected = effect.loc[pd.MultiIndex.from_frame(labels)].to_numpy()
    z = (screen.log_fc - expected) / np.sqrt(noise + scatter)
    rows = [
        (far, int((z < -far).sum()), int((z > far).sum()), z.size * stats.norm.sf(far))
        for far in TAILS
    ]
    columns = ["standard deviations", "below", "above", "expected"]
    return pd.DataFrame(rows, columns=columns)


def _variances(posterior: xr.Dataset, family: Family | None) -> tuple[float, float]:
    """Return the posterior means of the variances of the noise and of sgRNAs about their gene."""
    nested = family.nested_sd if family else None
    scatter = float((posterior[nested] ** 2).mean()) if nested else 0.0
    return float((posterior["sigma"] ** 2).mean()), scatter

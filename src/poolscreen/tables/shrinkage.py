"""Tables of what pooling does."""

import numpy as np
import pandas as pd
import xarray as xr

from poolscreen.arrays import FloatArray
from poolscreen.inference.posterior import interval
from poolscreen.screens.table import Screen


def before_and_after(screen: Screen, table: pd.DataFrame) -> pd.DataFrame:
    """Put the mean of a gene's observations beside its posterior mean, by cell line.

    Parameters
    ----------
    screen : Screen
        The screen.
    table : pandas.DataFrame
        Posterior table of the gene effects.

    Returns
    -------
    pandas.DataFrame
        Columns `gene`, `cell_line`, `sgRNAs` (of that gene), `unpooled` and `pooled`.

    Examples
    --------
    >>> table = pd.DataFrame(
    ...     {"cell_line": "A", "sgRNA": ["s1", "s2"], "gene": "g", "log_fc": [-1.0, -2.0]}
    ... )
    >>> effects = pd.DataFrame({"gene": ["g"], "cell_line": ["A"], "mean": [-1.25]})
    >>> before_and_after(Screen(table), effects)
      gene cell_line  pooled  unpooled  sgRNAs
    0    g         A   -1.25      -1.5       2
    """
    labels = ["gene", "cell_line"]
    means = screen.table.astype(dict.fromkeys(labels, str)).groupby(labels)["log_fc"]
    both = table[[*labels, "mean"]].merge(means.mean().reset_index(), on=labels, validate="1:1")
    both = both.rename(columns={"mean": "pooled", "log_fc": "unpooled"})
    return both.assign(sgRNAs=both["gene"].map(screen.sgrnas_per_gene))


def shrinkage_factor[T: (float, FloatArray, xr.DataArray)](variance_of_mean: T, sd: T | float) -> T:
    r"""Return how far an estimate lies from the data of its group, on the way to the overall mean.

    Parameters
    ----------
    variance_of_mean : float or array
        Variance `w` of the mean of the group's observations about its effect.
    sd : float or array
        Standard deviation :math:`\tau` of the effects of groups.

    Returns
    -------
    float or array
        :math:`w / (w + \tau^2)` (Gelman and Hill 2007, equation 12.1).

    Examples
    --------
    >>> shrinkage_factor(0.25, 0.5)
    0.5
    """
    factor: T = variance_of_mean / (variance_of_mean + sd**2)
    return factor


def shrinkage_of_genes(
    screen: Screen, unit_variance: xr.DataArray, top_sd: xr.DataArray
) -> pd.DataFrame:
    r"""Return by how much a gene's intercepts are shrunk towards the overall mean.

    With `n` sgRNAs, each seen once in a cell line, the mean of a gene's observations has the
    variance :math:`v / n`, where `v` is that of one sgRNA's observation; see `shrinkage_factor`.

    Parameters
    ----------
    screen : Screen
        For the number of sgRNAs of each gene.
    unit_variance : xarray.DataArray
        Draws of `v`.
    top_sd : xarray.DataArray
        Draws of the standard deviation of the intercepts.

    Returns
    -------
    pandas.DataFrame
        Columns `gene`, `sgRNAs`, `shrinkage` (posterior mean), `hdi_3%`, `hdi_97%`.

    Examples
    --------
    A gene with one sgRNA goes half way to the overall mean where both variances are 1, a gene with
    three a quarter of it:

    >>> screen = Screen(simulate(Design(n_cell_lines=2, sgrnas_per_gene=(1, 3)))[0])
    >>> one = xr.DataArray(np.ones((2, 50)), dims=("chain", "draw"))
    >>> shrinkage_of_genes(screen, unit_variance=one, top_sd=one)[["gene", "sgRNAs", "shrinkage"]]
         gene  sgRNAs  shrinkage
    0  gene_0       1       0.50
    1  gene_1       3       0.25
    """
    rows = []
    for gene, n in screen.sgrnas_per_gene.items():
        factor = shrinkage_factor(unit_variance / n, top_sd)
        low, high = interval(factor)
        rows.append((gene, n, float(factor.mean()), low, high))
    return pd.DataFrame(rows, columns=["gene", "sgRNAs", "shrinkage", "hdi_3%", "hdi_97%"])


def towards_genes(screen: Screen, pulled: pd.DataFrame, genes: pd.DataFrame) -> pd.DataFrame:
    """Measure intercepts of sgRNAs from the effect of their gene in the same cell line.

    Parameters
    ----------
    screen : Screen
        For the order of the genes.
    pulled : pandas.DataFrame
        See `pull`.
    genes : pandas.DataFrame
        Posterior table of the gene effects, columns `gene`, `cell_line`, `mean`.

    Returns
    -------
    pandas.DataFrame
        `pulled` with `unpooled_deviation` and `pooled_deviation`.

    Examples
    --------
    >>> table = pd.DataFrame({"cell_line": ["A"], "sgRNA": "s", "gene": "g", "log_fc": [-2.0]})
    >>> pulled = table.drop(columns="log_fc").assign(unpooled=-2.0, pooled=-1.25)
    >>> genes = pd.DataFrame({"gene": ["g"], "cell_line": ["A"], "mean": [-1.0]})
    >>> deviations = towards_genes(Screen(table), pulled, genes)
    >>> deviations[["unpooled_deviation", "pooled_deviation"]]
       unpooled_deviation  pooled_deviation
    0                -1.0             -0.25
    """
    effects = genes[["gene", "cell_line", "mean"]].rename(columns={"mean": "effect"})
    both = pulled.merge(effects, on=["gene", "cell_line"], validate="m:1")
    return both.assign(
        unpooled_deviation=both["unpooled"] - both["effect"],
        pooled_deviation=both["pooled"] - both["effect"],
        gene=pd.Categorical(both["gene"], categories=screen.genes),
    )


def measured_shrinkage(deviations: pd.DataFrame) -> "pd.Series[float]":
    """Return by how much each gene's sgRNAs are shrunk towards it, measured from the estimates.

    It is one minus the slope, through the origin, of pooled on unpooled deviations.

    Parameters
    ----------
    deviations : pandas.DataFrame
        See `towards_genes`.

    Returns
    -------
    pandas.Series
        By gene: 0 where nothing is pooled, 1 where all sgRNAs are at their gene.

    Examples
    --------
    >>> deviations = pd.DataFrame(
    ...     {"gene": "g", "unpooled_deviation": [-1.0, 2.0], "pooled_deviation": [-0.25, 0.5]}
    ... )
    >>> measured_shrinkage(deviations).to_dict()
    {'g': 0.75}
    """
    x, y = deviations["unpooled_deviation"], deviations["pooled_deviation"]
    sums = pd.DataFrame({"xy": x * y, "xx": x * x}).groupby(deviations["gene"], observed=True).sum()
    return 1 - sums["xy"] / sums["xx"]


def pull(screen: Screen, unpooled: pd.DataFrame, pooled: pd.DataFrame) -> pd.DataFrame:
    """Put the intercepts of two models beside each other.

    Parameters
    ----------
    screen : Screen
        For the gene of each sgRNA and the number of sgRNAs of each gene.
    unpooled, pooled : pandas.DataFrame
        Posterior tables of the same effect of two models.

    Returns
    -------
    pandas.DataFrame
        The labels, `gene`, `sgRNAs` (of that gene), `unpooled` and `pooled` (posterior means).

    Examples
    --------
    >>> screen = Screen(simulate(Design(n_cell_lines=1, sgrnas_per_gene=(1, 2)))[0])
    >>> unpooled = screen.table[["sgRNA", "cell_line"]].astype(str).assign(mean=-2.0)
    >>> pull(screen, unpooled, unpooled.assign(mean=-1.5))
         gene    sgRNA cell_line  unpooled  pooled  sgRNAs
    0  gene_0  sgRNA_0    cell_0      -2.0    -1.5       1
    1  gene_1  sgRNA_1    cell_0      -2.0    -1.5       2
    2  gene_1  sgRNA_2    cell_0      -2.0    -1.5       2
    """
    labels = [c for c in ("gene", "sgRNA", "cell_line") if c in unpooled]
    both = unpooled[[*labels, "mean"]].merge(
        pooled[[*labels, "mean"]],
        on=labels,
        suffixes=("_unpooled", "_pooled"),
        validate="1:1",
    )
    both = both.rename(columns={"mean_unpooled": "unpooled", "mean_pooled": "pooled"})
    if "gene" not in both:
        genes = dict(zip(screen.sgrnas, np.array(screen.genes)[screen.gene_of_sgrna], strict=True))
        both.insert(0, "gene", both["sgRNA"].map(genes))
    return both.assign(sgRNAs=both["gene"].map(screen.sgrnas_per_gene))

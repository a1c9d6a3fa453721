"""What a fit says of a screen's genes and sgRNAs, and where its model strains."""

import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

from poolscreen.errors import PoolscreenError
from poolscreen.marginal import NestedNormal
from poolscreen.models import Model
from poolscreen.screen import Screen

FAR = 3.0  # standard deviations, from which on an sgRNA is said to disagree
TAILS = (2.0, 3.0, 4.0)


def holdings(screen: Screen) -> pd.DataFrame:
    """Say what a screen holds.

    Parameters
    ----------
    screen : Screen
        The screen.

    Returns
    -------
    pandas.DataFrame
        Columns `what` and `number` (text).

    Examples
    --------
    >>> from poolscreen.simulate import Design, simulate
    >>> table, _ = simulate(Design(n_cell_lines=2, sgrnas_per_gene=(1, 2)))
    >>> holdings(Screen(table[1:])).iloc[[0, 3, 6]]
                                              what  number
    0                                         rows       5
    3                                       sgRNAs       3
    6  missing combinations of sgRNA and cell line  1 of 6
    """
    per_gene, n = screen.sgrnas_per_gene, replicates(screen)
    units = len(screen.sgrnas) * len(screen.cell_lines)
    rows = {
        "rows": f"{len(screen.log_fc):,}",
        "cell lines": f"{len(screen.cell_lines):,}",
        "genes": f"{len(screen.genes):,}",
        "sgRNAs": f"{len(screen.sgrnas):,}",
        "sgRNAs per gene": _range(per_gene),
        "rows per sgRNA and cell line": _range(n),
        "missing combinations of sgRNA and cell line": f"{units - len(n):,} of {units:,}",
    }
    return pd.DataFrame({"what": rows.keys(), "number": rows.values()})


def replicates(screen: Screen) -> pd.Series:
    """Count the rows of each combination of sgRNA and cell line that has any.

    Parameters
    ----------
    screen : Screen
        The screen.

    Returns
    -------
    pandas.Series
        Counts; the index numbers the combinations.

    Examples
    --------
    >>> table = pd.DataFrame(
    ...     {"cell_line": ["A", "A", "B"], "sgRNA": "s", "gene": "g", "log_fc": [-1.0, -1.5, 0.5]}
    ... )
    >>> replicates(Screen(table)).tolist()
    [2, 1]
    """
    return pd.Series(screen.sgrna_idx * len(screen.cell_lines) + screen.cell_idx).value_counts()


def _range(counts: pd.Series) -> str:
    low, high = counts.min(), counts.max()
    if low == high:
        return f"{low}"
    return f"{low} to {high}, half of them {counts.median():g} or more"


def by_cell_line(screen: Screen) -> pd.DataFrame:
    """Summarise the log fold changes of each cell line.

    Parameters
    ----------
    screen : Screen
        The screen.

    Returns
    -------
    pandas.DataFrame
        Columns `cell_line`, `rows`, `mean`, `sd`, and the quantiles `3%`, `median`, `97%`, all
        but `rows` log fold changes.

    Examples
    --------
    >>> table = pd.DataFrame(
    ...     {"cell_line": ["A", "A", "B"], "sgRNA": "s", "gene": "g", "log_fc": [-1.0, -2.0, 0.5]}
    ... )
    >>> by_cell_line(Screen(table))[["cell_line", "rows", "mean", "median"]]
      cell_line  rows  mean  median
    0         A     2  -1.5    -1.5
    1         B     1   0.5     0.5
    """
    groups = screen.table.groupby("cell_line", observed=True, sort=False)["log_fc"]
    return pd.DataFrame(
        {
            "rows": groups.size(),
            "mean": groups.mean(),
            "sd": groups.std(),
            "3%": groups.quantile(0.03),
            "median": groups.median(),
            "97%": groups.quantile(0.97),
        }
    ).reset_index()


def gene_effects(posterior: xr.Dataset) -> xr.DataArray:
    """Return the draws of the effects by gene and cell line, whatever the model calls them.

    Parameters
    ----------
    posterior : xarray.Dataset
        The draws of a fit.

    Returns
    -------
    xarray.DataArray
        Dimensions `chain`, `draw`, `gene`, `cell_line`.

    Raises
    ------
    PoolscreenError
        If the model has none; `check_effects` says so before it is sampled.

    Examples
    --------
    >>> posterior = xr.Dataset({"sigma": (("chain", "draw"), np.ones((4, 500)))})
    >>> dims = ("chain", "draw", "gene", "cell_line")
    >>> posterior["gamma_gc"] = (dims, np.zeros((4, 500, 10, 20)))
    >>> effects = gene_effects(posterior)
    >>> effects.name, effects.shape
    ('gamma_gc', (4, 500, 10, 20))
    """
    wanted = {"chain", "draw", "gene", "cell_line"}
    for values in posterior.data_vars.values():
        if set(values.dims) == wanted:
            return values
    raise PoolscreenError(
        f"there are no effects by gene and cell line in {', '.join(map(str, posterior))}"
    )


def check_effects(model: Model, screen: Screen) -> None:
    """Refuse a model that has no effects by gene and cell line, before it is sampled.

    Parameters
    ----------
    model : Model
        Module of the model.
    screen : Screen
        The data.

    Raises
    ------
    PoolscreenError
        It says which models have them.

    Examples
    --------
    >>> import pymc as pm
    >>> from types import SimpleNamespace
    >>> from poolscreen.models import m7a
    >>> from poolscreen.simulate import Design, simulate
    >>> screen = Screen(simulate(Design(n_cell_lines=2, sgrnas_per_gene=(1, 2)))[0])
    >>> check_effects(m7a, screen)
    >>> check_effects(SimpleNamespace(TITLE="no effects", build=lambda screen: pm.Model()), screen)
    Traceback (most recent call last):
    poolscreen.errors.PoolscreenError: a report is about the effects of genes in cell lines, ...
    """
    dims = model.build(screen).named_vars_to_dims.values()
    if ("gene", "cell_line") not in map(tuple, dims):
        raise PoolscreenError(
            f"a report is about the effects of genes in cell lines, and the model "
            f"{model.TITLE!r} has none; m7a and m7b have"
        )


def probabilities(table: pd.DataFrame, draws: xr.DataArray, threshold: float) -> pd.DataFrame:
    """Add to a table of gene effects how likely each is to be below zero, and a threshold.

    Parameters
    ----------
    table : pandas.DataFrame
        Posterior table of the effects, see `poolscreen.fits.summarise`.
    draws : xarray.DataArray
        See `gene_effects`.
    threshold : float
        A log fold change.

    Returns
    -------
    pandas.DataFrame
        Columns `gene`, `cell_line`, `mean`, `sd`, `hdi_3%`, `hdi_97%`, `P(below 0)` and
        `P(below ...)`.

    Examples
    --------
    >>> draws = xr.DataArray(
    ...     np.reshape([-2.0, -1.2, -0.8, 0.4], (1, 4, 1, 1)),
    ...     dims=("chain", "draw", "gene", "cell_line"),
    ...     coords={"gene": ["MYC"], "cell_line": ["HL60"]},
    ... )
    >>> columns = {"mean": -0.9, "sd": 1.0, "hdi_3%": -2.0, "hdi_97%": 0.4}
    >>> table = pd.DataFrame({"gene": ["MYC"], "cell_line": ["HL60"], **columns})
    >>> probabilities(table, draws, threshold=-1)[["gene", "P(below 0)", "P(below -1)"]]
      gene  P(below 0)  P(below -1)
    0  MYC        0.75          0.5
    """
    below = {
        "P(below 0)": (draws < 0).mean(["chain", "draw"]),
        f"P(below {threshold:g})": (draws < threshold).mean(["chain", "draw"]),
    }
    shares = xr.Dataset(below).to_dataframe().reset_index()
    columns = ["gene", "cell_line", "mean", "sd", "hdi_3%", "hdi_97%"]
    return table[columns].merge(
        shares[["gene", "cell_line", *below]],
        on=["gene", "cell_line"],
        validate="1:1",
    )


def differences(draws: xr.DataArray, one: str, other: str) -> pd.DataFrame:
    """Compare the effects of every gene between two cell lines.

    Parameters
    ----------
    draws : xarray.DataArray
        See `gene_effects`.
    one, other : str
        Names of the cell lines.

    Returns
    -------
    pandas.DataFrame
        Columns `gene`, `mean`, `sd`, `hdi_3%`, `hdi_97%` (of `one` less `other`) and
        `P(below 0)`.

    Examples
    --------
    >>> rng = np.random.default_rng(103)
    >>> draws = xr.DataArray(
    ...     rng.normal([-2.0, -1.0], 0.1, (4, 500, 1, 2)),
    ...     dims=("chain", "draw", "gene", "cell_line"),
    ...     coords={"gene": ["MYC"], "cell_line": ["HL60", "K562"]},
    ... )
    >>> found = differences(draws, "HL60", "K562")
    >>> found[["gene", "mean", "sd", "P(below 0)"]].round(1).iloc[0].to_dict()
    {'gene': 'MYC', 'mean': -1.0, 'sd': 0.1, 'P(below 0)': 1.0}
    """
    from poolscreen import fits  # noqa: PLC0415 (fits imports ArviZ where it needs it)

    gap = (draws.sel(cell_line=one) - draws.sel(cell_line=other)).rename("difference")
    summary = fits.summarise(gap.drop_vars("cell_line", errors="ignore").to_dataset())
    table = summary["difference"][["gene", "mean", "sd", "hdi_3%", "hdi_97%"]]
    return table.assign(**{"P(below 0)": (gap < 0).mean(["chain", "draw"]).to_numpy()})


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


def disagreement(
    screen: Screen, posterior: xr.Dataset, family: NestedNormal | None
) -> pd.DataFrame:
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
    family : NestedNormal or None
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
    >>> found = disagreement(Screen(table), posterior, family=None)
    >>> found[["sgRNA", "its mean", "others", "z"]].round(2).head(1)
      sgRNA  its mean  others     z
    0     v       0.0    -2.0  3.46
    """
    noise, scatter = _variances(posterior, family)
    shape = (len(screen.sgrnas), len(screen.cell_lines))
    unit = screen.sgrna_idx * shape[1] + screen.cell_idx
    n = np.bincount(unit, minlength=shape[0] * shape[1]).reshape(shape)
    sums = np.bincount(unit, screen.log_fc, minlength=n.size).reshape(shape)
    seen = n > 0
    mean = sums / np.maximum(n, 1)
    variance = np.where(seen, scatter + noise / np.maximum(n, 1), 0.0)

    def others(values: np.ndarray) -> np.ndarray:
        """Sum over the other sgRNAs of the gene, in the same cell line."""
        by_gene = np.zeros((len(screen.genes), shape[1]))
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
    family: NestedNormal | None,
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
    family : NestedNormal or None
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


def _variances(posterior: xr.Dataset, family: NestedNormal | None) -> tuple[float, float]:
    """Return the posterior means of the variances of the noise and of sgRNAs about their gene."""
    nested = family.nested_sd if family else None
    scatter = float((posterior[nested] ** 2).mean()) if nested else 0.0
    return float((posterior["sigma"] ** 2).mean()), scatter

"""Tables of estimates, beside the truth and beside each other."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from poolscreen.screens.table import Screen


def estimated_effect(intercepts: pd.DataFrame, by: str) -> pd.DataFrame:
    """Average posterior means over everything but one label, as the original notebook did.

    Parameters
    ----------
    intercepts : pandas.DataFrame
        A posterior table with the column `by` and `mean`.
    by : {"gene", "cell_line"}
        What the effect belongs to.

    Returns
    -------
    pandas.DataFrame
        Columns `by` and `value`.

    Examples
    --------
    >>> intercepts = pd.DataFrame(
    ...     {"gene": ["b", "b", "a"], "cell_line": ["A", "B", "A"], "mean": [-1.0, -2.0, 0.5]}
    ... )
    >>> estimated_effect(intercepts, "gene")
      gene  value
    0    b   -1.5
    1    a    0.5
    """
    means = intercepts.groupby(by, sort=False, observed=True)["mean"].mean()
    return means.rename("value").reset_index()


def beside_truth(truth: pd.DataFrame, estimate: pd.DataFrame, by: str) -> pd.DataFrame:
    """Stack true and estimated effects for a figure.

    Parameters
    ----------
    truth, estimate : pandas.DataFrame
        Columns `by` and `value` (log fold change).
    by : str
        What the effect belongs to.

    Returns
    -------
    pandas.DataFrame
        Columns `by`, `value`, `effect` ("true" or "estimated").

    Examples
    --------
    >>> truth = pd.DataFrame({"gene": ["a"], "value": [-1.0]})
    >>> estimate = pd.DataFrame({"gene": ["a"], "value": [-1.1]})
    >>> beside_truth(truth, estimate, "gene")
      gene  value     effect
    0    a   -1.0       true
    0    a   -1.1  estimated
    """
    return pd.concat([truth.assign(effect="true"), estimate.assign(effect="estimated")])[
        [by, "value", "effect"]
    ]


def from_their_gene(sgrnas: pd.DataFrame, genes: pd.DataFrame) -> pd.DataFrame:
    """Measure true effects of sgRNAs from the true effect of their gene.

    Parameters
    ----------
    sgrnas : pandas.DataFrame
        Columns `sgRNA`, `gene`, `value`.
    genes : pandas.DataFrame
        Columns `gene`, `value`.

    Returns
    -------
    pandas.DataFrame
        `sgrnas` with the difference as `value`.

    Examples
    --------
    >>> sgrnas = pd.DataFrame({"sgRNA": ["s1", "s2"], "gene": "a", "value": [-1.5, -0.75]})
    >>> genes = pd.DataFrame({"gene": ["a"], "value": [-1.0]})
    >>> from_their_gene(sgrnas, genes)
      sgRNA gene  value
    0    s1    a  -0.50
    1    s2    a   0.25
    """
    effects = sgrnas["gene"].map(genes.set_index("gene")["value"])
    return sgrnas.assign(value=sgrnas["value"] - effects)


def stack(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Stack tables of several models, with a column `model` in the order given.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        Tables of the same columns, by the names of their models.

    Returns
    -------
    pandas.DataFrame
        Their columns and `model`, a categorical.

    Examples
    --------
    >>> one, other = pd.DataFrame({"mean": [-1.0]}), pd.DataFrame({"mean": [-0.5]})
    >>> stack({"pooled": one, "no pooling": other})
       mean       model
    0  -1.0      pooled
    0  -0.5  no pooling
    """
    stacked = pd.concat([table.assign(model=name) for name, table in tables.items()])
    return stacked.assign(model=pd.Categorical(stacked["model"], categories=list(tables)))


def rms_error(screen: Screen, estimates: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Compare estimates with the true mean of each observation of a simulated screen.

    Parameters
    ----------
    screen : Screen
        Its table has a column `mu_sc`.
    estimates : mapping of str to pandas.DataFrame
        Posterior tables of intercepts by gene or sgRNA, and cell line.

    Returns
    -------
    pandas.DataFrame
        Columns `model`, `RMS error` (log fold change).

    Examples
    --------
    >>> table = pd.DataFrame(
    ...     {"cell_line": ["A", "B"], "sgRNA": "s", "gene": "g", "log_fc": [-2.0, 1.0]}
    ... ).assign(mu_sc=[-1.5, 1.0])
    >>> estimate = pd.DataFrame({"gene": "g", "cell_line": ["A", "B"], "mean": [-1.5, 2.0]})
    >>> rms_error(Screen(table), {"7a": estimate}).round(2)
      model  RMS error
    0    7a       0.71
    """
    rows = []
    for name, table in estimates.items():
        labels = ["sgRNA" if "sgRNA" in table else "gene", "cell_line"]
        known = screen.table.astype({label: str for label in labels})
        both = known.merge(table[[*labels, "mean"]], on=labels, validate="m:1")
        rows.append((name, float(np.sqrt(((both["mean"] - both["mu_sc"]) ** 2).mean()))))
    return pd.DataFrame(rows, columns=["model", "RMS error"])


def against_truth(posterior: pd.DataFrame, truth: pd.DataFrame, label: str) -> pd.DataFrame:
    """Put the estimates of effects beside their true values, and say which intervals hold these.

    Parameters
    ----------
    posterior : pandas.DataFrame
        Posterior table of the effects: columns `label`, `mean`, `hdi_3%`, `hdi_97%`.
    truth : pandas.DataFrame
        Columns `label` and `value`.
    label : str
        What the effects belong to.

    Returns
    -------
    pandas.DataFrame
        Columns `label`, `true`, `mean`, `hdi_3%`, `hdi_97%`, `held`.

    Examples
    --------
    >>> posterior = pd.DataFrame({"gene": ["MYC"], "mean": -1.0, "hdi_3%": -1.5, "hdi_97%": -0.5})
    >>> truth = pd.DataFrame({"gene": ["MYC"], "value": [-1.8]})
    >>> against_truth(posterior, truth, "gene")
      gene  true  mean  hdi_3%  hdi_97%   held
    0  MYC  -1.8  -1.0    -1.5     -0.5  False
    """
    columns = ["mean", "hdi_3%", "hdi_97%"]
    both = truth[[label, "value"]].rename(columns={"value": "true"})
    both = both.merge(posterior[[label, *columns]], on=label, validate="1:1")
    return both.assign(held=both["true"].between(both["hdi_3%"], both["hdi_97%"]))

"""How good a screen is, before any model: reads, replicates, and how far controls lie apart."""

from collections.abc import Collection

import numpy as np
import pandas as pd

from poolscreen.arrays import FloatArray
from poolscreen.screens.table import REPLICATE

FEW_READS = 200  # per sgRNA, on average
MANY_ZEROS = 0.05  # of the sgRNAs, before the screen
UNEVEN = 0.3  # Gini index of reads before the screen, on a logarithmic scale
POOR_REPLICATES = 0.5  # correlation of log fold changes
PRECISION = 0.95  # at which recall is stated


def by_sample(counts: pd.DataFrame) -> pd.DataFrame:
    """Describe the reads of each sample.

    Parameters
    ----------
    counts : pandas.DataFrame
        Counts, a row per sgRNA and a column per sample.

    Returns
    -------
    pandas.DataFrame
        A row per sample: `sample`, `reads`, `reads per sgRNA`, `zero` (share of sgRNAs without
        reads) and `Gini index` of log(reads + 1): 0 where all sgRNAs have as many.

    Examples
    --------
    >>> by_sample(pd.DataFrame({"T0": [100, 100], "T18": [200, 0]})).round(2).to_dict("records")
    [{'sample': 'T0', 'reads': 200, 'reads per sgRNA': 100.0, 'zero': 0.0, 'Gini index': 0.0},
     {'sample': 'T18', 'reads': 200, 'reads per sgRNA': 100.0, 'zero': 0.5, 'Gini index': 0.5}]
    """
    return pd.DataFrame(
        {
            "sample": counts.columns,
            "reads": counts.sum().to_numpy(),
            "reads per sgRNA": counts.mean().to_numpy(),
            "zero": (counts == 0).mean().to_numpy(),
            "Gini index": [_gini(np.log1p(counts[name].to_numpy())) for name in counts],
        }
    )


def _gini(values: FloatArray) -> float:
    """Return the Gini index of values that are not negative."""
    ordered, n = np.sort(values), len(values)
    weights = 2 * np.arange(1, n + 1) - n - 1
    return float((weights * ordered).sum() / max(n * ordered.sum(), 1e-300))


def of_replicates(table: pd.DataFrame) -> pd.DataFrame:
    """Correlate the log fold changes of the replicates of each cell line.

    Parameters
    ----------
    table : pandas.DataFrame
        The table of a screen.

    Returns
    -------
    pandas.DataFrame
        A row per pair of replicates: `cell_line`, `replicate`, `other`, `correlation` (Pearson);
        no row where there are no replicates.

    Examples
    --------
    >>> table = pd.DataFrame({"sgRNA": list("stustu"), "replicate": list("111222")})
    >>> table = table.assign(cell_line="A", log_fc=[0, -1, -2, 0, -2, -4])
    >>> of_replicates(table)["correlation"].tolist()
    [1.0]
    """
    pairs = []
    if REPLICATE in table:
        for line, rows in table.groupby("cell_line", observed=True):
            wide = rows.pivot_table(
                index="sgRNA", columns=REPLICATE, values="log_fc", observed=True
            )
            correlations = wide.corr()
            for place, one in enumerate(wide.columns):
                for other in wide.columns[place + 1 :]:
                    pairs.append((line, one, other, correlations.loc[one, other]))
    return pd.DataFrame(pairs, columns=["cell_line", REPLICATE, "other", "correlation"])


def separation(
    table: pd.DataFrame, essential: Collection[str], nonessential: Collection[str]
) -> pd.DataFrame:
    """Tell how far essential genes lie from non-essential ones, by the mean of their sgRNAs.

    Parameters
    ----------
    table : pandas.DataFrame
        The table of a screen.
    essential, nonessential : collection of str
        Gold standards; names that the screen lacks do not count.

    Returns
    -------
    pandas.DataFrame
        A row per cell line: `essential` and `non-essential` (numbers of genes), `SSMD` (strictly
        standardised mean difference of sgRNAs; Zhang 2007, doi:10.1016/j.ygeno.2007.02.002),
        `average precision`, and `recall` at a precision of 95 %.

    Examples
    --------
    >>> table = pd.DataFrame({"cell_line": "A", "sgRNA": list("stuv"), "gene": list("EFNM")})
    >>> found = separation(table.assign(log_fc=[-3, -2, 0, 0.5]), ["E", "F"], ["N", "M"])
    >>> found[["average precision", "recall"]].to_numpy().tolist()
    [[1.0, 1.0]]
    """
    rows = []
    for line, of_line in table.groupby("cell_line", observed=True):
        guides = of_line.groupby(["gene", "sgRNA"], observed=True)["log_fc"].mean().reset_index()
        parts = [guides[guides["gene"].isin(names)] for names in (essential, nonessential)]
        genes = [part.groupby("gene", observed=True)["log_fc"].mean() for part in parts]
        if min(map(len, genes)) < 2:
            continue
        low, high = (part["log_fc"] for part in parts)
        score = np.concatenate([part.to_numpy() for part in genes])
        positive = np.repeat([True, False], [len(part) for part in genes])
        precision, recall = precision_recall(score, positive)
        reached = recall[precision >= PRECISION]
        rows.append(
            {
                "cell_line": line,
                "essential": len(genes[0]),
                "non-essential": len(genes[1]),
                "SSMD": (low.mean() - high.mean()) / np.sqrt(low.var() + high.var()),
                "average precision": float(np.diff(recall, prepend=0) @ precision),
                "recall": float(reached.max()) if len(reached) else 0.0,
            }
        )
    return pd.DataFrame(rows)


def precision_recall(score: FloatArray, positive: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return precision and recall of every list of the genes with the lowest scores.

    Parameters
    ----------
    score : numpy.ndarray, shape (genes,)
        The lower, the more a gene is called.
    positive : numpy.ndarray of bool, shape (genes,)
        Which genes are rightly called.

    Returns
    -------
    precision, recall : numpy.ndarray, shape (genes,)

    Examples
    --------
    >>> score, positive = np.array([-3.0, 0.0, -2.0]), np.array([True, False, True])
    >>> precision, recall = precision_recall(score, positive)
    >>> precision.round(2).tolist(), recall.tolist()
    ([1.0, 1.0, 0.67], [0.5, 1.0, 1.0])
    """
    hits = np.cumsum(positive[np.argsort(score, kind="stable")])
    return hits / np.arange(1, len(hits) + 1), hits / hits[-1]


def suspicious(
    samples: pd.DataFrame, initial: Collection[str], replicates: pd.DataFrame, apart: pd.DataFrame
) -> list[str]:
    """Say what of a screen's quality looks wrong.

    Parameters
    ----------
    samples, replicates, apart : pandas.DataFrame
        See `by_sample`, `of_replicates` and `separation`.
    initial : collection of str
        Names of the samples from before the screen.

    Returns
    -------
    list of str
        Nothing if all is as it should be.

    Examples
    --------
    >>> samples = by_sample(pd.DataFrame({"T0": [90, 90], "T18": [200, 0]}))
    >>> suspicious(samples, ["T0"], of_replicates(pd.DataFrame()), pd.DataFrame())
    ['T0 has 90 reads per sgRNA, and 200 are usual at least: its counts are uncertain',
     'T18 has 100 reads per sgRNA, and 200 are usual at least: its counts are uncertain']
    """
    notes = []
    for row in samples.to_dict("records"):
        name, first = row["sample"], row["sample"] in initial
        if row["reads per sgRNA"] < FEW_READS:
            notes.append(
                f"{name} has {row['reads per sgRNA']:,.0f} reads per sgRNA, and {FEW_READS} are "
                "usual at least: its counts are uncertain"
            )
        if first and row["zero"] > MANY_ZEROS:
            notes.append(
                f"{name}, from before the screen, has no reads of {row['zero']:.0%} of the sgRNAs: "
                "is the library complete, and is this the initial sample?"
            )
        if first and row["Gini index"] > UNEVEN:
            notes.append(
                f"{name}, from before the screen, is uneven (Gini index {row['Gini index']:.2f}): "
                "is this the initial sample?"
            )
    for row in replicates.to_dict("records"):
        if row["correlation"] < POOR_REPLICATES:
            notes.append(
                f"{row['cell_line']}: replicates {row[REPLICATE]} and {row['other']} have a "
                f"correlation of {row['correlation']:.2f}: is one of them another sample?"
            )
    for row in apart.to_dict("records"):
        if row["SSMD"] > -1:
            side = "above" if row["SSMD"] > 0 else "hardly below"
            notes.append(
                f"{row['cell_line']}: essential genes lie {side} non-essential ones (SSMD "
                f"{row['SSMD']:.1f}): are the initial and final samples the right way round?"
            )
    return notes

"""From read counts to log fold changes."""

import re
from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from poolscreen.arrays import FloatArray
from poolscreen.errors import PoolscreenError, refuse
from poolscreen.screens import rules, tidy
from poolscreen.screens.table import INITIAL, REPLICATE

# Normalised reads.
MIN_INITIAL = 30.0
PSEUDO_COUNT = 1.0
FEWEST = 20  # sgRNAs whose median can be relied on
# What libraries call sgRNAs that cut nowhere, or where it does no harm.
NO_TARGET = re.compile(
    r"^(?:non?[-_ ]?target|ntc\b|no[-_ ]?(?:site|target)|safe|aavs1|rosa26|luciferase|lacz|[et]gfp|"
    r"control|neg[-_ ]?(?:ctrl|control))",
    re.IGNORECASE,
)


def fold_changes(
    counts: pd.DataFrame,
    samples: pd.DataFrame,
    *,
    controls: Collection[str] = (),
    min_initial: float = MIN_INITIAL,
    pseudo_count: float = PSEUDO_COUNT,
    centre: bool = True,
    columns: Mapping[str, str] | None = None,
) -> tuple[pd.DataFrame, list[str]]:
    r"""Make the table of a screen from read counts.

    Counts are divided by the size factor of their sample, the median over the control sgRNAs of the
    ratio of a count to the geometric mean of that sgRNA's counts in all samples (Anders and Huber
    2010, doi:10.1186/gb-2010-11-10-r106). With normalised counts :math:`n` and pseudo-count
    :math:`p` the log fold change is :math:`\log_2 \frac{n_\text{final} + p}{n_\text{initial} + p}`,
    less its median over the control sgRNAs of the same cell line and replicate.

    Parameters
    ----------
    counts : pandas.DataFrame
        Columns `sgRNA`, `gene`, and a column of counts for each sample.
    samples : pandas.DataFrame
        One row per cell line and replicate: `cell_line`, `initial` and `final` (names of columns
        of `counts`) and, where there are replicates, `replicate`.
    controls : collection of str, optional
        Genes without an effect, to normalise and centre by. By default the sgRNAs without a target,
        if at least `FEWEST` are known by their names, else all.
    min_initial : float
        An sgRNA with fewer normalised reads before the screen is left out of that comparison: it
        had nothing to lose.
    pseudo_count : float
        Normalised reads that are added to every count.
    centre : bool
        Whether the median log fold change of the controls is made zero.
    columns : mapping of str to str, optional
        What the columns `sgRNA` and `gene` are called in `counts`; usual names are known.

    Returns
    -------
    table : pandas.DataFrame
        Columns `cell_line`, `sgRNA`, `gene`, `replicate` (where `samples` has it), `log_fc` (to
        base 2) and `initial_reads`, the normalised reads before the screen.
    notes : list of str
        Which columns and controls were taken, the size factors, and what was left out and why.

    Raises
    ------
    PoolscreenError
        It names every fault of the two tables.

    Examples
    --------
    >>> counts = pd.DataFrame(
    ...     {
    ...         "sgRNA": ["MYC_1", "MYC_2", "AAVS1_1"],
    ...         "gene": ["MYC", "MYC", "AAVS1"],
    ...         "before": [400, 300, 500],
    ...         "after": [100, 80, 500],
    ...     }
    ... )
    >>> samples = pd.DataFrame(
    ...     {"cell_line": ["HL60"], "initial": ["before"], "final": ["after"]}
    ... )
    >>> table, notes = fold_changes(counts, samples, controls=["AAVS1"])
    >>> table["log_fc"].round(2).tolist()
    [-1.99, -1.89, 0.0]
    """
    columns, notes = tidy.usual_names(counts, ["sgRNA", "gene"], columns or {})
    reads, sheet = _checked(counts, samples, columns)
    control, said = _controls(reads, controls)
    notes += said
    used = list(dict.fromkeys([*sheet["initial"], *sheet["final"]]))
    factors = size_factors(reads.loc[control, used])
    notes.append("size factors: " + ", ".join(f"{name} {factors[name]:.3f}" for name in used))
    normal = reads[used] / factors

    parts = []
    for row in sheet.to_dict("records"):
        sample = {str(name): str(value) for name, value in row.items()}
        before, after = normal[sample["initial"]], normal[sample["final"]]
        log_fc = ((after + pseudo_count) / (before + pseudo_count)).map(np.log2)
        kept = before >= min_initial
        if not (kept & control).any():
            raise PoolscreenError(
                f"{_name(sample)}: no control sgRNA has {min_initial:g} reads before the screen; "
                "are the columns initial and final the right way round?"
            )
        if not kept.all():
            notes.append(_left_out(reads, kept, sample, min_initial))
        if centre:
            log_fc -= log_fc[kept & control].median()
        labels = {
            "cell_line": sample["cell_line"],
            "sgRNA": reads["sgRNA"],
            "gene": reads["gene"],
        }
        if REPLICATE in sample:
            labels[REPLICATE] = sample[REPLICATE]
        of_sample = {**labels, "log_fc": log_fc, INITIAL: before.round(2)}
        parts.append(pd.DataFrame(of_sample)[kept])
    table = pd.concat(parts, ignore_index=True)
    kept_genes = set(table["gene"])
    lost = [g for g in reads["gene"].unique() if g not in kept_genes]
    if lost:
        notes.append(f"no row is left of {len(lost):,} genes: {rules.some(lost)}")
    return table, notes


def with_genes(
    counts: pd.DataFrame, guides: pd.DataFrame, columns: Mapping[str, str] | None = None
) -> tuple[pd.DataFrame, list[str]]:
    """Give a matrix of counts, a row per sgRNA, the genes that a map of guides names.

    Parameters
    ----------
    counts : pandas.DataFrame
        A column of sgRNAs, which may be the first one without a name, and one per sample.
    guides : pandas.DataFrame
        Columns `sgRNA` and `gene`, or other usual names of these.
    columns : mapping of str to str, optional
        What the column `sgRNA` is called in `counts`; usual names are known.

    Returns
    -------
    counts : pandas.DataFrame
        With a column `gene`; without the sgRNAs that the map lacks, or has under several genes.
    notes : list of str
        What was left out and why.

    Raises
    ------
    PoolscreenError
        If a column is not there, or no sgRNA is left.

    Examples
    --------
    >>> counts = pd.DataFrame({"Unnamed: 0": ["s1", "s2", "s3"], "T0": [400, 300, 500]})
    >>> guides = pd.DataFrame({"sgrna": ["s1", "s2", "s2"], "Gene": ["MYC", "TP53", "TP63"]})
    >>> found, notes = with_genes(counts, guides)
    >>> found.to_dict("records")
    [{'sgRNA': 's1', 'gene': 'MYC', 'T0': 400}]
    >>> for note in notes:
    ...     print(note)
    1 sgRNAs of the counts are not in the map of guides, and left out: s3
    1 sgRNAs are under several genes in the map of guides, and left out: s2
    """
    first = str(counts.columns[0])
    if first.startswith("Unnamed: "):
        counts = counts.rename(columns={counts.columns[0]: "sgRNA"})
    names, notes = tidy.usual_names(counts, ["sgRNA"], columns or {})
    chosen, faults = tidy.choose(counts, ["sgRNA"], [], names)
    of_map, said = tidy.usual_names(guides, ["sgRNA", "gene"], {})
    known, more = tidy.choose(guides, ["sgRNA", "gene"], [], of_map)
    refuse([f"counts: {fault}" for fault in faults] + [f"guides: {fault}" for fault in more])
    known = known.astype("str").drop_duplicates()
    several = set(known.loc[known["sgRNA"].duplicated(), "sgRNA"])
    labels = chosen["sgRNA"].astype("str")
    gene = labels.map(known.drop_duplicates("sgRNA").set_index("sgRNA")["gene"])
    for wrong, why in (
        (labels[gene.isna()], "of the counts are not in the map of guides"),
        (labels[labels.isin(several)], "are under several genes in the map of guides"),
    ):
        if len(wrong):
            notes.append(f"{len(wrong):,} sgRNAs {why}, and left out: {rules.some(wrong)}")
    kept = (gene.notna() & ~labels.isin(several)).to_numpy()
    if not kept.any():
        raise PoolscreenError(
            f"no sgRNA of the counts ({rules.some(labels)}) is in the map of guides "
            f"({rules.some(known['sgRNA'])}) under one gene"
        )
    column = next(c for c in counts if str(c).lower() == names.get("sgRNA", "sgRNA").lower())
    rest = counts.drop(columns=[column])
    rest.insert(0, "sgRNA", labels.to_numpy())
    rest.insert(1, "gene", gene.to_numpy())
    return rest[kept].reset_index(drop=True), [*said, *notes]


def size_factors(counts: pd.DataFrame) -> pd.Series:
    """Estimate the size factors of samples by the median of ratios.

    Parameters
    ----------
    counts : pandas.DataFrame
        Counts, a row per sgRNA and a column per sample.

    Returns
    -------
    pandas.Series
        By sample; their geometric mean is about 1.

    Raises
    ------
    PoolscreenError
        If no sgRNA has reads in every sample.

    Examples
    --------
    >>> factors = size_factors(pd.DataFrame({"a": [10, 20, 30], "b": [40, 80, 120]}))
    >>> factors.round(3).to_dict()
    {'a': 0.5, 'b': 2.0}
    """
    positive = counts[(counts > 0).all(axis=1)]
    if positive.empty:
        raise PoolscreenError(
            f"none of the {len(counts):,} control sgRNAs has reads in every sample, so that the "
            "samples cannot be brought to one scale; name other controls, or leave out a sample"
        )
    logs: FloatArray = np.log(positive.to_numpy(np.float64))
    ratios = logs - logs.mean(axis=1, keepdims=True)
    return pd.Series(np.exp(np.median(ratios, axis=0)), index=counts.columns)


def _checked(
    counts: pd.DataFrame, samples: pd.DataFrame, columns: Mapping[str, str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Refuse the two tables if anything is wrong with them; make names text, counts numbers."""
    import pandera.pandas as pa

    sheet, of_samples = tidy.choose(samples, ["cell_line", "initial", "final"], [REPLICATE], {})
    sheet = sheet.astype("str")
    key = [name for name in ("cell_line", REPLICATE) if name in sheet]
    once = pa.Check(
        lambda table: ~table.duplicated(key),
        error="the same cell line and replicate again; number the replicates in a column replicate",
    )
    other = pa.Check(
        lambda table: table["initial"] != table["final"],
        error="initial and final are the same column",
    )
    across = [once] if key else []
    across += [other] if {"initial", "final"} <= set(sheet) else []
    names = {name: rules.label_column() for name in sheet}
    of_samples += rules.check(pa.DataFrameSchema(names, checks=across), sheet)

    reads, of_counts = tidy.choose(counts, ["sgRNA", "gene"], [], columns)
    reads = reads.astype("str")
    wanted = {name: rules.label_column() for name in reads}
    if "sgRNA" in wanted:
        wanted["sgRNA"].checks.append(
            pa.Check(lambda names: ~names.duplicated(), error="is listed twice")
        )
    for role in {"initial", "final"} & set(sheet):
        for name in sheet[role].dropna():
            if name in counts:
                reads[name] = counts[name].to_numpy()
                wanted[name] = rules.count_column()
            else:
                there = rules.some(counts.columns, rules.MANY)
                of_samples.append(
                    f"the samples name a column {name}, and the counts have none; they have {there}"
                )
    of_counts += rules.check(pa.DataFrameSchema(wanted), reads)
    if reads.empty:
        of_counts.append(rules.NO_ROWS)
    if sheet.empty:
        of_samples.append(rules.NO_ROWS)
    refuse(
        [f"samples: {fault}" for fault in of_samples] + [f"counts: {fault}" for fault in of_counts]
    )
    for name in reads.columns.drop(["sgRNA", "gene"]):
        reads[name] = pd.to_numeric(reads[name])
    return reads, sheet


def _controls(reads: pd.DataFrame, named: Collection[str]) -> tuple[pd.Series, list[str]]:
    """Tell which rows are of controls, and say what should be known of them."""
    genes = reads["gene"]
    if not named:
        names = [name for name in genes.unique() if NO_TARGET.match(name)]
        without = genes.isin(names)
        if without.sum() >= FEWEST:
            said = f"controls: {without.sum():,} sgRNAs without a target: {rules.some(names)}"
            return without, [said]
        return genes.notna(), ["controls: all sgRNAs, as none are named"]
    control, notes = genes.isin(named), []
    unknown = sorted(set(named) - set(genes))
    if not control.any():
        folded = {gene.casefold(): gene for gene in genes.unique()}
        alike = [name for name in unknown if name.casefold() in folded]
        hint = f"; {alike[0]} is {folded[alike[0].casefold()]} there" if alike else ""
        raise PoolscreenError(
            f"none of the {len(unknown):,} control genes is in the counts: {rules.some(unknown)}; "
            f"names must match, upper and lower case included{hint}"
        )
    if unknown:
        notes.append(
            f"{len(unknown):,} of {len(set(named)):,} control genes are not in the counts: "
            + rules.some(unknown)
        )
    if control.sum() < FEWEST:
        notes.append(
            f"the controls have {control.sum():,} sgRNAs: a median of so few is uncertain, and so "
            "is the zero of all log fold changes"
        )
    return control, notes


def _name(sample: Mapping[str, str]) -> str:
    replicate = sample.get(REPLICATE)
    return sample["cell_line"] + (f", replicate {replicate}" if replicate else "")


def _left_out(
    reads: pd.DataFrame,
    kept: pd.Series,
    sample: Mapping[str, str],
    min_initial: float,
) -> str:
    names = reads.loc[~kept, "sgRNA"]
    return (
        f"{_name(sample)}: {len(names):,} of {len(reads):,} sgRNAs left out, with fewer than "
        f"{min_initial:g} normalised reads in {sample['initial']}: {rules.some(names)}"
    )

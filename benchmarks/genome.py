"""A genome-wide screen with gold standards: rankings, realised error rates, what is held out.

The screen is HAP1 with the TKOv3 library (`data/README.md`). What other tools say of its genes was
computed once and lies beside it.
"""

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from benchmarks.peers import timed
from scipy import special, stats

from poolscreen.arrays import FloatArray
from poolscreen.effects.hits import ranked
from poolscreen.families.mixture import densities
from poolscreen.families.mixture.guides import Guides, guides
from poolscreen.inference.exact import solve
from poolscreen.inference.quadrature import effects, find_mode, given_others
from poolscreen.models import m7b
from poolscreen.screens.counts import fold_changes
from poolscreen.screens.quality import PRECISION, precision_recall
from poolscreen.screens.reading import read_table
from poolscreen.screens.table import Screen
from press import measurements, paths

type Figure = dict[str, Any]

LIMIT = 600.0  # seconds
FALSE = 0.05  # stated rate of false discoveries
INTERVAL = 0.94
# What of model 9 is taken away, one at a time: a parameter that switches it off.
WITHOUT = {
    "noise that follows the reads": {"omega": 1e-6},
    "scatter that grows with the effect": {"slope_alpha": 1e-6},
    "heavy tails of sgRNAs": {"nu_alpha": 200.0},
    "heavy tails of the noise": {"nu": 200.0},
    "the part without effect": {"null": 0.001},
}


def folder() -> Path:
    """Return where the screen lies."""
    return paths.root() / "data" / "hap1"


def standards() -> tuple[list[str], list[str]]:
    """Return the essential and the non-essential genes of the gold standards."""
    names = ("essential", "nonessential")
    first, second = (
        pd.read_csv(folder() / f"{name}.txt", sep="\t")["GENE"].tolist() for name in names
    )
    return first, second


def read() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the counts and the samples."""
    counts, samples = (read_table(folder() / name) for name in ("counts.tsv.gz", "samples.csv"))
    return counts.rename(columns={"SEQUENCE": "sgRNA", "GENE": "gene"}), samples


def screen(counts: pd.DataFrame, samples: pd.DataFrame) -> Guides:
    """Return the guides of the screen, normalised by the non-essential genes."""
    table, _ = fold_changes(counts, samples, controls=standards()[1])
    return guides(Screen(table), "HAP1")


def ranking(genes: pd.Series, score: FloatArray) -> Figure:
    """Tell how well a score ranks essential genes before non-essential ones."""
    essential, other = standards()
    gold = genes.isin([*essential, *other]).to_numpy()
    positive = genes.isin(essential).to_numpy()[gold]
    precision, recall = precision_recall(np.nan_to_num(score[gold], nan=np.inf), positive)
    reached = recall[precision >= PRECISION]
    return {
        "average_precision": float(np.diff(recall, prepend=0) @ precision),
        "recall": float(reached.max()),
        "genes": int(gold.sum()),
    }


def realised(genes: pd.Series, listed: FloatArray, null: float) -> Figure:
    """Tell how many of a list are false, as far as the non-essential genes tell.

    The share of the non-essential genes in the list, times the number of genes without effect.
    """
    essential, other = standards()
    of_other = genes.isin(other).to_numpy()
    share = listed[of_other].mean()
    return {
        "listed": int(listed.sum()),
        "essential": int((listed & genes.isin(essential).to_numpy()).sum()),
        "nonessential": int((listed & of_other).sum()),
        "realised": float(share * null * len(genes) / max(listed.sum(), 1)),
    }


def mean_and_7b(data: Guides) -> tuple[FloatArray, pd.DataFrame, pd.DataFrame, pd.Series]:
    """Return the mean of each gene, its effect by model 7b, the rows of the screen, the scales."""
    rows = pd.DataFrame(data.log_fc).rename_axis("sgRNA").reset_index()
    rows = rows.melt("sgRNA", var_name="replicate", value_name="log_fc").dropna()
    rows["gene"] = np.array(data.genes)[data.gene[rows["sgRNA"]]]
    rows["cell_line"] = "HAP1"
    exact = solve(m7b.FAMILY, Screen(rows))
    found = exact.gene_effects((0.0,)).set_index("gene").loc[data.genes].reset_index()
    means = rows.groupby("gene")["log_fc"].mean().loc[data.genes].to_numpy()
    return means, found, rows, exact.scalars().set_index("parameter")["mean"]


def rankings(data: Guides, label: str, *, peers: bool = False) -> Iterator[Figure]:
    """Rank the genes by each score."""
    genes = pd.Series(data.genes)
    means, of_7b, _, _ = mean_and_7b(data)
    of_9 = effects(find_mode(data).parameters, data).genes
    scores = {
        "mean log fold change": means,
        "model 7b, posterior mean": of_7b["mean"].to_numpy(),
        "model 9, posterior mean": of_9["mean"].to_numpy(),
        "model 9": -of_9["down"].to_numpy(),
    }
    if peers:
        table = pd.read_csv(folder() / "peers.csv.gz").set_index("gene").reindex(data.genes)
        scores |= {
            "BAGEL2": -table["bagel2_bf"].to_numpy(),
            "MAGeCK2 RRA": table["mageck_rra_score"].to_numpy(),
            "JACKS": table["jacks_w"].to_numpy(),
            "Chronos": table["chronos"].to_numpy(),
        }
    for name, score in scores.items():
        yield {"what": "ranking", "data": label, "score": name} | ranking(genes, score)


def lists(data: Guides) -> Iterator[Figure]:
    """List genes at a stated rate of false discoveries."""
    genes, mode = pd.Series(data.genes), find_mode(data)
    null = mode.parameters["null"]
    of_9 = ranked(effects(mode.parameters, data).genes)
    _, of_7b, _, _ = mean_and_7b(data)
    wrong = np.sort(1 - of_7b["P(below 0)"].to_numpy())
    # The longest list whose mean probability of being wrong is as stated.
    long = int((np.cumsum(wrong) / np.arange(1, len(wrong) + 1) < FALSE).sum())
    by_7b = (1 - of_7b["P(below 0)"]).rank(method="first").to_numpy() <= long
    table = pd.read_csv(folder() / "peers.csv.gz").set_index("gene").reindex(data.genes)
    depleted = (of_9["fdr"] < FALSE) & (of_9["down"] > of_9["up"])
    chosen = {
        "model 9": (pd.Series(of_9["gene"]), depleted.to_numpy()),
        "model 7b": (genes, by_7b),
        "MAGeCK2 RRA": (genes, (table["mageck_rra_fdr"] < FALSE).to_numpy()),
    }
    for name, (of, listed) in chosen.items():
        yield {"what": "list", "score": name, "stated": FALSE} | realised(of, listed, null)


def held_out_sgrnas(data: Guides, values: dict[str, float]) -> Figure:
    """Predict every sgRNA from the others of its gene."""
    found = effects(values, data).guides
    inside = found["tail"] > 1 - INTERVAL
    essential, other = (found["gene"].isin(names) for names in standards())
    return {
        "sgRNA": float(found["log score"].mean()),
        "sgRNA_essential": float(inside[essential].mean()),
        "sgRNA_nonessential": float(inside[other].mean()),
    }


def held_out_replicate(data: Guides, values: dict[str, float]) -> Figure:
    """Predict the last replicate of every sgRNA from its others, and the others of its gene."""
    effect = densities.grid(data)
    scores, below = [], []
    for start in range(0, len(data.genes), 1000):
        part = data.of_genes(slice(start, start + 1000))
        seen = replace(part, log_fc=part.log_fc[:, :-1])
        predicted, relative, _ = given_others(values, seen, effect)
        of_guide = predicted * relative
        of_guide /= of_guide.sum(axis=1, keepdims=True)
        last, sd = part.log_fc[:, -1:], densities.noise_sd(values, part.initial, effect)
        z = (last - effect) / sd
        density = stats.t.pdf(z, values["nu"]) / sd
        scores.append(np.log((of_guide * density).sum(axis=1)))
        below.append((of_guide * special.stdtr(values["nu"], z)).sum(axis=1))
    return coverage("replicate", data, np.concatenate(scores), np.concatenate(below))


def coverage(what: str, data: Guides, scores: FloatArray, below: FloatArray) -> Figure:
    """Tell how often what was held out lies in its central interval."""
    inside = np.abs(below - 0.5) < INTERVAL / 2
    gene = pd.Series(np.array(data.genes)[data.gene])
    essential, other = (gene.isin(names).to_numpy() for names in standards())
    return {
        what: float(scores.mean()),
        f"{what}_essential": float(inside[essential].mean()),
        f"{what}_nonessential": float(inside[other].mean()),
    }


def held_out_by_7b(data: Guides) -> Figure:
    """Predict the same by model 7b, whose effects are normal given its scales."""
    *_, scale = mean_and_7b(data)
    mu, gene_sd, sgrna_sd, sigma = (
        scale[name] for name in ("mu_gamma", "sigma_gamma", "sigma_alpha", "sigma")
    )

    def given(total: FloatArray, n: FloatArray, variance: float) -> tuple[FloatArray, FloatArray]:
        precision = 1 / gene_sd**2 + n / variance
        return (mu / gene_sd**2 + total / variance) / precision, 1 / precision

    sizes = data.sizes[data.gene]
    several, n = sizes > 1, data.log_fc.shape[1]
    of_guide = data.log_fc.mean(axis=1)
    variance = sgrna_sd**2 + sigma**2 / n
    total = np.add.reduceat(of_guide, data.starts)[data.gene] - of_guide
    mean, uncertain = given(total, sizes - 1, variance)
    away = (data.log_fc - mean[:, None])[several]
    common = (uncertain + sgrna_sd**2)[several]
    # Replicates of an sgRNA share its deviation: the determinant and the inverse in closed form.
    squares = (away**2).sum(axis=1) / sigma**2
    squares -= away.sum(axis=1) ** 2 * common / (sigma**2 * (sigma**2 + n * common))
    log_det = (n - 1) * np.log(sigma**2) + np.log(sigma**2 + n * common)
    score = -0.5 * (n * np.log(2 * np.pi) + log_det + squares) / n
    z = (of_guide - mean) / np.sqrt(uncertain + variance)
    inside = np.abs(special.ndtr(z) - 0.5)[several] < INTERVAL / 2
    gene = pd.Series(np.array(data.genes)[data.gene[several]])
    essential, other = (gene.isin(names).to_numpy() for names in standards())
    figure: Figure = {
        "sgRNA": float(score.mean()),
        "sgRNA_essential": float(inside[essential].mean()),
        "sgRNA_nonessential": float(inside[other].mean()),
    }

    seen = data.log_fc[:, :-1]
    of_guide, variance = seen.mean(axis=1), sgrna_sd**2 + sigma**2 / (n - 1)
    total = np.add.reduceat(of_guide, data.starts)[data.gene]
    mean, uncertain = given(total - of_guide, sizes - 1, variance)
    before = uncertain + sgrna_sd**2
    share = before / (before + sigma**2 / (n - 1))
    mean = mean + share * (of_guide - mean)
    sd = np.sqrt(before * (1 - share) + sigma**2)
    z = (data.log_fc[:, -1] - mean) / sd
    return figure | coverage("replicate", data, stats.norm.logpdf(z) - np.log(sd), special.ndtr(z))


def held_out(data: Guides) -> Iterator[Figure]:
    """Predict what is held out by model 7b, by model 9, and without each of its parts."""
    yield {"what": "held out", "model": "7b"} | held_out_by_7b(data)
    for name, fixed in {"": {}, **WITHOUT}.items():
        values = find_mode(data, fixed=fixed).parameters
        figure: Figure = {"what": "held out", "model": "9", "without": name}
        yield figure | held_out_sgrnas(data, values) | held_out_replicate(data, values)


def whole_run() -> Figure:
    """Take the time of the command, from counts to the folder."""
    with tempfile.TemporaryDirectory() as place:
        named = ["--samples", "samples.csv", "--controls", "nonessential.txt"]
        named += ["--essential", "essential.txt", "--nonessential", "nonessential.txt"]
        command = [sys.executable, "-m", "poolscreen", "hits", str(folder() / "counts.tsv.gz")]
        files = [str(folder() / word) if "." in word else word for word in named]
        return {"what": "run"} | timed([*command, *files, "-o", f"{place}/out"], Path(place), LIMIT)


def main() -> None:
    """Measure everything, and keep it."""
    figures = [whole_run()]
    counts, samples = read()
    data = screen(counts, samples)
    measured = int(np.isfinite(data.log_fc).sum())
    figures.append({"what": "screen", "measurements": measured, "genes": len(data.genes)})
    figures += rankings(data, "three replicates", peers=True)
    figures += rankings(screen(counts, samples[:1]), "one replicate")
    first = counts.groupby("gene").cumcount() < 2
    figures += rankings(screen(counts[first], samples), "two sgRNAs per gene")
    figures += lists(data)
    figures += held_out(data)
    for figure in figures:
        print(figure)
    measurements.record("genome", figures)

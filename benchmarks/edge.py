"""A screen at the edge of a laptop: 79 million rows, from a Parquet file to a table of effects."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from benchmarks.peers import Figure, timed

from press import measurements

GENES, SGRNAS = 18_000, 4
LINES = (100, 1100)  # cell lines
LIMIT = 600.0  # seconds


def write(path: Path, n_lines: int) -> None:
    """Simulate a screen by model 7b and write it, a cell line at a time."""
    rng = np.random.default_rng(103)
    n = GENES * SGRNAS
    gene = np.repeat(np.arange(GENES, dtype=np.int32), SGRNAS)
    sgrna = pa.array([f"sgRNA_{s}" for s in range(n)])
    genes = pa.array([f"GENE{g}" for g in range(GENES)])
    labels = {
        "sgRNA": pa.DictionaryArray.from_arrays(np.arange(n, dtype=np.int32), sgrna),
        "gene": pa.DictionaryArray.from_arrays(gene, genes),
    }
    lines = pa.array([f"line_{c}" for c in range(n_lines)])
    common, writer = rng.normal(-0.2, 0.5, GENES), None
    for number in range(n_lines):
        effect = common + rng.normal(0, 0.3, GENES)
        measured = effect[gene] + rng.normal(0, 0.6, n)
        line = pa.DictionaryArray.from_arrays(np.full(n, number, dtype=np.int32), lines)
        table = pa.table({"cell_line": line, **labels, "log_fc": measured})
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()


def runs(path: Path, n_lines: int, folder: Path) -> Iterator[Figure]:
    """Time the commands on a screen."""
    start = ["poolscreen"]
    commands = {
        "validate": [*start, "validate", str(path)],
        **{
            f"fit {model}": [*start, "fit", model, "--screen", str(path), "-o", f"{folder}/{model}"]
            for model in ("m7a", "m7b")
        },
    }
    size = {"rows": GENES * SGRNAS * n_lines, "effects": GENES * n_lines}
    for name, command in commands.items():
        figure = timed([*command, "--force"] if "fit" in name else command, folder, LIMIT)
        yield {"command": name, "lines": n_lines, "gb": path.stat().st_size / 1e9} | size | figure


def main() -> None:
    """Measure everything, and keep it."""
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        for n_lines in LINES:
            path = Path(folder, "screen.parquet")
            write(path, n_lines)
            for figure in runs(path, n_lines, Path(folder)):
                print(figure)
                figures.append(figure)
    measurements.record("edge", figures)

"""The hits of a screen found part by part, in processes that share a folder: see workflow/hits.smk.

A part is a cell line, the mean over the lines, or how one differs from the others. Of each, the
parameters are estimated by itself, so that parts can be fitted on several machines. What is joined
is what `poolscreen hits` finds in one process.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from poolscreen import files
from poolscreen.effects.hits import (
    Part,
    comparable,
    comparisons,
    fit_part,
    join,
    of_comparison,
)
from poolscreen.errors import PoolscreenError
from poolscreen.inference.quadrature import Effects, Mode
from poolscreen.progress import Say
from poolscreen.reports import commands
from poolscreen.screens.table import Screen


def read(path: Path, work: Path, how: commands.Reading, say: Say) -> None:
    """Read a screen, and say in `parts.json` what is to be fitted.

    Parameters
    ----------
    path : pathlib.Path
        The table.
    work : pathlib.Path
        The folder that is written: `screen.parquet`, `parts.json`, `opening.json` and, where the
        table has counts, `counts.parquet`.
    how : poolscreen.reports.commands.Reading
        How the table is read.
    say : callable
        Takes messages.
    """
    known = how.standards()
    screen, opening = commands.open_screen(path, how, say)
    with files.replacing_folder(work) as folder:
        screen.table.to_parquet(folder / "screen.parquet")
        if opening.counts is not None:
            opening.counts.to_parquet(folder / "counts.parquet")
        kept = asdict(replace(opening, counts=None)) | {"standards": [sorted(of) for of in known]}
        (folder / "opening.json").write_text(json.dumps(kept))
        names = [*screen.cell_lines, *comparisons(screen)]
        of_lines = len(screen.cell_lines)
        parts = [{"name": name, "line": n < of_lines} for n, name in enumerate(names)]
        (folder / "parts.json").write_text(json.dumps(parts))
    say(f"{work}: {len(parts)} parts")


def fit(work: Path, number: int, say: Say) -> None:
    """Fit a part; a comparison needs all lines.

    Parameters
    ----------
    work : pathlib.Path
        See `read`.
    number : int
        Place of the part in `parts.json`; its folder is `part_<number>`.
    say : callable
        Takes messages.
    """
    screen, parts = _screen(work), _parts(work)
    name = parts[number]["name"]
    with files.replacing_folder(work / f"part_{number}") as folder:
        if parts[number]["line"]:
            _write(folder, fit_part(screen, name, say))
            return
        lines = {of["name"]: _read(work, n) for n, of in enumerate(parts) if of["line"]}
        compared, _ = comparable(screen, lines)
        try:
            _write(folder, fit_part(of_comparison(screen, compared, name), name, say))
        except PoolscreenError as error:  # `poolscreen hits` leaves it out as well
            (folder / "left_out.txt").write_text(str(error))


def gather(work: Path, output: Path, *, force: bool, say: Say) -> None:
    """Join the parts, and write what `poolscreen hits` writes.

    Parameters
    ----------
    work : pathlib.Path
        See `read`.
    output : pathlib.Path
        The folder with hits and a report.
    force : bool
        Whether a folder that is there is replaced.
    say : callable
        Takes messages.
    """
    commands.check_output(output, force=force)
    screen, found, left_out = _screen(work), {}, {}
    for number, part in enumerate(_parts(work)):
        why = work / f"part_{number}" / "left_out.txt"
        if why.is_file():
            left_out[part["name"]] = why.read_text()
        else:
            found[part["name"]] = _read(work, number)
    kept = json.loads((work / "opening.json").read_text())
    standards, counts = kept.pop("standards"), work / "counts.parquet"
    kept["counts"] = pd.read_parquet(counts) if counts.is_file() else None
    joined = join(screen, found, left_out, say)
    opening = commands.Opening(**kept)
    commands.write_hits(output, screen, joined, opening, standards=standards, say=say)


def _screen(work: Path) -> Screen:
    return Screen(pd.read_parquet(work / "screen.parquet"))


def _parts(work: Path) -> list[Mapping[str, Any]]:
    parts: list[Mapping[str, Any]] = json.loads((work / "parts.json").read_text())
    return parts


def _write(folder: Path, part: Part) -> None:
    (folder / "mode.json").write_text(json.dumps(asdict(part.mode)))
    part.effects.genes.to_parquet(folder / "genes.parquet")
    part.effects.guides.to_parquet(folder / "guides.parquet")
    of_genes = part.effects.posterior
    np.savez(folder / "posterior.npz", probability=of_genes, effect=of_genes["effect"])


def _read(work: Path, number: int) -> Part:
    folder = work / f"part_{number}"
    genes = pd.read_parquet(folder / "genes.parquet")
    with np.load(folder / "posterior.npz", allow_pickle=False) as stored:
        posterior = xr.DataArray(
            stored["probability"],
            coords={"gene": genes["gene"].tolist(), "effect": stored["effect"]},
            dims=("gene", "effect"),
        )
    return Part(
        Mode(**json.loads((folder / "mode.json").read_text())),
        Effects(genes, pd.read_parquet(folder / "guides.parquet"), posterior),
    )

"""Fits of whole screens beside the tools that a user would take instead.

These are lme4, glmmTMB and nlme, and Bambi. All get the same file, one after the other, each in a
process of its own: it reads the file, fits the model and writes down every effect with its standard
deviation. What is measured is the whole process. The first three take
`apt-get install r-cran-lme4 r-cran-glmmtmb` (Debian; nlme comes with them); Bambi is fetched from
PyPI into an environment of its own. A tool that is not there is recorded as such.
"""

import csv
import json
import math
import os
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from press import measurements, paths, steps

LIMIT = 150  # seconds until a tool is stopped
SCRIPTS = ("mixed.R", "mixed.py")
R_PACKAGES = ("lme4", "glmmTMB", "nlme")
TOOLS = ("fit", "report", *R_PACKAGES, "Bambi")

# Each part of a measurement: our scale, and the group of a mixed model.
PARTS = {
    "m7a": {"gene": ("sigma_alpha", "gene:cell_line")},
    "m7b": {
        "gene": ("sigma_gamma", "gene:cell_line"),
        "sgRNA": ("sigma_alpha", "sgRNA:cell_line"),
    },
    "m7": {
        "gene": ("sigma_gamma", "gene"),
        "sgRNA": ("sigma_alpha", "sgRNA"),
        "cell line": ("sigma_beta", "cell_line"),
    },
}
PARTS["m8"] = PARTS["m7"] | {"interaction": ("sigma_delta", "gene:cell_line")}

type Figure = dict[str, Any]


@dataclass(frozen=True)
class Work:
    """A model, the screen that it is fitted to, and by which tools.

    Attributes
    ----------
    model : str
        Of `PARTS`.
    genes, sgrnas, cell_lines, replicates : int
        Size of the screen; sgRNAs are spread evenly over genes.
    share : float
        How many of the measurements there are; the others are gaps, at random.
    book : bool
        Whether it is the screen of the book, which has these sizes.
    tools : tuple of str
        Of `TOOLS`.
    """

    model: str
    genes: int
    sgrnas: int
    cell_lines: int
    replicates: int
    share: float = 1.0
    book: bool = False
    tools: tuple[str, ...] = ("fit", *R_PACKAGES)

    @property
    def rows(self) -> int:
        """Number of rows of the screen."""
        return round(self.sgrnas * self.cell_lines * self.replicates * self.share)

    @property
    def formula(self) -> str:
        """The model, as lme4, glmmTMB and Bambi write it.

        Without replicates an sgRNA in a cell line has one measurement, so that its own effect is
        part of the noise.
        """
        groups = [group for _, group in PARTS[self.model].values()]
        if self.replicates == 1:
            groups = [group for group in groups if group != "sgRNA:cell_line"]
        return " + ".join(["log_fc ~ 1", *(f"(1 | {group})" for group in groups)])


# To start all tools once, and to see whether they are there.
TRIAL = Work("m7b", 20, 60, 2, 2, tools=TOOLS)
BOOK = {"genes": 10, "sgrnas": 55, "cell_lines": 20, "replicates": 1, "book": True}
WORKS = (
    Work("m7b", **BOOK, tools=TOOLS),
    Work("m7", **BOOK, tools=("fit", "lme4", "glmmTMB", "Bambi")),
    Work("m7a", **BOOK, tools=("fit", "lme4")),
    Work("m8", **BOOK, tools=("fit", "lme4")),
    Work("m7b", 100, 400, 6, 2, tools=("fit", *R_PACKAGES, "Bambi")),
    Work("m7b", 1_000, 4_000, 6, 2, tools=("fit", "report", *R_PACKAGES)),
    Work("m7b", 10_000, 40_000, 6, 2),
    # A library of the whole genome, in one cell line.
    Work("m7b", 18_053, 71_090, 1, 3),
    Work("m7", 18_000, 72_000, 4, 1, tools=("fit", "lme4", "glmmTMB")),
    # On average three measurements of each sgRNA in each cell line, between none and four.
    Work("m7", 18_000, 72_000, 4, 4, share=0.75, tools=("fit", "lme4", "glmmTMB")),
)


def write_screen(work: Work, path: Path) -> None:
    """Draw a screen from the model that is fitted to it, with the scales of the book's screen."""
    import numpy as np
    import pandas as pd

    from poolscreen.screens.simulate import Design, simulate

    true = Design()
    if work.book:
        simulate(true)[0].drop(columns="mu_sc").to_csv(path, index=False)
        return
    rng = np.random.default_rng(true.seed)
    gene_of_sgrna = np.sort(np.arange(work.sgrnas) % work.genes)
    # Model 7 has the same effects in all cell lines, and one of each line.
    lines = 1 if work.model == "m7" else work.cell_lines
    gene = rng.normal(true.mu_gamma, true.sigma_gamma, size=(work.genes, lines))
    sgrna = rng.normal(gene[gene_of_sgrna], true.sigma_alpha)
    if work.model == "m7":
        sgrna = sgrna + rng.normal(true.mu_beta, true.sigma_beta, size=work.cell_lines)
    shape = (work.sgrnas, work.cell_lines, work.replicates)
    kept = np.sort(rng.permutation(math.prod(shape))[: work.rows])
    s, c, replicate = np.unravel_index(kept, shape)
    columns = {"cell_line": ("cell", c), "sgRNA": ("sgRNA", s), "gene": ("gene", gene_of_sgrna[s])}
    labels = {
        name: np.array([f"{prefix}_{i}" for i in range(codes.max() + 1)])[codes]
        for name, (prefix, codes) in columns.items()
    }
    log_fc = rng.normal(sgrna[s, c], true.sigma).round(6)
    pd.DataFrame({**labels, "replicate": replicate + 1, "log_fc": log_fc}).to_csv(path, index=False)


def versions(folder: Path) -> dict[str, str]:
    """Return the versions of the tools that are there, and of what they run in."""
    found = {}
    asked = ", ".join(f'"{name}"' for name in R_PACKAGES)
    script = (
        f"for (name in c({asked})) if (nzchar(system.file(package = name))) "
        r'cat(name, as.character(packageVersion(name)), "\n"); '
        r'cat("R", as.character(getRversion()), "\n")'
    )
    if shutil.which("Rscript"):
        answer = subprocess.run(
            ["Rscript", "-e", script], check=True, text=True, capture_output=True
        )
        found |= dict(line.split() for line in answer.stdout.splitlines())
    python = folder / "bambi" / "bin" / "python"
    if python.is_file():
        script = (
            "from importlib.metadata import version as v; print(v('bambi'), 'with PyMC', v('pymc'))"
        )
        answer = subprocess.run([python, "-c", script], check=True, text=True, capture_output=True)
        found["Bambi"] = answer.stdout.strip()
    return found


def fetch_bambi(folder: Path) -> None:
    """Set up an environment with Bambi, if it can be had: the project's own stays as it is."""
    environment = folder / "bambi"
    uv = shutil.which("uv") or str(paths.root() / ".uv" / "bin" / "uv")
    try:
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, environment], check=True)
        install = ["pip", "install", "--quiet", "--compile-bytecode", "bambi"]
        subprocess.run([uv, *install, "--python", environment], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"Bambi cannot be had here: {error}", flush=True)
        shutil.rmtree(environment, ignore_errors=True)


def command(tool: str, work: Work, screen: str, output: str) -> list[str]:
    """Return the command of a tool, run from the folder that holds the screen and the scripts."""
    if tool == "fit":
        return ["poolscreen", "fit", work.model, "--screen", screen, "--output", output]
    if tool == "report":
        return ["poolscreen", "report", screen, "--model", work.model, "--output", output]
    if tool == "Bambi":
        return ["bambi/bin/python", "mixed.py", work.formula, screen, output]
    return ["Rscript", "mixed.R", tool, work.formula, screen, output]


def timed(command: list[str], folder: Path, limit: float) -> Figure:
    """Run a command to its end, and return what it took; the memory is its largest process's."""
    started = time.perf_counter()
    env = {**os.environ, **steps.ENVIRONMENT, "PYTHONPATH": str(paths.root() / "src")}
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # what the trial has compiled is kept
    if command[0] == "poolscreen":
        command = [sys.executable, "-m", *command]
    else:
        del env["PYTHONPATH"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=env, stdout=log, stderr=log, start_new_session=True
        )
        stop = threading.Timer(limit, os.killpg, (process.pid, signal.SIGKILL))
        stop.start()
        try:
            _, status, used = os.wait4(process.pid, 0)
        except KeyboardInterrupt:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        finally:
            stop.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    ended = ""
    if process.returncode:
        said = (folder / "log").read_text(errors="replace").replace(str(folder), "").splitlines()
        ended = f"failed ({process.returncode}): {' '.join(said[-3:])}"
        if process.returncode == -signal.SIGKILL and seconds >= limit:
            ended = f"stopped after {limit:.0f} s"
    return {
        "ended": ended,
        "seconds": seconds,
        "processor_seconds": used.ru_utime + used.ru_stime,
        "peak_gb": used.ru_maxrss * 1024 / 1e9,
    }


def scales(table: Path, work: Work) -> dict[str, dict[str, float]]:
    """Read the standard deviation of each part from what a tool wrote.

    Returns
    -------
    dict of str to dict
        By the parts of the model and `noise`; `sd` is that of the posterior, where there is
        one. Where sgRNAs are part of the noise of the mixed model, they are for all tools.
    """
    found = {}
    with table.open(newline="") as lines:
        for row in csv.DictReader(lines):
            if part := _part(row["parameter"], PARTS[work.model]):
                found[part] = {name: float(row[name]) for name in ("mean", "sd") if row.get(name)}
    if "sgRNA" in found and "sgRNA" not in work.formula:
        squares = (f["mean"] ** 2 + f["sd"] ** 2 for f in (found["noise"], found.pop("sgRNA")))
        found["noise"] = {"mean": math.sqrt(sum(squares))}
    return found


def _part(parameter: str, parts: dict[str, tuple[str, str]]) -> str:
    """Return which part of a measurement a scale is of, by whatever name the tool gives it."""
    name = parameter.removeprefix("1|").removesuffix("_sigma")
    if name in ("sigma", "Residual"):
        return "noise"
    return next((part for part, names in parts.items() if name in names), "")


def attempt(tool: str, work: Work, folder: Path, limit: float) -> Figure:
    """Let a tool do a work whose screen is there, and return what it took and what it found."""
    output = folder / "output"
    tried = command(tool, work, "screen.csv", output.name)
    figure = {"command": shlex.join(tried), **timed(tried, folder, limit)}
    if not figure["ended"] and tool != "report":
        figure["scales"] = scales(output / "scalars.csv", work)
    if (output / "more.json").is_file():
        figure |= json.loads((output / "more.json").read_text())
    shutil.rmtree(output, ignore_errors=True)
    return figure


def prepare(folder: Path, *, with_bambi: bool = True) -> dict[str, str]:
    """Make a folder ready for `measure`, and return the versions of the tools that are there."""
    for script in SCRIPTS:
        shutil.copy2(paths.root() / "benchmarks" / script, folder)
    if with_bambi:
        fetch_bambi(folder)
    return versions(folder)


def measure(
    works: tuple[Work, ...], known: dict[str, str], folder: Path, limit: float = LIMIT
) -> Iterator[Figure]:
    """Let every tool do every work, in turn.

    Parameters
    ----------
    works : tuple of Work
        What is to be done.
    known : dict of str to str
        Versions of the tools that are there, see `prepare`.
    folder : pathlib.Path
        Where it is done.
    limit : float
        Seconds until a tool is stopped.

    Yields
    ------
    dict
        The work, the tool, what it took and what it found; `ended` says why it did not end well.
    """
    for work in works:
        # In another process, as a child counts the memory of its parent as its own.
        drawing = [sys.executable, "-m", "benchmarks.peers", json.dumps(asdict(work))]
        subprocess.run([*drawing, str(folder / "screen.csv")], check=True, cwd=paths.root())
        named = {name: value for name, value in asdict(work).items() if name != "tools"}
        for tool in work.tools:
            there = tool in ("fit", "report") or tool in known
            done = attempt(tool, work, folder, limit) if there else {"ended": "not installed"}
            yield {**named, "rows": work.rows, "tool": tool, **done}


def main() -> None:
    """Start every tool once, then measure."""
    mine = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert mine < 2**17, f"{mine} KiB would be counted in the memory of each child"
    figures = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        known = prepare(folder)
        print(known, list(measure((TRIAL,), known, folder)), flush=True)
        for figure in measure(WORKS, known, folder):
            figures.append(figure)
            print(json.dumps(figure), flush=True)
    measurements.record("peers", {"limit": LIMIT, "versions": known, "runs": figures})


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    write_screen(Work(**given), Path(sys.argv[2]))

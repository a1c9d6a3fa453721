"""How long a rebuild takes after an edit, from a finished build, on a copy of the project."""

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.conftest import Tree, copy_project

from poolscreen import project

ROUNDS = 3


def edits(tree: Tree, number: int) -> dict[str, Callable[[], None]]:
    """Give the edits of one round, different from those of the round before."""
    first = "# # Model 7a: pooling genes and cell lines"
    old, new = (f"{first}{' ' * n}\n" for n in (number, number + 1))
    code_old, code_new = (
        f'title="Intercepts by gene{"." * n}"' for n in (number, number + 1)
    )
    return {
        "nothing": lambda: None,
        "prose": lambda: tree.edit_chapter("02_model_7a", old, new),
        "code of a chapter": lambda: tree.edit_chapter(
            "02_model_7a", code_old, code_new
        ),
    }


def timed(tree: Tree) -> float:
    started = time.perf_counter()
    built = tree.poolscreen("build")
    assert built.returncode == 0, built.stdout
    return time.perf_counter() - started


def main() -> None:
    """Run the rounds in turn, print a table and write results/benchmarks/rebuild.json."""
    seconds: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        tree = copy_project(project.root(), Path(folder, "tree"))
        for number in range(ROUNDS):
            for name, edit in edits(tree, number).items():
                edit()
                seconds.setdefault(name, []).append(timed(tree))
    path = project.root() / "results" / "benchmarks" / "rebuild.json"
    with project.replacing(path) as part:
        part.write_text(json.dumps(seconds, indent=2))
    base = statistics.median(seconds["nothing"])
    print(f"{'after an edit of':20} {'median':>8} {'best':>8}   ratio to nothing to do")
    for name, values in seconds.items():
        median = statistics.median(values)
        print(f"{name:20} {median:6.1f} s {min(values):6.1f} s {median / base:6.1f}")


if __name__ == "__main__":
    main()

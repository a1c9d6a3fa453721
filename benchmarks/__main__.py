"""Run all benchmarks, or those that are named: `python -m benchmarks samplers scaling`.

Each runs in a process of its own, in the environment of the workflow's jobs.
"""

import importlib
import os
import subprocess
import sys

from press import steps

NAMES = (
    "samplers",
    "seeds",
    "prior_screens",
    "builds",
    "faults",
    "scaling",
    "peers",
    "genome",
    "mixture",
    "edge",
)

if len(sys.argv) > 2 and sys.argv[1] == "--here":
    importlib.import_module(f"benchmarks.{sys.argv[2]}").main()
else:
    chosen = sys.argv[1:] or NAMES
    if unknown := set(chosen) - set(NAMES):
        sys.exit(f"there is no benchmark {unknown.pop()!r}; there are {', '.join(NAMES)}")
    for name in chosen:
        print(f"-- {name}", flush=True)
        command = [sys.executable, "-m", "benchmarks", "--here", name]
        subprocess.run(command, check=True, env={**os.environ, **steps.ENVIRONMENT})

"""Run all benchmarks, or those that are named: `python -m benchmarks samplers scaling`."""

import sys

from benchmarks import builds, samplers, scaling

BENCHMARKS = {"samplers": samplers, "builds": builds, "scaling": scaling}

for name in sys.argv[1:] or BENCHMARKS:
    print(f"-- {name}", flush=True)
    BENCHMARKS[name].main()

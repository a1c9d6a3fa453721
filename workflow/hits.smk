# The hits of a screen of one's own, part by part: each cell line, their mean, and how each differs
# from the others. It gives what `poolscreen hits` gives, and its parts run side by side, on this
# machine or on a cluster:
#
#   .venv/bin/snakemake --snakefile workflow/hits.smk --cores 2 \
#       --config table=counts.tsv samples=samples.csv output=my_hits
#
# with `--profile workflow/profiles/slurm` in place of `--cores 2` for a cluster. The other options
# of `poolscreen hits` are given alike: guides, controls, essential, nonessential, min_initial.

import json
import shlex
import sys
from pathlib import Path

if not {"table", "output"} <= set(config):
    sys.exit("say which table, and where to write: --config table=counts.tsv output=my_hits")

SOURCE = Path(workflow.basedir).parent / "src"
sys.path.insert(0, str(SOURCE))

from poolscreen import processes

# Snakemake would give the threads of a job to each product of matrices, which rounds otherwise then.
SETTINGS = {"PYTHONPATH": str(SOURCE), **processes.ONE_THREAD}
EXPORTED = " ".join(f"{name}={shlex.quote(value)}" for name, value in SETTINGS.items())
shell.prefix(f"set -euo pipefail; export {EXPORTED}; ")
POOLSCREEN = f"{shlex.quote(sys.executable)} -m poolscreen"

OUTPUT = str(config["output"])
WORK = f"{OUTPUT}.parts"
if Path(OUTPUT).exists() and not Path(WORK).exists():
    sys.exit(f"{OUTPUT} is there already, and not from this workflow; choose another output")
FILES = ["samples", "guides", "controls", "essential", "nonessential"]
GIVEN = {name: str(config[name]) for name in [*FILES, "min_initial"] if name in config}
OPTIONS = shlex.join(
    part for name, value in GIVEN.items() for part in (f"--{name.replace('_', '-')}", value)
)


def parts(wildcards):
    """Return what is fitted, which is known once the table has been read."""
    return json.loads(Path(checkpoints.read.get().output.parts).read_text())


def lines_of(wildcards):
    """Return what a part needs: a comparison needs all lines."""
    found = parts(wildcards)
    if found[int(wildcards.number)]["line"]:
        return []
    return [f"{WORK}/part_{number}" for number, of in enumerate(found) if of["line"]]


def folders(wildcards):
    return [f"{WORK}/part_{number}" for number in range(len(parts(wildcards)))]


rule all:
    input:
        f"{OUTPUT}/report.html",


checkpoint read:
    input:
        str(config["table"]),
        [GIVEN[name] for name in FILES if name in GIVEN],
    output:
        screen=f"{WORK}/screen.parquet",
        opening=f"{WORK}/opening.json",
        parts=f"{WORK}/parts.json",
    params:
        options=OPTIONS,
    resources:
        mem_mb=4000,
        runtime=15,
    shell:
        "{POOLSCREEN} scattered read {input[0]:q} {params.options} --work {WORK:q}"


rule part:
    input:
        f"{WORK}/screen.parquet",
        lines_of,
    output:
        directory(f"{WORK}/part_{{number}}"),
    threads: 2
    resources:
        mem_mb=3000,
        runtime=30,
    shell:
        "{POOLSCREEN} scattered fit {WORK:q} {wildcards.number}"


rule gather:
    input:
        f"{WORK}/opening.json",
        folders,
    output:
        f"{OUTPUT}/report.html",
    resources:
        mem_mb=4000,
        runtime=15,
    shell:
        "{POOLSCREEN} scattered gather {WORK:q} --output {OUTPUT:q} --force"

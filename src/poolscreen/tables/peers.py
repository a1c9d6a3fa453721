"""Tables of whole runs: fits of this package beside those of other tools."""

import shlex
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from poolscreen.tables.fits import model_label

COMMANDS = {"fit": "poolscreen fit", "report": "poolscreen report"}
PARTS = ("gene", "sgRNA", "cell line", "interaction", "noise")

type Run = Mapping[str, Any]  # as benchmarks/peers.py records it


def whole_runs(runs: Iterable[Run]) -> pd.DataFrame:
    """Show what was run, how it ended, and what it took.

    Parameters
    ----------
    runs : iterable of mappings
        What was measured. A tool that is not installed took nothing.

    Returns
    -------
    pandas.DataFrame
        One row per run.

    Examples
    --------
    >>> run = {"model": "m7b", "sgrnas": 4000, "cell_lines": 6, "replicates": 2, "share": 1.0}
    >>> run |= {"book": False, "rows": 48000, "tool": "fit", "ended": "", "seconds": 4.1}
    >>> whole_runs([run, run | {"tool": "lme4", "ended": "not installed"}])[["work", "ended"]]
                                 work          ended
    0  7b, 4,000 sgRNAs × 6 lines × 2           well
    1  7b, 4,000 sgRNAs × 6 lines × 2  not installed
    """
    return pd.DataFrame(
        {
            "work": _work(run),
            "tool": tool(run),
            # What a tool says when it fails is in the record.
            "ended": run["ended"].partition(":")[0] or "well",
            "rows": run["rows"],
            "seconds until fitted": run.get("fitted_after"),
            "seconds": run.get("seconds"),
            "seconds of processor": run.get("processor_seconds"),
            "peak GB": run.get("peak_gb"),
        }
        for run in runs
    )


def tool(run: Run) -> str:
    """Return what a page calls the tool of a run.

    Examples
    --------
    >>> tool({"tool": "fit"}), tool({"tool": "lme4"})
    ('poolscreen fit', 'lme4')
    """
    return COMMANDS.get(run["tool"], str(run["tool"]))


def _work(run: Run) -> str:
    model = model_label(run["model"])
    if run["book"]:
        return f"{model}, the book's screen"
    lines = "1 line" if run["cell_lines"] == 1 else f"{run['cell_lines']} lines"
    gaps = "" if run["share"] == 1 else " at most, with gaps"
    return f"{model}, {run['sgrnas']:,} sgRNAs × {lines} × {run['replicates']}{gaps}"


def scales(runs: Iterable[Run]) -> pd.DataFrame:
    """Show the standard deviations that each tool has found.

    Parameters
    ----------
    runs : iterable of mappings
        What was measured; `scales` has, by part, a `mean` and, of a posterior, an `sd`.

    Returns
    -------
    pandas.DataFrame
        One row per run that has found any, and a column for each of `PARTS`.

    Examples
    --------
    >>> run = {"model": "m7b", "rows": 1100, "book": True, "tool": "fit"}
    >>> run["scales"] = {"gene": {"mean": 1.1, "sd": 0.05}, "noise": {"mean": 0.4}}
    >>> scales([run]).iloc[0].to_dict()
    {'work': "7b, the book's screen", 'tool': 'poolscreen fit', 'gene': 1.1, 'sgRNA': None,
     'cell line': None, 'interaction': None, 'noise': 0.4}
    """
    return pd.DataFrame(
        {
            "work": _work(run),
            "tool": tool(run),
            **{part: run["scales"].get(part, {}).get("mean") for part in PARTS},
        }
        for run in runs
        if "scales" in run
    )


def differences(runs: Iterable[Run]) -> pd.DataFrame:
    """Compare the scales of other tools with those of this package on the same screen.

    Parameters
    ----------
    runs : iterable of mappings
        See `scales`.

    Returns
    -------
    pandas.DataFrame
        Columns `model`, `rows`, `tool`, `part`, `share` (difference from the posterior mean, as a
        share of it) and `sds` (in posterior standard deviations, where these are known); without
        signs.

    Examples
    --------
    >>> run = {"model": "m7b", "rows": 1100, "tool": "fit"}
    >>> run["scales"] = {"gene": {"mean": 1.1, "sd": 0.05}, "noise": {"mean": 0.4}}
    >>> other = {"tool": "lme4", "scales": {"gene": {"mean": 1.0}, "noise": {"mean": 0.4}}}
    >>> differences([run, run | other])[["tool", "part", "share", "sds"]].round(2)
       tool   part  share  sds
    0  lme4   gene   0.09  2.0
    1  lme4  noise   0.00  NaN
    """
    found = [run for run in runs if "scales" in run]
    ours = {(run["model"], run["rows"]): run["scales"] for run in found if run["tool"] == "fit"}
    rows = []
    for run in found:
        reference = ours.get((run["model"], run["rows"]), {})
        for part in PARTS:
            if run["tool"] == "fit" or part not in reference or part not in run["scales"]:
                continue
            mean, sd = reference[part]["mean"], reference[part].get("sd", float("nan"))
            apart = abs(run["scales"][part]["mean"] - mean)
            of_run = {name: run[name] for name in ("model", "rows", "tool")}
            rows.append({**of_run, "part": part, "share": apart / mean, "sds": apart / sd})
    return pd.DataFrame(rows, columns=["model", "rows", "tool", "part", "share", "sds"])


def as_mixed_models(runs: Iterable[Run]) -> pd.DataFrame:
    """Show models as lme4 writes them, and what both find on the book's screen.

    Parameters
    ----------
    runs : iterable of mappings
        What was measured; `command` of lme4 holds the formula.

    Returns
    -------
    pandas.DataFrame
        Columns `model`, `formula`, `standard deviation of` (the part), `lme4` (restricted maximum
        likelihood) and `poolscreen` (posterior mean); a row per scale.

    Examples
    --------
    >>> run = {"model": "m7a", "book": True, "tool": "fit", "scales": {"gene": {"mean": 1.11}}}
    >>> other = {"tool": "lme4", "scales": {"gene": {"mean": 1.1}}}
    >>> other["command"] = "Rscript mixed.R lme4 'log_fc ~ 1 + (1 | gene:cell_line)' screen.csv out"
    >>> as_mixed_models([run, run | other]).iloc[0].to_dict()
    {'model': '7a', 'formula': 'log_fc ~ 1 + (1 | gene:cell_line)',
     'standard deviation of': 'gene', 'lme4': 1.1, 'poolscreen': 1.11}
    """
    found = [run for run in runs if run["book"] and "scales" in run]
    ours = {run["model"]: run["scales"] for run in found if run["tool"] == "fit"}
    rows = [
        {
            "model": model_label(run["model"]),
            "formula": shlex.split(run["command"])[3],
            "standard deviation of": part,
            "lme4": run["scales"][part]["mean"],
            "poolscreen": ours[run["model"]][part]["mean"],
        }
        for run in sorted(found, key=lambda run: run["model"])
        if run["tool"] == "lme4"
        for part in PARTS
        if part in run["scales"]
    ]
    return pd.DataFrame(rows)

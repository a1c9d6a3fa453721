"""A mixed model of a screen, by Bambi, as it samples by default: mixed.py FORMULA SCREEN FOLDER.

Runs in an environment of its own, with Bambi and what it needs. Writes into the folder what a fit
of poolscreen has, too: the scales, and every effect with its standard deviation; and how well it
has converged.
"""

import json
import sys
from pathlib import Path

import arviz as az
import bambi
import pandas as pd


def main(formula: str, screen: str, folder: Path) -> None:
    fit = bambi.Model(formula, pd.read_csv(screen)).fit(random_seed=103, progressbar=False)
    summary = az.summary(fit, round_to="none")
    scales = summary[summary.index.str.endswith("sigma")].rename_axis("parameter")
    quality = {
        "max_r_hat": float(summary["r_hat"].max()),
        "min_ess_bulk": float(summary["ess_bulk"].min()),
        "divergences": int(fit["sample_stats"]["diverging"].sum()),
    }
    folder.mkdir()
    scales[["mean", "sd"]].to_csv(folder / "scalars.csv")
    summary.to_csv(folder / "effects.csv")
    (folder / "more.json").write_text(json.dumps(quality))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))

"""Where a page comes from: the commit, the fits, the packages."""

import importlib.metadata
import json
from pathlib import Path

import pandas as pd

from poolscreen.inference import store
from press import paths, repository, steps

# The packages that a reader of a chapter would ask for.
PACKAGES = ("pymc", "nutpie", "arviz", "numpy", "pandas", "plotnine")
# Where and when a fit was made: what its record holds, and what the page calls it.
MACHINES = {
    "model": "model",
    "created": "sampled at (UTC)",
    "machine": "machine",
    "python": "Python",
    "seed": "seed",
    "seconds_compiling": "seconds compiling",
    "seconds_sampling": "seconds sampling",
}


def fit_rows(names: list[str]) -> pd.DataFrame:
    """Tabulate fits from the records that they carry.

    Parameters
    ----------
    names : list of str
        Names of fits.

    Returns
    -------
    pandas.DataFrame
        One row per fit.
    """
    rows = []
    for name in names:
        record = store.read_attributes(paths.fit_path(name))
        settings = json.loads(record["settings"])
        seconds = record["seconds_compiling"] + record["seconds_sampling"]
        rows.append(
            {
                "model": name,
                "sampler": f"{record['sampler']}, {record['form']} form",
                "draws": f"{settings['chains']} × {settings['draws']:,}",
                "max R\N{NON-BREAKING HYPHEN}hat": f"{record['max_r_hat']:.4f}",
                "min bulk ESS": f"{record['min_ess_bulk']:,.0f}",
                "min tail ESS": f"{record['min_ess_tail']:,.0f}",
                "divergences": f"{record['divergences']:.0f}",
                "off exact": f"{record['off_exact']:.1f}" if "off_exact" in record else "",
                "seconds, with compiling": f"{seconds:.1f}",
            }
        )
    return pd.DataFrame(rows)


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that matter, as the fits record them."""
    record = store.read_attributes(paths.fit_path(steps.fit_names()[0]))
    installed = json.loads(record["packages"])
    return {"Python": record["python"], **{name: installed[name] for name in PACKAGES}}


def commit_text(commit: repository.Commit) -> str:
    """Say in MyST which commit the site is made from."""
    if not commit.hash:
        return "Made outside a repository, so no commit can be named."
    name = f"`{commit.hash[:10]}`"
    if commit.repository and commit.clean:
        name = f"[{name}]({commit.repository}/tree/{commit.hash})"
    changed = "" if commit.clean else ", with changes that are not committed"
    return f"Commit {name} of {commit.date}{changed}."


def card(chapter: str, commit: repository.Commit) -> str:
    """Return the card at a chapter's end, in MyST: what it was made from, and what to take away.

    Parameters
    ----------
    chapter : str
        Name of the chapter.
    commit : press.repository.Commit
        The commit that it names.

    Returns
    -------
    str
    """
    packages = ", ".join(f"{name} {version}" for name, version in versions().items())
    lines = [
        "::::{card} Where this page comes from",
        ":class-card: provenance",
        "",
        f"{commit_text(commit)} {packages}.",
        "",
        *_fits_table(steps.chapter_fits(chapter)),
        _downloads(chapter),
        "::::",
    ]
    return "\n".join(lines)


def _fits_table(fits: list[str]) -> list[str]:
    """Write the fits of a chapter as a table with their files; no line where there are none."""
    if not fits:
        return []
    rows = fit_rows(fits)
    rows["file"] = [f"{{download}}`{fit}.nc <../results/fits/{fit}.nc>`" for fit in fits]
    return [
        "| " + " | ".join(map(str, rows)) + " |",
        "|" + " --- |" * len(rows.columns),
        *("| " + " | ".join(row) + " |" for row in rows.to_numpy().tolist()),
        "",
        f'A fit opens with `xarray.open_datatree("{Path(fits[0]).name}.nc")`.',
        "",
    ]


def _downloads(chapter: str) -> str:
    """Write what a reader can take away of a chapter, besides the fits."""
    others = [
        f"{{download}}`{result.removeprefix('results/')} <../{result}>`"
        for result in steps.chapter_results(chapter)
        if not result.startswith("results/fits/")
    ]
    return (
        f"This chapter: {{download}}`with its outputs <../downloads/{chapter}.ipynb>`, "
        f"{{download}}`as a script <../downloads/{chapter}.py>`."
        + (f" It also reads {', '.join(others)}." if others else "")
        + " All fits and packages: [Reproducibility](../book/reproducibility)."
    )


def licence(package: str) -> str:
    """Return the licence that an installed package states.

    Parameters
    ----------
    package : str
        Its name.

    Returns
    -------
    str
        Its SPDX expression, or else what its older metadata say.

    Examples
    --------
    >>> licence("pandas"), licence("sphinx")
    ('BSD-3-Clause', 'BSD License')
    """
    try:
        metadata = importlib.metadata.metadata(package)
    except importlib.metadata.PackageNotFoundError:  # fits that were made on another platform
        return "not installed here"
    stated = metadata.get("License-Expression") or metadata.get("License", "")
    if stated and "\n" not in stated and stated != "UNKNOWN":  # some give the whole text
        return stated
    classified = (
        entry.rpartition(" :: ")[2]
        for entry in metadata.get_all("Classifier", [])
        if entry.startswith("License :: ")
    )
    return ", ".join(classified) or "not in its metadata"


def write_tables(folder: Path, commit: repository.Commit) -> None:
    """Write the tables of the page on reproducibility, from the fits' own records.

    Parameters
    ----------
    folder : pathlib.Path
        Where `packages.csv`, `machines.csv`, `fits.csv` and `commit.md` are written.
    commit : press.repository.Commit
        The commit that the site is made from.
    """
    fits = steps.fit_names()
    records = [store.read_attributes(paths.fit_path(fit)) for fit in fits]
    packages = json.loads(records[0]["packages"])
    columns = {"package": packages.keys(), "version": packages.values()}
    pd.DataFrame({**columns, "licence": map(licence, packages)}).to_csv(
        folder / "packages.csv", index=False
    )
    machines = pd.DataFrame(records).assign(model=fits)[list(MACHINES)].rename(columns=MACHINES)
    machines.to_csv(folder / "machines.csv", index=False)
    fit_rows(fits).to_csv(folder / "fits.csv", index=False)
    (folder / "commit.md").write_text(commit_text(commit) + "\n")

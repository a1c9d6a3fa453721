"""A screen of one's own: from a file to a checked table, a fit, a report."""

import hashlib
import json
from base64 import b64encode
from collections.abc import Mapping
from html import escape
from importlib.metadata import version
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory
from typing import Any

import jupytext
import nbformat
import xarray as xr

from poolscreen import (
    chapters,
    effects,
    fits,
    models,
    project,
    reading,
    sampling,
    screen,
    staging,
    validation,
)
from poolscreen import counts as read_counts
from poolscreen.errors import PoolscreenError
from poolscreen.sampling import Report, Settings

TEMPLATES = Path(__file__).parent / "templates"

# Enough for two digits of every estimate; a large screen has thousands of effects.
SETTINGS = Settings(draws=1000, tune=1000)


def stem(path: Path) -> str:
    """Return the name of a file without its endings."""
    return path.name.split(".")[0]


def read(
    path: Path, columns: Mapping[str, str], separator: str | None, say: Report
) -> screen.Screen:
    """Read a screen, and say what it holds and what should be known of it.

    Raises
    ------
    PoolscreenError
        It names every fault.
    """
    found = screen.read_screen(path, columns=columns, separator=separator)
    say(
        f"{path}: {len(found.log_fc):,} rows, {len(found.genes):,} genes, "
        f"{len(found.sgrnas):,} sgRNAs, {len(found.cell_lines):,} cell lines"
    )
    for caution in validation.cautions(found):
        say(f"mind: {caution}")
    return found


def check_output(path: Path, *, force: bool) -> None:
    """Refuse a place that must not, or cannot, be written to, before any work is done.

    Raises
    ------
    PoolscreenError
        It names the place and the remedy.
    """
    if path.exists() and not force:
        raise PoolscreenError(
            f"{path} is there already; pass --force to replace it, or another --output"
        )
    if not path.parent.is_dir():
        raise PoolscreenError(
            f"{path} cannot be written: there is no folder {path.parent}; make it first"
        )
    try:
        TemporaryDirectory(dir=path.parent).cleanup()
    except OSError as error:
        raise PoolscreenError(
            f"{path} cannot be written: {error.strerror}; choose another --output"
        ) from error


def fold_change(
    counts: Path,
    samples: Path,
    output: Path,
    *,
    controls: Path | None,
    options: Mapping[str, Any],
    separator: str | None,
    force: bool,
    say: Report,
) -> None:
    """Make the table of a screen from read counts, see `poolscreen.counts.fold_changes`."""
    check_output(output, force=force)
    genes = controls.read_text(encoding="utf-8").split("\n") if controls else []
    table, notes = read_counts.fold_changes(
        reading.read_table(counts, separator),
        reading.read_table(samples),
        controls={gene.strip() for gene in genes if gene.strip()},
        **options,
    )
    for note in notes:
        say(note)
    with project.replacing(output) as part:
        table.to_csv(part, index=False)
    say(f"{output}: {len(table):,} log fold changes")


def fit(
    path: Path,
    model: str,
    output: Path,
    *,
    columns: Mapping[str, str],
    separator: str | None,
    force: bool,
    say: Report,
) -> None:
    """Fit a model to a screen and write the fit and its tables into a folder."""
    models.get(model)
    check_output(output, force=force)
    data = read(path, columns, separator, say)
    fitted, tables = sampling.fit(model, data, SETTINGS, report=say)
    with project.replacing_folder(output) as folder:
        for name, table in tables.items():
            table.to_csv(folder / f"{name}.csv", index=False)
        fits.write_fit(folder / "fit.nc", fitted)
    say(
        f"{output}: fit.nc, which xarray.open_datatree opens, and "
        + ", ".join(f"{name}.csv" for name in tables)
    )


def report(
    path: Path,
    model: str,
    output: Path,
    *,
    threshold: float,
    columns: Mapping[str, str],
    separator: str | None,
    force: bool,
    say: Report,
) -> None:
    """Fit a model to a screen and write a report into a folder: a page, and its tables as CSV."""
    models.get(model)
    check_output(output, force=force)
    data = read(path, columns, separator, say)
    effects.check_effects(models.get(model), data)
    fitted, tables = sampling.fit(model, data, SETTINGS, report=say)
    about = {
        "screen": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "model": model,
        "cautions": validation.cautions(data),
        "command": f"poolscreen report {path.name} --model {model} --threshold {threshold:g}",
        "version": version("poolscreen"),
        "packages": ", ".join(f"{name} {version(name)}" for name in ("pymc", "nutpie")),
    }
    say("writing the report")
    with TemporaryDirectory(prefix="poolscreen-") as own:
        work = Path(own)
        (work / "about.json").write_text(json.dumps(about))
        data.table.to_parquet(work / "screen.parquet")
        for name, table in tables.items():
            table.to_csv(work / f"{name}.csv", index=False)
        kept = ("posterior", "posterior_predictive", "observed_data")
        groups = {group: fitted[group].to_dataset() for group in kept}
        tree = xr.DataTree.from_dict(groups)
        tree.attrs = fitted.attrs
        tree.to_netcdf(work / "fit.nc", engine="h5netcdf")
        executed = execute_report({"folder": own, "threshold": threshold}, work)
    with project.replacing_folder(output) as folder:
        for name, text in tables_of(executed).items():
            (folder / f"{name}.csv").write_text(text, encoding="utf-8")
        (folder / "report.html").write_text(
            page(executed, title=path.name), encoding="utf-8"
        )
    say(f"{output}: report.html, and its tables as CSV")


def execute_report(
    parameters: Mapping[str, object], folder: Path
) -> nbformat.NotebookNode:
    """Execute the notebook of the report, the parameters set as papermill would set them."""
    notebook = jupytext.read(TEMPLATES / "report.py")
    place = next(
        number
        for number, cell in enumerate(notebook.cells, start=1)
        if "parameters" in cell.metadata.get("tags", [])
    )
    given = "\n".join(f"{name} = {value!r}" for name, value in parameters.items())
    notebook.cells.insert(
        place,
        nbformat.v4.new_code_cell(given, metadata={"tags": ["injected-parameters"]}),
    )
    return chapters.execute_notebook(notebook, "the report", folder)


def tables_of(executed: nbformat.NotebookNode) -> dict[str, str]:
    """Return the data of the tables of an executed report as CSV, by their names."""
    return {
        cell.metadata["table"]["name"]: output.data["text/csv"]
        for cell in chapters.code_cells(executed)
        for output in cell.outputs
        if "text/csv" in output.get("data", {})
    }


def page(executed: nbformat.NotebookNode, *, title: str) -> str:
    """Make one page of an executed report that needs no other file and no network."""
    from nbconvert import HTMLExporter  # noqa: PLC0415 (only a report needs it)

    number = {"table": 0, "figure": 0}
    for cell in chapters.code_cells(executed):
        for output in cell.get("outputs", []):
            _present(cell.metadata, output, number)
    exporter = HTMLExporter(
        template_name="basic",
        exclude_input=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )
    body, _ = exporter.from_notebook_node(executed)
    with TemporaryDirectory(prefix="poolscreen-") as own:
        staging.write_datatables(Path(own))
        script, style = (
            Path(own, f"datatables.{kind}").read_text(encoding="utf-8")
            for kind in ("js", "css")
        )
    template = Template((TEMPLATES / "report.html").read_text(encoding="utf-8"))
    return template.substitute(
        title=escape(title),
        body=body,
        # Within a page this would end the script.
        datatables=script.replace("</script", "<\\/script"),
        datatables_style=style,
    )


def _present(
    metadata: nbformat.NotebookNode,
    output: nbformat.NotebookNode,
    number: dict[str, int],
) -> None:
    """Give a table or a figure its number and caption; a table offers its data."""
    data = output.get("data", {})
    if "text/csv" in data:
        number["table"] += 1
        named = metadata["table"]
        address = "data:text/csv;base64," + b64encode(data["text/csv"].encode()).decode(
            "ascii"
        )
        output.data = {
            "text/html": f"<figure><figcaption>Table {number['table']}. "
            f'{escape(named["caption"])} <a class="source" href="{address}" '
            f'download="{named["name"]}.csv">CSV</a></figcaption>'
            f'<div class="box">{data["text/html"]}</div></figure>'
        }
    elif "image/png" in data:
        number["figure"] += 1
        shown = metadata["mystnb"]
        image = data["image/png"].replace("\n", "")
        output.data = {
            "text/html": f'<figure><img src="data:image/png;base64,{image}" '
            f'alt="{escape(shown["image"]["alt"])}"><figcaption>Figure '
            f"{number['figure']}. {escape(shown['figure']['caption'])}</figcaption></figure>"
        }

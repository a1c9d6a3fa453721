"""A report on a screen: a notebook with parameters, executed, as one page."""

import hashlib
import json
from base64 import b64encode
from collections.abc import Mapping
from html import escape
from importlib.metadata import version
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory

import jupytext
import nbformat
import xarray as xr

from poolscreen import files, models
from poolscreen.effects.summaries import check_effects
from poolscreen.inference import fitting, sampling
from poolscreen.reports import commands
from poolscreen.screens import cautions
from press import chapters, execution, scripts

TEMPLATES = Path(__file__).parent


def write(
    path: Path,
    model: str,
    output: Path,
    *,
    threshold: float,
    columns: Mapping[str, str],
    separator: str | None,
    force: bool,
    say: commands.Say,
) -> None:
    """Fit a model to a screen and write a report into a folder: a page, and its tables as CSV."""
    commands.check_model(model)
    commands.check_output(output, force=force)
    data = commands.read(path, columns, separator, say)
    check_effects(models.get(model), data)
    settings = sampling.Settings(**commands.SETTINGS)
    fitted, tables = fitting.fit(model, data, settings, say=say)
    about = {
        "screen": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "model": model,
        "cautions": cautions.cautions(data),
        "command": f"poolscreen report {path.name} --model {model} --threshold {threshold:g}",
        "version": version("poolscreen"),
        "packages": ", ".join(f"{name} {version(name)}" for name in ("pymc", "nutpie")),
    }
    say("writing the report")
    with TemporaryDirectory(prefix="poolscreen-") as folder:
        work = Path(folder)
        (work / "about.json").write_text(json.dumps(about))
        data.table.to_parquet(work / "screen.parquet")
        for name, table in tables.items():
            table.to_csv(work / f"{name}.csv", index=False)
        kept = ("posterior", "posterior_predictive", "observed_data")
        groups = {group: fitted[group].to_dataset() for group in kept}
        tree = xr.DataTree.from_dict(groups)
        tree.attrs = fitted.attrs
        tree.to_netcdf(work / "fit.nc", engine="h5netcdf")
        executed = execute({"folder": folder, "threshold": threshold}, work)
    with files.replacing_folder(output) as made:
        for name, text in tables_of(executed).items():
            (made / f"{name}.csv").write_text(text, encoding="utf-8")
        (made / "report.html").write_text(page(executed, title=path.name), encoding="utf-8")
    say(f"{output}: report.html, and its tables as CSV")


def execute(parameters: Mapping[str, object], folder: Path) -> nbformat.NotebookNode:
    """Execute the notebook of the report, the parameters set as papermill would set them."""
    notebook = jupytext.read(TEMPLATES / "template.py")
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
    return execution.execute(notebook, "the report", folder)


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
    from nbconvert import HTMLExporter

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
    with TemporaryDirectory(prefix="poolscreen-") as vendor:
        scripts.write_datatables(Path(vendor))
        script, style = (
            Path(vendor, f"datatables.{kind}").read_text(encoding="utf-8") for kind in ("js", "css")
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
        address = "data:text/csv;base64," + b64encode(data["text/csv"].encode()).decode("ascii")
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

"""From counts to a folder with hits, as a user goes."""

import base64
import gzip
import json
import re

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from axe_playwright_python.sync_playwright import Axe
from tests.injection import is_refused
from tests.poolscreen.inference.test_quadrature import simulated
from tests.poolscreen.reports.test_commands import digest, poolscreen

NASTY = "</script><img src=x onerror=alert(1)>"


def counts_of(n_genes):
    """Counts of a simulated screen, in a library that calls its columns as BAGEL does."""
    screen, _, kind = simulated(n_genes, seed=11)
    rng, table = np.random.default_rng(1), screen.table
    first = table[table["replicate"] == "1"]
    labels = first[["sgRNA", "gene"]].astype(str)
    counts = labels.rename(columns={"sgRNA": "SEQUENCE", "gene": "GENE"})
    counts["GENE"] = counts["GENE"].replace("g0", NASTY)
    counts["HAP1_T0"] = first["initial_reads"].round().astype(int)
    for number in ("1", "2"):
        effect = table.loc[table["replicate"] == number, "log_fc"].to_numpy()
        counts[f"HAP1_T18{' AB'[int(number)]}"] = rng.poisson(0.5 * counts["HAP1_T0"] * 2**effect)
    genes = np.array([NASTY, *(f"g{g}" for g in range(1, n_genes))])
    return counts, genes[kind == 1], genes[kind == 0]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder that the command makes of counts, and what it said."""
    folder = tmp_path_factory.mktemp("hits")
    counts, essential, other = counts_of(300)
    counts.to_csv(folder / "counts.tsv.gz", sep="\t", index=False)
    for name, genes in (("essential", essential), ("other", other)):
        lines = "\n".join(f"{gene}\tHGNC:1" for gene in genes)
        (folder / f"{name}.txt").write_text(f"GENE\tHGNC_ID\n{lines}\nNOSUCH\tHGNC:2\n")
    ran = poolscreen(folder, "hits", "counts.tsv.gz")
    assert ran.returncode == 1
    assert "a guess from the names of its columns was written to counts_samples.csv" in ran.stdout
    command = ["hits", "counts.tsv.gz", "--samples", "counts_samples.csv"]
    standards = ["--essential", "essential.txt", "--nonessential", "other.txt"]
    ran = poolscreen(folder, *command, *standards, "--controls", "other.txt")
    assert ran.returncode == 0, ran.stdout
    return folder / "counts_hits", ran.stdout, essential, other


def test_a_guess_is_left_for_the_user_to_mend(made):
    samples = (made[0].parent / "counts_samples.csv").read_text()
    assert samples.splitlines()[1:] == ["HAP1,A,HAP1_T0,HAP1_T18A", "HAP1,B,HAP1_T0,HAP1_T18B"]
    before = digest(made[0].parent / "counts_samples.csv")
    again = poolscreen(made[0].parent, "hits", "counts.tsv.gz", "-o", "other_hits")
    assert "look at counts_samples.csv, and pass --samples" in again.stdout
    assert digest(made[0].parent / "counts_samples.csv") == before


def test_what_was_taken_is_said(made):
    assert "the column SEQUENCE is taken for sgRNA" in made[1]
    assert re.search(r"2 of \d+ control genes are not in the counts: GENE, NOSUCH", made[1])


def test_hits_are_the_genes_with_an_effect(made):
    folder, _, essential, _ = made
    hits = pd.read_csv(folder / "hits.csv")
    columns = "gene,cell_line,n_sgrnas,mean,sd,hdi_3%,hdi_97%,lfsr,fdr,rank"
    assert ",".join(hits) == columns
    assert len(hits) == hits["gene"].nunique() == 300
    assert hits["rank"].tolist() == list(range(1, 301))
    listed = hits[(hits["fdr"] < 0.05) & (hits["mean"] < 0)]
    assert len(listed) > 0.5 * len(essential)
    assert listed["gene"].isin(essential).mean() > 0.85
    assert NASTY in set(hits["gene"])


def test_the_folder_has_its_tables(made):
    names = {path.name for path in made[0].iterdir()}
    assert names >= {"hits.csv", "guides.csv", "log_fc.csv", "report.html", "separation.csv"}
    with xr.open_datatree(made[0] / "fit.nc") as fit:
        line = fit["line_0"]
        assert line.attrs["cell_line"] == "HAP1"
        hits = pd.read_csv(made[0] / "hits.csv").set_index("gene")
        of_gene = line["probability"].sel(gene="g7")
        mean = float((of_gene * line["effect"]).sum())
        assert mean == pytest.approx(hits["mean"]["g7"], abs=1e-4)
    separation = pd.read_csv(made[0] / "separation.csv")
    assert separation["average precision"].item() > 0.8
    log_fc = pd.read_csv(made[0] / "log_fc.csv")
    assert {"cell_line", "sgRNA", "gene", "replicate", "log_fc", "initial_reads"} == set(log_fc)


def test_log_fold_changes_are_taken_and_said(made, tmp_path):
    table = pd.read_csv(made[0] / "log_fc.csv").drop(columns="initial_reads")
    table.to_csv(tmp_path / "screen.csv", index=False)
    ran = poolscreen(tmp_path, "hits", "screen.csv", "-o", "out")
    assert ran.returncode == 0, ran.stdout
    for text in (ran.stdout, (tmp_path / "out" / "report.html").read_text()):
        assert "no counts: the noise cannot follow the reads" in text
    parameters = pd.read_csv(tmp_path / "out" / "parameters.csv")
    assert "omega" not in set(parameters["parameter"])


def test_a_contrast_finds_what_two_arms_differ_by(tmp_path):
    """Only ten genes differ between the arms; essential ones are lost in both."""
    screen, _, _ = simulated(300, seed=12)
    treated = screen.table[["sgRNA", "gene", "replicate", "log_fc"]].astype({"gene": str})
    control = treated.assign(cell_line="dmso")
    rng = np.random.default_rng(3)
    treated = treated.assign(
        cell_line="drug", log_fc=lambda t: t["log_fc"] + rng.normal(0, 0.2, len(t))
    )
    changed = treated["gene"].isin([f"g{number}" for number in range(10)])
    treated.loc[changed, "log_fc"] -= 2
    pd.concat([treated, control]).to_csv(tmp_path / "screen.csv", index=False)
    ran = poolscreen(tmp_path, "hits", "screen.csv", "--contrast", "drug:dmso", "-o", "out")
    assert ran.returncode == 0, ran.stdout
    hits = pd.read_csv(tmp_path / "out" / "hits.csv")
    assert set(hits["cell_line"]) == {"drug:dmso"}
    assert set(hits["gene"][:10]) == {f"g{number}" for number in range(10)}
    assert hits["mean"][:10].between(-2.5, -1.5).all()
    assert (hits["fdr"] < 0.05).sum() == 10
    assert "genes that all lines need: d" in (tmp_path / "out" / "report.html").read_text()
    for wrong, message in (("drug:none", "no cell line 'none'"), ("drug", "takes LINE:OTHER")):
        ran = poolscreen(tmp_path, "hits", "screen.csv", "--contrast", wrong, "-o", "other")
        assert ran.returncode == 1
        assert message in ran.stdout


def test_a_matrix_and_a_map_of_guides_are_one_table(made, tmp_path):
    folder = made[0].parent
    counts = pd.read_csv(folder / "counts.tsv.gz", sep="\t", keep_default_na=False)
    matrix = counts.drop(columns="GENE").rename(columns={"SEQUENCE": ""})
    matrix.to_csv(tmp_path / "matrix.csv", index=False)
    several = counts[:1].assign(GENE="another")
    pd.concat([counts[["SEQUENCE", "GENE"]][:-1], several]).rename(
        columns={"SEQUENCE": "sgrna"}
    ).to_csv(tmp_path / "map.csv", index=False)
    command = ["hits", "matrix.csv", "--guides", "map.csv", "--samples"]
    ran = poolscreen(tmp_path, *command, folder / "counts_samples.csv", "-o", "out")
    assert ran.returncode == 0, ran.stdout
    assert "1 sgRNAs of the counts are not in the map of guides" in ran.stdout
    assert "1 sgRNAs are under several genes in the map of guides, and left out: s0" in ran.stdout
    log_fc = pd.read_csv(tmp_path / "out" / "log_fc.csv")
    assert log_fc["sgRNA"].nunique() == len(counts) - 2


def test_few_genes_are_told_of(made, tmp_path):
    table = pd.read_csv(made[0] / "log_fc.csv")
    table[table["gene"].isin([f"g{number}" for number in range(5)])].to_csv(
        tmp_path / "screen.csv", index=False
    )
    ran = poolscreen(tmp_path, "hits", "screen.csv", "-o", "out")
    assert ran.returncode == 0, ran.stdout
    said = "can hardly be learnt from so few"
    assert said in ran.stdout
    assert said in (tmp_path / "out" / "report.html").read_text()
    assert "no counts" not in ran.stdout  # the table names the reads


def test_swapped_samples_are_suspected(made, tmp_path):
    folder = made[0].parent
    samples = pd.read_csv(folder / "counts_samples.csv")
    swapped = samples.rename(columns={"initial": "final", "final": "initial"})
    # Upper and lower case of a column do not matter.
    swapped.rename(columns=str.upper).to_csv(tmp_path / "samples.csv", index=False)
    standards = ["--essential", folder / "essential.txt", "--nonessential", folder / "other.txt"]
    command = ["hits", folder / "counts.tsv.gz", "--samples", "samples.csv", "-o", "out"]
    ran = poolscreen(tmp_path, *command, *standards)
    assert ran.returncode == 0, ran.stdout
    text = (tmp_path / "out" / "report.html").read_text()
    assert "are the initial and final samples the right way round?" in text


def test_the_page_holds_its_data_and_no_name_ends_it(made):
    text = (made[0] / "report.html").read_text()
    packed = re.search(r'id="explorer-data">(.*?)</script>', text, re.DOTALL)[1]
    data = json.loads(gzip.decompress(base64.b64decode(packed)))
    assert NASTY in data["genes"]
    assert NASTY not in text


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_a_gene_is_found_by_its_name(made, browser, width, scheme):
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    asked, complaints = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto((made[0] / "report.html").as_uri())
    hits = pd.read_csv(made[0] / "hits.csv")
    for row in (0, 250):
        gene = hits["gene"][row]
        page.fill("#explorer-find", gene)
        shown = page.inner_text("#explorer-detail")
        assert f"{gene} in HAP1" in shown
        assert f"rank {row + 1} of 300" in shown
        assert page.locator("table.guides tbody tr").count() == hits["n_sgrnas"][row]
    page.fill("#explorer-find", NASTY)
    assert NASTY in page.inner_text("#explorer-detail")
    page.fill("#explorer-find", "nothing of this kind")
    assert page.inner_text("#explorer-hint") == "no such gene"
    page.click("#explorer-table tbody tr >> nth=1")
    assert f"{hits['gene'][1]} in HAP1" in page.inner_text("#explorer-detail")
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(page).response["violations"]
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []
    assert is_refused(page)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda counts: counts.drop(columns="GENE"), "counts: there is no column gene"),
        (lambda counts: counts.assign(HAP1_T18B=0), "has reads in every sample"),
        (lambda counts: pd.concat([counts, counts[:1]]), "sgRNA is listed twice"),
        (lambda counts: counts.assign(HAP1_T0=-1.5), "HAP1_T0 is negative; counts are wanted"),
        (lambda counts: counts.drop(columns="HAP1_T18B"), "name a column HAP1_T18B"),
    ],
)
def test_faults_are_one_message_and_nothing_is_written(change, message, made, tmp_path):
    folder = made[0].parent
    counts = pd.read_csv(folder / "counts.tsv.gz", sep="\t")
    change(counts).to_csv(tmp_path / "counts.csv", index=False)
    command = ["hits", "counts.csv", "--samples", folder / "counts_samples.csv"]
    ran = poolscreen(tmp_path, *command)
    assert ran.returncode == 1
    assert message in ran.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["counts.csv"]


def test_several_lines_have_a_mean_and_differences(tmp_path):
    rng = np.random.default_rng(2)
    rows = [(line, f"{g}{s}", g) for line in ("K562", "HL60") for g in "abc" for s in range(3)]
    table = pd.DataFrame(rows, columns=["cell_line", "sgRNA", "gene"])
    table.assign(log_fc=rng.normal(size=len(table))).to_csv(tmp_path / "screen.csv", index=False)
    ran = poolscreen(tmp_path, "hits", "screen.csv", "-o", "out")
    assert ran.returncode == 0, ran.stdout
    tables = {
        name: pd.read_csv(tmp_path / "out" / f"{name}.csv")
        for name in ("hits", "overall", "differences")
    }
    lines = {name: table["cell_line"].unique().tolist() for name, table in tables.items()}
    assert lines == {
        "hits": ["K562", "HL60"],
        "overall": ["all lines"],
        "differences": ["K562:HL60"],
    }
    assert len({tuple(table) for table in tables.values()}) == 1
    assert len(pd.read_csv(tmp_path / "out" / "sgrnas.csv")) == 9
    report = (tmp_path / "out" / "report.html").read_text()
    assert "on average over the lines" in report
    assert "What sgRNAs do in all lines" in report

"""Names that a stranger could give genes, sgRNAs and lines: text on every page, in every file."""

import csv

import numpy as np
import pandas as pd
import plotnine as p9
import pytest
from tests.poolscreen.reports.test_commands import poolscreen

from poolscreen.files import FORMULA
from poolscreen.reports.page import Shown, html
from poolscreen.screens.reading import read_table

NAMES = [
    "</script><script>window.attacked=1</script>",
    "<img src=x onerror=window.attacked=1>",
    "=cmd|'/C calc'!A0",
    '=HYPERLINK("http://elsewhere")',
    "+SUM(A1)",
    "-2+3",
    "@SUM(1)",
    "'quoted",
    "tab\tin",
    "bell\x07",
    "red\x1b[31m",
    "turned\u202egnp.exe",
    "wide\u200bless",
    "line\nbreak",
    "long" * 2500,
    "quote\"'`",
    r"$\frac{x$",
    "${title} $body",
    "%s {0}",
    "[link](javascript:window.attacked=1)",
    "**bold** _it_ `code`",
    "|pipe|",
    "back\\slash",
    "日本語",
    "-",
]
LINES = ["line<b>1</b>", "=2+5|x"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A screen of such names, with its hits and its report; and what was said meanwhile."""
    rng, path = np.random.default_rng(1), tmp_path_factory.mktemp("names")
    rows = [
        (line, f"{gene}|{guide}", gene, replicate, rng.normal(-(number % 3), 0.3))
        for number, gene in enumerate(NAMES)
        for guide in range(3)
        for line in LINES
        for replicate in "ab"
    ]
    table = pd.DataFrame(rows, columns=["cell_line", "sgRNA", "gene", "replicate", "log_fc"])
    table.to_csv(path / "names.csv", index=False)
    for command in ("hits", "report"):
        ran = poolscreen(path, command, "names.csv", "--output", command)
        assert ran.returncode == 0, ran.stdout
        (path / f"{command}.said").write_text(ran.stdout)
    return path


def test_a_terminal_is_told_no_control_characters(folder):
    for said in folder.glob("*.said"):
        assert said.read_text().replace("\n", "").isprintable()


def test_a_spreadsheet_finds_no_formula(folder):
    for path in folder.glob("*/*.csv"):
        with path.open(newline="", encoding="utf-8") as opened:
            for cell in (cell for row in csv.reader(opened) for cell in row):
                number = cell.replace(".", "").replace("e-", "").lstrip("-").isdigit()
                assert number or not cell.startswith(FORMULA), (path.name, cell)


def test_names_come_back_as_they_were(folder):
    hits = read_table(folder / "hits" / "hits.csv")
    assert set(hits["gene"]) == set(NAMES)
    assert set(hits["cell_line"]) == set(LINES)
    assert set(read_table(folder / "report" / "gene_effects.csv")["gene"]) == set(NAMES)
    again = poolscreen(folder, "validate", "hits/log_fc.csv")
    assert again.returncode == 0, again.stdout


@pytest.mark.browser
def test_a_page_shows_names_as_text(folder, browser):
    for command in ("hits", "report"):
        page, asked = browser.new_page(viewport={"width": 390, "height": 800}), []
        page.on("request", lambda request, to=asked: to.append(request.url))
        page.goto((folder / command / "report.html").as_uri())
        page.get_by_label("rows per page").first.select_option("100")
        page.get_by_text("back\\slash", exact=True).first.wait_for(state="attached")
        shown = page.locator("body").inner_text()
        for text in ("<b>1</b>", NAMES[1], r"turned\u202egnp.exe", r"line\nbreak", r"red\x1b[31m"):
            assert text in shown
        assert page.locator(f'[title="{NAMES[14]}"]').count()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.evaluate("window.attacked") is None
        assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
        page.close()


def test_a_figure_that_fails_costs_no_other_result():
    table = pd.DataFrame({"x": [1.0, 2.0], "name": ["\u0fd5", "b"]})
    unknown = p9.ggplot(table, p9.aes("x", "no_such_column")) + p9.geom_point()
    odd = p9.ggplot(table, p9.aes("name", "x")) + p9.geom_point()
    page = html(["# A report", Shown(unknown, "a", "One."), Shown(odd, "b", "Two.")], title="a")
    assert "This figure could not be drawn" in page
    assert "no_such_column" in page
    assert "While it was drawn: Glyph 4053" in page
    assert page.count("<img ") == 1

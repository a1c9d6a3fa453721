"""What Sphinx makes of a small book, with the settings of the whole one; links are followed."""

import shutil
from pathlib import Path

import lxml.html
import nbformat
import pytest
import yaml

from poolscreen.errors import PoolscreenError
from press import execution, site, steps

CHAPTER = """\
# A chapter

| number | name |
| --- | --- |
| -1.5 | gene-1 |
| `-2` | $-3$ |
| 2026-11-23 | - |

:::{ready-table} Cells that are ready.
:name: tbl-ready

<thead><tr><th>P(below -1)</th></tr></thead>
<tbody><tr><td>-0.5</td><td>gene-1</td></tr></tbody>
:::

Quoted: {glue:text}`change:,.0f`; typed: -1. See {cite:t}`vehtari2021`.

```{bibliography}
```
"""


@pytest.fixture(scope="module")
def staged(tmp_path_factory):
    """What Jupyter Book reads of a book of one chapter, which quotes a number and cites."""
    folder = tmp_path_factory.mktemp("small")
    for name in ("_static", "_templates"):
        shutil.copytree(Path("book", name), folder / name)
    (folder / "book").mkdir()
    (folder / "extra").mkdir()
    shutil.copy2("book/references.bib", folder / "book")
    shutil.copy2("_config.yml", folder)
    (folder / "_toc.yml").write_text(
        "format: jb-book\nroot: index\nparts: [{numbered: 1, chapters: [{file: a}]}]\n"
    )
    (folder / "index.md").write_text("# A book\n")
    code = nbformat.v4.new_code_cell(
        "from press.glue import numbers\n\nnumbers({'change': -2828.0})",
        metadata={"tags": ["hide-input"]},
    )
    cells = [nbformat.v4.new_markdown_cell(CHAPTER), code]
    notebook = execution.execute(nbformat.v4.new_notebook(cells=cells), "a", folder)
    nbformat.write(notebook, folder / "a.ipynb")
    return folder


@pytest.fixture(scope="module")
def page(staged, tmp_path_factory):
    """The page of the chapter."""
    built = tmp_path_factory.mktemp("built")
    site.run_jupyter_book(staged, built)
    return lxml.html.parse(built / "_build" / "html" / "a.html")


def test_numbers_below_zero_have_a_minus_sign(page):
    """In tables and where the prose quotes them; code, names, dates and math are as they were."""
    cells = [cell.text_content().strip() for cell in page.xpath("//td")]
    assert cells[:6] == ["−1.5", "gene-1", "-2", r"\(-3\)", "2026-11-23", "-"]
    assert cells[6:] == ["−0.5", "gene-1"]
    assert "P(below −1)" in [cell.text_content() for cell in page.xpath("//th")]
    assert page.xpath("//span[@class='pasted-text']")[0].text == "−2,828"
    assert "typed: -1." in page.getroot().text_content()


def test_a_printed_title_has_the_number_of_the_chapter(page):
    (printed,) = page.xpath("//*[contains(@class, 'onlyprint')]/h1")
    (shown,) = page.xpath("//article//h1")
    assert printed.text_content() == "1. A chapter"
    assert shown.text_content().startswith("1. A chapter")


def test_folded_code_is_called_what_its_button_says(page):
    (button,) = page.xpath("//details/summary")
    assert button.attrib == {}
    assert "Show code cell source" in button.text_content()


def test_references_have_no_roles_that_do_not_belong_to_them(page):
    (entry,) = page.xpath("//div[@class='citation']")
    (back,) = entry.xpath(".//span[@class='label']//a")
    assert [node.get("role") for node in (entry.getparent(), entry, back)] == [None, None, None]


def test_icons_come_as_fonts_that_no_hint_loads_early(page):
    fonts = page.xpath("//link[@rel='stylesheet'][contains(@href, 'fontawesome')]")
    assert len(fonts) == 1
    assert page.xpath("//script[contains(@src, 'fontawesome')]") == []
    assert page.xpath("//link[@rel='preload']/@as") == ["script", "script"]


def test_a_warning_of_sphinx_stops_the_site(staged, tmp_path):
    broken = shutil.copytree(staged, tmp_path / "broken")
    (broken / "index.md").write_text("# A book\n\n{numref}`fig-nowhere`\n")
    with pytest.raises(PoolscreenError, match=r"index\.md.*undefined label: 'fig-nowhere'"):
        site.run_jupyter_book(broken, tmp_path / "built")


def test_what_sphinx_loads_by_its_name_is_a_source_of_the_site():
    extensions = yaml.safe_load(Path("_config.yml").read_text())["sphinx"]["config"]["extensions"]
    own = [name for name in extensions if name.startswith("press.")]
    assert own
    files = {f"src/{name.replace('.', '/')}.py" for name in own}
    assert files <= set(steps.sources("site"))


def test_links_are_followed(tmp_path):
    (tmp_path / "b.html").write_text('<p id="here">text</p>')
    page = tmp_path / "a.html"
    good = '<a href="b.html#here">x</a><a href="https://example.org">y</a><a href="#">z</a>'
    page.write_text(f"{good}<img src='b.html'>")
    site.check_links(tmp_path)
    page.write_text(f"{good}<a href='b.html#there'></a><img src='c.png'><a href='#no'></a>")
    with pytest.raises(PoolscreenError) as raised:
        site.check_links(tmp_path)
    assert str(raised.value).splitlines()[1:] == [
        "a.html: #no",
        "a.html: b.html#there",
        "a.html: c.png",
    ]


def test_a_full_disk_is_no_fault_of_a_page(staged, tmp_path):
    html = tmp_path / "_build" / "html"
    html.mkdir(parents=True)
    (html / "objects.inv").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left on device"):
        site.run_jupyter_book(staged, tmp_path)

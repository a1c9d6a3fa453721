"""The pages in a real browser: light and dark, wide and on a phone, served and opened as files."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import lxml.html
import pytest
from axe_playwright_python.sync_playwright import Axe
from pypdf import PdfReader
from tests.injection import is_refused

from poolscreen.screens.planning import expected_errors
from poolscreen.screens.simulate import Design
from poolscreen.tables.shrinkage import shrinkage_factor
from press import chapters, policy, printing, repository

pytestmark = pytest.mark.browser

PAGES = chapters.toc()
MEGABYTE = 1e6
# What static hosts compress.
TEXTS = (".html", ".css", ".js", ".svg", ".json", ".csv")


# Each width and each scheme once: a scheme changes colours, a width the layout.
@pytest.fixture(params=[(1280, "light"), (390, "dark")], ids=str)
def context(request, browser):
    width, scheme = request.param
    opened = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    yield opened
    opened.close()


def watched(context, own: str, **settings) -> tuple:
    """A page, and the list that what goes wrong on it is added to, or is refused by its policy."""
    page, faults = context.new_page(**settings), []

    def requested(request) -> None:
        if not request.url.startswith((own, "data:", "blob:")):
            faults.append(f"asked for {request.url}")

    page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("requestfailed", lambda request: faults.append(f"failed: {request.url}"))
    page.on("request", requested)
    return page, faults


def weighed(page, own: str, html: Path) -> dict[str, float]:
    """The megabytes of each part of a page, filled as it loads; compressed as static hosts do."""
    parts = {}

    def loaded(response) -> None:
        path = html / urlsplit(response.url).path.lstrip("/")
        if response.url.startswith(own) and path.is_file():
            content = path.read_bytes()
            content = gzip.compress(content) if path.suffix in TEXTS else content
            parts[path.relative_to(html).as_posix()] = len(content) / MEGABYTE

    page.on("response", loaded)
    return parts


def settle(page) -> None:
    """Wait until what scripts draw is drawn."""
    page.wait_for_load_state("networkidle")
    page.evaluate("window.MathJax ? window.MathJax.startup.promise : null")
    page.evaluate("document.fonts.ready.then(() => null)")


def come_near(page) -> None:
    """Scroll to each figure to touch and each long table, which scripts work on then, and back."""
    for name in page.locator("script.interactive").evaluate_all(
        "all => all.map(s => s.dataset.figure)"
    ):
        page.locator(f"#{name}").scroll_into_view_if_needed()
        page.locator(f"#{name}.has-interactive").wait_for()
    for table in page.locator("table.searchable").all():
        table.scroll_into_view_if_needed()
        page.locator(f"#{table.get_attribute('id')}.dataTable").wait_for()
    page.evaluate("scrollTo(0, 0)")


# Letters of equal width, spaced: wider than any font that a reader has instead of ours.
WIDE = "* { font-family: monospace !important; letter-spacing: 0.05em !important; }"


def sticking_out(page) -> list[str]:
    """What a page that scrolls sideways has beyond its right edge; nothing if it does not."""
    return page.evaluate(
        """() => {
            const root = document.documentElement;
            if (root.scrollWidth <= root.clientWidth) return [];
            const beyond = e => Math.round(e.getBoundingClientRect().right - root.clientWidth);
            return [...document.querySelectorAll("body *")].filter(e => beyond(e) > 0).map(
                e => `${e.tagName}.${e.className} by ${beyond(e)} px: ` +
                    e.textContent.trim().slice(0, 40));
        }"""
    )


# The entries of the API page are some hundred, made alike: of each module three are looked at, and
# their examples are coloured as the code of chapters is.
ALIKE = {"exclude": [["dl.py .highlight"], ["dl.py:nth-of-type(n+4)"]]}


def grave_barriers(page) -> list[str]:
    """What axe calls serious or critical; the rest is printed."""
    found = Axe().run(page, context=ALIKE).response["violations"]
    for violation in found:
        print(violation["impact"], violation["id"], len(violation["nodes"]))
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in found
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("name", PAGES)
def test_page_is_sound(name, context, site_url, book):
    page, faults = watched(context, site_url)
    parts = weighed(page, site_url, book / "_build" / "html")
    page.goto(f"{site_url}/{name}.html")
    settle(page)
    largest = sorted(parts.items(), key=lambda part: part[1], reverse=True)[:3]
    assert 0 < sum(parts.values()) <= 1.5, f"the largest parts, in MB: {largest}"
    come_near(page)
    assert faults == []

    assert sticking_out(page) == [], "the page scrolls sideways"
    article = page.locator("article.bd-article")
    images = article.locator("img").evaluate_all(
        "all => all.map(i => [i.src, i.alt, i.complete && i.naturalWidth > 0])"
    )
    assert [src for src, _, loaded in images if not loaded] == []
    assert [src for src, alt, _ in images if len(alt) < 20] == []

    rendered = article.locator("mjx-container").count()
    assert rendered == article.locator(".math").count(), "unrendered mathematics"
    prose = article.evaluate(
        """article => {
            const copy = article.cloneNode(true);
            copy.querySelectorAll("pre, code, mjx-container, script, table").forEach(
                node => node.remove());
            return copy.textContent;
        }"""
    )
    assert re.findall(r"\{\w+(?::\w+)?\}|\$\$|::\w+|\bnan\b|Traceback", prose) == []
    assert grave_barriers(page) == []
    page.add_style_tag(content=WIDE)
    assert sticking_out(page) == [], "the page scrolls sideways with other fonts"
    assert is_refused(page)


def test_every_page_sets_its_policy_before_it_loads_anything(book):
    html = book / "_build" / "html"
    pages = policy.pages(html)
    more = {"404", "genindex", "index", "py-modindex", "search"}
    assert {str(path.relative_to(html).with_suffix("")) for path in pages} == {*PAGES, *more}
    for path in pages:
        charset, second = lxml.html.parse(path).xpath("//head/*")[:2]
        assert charset.attrib == {"charset": "utf-8"}
        assert second.get("http-equiv") == "Content-Security-Policy", path
        assert second.get("content").startswith("default-src 'none'; script-src 'self'"), path


@pytest.mark.parametrize("name", PAGES)
def test_page_works_as_a_file(name, browser, book):
    page, faults = watched(browser, "file://")
    page.goto((book / "_build" / "html" / f"{name}.html").as_uri())
    settle(page)
    come_near(page)
    assert faults == []
    page.close()


@pytest.fixture
def figure(browser, site_url) -> Iterator:
    """The figure to touch."""
    page, faults = watched(browser, site_url, viewport={"width": 1280, "height": 900})
    page.goto(f"{site_url}/notebooks/03_model_7b.html")
    yield near_figure(page)
    assert faults == []
    page.close()


def near(page, name):
    """Scroll to a figure that answers, which is drawn then."""
    page.locator(f"#{name}").scroll_into_view_if_needed()
    page.locator(f"#{name}.has-interactive").wait_for()
    return page.locator(f"#{name}")


def near_figure(page):
    """Scroll to the figure to touch."""
    return near(page, "fig-shrinkage")


def test_the_interactive_figure_answers_a_hover_and_a_choice(figure):
    point = figure.locator(".mark-symbol.role-mark path").nth(700)
    point.scroll_into_view_if_needed()
    point.hover(force=True)
    tooltip = figure.page.locator("#vg-tooltip-element.visible")
    tooltip.wait_for()
    text = tooltip.inner_text()
    for name in ("sgRNA", "gene", "cell_line", "no pooling", "model 7b", "its gene"):
        assert name in text
    faint = ".mark-symbol.role-mark path[opacity='0.06']"
    assert figure.locator(faint).count() == 0
    figure.locator("select").select_option(label="gene_9")
    figure.page.wait_for_function(
        "n => document.querySelectorAll(n).length === 900",
        arg=f"#fig-shrinkage {faint}",
    )


def told(figure, number, named):
    """What the tooltip of a point says under a name."""
    figure.locator(".mark-symbol.role-mark path").nth(number).hover(force=True)
    cell = figure.page.locator("#vg-tooltip-element.visible tr", has_text=named).locator(".value")
    return float(cell.inner_text())


def test_sliders_move_figures_as_the_formulas_say(browser, site_url):
    """The formulas of the sliders are in Vega's language; they are held to those of the package."""
    page, faults = watched(browser, site_url, viewport={"width": 1280, "height": 900})
    page.goto(f"{site_url}/notebooks/03_model_7b.html")
    figure = near(page, "fig-turn")
    moved = {"noise": 1.2, "scatter": 0.4, "spread": 0.7, "replicates": 3}
    for name, value in moved.items():
        figure.locator(f"input[name='{name}']").fill(str(value))
    pull = shrinkage_factor((0.4**2 + 1.2**2 / 3) / 4, 0.7)
    assert told(figure, 3, "pull") == pytest.approx(100 * pull, abs=0.06)

    page.goto(f"{site_url}/notebooks/08_which_model.html")
    figure = near(page, "fig-planning")
    moved = {"noise": 1.2, "scatter": 0.6, "interaction": 0.5, "spread": 0.3}
    for name, value in moved.items():
        figure.locator(f"input[name='{name}']").fill(str(value))
    scales = dict(
        zip(["sigma", "sigma_alpha", "sigma_delta", "sigma_gamma"], moved.values(), strict=True)
    )
    tried = Design(n_cell_lines=2, sgrnas_per_gene=(4,), replicates=2, **scales)
    expected = expected_errors(tried).iloc[0]
    for effect in ("in a line", "over lines"):
        figure.locator(f"input[value='{effect}']").check()
        assert told(figure, 5, "error") == pytest.approx(expected[effect], abs=0.0006)
    assert faults == []
    page.close()


@pytest.fixture
def phone(browser, site_url):
    opened = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    page = opened.new_page()
    page.goto(f"{site_url}/notebooks/03_model_7b.html")
    settle(page)
    yield page
    opened.close()


def test_a_tap_names_an_intercept(phone):
    near_figure(phone)
    point = phone.locator("#fig-shrinkage .mark-symbol.role-mark path").nth(700)
    point.scroll_into_view_if_needed()
    box = point.bounding_box()
    phone.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    tooltip = phone.locator("#vg-tooltip-element.visible")
    tooltip.wait_for()
    assert "model 7b" in tooltip.inner_text()


def test_the_drawer_of_contents_closes_when_a_heading_is_chosen(phone):
    phone.locator(".secondary-toggle:visible").first.tap()
    drawer = phone.locator("#pst-secondary-sidebar-checkbox")
    assert drawer.is_checked()
    heading = phone.locator(".bd-sidebar-secondary a", has_text="The gene effects")
    heading.first.tap()
    assert not drawer.is_checked()


def test_the_static_figure_stands_in(figure, browser, site_url):
    figure.page.emulate_media(media="print")
    assert figure.locator("img").is_visible()
    assert not figure.locator("svg").first.is_visible()
    plain = browser.new_context(java_script_enabled=False)
    page = plain.new_page()
    page.goto(f"{site_url}/notebooks/03_model_7b.html")
    assert page.locator("#fig-shrinkage img").is_visible()
    plain.close()


@pytest.fixture(scope="module")
def long_table(browser, site_url):
    page, faults = watched(browser, site_url, viewport={"width": 1280, "height": 900})
    page.goto(f"{site_url}/notebooks/03_model_7b.html")
    long = page.locator("table.searchable").nth(1)
    long.scroll_into_view_if_needed()
    container = page.locator(".dt-container", has=page.locator(f"#{long.get_attribute('id')}"))
    container.wait_for()
    yield container
    assert faults == []
    page.close()


@pytest.fixture
def table(long_table):
    """A long table, searched for nothing; each test sorts it by what it asks for."""
    yield long_table
    long_table.locator("input[type=search]").fill("")
    long_table.locator("select").select_option(label="10")


def cells(table, column):
    return table.locator(f"tbody tr td:nth-child({column})").all_inner_texts()


def test_a_long_table_can_be_searched(table):
    assert table.locator(".dt-info").inner_text() == "1 to 10 of 1,100 rows"
    table.locator("input[type=search]").fill("sgRNA_17")
    assert set(cells(table, 1)) == {"sgRNA_17"}
    assert "of 20 rows" in table.locator(".dt-info").inner_text()


@pytest.mark.parametrize(
    ("searched", "rows", "column", "found"),
    [
        ("cell_1", 55, 2, {"cell_1"}),
        ("CELL_1 sgRNA_5", 1, 1, {"sgRNA_5"}),
        ("sgRNA_5 cell", 20, 1, {"sgRNA_5"}),
    ],
)
def test_a_whole_label_finds_no_longer_ones(table, searched, rows, column, found):
    table.locator("input[type=search]").fill(searched)
    assert f"of {rows} row" in table.locator(".dt-info").inner_text()
    assert set(cells(table, column)) == found


def test_a_part_of_a_label_finds_all_that_hold_it(table):
    table.locator("input[type=search]").fill("RNA_1 ell_")
    assert "of 220 rows" in table.locator(".dt-info").inner_text()


def test_a_long_table_can_be_sorted(table):
    for order in ("ascending", "descending"):
        table.locator("thead th", has_text="mean").first.click()
        table.locator(f"thead th[aria-sort={order}]").wait_for()
        means = [float(text.replace("−", "-")) for text in cells(table, 3)]
        assert means == sorted(means, reverse=order == "descending")
        assert abs(means[0]) > 1.5, "the ends of all rows, not of the ten that were shown"


def test_numbers_below_zero_are_found_as_typed_and_as_shown(table):
    table.locator("input[type=search]").fill("sgRNA_1 cell_1 ")
    shown = next(text for text in cells(table, 3) if text.startswith("−"))
    for typed in (shown.replace("−", "-")[:-1], shown[:-1]):
        table.locator("input[type=search]").fill(f"sgRNA_1 cell_1 {typed}")
        assert shown in cells(table, 3)
        assert all(text.startswith(shown[:-1]) for text in cells(table, 3))


def test_numbered_names_are_sorted_by_their_numbers(table):
    table.locator("thead th", has_text="sgRNA").first.click()
    table.locator("thead th[aria-sort=ascending]").wait_for()
    table.locator("thead th", has_text="sgRNA").first.click()
    table.locator("thead th[aria-sort=descending]").wait_for()
    assert set(cells(table, 1)) == {"sgRNA_54"}


def test_a_long_table_can_be_shown_in_full(table):
    table.locator("select").select_option(label="All")
    assert len(cells(table, 1)) == 1100


def test_the_dark_switch_works(browser, site_url):
    page, faults = watched(browser, site_url, color_scheme="light")
    page.goto(f"{site_url}/notebooks/02_model_7a.html")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    for _ in range(3):  # it cycles through automatic, light and dark
        page.locator("button.theme-switch-button").first.click()
        if page.evaluate("document.documentElement.dataset.theme") == "dark":
            break
    assert page.evaluate(ground) != light
    assert faults == []
    page.close()


def test_the_buttons_of_a_page_answer(browser, site_url):
    """Those that print it, fill the screen with it, and copy its code."""
    opened = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page, faults = watched(opened, site_url)
    page.add_init_script("window.print = () => { document.body.dataset.printed = 'yes'; }")
    page.goto(f"{site_url}/notebooks/02_model_7a.html")
    settle(page)
    page.locator(".dropdown-download-buttons > button").click()
    page.locator(".btn-download-pdf-button").click()
    assert page.locator("body").get_attribute("data-printed") == "yes"
    page.locator(".btn-fullscreen-button").click()
    page.locator("article:fullscreen, :root:fullscreen").wait_for()
    code = page.locator("article div.highlight:visible", has_text="def build").first
    code.hover()
    code.locator("button.copybtn").click()
    code.locator("button.copybtn.success").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == code.locator("pre").inner_text().rstrip()
    assert faults == []
    opened.close()


@pytest.mark.parametrize(
    ("link", "title"),
    [
        ("first page", "Partial pooling for pooled screens"),
        ("search the book", "Search"),
    ],
)
def test_the_page_for_what_is_not_found_leads_on(link, title, context, site_url, book):
    page, html = context.new_page(), book / "_build" / "html"

    def answer(route) -> None:
        """As a static host does, with the site where it would be published."""
        path = urlsplit(route.request.url).path
        file = html / path.removeprefix(repository.head().site_path)
        found = file.is_file()
        route.fulfill(status=200 if found else 404, path=file if found else html / "404.html")

    page.route("**/*", answer)
    page.goto(f"{site_url}{repository.head().site_path}no/such/page.html")
    settle(page)
    article = page.locator("article.bd-article")
    assert article.locator("h1").inner_text() == "Page not found"
    assert grave_barriers(page) == []
    article.get_by_role("link", name=link).click()
    page.locator("main h1:visible", has_text=title).wait_for()


@pytest.mark.parametrize("opened", ["served", "as files"])
def test_search_finds_shrinkage(opened, browser, site_url, book):
    site = {"served": site_url, "as files": (book / "_build" / "html").as_uri()}[opened]
    page, faults = watched(browser, site)
    page.goto(f"{site}/genindex.html")
    page.keyboard.press("Control+k")
    page.locator("#search-input").fill("shrinkage")
    page.keyboard.press("Enter")
    found = page.locator("#search-results li", has=page.locator("a", has_text="Model 7b"))
    if opened == "served":  # a file may not read others, and so shows no lines of what it found
        found.locator("p.context").first.wait_for()
        settle(page)
        assert faults == []
    found.first.wait_for()
    page.close()


def test_the_search_box_holds_the_focus_and_gives_it_back(browser, site_url):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{site_url}/notebooks/02_model_7a.html")
    settle(page)
    for _ in range(4):
        page.keyboard.press("Tab")
    focused = "document.activeElement.outerHTML"
    before = page.evaluate(focused)
    page.keyboard.press("Control+k")
    page.locator(".search-button__wrapper.show").wait_for(state="attached")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "search-input"
    page.keyboard.press("Escape")
    page.locator(".search-button__wrapper.show").wait_for(state="detached")
    assert page.evaluate(focused) == before
    page.close()


def test_the_keyboard_alone_suffices(browser, site_url):
    page = browser.new_page(color_scheme="light")
    page.goto(f"{site_url}/notebooks/02_model_7a.html")
    settle(page)
    focused = "document.activeElement"
    page.keyboard.press("Tab")
    assert "Skip to main content" in page.evaluate(f"{focused}.textContent")
    reached = set()
    for _ in range(120):
        page.keyboard.press("Tab")
        inside = f"{focused}.closest('nav.bd-links, .dt-search') ?? {focused}"
        reached.add(page.evaluate(f"({inside}).className"))
    for part in ("theme-switch", "search-button", "sidebar-toggle", "bd-links"):
        assert any(part in name for name in reached), part
    page.locator("article details.hide summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("article details.hide").first.get_attribute("open") is not None
    page.close()


def test_the_book_prints_into_one_file(book, browser, monkeypatch):
    """Without navigation, with its figures."""
    some = [PAGES[0], "notebooks/03_model_7b", "notebooks/05_calibration"]
    monkeypatch.setattr(chapters, "toc", lambda: some)  # all of the pages take a minute
    printing.write_pdf()
    printed = PdfReader(printing.pdf_path())
    assert len(printed.outline) == len(some)
    text = "\n".join(page.extract_text() for page in printed.pages)
    assert "How far is each sgRNA pulled?" in text
    assert "Skip to main content" not in text
    first, last = (
        printed.get_destination_page_number(printed.outline[number]) for number in (1, 2)
    )
    assert printed.pages[first].extract_text().startswith("3. Model 7b")
    drawn = sum(len(page.images) for page in printed.pages[first:last])
    assert drawn >= 11

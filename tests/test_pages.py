"""The pages in a real browser: light and dark, wide and on a phone."""

import re

import pytest

from poolscreen import chapters

pytestmark = pytest.mark.browser

PAGES = chapters.toc()


@pytest.fixture(
    params=[(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")], ids=str
)
def context(request, browser):
    width, scheme = request.param
    opened = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme
    )
    yield opened
    opened.close()


@pytest.mark.parametrize("name", PAGES)
def test_page_is_sound(name, context, site_url):
    page = context.new_page()
    faults = []
    page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("requestfailed", lambda request: faults.append(f"failed: {request.url}"))
    page.on(
        "request",
        lambda r: (
            None
            if r.url.startswith((site_url, "data:", "blob:"))
            else faults.append(r.url)
        ),
    )
    page.goto(f"{site_url}/{name}.html")
    page.wait_for_load_state("networkidle")
    page.wait_for_function(
        "!window.MathJax || window.MathJax.startup.promise !== undefined"
    )
    page.evaluate("window.MathJax ? window.MathJax.startup.promise : null")
    assert faults == []

    assert (
        page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        <= 0
    ), "the page scrolls sideways"
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
            copy.querySelectorAll("pre, code, mjx-container").forEach(node => node.remove());
            return copy.textContent;
        }"""
    )
    assert re.findall(r"\{\w+(?::\w+)?\}|\$\$|::\w+|\bnan\b|Traceback", prose) == []


@pytest.fixture
def table(browser, site_url):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{site_url}/notebooks/03_model_7b.html")
    container = page.locator(".dt-container").nth(1)
    container.wait_for()
    yield container
    page.close()


def cells(table, column):
    return table.locator(f"tbody tr td:nth-child({column})").all_inner_texts()


def test_a_long_table_can_be_searched(table):
    assert table.locator(".dt-info").inner_text() == "1 to 10 of 1,100 rows"
    table.locator("input[type=search]").fill("sgRNA_17")
    assert set(cells(table, 1)) == {"sgRNA_17"}
    assert "of 20 rows" in table.locator(".dt-info").inner_text()


def test_a_long_table_can_be_sorted(table):
    for order in ("ascending", "descending"):
        table.locator("thead th", has_text="mean").first.click()
        table.locator(f"thead th[aria-sort={order}]").wait_for()
        means = [float(text) for text in cells(table, 3)]
        assert means == sorted(means, reverse=order == "descending")
        assert abs(means[0]) > 1.5, (
            "the ends of all rows, not of the ten that were shown"
        )


def test_a_long_table_can_be_shown_in_full(table):
    table.locator("select").select_option(label="All")
    assert len(cells(table, 1)) == 1100


def test_the_dark_switch_works(browser, site_url):
    page = browser.new_page(color_scheme="light")
    page.goto(f"{site_url}/notebooks/02_model_7a.html")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    for _ in range(3):  # it cycles through automatic, light and dark
        page.locator("button.theme-switch-button").first.click()
        if page.evaluate("document.documentElement.dataset.theme") == "dark":
            break
    assert page.evaluate(ground) != light
    page.close()


def test_search_finds_shrinkage(browser, site_url):
    page = browser.new_page()
    page.goto(f"{site_url}/search.html?q=shrinkage")
    page.locator("#search-results li a").first.wait_for()
    found = page.locator("#search-results li a").all_inner_texts()
    assert any("Model 7b" in title for title in found)
    page.close()

"""Numbers in prose: typed ones are found, with their lines."""

import pytest

from poolscreen.errors import PoolscreenError
from press import prose

CHAPTER = """# %% [markdown]
# # A title
#
# Fine: one guide, 1,100 rows, $\\sigma = 0.3$, `x = 0.5`, {{glue:text}}`x:.2f`.
# {typed}

# %% mystnb={{"image": {{"alt": "A line."}}, "figure": {{"name": "fig-a", "caption": "{caption}"}}}}
1
"""


@pytest.fixture(autouse=True)
def settings(in_project):
    (in_project / "_config.yml").write_text(
        "parse: {myst_enable_extensions: [dollarmath, colon_fence, linkify]}"
    )
    prose._parser.cache_clear()
    yield
    prose._parser.cache_clear()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a mean of 0.35", [(0, "0.35")]),
        ("one\ntwo 1.5\n\nthree **2.25**", [(1, "1.5"), (3, "2.25")]),
        ("# A heading of 0.5", [(0, "0.5")]),
        (":::{note}\nabout 0.5\n:::", [(1, "0.5")]),
        ("| a |\n|---|\n| 0.5 |", [(2, "0.5")]),
        ("$0.35$ and\n\n$$\nx = 0.2\n$$", []),
        ("`0.35`\n\n```python\nx = 0.2\n```", []),
        ("{cite:p}`vehtari2021.5` {glue:text}`x:0.2f`", []),
        ("[docs](https://example.org/1.2/) and 1,100 of 20", []),
        ("PyMC 6.4.0", []),
    ],
)
def test_decimals(text, found):
    assert list(prose.decimals(text)) == found


def test_the_message_names_numbers_and_lines(in_project):
    script = in_project / "notebooks" / "a.py"
    script.write_text(CHAPTER.format(typed="Nothing.", caption="A line."))
    prose.check("a")
    script.write_text(CHAPTER.format(typed="It is 0.25.", caption="Up to 0.75."))
    with pytest.raises(PoolscreenError, match=r"0\.25 in line 5, 0\.75 in line 7"):
        prose.check("a")

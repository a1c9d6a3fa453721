"""What a screen holds."""

from tests.poolscreen.effects.test_disagreement import small

from poolscreen.screens.table import Screen
from poolscreen.tables import screens


def test_holdings_say_what_is_missing():
    screen = small([3.0, 5.0, 1.0, 1.0, 1.0, 1.0, 7.0, 7.0])
    fewer = Screen(screen.table.drop(index=[1]))
    number = screens.holdings(fewer).set_index("what")["number"]
    assert number["missing combinations of sgRNA and cell line"] == "1 of 8"
    assert number["sgRNAs per gene"].startswith("1 to 3")

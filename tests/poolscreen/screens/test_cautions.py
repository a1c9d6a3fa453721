"""What can be used, but should be known, is said."""

import pytest
from tests.poolscreen.screens.test_reading import frame, read_good

from poolscreen.screens.cautions import cautions
from poolscreen.screens.reading import read_screen


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t[1:], "combinations of sgRNA and cell line have 1 to 2 replicates"),
        (lambda t: t[2:], "1 of 8 combinations of sgRNA and cell line have no row"),
        (lambda t: t[t["sgRNA"] != "g1_2"], "1 of 2 genes have one sgRNA"),
        (lambda t: t[t["cell_line"] == "HL60"], "one cell line, HL60"),
        (lambda t: t.replace("ABL1", "1-Mar"), "1-Mar: these look like genes that"),
        (lambda t: t.assign(log_fc=range(100, 116)), "reaches 115.0 in size"),
    ],
)
def test_what_can_be_used_with_care_is_said(change, message, tmp_path):
    path = tmp_path / "a.csv"
    change(frame()).to_csv(path, index=False)
    assert any(message in caution for caution in cautions(read_screen(path)))


def test_a_sound_screen_has_no_cautions(tmp_path):
    assert cautions(read_good(tmp_path)) == []

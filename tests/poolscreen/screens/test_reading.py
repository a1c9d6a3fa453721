"""Tables that people bring: every fault by name, and nothing made of a bad one."""

import gzip
import io
import os
import threading

import pandas as pd
import pytest

from poolscreen.errors import PoolscreenError
from poolscreen.screens import reading
from poolscreen.screens.reading import read_screen, unchanged

GOOD = """\
cell_line,sgRNA,gene,replicate,log_fc
HL60,g1_1,MYC,A,-1.5
HL60,g1_1,MYC,B,-1.4
HL60,g1_2,MYC,A,-1.2
HL60,g1_2,MYC,B,-1.1
HL60,g2_1,ABL1,A,0.2
HL60,g2_1,ABL1,B,0.1
HL60,g2_2,ABL1,A,0.0
HL60,g2_2,ABL1,B,-0.1
KBM7,g1_1,MYC,A,-2.5
KBM7,g1_1,MYC,B,-2.4
KBM7,g1_2,MYC,A,-2.2
KBM7,g1_2,MYC,B,-2.1
KBM7,g2_1,ABL1,A,-1.2
KBM7,g2_1,ABL1,B,-1.1
KBM7,g2_2,ABL1,A,-1.0
KBM7,g2_2,ABL1,B,-1.1
"""


def frame() -> pd.DataFrame:
    return pd.read_csv(io.StringIO(GOOD))


def parquet(table: pd.DataFrame) -> bytes:
    written = io.BytesIO()
    table.to_parquet(written)
    return written.getvalue()


def workbook() -> bytes:
    return b"PK\x03\x04" + b"\0" * 100


# Name of the file, its content, what the error must say.
BAD = {
    "no file": (None, None, r"is not there"),
    "an empty file": ("a.csv", "", r"is empty"),
    "only a header": (
        "a.csv",
        GOOD.splitlines()[0] + "\n",
        r"no rows below the header",
    ),
    "an archive": (
        "a.csv",
        workbook(),
        r"an archive, and no Excel workbook.*save the sheet as CSV",
    ),
    "a PDF": ("a.csv", b"%PDF-1.7 ...", r"is no table, but a PDF"),
    "a web page": ("a.csv", "\n<!DOCTYPE html><html>", r"but a web page"),
    "binary": ("a.csv", b"ab\0\0cd", r"but binary"),
    "UTF-16": ("a.csv", GOOD.encode("utf-16"), r"UTF-16; save it as UTF-8"),
    "Latin-1": (
        "a.csv",
        GOOD.replace("HL60", "Zürich").encode("latin-1"),
        r"is not in UTF-8 \(byte 0xfc",
    ),
    "half a gzip": (
        "a.csv.gz",
        gzip.compress(GOOD.encode())[:60],
        r"damaged gzip file",
    ),
    "half a Parquet": (
        "a.parquet",
        parquet(frame())[:200],
        r"damaged Parquet file",
    ),
    "semicolons": (
        "a.csv",
        GOOD.replace(",", ";"),
        r"parted by semicolons, not by commas; pass --separator ';'",
    ),
    "commas for tabs": ("a.tsv", GOOD, r"parted by commas, not by tabs"),
    "a longer row": ("a.csv", GOOD + "KBM7,g,G,A,1,2,3\n", r"no table.*line 18"),
    "row names of R": (
        "a.csv",
        "\n".join([GOOD.splitlines()[0], *("1," + r for r in GOOD.splitlines()[1:])]),
        r"6 fields, and its header 5; if R wrote it.*row\.names = FALSE",
    ),
    "a missing column": (
        "a.csv",
        GOOD.replace("sgRNA,", "sgRNAs,"),
        r"no column sgRNA.*if sgRNAs is it, pass --column sgRNA=sgRNAs",
    ),
    "a doubled column": (
        "a.csv",
        GOOD.replace("replicate", "gene"),
        r"more than one column 'gene'",
    ),
    "text for a number": (
        "a.csv",
        GOOD.replace("-1.5", "low"),
        r"log_fc is no number.*\(row 2, for example 'low'\)",
    ),
    "a decimal comma": (
        "a.csv",
        GOOD.replace("-1.5", '"-1,5"'),
        r"is no number; write it with a decimal point \(row 2, for example '-1,5'\)",
    ),
    "a missing number": ("a.csv", GOOD.replace("-1.5", "NA"), r"log_fc is missing"),
    "beyond sense": (
        "a.csv",
        GOOD.replace("-1.5", "-1e29"),
        r"log_fc is beyond any log fold change; is it the right column.*row 2",
    ),
    "infinity": ("a.csv", GOOD.replace("-1.5", "-inf"), r"log_fc is infinite.*row 2"),
    "an empty name": (
        "a.csv",
        GOOD.replace("HL60,g1_1,MYC,A", "HL60,g1_1,,A"),
        r"gene is empty; name it or leave the row out \(row 2\)",
    ),
    "white space": (
        "a.csv",
        GOOD.replace("HL60,g1_1,MYC,A", "HL60 ,g1_1,MYC,A"),
        r"cell_line begins or ends with white space.*'HL60 '",
    ),
    "case twins": (
        "a.csv",
        GOOD.replace("g1_1,MYC,A", "g1_1,Myc,A"),
        r"gene differs from another only in upper and lower case",
    ),
    "an sgRNA of two genes": (
        "a.csv",
        GOOD.replace("HL60,g1_1,MYC", "HL60,g1_1,ABL1"),
        r"rows 2, 3, 10, 11, for example HL60, g1_1, ABL1: an sgRNA .*more than one gene",
    ),
    "a replicate twice": (
        "a.csv",
        GOOD.replace("HL60,g1_1,MYC,B", "HL60,g1_1,MYC,A"),
        r"row 3, for example HL60, g1_1, MYC: the same sgRNA, cell line and replicate again",
    ),
    "replicates without a name": (
        "a.csv",
        GOOD.replace("replicate", "remark"),
        r"same sgRNA and cell line again; if they are replicates, add a column",
    ),
    "a gene with no rows left": (
        "a.csv",
        "".join(
            line.rsplit(",", 1)[0] + ",\n" if "ABL1" in line else line
            for line in GOOD.splitlines(keepends=True)
        ),
        r"log_fc is missing.*ABL1 would have no rows left",
    ),
    "one gene": (
        "a.csv",
        "".join(r for r in GOOD.splitlines(keepends=True) if "ABL1" not in r),
        r"all rows are of one gene, MYC",
    ),
}


@pytest.mark.parametrize("bad", BAD)
def test_bad_input_is_named(bad, tmp_path):
    name, content, message = BAD[bad]
    path = tmp_path / (name or "none.csv")
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(PoolscreenError, match=message) as caught:
        read_screen(path)
    assert str(path) in str(caught.value)
    if content is not None:
        written = content.encode() if isinstance(content, str) else content
        assert path.read_bytes() == written


def test_a_file_far_too_large_is_not_read(tmp_path):
    path = tmp_path / "a.csv"
    with path.open("wb") as opened:
        opened.write(GOOD.encode())
        opened.truncate(5_000_000_000)  # a hole; the disk holds a few bytes
    with pytest.raises(PoolscreenError, match=r"has 5\.0 GB or more, more than a screen"):
        read_screen(path)


def test_a_pipe_is_read_once(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=[GOOD])
    writer.start()
    found = read_screen(path)
    writer.join()
    (tmp_path / "a.csv").write_text(GOOD)
    assert found.table.equals(read_screen(tmp_path / "a.csv").table)


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(GOOD)
    with pytest.raises(PoolscreenError, match="was changed while it was read"), unchanged(path):
        path.write_text(GOOD + GOOD)


def test_of_many_columns_some_are_named(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(",".join(f"c{n}" for n in range(20_000)) + "\n" + "1," * 19_999 + "1\n")
    with pytest.raises(PoolscreenError, match=r"there are c0, c1, .* and 19,980 more") as refused:
        read_screen(path)
    assert len(str(refused.value)) < 1500


def test_what_unpacks_to_far_too_much_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "MAX_BYTES", 10_000_000)
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"0" * 20_000_000))
    with pytest.raises(PoolscreenError, match="unpacks to more than"):
        read_screen(path)


def test_a_folder_is_named(tmp_path):
    with pytest.raises(PoolscreenError, match="is a folder"):
        read_screen(tmp_path)


def test_every_fault_is_named_at_once(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(
        GOOD.replace("-1.5", "low")
        .replace("-1.4", "inf")
        .replace("HL60,g2_1,ABL1,A", "HL60,g2_1,,A")
        .replace("KBM7,g1_1,MYC,A", " KBM7,g1_1,MYC,A")
        .replace("KBM7,g2_2,ABL1,B", "KBM7,g2_2,ABL1,A")
    )
    with pytest.raises(PoolscreenError, match="5 faults:"):
        read_screen(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", GOOD.encode()),
        ("a.csv", b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()),
        ("a.tsv", GOOD.replace(",", "\t").encode()),
        ("a.csv.gz", gzip.compress(GOOD.encode())),
        ("a.tsv.gz", gzip.compress(GOOD.replace(",", "\t").encode())),
        ("a.parquet", parquet(frame())),
        ("a.parquet", parquet(frame().astype({"gene": "category"}))),
    ],
)
def test_every_format_gives_the_same_screen(name, content, tmp_path):
    path = tmp_path / name
    path.write_bytes(content)
    screen = read_screen(path)
    pd.testing.assert_frame_equal(
        screen.table.astype({"log_fc": float}),
        read_good(tmp_path).table,
        check_column_type=False,
    )
    assert screen.log_fc.tolist() == frame()["log_fc"].tolist()


def read_good(folder):
    path = folder / "good.csv"
    path.write_text(GOOD)
    return read_screen(path)


def test_columns_are_mapped(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(GOOD.replace("sgRNA", "guide").replace("log_fc", "LFC"))
    columns = {"sgRNA": "guide", "log_fc": "LFC"}
    assert read_screen(path, columns=columns).genes == ["MYC", "ABL1"]


def test_a_separator_can_be_named(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(GOOD.replace(",", ";"))
    assert read_screen(path, separator=";").genes == ["MYC", "ABL1"]


def test_a_table_is_read_as_it_is_written(tmp_path):
    """Labels that look like numbers stay what they are."""
    path = tmp_path / "a.csv"
    path.write_text("x,y\n007,1e3\n")
    assert reading.read_table(path).iloc[0].tolist() == ["007", "1e3"]


def test_usual_names_are_taken_and_said(tmp_path):
    path, heard = tmp_path / "a.csv", []
    path.write_text(GOOD.replace("sgRNA,", "guide,"))
    assert read_screen(path, say=heard.append).sgrnas
    assert heard == [f"{path}: the column guide is taken for sgRNA"]


def test_a_workbook_is_read(tmp_path):
    path = tmp_path / "screen.xlsx"
    table = pd.read_csv(io.StringIO(GOOD), dtype=str)
    table.to_excel(path, index=False)
    pd.testing.assert_frame_equal(reading.read_table(path), table)
    with pd.ExcelWriter(path) as book:
        for name in ("one", "two"):
            table.to_excel(book, sheet_name=name, index=False)
    with pytest.raises(PoolscreenError, match=r"has 2 sheets with rows \('one', 'two'\)"):
        reading.read_table(path)

"""The preview: what Sphinx reads again, and which files are touched."""

import os

import pytest

from press import preview


@pytest.fixture
def folders(tmp_path):
    """A folder, another that is to be in step with it, and what writes a file of the first."""
    source, target = tmp_path / "source", tmp_path / "target"

    def write(name, text):
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return source, target, write


def test_a_folder_is_brought_in_step_with_another(folders):
    source, target, write = folders
    write("a", "1"), write("b/c", "2")
    assert preview.mirror(source, target, preview.copy) == ["a", "b/c"]
    write("a", "3"), write("d", "4")
    (source / "b" / "c").unlink()
    assert preview.mirror(source, target, preview.copy) == ["a", "b/c", "d"]
    assert [path.name for path in sorted(target.rglob("*")) if path.is_file()] == ["a", "d"]
    assert (target / "a").read_text() == "3"
    assert preview.mirror(source, target, preview.copy) == []


def test_sphinx_sees_what_is_other_and_nothing_else(folders):
    """By their times: what was moved there is newer, however old the source is."""
    source, target, write = folders
    write("same", "1"), write("other", "1")
    preview.mirror(source, target, preview.move)
    for name in ("same", "other"):
        os.utime(target / name, (1000, 1000))
    write("same", "1")
    os.utime(write("other", "2"), (500, 500))  # as `mv other.bak other` leaves it
    assert preview.mirror(source, target, preview.move) == ["other"]
    assert (target / "same").stat().st_mtime == 1000
    assert (target / "other").stat().st_mtime > 1000


def test_a_result_keeps_its_time(folders):
    source, target, write = folders
    result = source.with_name("m7a.nc")
    write("m7a.nc", "draws")
    result.hardlink_to(source / "m7a.nc")
    os.utime(result, (1000, 1000))
    preview.mirror(source, target, preview.move)
    assert result.stat().st_mtime == 1000
    assert result.samefile(target / "m7a.nc")


def test_what_was_read_in_vain_is_read_again(tmp_path):
    """Else the fault of a page would not be named a second time."""
    doctrees, good = tmp_path / "doctrees", "good.doctree"

    def read(name):
        with preview.reading(doctrees):
            (doctrees / name).touch()

    read(good)
    os.utime(doctrees / good, (1000, 1000))
    with pytest.raises(ValueError, match="fault"), preview.reading(doctrees):
        (doctrees / "bad.doctree").touch()
        raise ValueError("fault")
    with preview.reading(doctrees):
        assert [path.name for path in doctrees.glob("*.doctree")] == [good]


def test_which_jobs_an_edit_asks_for():
    code = preview.present_code()
    assert preview.jobs(["book/index.md", "notebooks/02_model_7a.py", "_toc.yml"], code) == []
    code["02_model_7a"] = "other"
    assert preview.jobs(["notebooks/02_model_7a.py"], code) == ["execute 02_model_7a"]
    assert "simulate" in preview.jobs(["uv.lock"], code)
    assert preview.jobs(["workflow/Snakefile"], {}) == ["workflow/Snakefile"]

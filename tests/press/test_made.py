"""Results that are no longer what their job made are made anew."""

import os
import time

import pytest

from press import made, publishing, steps

FIT = "results/fits/m7a.nc"
TABLE = "results/tables/m7a/scalars.csv"


@pytest.fixture
def fit(in_project):
    """A fit and its table, made by a job."""
    for path in (FIT, TABLE):
        (in_project / path).parent.mkdir(parents=True)
        (in_project / path).write_text("parameter,mean\n")
    made.record("fit m7a", steps.STEPS["fit"].makes("m7a"))
    return in_project


def mended(folder):
    """Return what is said, and which results are left."""
    said = []
    made.mend(said.append)
    return said, [path for path in (FIT, TABLE) if (folder / path).exists()]


def test_what_is_as_it_was_made_stays(fit):
    os.utime(fit / FIT, (0, 0))
    assert mended(fit) == ([], [FIT, TABLE])


def flip(file):
    content = bytearray(file.read_bytes())
    content[5] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize("path", [FIT, TABLE])
@pytest.mark.parametrize(
    "harm", [flip, lambda file: os.truncate(file, 0), lambda file: os.truncate(file, 9)]
)
def test_what_is_damaged_is_made_anew_with_what_was_made_beside_it(fit, path, harm):
    harm(fit / path)
    assert mended(fit) == ([f"{path} is not what fit m7a made; it is made anew"], [])
    assert mended(fit) == ([], [])


def test_what_was_removed_on_purpose_is_made_anew_without_a_word(fit):
    (fit / TABLE).unlink()
    assert mended(fit) == ([], [])


def test_a_damaged_record_tells_nothing(fit):
    os.truncate(fit / "_build/made/fit m7a.json", 7)
    flip(fit / FIT)
    assert mended(fit) == ([], [FIT, TABLE])


def test_what_a_killed_process_had_begun_to_write_is_removed(fit):
    (fit / "results/fits/.m7a.nc.part").write_text("half")
    made.remove_parts()
    assert [path.name for path in (fit / "results/fits").iterdir()] == ["m7a.nc"]


@pytest.mark.book
def test_every_output_of_the_workflow_is_recorded(book):
    """But that of the site, which has its manifest."""
    results = set(steps.results("site")) | {"results/truth.csv"}
    results |= {f"results/tables/{fit}" for fit in steps.fit_names()}
    recorded = {
        path for step in steps.STEPS.values() for name in step.names() for path in step.makes(name)
    }
    assert recorded == results


def test_a_damaged_pedigree_has_the_site_made_anew(in_project):
    publishing.html_path().mkdir(parents=True)
    for path in (publishing.manifest_path(), publishing.pedigree_path()):
        path.write_text("")
    publishing.pedigree_path().write_text("{}")
    made.record("site", ["_build/pedigree.json"])
    publishing.restore()
    assert publishing.manifest_path().is_file()
    publishing.pedigree_path().write_text("{")
    made.mend(print)
    publishing.restore()
    assert not publishing.manifest_path().is_file()


def test_results_of_the_future_get_the_time_of_today(fit):
    later, before = time.time() + 1000, (fit / TABLE).stat().st_mtime
    os.utime(fit / FIT, (later, later))
    made.leave_the_future()
    assert (fit / FIT).stat().st_mtime <= time.time()
    assert (fit / TABLE).stat().st_mtime == before

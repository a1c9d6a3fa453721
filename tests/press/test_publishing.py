"""A site takes the place of the last good one, whole or not at all."""

import shutil
import subprocess

import pytest

from press import publishing


@pytest.fixture
def published(in_project):
    """A site of two pages, published."""

    def publish(text):
        fresh = in_project / "_build" / "sphinx"
        (fresh / "book").mkdir(parents=True)
        (fresh / "index.html").write_text(text)
        (fresh / "book" / "a page.html").write_text(text)
        publishing.pedigree_path().write_text("{}")
        publishing.publish(fresh)

    publish("first")
    return publish


def page():
    return (publishing.html_path() / "index.html").read_text()


def test_the_manifest_is_what_sha256sum_reads(published):
    assert publishing.is_whole()
    command = ["sha256sum", "--check", "--strict", publishing.manifest_path().name]
    folder = publishing.manifest_path().parent
    checked = subprocess.run(command, cwd=folder, check=True, text=True, capture_output=True)
    assert checked.stdout.splitlines() == ["html/book/a page.html: OK", "html/index.html: OK"]


def test_a_fresh_site_takes_the_place_of_the_last(published):
    published("second")
    assert page() == "second"
    assert publishing.is_whole()
    assert sorted(path.name for path in publishing.html_path().parent.iterdir()) == [
        "html",
        "pedigree.json",
        "site.sha256",
    ]


@pytest.mark.parametrize("harm", ["edited", "deleted", "added", "cut", "emptied", "garbled"])
def test_a_site_that_is_not_whole_is_no_longer_listed(published, harm):
    index, manifest = publishing.html_path() / "index.html", publishing.manifest_path()
    if harm == "edited":
        index.write_text("other")
    elif harm == "deleted":
        index.unlink()
    elif harm == "added":
        index.with_name("other.html").write_text("other")
    elif harm == "cut":
        manifest.write_text(manifest.read_text()[:-20])
    elif harm == "emptied":
        manifest.write_text("")
    else:
        manifest.write_bytes(b"\xff" + manifest.read_bytes()[1:])
    assert not publishing.is_whole()
    publishing.restore()
    assert not manifest.exists()


def test_a_process_killed_between_the_two_renames_loses_nothing(published):
    published_html = publishing.html_path()
    published_html.rename(published_html.with_name("html.old"))
    publishing.restore()
    assert page() == "first"
    assert publishing.is_whole()


def test_a_process_killed_after_them_leaves_the_fresh_site(published):
    html = publishing.html_path()
    shutil.copytree(html, html.with_name("html.old"))
    publishing.restore()
    assert publishing.is_whole()
    assert not html.with_name("html.old").exists()

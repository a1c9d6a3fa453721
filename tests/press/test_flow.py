"""What depends on what: imports are followed wherever they stand, and nothing is passed over."""

import grimp
import pytest

from poolscreen.errors import PoolscreenError
from press import flow


@pytest.fixture
def graph(monkeypatch):
    """A project of packages whose `__init__` modules import, too."""
    built = grimp.ImportGraph()
    for name in ("a", "a.b", "a.b.c", "d", "d.e", "f"):
        built.add_module(name)
    for importer, imported in [("a", "d.e"), ("a.b", "f"), ("d.e", "d")]:
        built.add_import(importer=importer, imported=imported)
    monkeypatch.setattr(flow, "import_graph", lambda: built)


def test_what_packages_import_is_followed(graph):
    """Importing a.b.c runs a, which imports d.e, and a.b, which imports f."""
    assert flow.upstream(["a.b.c"]) == {"a", "a.b", "a.b.c", "d", "d.e", "f"}
    assert flow.upstream(["d.e"]) == {"d", "d.e"}


def test_a_module_that_is_not_there_is_an_error(graph):
    with pytest.raises(PoolscreenError, match=r"there is no module a\.x in src/; was it renamed"):
        flow.upstream(["a.b", "a.x"])


def test_imports_for_types_alone_do_not_run():
    """The names of models are asked for often, and PyMC takes seconds to import."""
    assert flow.upstream(["poolscreen.models"]) == {
        "poolscreen",
        "poolscreen.errors",
        "poolscreen.models",
    }


def test_a_file_that_changed_is_named(in_project):
    (in_project / "a.txt").write_text("one")
    recorded = flow.digest(["a.txt"])
    flow.check_fresh("b", recorded)
    (in_project / "a.txt").write_text("two")
    with pytest.raises(PoolscreenError, match=r"a\.txt is not what it was when b was made"):
        flow.check_fresh("b", recorded)
    (in_project / "a.txt").unlink()
    with pytest.raises(PoolscreenError, match=r"a\.txt is not what it was when b was made"):
        flow.check_fresh("b", recorded)

"""The script and the style that make tables searchable, as the package itables brings them."""

import re
from importlib.resources import files

from poolscreen.errors import PoolscreenError

BUNDLE = files("itables") / "html"


def script() -> str:
    """Return DataTables as a plain script, which leaves it under `window.DataTablesQuery`.

    The package has it as a module, which browsers do not load from a `file://` page.

    Raises
    ------
    PoolscreenError
        If the package has changed.
    """
    body, _, exports = (BUNDLE / "dt_bundle.js").read_text(encoding="utf-8").rpartition("export{")
    jquery = re.search(r"(\w+) as jQuery", exports)
    if jquery is None:
        raise PoolscreenError("the script of itables exports no jQuery; pin the version before it")
    return f"(() => {{{body}\nwindow.DataTablesQuery = {jquery[1]};\n}})();\n"


def style() -> str:
    """Return the style sheet of DataTables."""
    return (BUNDLE / "dt_bundle.css").read_text(encoding="utf-8")

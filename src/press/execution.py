"""Notebooks executed in a kernel of their own, and what of their outputs a page takes."""

import base64
import os
import re
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from nbformat import NotebookNode

from poolscreen.errors import PoolscreenError
from poolscreen.progress import Progress

ANSI = re.compile(r"\x1b\[[0-9;]*m")
STARTING = 600  # seconds that a kernel may take to answer, on a machine that is slow and busy
ADDRESS = re.compile(r" at 0x[0-9a-f]+(?=>)")


def execute(notebook: NotebookNode, name: str, folder: Path) -> NotebookNode:
    """Execute a notebook in a kernel of its own, its figures made light.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        The notebook; its cells get outputs.
    name : str
        What messages call it.
    folder : pathlib.Path
        Where it is executed.

    Returns
    -------
    nbformat.NotebookNode
        The notebook.

    Raises
    ------
    PoolscreenError
        If a cell raises, or writes warnings that the page would show. It names the notebook and
        the cell, and gives the traceback. Also if the kernel ends, or does not start.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError
    from traitlets.config import Config

    cells = _Cells(name, len(notebook.cells))
    try:
        with TemporaryDirectory(prefix="poolscreen-") as own:
            # Sockets of this user and this kernel alone, not ports of the machine.
            sockets = {"transport": "ipc", "ip": str(Path(own, "kernel"))}
            client = NotebookClient(
                notebook,
                config=Config({"KernelManager": sockets}),
                kernel_name="python3",
                timeout=None,
                startup_timeout=STARTING,
                force_raise_errors=True,
                record_timing=False,
                coalesce_streams=True,  # where a kernel parts its text is chance
                resources={"metadata": {"path": str(folder)}},
                on_cell_start=cells,
                skip_cells_with_tag="",  # a tag is presentation, and never skips code
            )
            client.execute(env=_kernel_environment(own))
    except CellExecutionError as error:
        raise PoolscreenError(
            f"{name}, cell {cells.running} raised {error.ename}: {error.evalue}\n"
            + ANSI.sub("", error.traceback).strip()
        ) from None
    except RuntimeError as error:  # what nbclient says of a kernel that died, or never answered
        client.create_kernel_manager()  # nbclient cleans up at exit, and expects to find one
        ended = f"cell {cells.running} ended its kernel" if cells.running else "no kernel started"
        raise PoolscreenError(
            f"{name}, {ended}: {error}. If nobody killed it, memory has run out"
        ) from None
    check_outputs(name, notebook)
    lighten(notebook)
    forget_addresses(notebook)
    return notebook


def _kernel_environment(ipython: str) -> dict[str, str]:
    """Let a kernel import this very package, wherever it runs, and nobody's own settings."""
    personal = ("PYTENSOR_FLAGS", "PYTENSORRC", "MATPLOTLIBRC", "JUPYTER_PATH")
    environment = {k: v for k, v in os.environ.items() if k not in personal}
    source = str(Path(__file__).parent.parent)
    return {**environment, "IPYTHONDIR": ipython, "PYTHONPATH": source}


class _Cells:
    """Knows which cell of a notebook runs, and says so now and then."""

    def __init__(self, notebook: str, cells: int) -> None:
        self.notebook, self.cells, self.running = notebook, cells, 0
        self.progress = Progress(partial(print, flush=True))

    def __call__(self, cell: NotebookNode, cell_index: int) -> None:
        self.running = cell_index + 1
        self.progress(f"{self.notebook}: cell {self.running} of {self.cells}")


def check_outputs(name: str, notebook: NotebookNode) -> None:
    """Refuse an executed notebook that holds an error or a warning.

    Raises
    ------
    PoolscreenError
        It names the notebook, the cell and the message.
    """
    for number, cell in enumerate(notebook.cells, start=1):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                raise PoolscreenError(
                    f"{name}, cell {number} holds an error: {output.ename}: {output.evalue}"
                )
            if output.output_type == "stream" and output.name == "stderr":
                raise PoolscreenError(
                    f"{name}, cell {number} writes a warning, which its page would show:\n"
                    f"{output.text.strip()}\nMend its cause, or silence it there and say why."
                )


def lighten(notebook: NotebookNode) -> None:
    """Make the figures of an executed notebook light."""
    from poolscreen.figures.image import lightened

    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                drawn = base64.b64decode(output.data["image/png"])
                output.data["image/png"] = base64.b64encode(lightened(drawn)).decode()


def forget_addresses(notebook: NotebookNode) -> None:
    """Leave out where objects lay in memory, which is another place each time.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        An executed notebook; its outputs are changed.

    Examples
    --------
    >>> import nbformat
    >>> shown = {"text/plain": "<poolscreen.display.Table at 0x7f31b4ba34d0>"}
    >>> output = nbformat.v4.new_output("display_data", shown)
    >>> cell = nbformat.v4.new_code_cell("table(means)", outputs=[output])
    >>> forget_addresses(nbformat.v4.new_notebook(cells=[cell]))
    >>> output.data["text/plain"]
    '<poolscreen.display.Table>'
    """
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "text/plain" in output.get("data", {}):
                output.data["text/plain"] = ADDRESS.sub("", output.data["text/plain"])

"""Notebooks executed in a kernel of their own, and what of their outputs a page takes."""

import base64
import io
import os
import re
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from nbformat import NotebookNode
from PIL import Image

from poolscreen.errors import PoolscreenError

ANSI = re.compile(r"\x1b\[[0-9;]*m")


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
        the cell, and gives the traceback.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, DeadKernelError
    from traitlets.config import Config

    progress = _Progress(name, len(notebook.cells))
    try:
        with TemporaryDirectory(prefix="poolscreen-") as own:
            # Sockets of this user and this kernel alone, not ports of the machine.
            sockets = {"transport": "ipc", "ip": str(Path(own, "kernel"))}
            NotebookClient(
                notebook,
                config=Config({"KernelManager": sockets}),
                kernel_name="python3",
                timeout=None,
                force_raise_errors=True,
                record_timing=False,
                resources={"metadata": {"path": str(folder)}},
                on_cell_start=progress,
                skip_cells_with_tag="",  # a tag is presentation, and never skips code
            ).execute(env=_kernel_environment(own))
    except CellExecutionError as error:
        raise PoolscreenError(
            f"{name}, cell {progress.cell} raised {error.ename}: {error.evalue}\n"
            + ANSI.sub("", error.traceback).strip()
        ) from None
    except DeadKernelError as error:
        raise PoolscreenError(f"{name}, cell {progress.cell} ended its kernel: {error}") from None
    check_outputs(name, notebook)
    lighten(notebook)
    return notebook


def _kernel_environment(ipython: str) -> dict[str, str]:
    """Let a kernel import this very package, wherever it runs, and nobody's own settings."""
    personal = ("PYTENSOR_FLAGS", "PYTENSORRC", "MATPLOTLIBRC", "JUPYTER_PATH")
    environment = {k: v for k, v in os.environ.items() if k not in personal}
    source = str(Path(__file__).parent.parent)
    return {**environment, "IPYTHONDIR": ipython, "PYTHONPATH": source}


class _Progress:
    """Say which cell runs, where the last message is a while ago."""

    every = 5.0

    def __init__(self, chapter: str, cells: int) -> None:
        self.chapter, self.cells, self.cell = chapter, cells, 0
        self.last = time.monotonic()

    def __call__(self, cell: NotebookNode, cell_index: int) -> None:
        self.cell = cell_index + 1
        if time.monotonic() - self.last >= self.every:
            self.last = time.monotonic()
            print(f"{self.chapter}: cell {self.cell} of {self.cells}", flush=True)


def check_outputs(name: str, notebook: NotebookNode) -> None:
    """Refuse an executed notebook that holds an error or a warning.

    Parameters
    ----------
    name : str
        What messages call the notebook.
    notebook : nbformat.NotebookNode
        The notebook.

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
    """Give each figure a palette of its own: it weighs a third and looks the same.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        An executed notebook; the figures among its outputs are changed.
    """
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                drawn = Image.open(io.BytesIO(base64.b64decode(output.data["image/png"])))
                few, light = drawn.convert("RGB").quantize(256, kmeans=3), io.BytesIO()
                few.save(light, "PNG", optimize=True)
                output.data["image/png"] = base64.b64encode(light.getvalue()).decode()

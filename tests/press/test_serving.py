"""The loop: what an edit sets going, what comes first, and what ends it."""

import asyncio
import socket
import sys

import psutil
import pytest
from tests.tree import HANGING

from poolscreen.errors import PoolscreenError
from press import apart, chapters, preview, repository, serving

PAGE, OTHER = "book/a.md", "book/b.md"
# Stand in for `press build --results`.
SUCCEEDS, FAILS = "pass", "exit(1)"
GOES_ON = "import time; time.sleep(10_000)"
WAITS = "import pathlib, time\nwhile not pathlib.Path('go').exists(): time.sleep(0.01)"


class Apart:
    """Stands in for processes apart: it notes what is called, and answers as it was told."""

    def __init__(self) -> None:
        self.called = []
        self.endless = ""  # what does not return
        self.answers = {
            "prepare": None,
            "take_up": preview.Outcome(files=["a.html"]),
            "complete": ["b.html"],
            "present_code": {},
            "jobs": [],
            "refresh": preview.Outcome(files=["c.html"], complete=True),
        }

    async def __call__(self, function, *arguments):
        name = function.__name__
        self.called.append((name, arguments[0]) if name == "take_up" else name)
        if name == self.endless:
            await asyncio.sleep(10 * HANGING)
        if isinstance(self.answers[name], Exception):
            raise self.answers[name]
        return self.answers[name]


class Scene:
    """A loop in an empty project, and what became of it."""

    def __init__(self, folder, monkeypatch) -> None:
        self.folder, self.monkeypatch = folder, monkeypatch
        self.apart, self.reloads, self.said = Apart(), 0, []
        monkeypatch.setattr(apart, "call", self.apart)

    def edit(self, path: str, text: str) -> None:
        """Write a file anew, at once: the loop would see a part of it, too."""
        part = self.folder / "book" / ".part"
        part.write_text(text)
        part.replace(self.folder / path)

    def build(self, code: str) -> None:
        """Let this stand in for the workflow."""
        self.monkeypatch.setattr(serving, "BUILD", (sys.executable, "-c", code))

    async def until(self, *calls) -> None:
        """Wait until these were the last calls."""
        await self.when(lambda: tuple(self.apart.called[-len(calls) :]) == calls)

    async def says(self, text: str) -> None:
        await self.when(lambda: any(text in said for said in self.said))

    async def when(self, condition) -> None:
        async with asyncio.timeout(HANGING):
            while not condition():
                await asyncio.sleep(0.005)

    def play(self, scenario) -> None:
        """Follow edits until the scenario is over."""

        async def both() -> None:
            loop = serving.Loop(
                repository.Commit(), serving.digests(), self.reload, self.said.append
            )
            following = asyncio.create_task(loop.follow())
            await self.until("prepare")
            await scenario()
            following.cancel()
            await asyncio.wait([following])

        asyncio.run(both())

    def reload(self) -> None:
        self.reloads += 1


@pytest.fixture
def scene(in_project, monkeypatch):
    (in_project / "book").mkdir()
    for path in (PAGE, OTHER, "uv.lock"):
        (in_project / path).write_text("as it was")
    (in_project / "notebooks" / "a.py").write_text("# %%\n1 + 1\n")
    chapters.write_notebook("a")
    return Scene(in_project, monkeypatch)


def test_an_edit_is_shown_and_then_what_other_pages_show_of_it(scene):
    async def scenario():
        scene.edit(PAGE, "edited")
        await scene.until("prepare", ("take_up", [PAGE]), "complete")
        await scene.says("all pages in step")

    scene.play(scenario)
    assert scene.reloads == 2
    assert scene.said[0].startswith(f"{PAGE}: shown after ")


def test_what_has_the_same_content_is_no_edit(scene):
    async def scenario():
        scene.edit(PAGE, "as it was")
        (scene.folder / "book" / ".a.md.swp").touch()
        (scene.folder / "book" / "a.md~").touch()
        scene.edit(OTHER, "edited")
        await scene.until(("take_up", [OTHER]), "complete")

    scene.play(scenario)
    assert [called for called in scene.apart.called if called[0] == "take_up"] == [
        ("take_up", [OTHER])
    ]


def test_the_next_edit_does_not_wait_for_other_pages(scene):
    async def scenario():
        scene.apart.endless = "complete"
        scene.edit(PAGE, "edited")
        await scene.until(("take_up", [PAGE]), "complete")
        scene.edit(OTHER, "edited")
        await scene.until(("take_up", [PAGE]), "complete", ("take_up", [OTHER]), "complete")

    scene.play(scenario)


def test_a_fault_is_said_until_an_edit_mends_it(scene):
    async def scenario():
        scene.apart.answers["take_up"] = PoolscreenError("a.md:3: a fault")
        scene.edit(PAGE, "wrong")
        await scene.says("a fault")
        assert scene.said == ["error: a.md:3: a fault\nThe browser keeps the last good pages."]
        assert scene.reloads == 0
        scene.apart.answers["take_up"] = preview.Outcome(files=["a.html"])
        scene.edit(OTHER, "edited")
        await scene.until(("take_up", [PAGE, OTHER]), "complete")

    scene.play(scenario)


def test_an_edit_of_code_reruns_the_workflow(scene):
    async def scenario():
        scene.build(SUCCEEDS)
        scene.apart.answers["take_up"] = preview.Outcome(["fit m7a", "execute a"])
        scene.edit(PAGE, "edited")
        await scene.says("shown")

    scene.play(scenario)
    assert scene.said[0] == f"{PAGE}: reruns execute a, fit m7a, and what follows from it"
    assert scene.apart.called[-1] == "refresh"
    assert scene.reloads == 1


def test_a_workflow_that_fails_leaves_the_pages(scene):
    async def scenario():
        scene.build(FAILS)
        scene.apart.answers["take_up"] = preview.Outcome(["fit m7a"])
        scene.edit(PAGE, "edited")
        await scene.says("error: what it reruns has failed; see above\nThe browser keeps")

    scene.play(scenario)
    assert "refresh" not in scene.apart.called
    assert scene.reloads == 0


def test_prose_that_is_edited_meanwhile_waits(scene):
    async def scenario():
        scene.build(WAITS)
        scene.apart.answers["take_up"] = preview.Outcome(["fit m7a"])
        scene.edit(PAGE, "edited")
        await scene.until("present_code")
        scene.edit(OTHER, "edited")
        await scene.says(f"{OTHER}: shown when this is done")
        (scene.folder / "go").touch()
        await scene.says("shown after")

    scene.play(scenario)
    assert scene.apart.called[-1] == "refresh"


def test_code_that_is_edited_meanwhile_begins_again(scene):
    async def scenario():
        scene.build(GOES_ON)
        scene.apart.answers["take_up"] = preview.Outcome(["fit m7a"])
        scene.edit(PAGE, "edited")
        await scene.until("present_code")
        scene.build(SUCCEEDS)
        scene.apart.answers["jobs"] = ["fit m7a"]
        scene.edit(PAGE, "edited again")
        await scene.says("shown after")

    scene.play(scenario)
    again = ["jobs", ("take_up", [PAGE]), "present_code", "refresh"]
    assert scene.apart.called[-4:] == again


def test_whoever_ends_the_loop_interrupts_what_runs(scene):
    async def scenario():
        scene.build(GOES_ON)
        scene.apart.answers["take_up"] = preview.Outcome(["fit m7a"])
        scene.edit(PAGE, "edited")
        await scene.until("present_code")

    scene.play(scenario)
    assert not [child for child in psutil.Process().children() if GOES_ON in child.cmdline()]


def test_another_environment_needs_another_start(scene):
    async def scenario():
        scene.edit("uv.lock", "edited")
        await scene.says("error: uv.lock was edited, and asks for another environment")
        scene.edit("uv.lock", "as it was")
        await scene.until(("take_up", ["uv.lock"]), "complete")

    scene.play(scenario)


def test_the_notebook_of_a_script_that_was_edited_alone_is_written(scene):
    script, notebook = "notebooks/a.py", "notebooks/a.ipynb"

    async def scenario():
        scene.edit(script, "# %%\n2 + 2\n")
        await scene.until("prepare", ("take_up", [script]), "complete")
        chapters.check_pair("a")
        scene.edit(script, "# %%\n3 + 3\n")
        scene.edit(notebook, "{}")
        await scene.until(("take_up", [notebook, script]), "complete")
        assert (scene.folder / notebook).read_text() == "{}"

    scene.play(scenario)


def test_a_port_that_is_taken_is_named():
    with socket.socket() as taken:
        taken.bind((serving.HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        message = f"port {port} is in use; .* take another: make serve PORT={port + 1}"
        with pytest.raises(PoolscreenError, match=message):
            serving.listen(port)

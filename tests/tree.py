"""A copy of the finished project, to break and to build in."""

import contextlib
import functools
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).parent.parent
# Seconds after which something hangs. A machine that is busy and slow takes long, but not so long.
HANGING = 600


class Tree:
    """A copy of the project, to break and to build in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {**os.environ, "PYTHONPATH": str(folder / "src")}
        self.started: list[subprocess.Popen] = []

    def press(self, *arguments: str) -> subprocess.CompletedProcess:
        """Run a command of the book to its end."""
        process = self.start(*arguments)
        output, _ = process.communicate(timeout=HANGING)
        return subprocess.CompletedProcess(process.args, process.returncode, output)

    def start(self, *arguments: str) -> subprocess.Popen:
        """Start a command in a process group of its own, which can be killed as a whole."""
        process = subprocess.Popen(
            [sys.executable, "-m", "press", *arguments],
            cwd=self.folder,
            env=self.env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def remove(self) -> None:
        """Remove the copy, once nothing that was started in it runs any more.

        A command that a test gave up leaves its workflow, the jobs of it, and their kernels, which
        have sessions of their own and end when their parents have.
        """
        for process in self.started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate(timeout=HANGING)
        deadline = time.monotonic() + HANGING
        while left := self.running():
            assert time.monotonic() < deadline, f"still running: {left}"
            time.sleep(0.1)
        shutil.rmtree(self.folder)

    def running(self) -> list[str]:
        """Command lines of the processes that work in the copy."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if Path(process.cwd()).is_relative_to(self.folder):
                    found.append(" ".join(process.cmdline()))
        return found

    def would_run(self) -> list[str]:
        """List what a build would run, as `rule` or `rule name`, sorted."""
        command = [sys.executable, "-m", "snakemake", "--snakefile", "workflow/Snakefile"]
        command += ["--cores", "2", "--dry-run", "--nolock", "--max-checksum-file-size", "1GB"]
        ran = subprocess.run(
            command,
            cwd=self.folder,
            env=self.env,
            check=True,
            text=True,
            capture_output=True,
        )
        jobs = []
        for block in re.split(r"^(?:local)?rule ", ran.stdout, flags=re.MULTILINE)[1:]:
            name = block.split(":")[0]
            wildcards = re.search(r"wildcards: (.*)", block)
            values = re.findall(r"=([\w/]+)", wildcards[1]) if wildcards else []
            jobs.append(" ".join([name, *values]))
        return sorted(job for job in jobs if job != "all")

    def edit(self, path: str, old: str, new: str) -> None:
        file = self.folder / path
        text = file.read_text()
        assert old in text, f"{path} no longer holds {old!r}"
        part = file.with_name(f".{file.name}.part")
        part.write_text(text.replace(old, new, 1))
        part.replace(file)  # it may be linked to the original, and is never half-written

    def edit_chapter(self, chapter: str, old: str, new: str) -> None:
        self.edit(f"notebooks/{chapter}.py", old, new)
        assert self.press("pair").returncode == 0

    def page(self, name: str) -> str:
        return (self.folder / "_build" / "html" / f"{name}.html").read_text()

    def site_is_whole(self) -> bool:
        """Whether the published files are those that the site's manifest lists."""
        manifest = (self.folder / "_build" / "site.sha256").read_text()
        listed = dict(reversed(line.split("  ", 1)) for line in manifest.splitlines())
        return listed == self.site()

    def site(self, folder: str = "_build/html") -> dict[str, str]:
        """The SHA-256 of every published file, or of a preview."""
        html = self.folder / folder
        return {
            path.relative_to(html.parent).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in html.rglob("*")
            if path.is_file()
        }


def copy_project(book: Path, folder: Path) -> Tree:
    """Copy the finished project. Its results are links: nothing writes into them."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=book,
        check=True,
        text=True,
        capture_output=True,
    )
    for name in listed.stdout.rstrip("\0").split("\0"):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(book / name, target)
    for part in (book / "results").iterdir():
        if part.name == "benchmarks":  # those are in the repository
            continue
        copy = functools.partial(shutil.copytree, copy_function=os.link)
        (folder / "results").mkdir(exist_ok=True)
        (copy if part.is_dir() else os.link)(part, folder / "results" / part.name)
    shutil.copytree(book / ".snakemake", folder / ".snakemake")
    repository = book / ".git"  # pages name the commit; in a linked work tree it is a file
    (shutil.copytree if repository.is_dir() else shutil.copy2)(repository, folder / ".git")
    for part in ("executed", "html", "pedigree.json", "site.sha256"):
        source = book / "_build" / part
        copy = shutil.copytree if source.is_dir() else shutil.copy2
        (folder / "_build").mkdir(exist_ok=True)
        copy(source, folder / "_build" / part)
    return Tree(folder)

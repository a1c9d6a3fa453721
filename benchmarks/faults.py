"""Every way to fail: builds that are killed, disks that are full, results that are damaged.

A small book, whose one chapter loads a result of each kind, is built once, undisturbed. Each trial
copies it, removes a few results, disturbs the build that makes them anew, and builds again. Then
every file must be as it was in the undisturbed one; nothing may be lost, and nothing left behind.
"""

import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from itertools import product
from pathlib import Path

import psutil
from benchmarks import builds
from tests.tree import HANGING, Tree

from press import measurements, paths

CAMPAIGNS = (1, 2)  # each tries everything, with a chance of its own
SECONDS = 3 * 60 * 60  # after which no trial begins; the figures say how many were tried
CHAPTER = """# %% [markdown]
# # Results of each kind

# %%
from press.results import (
    load_attempt,
    load_calibration,
    load_fit,
    load_predictions,
    load_screen,
    load_table,
    load_truth,
)

print(load_screen().log_fc.sum(), load_truth("sigma")["value"].item())
print(load_screen("wang2014").log_fc.sum())
print(load_fit("m7a")["posterior/sigma"].values.mean(), len(load_table("m7a", "scalars")))
print(load_calibration("m7a")["rank"].values.sum())
print(load_predictions("m7a")["log_likelihood/cell_line"].values.mean())
print(load_attempt("m7a/pymc").attrs["max_r_hat"])
"""
TOC = "format: jb-book\nroot: book/start\nchapters:\n"
PAGES = ("notebooks/small", "book/reproducibility")
INFERENCE = "src/poolscreen/inference/"
# Less is computed in the small book, ...
SMALLER = (
    ("calibration.py", f"DATA_SETS = {builds.DATA_SETS}", "DATA_SETS = 2"),
    ("recovery.py", "SCREENS = 100", "SCREENS = 2"),
    ("recovery.py", "OTHER_SCREENS = 30", "OTHER_SCREENS = 2"),
    ("recovery.py", "DRAWS = 500", "DRAWS = 100"),
    ("sampling.py", "draws: int = 2000", "draws: int = 100"),
    ("sampling.py", "tune: int = 2000", "tune: int = 100"),
    ("sampling.py", "Settings(draws=1000, tune=1000,", "Settings(draws=500, tune=500,"),
)
# ... and times are pinned: nothing else differs between two builds that nobody disturbs.
NO_TIMES = 'created_at="", sampling_time=0.0'
PINNED = (
    ("fitting.py", 'datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")', '""'),
    ("sampling.py", "round(compiled_at - started, 3)", "0.0"),
    ("sampling.py", "round(time.perf_counter() - compiled_at, 3)", "0.0"),
    ("samplers.py", 'seconds_compiling": seconds - sampling_seconds', 'seconds_compiling": 0.0'),
    ("samplers.py", 'seconds_sampling": sampling_seconds', 'seconds_sampling": 0.0'),
    ("samplers.py", "posterior[scalars]", f"posterior[scalars].assign_attrs({NO_TIMES})"),
    ("samplers.py", '"tree_depth"]]', f'"tree_depth"]].assign_attrs({NO_TIMES})'),
    ("calibration.py", "round(time.monotonic() - started, 1)", "0.0"),
    ("store.py", "group.to_dataset())", f"group.to_dataset().assign_attrs({NO_TIMES}))"),
)
# Results that are removed, so that they are made anew in seconds.
SCREEN, EXECUTED = "results/screens/wang2014.csv", "_build/executed/small.ipynb"
FIT = "results/fits/m7a.nc"
LIGHT = (SCREEN, EXECUTED, "_build/site.sha256")
LIGHTEST = (SCREEN, "_build/site.sha256")
# A branch, and what it has.
OTHER, EDIT = "other", ("print(load_attempt(", 'print("EDITED", load_attempt(')
# What a build keeps for itself: how it went, and what the next one starts from.
ITS_OWN = re.compile(
    r"logs/|\.snakemake/|\.git/|_build/(locks|made|sphinx|book|times)|.*__pycache__"
)


class Book(Tree):
    """The small book, or a copy of it to fail in."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        (folder.parent / "tmp").mkdir(exist_ok=True)
        # As `make book` has it.
        self.env |= {"PYTHONPATH": "src", "TMPDIR": str(folder.parent / "tmp")}

    def files(self) -> dict[str, str]:
        """Return the digest of every file but those that a build keeps for itself."""
        found = {}
        for path in sorted(self.folder.rglob("*")):
            name = path.relative_to(self.folder).as_posix()
            if path.is_file() and not ITS_OWN.match(name):
                found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        return found

    def remove_results(self, *names: str) -> None:
        """Remove results, which the next build makes anew."""
        for name in names:
            (self.folder / name).unlink()

    def end(self, process: subprocess.Popen) -> str:
        """Wait for a command, and return what it says: a message, or nothing if it succeeds."""
        said, _ = process.communicate(timeout=HANGING)
        return "" if process.returncode == 0 else message(said)

    def build(self) -> str:
        """Build, and return the message if that fails."""
        return self.end(self.start("build"))

    def run(self, *command: str) -> str:
        """Run any command in the book, and return the message if it fails."""
        ran = subprocess.run(
            command, cwd=self.folder, env=self.env, check=False, text=True, capture_output=True
        )
        return "" if ran.returncode == 0 else message(ran.stdout + ran.stderr)

    def find(self, command: str, process: subprocess.Popen) -> psutil.Process | None:
        """Wait for a process of a build that has this in its command; None if the build ends."""
        while process.poll() is None:
            for found in psutil.Process(process.pid).children(recursive=True):
                with suppress(psutil.Error):
                    if command in " ".join(found.cmdline()) and "python" in found.name():
                        return found
            time.sleep(0.02)
        return None

    def git(self, *arguments: str) -> None:
        """Run git in the book, whose repository is its own."""
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True)


def message(said: str) -> str:
    """Return the message that a command which fails ends with."""
    _, found, last = f"\n{said}".rpartition("\nerror: ")
    return last.strip() if found else f"NO MESSAGE: {said[-300:]}"


def small_book(folder: Path) -> Book:
    """Lay out the sources of the small book, in a repository of its own."""
    builds.copy_sources(folder)
    book = Book(folder)
    for name, old, new in (*SMALLER, *PINNED):
        book.edit(f"{INFERENCE}{name}", old, new)
    (folder / "notebooks" / "small.py").write_text(CHAPTER)
    (folder / "_toc.yml").write_text(TOC + "".join(f"  - file: {page}\n" for page in PAGES))
    assert book.press("pair").returncode == 0
    book.git("init", "--quiet", "--initial-branch", "main")
    book.git("add", "--all")
    book.git("commit", "--quiet", "--message", "the small book")
    book.git("checkout", "--quiet", "-b", OTHER)
    book.edit_chapter("small", *EDIT)
    book.git("commit", "--quiet", "--all", "--message", "the other book")
    book.git("checkout", "--quiet", "main")
    return book


# -- the faults ------------------------------------------------------------------------------


class NotTriedError(Exception):
    """What a fault needs is not there."""


class Trial(ExitStack):
    """A copy of the book to fail in, chance of its own, and what to undo at the end."""

    def __init__(self, reference: Book, folder: Path, number: int, seconds: float) -> None:
        super().__init__()
        self.reference, self.folder = reference, folder
        self.number, self.seconds = number, seconds
        self.chance = random.Random(folder.name)
        self.copy(reference, folder / "book")
        self.wrong: list[str] = []

    def copy(self, book: Book, folder: Path) -> None:
        """Go on in a copy of the book."""
        shutil.copytree(book.folder, folder, symlinks=True)
        self.book = Book(folder)

    def some_moment(self) -> None:
        """Wait for a moment of a build of the light jobs."""
        time.sleep(self.chance.uniform(0, self.seconds))

    def mount(self, *arguments: str) -> None:
        """Mount a file system until the trial ends."""
        target = arguments[-1]
        if subprocess.run(["mount", *arguments], check=False, capture_output=True).returncode:
            raise NotTriedError("nothing can be mounted here")
        self.callback(subprocess.run, ["umount", "--lazy", target], check=True)


Fault = Callable[[Trial], str]  # it returns the message of what it disturbed


def nothing(trial: Trial) -> str:
    """Make everything anew, and disturb nothing."""
    assert not trial.book.end(trial.book.start("clean"))
    return trial.book.build()


def kill_build(trial: Trial) -> str:
    """Kill the process group of a build at a random moment."""
    trial.book.remove_results(*LIGHT)
    process = trial.book.start("build")
    trial.some_moment()
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=HANGING)
    return ""


def kill(command: str, *removed: str) -> Fault:
    """Kill one process of a build, a random moment after it has begun."""

    def fault(trial: Trial) -> str:
        trial.book.remove_results(*removed)
        process = trial.book.start("build")
        found = trial.book.find(command, process)
        time.sleep(trial.chance.uniform(0, 2))
        if found:
            with suppress(psutil.NoSuchProcess):
                found.kill()
        return trial.book.end(process)

    return fault


def full_disk(size: int, *removed: str) -> Fault:
    """Build on a file system with less room than is written, up to this many bytes."""

    def fault(trial: Trial) -> str:
        room = small_disk(trial)
        trial.book.remove_results(*removed)
        with room(trial.chance.uniform(0, size)):
            return trial.book.build()

    return fault


def full_disk_of_ones_own(command: str, *arguments: str) -> Fault:
    """Run a command on a screen of one's own without room for what it writes, then with it."""

    def fault(trial: Trial) -> str:
        room = small_disk(trial)
        whole = [sys.executable, "-m", "poolscreen", command, *arguments, "--output", "own"]
        with room(trial.chance.uniform(0, 300_000)):
            said = trial.book.run(*whole)
        # What has been computed may be there before its report, but each file as a whole.
        own = trial.book.folder / "own"
        written = {path.name: path.read_bytes() for path in own.glob("*")}
        if again := trial.book.run(*whole, "--force"):
            trial.wrong.append(f"again: {again}")
        for name, content in written.items():
            if not (own / name).is_file() or (own / name).read_bytes() != content:
                trial.wrong.append(f"half of {name}")
        shutil.rmtree(own, ignore_errors=True)
        return said

    return fault


def small_disk(trial: Trial) -> Callable[[float], AbstractContextManager[None]]:
    """Take the book to a file system of its own; what is returned leaves that little room."""
    disk = trial.folder / "disk"
    disk.mkdir()
    trial.mount("-t", "tmpfs", "-o", "size=1g", "tmpfs", str(disk))
    trial.copy(trial.book, disk / "book")

    @contextmanager
    def room(left: float) -> Iterator[None]:
        ballast = disk / "ballast"
        with ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(disk).free - int(left))
        yield
        ballast.unlink()

    return room


def damage(path: str, other: str = "") -> Fault:
    """Cut a file short, flip a byte of it, empty it, or put another in its place."""

    def fault(trial: Trial) -> str:
        file = next(trial.book.folder.glob(path))
        content, stamp = bytearray(file.read_bytes()), file.stat().st_mtime
        if trial.number == 0:
            content[trial.chance.randrange(len(content))] ^= 1
        elif trial.number == 1:
            content = content[: trial.chance.randrange(1, len(content))]
        elif trial.number == 2:
            content = bytearray()
        else:
            content = bytearray((paths.root() / other).read_bytes() if other else b"{}")
        file.write_bytes(content)
        if trial.chance.random() < 0.5:  # as a disk does, and not an editor
            os.utime(file, (stamp, stamp))
        return trial.book.build()

    return fault


def two_builds(trial: Trial) -> str:
    """Start a build while another one runs."""
    trial.book.remove_results(*LIGHTEST)
    first = trial.book.start("build")
    trial.some_moment()
    second = trial.book.start("build")
    return trial.book.end(first) + trial.book.end(second)


def build_and_clean(trial: Trial) -> str:
    """Clean while a build runs; only then is everything made anew."""
    trial.book.remove_results(*LIGHTEST)
    building = trial.book.start("build")
    trial.book.find("snakemake", building)
    trial.some_moment()
    cleaning = trial.book.start("clean")
    said = trial.book.end(building) + trial.book.end(cleaning)
    left = [name for name in trial.book.files() if name.startswith(("results/fits", "_build"))]
    trial.wrong += left
    trial.copy(trial.reference, trial.folder / "cleaned")  # to make all anew takes minutes
    return said


def build_and_change(change: Callable[[Book], object]) -> Fault:
    """Change the sources while a build runs, see the change on the page, and take it back."""

    def fault(trial: Trial) -> str:
        trial.book.remove_results(*LIGHTEST)
        process = trial.book.start("build")
        trial.some_moment()
        change(trial.book)
        said = trial.book.end(process)
        if failed := trial.book.build():
            trial.wrong.append(f"after the change: {failed}")
        elif "EDITED 1" not in trial.book.page("notebooks/small"):
            trial.wrong.append("the page does not show the change")
        trial.book.git("checkout", "--quiet", "--force", "main")
        return said

    return fault


def elsewhere(name: str) -> Fault:
    """Build in a folder of another name."""

    def fault(trial: Trial) -> str:
        trial.copy(trial.book, trial.folder / name)
        trial.book.remove_results(*LIGHTEST)
        return trial.book.build()

    return fault


def through_a_link(trial: Trial) -> str:
    """Build in the folder that a symbolic link leads to."""
    link = trial.folder / "link"
    link.symlink_to(trial.book.folder)
    trial.book.remove_results(*LIGHTEST)
    return Book(link).build()


def with_settings(**settings: str) -> Fault:
    """Build with other variables in the environment; an empty one is taken away."""

    def fault(trial: Trial) -> str:
        trial.book.remove_results(*LIGHTEST)
        kept = {name: value for name, value in trial.book.env.items() if settings.get(name) != ""}
        trial.book.env = kept | {name: value for name, value in settings.items() if value}
        return trial.book.build()

    return fault


def with_shell(before: str, *removed: str) -> Fault:
    """Build from a shell that has done something before."""

    def fault(trial: Trial) -> str:
        trial.book.remove_results(*removed)
        return trial.book.run("sh", "-c", f"{before}; exec {sys.executable} -m press build")

    return fault


def little_memory(trial: Trial) -> str:
    """Build with less memory than a fit takes; the message must say how much that is."""
    kilobytes = trial.chance.randrange(1_500_000, 3_000_000)
    said = with_shell(f"ulimit -v {kilobytes}", FIT)(trial)
    if " MB when it last ended" not in said:
        trial.wrong.append("it is not said how much memory the fit takes")
    return said


def files_of_the_future(trial: Trial) -> str:
    """Give every file a time of its own, in the future, as if the clock had been set back since."""
    trial.book.remove_results(*LIGHTEST)
    for number, path in enumerate(sorted(trial.book.folder.rglob("*"))):
        later = time.time() + trial.chance.uniform(1000, 10_000) + number
        if path.is_file():
            os.utime(path, (later, later))
    return trial.book.build()


def read_only(trial: Trial) -> str:
    """Build where nothing can be written."""
    trial.book.remove_results(*LIGHTEST)
    folder = str(trial.book.folder)
    trial.mount("--bind", folder, folder)
    subprocess.run(["mount", "-o", "remount,ro,bind", folder], check=True)
    said = trial.book.build()
    trial.close()
    return said


def another_package(trial: Trial) -> str:
    """Set up an environment in which a package is of another version, or was taken out."""
    book, source = trial.book, paths.root()
    subprocess.run(["cp", "-a", source / ".venv", book.folder], check=True)
    installed = next((book.folder / ".venv").glob("lib/*/site-packages/tabulate-*.dist-info"))
    if trial.number:
        shutil.rmtree(installed)
    else:
        record = installed / "METADATA"
        record.write_text(re.sub(r"(?m)^Version: .*", "Version: 0.0.1", record.read_text()))
        installed.rename(installed.with_name("tabulate-0.0.1.dist-info"))
    book.env["PATH"] = f"{source / '.uv' / 'bin'}:{book.env['PATH']}"
    said = book.run("sh", "workflow/setup.sh")
    if not installed.is_dir():
        trial.wrong.append("the environment is not that of the lock")
    shutil.rmtree(book.folder / ".venv")
    return said


KILLED, FULL, DAMAGED = "a process killed", "no room on the disk", "a file damaged"
AT_ONCE, PLACES, MACHINE = "two at once", "another place or time", "memory and packages"
SCREEN_OF_OWN = ("data/wang2014_counts.tsv", "--samples", "data/wang2014_samples.csv")
# What is done, under which heading, how, and how often.
FAULTS: tuple[tuple[str, str, Fault, int], ...] = (
    (KILLED, "the whole build", kill_build, 30),
    (KILLED, "a job", kill("-m press execute", *LIGHT), 10),
    (KILLED, "a kernel", kill("ipykernel", *LIGHT), 10),
    (KILLED, "the site's process", kill("-m press site", *LIGHT), 10),
    (KILLED, "a fit", kill("-m press fit", FIT), 1),
    (FULL, "execute and site", full_disk(40_000_000, *LIGHT), 10),
    (FULL, "site", full_disk(30_000_000, "_build/site.sha256"), 10),
    (FULL, "execute", full_disk(60_000, SCREEN, EXECUTED), 10),
    (FULL, "fit", full_disk(20_000_000, FIT), 10),
    (FULL, "report", full_disk_of_ones_own("report", "results/screen.csv", "--model", "m7a"), 10),
    (FULL, "hits", full_disk_of_ones_own("hits", *SCREEN_OF_OWN), 10),
    (DAMAGED, "the screen", damage("results/screen.csv", "results/truth.csv"), 4),
    (DAMAGED, "a real screen", damage(SCREEN, "results/screen.csv"), 4),
    (DAMAGED, "a fit", damage(FIT, "results/fits/m7b.nc"), 4),
    (
        DAMAGED,
        "a table",
        damage("results/tables/m7a/scalars.csv", "results/tables/m7b/scalars.csv"),
        4,
    ),
    (
        DAMAGED,
        "a calibration",
        damage("results/calibration/m7a.nc", "results/calibration/m7b.nc"),
        4,
    ),
    (
        DAMAGED,
        "predictions",
        damage("results/predictions/m7a.nc", "results/predictions/m7b.nc"),
        4,
    ),
    (
        DAMAGED,
        "an attempt",
        damage("results/attempts/m7a/pymc.nc", "results/attempts/m7b/pymc.nc"),
        4,
    ),
    (
        DAMAGED,
        "an executed chapter",
        damage(EXECUTED, "_build/executed/01_data_generation.ipynb"),
        4,
    ),
    (DAMAGED, "a page", damage("_build/html/notebooks/small.html"), 4),
    (DAMAGED, "the list of the site's files", damage("_build/site.sha256"), 4),
    (DAMAGED, "the site's pedigree", damage("_build/pedigree.json"), 4),
    (DAMAGED, "a record of Snakemake", damage(".snakemake/metadata/*"), 4),
    (DAMAGED, "a record of a job", damage("_build/made/*.json"), 4),
    (DAMAGED, "the record of times", damage("_build/times.tsv"), 4),
    (AT_ONCE, "two builds", two_builds, 5),
    (AT_ONCE, "a build and make clean", build_and_clean, 5),
    (AT_ONCE, "a build and an edit", build_and_change(lambda b: b.edit_chapter("small", *EDIT)), 5),
    (
        AT_ONCE,
        "a build and git checkout",
        build_and_change(lambda b: b.git("checkout", "--quiet", OTHER)),
        5,
    ),
    (PLACES, "files of the future", files_of_the_future, 1),
    (PLACES, "a read-only folder", read_only, 1),
    (PLACES, "a path with spaces and other letters", elsewhere("ein Büch, 本"), 1),
    (PLACES, "a symbolic link", through_a_link, 1),
    (
        PLACES,
        "another language and time zone",
        with_settings(LC_ALL="tr_TR.UTF-8", LANG="", TZ="Pacific/Kiritimati"),
        1,
    ),
    (
        PLACES,
        "a plain locale",
        with_settings(LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0"),
        1,
    ),
    (PLACES, "no HOME", with_settings(HOME=""), 1),
    (PLACES, "umask 077", with_shell("umask 077", *LIGHTEST), 1),
    (MACHINE, "a limit of memory", little_memory, 1),
    (MACHINE, "another package", another_package, 2),
    ("nothing", "nothing: all is made anew", nothing, 1),
)


# -- how they end ----------------------------------------------------------------------------


def tried(trial: Trial, fault: Fault, reference: dict[str, str]) -> dict[str, object]:
    """Try a fault, build again, and compare every file with those of the undisturbed build."""
    started = time.monotonic()
    try:
        with trial:
            try:
                said = fault(trial)
                after = trial.book.files()
                again = trial.book.build()
                files = trial.book.files()
            finally:
                trial.book.remove()  # once nothing runs in it any more
    except subprocess.TimeoutExpired:
        wrong = f"hangs for {HANGING} s"
        return {"ended": "", "said": "", "left": 0, "wrong": wrong, "seconds": HANGING}
    except NotTriedError as error:
        return {"ended": "not tried", "said": str(error), "left": 0, "wrong": "", "seconds": 0.0}
    wrong = [*trial.wrong, *(["no clear message"] if UNCLEAR.search(said) else [])]
    if again:
        site = {name for name in reference if name.startswith("_build/html/")}
        wrong += sorted(name for name in site if files.get(name) != reference[name])
    else:
        names = reference.keys() | files.keys()
        wrong += sorted(name for name in names if reference.get(name) != files.get(name))
    left = sorted(after.keys() - reference.keys())
    # Where the trial lay tells nothing, and names this machine.
    last = (again or said).replace(f"{trial.folder}/", "").partition("\n")[0]
    return {
        "ended": "kept" if again else "equal",
        "said": last,
        "left": len(left),
        "wrong": "; ".join(wrong[:5]),
        "seconds": time.monotonic() - started,
    }


UNCLEAR = re.compile(r"Traceback|NO MESSAGE|see above|the workflow itself failed")


def light_seconds(book: Book, folder: Path) -> float:
    """Measure how long the light jobs take while every core builds a copy of the book."""
    copies = [Book(shutil.copytree(book.folder, folder / str(n))) for n in range(os.cpu_count())]
    began = time.monotonic()
    for copy in copies:
        copy.remove_results(*LIGHT)
    for copy, building in [(copy, copy.start("build")) for copy in copies]:
        assert not copy.end(building)
    return time.monotonic() - began


def campaigns(faults: Sequence[tuple[str, str, Fault, int]], folder: Path) -> Iterator[dict]:
    """Try each fault once, then again as often as is asked, one trial on each core at a time."""
    book = small_book(folder / "reference")
    assert not book.build()
    files, seconds = book.files(), light_seconds(book, folder / "timed")
    for built in ("sphinx", "book"):
        shutil.rmtree(book.folder / "_build" / built)
    until = time.monotonic() + SECONDS

    def figure(campaign: int, number: int, kind: str, name: str, fault: Fault) -> dict | None:
        if time.monotonic() > until:
            return None
        place = folder / f"{campaign} {number} {name}".replace(" ", "-")
        ended = tried(Trial(book, place, number, seconds), fault, files)
        shutil.rmtree(place)
        return {"campaign": campaign, "kind": kind, "fault": name} | ended

    rounds = range(max(times for *_, times in faults))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        trials = [
            pool.submit(figure, campaign, number, kind, name, fault)
            for campaign in CAMPAIGNS
            for number, (kind, name, fault, times) in product(rounds, faults)
            if number < times
        ]
        yield from filter(None, (trial.result() for trial in trials))


def main() -> None:
    """Try everything, and keep how it ended."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for figure in campaigns(FAULTS, Path(folder)):
            print("  ".join(f"{value}" for value in figure.values()), flush=True)
            found.append(figure)
            measurements.record("faults", found)

"""The repository: which commit this is, and where a reader finds it."""

import re
import subprocess
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

from press import paths

# What the site is made from; other changes do not make it another site.
SOURCES = ("src", "book", "notebooks", "results", "_config.yml", "_toc.yml", "uv.lock")
# Remotes whose addresses of files are known.
HOSTED = re.compile(r"(?:https://|git@)(?P<host>github\.com)[:/](?P<name>[^/]+/[^/]+?)(?:\.git)?/?")


@dataclass(frozen=True)
class Commit:
    """The commit that the site is made from.

    Attributes
    ----------
    hash : str
        Full hash; empty outside a repository.
    date : str
        Day of the commit, as year-month-day.
    clean : bool
        Whether what the site is made from is as it was committed.
    repository : str
        Web address of the repository the clone came from; empty if none is known.
    """

    hash: str = ""
    date: str = ""
    clean: bool = False
    repository: str = ""

    def link(self, path: str, first: int, last: int) -> str:
        """Return the web address of lines of a file; empty where a reader would not find them.

        Parameters
        ----------
        path : str
            The file, from the folder of the repository.
        first, last : int
            Lines, counted from 1.

        Returns
        -------
        str

        Examples
        --------
        >>> commit = Commit("a1b2c3", clean=True, repository="https://github.com/lab/screens")
        >>> commit.link("notebooks/a.py", 3, 5)
        'https://github.com/lab/screens/blob/a1b2c3/notebooks/a.py#L3-L5'
        >>> commit.site_url, commit.site_path
        ('https://lab.github.io/screens/', '/screens/')
        """
        if not (self.repository and self.clean):
            return ""
        return f"{self.repository}/blob/{self.hash}/{path}#L{first}-L{last}"

    @property
    def site_url(self) -> str:
        """Return where GitHub publishes the pages of the repository; empty if none is known."""
        hosted = HOSTED.fullmatch(self.repository)
        if not hosted:
            return ""
        owner, name = hosted["name"].split("/")
        own_page = name.lower() == f"{owner.lower()}.github.io"
        return f"https://{owner.lower()}.github.io/" + ("" if own_page else f"{name}/")

    @property
    def site_path(self) -> str:
        """Return the path of the published site on its host."""
        return urlsplit(self.site_url).path or "/"


@cache
def head() -> Commit:
    """Return the commit of the working tree; one without a hash outside a repository."""
    try:
        described = _git("log", "-1", "--format=%H %cs").split()
    except (OSError, subprocess.CalledProcessError):
        return Commit()
    try:
        remote = HOSTED.fullmatch(_git("remote", "get-url", "origin"))
    except subprocess.CalledProcessError:
        remote = None
    return Commit(
        hash=described[0],
        date=described[1],
        clean=not status(*SOURCES),
        repository=f"https://{remote['host']}/{remote['name']}" if remote else "",
    )


def status(*under: str) -> str:
    """Return what differs from the commit, as git says it; empty if nothing does.

    Parameters
    ----------
    *under : str
        Files and folders that are looked at, from the folder of the repository.

    Returns
    -------
    str
        A line for each file.

    Raises
    ------
    OSError
        Outside a repository, or where there is no git.
    subprocess.CalledProcessError
        If git fails.
    """
    return _git("status", "--porcelain", "--", *under)


def _git(*arguments: str) -> str:
    # Not a repository that happens to hold this folder.
    if not (paths.root() / ".git").exists():
        raise FileNotFoundError(f"{paths.root()} is no repository")
    ran = subprocess.run(
        ["git", *arguments],
        cwd=paths.root(),
        check=True,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    return ran.stdout.strip()

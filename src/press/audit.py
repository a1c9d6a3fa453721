"""What of the locked environment is known to be unsafe, and what of it is out of date.

uv asks the database osv.dev. Where that cannot be reached, a list of advisories in its format is
compared with the lock here: uv takes none, and pip-audit, where it reaches nothing, finds nothing.
"""

import json
import shutil
import subprocess
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from packaging.utils import canonicalize_name, canonicalize_version
from packaging.version import InvalidVersion, Version

from poolscreen.errors import PoolscreenError
from press import paths

Advisory = dict[str, Any]
"""An advisory as https://ossf.github.io/osv-schema/ describes it."""


def locked() -> list[tuple[str, str]]:
    """Return names and versions of all packages in `uv.lock` but the project itself."""
    lock = tomllib.loads((paths.root() / "uv.lock").read_text())
    return [
        (package["name"], package["version"])
        for package in lock["package"]
        if "registry" in package["source"]
    ]


def read(given: Path) -> list[Advisory]:
    """Read the advisories about packages of PyPI that have not been withdrawn.

    Parameters
    ----------
    given : pathlib.Path
        A folder of advisories, or one alone: in JSON, as osv.dev exports them, or in YAML, as
        https://github.com/pypa/advisory-database keeps them.

    Returns
    -------
    list of dict

    Raises
    ------
    PoolscreenError
        If there is none, which is no sign of safety, or a file cannot be read.
    """
    advisories = [
        advisory for advisory in _files(given) if next(_affected(advisory), None) is not None
    ]
    if not advisories:
        raise PoolscreenError(
            f"{given} holds no advisory about a package of PyPI; give a folder of advisories in "
            "the format of osv.dev, as JSON or YAML"
        )
    return [advisory for advisory in advisories if not advisory.get("withdrawn")]


def _files(given: Path) -> Iterator[Advisory]:
    for path in [given, *given.rglob("*")]:
        try:
            if path.suffix == ".json":
                said = json.loads(path.read_text(encoding="utf-8"))
            elif path.suffix in {".yaml", ".yml"}:
                # Versions and dates stay text.
                said = yaml.load(path.read_text(encoding="utf-8"), yaml.CBaseLoader)
            else:
                continue
        except (ValueError, yaml.YAMLError) as error:
            raise PoolscreenError(f"the advisory {path} cannot be read: {error}") from None
        if isinstance(said, dict):  # a clone of a database has other files as well
            yield said


def _affected(advisory: Advisory) -> Iterator[dict[str, Any]]:
    """Yield what an advisory says of each package of PyPI."""
    for affected in advisory.get("affected", []):
        if affected.get("package", {}).get("ecosystem") == "PyPI":
            yield affected


def _name(affected: dict[str, Any]) -> str:
    return canonicalize_name(affected["package"]["name"])


def affects(advisory: Advisory, name: str, version: str) -> bool:
    """Tell whether an advisory is about a version of a package.

    Parameters
    ----------
    advisory : dict
        In the format of osv.dev.
    name, version : str
        A package of PyPI.

    Returns
    -------
    bool

    Examples
    --------
    >>> package = {"ecosystem": "PyPI", "name": "Some_Package"}
    >>> ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "1.2"}, {"fixed": "1.10"}]}]
    >>> advisory = {"id": "PYSEC-0", "affected": [{"package": package, "ranges": ranges}]}
    >>> [affects(advisory, "some-package", version) for version in ("1.1", "1.9", "1.10")]
    [False, True, False]
    """
    return any(
        canonicalize_version(version) in map(canonicalize_version, affected.get("versions", []))
        or any(
            _within(version, span["events"])
            for span in affected.get("ranges", [])
            if span["type"] != "GIT"  # those are commits
        )
        for affected in _affected(advisory)
        if _name(affected) == canonicalize_name(name)
    )


def _within(version: str, events: list[dict[str, str]]) -> bool:
    """Tell whether the last event up to a version is the beginning of what is affected."""
    try:
        passed = [
            (Version(boundary), kind)
            for event in events
            for kind, boundary in event.items()
            if Version(version) > Version(boundary)
            or (Version(version) == Version(boundary) and kind != "last_affected")
        ]
    except InvalidVersion:
        return True  # a person has to look
    return bool(passed) and max(passed)[1] == "introduced"


def unsafe(advisories: list[Advisory], packages: list[tuple[str, str]]) -> list[str]:
    """Say which packages have known vulnerabilities, and where these are mended.

    Parameters
    ----------
    advisories : list of dict
        As `read` returns them.
    packages : list of tuple of str
        Names and versions, as `locked` returns them.

    Returns
    -------
    list of str
        A line for each advisory about a package.

    Examples
    --------
    >>> package = {"ecosystem": "PyPI", "name": "old"}
    >>> affected = [{"package": package, "versions": ["1.0"]}]
    >>> unsafe([{"id": "PYSEC-0", "summary": "It leaks.", "affected": affected}], [("old", "1.0")])
    ['old 1.0: PYSEC-0: It leaks. Fixed in no version.']
    """
    versions = defaultdict(list)  # those for other platforms or versions of Python, too
    for name, version in packages:
        versions[name].append(version)
    return [
        f"{name} {version}: {', '.join([advisory['id'], *advisory.get('aliases', [])])}: "
        f"{_title(advisory)} Fixed in {', '.join(_fixes(advisory, name)) or 'no version'}."
        for advisory in advisories
        for name in sorted({_name(affected) for affected in _affected(advisory)})
        for version in versions.get(name, [])
        if affects(advisory, name, version)
    ]


def _title(advisory: Advisory) -> str:
    text = advisory.get("summary") or advisory.get("details") or "It says no more"
    title: str = text.strip().splitlines()[0]
    return title if title.endswith(".") else f"{title}."


def _fixes(advisory: Advisory, name: str) -> list[str]:
    return [
        event["fixed"]
        for affected in _affected(advisory)
        if _name(affected) == canonicalize_name(name)
        for span in affected.get("ranges", [])
        if span["type"] != "GIT"
        for event in span["events"]
        if "fixed" in event
    ]


def look_up() -> str:
    """Have uv ask osv.dev about the lock, and return what uv says.

    Raises
    ------
    PoolscreenError
        If a locked package is unsafe, or nothing could be looked up.
    """
    ran = _uv("audit", "--frozen", "--preview-features", "audit-command")
    if ran.returncode == 1:
        raise PoolscreenError(f"locked packages are known to be unsafe:\n{ran.stdout.strip()}")
    if ran.returncode:
        raise PoolscreenError(
            f"no advisory was looked up, as `uv audit` failed:\n{ran.stderr.strip()}\n"
            "Where osv.dev cannot be reached, give a list: make audit ADVISORIES=folder, where the "
            "folder holds advisories in the format of osv.dev"
        )
    return ran.stderr.strip() + ran.stdout.strip()


def compare(given: Path) -> str:
    """Compare a list of advisories with the lock, and say how many there were.

    Parameters
    ----------
    given : pathlib.Path
        See `read`.

    Returns
    -------
    str

    Raises
    ------
    PoolscreenError
        If a locked package is unsafe, or there is nothing to compare with.
    """
    advisories, packages = read(given), locked()
    found = unsafe(advisories, packages)
    if found:
        raise PoolscreenError("locked packages are known to be unsafe:\n" + "\n".join(found))
    last = max((str(advisory.get("modified", "")) for advisory in advisories), default="")
    return (
        f"None of {len(advisories):,} advisories (the last of {last[:10] or 'no date'}) is about "
        f"one of the {len(packages)} locked packages."
    )


def outdated() -> str:
    """Say which packages that the project asks for have newer versions on PyPI."""
    ran = _uv("tree", "--frozen", "--outdated", "--depth", "1")
    if ran.returncode:
        return f"Newer versions were not looked up, as `uv tree` failed:\n{ran.stderr.strip()}"
    newer = [line.lstrip("├└─ ") for line in ran.stdout.splitlines() if "(latest: " in line]
    return "\n".join(["Out of date:", *newer] if newer else ["Nothing is out of date."])


def _uv(*arguments: str) -> "subprocess.CompletedProcess[str]":
    uv = shutil.which("uv") or str(paths.root() / ".uv" / "bin" / "uv")
    return subprocess.run(
        [uv, *arguments], cwd=paths.root(), check=False, text=True, capture_output=True
    )

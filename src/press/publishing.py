"""Publishing: a freshly built site takes the place of the last good one, whole or not at all."""

import shutil
from pathlib import Path

from poolscreen import files
from press import paths


def html_path() -> Path:
    """Return the folder of the published site."""
    return paths.root() / "_build" / "html"


def manifest_path() -> Path:
    """Return the list of the published files with their SHA-256 (for `sha256sum --check`)."""
    return paths.root() / "_build" / "site.sha256"


def pedigree_path() -> Path:
    """Return the list of all files that the site was made from, with their SHA-256."""
    return paths.root() / "_build" / "pedigree.json"


def publish(fresh: Path) -> None:
    """Move a freshly built site into place, and list its files."""
    target, old = html_path(), html_path().with_name("html.old")
    restore()
    if target.exists():
        target.rename(old)
    fresh.rename(target)
    shutil.rmtree(old, ignore_errors=True)
    with files.replacing(manifest_path()) as part:
        part.write_bytes(_manifest())


def restore() -> None:
    """Undo what a process that was killed between the two renames of `publish` left."""
    target, old = html_path(), html_path().with_name("html.old")
    if old.exists() and not target.exists():
        old.rename(target)
    shutil.rmtree(old, ignore_errors=True)
    if not (is_whole() and pedigree_path().is_file()):
        manifest_path().unlink(missing_ok=True)


def is_whole() -> bool:
    """Tell whether the published files are those that the manifest lists, and no others."""
    return manifest_path().is_file() and manifest_path().read_bytes() == _manifest()


def _manifest() -> bytes:
    """List the files that are published."""
    published = sorted(path for path in html_path().rglob("*") if path.is_file())
    above = html_path().parent
    lines = [f"{files.sha256(path)}  {path.relative_to(above)}\n" for path in published]
    return "".join(lines).encode()

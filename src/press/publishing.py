"""Publishing: a freshly built site takes the place of the last good one, whole or not at all."""

import shutil
from pathlib import Path

from poolscreen import files
from press import flow, paths


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
    """Move a freshly built site into place, and list its files.

    Parameters
    ----------
    fresh : pathlib.Path
        Folder of the site, on the same file system.
    """
    published, last = html_path(), _last_path()
    restore()
    if published.exists():
        published.rename(last)
    fresh.rename(published)
    shutil.rmtree(last, ignore_errors=True)
    digests = flow.digest(paths.short(file) for file in published.rglob("*") if file.is_file())
    with files.replacing(manifest_path()) as part:
        # Its names count from its own folder, as `sha256sum` has them.
        part.write_text(
            "".join(f"{sha}  {name.removeprefix('_build/')}\n" for name, sha in digests.items())
        )


def restore() -> None:
    """Undo what a process that was killed between the two renames of `publish` left."""
    if _last_path().exists() and not html_path().exists():
        _last_path().rename(html_path())
    shutil.rmtree(_last_path(), ignore_errors=True)
    if not (is_whole() and pedigree_path().is_file()):
        manifest_path().unlink(missing_ok=True)


def is_whole() -> bool:
    """Tell whether the published files are those that the manifest lists."""
    if not manifest_path().is_file():
        return False
    lines = (line.partition("  ") for line in manifest_path().read_text().splitlines())
    listed = {f"_build/{name}": sha for sha, _, name in lines}
    there = all((paths.root() / name).is_file() for name in listed)
    return there and flow.digest(listed) == listed


def _last_path() -> Path:
    """Return where the last good site waits while the fresh one takes its place."""
    return html_path().with_name("html.old")

"""Print the packages of this environment that have lost files, or whose files were changed.

A set-up that is killed may leave half a package, which uv takes for a whole one. It needs nothing
but Python itself, as any package may be the one that is damaged.
"""

import csv
import sysconfig
from collections.abc import Iterator
from pathlib import Path


def damaged(folder: Path) -> Iterator[str]:
    """Find packages of which a file is missing or of another size than when it was installed."""
    for information in sorted(folder.glob("*.dist-info")):
        try:
            with (information / "RECORD").open(newline="", encoding="utf-8") as record:
                sizes = {path: int(size) for path, _, size in csv.reader(record) if size}
            whole = all((folder / path).stat().st_size == size for path, size in sizes.items())
        except (OSError, ValueError):
            whole = False
        if not whole:
            yield information.name.partition("-")[0]


if __name__ == "__main__":
    print(*damaged(Path(sysconfig.get_path("purelib"))))

"""Control groups of this process (Linux), which limit its cores and its memory, as a container's do."""

from collections.abc import Iterator
from pathlib import Path


def group_folders(controller: str, proc: Path, cgroups: Path) -> Iterator[Path]:
    """Yield the folders, below ``cgroups``, of this process's groups with a controller and of their parent groups.

    Version 1 has a hierarchy for each controller, version 2 one for all. In a container the path may be the one on the
    host; the root of the mounted hierarchy is then the container's group.
    """
    for line in text_of(proc / "self/cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            roots = [cgroups, cgroups / "unified"]
        elif controller in controllers.split(","):
            roots = [cgroups / controller, cgroups / controllers]
        else:
            continue
        inner = Path(path.lstrip("/"))
        yield from dict.fromkeys(root / group for root in roots for group in (inner, *inner.parents))


def text_of(path: Path) -> str:
    """Return the text of a file of the system; empty if it does not exist."""
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""

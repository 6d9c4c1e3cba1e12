"""How much main memory is free: beyond it the system ends processes without a word, so that trying is no way to find out."""

from contextlib import suppress
from pathlib import Path

MEMINFO = Path("/proc/meminfo")
CGROUP = Path("/sys/fs/cgroup")


def free_main_memory(meminfo: Path = MEMINFO, cgroup: Path = CGROUP) -> int | None:
    """Bytes that this process can still take: what Linux counts as available, and no more than its container allows.

    None where the system does not say.
    """
    known = [free for free in (_available(meminfo), _left_in_container(cgroup)) if free is not None]
    return min(known, default=None)


def _available(meminfo: Path) -> int | None:
    with suppress(OSError, ValueError):
        for line in meminfo.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return 1024 * int(line.split()[1])
    return None


def _left_in_container(cgroup: Path) -> int | None:
    # Version 2 of control groups: "max", or a number of bytes.
    with suppress(OSError, ValueError):
        return int((cgroup / "memory.max").read_text()) - int((cgroup / "memory.current").read_text())
    return None

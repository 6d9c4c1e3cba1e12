"""Memory that this process can still allocate: free memory, limits of its control groups and of the process."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from caedsl.machine.control_groups import group_folders, text_of

_CGROUPS = Path("/sys/fs/cgroup")
_PROC = Path("/proc")
_GROUP_FILES = (
    ("memory.max", "memory.current", "inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)
"""Files with the limit and the usage of a control group, and the row of file caches in its statistics, by version."""
_PYTORCH = {"-v": 900 << 20, "-d": 370 << 20}
"""Bytes of each limit that PyTorch needs on a CPU with the smallest model."""
_OWN_PROCESS = ContextVar("own process", default=False)


def available_memory(proc: Path = _PROC, cgroups: Path = _CGROUPS) -> int | None:
    """Return the bytes that can be allocated without swapping or failing; None if the system does not report it.

    It is the minimum of the machine's available memory, of what each control group around this process leaves (both
    versions; file caches count as free, because they are released on demand), and of what the limits of the process
    leave (``ulimit -v`` and ``ulimit -d``).
    """
    amounts = [*_machine(proc), *_control_groups(proc, cgroups), *dict(_limits(proc)).values()]
    return max(0, min(amounts)) if amounts else None


@contextmanager
def own_process() -> Iterator[None]:
    """Declare that this process does nothing but the work within the block, as the process of a command does.

    Only then may its memory be limited: in a notebook, the limit would also hold for everything else that runs there.
    """
    token = _OWN_PROCESS.set(True)
    try:
        yield
    finally:
        _OWN_PROCESS.reset(token)


def is_own_process() -> bool:
    """Return whether the caller is within ``own_process``."""
    return _OWN_PROCESS.get()


@contextmanager
def refused_beyond_available(proc: Path = _PROC, cgroups: Path = _CGROUPS) -> Iterator[None]:
    """Make allocations beyond the available memory, including swap, fail inside the context.

    Linux otherwise lets a process allocate more than there is, and then kills it without a message. Other systems are
    not changed, nor is a process outside ``own_process``.
    """
    if sys.platform != "linux" or not is_own_process():
        yield
        return
    import resource

    before = resource.getrlimit(resource.RLIMIT_DATA)
    available = available_memory(proc, cgroups)
    if available is not None:
        swap = _table(proc / "meminfo").get("SwapFree:", 0)
        limit_memory(available + 1024 * swap, proc)
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def limit_memory(more: int, proc: Path = _PROC) -> None:
    """Let this process allocate at most ``more`` bytes in addition; only Linux supports it."""
    taken = _table(proc / "self/status").get("VmData:")
    if sys.platform != "linux" or taken is None:
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    known = [limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min([more + 1024 * taken, *known]), hard))


def refuse_less_than_pytorch_needs(proc: Path = _PROC) -> None:
    """Raise a ``MemoryError`` if the limits of this process leave too little memory to import and use PyTorch.

    PyTorch itself would then kill the process, hang, or raise an arbitrary error.
    """
    for option, left in _limits(proc):
        if left < _PYTORCH[option]:
            raise MemoryError(f"`ulimit {option}` leaves {max(0, left) >> 20} MB")


def _machine(proc: Path) -> Iterator[int]:
    available = _table(proc / "meminfo").get("MemAvailable:")
    if available is not None:
        yield available * 1024
        return
    try:
        yield os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return


def _control_groups(proc: Path, cgroups: Path) -> Iterator[int]:
    """Yield the memory left to each control group of this process and to each of their parents."""
    for folder in group_folders("memory", proc, cgroups):
        for limit, usage, cache in _GROUP_FILES:
            most, used = text_of(folder / limit).strip(), text_of(folder / usage).strip()
            if most.isdecimal() and used.isdecimal():
                yield int(most) - int(used) + _table(folder / "memory.stat").get(cache, 0)


def _limits(proc: Path) -> Iterator[tuple[str, int]]:
    """Yield the memory that each limit of this process leaves, with the ``ulimit`` option that sets the limit."""
    if sys.platform == "win32":
        return
    import resource

    taken = _table(proc / "self/status")
    for option, limit, used in (("-v", resource.RLIMIT_AS, "VmSize:"), ("-d", resource.RLIMIT_DATA, "VmData:")):
        most, _ = resource.getrlimit(limit)
        if most != resource.RLIM_INFINITY and used in taken:
            yield option, most - taken[used] * 1024


def _table(path: Path) -> dict[str, int]:
    """Return the whole numbers of a file with lines such as ``MemAvailable:  23274 kB``, by name."""
    words = (line.split() for line in text_of(path).splitlines())
    return {line[0]: int(line[1]) for line in words if len(line) > 1 and line[1].isdecimal()}

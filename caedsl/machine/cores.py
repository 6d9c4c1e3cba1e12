"""Cores that this process may use, and how busy other processes keep them. Imported before PyTorch."""

import os
import sys
import time
from collections.abc import Callable, Container, Mapping, MutableMapping
from pathlib import Path
from typing import NamedTuple

from caedsl.machine.control_groups import group_folders, text_of

ROOT = Path("/")
WAIT_POLICY = "OMP_WAIT_POLICY"
"""OpenMP's variable for whether threads spin (``ACTIVE``) or sleep (``PASSIVE``) while they wait for each other."""

SET_BY_USER = (WAIT_POLICY, "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
SAMPLE_SECONDS, SAMPLES = 0.1, 2
BUSY_SHARE = 0.25
"""Share of the cores that other processes must use for the cores to count as busy.

Heuristic: one busy process on two cores uses half of them; a quiet desktop uses less than a tenth.
"""


class _Times(NamedTuple):
    busy: float
    all: float


def allowed_cores(system: Path = ROOT) -> int:
    """Return how many cores this process may use, by its affinity and the CPU quotas of its control groups."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = cpu_quota(system)
    return affinity if quota is None else max(1, min(affinity, int(quota)))


def cpu_quota(system: Path = ROOT) -> float | None:
    """Return the smallest CPU quota, in cores, that cgroup v1 or v2 sets for this process; None if there is none."""
    folders = group_folders("cpu", system / "proc", system / "sys/fs/cgroup")
    return min((quota for folder in folders if (quota := _quota_in(folder)) is not None), default=None)


def _quota_in(folder: Path) -> float | None:
    limit, _, period = text_of(folder / "cpu.max").strip().partition(" ")
    if not period:
        limit, period = text_of(folder / "cpu.cfs_quota_us"), text_of(folder / "cpu.cfs_period_us")
    try:
        quota = int(limit) / int(period)
    except (ValueError, ZeroDivisionError):
        return None  # "max", or no such file
    return quota if quota > 0 else None


def busy_cores(
    seconds: float = SAMPLE_SECONDS, system: Path = ROOT, sleep: Callable[[float], None] = time.sleep
) -> float:
    """Return how many of the allowed cores are busy on average during ``seconds``; 0 if the system does not say.

    Low-priority processes do not count, since they yield to others.
    """
    before = _core_times(system)
    sleep(seconds)
    after = _core_times(system)
    spent = [
        (after[core].busy - before[core].busy, after[core].all - before[core].all) for core in before if core in after
    ]
    return sum(busy / whole for busy, whole in spent if whole > 0)


def _core_times(system: Path) -> Mapping[int, _Times]:
    """Return the busy clock ticks and the total clock ticks of each allowed core."""
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    times: dict[int, _Times] = {}
    for line in text_of(system / "proc/stat").splitlines():
        name, *fields = line.split()
        if not (name.startswith("cpu") and name[3:].isdigit() and int(name[3:]) in allowed and len(fields) >= 8):
            continue
        user, nice, kernel, idle, waiting, hard, soft, stolen = map(int, fields[:8])
        busy = user + kernel + hard + soft + stolen
        times[int(name[3:])] = _Times(busy, busy + nice + idle + waiting)
    return times


def are_cores_busy() -> bool:
    """Return whether other processes keep the allowed cores busy at this moment; takes a tenth of a second."""
    return busy_cores() >= BUSY_SHARE * allowed_cores()


def choose_wait_policy(
    environment: MutableMapping[str, str] = os.environ,
    cores: int | None = None,
    busy: Callable[[], float] = busy_cores,
    platform: str = sys.platform,
    imported: Container[str] = sys.modules,
) -> str | None:
    """Make OpenMP's waiting threads sleep if other processes keep the cores busy; return a note for the user, or None.

    This has no effect once PyTorch is ``imported``, which reads the variable on import. Waiting threads spin by
    default. That is fastest on a quiet machine, but on a busy one they take time from the thread they wait for. The
    user's own settings are kept.
    """
    cores = allowed_cores() if cores is None else cores
    chosen = any(name in environment for name in SET_BY_USER)
    if platform != "linux" or "torch" in imported or chosen:
        return None
    if cores == 1 or environment.get("OMP_NUM_THREADS") == "1":
        return None
    shares = []
    for _ in range(SAMPLES):
        shares.append(busy() / cores)
        if shares[-1] < BUSY_SHARE:
            return None
    environment[WAIT_POLICY] = "PASSIVE"
    return (
        f"other processes use {sum(shares) / len(shares):.0%} of the {cores} cores, so waiting threads sleep instead "
        f"of spinning; {WAIT_POLICY}=ACTIVE keeps them spinning"
    )

"""Prefetching by a few threads: reading and decoding release Python's lock, so they overlap."""

import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from caedsl.machine.cores import allowed_cores

Key = TypeVar("Key")
Result = TypeVar("Result")

MOST_WORKERS = 8
LOWEST_PRIORITY = 19


def workers() -> int:
    """Return the number of threads: the cores that this process may use, at most ``MOST_WORKERS``."""
    return min(MOST_WORKERS, allowed_cores())


def ahead(work: Callable[[Key], Result], keys: Iterable[Key], most: int, polite: bool = False) -> Iterator[Result]:
    """Yield ``work`` of each key, in the order of the keys, with at most ``most`` results prefetched.

    ``polite`` threads have low priority, as far as the system supports it: a step that computes on all cores waits for
    the slowest, so time taken from one core delays all. An exception in ``work`` is raised when its result is due.
    Ending the iterator early waits for work in progress and starts no more.
    """
    with ThreadPoolExecutor(workers(), "caedsl-ahead", _be_polite if polite else None) as threads:
        waiting: deque[Future[Result]] = deque()
        try:
            for key in keys:
                waiting.append(threads.submit(work, key))
                if len(waiting) >= most:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _be_polite() -> None:
    if sys.platform == "linux":  # elsewhere it would affect the whole process
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOWEST_PRIORITY)

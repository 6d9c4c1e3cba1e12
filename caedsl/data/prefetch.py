"""Work done ahead of its use by a few threads: reading and decoding leave Python's lock, so that they overlap."""

import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

Key = TypeVar("Key")
Result = TypeVar("Result")

MOST_WORKERS = 8
LOWEST_PRIORITY = 19


def workers() -> int:
    """As many threads as this process has cores, and no more than ``MOST_WORKERS``."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(MOST_WORKERS, cores)


def ahead(work: Callable[[Key], Result], keys: Iterable[Key], most: int, polite: bool = False) -> Iterator[Result]:
    """``work`` of each key, in the order of the keys; at most ``most`` results are there before they are asked for.

    Threads that are ``polite`` leave the processor to others of this process, as far as the system can be told: a step
    that computes on all cores waits for the last of them, so that a moment taken from one costs all. What ``work``
    raises is raised where its result is due. Ending the iterator early waits for what has begun, and begins nothing
    more.
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
    if sys.platform == "linux":  # elsewhere it would be the whole process
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOWEST_PRIORITY)

"""Work done ahead of its use by a few threads: reading and decoding leave Python's lock, so that they overlap."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Key = TypeVar("Key")
Result = TypeVar("Result")

MOST_WORKERS = 8


def workers() -> int:
    """As many threads as this process has cores, and no more than ``MOST_WORKERS``."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(MOST_WORKERS, cores)


def ahead(work: Callable[[Key], Result], keys: Iterable[Key], most: int) -> Iterator[Result]:
    """``work`` of each key, in the order of the keys; at most ``most`` results are there before they are asked for.

    What ``work`` raises is raised where its result is due. Ending the iterator early waits for what has begun, and
    begins nothing more.
    """
    with ThreadPoolExecutor(workers(), "caedsl-ahead") as threads:
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

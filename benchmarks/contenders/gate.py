"""How a contender waits for its turn and reports its result."""

import json
import resource
import sys
import time

MARK = "epoch: "
READY = "ready"
"""Line before the first epoch: data are loaded, and searches are done."""


class Gate:
    """``begin`` waits until an epoch may start, ``end`` reports it."""

    def __init__(self) -> None:
        self._begun: float | None = None

    def begin(self) -> None:
        """Wait for the start signal on standard input."""
        if self._begun is None:
            print(READY, flush=True)
        sys.stdin.readline()
        self._begun = time.perf_counter()

    def end(self, loss: float | None) -> None:
        """End the epoch with its mean loss (penalties included), if the contender returns one."""
        assert self._begun is not None
        seconds = time.perf_counter() - self._begun
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(f"{MARK}{json.dumps({'seconds': seconds, 'loss': loss, 'memory': memory})}", flush=True)

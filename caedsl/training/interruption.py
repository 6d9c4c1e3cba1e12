"""Ctrl-C and SIGTERM ask a run to end after the step it is in; a second Ctrl-C ends it at once.

In a group of processes signals come more than once: from the person, and from torchrun, which also ends a group of which
one has failed. There a second one changes nothing, and what is left to do after a failure is done.
"""

import signal
import threading
from types import FrameType, TracebackType
from typing import Self

from caedsl.training.parallel.processes import LostError, current


class Interruption:
    """Inside, SIGINT and SIGTERM set ``requested`` and change nothing else. Outside the main thread it does nothing."""

    def __init__(self) -> None:
        self.requested = False
        self._previous: dict[int, signal._HANDLER] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._previous[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not isinstance(error, LostError):
            self._restore()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        if current().count == 1:
            self._restore()

    def _restore(self) -> None:
        while self._previous:
            signal.signal(*self._previous.popitem())

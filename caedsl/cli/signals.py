"""Signals that end a command, such as Ctrl-C: what it has begun to write is removed."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from caedsl.machine.signals import ending_signals


class Interruption:
    """Record of whether a signal has ended the command."""

    requested = False

    def note(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        self.requested = True
        raise KeyboardInterrupt


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Raise ``KeyboardInterrupt`` at a signal inside the context.

    Outside the main thread, where no handler can be set, this does nothing.
    """
    interruption, before = Interruption(), {}
    try:
        for number in ending_signals():
            before[number] = signal.signal(number, interruption.note)
    except ValueError:
        pass
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

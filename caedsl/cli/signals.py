"""Signals that end a command, such as Ctrl-C: incomplete output files are removed."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from caedsl.machine.signals import ending_signals


class SignalRecord:
    """Record of whether a signal has ended a command."""

    requested = False

    def note(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        self.requested = True
        raise KeyboardInterrupt


@contextmanager
def interruptible() -> Iterator[SignalRecord]:
    """Raise ``KeyboardInterrupt`` at a signal inside the context.

    Outside the main thread, where no handler can be set, this does nothing.
    """
    record, before = SignalRecord(), {}
    try:
        for number in ending_signals():
            before[number] = signal.signal(number, record.note)
    except ValueError:
        pass
    try:
        yield record
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

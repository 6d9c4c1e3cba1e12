"""Signals that ask a process to end."""

import signal

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
"""Ctrl-C, the usual request of other programs, and a terminal that is closed; Windows has no SIGHUP."""


def ending_signals() -> list[int]:
    """Return the numbers of the signals, without those that are ignored, as SIGHUP is under ``nohup``."""
    numbers = (getattr(signal, name) for name in _NAMES if hasattr(signal, name))
    return [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]

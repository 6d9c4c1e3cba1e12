"""Standard streams that are closed, full or without a reader: a command finishes its work, then reports the problem.

Otherwise the first line that cannot be printed would end a training run, and a closed descriptor would be reused for
the next opened file, into which libraries then write their warnings.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EBADF
from typing import Any, TextIO, cast

from caedsl.cli.exit_codes import COULD_NOT_RUN, INTERRUPTED

_DESCRIPTORS = (0, 1, 2)


class GuardedStream:
    """Stream of text or bytes that records its first failure in ``failures`` instead of raising it."""

    def __init__(self, stream: Any, failures: list[OSError]) -> None:
        self._stream = stream
        self.failures = failures

    def write(self, text: Any) -> int:
        """Write text or bytes, or drop them if that fails."""
        try:
            self._stream.write(text)
        except OSError as error:
            self.failures.append(error)
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Write all lines."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Flush the buffer."""
        try:
            self._stream.flush()
        except OSError as error:
            self.failures.append(error)

    @property
    def buffer(self) -> "GuardedStream":
        """Underlying stream of bytes."""
        return GuardedStream(self._stream.buffer, self.failures)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._stream)

    def end(self) -> None:
        """Flush; after a failure, redirect the descriptor to nowhere, so that Python's own flush at exit succeeds."""
        self.flush()
        if self.failures:
            with suppress(OSError, ValueError, AttributeError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, self._stream.fileno())
                os.close(nowhere)


class _Closed:
    """Stream that was closed before the program started."""

    encoding, errors = "utf-8", "replace"

    def write(self, text: Any) -> int:
        raise OSError(EBADF, "it is closed")

    def flush(self) -> None:
        """Do nothing."""

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        raise OSError(EBADF, "it is closed")

    @property
    def buffer(self) -> "_Closed":
        return self


@contextmanager
def guarded_streams() -> Iterator[GuardedStream]:
    """Keep writes to standard output and standard error from failing; yield the guard of standard output."""
    before = sys.stdout, sys.stderr
    # Python represents streams that its parent process closed by None or closed descriptors.
    if None in (sys.stdin, *before):
        _occupy_closed_descriptors()
    output, errors = (GuardedStream(_Closed() if stream is None else stream, []) for stream in before)
    for guard in (output, errors):
        # A terminal that cannot show a character shows a question mark instead of an error.
        getattr(guard, "reconfigure", lambda **_: None)(errors="replace")
    sys.stdout, sys.stderr = cast(TextIO, output), cast(TextIO, errors)
    try:
        yield output
    finally:
        output.end()
        errors.end()
        sys.stdout, sys.stderr = before


def exit_code(output: GuardedStream, code: int) -> int:
    """Return ``code``, or 2 if printed output was lost.

    A reader that stopped early (``| head``) loses nothing.
    """
    lost = [error for error in output.failures if not isinstance(error, BrokenPipeError)]
    if not lost or code == INTERRUPTED:
        return code
    print(f"caedsl: cannot write to standard output: {(lost[0].strerror or str(lost[0])).lower()}", file=sys.stderr)
    return COULD_NOT_RUN


def _occupy_closed_descriptors() -> None:
    for number in _DESCRIPTORS:
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one

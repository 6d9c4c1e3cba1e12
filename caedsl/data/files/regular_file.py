"""Opening of regular files: never a pipe, a socket or a device, which may block or never end."""

import os
import stat
from io import BufferedReader
from pathlib import Path

from caedsl.data.errors import DataError
from caedsl.machine.memory import available_memory

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
_LARGE = 1 << 26
"""Ask the system for the available memory if a file has at least this many bytes."""
# A pipe that nobody writes to would block the call that opens it; Windows has no such files.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def open_regular(path: Path) -> BufferedReader:
    """Open a regular file for reading; follow links.

    Raise a ``DataError`` for anything else with that name, and an ``OSError`` if the system refuses.
    """
    _check(path, os.stat(path).st_mode)  # opening a device may already do something
    handle = os.open(path, _FLAGS)
    try:
        _check(path, os.fstat(handle).st_mode)  # the name may refer to another file by now
    except DataError:
        os.close(handle)
        raise
    return os.fdopen(handle, "rb")


def read_regular(path: Path) -> bytes:
    """Return the contents of a regular file that fits in the available memory."""
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > _LARGE and (room := available_memory()) is not None and size > room:
            raise DataError(f"{path} needs {size:,} bytes of memory, but {room:,} are available")
        return file.read(size)


def _check(path: Path, mode: int) -> None:
    if stat.S_ISREG(mode):
        return
    kind = next((name for is_kind, name in _KINDS if is_kind(mode)), "not a regular file")
    raise DataError(f"{path} cannot be read: it is {kind}: replace it by a regular file, or remove it")

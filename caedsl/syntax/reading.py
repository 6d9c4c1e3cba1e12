"""Reading of a spec from a file or from bytes, with error messages for the user."""

import errno
import os
import stat

from caedsl.diagnostics.messages import MessageError
from caedsl.source import Source

MAX_BYTES = 1 << 16
"""Limit the size of a spec to about ten thousand lines; a larger file is something else."""

_OTHER_ENCODINGS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


class NotRegularError(OSError):
    """A path that leads to a pipe, a socket or a device."""


def read_regular(path: str, most: int) -> bytes:
    """Return the first ``most`` bytes of a regular file; refuse a pipe or a device, which may never end."""
    # Without O_NONBLOCK, opening a pipe waits for a writer.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(handle, "rb") as file:
        mode = os.fstat(handle).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        if not stat.S_ISREG(mode):
            raise NotRegularError(path)
        return file.read(most)


class SourceError(MessageError, OSError):
    """A spec that cannot be read. The message names the path, the problem and the remedy."""


def read_source(path: str | os.PathLike[str]) -> Source:
    """Return the spec in the file ``path``; raise ``SourceError`` if it cannot be read."""
    path = os.fspath(path)
    try:
        data = read_regular(path, MAX_BYTES + 1)
    except FileNotFoundError:
        raise SourceError(f"{path}: this file does not exist; check the path") from None
    except (IsADirectoryError, PermissionError) as error:
        if os.path.isdir(path):  # Windows denies permission to read a folder
            raise SourceError(f"{path}: this is a folder; name a `.cae` file in it") from None
        if isinstance(error, IsADirectoryError):
            raise
        raise SourceError(f"{path}: no permission to read this file; change its permissions") from None
    except NotRegularError:
        raise SourceError(
            f"{path}: this is a pipe or a device, not a file; name a `.cae` file, or `-` for standard input"
        ) from None
    except ValueError:  # a NUL in the path
        raise SourceError(f"{path!r}: this is not a path, because it contains a NUL character") from None
    except OSError as error:
        raise SourceError(f"{path}: the file cannot be read: {error.strerror or error}") from None
    return decode_source(data, path)


def decode_source(data: bytes, path: str) -> Source:
    """Return the spec in ``data``, named ``path``; raise ``SourceError`` if it is too large or not UTF-8."""
    if len(data) > MAX_BYTES:
        raise SourceError(
            f"{path}: this file is larger than {MAX_BYTES >> 10} KiB, the limit for a spec; name a `.cae` file"
        )
    try:
        return Source(data.decode("utf-8"), path)
    except UnicodeDecodeError as error:
        guess = _OTHER_ENCODINGS.get(data[:2])
        found = f"it looks like {guess}" if guess else f"its byte {error.start + 1:,} is 0x{data[error.start]:02x}"
        raise SourceError(f"{path}: this file is not UTF-8 text ({found}); save it as UTF-8") from None

"""Reading a spec from a file, or from the bytes of one: what goes wrong there, in words for a person."""

import errno
import os
import stat

from caedsl.source import Source

MAX_BYTES = 1 << 18
"""Largest size of a spec, some ten thousand lines; whatever is larger is another kind of file."""

_OTHER_ENCODINGS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


class NotRegularError(OSError):
    """A path that leads to a pipe, a socket or a device."""


def read_regular(path: str, most: int) -> bytes:
    """Return the first ``most`` bytes of a regular file; a pipe or a device, which may never end, is refused unread."""
    # Without O_NONBLOCK, opening a pipe waits for somebody to write to it.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(handle, "rb") as file:
        mode = os.fstat(handle).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        if not stat.S_ISREG(mode):
            raise NotRegularError(path)
        return file.read(most)


class SourceError(OSError):
    """A spec that cannot be read. Its text names the path, what is wrong and the remedy."""


def read_source(path: str | os.PathLike[str]) -> Source:
    """Return the spec in the file ``path``; raises ``SourceError``."""
    path = os.fspath(path)
    try:
        data = read_regular(path, MAX_BYTES + 1)
    except FileNotFoundError:
        raise SourceError(f"{path}: there is no such file; check the path") from None
    except (IsADirectoryError, PermissionError) as error:
        if os.path.isdir(path):  # Windows denies permission to read a folder
            raise SourceError(f"{path}: this is a folder; name a `.cae` file in it") from None
        if isinstance(error, IsADirectoryError):
            raise
        raise SourceError(f"{path}: you may not read this file; ask its owner, or change its permissions") from None
    except NotRegularError:
        raise SourceError(
            f"{path}: this is a pipe or a device, not a file; name a `.cae` file, or `-` for standard input"
        ) from None
    except ValueError:  # a NUL in the path
        raise SourceError(f"{path!r}: this is no path; it has a NUL character") from None
    except OSError as error:
        raise SourceError(f"{path}: the file cannot be read: {error.strerror or error}") from None
    return decode_source(data, path)


def decode_source(data: bytes, path: str) -> Source:
    """Return the spec in ``data``, known by ``path``; raises ``SourceError`` where it is too large or not UTF-8."""
    if len(data) > MAX_BYTES:
        raise SourceError(f"{path}: this file is larger than 256 KiB, which no spec is; name a `.cae` file")
    try:
        return Source(data.decode("utf-8"), path)
    except UnicodeDecodeError as error:
        guess = _OTHER_ENCODINGS.get(data[:2])
        found = f"it looks like {guess}" if guess else f"its byte {error.start + 1:,} is 0x{data[error.start]:02x}"
        raise SourceError(f"{path}: this file is not UTF-8 text ({found}); save it as UTF-8") from None

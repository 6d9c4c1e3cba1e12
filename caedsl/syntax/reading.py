"""Reading a spec from a file, or from the bytes of one: what goes wrong there, in words for a person."""

import os

from caedsl.source import Source

MAX_BYTES = 1 << 20
"""A spec of a mebibyte has some forty thousand lines: whatever is larger is another kind of file."""

_OTHER_ENCODINGS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


class SourceError(OSError):
    """A spec that cannot be read. Its text names the path, what is wrong and the remedy."""


def read_source(path: str | os.PathLike[str]) -> Source:
    """The spec in the file ``path``; raises ``SourceError``."""
    path = os.fspath(path)
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise SourceError(f"{path}: there is no such file; check the path") from None
    except (IsADirectoryError, PermissionError) as error:
        if os.path.isdir(path):  # Windows denies permission to read a folder
            raise SourceError(f"{path}: this is a folder; name a `.cae` file in it") from None
        if isinstance(error, IsADirectoryError):
            raise
        raise SourceError(f"{path}: you may not read this file; ask its owner, or change its permissions") from None
    except ValueError:  # a NUL in the path
        raise SourceError(f"{path!r}: this is no path; it has a NUL character") from None
    except OSError as error:
        raise SourceError(f"{path}: the file cannot be read: {error.strerror or error}") from None
    return decode_source(data, path)


def decode_source(data: bytes, path: str) -> Source:
    """The spec in ``data``, known by ``path``; raises ``SourceError`` where it is too large or not UTF-8."""
    if len(data) > MAX_BYTES:
        raise SourceError(f"{path}: this file is larger than 1 MiB, which no spec is; name a `.cae` file")
    try:
        return Source(data.decode("utf-8"), path)
    except UnicodeDecodeError as error:
        guess = _OTHER_ENCODINGS.get(data[:2])
        found = f"it looks like {guess}" if guess else f"its byte {error.start + 1:,} is 0x{data[error.start]:02x}"
        raise SourceError(f"{path}: this file is not UTF-8 text ({found}); save it as UTF-8") from None

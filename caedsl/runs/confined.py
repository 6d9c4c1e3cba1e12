"""Access to the files of a run folder that cannot leave the folder.

A run folder may come from an untrusted source. Symbolic links in it are never followed, whether to read, to write or to
delete. Only regular files are opened, so that no pipe or device can block or flood a command, and a file with a second
hard link is not written. A file is read only up to a size limit. The path of the folder itself may contain links, since
the user gives it.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EFBIG, EINVAL
from hashlib import file_digest
from pathlib import Path, PurePosixPath
from typing import BinaryIO

LARGEST_TEXT = 1 << 26
"""Largest text file that is read, in bytes: the history of some 300,000 epochs."""
LARGEST_RECORD = 12 << 20
"""Largest file with one JSON value, in bytes."""
LARGEST_PARSED = 100 << 20
"""Most bytes that the value may take while it is parsed."""
_PARSED_BYTES = {b"{": 1000, b"[": 1000, b":": 300, b",": 70}
"""Bytes that an object or a list, a key, and a value may take while they are parsed, by the mark that each has."""

_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_BINARY = getattr(os, "O_BINARY", 0)
_BY_DESCRIPTOR = {os.open, os.stat, os.unlink, os.rename, os.mkdir} <= os.supports_dir_fd


class _Place:
    """Name in an open folder, or a path where folders cannot be opened (Windows)."""

    def __init__(self, folder: Path, name: str, descriptor: int | None) -> None:
        self.path = folder / name
        self.name = self.path if descriptor is None else Path(PurePosixPath(name).name)
        self.descriptor = descriptor

    def status(self) -> os.stat_result | None:
        """Return the status without following a link, or None if nothing is there."""
        try:
            return os.stat(self.name, dir_fd=self.descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def open(self, flags: int) -> int:
        """Open a regular file. Raise ``OSError`` for anything else."""
        status, writes = self.status(), bool(flags & os.O_WRONLY)
        if status is not None:
            self._check(status, writes)
        opened = os.open(self.name, flags | _NO_LINK | _BINARY, 0o666, dir_fd=self.descriptor)
        try:
            self._check(os.fstat(opened), writes)
        except OSError:
            os.close(opened)
            raise
        return opened

    def _check(self, status: os.stat_result, writes: bool) -> None:
        kind = kind_of(status)
        if kind == "regular file" and writes and status.st_nlink > 1:
            kind = "file with a second name (a hard link)"
        if kind != "regular file":
            raise OSError(EINVAL, f"this is a {kind}, but a run folder contains only regular files", str(self.path))

    def remove(self) -> None:
        """Remove the file or the link if it exists."""
        with suppress(FileNotFoundError):
            os.unlink(self.name, dir_fd=self.descriptor)


def kind_of(status: os.stat_result) -> str:
    """Return the kind of file that a status describes, in words."""
    kinds = {
        stat.S_IFREG: "regular file",
        stat.S_IFDIR: "folder",
        stat.S_IFLNK: "symbolic link",
        stat.S_IFIFO: "named pipe",
        stat.S_IFSOCK: "socket",
    }
    return kinds.get(stat.S_IFMT(status.st_mode), "device")


@contextmanager
def _place(folder: Path, name: str) -> Iterator[_Place]:
    """Open the folders on the path to ``name``; those inside ``folder`` must not be links."""
    inside = PurePosixPath(name).parts[:-1]
    if not _BY_DESCRIPTOR:
        for depth in range(1, len(inside) + 1):
            _require_folder(folder.joinpath(*inside[:depth]))
        yield _Place(folder, name, None)
        return
    descriptor = os.open(folder, _FOLDER)
    try:
        for part in inside:
            deeper = os.open(part, _FOLDER | _NO_LINK, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = deeper
        yield _Place(folder, name, descriptor)
    finally:
        os.close(descriptor)


def _require_folder(path: Path) -> None:
    kind = kind_of(path.lstat())
    if kind != "folder":
        raise NotADirectoryError(EINVAL, f"this is a {kind}, not a folder", str(path))


def read_file(folder: Path, name: str, most: int = LARGEST_TEXT) -> bytes:
    """Return the content of a file. Raise ``OSError`` if it is not a regular file or larger than ``most`` bytes."""
    with _place(folder, name) as place, os.fdopen(place.open(os.O_RDONLY), "rb") as file:
        size = os.fstat(file.fileno()).st_size
        content = file.read(most + 1) if size <= most else b""
        if size > most or len(content) > most:
            raise OSError(EFBIG, f"it has more than {most:,} bytes, the limit", str(place.path))
        return content


def read_record(folder: Path, name: str) -> bytes:
    """Return the content of a file with one JSON value. Raise ``OSError`` if parsing it could take much memory."""
    content = read_file(folder, name, LARGEST_RECORD)
    excess = excess_of_record(content)
    if excess is not None:
        raise OSError(EFBIG, f"it has {excess}", str(folder / name))
    return content


def excess_of_record(content: bytes) -> str | None:
    """Return what a JSON value has too much of, if parsing it could take much memory; otherwise None."""
    if len(content) > LARGEST_RECORD:
        return f"more than {LARGEST_RECORD:,} bytes, the limit"
    parsed = parsed_bytes(content)
    if parsed > LARGEST_PARSED:
        return f"values that take {parsed:,} bytes once parsed, more than {LARGEST_PARSED:,}, the limit"
    return None


def parsed_bytes(content: bytes) -> int:
    """Return the most bytes that a JSON value may take while it is parsed, however short its text."""
    return sum(content.count(mark) * size for mark, size in _PARSED_BYTES.items())


def sha256_of(folder: Path, name: str) -> str:
    """Return the SHA-256 of a file, which may be larger than memory. Raise ``OSError`` if it is not a regular file."""
    with _place(folder, name) as place, os.fdopen(place.open(os.O_RDONLY), "rb") as file:
        return file_digest(file, "sha256").hexdigest()


def holds(folder: Path, name: str, content: bytes) -> bool:
    """Return whether a file has this content; one of another size is not read. Errors are those of ``sha256_of``."""
    with _place(folder, name) as place, os.fdopen(place.open(os.O_RDONLY), "rb") as file:
        return os.fstat(file.fileno()).st_size == len(content) and file.read(len(content)) == content


@contextmanager
def new_file(folder: Path, name: str, durable: bool = True) -> Iterator[BinaryIO]:
    """Write a file atomically: a temporary file is open in the context and replaces the old one at its end.

    With ``durable`` the file is on the disk afterwards, so that a power failure leaves the old file or the new one. An
    error in the context leaves the old file.
    """
    beside = str(PurePosixPath(name).with_name(f".{PurePosixPath(name).name}.part"))
    with _place(folder, beside) as part, _place(folder, name) as place:
        part.remove()
        try:
            with os.fdopen(part.open(os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as file:
                yield file
                if durable:
                    file.flush()
                    os.fsync(file.fileno())
            _rename(part, place)
        except BaseException:
            with suppress(OSError):
                part.remove()
            raise


def write_file(folder: Path, name: str, content: bytes, durable: bool = True) -> None:
    """Write the content of a file atomically; see ``new_file``."""
    with new_file(folder, name, durable) as file:
        file.write(content)


def append_file(folder: Path, name: str, content: bytes) -> None:
    """Append to a file, and create it if it does not exist."""
    with (
        _place(folder, name) as place,
        os.fdopen(place.open(os.O_WRONLY | os.O_CREAT | os.O_APPEND), "ab") as file,
    ):
        file.write(content)


def rename_file(folder: Path, old: str, new: str) -> None:
    """Rename a file, replacing any file that already has the new name."""
    with _place(folder, old) as before, _place(folder, new) as after:
        _rename(before, after)


def _rename(before: _Place, after: _Place) -> None:
    # os.replace and os.rename differ only on Windows, where there are no descriptors.
    os.replace(before.name, after.name, src_dir_fd=before.descriptor, dst_dir_fd=after.descriptor)


def remove_file(folder: Path, name: str) -> None:
    """Remove a file if it exists."""
    with suppress(FileNotFoundError), _place(folder, name) as place:
        place.remove()


def make_folder(folder: Path, name: str) -> bool:
    """Create a subfolder of a run folder if needed, and return whether it is new.

    Raise ``OSError`` if something else has its name.
    """
    with _place(folder, name) as place:
        status = place.status()
        if status is None:
            os.mkdir(place.name, dir_fd=place.descriptor)
            return True
        if not stat.S_ISDIR(status.st_mode):
            raise FileExistsError(EINVAL, f"a {kind_of(status)} has that name; remove it", str(place.path))
        return False


def has(folder: Path, name: str) -> bool:
    """Return whether anything has that name, including a broken link."""
    return _status(folder, name) is not None


def has_folder(folder: Path, name: str) -> bool:
    """Return whether there is a folder with that name; a link to a folder does not count."""
    status = _status(folder, name)
    return status is not None and stat.S_ISDIR(status.st_mode)


def _status(folder: Path, name: str) -> os.stat_result | None:
    try:
        with _place(folder, name) as place:
            return place.status()
    except OSError:
        return None


def names_in(folder: Path, name: str) -> list[str]:
    """Return the sorted names in a subfolder of a run folder; an empty list if it is missing or not a folder."""
    try:
        with _place(folder, f"{name}/any") as place:
            return sorted(os.listdir(place.path.parent if place.descriptor is None else place.descriptor))
    except OSError:
        return []


def is_link_or_special(path: Path) -> bool:
    """Return whether ``path`` exists and is not a regular file; a broken link counts."""
    try:
        return not stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False

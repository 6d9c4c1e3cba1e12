"""HDF5 files, read as data: no link out of the file is followed, and sizes are known before anything is read."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from caedsl.importing.keras.problems import ModelProblem

if TYPE_CHECKING:
    import h5py

LARGEST_ARRAY = 2 << 30
"""Bytes of the largest array that is read."""
LARGEST_TOTAL = 8 << 30
"""Bytes of all arrays together."""
LARGEST_TEXT = 64 << 20
"""Bytes of the longest text."""
EXPANSION = 100
"""How many times larger than its stored bytes an array of more than ``FREE`` bytes may be."""
FREE = 16 << 20


class Hdf5:
    """Open HDF5 file."""

    def __init__(self, file: "h5py.File") -> None:
        self._file = file
        self._left = LARGEST_TOTAL

    def text(self, name: str) -> str | None:
        """Return a text among the attributes of the file, None where it has none."""
        value = self._file.attrs.get(name)
        if value is None:
            return None
        text = value.decode("utf-8", "strict") if isinstance(value, bytes) else str(value)
        if len(text) > LARGEST_TEXT:
            raise ModelProblem(f"its `{name}` is longer than {LARGEST_TEXT:,} bytes")
        return text

    def names(self, path: str, name: str) -> list[str]:
        """Return a list of names among the attributes of a group; Keras cuts a long one into ``name0``, ``name1`` …"""
        attributes = self._group(path).attrs
        parts = sorted(_numbered(attributes, name), key=lambda key: int(key.removeprefix(name)))
        keys = [name] if name in attributes else parts
        if not keys:
            raise ModelProblem(f"`{path}` has no `{name}`")
        return [n.decode("utf-8") if isinstance(n, bytes) else str(n) for key in keys for n in attributes[key]]

    def has(self, path: str) -> bool:
        """Whether something stands at ``path``."""
        try:
            self._at(path)
        except ModelProblem:
            return False
        return True

    def count(self, path: str) -> int:
        """Return how many members a group has."""
        return len(self._group(path))

    def array(self, path: str) -> NDArray[np.float32]:
        """Return the numbers at ``path``."""
        import h5py

        dataset = self._at(path)
        if not isinstance(dataset, h5py.Dataset):
            raise ModelProblem(f"`{path}` is no array")
        if dataset.is_virtual or dataset.external:
            raise ModelProblem(f"the numbers of `{path}` lie in another file, which is not opened")
        if dataset.dtype.kind not in "fiu":
            raise ModelProblem(f"`{path}` holds {dataset.dtype}, no numbers")
        self._allow(path, dataset.nbytes, dataset.id.get_storage_size())
        return np.asarray(dataset[()], dtype=np.float32)

    def _allow(self, path: str, size: int, stored: int) -> None:
        if size > LARGEST_ARRAY or size > self._left:
            raise ModelProblem(f"`{path}` has {size:,} bytes, more than the {LARGEST_ARRAY:,} that are read")
        if size > FREE and size > EXPANSION * stored:
            raise ModelProblem(f"`{path}` has {size:,} bytes, but the file stores {stored:,}: weights do not shrink so")
        self._left -= size

    def _group(self, path: str) -> "h5py.Group":
        import h5py

        found = self._at(path)
        if not isinstance(found, h5py.Group):
            raise ModelProblem(f"`{path}` is no group")
        return found

    def _at(self, path: str) -> Any:
        """Return what stands at ``path``; every step to it must lie in the file itself."""
        import h5py

        found: Any = self._file
        walked: list[str] = []
        for name in filter(None, path.split("/")):
            walked.append(name)
            where = "/".join(walked)
            link = found.get(name, getlink=True) if isinstance(found, h5py.Group) and name in found else None
            if link is None:
                raise ModelProblem(f"it has no `{where}`")
            if not isinstance(link, h5py.HardLink):
                raise ModelProblem(f"`{where}` is a link to elsewhere, which is not followed")
            found = found[name]
        return found


def _numbered(attributes: Any, name: str) -> Iterator[str]:
    return (key for key in attributes if key.startswith(name) and key[len(name) :].isdigit())


@contextmanager
def opened(file: "IO[bytes]") -> Iterator[Hdf5]:
    """Open an HDF5 file for reading; raise ``ModelProblem`` for whatever is wrong with it."""
    import h5py

    _refuse_false_heaps(file)
    try:
        with h5py.File(file, "r") as inside:
            yield Hdf5(inside)
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, MemoryError) as error:
        raise ModelProblem(f"this HDF5 file cannot be read: {_short(error)}") from None


_HEAPS = re.compile(rb"(?:GCOL\x01\x00{3}|HEAP\x00{4})(.{8})", re.DOTALL)
"""Starts of the heaps of the format, which hold texts and names, with their sizes."""
_MOST_TEXTS = 1 << 16
"""Texts of a heap: their numbers are below this."""


def _refuse_false_heaps(file: "IO[bytes]") -> None:
    """Refuse a heap, or a text in one, that is larger than the file: the library takes the memory before it looks."""
    content = file.read()
    file.seek(0)
    for heap in _HEAPS.finditer(content):
        texts = _lengths(content, heap.start()) if heap[0].startswith(b"GCOL") else ()
        if any(size > len(content) for size in (int.from_bytes(heap[1], "little"), *texts)):
            raise ModelProblem("this HDF5 file is damaged: a part of it is larger than the whole file")


def _lengths(content: bytes, heap: int) -> Iterator[int]:
    """Yield the lengths of the texts that are said to lie in the global heap at this place.

    A text is stored as its length in 4 bytes, the place of its heap in 8, and its number there in 4. The library
    aligns these with 8 bytes; what only looks like them seldom is.
    """
    for place in re.finditer(re.escape(heap.to_bytes(8, "little")), content):
        start, end = place.span()
        number = int.from_bytes(content[end : end + 4], "little")
        if start % 8 == 4 and 0 < number < _MOST_TEXTS:
            yield int.from_bytes(content[start - 4 : start], "little")


def _short(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0][:200] if lines else type(error).__name__

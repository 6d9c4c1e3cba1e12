"""Content of an HDF5 file: no link out of it is followed, and sizes are checked before anything is read."""

from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from caedsl.importing.expansion import expands_too_much, largest_arrays
from caedsl.importing.keras.problems import ModelProblem

if TYPE_CHECKING:
    import h5py

LARGEST_ARRAY = 2 << 30
"""Bytes of the largest array to read."""
LARGEST_TEXT = 64 << 20
"""Bytes of the longest text."""


class Hdf5Content:
    """Content of an HDF5 file."""

    def __init__(self, content: bytes) -> None:
        import h5py

        self._file = h5py.File(BytesIO(content), "r")
        self._left = largest_arrays(len(content))

    def text(self, name: str) -> str | None:
        """Return a text attribute of the file; None if it has none."""
        value = self._file.attrs.get(name)
        if value is None:
            return None
        text = value.decode("utf-8", "strict") if isinstance(value, bytes) else str(value)
        if len(text) > LARGEST_TEXT:
            raise ModelProblem(f"its `{name}` is longer than {LARGEST_TEXT:,} bytes")
        return text

    def names(self, path: str, name: str) -> list[str]:
        """Return a list of names from the attributes of a group; Keras splits long ones into ``name0``, ``name1`` …"""
        attributes = self._group(path).attrs
        parts = sorted(_numbered(attributes, name), key=lambda key: int(key.removeprefix(name)))
        keys = [name] if name in attributes else parts
        if not keys:
            raise ModelProblem(f"`{path}` has no `{name}`")
        return [n.decode("utf-8") if isinstance(n, bytes) else str(n) for key in keys for n in attributes[key]]

    def count(self, path: str) -> int:
        """Return the number of members of a group."""
        return len(self._group(path))

    def array(self, path: str) -> NDArray[np.float32]:
        """Return the numbers at ``path``."""
        import h5py

        dataset = self._at(path)
        if not isinstance(dataset, h5py.Dataset):
            raise ModelProblem(f"`{path}` is not an array")
        if dataset.is_virtual or dataset.external:
            raise ModelProblem(f"the numbers of `{path}` lie in another file, which is not opened")
        if dataset.dtype.kind not in "fiu":
            raise ModelProblem(f"`{path}` holds {dataset.dtype}, not numbers")
        self._allow(path, dataset.nbytes, dataset.id.get_storage_size())
        return np.asarray(dataset[()], dtype=np.float32)

    def _allow(self, path: str, size: int, stored: int) -> None:
        if size > LARGEST_ARRAY:
            raise ModelProblem(f"`{path}` has {size:,} bytes, more than the {LARGEST_ARRAY:,} that are read")
        if expands_too_much(size, stored):
            raise ModelProblem(
                f"`{path}` has {size:,} bytes, but the file stores {stored:,}: weights do not compress that well"
            )
        if size > self._left:
            raise ModelProblem(f"its arrays up to `{path}` have more bytes than the whole file can contain")
        self._left -= size

    def _group(self, path: str) -> "h5py.Group":
        import h5py

        found = self._at(path)
        if not isinstance(found, h5py.Group):
            raise ModelProblem(f"`{path}` is not a group")
        return found

    def _at(self, path: str) -> Any:
        """Return the object at ``path``; every step to it must lie in the file itself."""
        import h5py

        node: Any = self._file
        steps: list[str] = []
        for name in filter(None, path.split("/")):
            steps.append(name)
            where = "/".join(steps)
            link = node.get(name, getlink=True) if isinstance(node, h5py.Group) and name in node else None
            if link is None:
                raise ModelProblem(f"it has no `{where}`")
            if not isinstance(link, h5py.HardLink):
                raise ModelProblem(f"`{where}` is a link to another place, which is not followed")
            node = node[name]
        return node


def _numbered(attributes: Any, name: str) -> Iterator[str]:
    return (key for key in attributes if key.startswith(name) and key[len(name) :].isdigit())

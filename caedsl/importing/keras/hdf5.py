"""HDF5 files, read in a separate process: a damaged one makes the C library loop, crash or exhaust memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from caedsl.importing.keras.problems import ModelProblem
from caedsl.importing.network import Array
from caedsl.importing.separate_process import SeparateProcess, SeparateProcessError

_MEMORY, _TIMES = 128 << 20, 12
"""Bytes that reading may use, and additional bytes per byte of the file."""
_SECONDS, _BYTES_A_SECOND = 2, 16 << 20
"""Seconds of processor time for the structure of a file, and bytes of its arrays per further second."""


class Hdf5:
    """Open HDF5 file."""

    def __init__(self, content: bytes) -> None:
        memory, seconds = _MEMORY + _TIMES * len(content), _SECONDS + len(content) // _BYTES_A_SECOND
        self._apart = SeparateProcess("caedsl.importing.keras.hdf5_content:Hdf5Content", content, memory, seconds)

    def text(self, name: str) -> str | None:
        """Return a text attribute of the file; None if it has none."""
        found: str | None = self._apart.call("text", name)
        return found

    def names(self, path: str, name: str) -> list[str]:
        """Return a list of names from the attributes of a group; Keras splits long ones into ``name0``, ``name1`` …"""
        found: list[str] = self._apart.call("names", path, name)
        return found

    def count(self, path: str) -> int:
        """Return the number of members of a group."""
        found: int = self._apart.call("count", path)
        return found

    def array(self, path: str) -> Array:
        """Return the numbers at ``path``."""
        found: Array = self._apart.call("array", path)
        return found

    def close(self) -> None:
        """End the process that reads the file."""
        self._apart.close()


@contextmanager
def opened(content: bytes) -> Iterator[Hdf5]:
    """Open an HDF5 file for reading; raise ``ModelProblem`` for whatever is wrong with it."""
    if find_spec("h5py") is None:
        raise ModuleNotFoundError("No module named 'h5py'", name="h5py")
    try:
        inside = Hdf5(content)
        try:
            yield inside
        finally:
            inside.close()
    except SeparateProcessError as error:
        if error.kind == ModelProblem.__name__:
            raise ModelProblem(str(error)) from None
        raise ModelProblem(f"this HDF5 file cannot be read: {str(error)[:200]}") from None

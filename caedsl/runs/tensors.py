"""Read tensors from the bytes of a safetensors file, whose header is measured before it is parsed."""

import json
import re
from typing import NamedTuple

from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from caedsl.runs.confined import LARGEST_RECORD

_ENTRY_BYTES = 1024
"""Most bytes that the header takes per tensor: its name, type, shape and place."""
_STRING_OR_OBJECT = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|\{', re.DOTALL)


class TensorFileError(ValueError):
    """Bytes that are not a valid safetensors file; the message says why."""


class TensorFile(NamedTuple):
    """Tensors of a file by name, and the metadata strings in its header."""

    tensors: dict[str, Tensor]
    texts: dict[str, str]


def read_tensors(content: bytes, most: int) -> TensorFile:
    """Return the content of a safetensors file with at most ``most`` tensors.

    Raise ``TensorFileError`` if it has more, or is truncated, damaged or invalid.
    """
    size = int.from_bytes(content[:8], "little")
    _check_header(content[8 : 8 + size], most)
    try:
        tensors = load(content)
    except (SafetensorError, ValueError, TypeError, KeyError, RuntimeError) as error:
        raise TensorFileError((str(error) or type(error).__name__).splitlines()[0][:200]) from None
    return TensorFile(tensors, json.loads(content[8 : 8 + size]).get("__metadata__") or {})


def _check_header(header: bytes, most: int) -> None:
    """Raise ``TensorFileError`` if parsing a header could take much time or memory.

    Each tensor is an object in it, and so is the metadata; a text in the metadata may be a record, with its quotes
    escaped.
    """
    if len(header) > 2 * LARGEST_RECORD + most * _ENTRY_BYTES:
        raise TensorFileError(f"its header has {len(header):,} bytes")
    objects = (True for found in _STRING_OR_OBJECT.finditer(header) if found[0] == b"{")
    if any(number > most + 1 for number, _ in enumerate(objects)):
        raise TensorFileError(f"it has more than {most:,} tensors")

"""Read tensors from the bytes of a safetensors file."""

import json
from typing import NamedTuple

from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor


class TensorFileError(ValueError):
    """Bytes that are not a valid safetensors file; the message is the library's."""


class TensorFile(NamedTuple):
    """Tensors of a file by name, and the metadata strings in its header."""

    tensors: dict[str, Tensor]
    texts: dict[str, str]


def read_tensors(content: bytes) -> TensorFile:
    """Return the content of a safetensors file. Raise ``TensorFileError`` if it is truncated, damaged or invalid."""
    try:
        tensors = load(content)
    except (SafetensorError, ValueError, TypeError, KeyError, RuntimeError) as error:
        raise TensorFileError((str(error) or type(error).__name__).splitlines()[0][:200]) from None
    size = int.from_bytes(content[:8], "little")
    return TensorFile(tensors, json.loads(content[8 : 8 + size]).get("__metadata__") or {})

"""Tensors in a safetensors file, read from its bytes."""

import json
from typing import NamedTuple

from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor


class TensorFileError(ValueError):
    """Bytes that are no safetensors file; the message is what the library says."""


class TensorFile(NamedTuple):
    """The tensors of a file by name, and the texts in its header."""

    tensors: dict[str, Tensor]
    texts: dict[str, str]


def read_tensors(content: bytes) -> TensorFile:
    """Return what a safetensors file holds; ``TensorFileError`` where it is truncated, damaged or no such file."""
    try:
        tensors = load(content)
    except (SafetensorError, ValueError, TypeError, KeyError, RuntimeError) as error:
        raise TensorFileError((str(error) or type(error).__name__).splitlines()[0][:200]) from None
    size = int.from_bytes(content[:8], "little")
    return TensorFile(tensors, json.loads(content[8 : 8 + size]).get("__metadata__") or {})

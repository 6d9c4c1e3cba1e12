"""Limits on what the content of a model file takes, checked before it is unpacked or parsed."""

import json
from typing import Any

from caedsl.runs.confined import parsed_bytes

EXPANSION = 100
"""Largest ratio of a content's size to its stored bytes, for content of more than ``FREE`` bytes."""
FREE = 16 << 20
_TIMES = 4
"""Largest ratio of the size of all arrays in a file to the size of the file, beyond ``FREE``."""
_LARGEST_PARSED = 1 << 30
"""Most bytes that the JSON of a model may take while it is parsed, by a generous estimate."""


def expands_too_much(size: int, stored: int) -> bool:
    """Return whether ``size`` bytes from ``stored`` ones are more than a model's weights or text compress to."""
    return size > FREE and size > EXPANSION * stored


def largest_arrays(stored: int) -> int:
    """Return the most bytes that arrays of a file of ``stored`` bytes may have; repeated use of an array counts."""
    return FREE + _TIMES * stored


def parsed_json(content: bytes) -> Any:
    """Return the value of a JSON text; raise a ``ValueError`` if it is invalid, or if its values take much memory."""
    if parsed_bytes(content) > _LARGEST_PARSED:
        raise ValueError(f"its {len(content):,} bytes contain too many values")
    return json.loads(content)

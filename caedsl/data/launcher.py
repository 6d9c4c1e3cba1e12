"""Environment variables with which ``torchrun`` describes the other processes."""

import os

from caedsl.data.errors import DataError


def launched(variable: str, default: int) -> int:
    """Return the whole number in a variable, or ``default`` if it is not set; raise a ``DataError`` otherwise."""
    text = os.environ.get(variable, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise DataError(
            f"the environment variable {variable} is `{text[:40]}`, but torchrun sets it to a whole number: to train "
            "in one process, unset it"
        )
    return int(text)

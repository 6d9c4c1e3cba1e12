"""Variables of the environment by which ``torchrun`` tells a process of the others."""

import os

from caedsl.data.errors import DataError


def launched(variable: str, default: int) -> int:
    """Return the whole number in a variable, ``default`` where it is not set; a ``DataError`` for anything else."""
    text = os.environ.get(variable, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise DataError(
            f"the environment variable {variable} is `{text[:40]}`, and torchrun sets it to a whole number: unset it "
            "to "
            "train in one process"
        )
    return int(text)

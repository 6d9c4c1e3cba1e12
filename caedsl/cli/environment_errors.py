"""Errors of the environment, which are not bugs of the program, as messages for the user."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from errno import ENOMEM

_MEMORY = ("allocate memory", "failed to map segment", "out of memory", "bad_alloc", "can't start new thread")
"""Messages of the dynamic linker, C++ libraries and PyTorch when memory or address space runs out."""


@contextmanager
def outside_errors() -> Iterator[None]:
    """End the command with a message if data, files or the machine cause an error inside the context."""
    from caedsl.cli.specs import fail
    from caedsl.data.errors import DataError
    from caedsl.runs.errors import TrainingError

    try:
        yield
    except (DataError, TrainingError) as error:
        raise fail(error) from None


def environment_problem(error: Exception) -> str | None:
    """Return a problem of the environment with its remedy, or None if the error is a bug in the program."""
    if is_out_of_memory(error):
        return (
            f"out of memory ({_first_line(error)}): PyTorch alone needs about 1 GB; close other programs, or raise "
            f"the limit of this process (`ulimit -v`, or that of its container)"
        )
    if isinstance(error, ModuleNotFoundError):
        from caedsl.extras import missing_package

        return missing_package(error)
    if isinstance(error, FileNotFoundError) and _current_folder_is_gone():
        return "the current folder was deleted: change to one that exists (`cd`)"
    if isinstance(error, OSError) and error.errno is not None:
        place = f"{os.fspath(error.filename)!s}: " if isinstance(error.filename, (str, os.PathLike)) else ""
        return f"{place}{(error.strerror or str(error)).lower()}; this file, folder or stream cannot be used"
    return None


def is_out_of_memory(error: Exception) -> bool:
    """Return whether memory ran out, in the words of any library."""
    by_type = isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == ENOMEM)
    by_message = isinstance(error, (RuntimeError, ImportError)) and any(
        words in str(error).lower() for words in _MEMORY
    )
    return by_type or by_message


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def _current_folder_is_gone() -> bool:
    try:
        os.getcwd()
    except OSError:
        return True
    return False

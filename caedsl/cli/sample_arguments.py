"""Samples that an argument of a command names: a path, a data line, or ``-`` for names on standard input."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from caedsl.cli.files import STANDARD_INPUT
from caedsl.cli.outputs import say
from caedsl.cli.specs import fail
from caedsl.runs.confined import LARGEST_TEXT

if TYPE_CHECKING:
    from caedsl.inference.samples import Samples
    from caedsl.inference.trained_run import TrainedRun


def samples_at(run: "TrainedRun", given: Path) -> "Samples":
    """Return the samples that an argument names; for ``-``, the image files that standard input names, one per line."""
    return run.samples(files_at(given))


def say_notes(samples: "Samples") -> None:
    """Print notes on samples that have been read to standard error."""
    for note in samples.notes():
        say(f"note: {note}", err=True)


def files_at(given: Path) -> Path | list[Path]:
    """Return the path of an argument, or for ``-`` those of the image files that standard input names."""
    if str(given) != STANDARD_INPUT:
        return given
    names = [Path(os.fsdecode(line)) for line in read_standard_input("names", "their folder").splitlines() if line]
    if not names:
        raise fail("standard input names no file: write one name per line")
    return names


def read_standard_input(content: str, instead: str) -> bytes:
    """Return the bytes of standard input; end the command if it is closed or too large.

    ``content`` describes the input in the error, and ``instead`` is what the user should name instead.
    """
    if sys.stdin is None:
        raise fail(f"standard input is closed: name {instead} instead of -")
    found = sys.stdin.buffer.read(LARGEST_TEXT + 1)
    if len(found) > LARGEST_TEXT:
        raise fail(f"standard input has more than {LARGEST_TEXT:,} bytes of {content}: name {instead} instead of -")
    return found

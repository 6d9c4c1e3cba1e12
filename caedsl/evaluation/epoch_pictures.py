"""Pictures of the same few images after each epoch, and one picture of how their reconstructions evolved."""

import re
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from PIL import Image

from caedsl.evaluation.pictured_samples import PicturedSamples
from caedsl.evaluation.reconstructions import png, stack
from caedsl.runs.confined import read_file
from caedsl.runs.errors import RunError
from caedsl.runs.file_names import EVOLUTION, PICTURES
from caedsl.runs.run_folder import RunFolder
from caedsl.training.loop import Callback, Training

MOST_PIXELS = 1 << 24
"""Largest number of pixels of a picture that is read; pictures drawn here have far fewer."""

_NAME = re.compile(r"epoch-(\d{4,9})\.png")


class EpochPictures(Callback):
    """Writer of ``pictures/epoch-0001.png`` and so on in the run folder.

    If a picture cannot be written, this is reported once, and no more are drawn.
    """

    def on_start(self, training: Training) -> None:
        """Create the folder, which makes a resumed run draw too, and remove pictures of epochs to be repeated."""
        assert training.folder is not None, "pictures are drawn in a run folder"
        self._folder: RunFolder | None = training.folder
        self._samples = PicturedSamples(training)
        training.folder.subfolder(PICTURES)
        for number, name in _pictures(training.folder).items():
            if number > len(training.history.epochs):
                self._folder.remove(name)

    def on_epoch(self, training: Training) -> None:
        """Draw the picture of the epoch."""
        if self._folder is None:
            return
        number = training.history.epochs[-1].epoch
        content = png(self._samples.picture(training))
        try:
            self._folder.write_bytes(f"{PICTURES}/epoch-{number:04}.png", content)
        except RunError as error:
            self._folder = None
            training.note(f"{error}; training continues without pictures")


def draw_evolution(folder: RunFolder, rows: int) -> Path | None:
    """Stack the reconstructions of epochs 1, 2, 4, 8 and so on, and of the last epoch, in ``evolution.png``.

    ``rows`` is the number of rows in the picture of an epoch. Return None and write nothing if there are fewer than two
    pictures.
    """
    found = _pictures(folder)
    sheets = [sheet for number in milestones(max(found, default=0)) if (sheet := _opened(folder, found.get(number)))]
    alike = [sheet for sheet in sheets if sheet.size == sheets[0].size]
    if len(alike) < 2:
        return None
    return folder.write_bytes(EVOLUTION, png(stack(alike, rows), smallest=True))


def milestones(last: int) -> Sequence[int]:
    """Return the powers of two up to three quarters of ``last``, and ``last``."""
    return [number for power in range(last.bit_length()) if 4 * (number := 2**power) <= 3 * last] + [last]


def _pictures(folder: RunFolder) -> dict[int, str]:
    """Return the name of the picture of each epoch, relative to the run folder."""
    names = folder.names_in(PICTURES)
    return {int(match[1]): f"{PICTURES}/{name}" for name in names if (match := _NAME.fullmatch(name))}


def _opened(folder: RunFolder, name: str | None) -> Image.Image | None:
    """Return the picture, or None if it is missing or damaged, since the others are still useful."""
    if name is None:
        return None
    try:
        with Image.open(BytesIO(read_file(folder.path, name)), formats=("PNG",)) as picture:
            return picture.convert("RGB") if picture.width * picture.height <= MOST_PIXELS else None
    except (OSError, ValueError, SyntaxError, MemoryError):
        return None

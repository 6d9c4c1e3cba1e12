"""A picture of the same few images after each epoch, and one of how their reconstructions came to be."""

import re
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from PIL import Image

from caedsl.evaluation.reconstructions import png, stack
from caedsl.evaluation.samples import Samples
from caedsl.runs.confined import read_file
from caedsl.runs.files import EVOLUTION, PICTURES
from caedsl.runs.folder import RunFolder
from caedsl.training.loop import Training
from caedsl.training.observer import Observer

MOST_PIXELS = 1 << 24
"""A sheet that was drawn here has far fewer; a larger one is another's."""

_NAME = re.compile(r"epoch-(\d{4,9})\.png")


class EpochPictures(Observer):
    """Leaves ``pictures/epoch-0001.png`` and so on in the run folder."""

    def open(self, folder: RunFolder) -> None:
        """Make the folder of the pictures; that it is there tells a run that goes on to draw them too."""
        folder.subfolder(PICTURES)
        self._folder = folder

    def begin(self, training: Training) -> None:
        """Choose the images; pictures of epochs that will come again are taken away."""
        self._samples = Samples(training)
        for number, name in _pictures(self._folder).items():
            if number > len(training.history.epochs):
                self._folder.remove(name)

    def epoch(self, training: Training) -> None:
        """Draw the epoch that is over."""
        number = training.history.epochs[-1].epoch
        self._folder.write_bytes(f"{PICTURES}/epoch-{number:04}.png", png(self._samples.picture(training)))


def draw_evolution(folder: RunFolder, rows: int) -> Path | None:
    """Put the reconstructions of epochs 1, 2, 4, 8 and so on, and of the last, below each other in ``evolution.png``.

    ``rows`` is how many each epoch's picture has. None, and no file, where there are fewer than two pictures.
    """
    found = _pictures(folder)
    sheets = [sheet for number in milestones(max(found, default=0)) if (sheet := _opened(folder, found.get(number)))]
    alike = [sheet for sheet in sheets if sheet.size == sheets[0].size]
    if len(alike) < 2:
        return None
    return folder.write_bytes(EVOLUTION, png(stack(alike, rows), smallest=True))


def milestones(last: int) -> Sequence[int]:
    """The powers of two up to three quarters of ``last``, and ``last``."""
    return [number for power in range(last.bit_length()) if 4 * (number := 2**power) <= 3 * last] + [last]


def _pictures(folder: RunFolder) -> dict[int, str]:
    """The name in the run folder of the picture of each epoch."""
    names = folder.names_in(PICTURES)
    return {int(match[1]): f"{PICTURES}/{name}" for name in names if (match := _NAME.fullmatch(name))}


def _opened(folder: RunFolder, name: str | None) -> Image.Image | None:
    """The picture; None for one that was taken away or damaged, without which the others are still worth seeing."""
    if name is None:
        return None
    try:
        with Image.open(BytesIO(read_file(folder.path, name)), formats=("PNG",)) as picture:
            return picture.convert("RGB") if picture.width * picture.height <= MOST_PIXELS else None
    except (OSError, ValueError, SyntaxError, MemoryError):
        return None

"""A picture of the same few images after each epoch, and one of how their reconstructions came to be."""

import re
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from caedsl.evaluation.reconstructions import png, stack
from caedsl.evaluation.samples import Samples
from caedsl.runs.files import EVOLUTION, PICTURES
from caedsl.runs.folder import RunFolder
from caedsl.training.loop import Training
from caedsl.training.observer import Observer

_NAME = re.compile(r"epoch-(\d{4,})\.png")


class EpochPictures(Observer):
    """Leaves ``pictures/epoch-0001.png`` and so on in the run folder."""

    def open(self, folder: RunFolder) -> None:
        """Make the folder of the pictures; that it is there tells a run that goes on to draw them too."""
        folder.subfolder(PICTURES)
        self._folder = folder

    def begin(self, training: Training) -> None:
        """Choose the images; pictures of epochs that will come again are taken away."""
        self._samples = Samples(training)
        for number, path in _pictures(self._folder.path).items():
            if number > len(training.history.epochs):
                path.unlink(missing_ok=True)

    def epoch(self, training: Training) -> None:
        """Draw the epoch that is over."""
        number = training.history.epochs[-1].epoch
        self._folder.write_bytes(f"{PICTURES}/epoch-{number:04}.png", png(self._samples.picture(training)))


def draw_evolution(folder: RunFolder, rows: int) -> Path | None:
    """Put the reconstructions of epochs 1, 2, 4, 8 and so on, and of the last, below each other in ``evolution.png``.

    ``rows`` is how many each epoch's picture has. None, and no file, where there are fewer than two pictures.
    """
    found = _pictures(folder.path)
    sheets = [sheet for number in milestones(max(found, default=0)) if (sheet := _opened(found.get(number)))]
    alike = [sheet for sheet in sheets if sheet.size == sheets[0].size]
    if len(alike) < 2:
        return None
    return folder.write_bytes(EVOLUTION, png(stack(alike, rows), smallest=True))


def milestones(last: int) -> Sequence[int]:
    """The powers of two up to three quarters of ``last``, and ``last``."""
    return [number for power in range(last.bit_length()) if 4 * (number := 2**power) <= 3 * last] + [last]


def _pictures(folder: Path) -> dict[int, Path]:
    paths = (folder / PICTURES).glob("*.png")
    return {int(match[1]): path for path in paths if (match := _NAME.fullmatch(path.name))}


def _opened(path: Path | None) -> Image.Image | None:
    """The picture; None for one that was taken away or damaged, without which the others are still worth seeing."""
    if path is None:
        return None
    try:
        with Image.open(path) as picture:
            return picture.convert("RGB")
    except OSError:
        return None

"""TensorBoard event files in the run folder, with the numbers and the pictures of each epoch."""

from dataclasses import asdict
from importlib.util import find_spec

import torch
from PIL import Image
from torch import Tensor

from caedsl.evaluation.pictured_samples import PicturedSamples
from caedsl.runs.confined import read_file
from caedsl.runs.errors import TrainingError
from caedsl.runs.file_names import SPEC, TENSORBOARD
from caedsl.runs.history import Epoch
from caedsl.training.loop import Callback, Training

TAGS = {
    "loss/total": "loss",
    "loss/reconstruction": "reconstruction",
    "loss/validation": "validation",
    "learning_rate": "lr",
    "images_per_second": "images_per_second",
}
"""Columns of the history by their TensorBoard tags."""


class TensorBoard(Callback):
    """Writer of the event files that ``tensorboard --logdir runs`` shows, where a step is an epoch.

    Creating it raises ``TrainingError`` if the package tensorboard is not installed.
    """

    def __init__(self) -> None:
        if find_spec("tensorboard") is None:
            raise TrainingError(
                "TensorBoard is not installed: `pip install 'caedsl[tensorboard]'`, or train without --tensorboard "
                f"(a resumed run continues the files in its {TENSORBOARD}/ folder)"
            )

    def on_start(self, training: Training) -> None:
        """Open the event files in a folder, which makes a resumed run write them too.

        New files get the spec and the epochs so far; in existing files, epochs to be repeated are discarded.
        """
        from torch.utils.tensorboard import SummaryWriter

        assert training.folder is not None, "event files are written to a run folder"
        if any("\ud800" <= character <= "\udfff" for character in str(training.folder.path)):
            raise TrainingError(
                f"TensorBoard cannot write to {training.folder.path}, because its name is not UTF-8: choose another "
                "--out, or train without --tensorboard"
            )
        self._path = training.folder.subfolder(TENSORBOARD)
        fresh = not any(self._path.iterdir())
        epochs = training.history.epochs
        self._samples = PicturedSamples(training)
        self._writer = SummaryWriter(str(self._path), purge_step=None if fresh else len(epochs) + 1)
        if fresh:
            indented = "".join(f"    {line}\n" for line in read_file(training.folder.path, SPEC).decode().splitlines())
            self._writer.add_text("spec", indented, 0)
            for row in epochs:
                self._add(row)
        self._writer.flush()

    def on_epoch(self, training: Training) -> None:
        """Write the numbers and the picture of the epoch."""
        row = training.history.epochs[-1]
        self._add(row)
        picture = _pixels(self._samples.picture(training))
        self._writer.add_image("reconstructions", picture, row.epoch, dataformats="HWC")
        self._writer.flush()

    def _add(self, row: Epoch) -> None:
        for tag, column in TAGS.items():
            value = asdict(row)[column]
            if value is not None:
                self._writer.add_scalar(tag, value, row.epoch)
        for name, value in row.terms.items():
            self._writer.add_scalar(f"terms/{name}", value, row.epoch)
        for name, value in row.code.items():
            self._writer.add_scalar(f"code/{name}", value, row.epoch)

    def on_end(self, training: Training) -> None:
        """Close the event file."""
        self._writer.close()


def _pixels(picture: Image.Image) -> Tensor:
    """Return the pixels of a picture, height × width × three colours, as bytes."""
    colours = picture.convert("RGB")
    return torch.frombuffer(bytearray(colours.tobytes()), dtype=torch.uint8).view(colours.height, colours.width, 3)

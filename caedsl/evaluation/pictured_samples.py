"""A few held-out samples, the same throughout a run, and the model's current reconstructions of them."""

import torch
from PIL import Image

from caedsl.evaluation.evaluate import EvaluationSet, as_target
from caedsl.evaluation.reconstructions import PictureRow, columns_of, samples_text, sheet
from caedsl.runs.history import Epoch
from caedsl.training.loop import Training

COLUMNS = 8
WIDTH = 640


class PicturedSamples:
    """Validation samples (training samples if none are held out), with the same corruption each time."""

    def __init__(self, training: Training) -> None:
        held_out = training.validation
        batches, self.part = (held_out, "validation") if held_out is not None else (training.train, "training")
        settings = training.settings
        eval_set = EvaluationSet(
            batches, settings.images_at_once, training.input_range, settings.corrupt, settings.seed
        )
        # All of them, even if this process reads only a part of each batch.
        shown = batches.spread(columns_of(batches.shape, COLUMNS)).sliced(0, 1)
        samples = list(eval_set.samples(shown))
        self.seen = torch.cat([sample.seen for sample in samples]).float()
        self.original = torch.cat([sample.target for sample in samples]).float()
        self.pixels = training.objective.pixels
        self.shown = as_target(self.seen, eval_set, self.pixels)
        self.names = eval_set.row_names
        self.denoises = eval_set.denoises

    @property
    def rows(self) -> int:
        """Number of rows in a picture; the last one shows the reconstructions."""
        return 3 if self.denoises else 2

    def picture(self, training: Training) -> Image.Image:
        """Draw the originals, the model's input if it differs, and the reconstructions after the last epoch."""
        rows = [PictureRow(self.names[0], self.original, f"{self.part} {samples_text(tuple(self.original.shape[1:]))}")]
        if self.denoises:
            rows.append(PictureRow(self.names[1], self.shown))
        last = training.history.epochs[-1]
        training.module.eval()
        with torch.no_grad(), training.averaged():
            rows.append(PictureRow(f"epoch {last.epoch}", training.module(self.seen), _detail(last)))
        drawn = sheet(rows, self.pixels, WIDTH)
        # A file without colours needs a third of the size.
        return drawn if self.original.shape[1] == 3 or self.original.dim() == 3 else drawn.convert("L")


def _detail(row: Epoch) -> str:
    kind = "training" if row.validation is None else "validation"
    return f"{kind} loss {row.selection_loss:.5f}"

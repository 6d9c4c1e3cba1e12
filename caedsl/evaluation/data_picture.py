"""A picture of a few samples of each part of a spec's data, and of what training makes of them."""

import torch

from caedsl.data.sample import Sample
from caedsl.data.survey import Survey
from caedsl.evaluation.reconstructions import PictureRow, columns_of, draw
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.settings import Augment, Corrupt
from caedsl.training.pixel_range import PixelRange
from caedsl.training.sample import make_sample


def data_picture(found: Survey, model: Autoencoder) -> bytes:
    """Return the picture as PNG: a row for each part; below the first, what augmentation and corruption make of it."""
    declared = model.input.range
    low, high = min(part.low for part in found.parts), max(part.high for part in found.parts)
    pixels = PixelRange(low, high if high > low else low + 1.0, bounded=False)
    if declared.low is not None and declared.high is not None:
        pixels = PixelRange(declared.low, declared.high)
    first, settings = found.parts[0], model.train
    columns = columns_of(model.input.shape, len(first.shown))
    rows = [PictureRow(part.part, part.shown[:columns], ", ".join(part.shown_names[:columns])) for part in found.parts]
    if settings is not None and (settings.corrupt != Corrupt() or settings.augment != Augment()):
        generator = torch.Generator().manual_seed(settings.seed)
        sample = make_sample(Sample.of(first.shown[:columns]), generator, declared, settings.corrupt, settings.augment)
        if settings.augment != Augment():
            rows.insert(1, PictureRow("augmented", sample.target, "what the network must return, anew in each epoch"))
        if settings.corrupt != Corrupt():
            rows.insert(-len(found.parts) + 1 or len(rows), PictureRow("corrupted", sample.seen, "what it is given"))
    return draw(rows, pixels)

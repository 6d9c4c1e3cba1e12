"""A picture of a few samples of each part of a spec's data, and of their augmentation and corruption."""

from collections.abc import Iterator

from caedsl.backends.torch.draws import Draws
from caedsl.data.sample import Sample
from caedsl.data.survey import Survey
from caedsl.evaluation.reconstructions import PictureRow, columns_of, draw
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.settings import Augment, Corrupt
from caedsl.training.pixel_range import PixelRange
from caedsl.training.sample import make_sample


def data_picture(survey: Survey, model: Autoencoder) -> bytes:
    """Return the picture as PNG: a row for each part, its targets, and for the first part the samples of training."""
    declared = model.input.range
    low, high = min(part.low for part in survey.parts), max(part.high for part in survey.parts)
    pixels = PixelRange(low, high if high > low else low + 1.0, bounded=False)
    if declared.low is not None and declared.high is not None:
        pixels = PixelRange(declared.low, declared.high)
    columns = columns_of(model.input.shape, len(survey.parts[0].shown))
    targets = {of.part: of.shown[:columns] for of in survey.targets if of.shown.shape[1:] == model.input.shape}
    rows = []
    for number, part in enumerate(survey.parts):
        rows.append(PictureRow(part.part, part.shown[:columns], ", ".join(part.shown_names[:columns]), others=True))
        if part.part in targets:
            rows.append(PictureRow(f"{part.part} targets", targets[part.part], "what the network must return"))
        if not number:
            seen = part.shown[:columns]
            rows += _training_rows(Sample(targets[part.part], seen) if part.part in targets else Sample.of(seen), model)
    return draw(rows, pixels)


def _training_rows(clean: Sample, model: Autoencoder) -> Iterator[PictureRow]:
    """Yield rows of augmented and corrupted samples, if training changes them."""
    settings = model.train
    if settings is None:
        return
    draws = Draws(settings.seed).begin(0, len(clean), device=clean.seen.device)
    sample = make_sample(clean, draws, model.input.range, settings.corrupt, settings.augment)
    if settings.augment != Augment():
        yield PictureRow("augmented", sample.target, "what the network must return, different in each epoch")
    if settings.corrupt != Corrupt():
        yield PictureRow("corrupted", sample.seen, "what it is given")

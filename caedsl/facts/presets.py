"""What is known of the published dataset that a spec names."""

from bisect import bisect_left

from caedsl.facts.fact import fact
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.data import DataSource, InputRange
from caedsl.vocabulary.presets import Preset

CLASSES = 10
"""Number of classes of every published set."""


def preset(model: Autoencoder) -> Preset | None:
    """Return the published dataset of the first ``data`` line."""
    return model.data[0].kind.preset if model.data else None


def pixel_range(model: Autoencoder) -> InputRange:
    """Return the values that pixels of the target have: the declared range, to which integer images are scaled.

    With ``real`` values, integer images are scaled to 0..1; only array sources can then hold other numbers.
    """
    declared = model.output_range
    integers = bool(model.data) and not model.data[0].kind.arrays and model.preprocessing is None
    return InputRange() if not declared.bounded and integers else declared


def image_variance(model: Autoencoder) -> float:
    """Return the mean squared distance of images from their mean, in the units of the declared range.

    It is measured for the published sets. For others, values are assumed to be uniform over the range (width² / 12), or
    standardised if the range is ``real``.
    """
    values, known = pixel_range(model), preset(model)
    if values.low is None or values.high is None:
        return 1.0
    width = values.high - values.low
    return width * width * (known.variance if known and known.variance is not None else 1 / 12)


def image_count(source: DataSource) -> int | None:
    """Return how many images a source gives for training and validation; None if only its files can tell.

    ``only`` is applied before ``limit``. If only a limit is known, the source is assumed to have that many.
    """
    known = source.kind.preset
    whole = None if known is None else _of_class(known, source.only)
    if source.limit is None:
        return whole
    return source.limit if whole is None else min(source.limit, whole)


def _of_class(known: Preset, label: int | str | None) -> int | None:
    if label is None:
        return known.images
    if not known.class_images:
        return known.images // CLASSES
    name = str(label)
    return known.class_images[int(name)] if name in map(str, range(CLASSES)) else None


@fact
def training_images(model: Autoencoder) -> int | None:
    """Return how many training images an epoch has, without those for validation; None if it is unknown."""
    count = image_count(model.data[0]) if model.data else None
    if count is None or model.train is None:
        return count
    share = model.train.validation
    return count if not share or count < 2 else count - min(count - 1, max(1, round(count * share)))


def as_published(model: Autoencoder) -> Preset | None:
    """Return the dataset of the first ``data`` line, if all of it is used at its own size."""
    known = preset(model)
    if known is None or model.data[0].only is not None or not known.shape == model.input.shape == model.target.shape:
        return None
    return known


def unexplained_by(known: Preset, numbers: int) -> tuple[int, float] | None:
    """Return a measured code size of at least ``numbers``, and the share of the variance that PCA leaves there.

    A smaller code leaves at least as much. Return None beyond the largest size measured.
    """
    sizes = sorted(known.unexplained)
    place = bisect_left(sizes, numbers)
    return None if place == len(sizes) else (sizes[place], known.unexplained[sizes[place]])

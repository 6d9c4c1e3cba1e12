"""Preprocessing of samples, one declaration each: what ``normalize=`` subtracts from values and divides them by."""

from dataclasses import dataclass

from caedsl.vocabulary.words import Words


@dataclass(frozen=True, kw_only=True)
class PreprocessingKind:
    """Preprocessing of each channel: the values minus an offset, divided by a scale.

    ``by_sample``: each sample is normalised by its own mean and mean absolute deviation before that.

    ``low`` and ``high`` are the ends of what comes out, None for any real number. ``found_by`` is the function of
    ``caedsl/backends/torch/preprocessing.py`` that finds offsets and scales from the training samples; empty where they
    are ``offsets`` and ``scales``, one a channel, for pixels in 0..1. ``about`` says what it does.
    """

    name: str
    about: str
    low: float | None
    high: float | None
    found_by: str
    offsets: tuple[float, ...]
    scales: tuple[float, ...]
    by_sample: bool = False


STANDARD = PreprocessingKind(
    name="standard",
    about="mean 0 and deviation 1, by those of the training samples",
    low=None,
    high=None,
    found_by="mean_and_deviation",
    offsets=(),
    scales=(),
)
MINMAX = PreprocessingKind(
    name="minmax",
    about="0..1, by the least and the largest value of the training samples",
    low=0.0,
    high=1.0,
    found_by="least_and_span",
    offsets=(),
    scales=(),
)
IMAGENET = PreprocessingKind(
    name="imagenet",
    about="by the mean and the deviation of ImageNet, of colours in 0..1",
    low=None,
    high=None,
    found_by="",
    offsets=(0.485, 0.456, 0.406),
    scales=(0.229, 0.224, 0.225),
)
GCN = PreprocessingKind(
    name="gcn",
    about="each sample minus its mean, over its mean absolute deviation, then 0..1 by the ends of all",
    low=0.0,
    high=1.0,
    found_by="contrast_ends",
    offsets=(),
    scales=(),
    by_sample=True,
)

PREPROCESSINGS = Words(__name__, PreprocessingKind)

"""Preprocessing of samples, with one declaration each: the offset and the scale of ``normalize=``."""

from dataclasses import dataclass

from caedsl.vocabulary.words import Words


@dataclass(frozen=True, kw_only=True)
class PreprocessingKind:
    """Preprocessing of each channel: the values minus an offset, divided by a scale.

    - ``about`` describes it.
    - ``low`` and ``high`` are the bounds of the result, None for any real number.
    - ``found_by`` is the function of ``caedsl/backends/torch/preprocessing.py`` that computes offsets and scales from
      the training samples; empty if they are the constants ``offsets`` and ``scales``, one per channel, for pixels in
      0..1, or if there are none.
    - ``by_sample``: first, each sample is normalised by its own mean and mean absolute deviation.
    - ``by_channel``: instead, each channel of a sample by its own mean and standard deviation.
    """

    name: str
    about: str
    low: float | None
    high: float | None
    found_by: str
    offsets: tuple[float, ...]
    scales: tuple[float, ...]
    by_sample: bool = False
    by_channel: bool = False


STANDARD = PreprocessingKind(
    name="standard",
    about="mean 0 and standard deviation 1 over the training samples",
    low=None,
    high=None,
    found_by="mean_and_deviation",
    offsets=(),
    scales=(),
)
MINMAX = PreprocessingKind(
    name="minmax",
    about="0..1 over the training samples, from their smallest and largest value",
    low=0.0,
    high=1.0,
    found_by="least_and_span",
    offsets=(),
    scales=(),
)
IMAGENET = PreprocessingKind(
    name="imagenet",
    about="the mean and the standard deviation of ImageNet, for colours in 0..1",
    low=None,
    high=None,
    found_by="",
    offsets=(0.485, 0.456, 0.406),
    scales=(0.229, 0.224, 0.225),
)
GCN = PreprocessingKind(
    name="gcn",
    about="each sample minus its mean, divided by its mean absolute deviation, then scaled to 0..1 over all samples",
    low=0.0,
    high=1.0,
    found_by="contrast_ends",
    offsets=(),
    scales=(),
    by_sample=True,
)
INSTANCE = PreprocessingKind(
    name="instance",
    about="mean 0 and standard deviation 1 for each channel of each sample",
    low=None,
    high=None,
    found_by="",
    offsets=(),
    scales=(),
    by_sample=True,
    by_channel=True,
)

PREPROCESSINGS = Words(__name__, PreprocessingKind)

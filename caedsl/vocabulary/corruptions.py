"""Corruptions of the input of a denoiser, with one declaration each; the target stays clean."""

from dataclasses import dataclass

from caedsl.vocabulary.option import NOT_NEGATIVE, Domain, Option, Type
from caedsl.vocabulary.words import Words


@dataclass(frozen=True, kw_only=True)
class CorruptionKind:
    """Corruption, in units of the input's range (of width 1); corruptions are applied in the order of this file.

    ``option`` is its amount on the line; if it is ``ranged``, each sample can have its own. ``draw`` and ``apply`` are
    functions of ``caedsl/backends/torch/corruption.py``: they draw the random numbers of a batch, and change the batch
    with them. ``draw`` is empty for a change without random numbers.
    """

    option: Option
    draw: str
    apply: str

    @property
    def name(self) -> str:
        """Word that a spec writes."""
        return self.option.name


_SHARE = Domain(low=0, high=1, high_open=True)  # the whole of an image would leave nothing to restore it from

MEAN = CorruptionKind(
    option=Option(
        "mean",
        Type.NUMBER,
        0.0,
        "mean of the noise of `gaussian=` and `awgn=`, for a range of width 1",
        ranged=True,
    ),
    draw="",
    apply="add_mean",
)
GAUSSIAN = CorruptionKind(
    option=Option(
        "gaussian",
        Type.NUMBER,
        0.0,
        "standard deviation of added noise, for a range of width 1; the sum is clipped to the range",
        domain=NOT_NEGATIVE,
        ranged=True,
    ),
    draw="draw_normal",
    apply="add_clipped_noise",
)
AWGN = CorruptionKind(
    option=Option(
        "awgn",
        Type.NUMBER,
        0.0,
        "the same noise without clipping (additive white Gaussian noise)",
        domain=NOT_NEGATIVE,
        ranged=True,
    ),
    draw="draw_normal",
    apply="add_noise",
)
NOISES = (GAUSSIAN, AWGN)
"""Corruptions whose mean `mean=` sets."""
MASKING = CorruptionKind(
    option=Option(
        "masking", Type.SHARE, 0.0, "share of pixels set to the lower end of the range", domain=_SHARE, ranged=True
    ),
    draw="draw_uniform",
    apply="mask_pixels",
)
SALT_AND_PEPPER = CorruptionKind(
    option=Option(
        "saltpepper", Type.SHARE, 0.0, "share of pixels set to either end of the range", domain=_SHARE, ranged=True
    ),
    draw="draw_uniform",
    apply="salt_and_pepper",
)
HOLE = CorruptionKind(
    option=Option(
        "hole", Type.SHARE, 0.0, "area of a rectangle, anywhere in the image, set to the low end", domain=_SHARE
    ),
    draw="draw_place",
    apply="cut_hole",
)

CORRUPTIONS = Words(__name__, CorruptionKind)

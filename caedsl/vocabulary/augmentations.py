"""Augmentations: random changes of the input and the target, with one declaration each."""

from dataclasses import dataclass

from caedsl.vocabulary.option import FROM_ONE, POSITIVE, Domain, Option, Type, Written
from caedsl.vocabulary.words import Words


@dataclass(frozen=True, kw_only=True)
class AugmentationKind:
    """Augmentation; augmentations are applied in the order of this file.

    - ``option`` is its amount on the line.
    - ``draw`` and ``apply`` are functions of ``caedsl/backends/torch/augmentation.py``: they draw the random numbers of
      each sample, and change the samples with them. In a pair the target is changed by the same numbers.
    - ``in_pixels``: the numbers are in pixels, and are rescaled if the target has another size.
    - ``input_alone``: the target is left as it is, as by noise.
    - ``moves``: it moves pixels to other places, rather than changing their values.
    - ``ranks`` are the numbers of axes that its samples may have: 1 for signals, 2 for images, 3 for volumes.
    """

    option: Option
    draw: str
    apply: str
    in_pixels: bool
    input_alone: bool
    moves: bool
    ranks: tuple[int, ...]

    @property
    def name(self) -> str:
        """Word that a spec writes."""
        return self.option.name


_ANY = (1, 2, 3)

FLIP = AugmentationKind(
    option=Option("flip", Type.FLAG, False, "flip half of the images horizontally", Written.BARE),
    draw="draw_uniform_each",
    apply="flip_last",
    in_pixels=False,
    input_alone=False,
    moves=True,
    ranks=_ANY,
)
VFLIP = AugmentationKind(
    option=Option("vflip", Type.FLAG, False, "flip half of the images vertically", Written.BARE),
    draw="draw_uniform_each",
    apply="flip_rows",
    in_pixels=False,
    input_alone=False,
    moves=True,
    ranks=(2, 3),
)
ROT90 = AugmentationKind(
    option=Option(
        "rot90",
        Type.FLAG,
        False,
        "rotate by multiples of 90 degrees; by 180 degrees if height and width differ",
        Written.BARE,
    ),
    draw="draw_uniform_each",
    apply="quarter_turns",
    in_pixels=False,
    input_alone=False,
    moves=True,
    ranks=(2,),
)
ROTATE = AugmentationKind(
    option=Option(
        "rotate",
        Type.NUMBER,
        0.0,
        "largest rotation in degrees, in both directions",
        domain=Domain(0, 180, low_open=True),
    ),
    draw="draw_symmetric",
    apply="rotate",
    in_pixels=False,
    input_alone=False,
    moves=True,
    ranks=(2,),
)
SCALE = AugmentationKind(
    option=Option("scale", Type.SHARE, 0.0, "largest relative change of the size", domain=Domain(0, 1, True, True)),
    draw="draw_symmetric",
    apply="zoom",
    in_pixels=False,
    input_alone=False,
    moves=True,
    ranks=_ANY,
)
CROP = AugmentationKind(
    option=Option(
        "crop",
        Type.SHARE,
        0.0,
        "largest share to crop on each side before resizing",
        domain=Domain(0, 1, True, True),
    ),
    draw="draw_crop",
    apply="crop",
    in_pixels=False,
    input_alone=False,
    moves=True,
    ranks=_ANY,
)
SHIFT = AugmentationKind(
    option=Option("shift", Type.COUNT, 0, "largest shift in pixels, in all directions", domain=FROM_ONE),
    draw="draw_shift",
    apply="shift",
    in_pixels=True,
    input_alone=False,
    moves=True,
    ranks=_ANY,
)
BRIGHTNESS = AugmentationKind(
    option=Option(
        "brightness", Type.NUMBER, 0.0, "largest change of brightness, for a range of width 1", domain=POSITIVE
    ),
    draw="draw_symmetric",
    apply="brighten",
    in_pixels=False,
    input_alone=False,
    moves=False,
    ranks=_ANY,
)
CONTRAST = AugmentationKind(
    option=Option(
        "contrast",
        Type.SHARE,
        0.0,
        "largest relative change of the contrast",
        domain=Domain(0, 1, low_open=True),
    ),
    draw="draw_symmetric",
    apply="change_contrast",
    in_pixels=False,
    input_alone=False,
    moves=False,
    ranks=_ANY,
)
JITTER = AugmentationKind(
    option=Option(
        "jitter",
        Type.NUMBER,
        0.0,
        "standard deviation of noise on the input, for a range of width 1",
        domain=POSITIVE,
    ),
    draw="draw_normal_each",
    apply="jitter",
    in_pixels=False,
    input_alone=True,
    moves=False,
    ranks=_ANY,
)

AUGMENTATIONS = Words(__name__, AugmentationKind)

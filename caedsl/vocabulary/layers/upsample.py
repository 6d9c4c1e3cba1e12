"""``upsample``: a larger map by interpolation."""

from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.kind import DROPOUT, Draft, Kind, Role
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import FROM_ONE, LayerOption, Options, Type, Written
from caedsl.vocabulary.placed import PlacedLayer
from caedsl.vocabulary.shape import NOUNS, Shape, Sizes, a_sample, joined, rank
from caedsl.vocabulary.window import Reads

FACTOR: LayerOption[Sizes | None] = LayerOption(
    "factor", Type.PER_AXIS, None, "factor of the enlargement", Written.FIRST, FROM_ONE
)
TO: LayerOption[Sizes | None] = LayerOption(
    "to", Type.SIZE, None, "the output size, instead of a factor", Written.WORDED, FROM_ONE
)
INTERPOLATIONS = ("linear", "bilinear", "trilinear")
"""Interpolations for signals, images and volumes."""
MODE: LayerOption[str] = LayerOption(
    "mode", Type.CHOICE, "nearest", "interpolation", Written.BARE, choices=("nearest", *INTERPOLATIONS)
)
ALIGN_CORNERS: LayerOption[bool] = LayerOption(
    "align_corners", Type.FLAG, False, "keep the values at the corners, as PyTorch's option does", Written.BARE
)


def interpolation(shape: Shape) -> str:
    """Return the interpolation for maps of this rank."""
    return INTERPOLATIONS[rank(shape) - 1]


def other_rank(mode: str, shape: Shape) -> str:
    """Return why ``mode`` cannot enlarge a map of this shape; empty if it can."""
    if mode not in INTERPOLATIONS or mode == interpolation(shape):
        return ""
    return f"`{mode}` interpolates {NOUNS[1 + INTERPOLATIONS.index(mode)]}s, but this is {a_sample(shape)}"


class Upsample(Kind):
    """A larger map by interpolation: `upsample 2`, or `upsample to 7x7` for an exact size.

    `nearest` repeats values; `linear`, `bilinear` and `trilinear` interpolate signals, images and volumes. With
    `align_corners`, the first and the last value of each axis stay where they are.
    """

    name = "upsample"
    role = Role.PASSING
    ranks = (1, 2, 3)
    example = "upsample 2"
    options = (FACTOR, TO, MODE, ALIGN_CORNERS, DROPOUT)

    def out_shape(self, options: Options, in_shape: Shape) -> Shape | Misfit:
        """Return the channels of the input with the requested sizes."""
        mode = options[MODE]
        wrong = other_rank(mode, in_shape)
        if wrong:
            return Misfit("wrong-type", wrong, help=f"write `{interpolation(in_shape)}`", option=MODE.name)
        if options[ALIGN_CORNERS] and mode == "nearest":
            return Misfit(
                "option-without-effect",
                "`align_corners` has no effect on `nearest`, which does not interpolate",
                help=f"add `{interpolation(in_shape)}`, or remove `align_corners`",
                option=ALIGN_CORNERS.name,
            )
        factor, to = options[FACTOR], options[TO]
        if to is not None and factor is None:
            return (in_shape[0], *to)
        if factor is not None and to is None:
            return (in_shape[0], *(size * times for size, times in zip(in_shape[1:], factor, strict=True)))
        return Misfit(
            "missing-value" if factor is None else "contradicting-options",
            "`upsample` needs a factor or a size" if factor is None else "`upsample` has both a factor and a size",
            help="write `upsample 2`, or `upsample to 7x7`",
        )

    def arithmetic(self, layer: PlacedLayer, axis: int) -> str:
        """Return the product, if there is a factor."""
        factor = layer.options[FACTOR]
        return f"{layer.in_shape[1 + axis]}·{factor[axis]} = {layer.out_shape[1 + axis]}" if factor else ""

    def reason(self, layer: PlacedLayer, axis: int) -> str:
        """Return the requested size."""
        return f"upsample to {layer.out_shape[1 + axis]}"

    def reads(self, layer: PlacedLayer) -> tuple[Reads, ...]:
        """Return the nearest input, or the two neighbours that are interpolated."""
        sizes = zip(layer.in_shape[1:], layer.out_shape[1:], strict=True)
        if layer.options[MODE] == "nearest":
            return tuple(_nearest(*pair) for pair in sizes)
        return tuple(_aligned(*pair) if layer.options[ALIGN_CORNERS] else _weighed(*pair) for pair in sizes)

    def twin(self, layer: PlacedLayer) -> tuple[Draft, ...] | None:
        """Return a mean over the positions of one input; none if the sizes do not divide."""
        sizes = list(zip(layer.in_shape[1:], layer.out_shape[1:], strict=True))
        if any(after % before for before, after in sizes):
            return None
        return (Draft("avgpool", {"kernel": tuple(after // before for before, after in sizes)}),)

    def has_no_effect(self, layer: PlacedLayer) -> bool:
        """Return whether the shape stays as it is, and nothing follows on the line."""
        return layer.in_shape == layer.out_shape and not self.finish(layer)

    def operation(self, layer: PlacedLayer) -> tuple[Call, ...]:
        """Return ``Upsample`` by a factor, or to a size that is not a multiple of the input's.

        A size that is a multiple also becomes a factor, so that the module fits inputs of other sizes.
        """
        sizes = list(zip(layer.in_shape[1:], layer.out_shape[1:], strict=True))
        aligned = {"align_corners": True} if layer.options[ALIGN_CORNERS] else {}
        how = {"mode": layer.options[MODE], **aligned}
        if any(after % before for before, after in sizes):
            return (call("Upsample", size=layer.options[TO], **how),)
        return (call("Upsample", scale_factor=joined(tuple(after // before for before, after in sizes)), **how),)


def _nearest(before: int, after: int) -> Reads:
    def read(place: int) -> tuple[int, int]:
        source = place * before // after
        return source, source

    return read


def _weighed(before: int, after: int) -> Reads:
    """Return the neighbours of (place + 1/2)·before/after - 1/2, where torch reads without ``align_corners``."""

    def read(place: int) -> tuple[int, int]:
        source, rest = divmod(max(0, (2 * place + 1) * before - after), 2 * after)
        return source, min(source + (rest > 0), before - 1)

    return read


def _aligned(before: int, after: int) -> Reads:
    """Return the neighbours of place·(before - 1)/(after - 1), where torch reads with ``align_corners``."""

    def read(place: int) -> tuple[int, int]:
        source, rest = divmod(place * (before - 1), max(after - 1, 1))
        return source, source + (rest > 0)

    return read

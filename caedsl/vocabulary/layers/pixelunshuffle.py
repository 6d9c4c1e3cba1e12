"""``pixelunshuffle``: pixels gathered into channels."""

from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.kind import Draft, Kind, Role
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import FROM_ONE, REQUIRED, LayerOption, Options, Type, Written
from caedsl.vocabulary.placed import PlacedLayer
from caedsl.vocabulary.shape import Shape, axis_names
from caedsl.vocabulary.window import Reads

GATHERED: LayerOption[int] = LayerOption(
    "scale", Type.COUNT, REQUIRED, "factor of the reduction", Written.FIRST, FROM_ONE
)


class PixelUnshuffle(Kind):
    """The pixels of an image as channels: NxN pixels become N² channels of one pixel.

    It inverts `pixelshuffle`.
    """

    name = "pixelunshuffle"
    role = Role.PASSING
    ranks = (2,)
    keeps_values = True
    example = "pixelunshuffle 2"
    options = (GATHERED,)

    def out_shape(self, options: Options, in_shape: Shape) -> Shape | Misfit:
        """Return the channels multiplied by N², with height and width divided by N."""
        factor = options[GATHERED]
        for size, name in zip(in_shape[1:], axis_names(in_shape), strict=True):
            if size % factor:
                return Misfit(
                    "groups-do-not-divide",
                    f"`pixelunshuffle {factor}` gathers {factor} by {factor} pixels, but a {name} of {size} is not a "
                    f"multiple of {factor}",
                    notes=(f"{size} = {size // factor} · {factor} + {size % factor}",),
                    help=f"use a factor that divides {size}, or `pad` before it",
                    option=GATHERED.name,
                )
        return (in_shape[0] * factor**2, in_shape[1] // factor, in_shape[2] // factor)

    def arithmetic(self, layer: PlacedLayer, axis: int) -> str:
        """Return the quotient."""
        return f"{layer.in_shape[1 + axis]} / {layer.options[GATHERED]} = {layer.out_shape[1 + axis]}"

    def reads(self, layer: PlacedLayer) -> tuple[Reads, ...]:
        """Return the pixels that are gathered at one position."""
        factor = layer.options[GATHERED]
        return (lambda place: (place * factor, (place + 1) * factor - 1),) * 2

    def twin(self, layer: PlacedLayer) -> tuple[Draft, ...]:
        """Return the shuffle back."""
        return (Draft("pixelshuffle", {"scale": layer.options[GATHERED]}),)

    def has_no_effect(self, layer: PlacedLayer) -> bool:
        """Return whether the shape stays as it is, and nothing follows on the line."""
        return layer.in_shape == layer.out_shape and not self.finish(layer)

    def operation(self, layer: PlacedLayer) -> tuple[Call, ...]:
        """Return ``PixelUnshuffle``."""
        return (call("PixelUnshuffle", layer.options[GATHERED]),)

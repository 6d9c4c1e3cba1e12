"""``pixelshuffle``: sub-pixel upsampling."""

from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.kind import DROPOUT, Draft, Kind, Role
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import FROM_ONE, REQUIRED, LayerOption, Options, Type, Written
from caedsl.vocabulary.placed import PlacedLayer
from caedsl.vocabulary.shape import Shape
from caedsl.vocabulary.window import Reads

SHUFFLE: LayerOption[int] = LayerOption(
    "scale", Type.COUNT, REQUIRED, "factor of the enlargement", Written.FIRST, FROM_ONE
)


class PixelShuffle(Kind):
    """Sub-pixel upsampling of images (Shi et al. 2016, arXiv 1609.05158): N² channels become one, N times as large."""

    name = "pixelshuffle"
    role = Role.PASSING
    ranks = (2,)
    keeps_values = True
    example = "pixelshuffle 2"
    options = (SHUFFLE, DROPOUT)

    def out_shape(self, options: Options, in_shape: Shape) -> Shape | Misfit:
        """Return the channels divided by N², with height and width multiplied by N."""
        factor, channels = options[SHUFFLE], in_shape[0]
        if channels % factor**2:
            return Misfit(
                "groups-do-not-divide",
                f"`pixelshuffle {factor}` turns {factor**2} channels into one, but {channels} is not a multiple of "
                f"{factor**2}",
                notes=(f"{channels} = {channels // factor**2} · {factor**2} + {channels % factor**2}",),
                help=f"give the layer before it a multiple of {factor**2} channels",
                option=SHUFFLE.name,
            )
        return (channels // factor**2, in_shape[1] * factor, in_shape[2] * factor)

    def arithmetic(self, layer: PlacedLayer, axis: int) -> str:
        """Return the product."""
        return f"{layer.in_shape[1 + axis]}·{layer.options[SHUFFLE]} = {layer.out_shape[1 + axis]}"

    def reads(self, layer: PlacedLayer) -> tuple[Reads, ...]:
        """Return the single input of an output."""
        factor = layer.options[SHUFFLE]
        return (lambda place: (place // factor, place // factor),) * 2

    def twin(self, layer: PlacedLayer) -> tuple[Draft, ...]:
        """Return the layer that gathers the pixels again."""
        return (Draft("pixelunshuffle", {"scale": layer.options[SHUFFLE]}),)

    def has_no_effect(self, layer: PlacedLayer) -> bool:
        """Return whether the shape stays as it is, and nothing follows on the line."""
        return layer.in_shape == layer.out_shape and not self.finish(layer)

    def operation(self, layer: PlacedLayer) -> tuple[Call, ...]:
        """Return ``PixelShuffle``."""
        return (call("PixelShuffle", layer.options[SHUFFLE]),)

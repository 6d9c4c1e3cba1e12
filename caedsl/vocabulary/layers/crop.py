"""``crop``: the middle of a map."""

from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.margin import AMOUNT, Margin, pairs
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import Options
from caedsl.vocabulary.placed import PlacedLayer
from caedsl.vocabulary.shape import Shape, axis_names, rank
from caedsl.vocabulary.window import Reads


class Crop(Margin):
    """Crops the border of a map: on each side, on both sides of each axis (`crop 1x2`), or before and after."""

    name = "crop"
    undone_by = "pad"
    example = "crop 1"

    def out_shape(self, options: Options, in_shape: Shape) -> Shape | Misfit:
        """Return the sizes without the border."""
        margins = pairs(options, in_shape)
        for size, margin, name in zip(in_shape[1:], margins, axis_names(in_shape), strict=True):
            if margin.before + margin.after >= size:
                return Misfit(
                    "kernel-too-large",
                    f"this crop cuts {margin.before} + {margin.after} of a {name} of {size}: nothing is left",
                    help="use a smaller crop",
                    option=AMOUNT.name,
                )
        sizes = zip(in_shape[1:], margins, strict=True)
        return (in_shape[0], *(size - margin.before - margin.after for size, margin in sizes))

    def arithmetic(self, layer: PlacedLayer, axis: int) -> str:
        """Return the difference."""
        margin = pairs(layer.options, layer.in_shape)[axis]
        return f"{layer.in_shape[1 + axis]} - {margin.before} - {margin.after} = {layer.out_shape[1 + axis]}"

    def reads(self, layer: PlacedLayer) -> tuple[Reads, ...]:
        """Return the single input of an output."""
        return tuple(_after(margin.before) for margin in pairs(layer.options, layer.in_shape))

    def operation(self, layer: PlacedLayer) -> tuple[Call, ...]:
        """Return a negative ``ZeroPad``."""
        margins = pairs(layer.options, layer.in_shape)
        # torch lists the last axis first.
        sides = tuple(-side for margin in reversed(margins) for side in (margin.before, margin.after))
        return (call(f"ZeroPad{rank(layer.in_shape)}d", sides),)


def _after(before: int) -> Reads:
    return lambda place: (place + before, place + before)

"""``pad``: zeros around a map."""

from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.margin import Margin, pairs
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import Options
from caedsl.vocabulary.placed import PlacedLayer
from caedsl.vocabulary.shape import Shape, rank
from caedsl.vocabulary.window import Reads


class Pad(Margin):
    """Zeros around a map: on each side, on both sides of each axis (`pad 1x2`), or before and after (`pad 0..1`)."""

    name = "pad"
    undone_by = "crop"
    keeps_values = True
    example = "pad 1"

    def out_shape(self, options: Options, in_shape: Shape) -> Shape | Misfit:
        """Return the sizes with the zeros."""
        margins = pairs(options, in_shape)
        sizes = zip(in_shape[1:], margins, strict=True)
        return (in_shape[0], *(size + margin.before + margin.after for size, margin in sizes))

    def arithmetic(self, layer: PlacedLayer, axis: int) -> str:
        """Return the sum."""
        margin = pairs(layer.options, layer.in_shape)[axis]
        return f"{layer.in_shape[1 + axis]} + {margin.before} + {margin.after} = {layer.out_shape[1 + axis]}"

    def reads(self, layer: PlacedLayer) -> tuple[Reads, ...]:
        """Return the single input of an output, and none for a zero."""
        margins = pairs(layer.options, layer.in_shape)
        return tuple(_inside(margin.before, size) for margin, size in zip(margins, layer.in_shape[1:], strict=True))

    def operation(self, layer: PlacedLayer) -> tuple[Call, ...]:
        """Return ``ZeroPad``."""
        margins = pairs(layer.options, layer.in_shape)
        # torch lists the last axis first.
        sides = tuple(side for margin in reversed(margins) for side in (margin.before, margin.after))
        return (call(f"ZeroPad{rank(layer.in_shape)}d", sides),)


def _inside(before: int, size: int) -> Reads:
    def read(place: int) -> tuple[int, int]:
        return (place - before, place - before) if before <= place < before + size else (0, -1)

    return read

"""``multiply``: the product with a named output."""

from caedsl.vocabulary.joining import OTHER, Join, Joining
from caedsl.vocabulary.kind import Draft
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import Options
from caedsl.vocabulary.placed import PlacedLayer
from caedsl.vocabulary.shape import Shape, is_map, text


class Multiply(Join):
    """The product of its input and an output that `as` has named, as gates and masks compute it.

    A map with a single channel (1x14x14) weights positions, and one with a single position (32x1x1) weights channels,
    as the gates of attention U-Nets (Oktay et al. 2018, arXiv 1804.03999) and of NAFNet (Chen et al. 2022, arXiv
    2204.04676) do. Otherwise, both have the same shape.
    """

    name = "multiply"
    verb = "multiplies"
    example = "multiply fine"
    linear = False

    def out_shape(self, options: Options, in_shape: Shape) -> Shape | Misfit:
        """Return the shape of the larger of both, if the other has 1 or as much along each axis."""
        larger, smaller = sorted((in_shape, options[OTHER]), key=lambda shape: (len(shape), *shape), reverse=True)
        pairs = list(zip(larger, smaller, strict=False))
        if len(larger) == len(smaller) and all(few in (1, many) for many, few in pairs):
            return larger
        return self.unequal(options, in_shape)

    def unequal(self, options: Options, in_shape: Shape) -> Misfit:
        """Return why the two shapes do not match."""
        misfit = super().unequal(options, in_shape)
        other = options[OTHER]
        if is_map(in_shape) != is_map(other):
            vector, map_shape = sorted((in_shape, other), key=len)
            if vector[0] == map_shape[0]:
                one = text((vector[0], *(1 for _ in map_shape[1:])))
                return misfit._replace(help=f"write `reshape {one}` after the vector, which then weights channels")
        elif in_shape[1:] == other[1:]:
            help_line = f"give the layer before it {other[0]} channels, or one of both a single channel"
            return misfit._replace(help=help_line)
        return misfit

    def joining(self, layer: PlacedLayer) -> Joining:
        """Return the product."""
        return Joining.PRODUCT

    def twin(self, layer: PlacedLayer) -> tuple[Draft, ...] | None:
        """Return nothing, as for other layers that keep a shape, or None for one that has enlarged its input."""
        return () if layer.in_shape == layer.out_shape else None

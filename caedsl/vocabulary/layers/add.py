"""``add``: the sum with a named output."""

from caedsl.vocabulary.joining import OTHER, Join, Joining
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import Options
from caedsl.vocabulary.placed import PlacedLayer
from caedsl.vocabulary.shape import Shape


class Add(Join):
    """The sum of its input and an output with the same shape that `as` has named."""

    name = "add"
    verb = "sums"
    example = "add fine"

    def out_shape(self, options: Options, in_shape: Shape) -> Shape | Misfit:
        """Return the shape that both have."""
        return in_shape if in_shape == options[OTHER] else self.unequal(options, in_shape)

    def joining(self, layer: PlacedLayer) -> Joining:
        """Return the sum."""
        return Joining.SUM

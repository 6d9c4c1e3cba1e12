"""``concat``: the channels of its input, followed by those of a named output."""

from caedsl.vocabulary.joining import FROM, OTHER, Join, Joining
from caedsl.vocabulary.kind import Draft
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import LayerOption, Options, Type, Written
from caedsl.vocabulary.placed import PlacedLayer
from caedsl.vocabulary.shape import Shape

FIRST: LayerOption[bool] = LayerOption(
    "first", Type.FLAG, False, "put the channels of the named output before those of the input", Written.BARE
)


class Concat(Join):
    """The channels of its input, followed by those of an output of the same size that `as` has named.

    Two vectors become one with the numbers of both. `concat input` reads the network's input.
    """

    name = "concat"
    verb = "joins"
    example = "concat fine"
    options = (FROM, FIRST)

    def out_shape(self, options: Options, in_shape: Shape) -> Shape | Misfit:
        """Return the sum of the channels."""
        other = options[OTHER]
        if in_shape[1:] != other[1:]:
            return self.unequal(options, in_shape)
        return (in_shape[0] + other[0], *in_shape[1:])

    def joining(self, layer: PlacedLayer) -> Joining:
        """Return the order of the channels."""
        return Joining.IN_FRONT if layer.options[FIRST] else Joining.BEHIND

    def twin(self, layer: PlacedLayer) -> tuple[Draft, ...] | None:
        """Return None: the two inputs cannot be separated again."""
        return None

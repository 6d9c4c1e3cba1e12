"""``from``: continues from a named output instead of the line before it."""

from caedsl.vocabulary.joining import OTHER, Join, Joining
from caedsl.vocabulary.kind import Draft
from caedsl.vocabulary.option import Options
from caedsl.vocabulary.placed import PlacedLayer
from caedsl.vocabulary.shape import Shape, rank
from caedsl.vocabulary.window import Reads


class From(Join):
    """Continues from an output that `as` has named instead of from the line before: a second branch begins.

    The line before needs a name too, so that a later `concat` or `add` can join the two branches. `from input` starts
    at the network's input.
    """

    name = "from"
    has_output = False
    starts_branch = True
    example = "from fine"

    def out_shape(self, options: Options, in_shape: Shape) -> Shape:
        """Return the shape of the named output."""
        return options[OTHER]

    def reads(self, layer: PlacedLayer) -> tuple[Reads, ...]:
        """Return one number of the named output for each number, along each of its axes."""
        return (lambda place: (place, place),) * rank(layer.out_shape)

    def joining(self, layer: PlacedLayer) -> Joining:
        """Return the named output alone."""
        return Joining.INSTEAD

    def twin(self, layer: PlacedLayer) -> tuple[Draft, ...] | None:
        """Return None: a mirror has a single branch."""
        return None

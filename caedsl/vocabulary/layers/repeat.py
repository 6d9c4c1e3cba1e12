"""``repeat``: the same lines several times."""

from caedsl.vocabulary.kind import Kind, Options
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import FROM_ONE, REQUIRED, Option, Type, Written
from caedsl.vocabulary.shape import Shape


class Repeat(Kind):
    """Its layers so many times in a row, each copy with weights of its own. A single line is repeated by `x3` on it."""

    name = "repeat"
    example = "repeat 2 { conv 16 relu }"
    block = True
    options = (Option("times", Type.COUNT, REQUIRED, "how often", Written.FIRST, FROM_ONE),)

    def out_shape(self, options: Options, in_shape: Shape) -> Shape | Misfit:
        """The input's: what the layers inside make of it is decided by them."""
        return in_shape

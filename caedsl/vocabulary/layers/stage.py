"""``stage``: a named group of layers."""

from caedsl.vocabulary.kind import Kind, Options
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import REQUIRED, Option, Type, Written
from caedsl.vocabulary.shape import Shape


class Stage(Kind):
    """A named group of layers; the name shows in diagrams and tables and changes nothing else."""

    name = "stage"
    example = "stage down { conv 16 relu; maxpool 2 }"
    block = True
    options = (Option("name", Type.NAME, REQUIRED, "what the stage is called", Written.FIRST),)

    def out_shape(self, options: Options, in_shape: Shape) -> Shape | Misfit:
        """The input's: what the layers inside make of it is decided by them."""
        return in_shape

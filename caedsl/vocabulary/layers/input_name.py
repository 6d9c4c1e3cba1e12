"""``as``: a name for what the lines below it are given."""

from caedsl.vocabulary.kind import Kind, Role
from caedsl.vocabulary.option import REQUIRED, LayerOption, Options, Type, Written
from caedsl.vocabulary.shape import Shape

NAMED: LayerOption[str] = LayerOption("as", Type.NAME, REQUIRED, "the name", Written.FIRST)


class InputName(Kind):
    """Names what a block or a group is given, so that lines inside it can read its input.

    It is the first line there: `residual { as x; globalpool; dense 32 sigmoid; reshape 32x1x1; multiply x }`. Below any
    other line, `as` stands on that line: `conv 32 as x`.
    """

    name = "as"
    role = Role.GROUPING
    example = "as x"
    options = (NAMED,)
    has_output = False

    def out_shape(self, options: Options, in_shape: Shape) -> Shape:
        """Return the input's shape."""
        return in_shape

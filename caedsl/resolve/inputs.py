"""The ``input`` line: the shape of what goes in, and the range of its values."""

from caedsl.model.autoencoder import Input
from caedsl.model.data import InputRange
from caedsl.resolve.binding import bind, filled
from caedsl.resolve.scope import Scope
from caedsl.syntax import tree
from caedsl.vocabulary.option import REQUIRED, Domain, Option, Type, Written
from caedsl.vocabulary.shape import Shape, text

INPUT_OPTIONS = (
    Option("shape", Type.SHAPE, REQUIRED, "channels, height and width", Written.FIRST, Domain(low=1, high=2**16)),
    Option("in", Type.RANGE, InputRange(), "the values that pixels have", Written.WORDED),
)


def read_input(statement: tree.Statement | None, scope: Scope) -> Input | None:
    """Return the input that the line describes; None, and a finding, where it cannot be read."""
    if statement is None:
        return None
    items = tuple(_image_shape(item, scope) for item in statement.items)
    bound = bind("input", items, INPUT_OPTIONS, scope)
    values = filled(bound, INPUT_OPTIONS, statement, scope)
    if values is None:
        return None
    shape: Shape = values["shape"]
    span = bound.spans["shape"]
    if len(shape) != 3:
        scope.report(
            "wrong-type",
            span,
            f"an input has channels, height and width, and `{text(shape)}` has not all three",
            help="write `input 1x28x28`",
        )
        return None
    return Input(shape, values["in"], span, bound.spans.get("in", span))


def _image_shape(item: tree.Item, scope: Scope) -> tree.Item:
    """``28x28`` read as one channel of 28x28, with a finding, so that the rest can be checked."""
    if isinstance(item, tree.Size) and len(item.dims) == 2:
        shape = (1, *item.dims)
        scope.report(
            "wrong-type",
            item.span,
            f"an input has channels, height and width, and `{text(item.dims)}` has two numbers",
            help=f"write `input {text(shape)}` for grey images, `input 3x{text(item.dims)}` for colour",
        )
        return tree.Size(shape, item.span)
    return item

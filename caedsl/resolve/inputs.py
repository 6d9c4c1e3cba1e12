"""The ``input`` line: the shape of what goes in, and the range of its values."""

from caedsl.model.autoencoder import Input
from caedsl.model.data import InputRange
from caedsl.resolve.binding import bind
from caedsl.resolve.line_options import filled
from caedsl.resolve.scope import Scope
from caedsl.syntax import tree
from caedsl.vocabulary.option import REQUIRED, Domain, Option, Type, Written
from caedsl.vocabulary.shape import Shape, is_map, text

INPUT_OPTIONS = (
    Option("shape", Type.SHAPE, REQUIRED, "channels and one to three sizes", Written.FIRST, Domain(low=1, high=2**16)),
    Option("in", Type.RANGE, InputRange(), "the values that pixels have", Written.WORDED),
)


def read_input(statement: tree.Statement | None, scope: Scope) -> Input | None:
    """Return the input that the line describes; None, and a finding, where it cannot be read."""
    if statement is None:
        return None
    bound = bind("input", statement.items, INPUT_OPTIONS, scope)
    values = filled(bound, INPUT_OPTIONS, statement, scope)
    if values is None:
        return None
    shape: Shape = values["shape"]
    span = bound.spans["shape"]
    if not is_map(shape):
        scope.report(
            "wrong-type",
            span,
            f"an input has channels and one to three sizes, and `{text(shape)}` is a single number",
            help="write `input 1x288` for a signal, `input 1x28x28` for images, `input 1x64x64x64` for volumes",
        )
        return None
    return Input(shape, values["in"], span, bound.spans.get("in", span))

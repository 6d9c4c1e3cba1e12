"""The lines ``input`` and ``target``: shapes and value ranges of inputs and outputs."""

from collections.abc import Sequence

from caedsl.diagnostics.finding import Label
from caedsl.model.autoencoder import Input
from caedsl.model.data import InputRange
from caedsl.resolve.reading.binding import bind
from caedsl.resolve.reading.line_options import filled
from caedsl.resolve.reading.respelling import replacing
from caedsl.resolve.scope import Scope
from caedsl.syntax import tree
from caedsl.syntax.errors.wording import input_size
from caedsl.vocabulary.option import REQUIRED, Domain, Option, Type, Written
from caedsl.vocabulary.shape import Shape, a_sample, is_map, rank, text

SHAPE = Option(
    "shape", Type.SHAPE, REQUIRED, "channels and one to three sizes", Written.FIRST, Domain(low=1, high=2**16)
)
IN = Option("in", Type.RANGE, InputRange(), "the range of the values", Written.WORDED)
INPUT_OPTIONS = (SHAPE, IN)


def read_input(statement: tree.Statement | None, scope: Scope) -> Input | None:
    """Return the input that the line describes, or None and a finding if it cannot be read."""
    return None if statement is None else _read("input", statement, scope)


def read_target(statement: tree.Statement | None, image: Input, scope: Scope) -> Input:
    """Return the target that the line describes, or the input if there is no line or it cannot be read."""
    target = None if statement is None else _read("target", statement, scope)
    if target is None:
        return image
    if rank(target.shape) != rank(image.shape):
        own, other = a_sample(target.shape), a_sample(image.shape)
        scope.report(
            "target-rank",
            target.span,
            f"the target is {own}, but the input is {other}",
            related=(Label(image.span, f"the input is {other}"),),
            help=f"give the target as many sizes as the input: `target {text((target.shape[0], *image.shape[1:]))}`",
        )
        return image
    return target


def _multiplied(items: Sequence[tree.Item], scope: Scope) -> Sequence[tree.Item]:
    """Return the items with ``1*28*28`` as the size that it stands for, after a finding."""
    first = items[0] if items else None
    size = input_size(scope.source.slice(first.span)) if isinstance(first, tree.Operation) else ""
    if not size or first is None:
        return items
    message = f"`{scope.source.slice(first.span)}` is a product, but the sizes of a shape are joined by x"
    scope.report("wrong-type", first.span, message, help=f"write `{size}`", fix=replacing(first.span, size))
    return tree.Size(tuple(map(int, size.split("x"))), first.span), *items[1:]


def _read(word: str, statement: tree.Statement, scope: Scope) -> Input | None:
    bound = bind(word, _multiplied(statement.items, scope), INPUT_OPTIONS, scope)
    values = filled(bound, INPUT_OPTIONS, statement, scope)
    if values is None:
        return None
    shape: Shape = values[SHAPE.name]
    span = bound.spans[SHAPE.name]
    if not is_map(shape):
        scope.report(
            "wrong-type",
            span,
            f"{'an input' if word == 'input' else 'a target'} has channels and one to three sizes, but "
            f"`{text(shape)}` is a single number",
            help=f"write `{word} 1x288` for a signal, `{word} 1x28x28` for images, `{word} 1x64x64x64` for volumes",
        )
        return None
    return Input(shape, values[IN.name], span, bound.spans.get(IN.name, span))

"""The decoder, explicit or mirrored, and the inverse of a dense code before it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from caedsl.model.autoencoder import Bottleneck
from caedsl.model.data import InputRange
from caedsl.resolve.blocks import read_block
from caedsl.resolve.mirroring.inversion import ending_activation, undo
from caedsl.resolve.mirroring.mirror import MIRROR, OPTIONS, mirror, mirror_options
from caedsl.resolve.mirroring.mirror_options import MirrorOptions
from caedsl.resolve.placing import Placed, place_block, place_lines
from caedsl.resolve.reading.binding import bind
from caedsl.resolve.reading.joined_lines import without_doubled_head
from caedsl.resolve.reading.line_options import filled
from caedsl.resolve.scope import Scope
from caedsl.resolve.statement_words import StatementsByWord
from caedsl.syntax import tree
from caedsl.vocabulary.bottlenecks import BY_NAME
from caedsl.vocabulary.joining import Join
from caedsl.vocabulary.kind import Role
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.layers import KINDS
from caedsl.vocabulary.line import Line
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.shape import Shape, text


def read_decoder(
    found: StatementsByWord, reached: InputRange | None, scope: Scope
) -> tuple[Line, ...] | MirrorOptions | None:
    """Return the Lines of an explicit decoder or the options of a mirror, or None if neither can be read."""
    statement = found.single.get("decoder")
    if statement is None:
        return None
    if statement.block is not None:
        _refuse_items(statement, scope)
        return read_block("decoder", found, scope) if statement.block or not statement.items else None
    statement = replace(statement, items=tuple(without_doubled_head("decoder", statement.items, scope)))
    values = _mirror_values(statement, found, scope)
    return None if values is None or reached is None else mirror_options(values, reached, statement.span)


def place_decoder(
    read: tuple[Line, ...] | MirrorOptions | None,
    encoder: Placed,
    bottleneck: Bottleneck | None,
    start: Shape | None,
    target: Shape,
    scope: Scope,
) -> tuple[tuple[Layer, ...], Placed]:
    """Return the inverse of a dense code and the decoder after it, which lead from ``start`` to ``target``."""
    if read is None or start is None:
        return (), Placed(None, encoder.outputs)
    encoder.outputs.at_code = bottleneck is None or not bottleneck.inverse
    made = () if bottleneck is None else bottleneck.layers
    is_dense = bottleneck is not None and BY_NAME[bottleneck.form].makes_vector
    if bottleneck is not None and BY_NAME[bottleneck.form].block:
        return bottleneck.inverse, _after_block(read, encoder, bottleneck, target, scope)
    if not isinstance(read, MirrorOptions):
        back = _inverse(made, encoder, read, scope) if is_dense else ()
        placed = place_lines((*back, *read), start, encoder.outputs, scope)
        inverse = placed.layers[: len(back)]
    else:
        known = bottleneck is not None and encoder.out_shape is not None
        lines = mirror(encoder.layers, made, read, target, scope) if known else None
        placed = place_block(lines, start, encoder.outputs, scope)
        inverse = [
            replace(layer, span=made[0].span) for layer in placed.layers if is_dense and layer.mirrors is made[0]
        ]
    placed.layers = placed.layers[len(inverse) :]
    return tuple(inverse), placed


def _after_block(
    read: tuple[Line, ...] | MirrorOptions, encoder: Placed, bottleneck: Bottleneck, target: Shape, scope: Scope
) -> Placed:
    """Return the decoder after the last of a bottleneck's layers in braces."""
    end = bottleneck.inverse[-1].out_shape if bottleneck.inverse else bottleneck.code_shape
    if not isinstance(read, MirrorOptions):
        return place_lines(read, end, encoder.outputs, scope)
    made = _twins_left(bottleneck, end, encoder.out_shape)
    if made is None:
        message = f"`decoder mirror` cannot continue from {text(end)}, where this bottleneck ends"
        shapes = dict.fromkeys([encoder.out_shape or (), *(layer.out_shape for layer in bottleneck.layers)])
        listed = ", ".join(text(shape) for shape in shapes)
        scope.report("no-mirror", bottleneck.span, message, help=f"end it with one of {listed}, or with the code")
        return Placed(None, encoder.outputs)
    return place_block(mirror(encoder.layers, made, read, target, scope), end, encoder.outputs, scope)


def _twins_left(bottleneck: Bottleneck, end: Shape, encoded: Shape | None) -> Sequence[Layer] | None:
    """Return the layers before the code that the layers after it do not invert, or None if the shapes do not tell."""
    if end == encoded:
        return ()
    shapes = [layer.out_shape for layer in bottleneck.layers]
    return bottleneck.layers[: len(shapes) - shapes[::-1].index(end)] if end in shapes else None


def _inverse(made: Sequence[Layer], encoder: Placed, decoder: Sequence[Line], scope: Scope) -> tuple[Line, ...]:
    """Return the inverse of a dense code; none if the decoder's first layer takes the code itself."""
    if _takes(made[-1].out_shape, decoder):
        return ()
    return undo(made, ending_activation(encoder.layers), MirrorOptions(made[0].span), scope) or ()


def _takes(code: Shape, decoder: Sequence[Line]) -> bool:
    """Return whether the first layer other than noise accepts a vector of this shape."""
    for line in decoder:
        if line.broken or line.children:
            return _takes(code, line.children)
        kind = KINDS[line.kind]
        if isinstance(kind, Join) or isinstance(kind.fit(line.options, code), Misfit):
            return False
        if kind.role in (Role.WEIGHTED, Role.RESHAPING):
            return True
    return False


def _refuse_items(statement: tree.Statement, scope: Scope) -> None:
    if statement.items:
        span = statement.items[0].span.to(statement.items[-1].span)
        text_ = scope.source.slice(span)
        if text_.startswith("mirror"):
            line = scope.source.slice(statement.span)
            after = scope.source.text[statement.span.end :]
            options = after[after.find("{") + 1 : max(after.find("}"), 0)].split()
            help_line = f"write `{' '.join((line, *options))}`"
            scope.report("unexpected-block", statement.span, "`decoder mirror` takes no block", help=help_line)
            return
        scope.report(
            "unexpected-value",
            span,
            f"`{text_}` cannot be written before the decoder's block",
            help="write `decoder mirror` with its options, or the block alone",
        )


def _mirror_values(statement: tree.Statement, found: StatementsByWord, scope: Scope) -> dict[str, Any] | None:
    bound = bind("decoder", statement.items, OPTIONS, scope)
    found.places.update({f"decoder.{option}": span for option, span in bound.spans.items()})
    if MIRROR.name in bound.failed:
        return None
    if MIRROR.name not in bound.values:
        if not statement.broken:
            scope.report(
                "missing-value",
                statement.span,
                "`decoder` needs `mirror` or a block of layers",
                help="write `decoder mirror`, or `decoder { ... }`",
            )
        return None
    return filled(bound, OPTIONS, statement, scope)

"""The ``bottleneck`` line: the unchanged code, an asserted shape, or layers that make the code."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from caedsl.diagnostics import foreign_words
from caedsl.diagnostics.edits import removal
from caedsl.diagnostics.finding import Applicability, Edit, Fix, Label
from caedsl.model.autoencoder import Bottleneck
from caedsl.resolve.outputs import report_code_dropped
from caedsl.resolve.placing import Placed, place_lines
from caedsl.resolve.reading.binding import bind
from caedsl.resolve.reading.line_options import filled
from caedsl.resolve.reading.lines import read_lines, report_idle
from caedsl.resolve.reading.respelling import report_outside
from caedsl.resolve.scope import Scope
from caedsl.source import Span
from caedsl.syntax import tree
from caedsl.vocabulary.bottlenecks import FIRST_WORDS, FORMS
from caedsl.vocabulary.bottlenecks.bare import ASSERTED
from caedsl.vocabulary.form import CODE_L1, NOISE, WARMUP, Form
from caedsl.vocabulary.joining import FROM
from caedsl.vocabulary.kernel_options import L1
from caedsl.vocabulary.kind import Role
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.layers.dense import Dense
from caedsl.vocabulary.line import Line
from caedsl.vocabulary.shape import Shape, elements, text

_VARIATIONAL = "variational"
_CODE_NAME = "code"
"""Name of the layer whose output is the code, in a block of layers."""


@dataclass(frozen=True)
class Code:
    """Bottleneck as written: its Lines or its asserted shape, and the options of the code."""

    form: Form
    lines: tuple[Line, ...]
    asserted: Shape | None
    weights: Mapping[str, float]
    noise: float
    warmup: float
    at: Span
    shape_at: Span


def read_bottleneck(statement: tree.Statement, scope: Scope) -> Code | None:
    """Return the bottleneck that the line describes, or None and a finding if it cannot be read."""
    form, items = _form(statement, scope)
    if form is None:
        return None
    owner = " ".join(("bottleneck", *form.words))
    bound = bind(owner, items, form.options, scope)
    # A convolution that makes a code has kernel 1 and is linear; a dense layer is like any other dense layer.
    inherited = scope.inherited(form.name, bound.values.keys() - {CODE_L1.name}) if form.inherits else {}
    named = statement.items[len(form.words) - 1].span if form.words else statement.head.span
    head = tree.WrittenWord(owner, statement.head.span.to(named))
    given = replace(bound, values={**inherited, **bound.values})
    first = statement.items[0] if statement.items else None
    is_guessed = isinstance(first, tree.WrittenWord) and form.words[:1] != (first.text,)
    line = tree.Statement(head, (), None, statement.span, statement.broken or is_guessed)
    values = filled(given, form.options, line, scope)
    if values is None:
        return None
    report_idle(form.name, bound, inherited, scope)
    misfit = form.misfit(values, bound.values)
    if misfit is not None:
        scope.report(misfit.name, bound.spans[misfit.option], misfit.message, help=misfit.help)
    weights = {**form.weights(values), CODE_L1.name: bound.values.get(CODE_L1.name, 0.0)}
    noise, warmup = values.pop(NOISE.name, 0.0), values.pop(WARMUP.name, 0.0)
    # `l1=` on this line is a penalty on the code; a penalty on the weights comes only from `defaults`.
    drafts = form.drafts({**values, L1.name: inherited.get(L1.name, 0.0)})
    lines = tuple(Line(draft.kind, draft.options, bound.spans, at=statement.span) for draft in drafts)
    if form.block:
        lines = read_lines(statement.block or (), scope)
    shape_at = bound.spans.get(ASSERTED.name, statement.span)
    asserted = None if bound.faults else values.get(ASSERTED.name)
    return Code(form, lines, asserted, weights, noise, warmup, statement.span, shape_at)


def _form(statement: tree.Statement, scope: Scope) -> tuple[Form | None, Sequence[tree.Item]]:
    items: Sequence[tree.Item] = statement.items
    if statement.block is not None:
        return _block_form(statement, scope), _options(items, scope)
    items = _form_first(items, scope)
    words = tuple(_word(item, scope) for item in items[:2])
    known = _known(words)
    if known.words == (_VARIATIONAL,) and words[1:] == (Dense.name,):
        rest = scope.source.slice(Span(items[1].span.end, statement.span.end)).strip()
        help_line = f"write `bottleneck {_VARIATIONAL} {rest or 32}` without `dense`: only `conv` follows it"
        fix = Fix("remove `dense`", (removal(scope.source.text, items[1].span),), Applicability.SAFE)
        scope.report("unexpected-value", items[1].span, "`dense` has no meaning here", help=help_line, fix=fix)
        return known, items[2:]
    if known.words or not words or scope.is_constant(words[0]):
        return known, items[len(known.words) :]
    if isinstance(items[0], tree.WrittenOption):
        named = _size_by_name(items[0], scope)
        return (known, items) if named is None else (named, (items[0].value, *items[1:]))
    if not words[0]:
        return known, items
    if isinstance(items[0], tree.WrittenWord) and report_outside(items[0], "unknown-value", scope):
        return None, items[1:]
    plain = words[0].lower().replace("-", "").replace("_", "")
    note = foreign_words.FORM_NOTES.get(plain, "")
    near = plain if plain in FIRST_WORDS else scope.nearest(plain, FIRST_WORDS, foreign_words.FORMS)
    near = None if note else near
    listed = ", ".join(f"`{form.example}`" for form in FORMS)
    remedy = note or f"write one of {listed}"
    scope.report("unknown-value", items[0].span, f'unknown bottleneck "{words[0]}"', help=remedy, meant=near)
    form = _known((near or "", *words[1:]))
    return (form, items[len(form.words) :]) if near else (None, items[1:])


def _form_first(items: Sequence[tree.Item], scope: Scope) -> Sequence[tree.Item]:
    """Return ``beta=4 variational 8`` and ``8 units`` with the form first, after a finding; other items as they are."""
    before = tuple(takewhile(lambda item: isinstance(item, tree.WrittenOption | tree.Number), items))
    word = items[len(before)] if before and len(before) < len(items) else None
    name = word.text.lower() if isinstance(word, tree.WrittenWord) else ""
    form = name if name in FIRST_WORDS else foreign_words.FORMS.get(name)
    if word is None or form is None:
        return items
    sizes = [item for item in before if isinstance(item, tree.Number)]
    options = [item for item in before if isinstance(item, tree.WrittenOption)]
    others = (*sizes, *items[len(before) + 1 :], *options)
    line = " ".join((form, *(scope.source.slice(item.span) for item in others)))
    fix = Fix(f"write `{line}`", (Edit(items[0].span.to(items[-1].span), line),), Applicability.SAFE)
    message = f"`{name}` must come first: it is the form of the code"
    if name != form:
        message = f"`{name}` is not a form of the code, which comes first"
    scope.report("unexpected-value", word.span, message, help=f"write `bottleneck {line}`", fix=fix)
    return (tree.WrittenWord(form, word.span), *others)


def _word(item: tree.Item, scope: Scope) -> str:
    """Return the word of an item; a hyphen in a name is read as a difference."""
    if isinstance(item, tree.WrittenWord):
        return item.text
    written = scope.source.slice(item.span)
    return written if isinstance(item, tree.Operation) and re.fullmatch(r"[A-Za-z-]+", written) else ""


def _known(words: Sequence[str]) -> Form:
    return next(form for form in FORMS if tuple(words[: len(form.words)]) == form.words and not form.block)


def _size_by_name(option: tree.WrittenOption, scope: Scope) -> Form | None:
    """Return the form of ``bottleneck latent=8``, with a finding, or None if the name stands for no form."""
    name = option.name.text
    plain = name.lower().replace("_", "")
    near = plain if plain in FIRST_WORDS else foreign_words.FORMS.get(plain)
    if near is None:
        return None
    line = f"{near} {scope.source.slice(option.value.span)}"
    scope.report(
        "unknown-option",
        option.name.span,
        f'unknown option "{name}" on bottleneck',
        help=f"write `bottleneck {line}`",
        fix=Fix(f"write `{line}`", (Edit(option.span, line),), Applicability.SAFE),
    )
    return _known((near,))


def _block_form(statement: tree.Statement, scope: Scope) -> Form | None:
    """Return the form with layers in braces, or None and a finding if the braces are empty."""
    form = next(form for form in FORMS if form.block)
    if not statement.block and not statement.broken:
        message = "the braces of this bottleneck contain no layers"
        scope.report("missing-block", statement.span, message, help=f"write `{form.example}`, or `bottleneck` alone")
    return form if statement.block else None


def _options(items: Sequence[tree.Item], scope: Scope) -> Sequence[tree.Item]:
    """Return the named options before braces; report anything else there."""
    others = [item for item in items if not isinstance(item, tree.WrittenOption)]
    if others:
        span = others[0].span.to(others[-1].span)
        message = f"`{scope.source.slice(span)}` cannot be written before the braces of a bottleneck"
        scope.report("unexpected-value", span, message, help="move it into the braces, or remove the braces")
    return [item for item in items if isinstance(item, tree.WrittenOption)]


def place_bottleneck(code: Code, placed_encoder: Placed, scope: Scope) -> Bottleneck | None:
    """Return the bottleneck after the encoder's layers, or None if the shape of the code is unknown."""
    encoder, in_shape = placed_encoder.layers, placed_encoder.out_shape
    if code.lines:
        placed = place_lines(code.lines, in_shape, placed_encoder.outputs, scope)
        if placed.out_shape is None:
            return None
        layers = tuple(placed.layers)
        ends = _code_place(layers, scope) if code.form.block else len(layers)
        made, after_code = layers[:ends], layers[ends:]
        first = _first(after_code)
        if first is not None and first.kind.starts_branch:
            report_code_dropped(first.span, first.options[FROM], scope)
            placed.outputs.dropped.clear()
        form, out = code.form.name, made[-1].out_shape if made else placed.out_shape
        return Bottleneck(form, out, made, after_code, code.weights, code.noise, code.at, code.warmup)
    if in_shape is not None and code.asserted is not None and code.asserted != in_shape:
        asserting = f"`bottleneck {text(in_shape)}`"
        is_size = len(code.asserted) == 1 < len(in_shape)
        scope.report(
            "code-shape-mismatch",
            code.shape_at,
            f"the encoder ends at {text(in_shape)}, but the bottleneck asserts {text(code.asserted)}",
            label=f"the code is {text(in_shape)}",
            related=(Label(encoder[-1].span, f"returns {text(in_shape)}"),) if encoder else (),
            notes=_path(encoder),
            help=f"write `bottleneck dense {code.asserted[0]}` for a code of that size, or {asserting}"
            if is_size
            else f"write {asserting}, or change the encoder",
        )
    shape = in_shape or code.asserted
    return None if shape is None else Bottleneck(code.form.name, shape, (), (), code.weights, code.noise, code.at)


def _first(layers: Sequence[Layer]) -> Layer | None:
    """Return the first layer that computes something, with stages opened."""
    for layer in layers:
        if layer.kind.role is not Role.GROUPING:
            return layer
        if layer.children:
            return _first(layer.children)
    return None


def _code_place(layers: Sequence[Layer], scope: Scope) -> int:
    """Return how many layers make the code: those up to the named one, or up to the fewest numbers.

    Normalisations, activations and noise after the fewest numbers belong to the code.
    """
    named = next((place for place, layer in enumerate(layers) if layer.named == _CODE_NAME), None)
    if named is not None:
        scope.unread_outputs.pop(_CODE_NAME, None)
        return named + 1
    sizes = [elements(layer.out_shape) for layer in layers]
    place = sizes.index(min(sizes))
    after_code = (layer for layer in layers[place + 1 :])
    return place + 1 + sum(1 for _ in takewhile(lambda layer: _finishes(layer, sizes[place]), after_code))


def _finishes(layer: Layer, numbers: int) -> bool:
    role = layer.kind.role
    return role in (Role.ADJUSTING, Role.PASSING, Role.RESHAPING) and elements(layer.out_shape) == numbers


def _path(encoder: Sequence[Layer]) -> tuple[str, ...]:
    if not encoder:
        return ()
    steps = [text(encoder[0].in_shape), *(text(layer.out_shape) for layer in encoder)]
    return (" → ".join(step for i, step in enumerate(steps) if i == 0 or step != steps[i - 1]),)

"""Reading of ``loss mse + 0.2 ssim reduction=sum``, the only setting that is a sum."""

from collections.abc import Mapping, Sequence
from typing import Any

from caedsl.diagnostics import foreign_words
from caedsl.model.settings import Loss, LossTerm
from caedsl.resolve.reading.quantities import Misread, quantity, report_misread
from caedsl.resolve.reading.respelling import replacing, report_outside
from caedsl.resolve.reading.values import read
from caedsl.resolve.scope import Scope
from caedsl.source import Span
from caedsl.syntax import tree
from caedsl.vocabulary.losses import LOSSES
from caedsl.vocabulary.option import Domain, Option, Type

REDUCTION = Option(
    "reduction",
    Type.CHOICE,
    "mean",
    "over the pixels of an image; a batch is always averaged",
    choices=("mean", "sum"),
)


WORST = Option(
    "worst",
    Type.SHARE,
    None,
    "share of an image's pixels to count, those with the largest loss",
    domain=Domain(0, 1, True),
)


def read_loss(statement: tree.Statement, places: dict[str, Span], scope: Scope) -> Loss | None:
    """Return the loss of a ``loss`` line, or None and findings; add where its options are written to ``places``."""
    pieces: list[tree.Value | str] = []
    written: list[tree.WrittenOption] = []
    for item in statement.items:
        if isinstance(item, tree.WrittenOption):
            written.append(item)
            places[f"train.loss.{item.name.text}"] = item.span
        elif isinstance(item, tree.ComparisonSign):
            _report_shape(item, scope)
            return None
        else:
            pieces.extend(_flat(item, scope))
    terms = _terms(pieces, statement, scope)
    if terms is None:
        return None
    own = [option for term in terms for option in term.kind.own]
    values = _options(written, (REDUCTION, WORST, *own), scope)
    if values is None or (WORST.name in values and not _has_pixels(terms, written, scope)):
        return None
    return Loss(
        tuple(_with_options(term, values) for term in terms),
        values.get(REDUCTION.name, REDUCTION.default),
        values.get(WORST.name),
    )


def _options(written: Sequence[tree.WrittenOption], options: Sequence[Option], scope: Scope) -> dict[str, Any] | None:
    """Return the values of the options on the line, or None and findings."""
    declared = {option.name: option for option in options}
    given = {item.name.text for item in written}
    values: dict[str, Any] = {}
    failed = False
    for item in written:
        name = item.name.text
        if name not in declared:
            misread = _unknown(item, declared, scope)
            report_misread(misread, scope)
            if misread.meant is None or misread.meant in given:
                failed |= misread.meant is None
                continue
            name = misread.meant
        value = read(declared[name], item.value, scope)
        if name in values:
            value = Misread("duplicate-option", item.span, f"`{name}` is given twice on this line", "keep one of them")
        if isinstance(value, Misread):
            report_misread(value, scope)
            failed = True
        else:
            values[name] = value
    return None if failed else values


def _unknown(item: tree.WrittenOption, declared: Mapping[str, Option], scope: Scope) -> Misread:
    if item.name.text in LOSSES:
        text = scope.source.slice(item.span)
        message = f"`{text}`: the weight of a loss comes before it, without a sign"
        help_line = f"add it: `+ {scope.source.slice(item.value.span)} {item.name.text}`"
        return Misread("unexpected-value", item.span, message, help_line)
    listed = ", ".join(f"`{name}=`" for name in declared)
    message = f'unknown option "{item.name.text}" on loss'
    near = scope.nearest(item.name.text, tuple(declared))
    return Misread("unknown-option", item.name.span, message, f"the options of this loss are {listed}", near)


def _has_pixels(terms: Sequence[LossTerm], written: Sequence[tree.WrittenOption], scope: Scope) -> bool:
    whole = next((term.name for term in terms if not term.kind.pixelwise), None)
    if whole is None:
        return True
    place = next(item.span for item in written if item.name.text == WORST.name)
    scope.report(
        "contradicting-options",
        place,
        f"`worst=` selects pixels, but `{whole}` is one number per image",
        help=f"remove `worst=` or `{whole}`",
    )
    return False


def _with_options(term: LossTerm, values: Mapping[str, Any]) -> LossTerm:
    given = {option.name: values[option.name] for option in term.kind.own if option.name in values}
    return LossTerm(term.name, term.weight, given)


def _flat(value: tree.Value, scope: Scope) -> list[tree.Value | str]:
    """Return the terms of a sum as a flat list: the grammar reads ``mse + 0.2`` as a sum before ``ssim``."""
    if isinstance(value, tree.Operation) and value.operator in "+-":
        return [*_flat(value.left, scope), value.operator, *_flat(value.right, scope)]
    if isinstance(value, tree.Operation) and value.operator == "*":
        return _weighted(value, scope)
    return [value]


def _weighted(product: tree.Operation, scope: Scope) -> list[tree.Value | str]:
    """Return the weight and the loss of ``0.5*mse``, with a finding; a product of numbers as it stands."""
    sides = (product.left, product.right)
    losses = [side for side in sides if isinstance(side, tree.WrittenWord) and side.text in LOSSES]
    if len(losses) != 1:
        return [product]
    weight = sides[1 - sides.index(losses[0])]
    text = f"{scope.source.slice(weight.span)} {losses[0].text}"
    message = f"`{scope.source.slice(product.span)}`: the weight of a loss comes before it, without an operator"
    help_line = f"write the weight first: `loss {text}`"
    scope.report("unexpected-value", product.span, message, help=help_line, fix=replacing(product.span, text))
    return [weight, losses[0]]


def _terms(pieces: list[tree.Value | str], statement: tree.Statement, scope: Scope) -> tuple[LossTerm, ...] | None:
    terms: list[LossTerm] = []
    weight: float | None = None
    expecting = True
    for piece in pieces:
        if isinstance(piece, str):
            if expecting or piece != "+":
                _report_shape(statement, scope)
                return None
            expecting = True
        elif not expecting:
            _report_shape(piece, scope, _help_for_second(terms, piece, scope))
            return None
        elif isinstance(piece, tree.WrittenWord) and (piece.text in LOSSES or not scope.is_constant(piece.text)):
            name = _loss_name(piece, terms, scope)
            if name is None:
                return None
            terms.append(LossTerm(name, 1.0 if weight is None else weight))
            weight, expecting = None, False
        elif weight is not None:
            _report_shape(piece, scope)
            return None
        else:
            weight = _weight(piece, scope)
            if weight is None:
                return None
    if expecting:
        weighted = next((item for item in statement.items if isinstance(item, tree.WrittenOption)), None)
        if weighted is not None and weighted.name.text in LOSSES and not pieces:
            text = f"loss {scope.source.slice(weighted.value.span)} {weighted.name.text}"
            _report_shape(statement, scope, f"write the weight first: `{text}`")
        elif not statement.broken:
            _report_shape(statement, scope)
        return None
    return tuple(terms)


def _loss_name(word: tree.WrittenWord, terms: list[LossTerm], scope: Scope) -> str | None:
    if any(term.name == word.text for term in terms):
        scope.report("duplicate-option", word.span, f"`{word.text}` is in the sum twice", help="add their weights")
        return None
    if word.text in LOSSES:
        return word.text
    if report_outside(word, "unknown-value", scope):
        return None
    plain = foreign_words.plain_loss(word.text)
    help_line = foreign_words.LOSS_NOTES.get(plain, "")
    near = None if help_line else foreign_words.LOSSES.get(plain) or scope.nearest(word.text, tuple(LOSSES))
    help_line = help_line or f"losses are {', '.join(LOSSES)}"
    scope.report("unknown-value", word.span, f'unknown loss "{word.text}"', help=help_line, meant=near)
    return near


def _weight(piece: tree.Value, scope: Scope) -> float | None:
    number = quantity(piece, scope)
    if isinstance(number, Misread):
        report_misread(number, scope)
        return None
    if number.unit or number.value <= 0:
        text = scope.source.slice(piece.span)
        help_line = f"write `{float(number.value):g}`" if number.unit == "%" and number.value > 0 else ""
        message = f"the weight of a loss is `{text}`, but must be a number above 0"
        scope.report("out-of-domain", piece.span, message, help=help_line)
        return None
    return float(number.value)


def _help_for_second(terms: Sequence[LossTerm], piece: tree.Value, scope: Scope) -> str:
    """Return what to write for something that follows a loss without a sign, or an empty text."""
    text = scope.source.slice(piece.span)
    before = " + ".join(term.name if term.weight == 1 else f"{term.weight:g} {term.name}" for term in terms)
    own = next((option for option in terms[-1].kind.own if isinstance(piece, tree.Number)), None)
    if text in LOSSES:
        return f"write `loss {before} + {text}`"
    if text in REDUCTION.choices:
        return f"write `loss {before} {REDUCTION.name}={text}`"
    if own is not None:
        return f"write `loss {before} {own.name}={text}`"
    if isinstance(piece, tree.Number):
        *others, last = before.split(" + ")
        return f"write `loss {' + '.join((*others, f'{text} {last}'))}`"
    return ""


def _report_shape(node: tree.Value | tree.ComparisonSign | tree.Statement, scope: Scope, help_line: str = "") -> None:
    scope.report(
        "unexpected-value",
        node.span,
        f"`{scope.source.slice(node.span)}` is not a loss or a sum of losses",
        help=help_line or "write `loss mse`, or a sum with weights: `loss mse + 0.2 ssim`",
    )

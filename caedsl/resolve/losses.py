"""Reading ``loss mse + 0.2 ssim reduction=sum``: the one setting that is a sum."""

from typing import Any

from caedsl.model.settings import Loss, LossTerm
from caedsl.resolve.quantities import Misread, quantity, report_misread
from caedsl.resolve.scope import Scope
from caedsl.resolve.values import read
from caedsl.syntax import tree
from caedsl.vocabulary.option import Option, Type

LOSSES = {
    "mse": "squared error",
    "mae": "absolute error",
    "huber": "squared error up to 1, absolute beyond",
    "bce": "binary cross-entropy",
    "ssim": "1 - structural similarity",
}
"""What a loss may be called, and what it measures."""

REDUCTION = Option(
    "reduction",
    Type.CHOICE,
    "mean",
    "over the pixels of an image; always the mean over a batch",
    choices=("mean", "sum"),
)


def read_loss(statement: tree.Statement, scope: Scope) -> Loss | None:
    """The loss of a ``loss`` line, or None with findings."""
    reduction: Any = REDUCTION.default
    pieces: list[tree.Value | str] = []
    failed = False
    for item in statement.items:
        if isinstance(item, tree.Option) and item.name.text == "reduction":
            reduction = read(REDUCTION, item.value, scope)
            if isinstance(reduction, Misread):
                report_misread(reduction, scope)
                failed = True
        elif isinstance(item, tree.Option):
            scope.report(
                "unknown-option",
                item.name.span,
                f'unknown option "{item.name.text}" on loss',
                help="the one option of `loss` is `reduction=mean|sum`",
            )
            failed = True
        elif isinstance(item, tree.Sign):
            _report_shape(item, scope)
            return None
        else:
            pieces.extend(_flat(item))
    terms = _terms(pieces, statement, scope)
    return None if failed or terms is None else Loss(terms, reduction)


def _flat(value: tree.Value) -> list[tree.Value | str]:
    """The terms of a sum side by side: the grammar reads ``mse + 0.2`` as a sum before ``ssim`` comes."""
    if isinstance(value, tree.Operation) and value.operator in "+-":
        return [*_flat(value.left), value.operator, *_flat(value.right)]
    return [value]


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
            _report_shape(piece, scope)
            return None
        elif isinstance(piece, tree.Word) and (piece.text in LOSSES or not scope.is_constant(piece.text)):
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
        if not statement.broken:
            _report_shape(statement, scope)
        return None
    return tuple(terms)


def _loss_name(word: tree.Word, terms: list[LossTerm], scope: Scope) -> str | None:
    if any(term.name == word.text for term in terms):
        scope.report("duplicate-option", word.span, f"`{word.text}` is in the sum twice", help="add their weights")
        return None
    if word.text in LOSSES:
        return word.text
    near = scope.nearest(word.text, tuple(LOSSES), {"l2": "mse", "l1": "mae", "binary_crossentropy": "bce"})
    help_line = f"losses are {', '.join(LOSSES)}"
    scope.report("unknown-value", word.span, f'unknown loss "{word.text}"', help=help_line, meant=near)
    return None


def _weight(piece: tree.Value, scope: Scope) -> float | None:
    number = quantity(piece, scope)
    if isinstance(number, Misread):
        report_misread(number, scope)
        return None
    if number.unit or number.value <= 0:
        text = scope.source.slice(piece.span)
        scope.report("out-of-domain", piece.span, f"the weight of a loss is `{text}`, but must be a number above 0")
        return None
    return float(number.value)


def _report_shape(node: tree.Value | tree.Sign | tree.Statement, scope: Scope) -> None:
    scope.report(
        "unexpected-value",
        node.span,
        f"`{scope.source.slice(node.span)}` is not a loss or a sum of losses",
        help="write `loss mse`, or a sum with weights: `loss mse + 0.2 ssim`",
    )

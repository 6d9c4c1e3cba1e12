"""Reading of ``require { ... }``: bounds that the author sets."""

import re
from collections.abc import Sequence
from fractions import Fraction

from caedsl.model.autoencoder import Bound
from caedsl.resolve.reading.quantities import (
    Misread,
    is_unit,
    quantity,
    report_misread,
    report_space,
    with_unit,
    with_units,
)
from caedsl.resolve.scope import Scope
from caedsl.syntax import tree
from caedsl.vocabulary.quantities import QUANTITIES


def read_bound(statement: tree.Statement, scope: Scope) -> Bound | None:
    """Return the bound of one line: ``compression 4..64`` or ``parameters < 500k``."""
    name = statement.head.text
    if name not in QUANTITIES:
        near = scope.nearest(name, tuple(QUANTITIES), {"params": "parameters", "flops": "macs", "ratio": "compression"})
        remedy = f"bounds can be set on {', '.join(QUANTITIES)}"
        scope.report(
            "unknown-setting", statement.head.span, f'unknown quantity "{name}" in require', help=remedy, meant=near
        )
        return None
    bound: tuple[float | None, float | None, bool, bool] | None = None
    items = with_units(statement.items, scope)
    match items:
        case (tree.Range() as limits,):
            low, high = _number(limits.low, scope), _number(limits.high, scope)
            if low is not None and high is not None:
                bound = (float(low), float(high), False, False)
        case (tree.ComparisonSign() as sign, limit) if not isinstance(limit, tree.WrittenOption | tree.ComparisonSign):
            bound = _one_sided(sign.text, _number(limit, scope))
        case _ if not statement.broken:
            scope.report(
                "unexpected-value",
                statement.span,
                f"`{scope.source.slice(statement.span)}` is not a bound",
                help=_help(name, items, scope),
            )
        case _:
            pass
    if bound is None:
        return None
    if bound[0] is not None and bound[1] is not None and bound[0] > bound[1]:
        scope.report("out-of-domain", statement.span, "this range is empty", help="write the lower end first")
        return None
    return Bound(name, *bound, scope.source.slice(statement.span), statement.span)


def _help(name: str, items: Sequence[tree.Item], scope: Scope) -> str:
    """Return how to write a bound, with the author's numbers."""
    if line := with_unit_at_both_ends(name, items, scope):
        return f"write `{line}`"
    match items:
        case (tree.Operation(operator="-") as limits,):
            low, high = scope.source.slice(limits.left.span), scope.source.slice(limits.right.span)
            return f"write `{name} {low}..{high}`"
        case (tree.Number() as limit,):
            return f"write `{name} < {limit.text}` or `{name} >= {limit.text}`"
        case _:
            return f"write `{name} < 500k`, `{name} >= 28` or `{name} 4..64`"


def with_unit_at_both_ends(name: str, items: Sequence[tree.Item], scope: Scope) -> str:
    """Return ``parameters 1..2 M`` as `parameters 1M..2M`, or an empty text for another bound."""
    match items:
        case (tree.Range(tree.Number(low), tree.Number(high)), tree.WrittenWord(word)) if (
            is_unit(word) and high.isdigit() and _LARGE.fullmatch(whole := with_unit(high, word))
        ):
            return f"{name} {with_unit(low, word) if low.isdigit() else low}..{whole}"
        case _:
            return ""


_LARGE = re.compile(r"\d+[kMG]")
"""Match a number with a unit that a bound may have."""


def _number(node: tree.Value, scope: Scope) -> Fraction | None:
    number = quantity(node, scope)
    if isinstance(number, Misread):
        report_misread(number, scope)
        return None
    if number.unit:
        text = scope.source.slice(node.span)
        scope.report(
            "wrong-type", node.span, f"a bound must be a plain number, not `{text}`", help="write 500k, 2G or 0.5"
        )
        return None
    report_space(node, scope)
    return number.value


def _one_sided(sign: str, limit: Fraction | None) -> tuple[float | None, float | None, bool, bool] | None:
    if limit is None:
        return None
    if sign in ("<", "<="):
        return None, float(limit), False, sign == "<"
    return float(limit), None, sign == ">", False

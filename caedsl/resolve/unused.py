"""What a spec defines and never uses, each with the fix that removes it."""

from caedsl.diagnostics.edits import removal
from caedsl.diagnostics.finding import Applicability, Fix
from caedsl.resolve.scope import Scope
from caedsl.source import Span


def report_unused(scope: Scope) -> None:
    """Report constants and ``defaults`` lines that no line uses."""
    for name, constant in scope.constants.items():
        if name not in scope.used:
            scope.report(
                "unused-constant",
                constant.span,
                f"the constant `{name}` is never used",
                help="use it, or remove the line",
                fix=_removing(constant.at, scope),
            )
    for name, block in scope.blocks.items():
        if name not in scope.used_blocks:
            scope.report(
                "unused-block",
                block.at,
                f"the block `{name}` is never used",
                help=f"use it as a layer, `{name}`, or remove it",
            )
    for span, name in sorted(scope.unused_parameters):
        scope.report("unused-constant", span, f"the parameter `{name}` is never used", help="use it, or remove it")
    for line in scope.defaults:
        if line.at not in scope.used_defaults:
            scope.report(
                "unused-default",
                line.at,
                f"no `{line.kind}` below takes anything from these defaults",
                help="move the line above the layers that it is for, or remove it",
                fix=_removing(line.at, scope),
            )


def _removing(span: Span, scope: Scope) -> Fix:
    return Fix("remove the line", (removal(scope.source.text, span),), Applicability.SAFE)

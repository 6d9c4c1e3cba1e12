"""Definitions that a spec never uses, each with the fix that removes it."""

from caedsl.diagnostics.edits import removal
from caedsl.diagnostics.finding import Applicability, Edit, Fix
from caedsl.resolve.outputs import report_unread
from caedsl.resolve.scope import Scope
from caedsl.source import Span
from caedsl.syntax import tree
from caedsl.syntax.extent import end


def report_unused(scope: Scope) -> None:
    """Report constants, blocks, parameters and ``defaults`` lines that no line uses."""
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
                help=f"use it as a layer with `{name}`, or remove it",
                fix=_removing(Span(block.at.start, end(scope.source.text, block.statement)), scope, "block"),
            )
    for name, parameter in sorted(scope.unused_parameters):
        block = scope.blocks[name]
        scope.report(
            "unused-constant",
            block.place(parameter),
            f"the parameter `{parameter}` is never used",
            help="use it, or remove it",
            fix=_without(block.written[parameter], scope),
        )
    report_unread(scope)
    for line in scope.defaults:
        if line.at not in scope.used_defaults:
            scope.report(
                "unused-default",
                line.at,
                f"no `{line.kind}` below uses these defaults",
                help="move the line above these layers, or remove it",
                fix=_removing(line.at, scope),
            )


def _removing(span: Span, scope: Scope, what: str = "line") -> Fix:
    return Fix(f"remove the {what}", (removal(scope.source.text, span),), Applicability.SAFE)


def _without(parameter: tree.WrittenWord | tree.WrittenOption, scope: Scope) -> Fix:
    """Return the fix that removes a parameter and the space before it.

    If some use sets the parameter, verification rejects the fix.
    """
    start = len(scope.source.text[: parameter.span.start].rstrip(" \t"))
    return Fix("remove the parameter", (Edit(Span(start, parameter.span.end), ""),), Applicability.SAFE)

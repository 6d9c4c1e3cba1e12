"""Definitions that a spec never uses, each with the fix that removes it."""

from collections import Counter
from collections.abc import Iterable

from caedsl.diagnostics.edits import part_removal, removal, removals
from caedsl.diagnostics.finding import Applicability, Fix, Label
from caedsl.resolve.outputs import report_unread
from caedsl.resolve.scope import Defaults, Scope
from caedsl.source import Span
from caedsl.syntax.extent import end
from caedsl.vocabulary.layers import KINDS


def report_unused(scope: Scope) -> None:
    """Report constants, blocks, parameters and ``defaults`` lines that no line uses."""
    _report_constants(scope)
    for name, block in scope.blocks.items():
        if name not in scope.used_blocks:
            scope.report(
                "unused-block",
                block.at,
                f"the block `{name}` is never used",
                help=f"use it as a layer with `{name}`, or remove it",
                fix=removing(Span(block.at.start, end(scope.source.text, block.statement)), scope, "block"),
            )
    for name, parameter in sorted(scope.unused_parameters):
        block = scope.blocks[name]
        scope.report(
            "unused-constant",
            block.place(parameter),
            f"the parameter `{parameter}` is never used",
            help="use it, or remove it",
            fix=removing_part(block.written[parameter].span, "parameter", scope),
        )
    report_unread(scope)
    for line in scope.defaults:
        _report_defaults(line, scope)


def _report_constants(scope: Scope) -> None:
    """Report every constant without a use, together with those that are only used to define it."""
    used, pending = set(scope.used), list(scope.used)
    while pending:
        constant = scope.constants.get(pending.pop())
        new = constant.uses - used if constant else frozenset()
        used |= new
        pending += new
    unused = {name: constant for name, constant in scope.constants.items() if name not in used}
    users = Counter(used for constant in unused.values() for used in constant.uses)
    for name in (name for name in unused if name not in users):
        lines, users_removed = [name], Counter[str]()
        for removed in lines:
            users_removed.update(unused[removed].uses)
            lines += [each for each in unused[removed].uses & unused.keys() if users_removed[each] == users[each]]
        places = [unused[line].at for line in lines]
        what = "line" if len(lines) == 1 else "lines"
        scope.report(
            "unused-constant",
            unused[name].span,
            f"the constant `{name}` is never used",
            related=tuple(Label(unused[line].span, "used only for it") for line in sorted(lines[1:])),
            help=f"use it, or remove the {what}",
            fix=Fix(f"remove the {what}", tuple(removals(scope.source.text, places)), Applicability.SAFE),
        )


def _report_defaults(line: Defaults, scope: Scope) -> None:
    """Report a ``defaults`` line that no line uses, or the options of it that have no effect on any."""
    unused = [name for name in line.values if (line.at, name) not in scope.used_defaults]
    if len(unused) == len(line.values):
        scope.report(
            "unused-default",
            line.at,
            f"no `{line.kind}` below uses these defaults",
            help=_idle_help(line, unused, scope) or "move the line above these layers, or remove it",
            fix=removing(line.at, scope),
        )
        return
    for name in (name for name in unused if (line.at, name) in scope.idle_defaults):
        scope.report(
            "unused-default",
            line.spans[name],
            f"no `{line.kind}` below uses `{scope.source.slice(line.spans[name])}`",
            help=_idle_help(line, [name], scope),
            fix=removing_part(line.spans[name], "option", scope),
        )
    for name in (option.name for option in KINDS[line.kind].options if option.off is not None):
        if name not in unused and name in line.values and _is_off_before(line, name, scope):
            whole = len(line.values) == 1
            scope.report(
                "unused-default",
                line.spans[name],
                f"`{scope.source.slice(line.spans[name])}` has no effect: nothing above it switches that on",
                help="choose another number, or remove it",
                fix=removing(line.at, scope) if whole else removing_part(line.spans[name], "option", scope),
            )


def _is_off_before(line: Defaults, name: str, scope: Scope) -> bool:
    """Return whether a ``defaults`` line switches off an option that no line before it has set."""
    above = scope.defaults[: scope.defaults.index(line)]
    is_set = any(other.kind == line.kind and name in other.values for other in above)
    off = next(option.off for option in KINDS[line.kind].options if option.name == name)
    return line.values[name] == off and not is_set


def _idle_help(line: Defaults, names: Iterable[str], scope: Scope) -> str:
    return next((help_line for name in names if (help_line := scope.idle_defaults.get((line.at, name)))), "")


def removing(span: Span, scope: Scope, what: str = "line") -> Fix:
    """Return the fix that removes a statement."""
    return Fix(f"remove the {what}", (removal(scope.source.text, span),), Applicability.SAFE)


def removing_part(written: Span, what: str, scope: Scope) -> Fix:
    """Return the fix that removes a part of a line and the space before it.

    If some line needs it, such as one that sets the parameter, verification rejects the fix.
    """
    return Fix(f"remove the {what}", (part_removal(scope.source.text, written),), Applicability.SAFE)

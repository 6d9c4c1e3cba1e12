"""Allowances: findings that the author has allowed, with a reason.

``# cae: allow[name] reason`` allows that finding for one statement: that on the comment's line, or the next one.
``allow name "reason"`` allows it in the whole spec. Errors cannot be allowed, because such a model cannot be built.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from caedsl.diagnostics.edits import part_removal, removal
from caedsl.diagnostics.finding import Applicability, Edit, Finding, Fix, Label, Severity
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.catalogue import all_names, every
from caedsl.source import Source, Span
from caedsl.syntax.statements import StatementIndex
from caedsl.syntax.tree import Comment

_ALLOWANCE = re.compile(r"#[ \t]*cae:[ \t]*allow[ \t]*(?:\[([^\]]*)\])?(.*)")
_COMMAND = re.compile(r"#[ \t]*((?i:cae)[ \t]*:[ \t]*([\w-]+))[ \t]*[\[(=]([\w, \t-]*)")
_IN_PARENTHESES = re.compile(r"[(=][ \t]*([\w-]+)[ \t]*\)?(.*)")
_MOST_SUGGESTIONS = 20


class _Written(NamedTuple):
    """Allowance in the text: a comment with names in brackets, or a statement with one name."""

    span: Span
    names: tuple[str, ...]
    is_comment: bool


@dataclass
class _Allowed:
    """One allowed name, for ``statements``, or everywhere if that is None."""

    name: str
    written: _Written
    statements: frozenset[Span] | None
    used: bool = False
    complete: bool = True
    """Whether it has a reason; without one, that alone is reported."""
    doubled: "_Allowed | None" = None
    """Another allowance of the same finding, which makes this one superfluous unless it is used elsewhere."""


def apply_allowances(
    source: Source,
    model: Autoencoder | None,
    findings: Sequence[Finding],
    index: StatementIndex,
    active: Collection[str] | None = None,
) -> list[Finding]:
    """Return the findings that are not allowed, and the findings about the allowances themselves.

    ``active`` are the rules that ran; an allowance of another rule is not reported as unused.
    """
    allowed, about = _comments(index)
    for statement in model.allowances if model else ():
        written = _Written(statement.span, (statement.name,), False)
        allowed.append(_Allowed(statement.name, written, None, complete=bool(statement.reason)))
    if not allowed:
        return [*findings, *about]
    meant = _meant(allowed)
    by_name: dict[str, list[_Allowed]] = {}
    for allowance in allowed:
        # A misspelt name is the one mistake: what it means is allowed.
        by_name.setdefault(meant.get(allowance.name) or allowance.name, []).append(allowance)
    kept = [finding for finding in findings if not _is_allowed(finding, index, by_name.get(finding.name, ()))]
    left = {finding.name: finding for finding in sorted(kept, key=lambda finding: finding.severity is Severity.ERROR)}
    for allowance in allowed:
        if not allowance.complete:
            continue
        if allowance.name in meant:
            about.append(_unknown(allowance, meant[allowance.name]))
        elif not allowance.used and (active is None or allowance.name in active):
            about.append(_unused(source, allowance, left.get(allowance.name)))
    return [*kept, *about]


def _is_allowed(finding: Finding, index: StatementIndex, allowances: Sequence[_Allowed]) -> bool:
    if finding.severity is Severity.ERROR or not allowances:
        return False
    statement = index.at(finding.primary.span.start)
    matching = [a for a in allowances if a.statements is None or statement in a.statements]
    if not matching:
        return False
    first = min(matching, key=lambda allowance: allowance.statements is not None)  # the whole spec's comes first
    first.used = True
    for allowance in matching:
        if allowance is not first:
            allowance.doubled = first
    return True


def _meant(allowed: Sequence[_Allowed]) -> dict[str, str | None]:
    """Return every name that no finding has, with its closest match; search a match for the first few only."""
    known = all_names()
    unknown = dict.fromkeys(allowance.name for allowance in allowed if allowance.name not in known)
    if not unknown:
        return {}
    from caedsl.diagnostics.suggest import did_you_mean

    by_code = {entry.rule.code: entry.rule.name for entry in every()}
    return {
        name: by_code.get(name) or (did_you_mean(name, known) if place < _MOST_SUGGESTIONS else None)
        for place, name in enumerate(unknown)
    }


def _comments(index: StatementIndex) -> tuple[list[_Allowed], list[Finding]]:
    """Return what comments allow, and the findings about those that are not written as they should be.

    Such a comment allows what it names: its own finding is enough.
    """
    allowed: list[_Allowed] = []
    about: list[Finding] = []
    for comment in index.comments:
        names, mistake = _read(comment)
        statements = index.of_comment(comment) if names else None
        written = _Written(comment.span, names, True)
        allowed.extend(_Allowed(name, written, statements, complete=mistake is None) for name in names)
        if mistake is not None:
            about.append(mistake)
    return allowed, about


def _read(comment: Comment) -> tuple[tuple[str, ...], Finding | None]:
    """Return the names that a comment allows, and the finding about its form; other comments are free."""
    match = _ALLOWANCE.match(comment.text)
    if match is None:
        return _misspelt(comment)
    listed, rest = _names(match[1] or ""), match[2]
    if listed and rest.strip():
        return listed, None
    in_parentheses = _IN_PARENTHESES.match(rest)
    names = listed or (_names(in_parentheses[1]) if in_parentheses else ())
    return names, _incomplete(comment.span, listed, rest)


def _names(listed: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in listed.split(",") if name.strip())


def _misspelt(comment: Comment) -> tuple[tuple[str, ...], Finding | None]:
    """Return the names in ``# cae: ignore[name]`` or ``# CAE: allow[name]``, and the finding about it."""
    match = _COMMAND.match(comment.text)
    if match is None:
        return (), None
    start = comment.span.start
    place = Span(start + match.start(1), start + match.end(1))
    fix = Fix("write `cae: allow`", (Edit(place, "cae: allow"),), Applicability.SAFE)
    message = f"a comment with `{match[1]}` allows nothing"
    about = Finding("allowance-without-reason", message, Label(place), help="write `cae: allow`", fix=fix)
    return _names(match[3]), about


def _incomplete(span: Span, listed: Sequence[str], rest: str) -> Finding:
    named = _IN_PARENTHESES.match(rest)
    if not listed and named is not None:
        reason = named[2].strip() or "the reason"
        help_line = f"write `# cae: allow[{named[1]}] {reason}`"
        message = "the name of a finding is written in brackets"
        return Finding("allowance-without-reason", message, Label(span), help=help_line)
    missing = "a reason" if listed else "the name of a finding in brackets"
    return Finding(
        "allowance-without-reason",
        f"this allowance needs {missing}",
        Label(span),
        help=f"write `# cae: allow[{', '.join(listed) or 'overcomplete'}] the reason`",
    )


def _unknown(allowance: _Allowed, near: str | None) -> Finding:
    return Finding(
        "unknown-rule",
        f'there is no finding called "{allowance.name}"',
        Label(allowance.written.span),
        help=f"did you mean `{near}`?" if near else "`caedsl rule` lists them",
        data={"name": allowance.name},
    )


def _unused(source: Source, allowance: _Allowed, left: Finding | None) -> Finding:
    """Return the finding about an allowance of nothing; ``left`` is a finding with its name in another place."""
    related: tuple[Label, ...] = ()
    if allowance.doubled is None and left is not None and left.severity is not Severity.ERROR:
        return Finding(
            "unused-allowance",
            f"this allows `{allowance.name}` in another statement than the one that has it",
            Label(allowance.written.span),
            related=(Label(left.primary.span, "it is found here"),),
            help=f'move the comment to that statement, or write `allow {allowance.name} "reason"` for the whole spec',
            data={"name": allowance.name},
        )
    if allowance.doubled is not None:
        message = f"`{allowance.name}` is already allowed"
        related = (Label(allowance.doubled.written.span, "already allowed by this"),)
    elif left is not None:
        message = f"`{allowance.name}` is an error here; errors cannot be allowed"
    else:
        where = "in this spec" if allowance.statements is None else "in this statement"
        message = f"this allows `{allowance.name}`, but there is no such finding {where}"
    return Finding(
        "unused-allowance",
        message,
        Label(allowance.written.span),
        related,
        help="remove the allowance",
        fix=Fix("remove the allowance", (_removal(source, allowance),), Applicability.SAFE),
        data={"name": allowance.name},
    )


def _removal(source: Source, allowance: _Allowed) -> Edit:
    """Remove one name from a comment that lists several, or else the whole comment or statement."""
    span, names, is_comment = allowance.written
    if len(names) > 1:
        others = ", ".join(name for name in dict.fromkeys(names) if name != allowance.name or names.count(name) > 1)
        opening = source.text.index("[", span.start)
        return Edit(Span(opening + 1, source.text.index("]", opening)), others)
    if not is_comment:
        return removal(source.text, span)
    before = source.text[: span.start].rstrip(" \t")
    alone = not before or before[-1] in "\r\n"
    return removal(source.text, span) if alone else part_removal(source.text, span)

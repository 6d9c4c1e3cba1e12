"""Allowances: findings that the author has looked at and allowed, with a reason.

``# cae: allow[name] reason`` allows that finding on its line, ``allow name "reason"`` in the whole spec. Errors cannot be
allowed: a model that cannot be built is not built by asking.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from caedsl.diagnostics.finding import Finding, Label, Severity
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.catalogue import all_names
from caedsl.source import Source, Span

_COMMENT = re.compile(r"#[ \t]*cae:[ \t]*allow[ \t]*(?:\[([^\]\r\n]*)\])?([^\r\n]*)")


@dataclass
class _Allowed:
    """One name that is allowed: on ``line``, or everywhere where ``line`` is None."""

    name: str
    span: Span
    line: int | None
    used: bool = False


def apply_allowances(
    source: Source, model: Autoencoder | None, findings: Sequence[Finding], active: frozenset[str] | None = None
) -> list[Finding]:
    """The findings that are not allowed, and those about the allowances themselves.

    ``active`` are the rules that ran; an allowance of another one is not called unused.
    """
    allowed, about = _comments(source)
    for statement in model.allowances if model else ():
        allowed.append(_Allowed(statement.name, statement.span, None))
    kept = [finding for finding in findings if not _is_allowed(finding, source, allowed)]
    known = frozenset(all_names())
    for allowance in allowed:
        if allowance.name not in known:
            about.append(_unknown(allowance))
        elif not allowance.used and (active is None or allowance.name in active):
            about.append(_unused(allowance, source, kept))
    return [*kept, *about]


def _is_allowed(finding: Finding, source: Source, allowed: Sequence[_Allowed]) -> bool:
    if finding.severity is Severity.ERROR or not allowed:
        return False
    line = source.position(finding.primary.span.start).line
    matching = [a for a in allowed if a.name == finding.name and a.line in (None, line)]
    for allowance in matching:
        allowance.used = True
    return bool(matching)


def _comments(source: Source) -> tuple[list[_Allowed], list[Finding]]:
    allowed: list[_Allowed] = []
    about: list[Finding] = []
    if "cae:" not in source.text:
        return allowed, about
    for match in _COMMENT.finditer(source.text):
        span = Span(match.start(), match.start() + len(match.group().rstrip()))
        names, reason = match.groups()
        line = source.position(match.start()).line
        listed = [name.strip() for name in (names or "").split(",") if name.strip()]
        if not listed or not reason.strip():
            missing = "the name of a finding in brackets" if not listed else "a reason"
            about.append(
                Finding(
                    "allowance-without-reason",
                    f"this allowance lacks {missing}",
                    Label(span),
                    help="write `# cae: allow[overcomplete] a denoiser: the noise is the limit`",
                )
            )
            continue
        allowed.extend(_Allowed(name, span, line) for name in listed)
    return allowed, about


def _unknown(allowance: _Allowed) -> Finding:
    from caedsl.diagnostics.suggest import did_you_mean

    near = did_you_mean(allowance.name, all_names())
    return Finding(
        "unknown-rule",
        f'there is no finding called "{allowance.name}"',
        Label(allowance.span),
        help=f"did you mean `{near}`?" if near else "`caedsl rule --all` lists them",
    )


def _unused(allowance: _Allowed, source: Source, kept: Sequence[Finding]) -> Finding:
    errors = [finding for finding in kept if finding.name == allowance.name]
    if errors:
        message = f"`{allowance.name}` is an error here, and errors cannot be allowed"
    else:
        where = "in this spec" if allowance.line is None else "on this line"
        message = f"this allows `{allowance.name}`, but there is no such finding {where}"
    return Finding("unused-allowance", message, Label(allowance.span), help="remove the allowance")

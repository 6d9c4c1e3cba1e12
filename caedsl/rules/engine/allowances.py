"""Allowances: findings that the author has looked at and allowed, with a reason.

``# cae: allow[name] reason`` allows that finding on its line, ``allow name "reason"`` in the whole spec. Errors cannot be
allowed: a model that cannot be built is not built by asking.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from caedsl.diagnostics.finding import Finding, Label, Severity
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.catalogue import all_names
from caedsl.source import Source, Span

_COMMENT = re.compile(r"#[ \t]*cae:[ \t]*allow[ \t]*(?:\[([^\]\r\n]*)\])?([^\r\n]*)")
_MOST_SUGGESTIONS = 20


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
    if not allowed:
        return [*findings, *about]
    places: dict[tuple[str, int | None], list[_Allowed]] = {}
    for allowance in allowed:
        places.setdefault((allowance.name, allowance.line), []).append(allowance)
    kept = [finding for finding in findings if not _is_allowed(finding, source, places)]
    left = {finding.name for finding in kept}
    meant = _meant(allowed)
    for allowance in allowed:
        if allowance.name in meant:
            about.append(_unknown(allowance, meant[allowance.name]))
        elif not allowance.used and (active is None or allowance.name in active):
            about.append(_unused(allowance, allowance.name in left))
    return [*kept, *about]


def _is_allowed(finding: Finding, source: Source, places: Mapping[tuple[str, int | None], Sequence[_Allowed]]) -> bool:
    if finding.severity is Severity.ERROR:
        return False
    line = source.position(finding.primary.span.start).line
    matching = [*places.get((finding.name, None), ()), *places.get((finding.name, line), ())]
    for allowance in matching:
        allowance.used = True
    return bool(matching)


def _meant(allowed: Sequence[_Allowed]) -> dict[str, str | None]:
    """Every name that is no rule's, with the rule it likely means; of very many only the first are looked into."""
    known = all_names()
    unknown = dict.fromkeys(allowance.name for allowance in allowed if allowance.name not in known)
    if not unknown:
        return {}
    from caedsl.diagnostics.suggest import did_you_mean

    return {
        name: did_you_mean(name, known) if place < _MOST_SUGGESTIONS else None for place, name in enumerate(unknown)
    }


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


def _unknown(allowance: _Allowed, near: str | None) -> Finding:
    return Finding(
        "unknown-rule",
        f'there is no finding called "{allowance.name}"',
        Label(allowance.span),
        help=f"did you mean `{near}`?" if near else "`caedsl rule` lists them",
    )


def _unused(allowance: _Allowed, is_error: bool) -> Finding:
    if is_error:
        message = f"`{allowance.name}` is an error here, and errors cannot be allowed"
    else:
        where = "in this spec" if allowance.line is None else "on this line"
        message = f"this allows `{allowance.name}`, but there is no such finding {where}"
    return Finding("unused-allowance", message, Label(allowance.span), help="remove the allowance")

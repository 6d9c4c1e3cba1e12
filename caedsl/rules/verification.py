"""Verifying fixes: each is made alone and the result checked, so that only a fix that cures is ever offered."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from caedsl.diagnostics.edits import apply_edits
from caedsl.diagnostics.finding import Applicability, Edit, Finding, Fix, Severity
from caedsl.rules.catalogue import find
from caedsl.source import Source, Span

Examine = Callable[[Source], Sequence[Finding]]
"""Every finding of a text, its fixes not verified."""

_MOST_READ = 200_000  # characters read again for the fixes of one text, which keeps a check below a second or two
_FEWEST = 5
_SERIOUSNESS = {Severity.ERROR: 2, Severity.WARNING: 1, Severity.INFO: 0}


def verified(
    source: Source, findings: Sequence[Finding], before: Sequence[Finding], examine: Examine, parsed: bool
) -> tuple[Finding, ...]:
    """``findings`` without the fixes that do not cure them.

    ``before`` is what ``examine`` finds in ``source`` as it is. Of very many fixes the first are verified and the others not
    offered: they come up once the first are made. Where the text is not ``parsed`` whole, nothing may change it unseen, and
    the fixes are only shown.
    """
    left = max(_FEWEST, _MOST_READ // (len(source.text) + 1))
    kept: list[Finding] = []
    for finding in findings:
        fix = _in_line_endings(finding.fix, source) if finding.fix else None
        if fix is not None:
            left -= 1
            if left < 0 or not cures(source, fix.edits, [finding], before, examine):
                fix = None
            elif not parsed:
                fix = fix._replace(applicability=Applicability.DISPLAY)
        kept.append(finding if fix is finding.fix else replace(finding, fix=fix))
    return tuple(kept)


def cures(
    source: Source, edits: Sequence[Edit], cured: Sequence[Finding], before: Sequence[Finding], examine: Examine
) -> bool:
    """Whether ``edits`` make every finding of ``cured`` go and bring no other.

    A finding is another where none of its name was there before at its place or with its words, or was less serious. Where
    an error of the compiler is cured, rules that had to wait for it begin to speak: then only errors on the changed lines
    are the edits' own.
    """
    changed = Source(apply_edits(source.text, edits), source.path)
    after = examine(changed)
    if any(_remains(finding, edits, before, after) for finding in cured):
        return False
    uncovering = any(finding.severity is Severity.ERROR and _is_compilers(finding) for finding in cured)
    gravest = max(_SERIOUSNESS[finding.severity] for finding in cured)
    touched = _touched_lines(changed, edits) if uncovering else frozenset()
    pool = [finding for finding in before if finding not in cured]
    for finding in after:
        if _matched(finding, edits, pool):
            continue
        if uncovering:
            counts = finding.severity is Severity.ERROR and _line(changed, finding) in touched
        else:
            counts = _SERIOUSNESS[finding.severity] >= min(gravest, _SERIOUSNESS[Severity.WARNING])
        if counts:
            return False
    return True


def _in_line_endings(fix: Fix, source: Source) -> Fix:
    """``fix`` with the line endings of the text it changes."""
    ending = "\r\n" if "\r\n" in source.text else "\n" if "\n" in source.text or "\r" not in source.text else "\r"
    if ending == "\n" or not any("\n" in edit.text for edit in fix.edits):
        return fix
    edits = (edit._replace(text=edit.text.replace("\r\n", "\n").replace("\n", ending)) for edit in fix.edits)
    return fix._replace(edits=tuple(edits))


def _is_compilers(finding: Finding) -> bool:
    entry = find(finding.name)
    return entry is None or entry.check is None


def _remains(finding: Finding, edits: Sequence[Edit], before: Sequence[Finding], after: Sequence[Finding]) -> bool:
    """Whether as many findings of the name of ``finding`` lie at its place as before."""
    there = finding.primary.span
    moved = _moved(there, edits)
    were = sum(other.name == finding.name and _overlap(other.primary.span, there) for other in before)
    are = sum(other.name == finding.name and _overlap(other.primary.span, moved) for other in after)
    return are > 0 and are >= were


def _matched(finding: Finding, edits: Sequence[Edit], pool: list[Finding]) -> bool:
    """Whether ``finding`` was there before; what it is matched with leaves the pool."""
    alike = [
        other
        for other in pool
        if other.name == finding.name and _SERIOUSNESS[other.severity] >= _SERIOUSNESS[finding.severity]
    ]
    in_place = (other for other in alike if _overlap(_moved(other.primary.span, edits), finding.primary.span))
    in_words = (other for other in alike if other.message == finding.message)
    match = next(in_place, None) or next(in_words, None)
    if match is None:
        return False
    pool.remove(match)
    return True


def _moved(span: Span, edits: Sequence[Edit]) -> Span:
    """Where the text of ``span`` lies once ``edits`` are made; what they insert at its borders is part of it."""
    start, end = span
    start_shift = end_shift = 0
    for edit in edits:
        growth = len(edit.text) - (edit.span.end - edit.span.start)
        if edit.span.start < span.start:
            start_shift += growth if edit.span.end <= span.start else edit.span.start - span.start
        if edit.span.end <= span.end:
            end_shift += growth
        elif edit.span.start < span.end:
            end_shift += edit.span.start + len(edit.text) - span.end
    return Span(start + start_shift, max(start + start_shift, end + end_shift))


def _overlap(one: Span, other: Span) -> bool:
    return one == other or (one.start < other.end and other.start < one.end)


def _touched_lines(changed: Source, edits: Sequence[Edit]) -> frozenset[int]:
    lines: set[int] = set()
    for edit in edits:
        start, end = _moved(edit.span, edits)
        lines.update(range(changed.position(start).line, changed.position(end).line + 1))
    return frozenset(lines)


def _line(source: Source, finding: Finding) -> int:
    return source.position(finding.primary.span.start).line

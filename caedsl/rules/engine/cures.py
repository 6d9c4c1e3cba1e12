"""Effect of edits on findings: which of those before are still there after, and which are new."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import accumulate

from caedsl.diagnostics.edits import apply_edits
from caedsl.diagnostics.finding import Edit, Finding, Severity
from caedsl.rules.engine.catalogue import find
from caedsl.source import Source, Span

Examine = Callable[[Source], Sequence[Finding]]
"""Return every finding of a text, with unverified fixes."""

LEFTOVERS = ("unused-constant", "unused-default", "unused-output")
"""Accept these findings after a fix, since the fix made something unused."""

_SERIOUSNESS = {Severity.ERROR: 2, Severity.WARNING: 1, Severity.INFO: 0}


def remains(source: Source, edits: Sequence[Edit], finding: Finding, examine: Examine) -> bool:
    """Return whether a finding is still there, as serious and with the same fix, after ``edits`` for other findings."""
    shift = _Shift(edits)
    moved = shift(finding.primary.span)
    after = examine(Source(apply_edits(source.text, edits), source.path))
    return any(
        _is_no_less(other, finding) and _overlap(other.primary.span, moved) and _writes_the_same(other, finding)
        for other in after
    )


def cures(
    source: Source,
    edits: Sequence[Edit],
    cured: Sequence[Finding],
    before: Sequence[Finding],
    examine: Examine,
    errors: Examine | None = None,
) -> bool:
    """Return whether ``edits`` remove every finding of ``cured`` and add no other.

    A finding counts as added if none of its name was there before at its place or with its words, or if it was less
    serious. Removing an error of the compiler lets rules run that waited for it: then only errors on the changed lines
    count as added.
    """
    changed = Source(apply_edits(source.text, edits), source.path)
    uncovering = any(map(is_error_of_compiler, cured))
    errors_count = uncovering and all(finding.severity is Severity.ERROR for finding in cured)
    after = errors(changed) if errors_count and errors else examine(changed)
    shift = _Shift(edits)
    if not _are_fewer(cured, shift, before, after):
        return False
    touched = _touched_lines(changed, edits, shift) if uncovering else frozenset()
    most_serious = max(_SERIOUSNESS[finding.severity] for finding in cured)
    for finding in _others(cured, shift, before, after):
        if finding.name in LEFTOVERS:
            continue
        if uncovering:
            here = not finding.path and line_of(changed, finding) in touched
            counts = finding.severity is Severity.ERROR and here
        else:
            counts = _SERIOUSNESS[finding.severity] >= min(most_serious, _SERIOUSNESS[Severity.WARNING])
        if counts:
            return False
    return True


class _Shift:
    """Mapping of positions in a text to positions after edits."""

    def __init__(self, edits: Sequence[Edit]) -> None:
        self.edits = edits
        self.starts = [edit.span.start for edit in edits]
        self.ends = [edit.span.end for edit in edits]
        self.growth = [0, *accumulate(len(edit.text) - (edit.span.end - edit.span.start) for edit in edits)]

    def place(self, finding: Finding) -> Span:
        """Return the new position of an earlier finding; edits of one file do not move positions in another."""
        return finding.primary.span if finding.path else self(finding.primary.span)

    def __call__(self, span: Span) -> Span:
        """Return the new position of ``span``, including insertions at its borders and replacements of parts of it."""
        first = bisect_left(self.starts, span.start)
        start = span.start + self.growth[first]
        if first and self.ends[first - 1] > span.start:
            start = self.starts[first - 1] + self.growth[first - 1]
        last = bisect_right(self.ends, span.end)
        end = span.end + self.growth[last]
        if last < len(self.edits) and self.starts[last] < span.end:
            end = self.starts[last] + self.growth[last] + len(self.edits[last].text)
        return Span(start, max(start, end))


def is_error_of_compiler(finding: Finding) -> bool:
    """Return whether the compiler found it, and not a rule."""
    entry = find(finding.name)
    return finding.severity is Severity.ERROR and (entry is None or entry.check is None)


def _are_fewer(cured: Sequence[Finding], shift: _Shift, before: Sequence[Finding], after: Sequence[Finding]) -> bool:
    """Return whether fewer findings with this name and severity are left: at the place of a single one, or in total."""
    if len(cured) > 1:
        mildest = {f.name: f for f in sorted(cured, key=lambda finding: -_SERIOUSNESS[finding.severity])}
        counts = Counter(finding.name for finding in cured)
        were, are = (
            {name: sum(_is_no_less(other, mild) for other in findings) for name, mild in mildest.items()}
            for findings in (before, after)
        )
        return all(are[name] <= max(were[name] - count, 0) for name, count in counts.items())
    (only,) = cured
    moved = shift(only.primary.span)
    left = sum(_is_no_less(other, only) and _overlap(other.primary.span, moved) for other in after)
    were_there = sum(_is_no_less(other, only) and _overlap(other.primary.span, only.primary.span) for other in before)
    return left < max(1, were_there)


def _is_no_less(other: Finding, finding: Finding) -> bool:
    """Return whether ``other`` belongs to the same rule and file and is at least as serious."""
    alike = other.name == finding.name and other.path == finding.path
    return alike and _SERIOUSNESS[other.severity] >= _SERIOUSNESS[finding.severity]


def _writes_the_same(other: Finding, finding: Finding) -> bool:
    """Return whether the fixes of two findings write the same texts; one that is still to be searched may do so."""
    if other.fix is None or finding.fix is None:
        return True
    return [edit.text for edit in other.fix.edits] == [edit.text for edit in finding.fix.edits]


def _others(
    cured: Sequence[Finding], shift: _Shift, before: Sequence[Finding], after: Sequence[Finding]
) -> list[Finding]:
    """Return the findings of ``after`` that were not there before, at their place or with their words and severity."""
    own = {(finding.name, finding.primary.span, finding.message) for finding in cured}
    pool: dict[tuple[str, str, Span], list[Finding]] = {}
    for finding in before:
        if (finding.name, finding.primary.span, finding.message) not in own:
            pool.setdefault((finding.name, finding.path, shift.place(finding)), []).append(finding)
    unmatched = []
    for finding in after:
        there = pool.get((finding.name, finding.path, finding.primary.span), [])
        match = next((other for other in there if _covers(other, finding)), None)
        if match is None:
            unmatched.append(finding)
        else:
            there.remove(match)
    left = [(place, finding) for (_, _, place), findings in pool.items() for finding in findings]
    return [finding for finding in unmatched if not _matched(finding, left)]


def _covers(old: Finding, new: Finding) -> bool:
    """Return whether ``new`` may be the same finding as ``old``: same rule, same file, not more serious."""
    return old.name == new.name and old.path == new.path and _SERIOUSNESS[old.severity] >= _SERIOUSNESS[new.severity]


def _matched(finding: Finding, left: list[tuple[Span, Finding]]) -> bool:
    """Return whether ``finding`` matches one of those ``left`` from before, and remove the match."""
    alike = [(place, old) for place, old in left if _covers(old, finding)]
    in_place = (pair for pair in alike if _overlap(pair[0], finding.primary.span))
    in_words = (pair for pair in alike if pair[1].message == finding.message)
    match = next(in_place, None) or next(in_words, None)
    if match is None:
        return False
    left.remove(match)
    return True


def _overlap(one: Span, other: Span) -> bool:
    return one == other or (one.start < other.end and other.start < one.end)


def _touched_lines(changed: Source, edits: Sequence[Edit], shift: _Shift) -> frozenset[int]:
    lines: set[int] = set()
    for edit in edits:
        start, end = shift(edit.span)
        lines.update(range(changed.position(start).line, changed.position(end).line + 1))
    return frozenset(lines)


def line_of(source: Source, finding: Finding) -> int:
    """Return the number of the line of a finding."""
    return source.position(finding.primary.span.start).line

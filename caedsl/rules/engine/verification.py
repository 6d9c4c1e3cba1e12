"""Verification of fixes: each is applied alone and the result is checked, so that every fix offered works."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate, islice
from typing import TypeVar

from caedsl.diagnostics.edits import apply_edits, merge_fixes
from caedsl.diagnostics.finding import Applicability, Edit, Finding, Fix, Severity
from caedsl.rules.engine.catalogue import find
from caedsl.source import Source, Span

T = TypeVar("T")

Examine = Callable[[Source], Sequence[Finding]]
"""Return every finding of a text, with unverified fixes."""

Failed = Callable[[str, Exception], None]
"""Report the name of a rule whose search for a fix failed, and its exception."""

_MOST_READ = (
    50_000  # characters that may be checked again for the fixes of one text; keeps a check below a second or two
)
_LONG = 32_000  # characters of a text above which fixes are only tried all together
_MOST_SEARCHED = 500_000  # characters that searches for fixes may read again; a search does not check what it tries
_FEWEST = 3
_MOST_CANDIDATES = 20  # fixes tried for one finding
_MOST_TRIED = 30  # parts of fixes that do not work together
LEFTOVERS = ("unused-constant", "unused-default", "unused-output")
"""Accept these findings after a fix, since their own fix follows: the fix made something unused."""

_SERIOUSNESS = {Severity.ERROR: 2, Severity.WARNING: 1, Severity.INFO: 0}


def verified(
    source: Source,
    findings: Sequence[Finding],
    before: Sequence[Finding],
    examine: Examine,
    parsed: bool,
    failed: Failed | None = None,
    texts: int = 1,
    errors: Examine | None = None,
) -> tuple[Finding, ...]:
    """Return ``findings``, each with the first of its fixes that works, if any.

    ``before`` is what ``examine`` finds in the unchanged ``source``. The fixes of compiler errors are tried together
    and, where that fails, in halves; others are tried one by one, and the last of very many only all together. Where
    the search for a fix would read too much, there is none. If the text was not ``parsed`` whole, fixes are only shown.
    ``failed``, if given, is called for a search that fails. ``examine`` reads ``texts`` variants for each text of a
    sweep. ``errors``, if given, finds only the errors of a text, in less time.
    """
    fixable = [place for place, finding in enumerate(findings) if finding.fix or finding.proposal]
    places = list(_affordable(findings, fixable, max(_FEWEST, _MOST_SEARCHED // (len(source.text) + 1))))
    left = 0 if len(source.text) > _LONG else max(_FEWEST, _MOST_READ // (texts * len(source.text) + 1))

    def work(fixes: Mapping[int, Fix]) -> bool:
        nonlocal left
        left -= 1
        made, edits = merge_fixes(fixes.values())
        cured = [findings[place] for place in fixes]
        return len(made) == len(fixes) and cures(source, edits, cured, before, examine, errors)

    chosen: dict[int, Fix] = {}
    ready = {place: fix for place in places if (fix := findings[place].fix) and _is_error_of_compiler(findings[place])}
    ranks = ranks_in_lines(source, findings)
    ranked = sorted(ready, key=ranks.__getitem__)
    for group in accepted_groups(ranked, lambda group: work({place: ready[place] for place in group}), left):
        chosen |= {place: ready[place] for place in group}
    others = [place for place in places if place not in ready]
    while others and left > 0:
        place = others.pop(0)
        candidates = _candidates(findings[place], _MOST_CANDIDATES, failed)
        chosen |= next(({place: fix} for fix in candidates if work({place: fix})), {})
    rest = {place: fix for place in others for fix in _candidates(findings[place], 1, failed)}
    made, _ = merge_fixes(rest.values())
    together = {place: fix for place, fix in rest.items() if fix in made}
    if together and work(together):
        chosen |= together
    return tuple(
        _offered(finding, chosen.get(place), source, parsed) if finding.fix or finding.proposal else finding
        for place, finding in enumerate(findings)
    )


def ranks_in_lines(source: Source, findings: Sequence[Finding]) -> list[int]:
    """Return for each finding how many precede it on its line.

    Fixes of one line interfere with each other most often, so groups are best formed from different lines.
    """
    seen: Counter[int] = Counter()
    ranks = []
    for finding in findings:
        line = _line(source, finding)
        ranks.append(seen[line])
        seen[line] += 1
    return ranks


def accepted_groups(
    items: Sequence[T], accepts: Callable[[Sequence[T]], bool], most: int = _MOST_TRIED
) -> Iterator[Sequence[T]]:
    """Yield groups of ``items`` that ``accepts`` accepts: all together or, where that fails, halves and their halves.

    About ``most`` groups are tried at most, of very many items only large ones. A group is yielded before the next
    is tried.
    """
    groups = [items] if items else []
    most = min(most, _MOST_TRIED)
    while groups:
        group = groups.pop()
        if accepts(group):
            yield group
        elif len(group) > 1 and most > 0:
            groups += group[len(group) // 2 :], group[: len(group) // 2]
            most -= 2


def _affordable(findings: Sequence[Finding], places: Sequence[int], searches: int) -> Iterator[int]:
    """Yield the places of the findings whose fixes need no more than this many searches together."""
    for place in places:
        if findings[place].searches <= searches:
            searches -= findings[place].searches
            yield place


def _candidates(finding: Finding, most: int, failed: Failed | None) -> Iterator[Fix]:
    """Yield up to ``most`` fixes of a finding, or none if its search fails."""
    try:
        yield from islice(finding.candidates(), most)
    except Exception as error:
        if failed is None:
            raise
        failed(finding.name, error)


def _offered(finding: Finding, fix: Fix | None, source: Source, parsed: bool) -> Finding:
    """Return ``finding`` with its fix, adapted to the text's line endings, and only shown if the text is broken."""
    if fix is None:
        return finding.offering(None)
    ending = "\r\n" if "\r\n" in source.text else "\n" if "\n" in source.text or "\r" not in source.text else "\r"
    if ending != "\n":
        edits = (edit._replace(text=edit.text.replace("\r\n", "\n").replace("\n", ending)) for edit in fix.edits)
        fix = fix._replace(edits=tuple(edits))
    return finding.offering(fix if parsed else fix._replace(applicability=Applicability.DISPLAY))


def remains(source: Source, edits: Sequence[Edit], finding: Finding, examine: Examine) -> bool:
    """Return whether a finding is still there with the same severity after ``edits`` for other findings."""
    shift = _Shift(edits)
    moved = shift(finding.primary.span)
    after = examine(Source(apply_edits(source.text, edits), source.path))
    return any(_is_no_less(other, finding) and _overlap(other.primary.span, moved) for other in after)


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
    uncovering = any(map(_is_error_of_compiler, cured))
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
            here = not finding.path and _line(changed, finding) in touched
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


def _is_error_of_compiler(finding: Finding) -> bool:
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


def _line(source: Source, finding: Finding) -> int:
    return source.position(finding.primary.span.start).line

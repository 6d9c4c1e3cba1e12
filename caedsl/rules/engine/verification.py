"""Choice of the fixes that are offered: each is applied and the result is checked, so that every fix works."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeVar

from caedsl.diagnostics.edits import merge_fixes
from caedsl.diagnostics.finding import Applicability, Edit, Finding, Fix
from caedsl.rules.engine.cures import Examine, cures, is_error_of_compiler, line_of
from caedsl.source import Source

T = TypeVar("T")

Failed = Callable[[str, Exception], None]
"""Report the name of a rule whose search for a fix failed, and its exception."""

_MOST_READ = 50_000
"""Characters that may be checked again for the fixes of one text; keeps a check below a second or two."""
_LONG = 32_000
"""Characters of a text above which fixes are only tried all together."""
_MOST_SEARCHED = 500_000
"""Characters that searches for fixes may read again; a search does not check what it tries."""
_FEWEST = 3
_MOST_CANDIDATES = 20
"""Fixes tried for one finding."""
_MOST_TRIED = 30
"""Parts of fixes that do not work together."""


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
    and, if that fails, in halves, and so are safe fixes: each corrects words of its own, so it also works alone. Others
    are tried one by one, and the last of very many only all together. Where the search for a fix would read too much,
    there is none. If the text was not ``parsed`` whole, fixes are only shown. ``failed``, if given, is called for a
    search that fails. ``examine`` reads ``texts`` variants for each text of a sweep. ``errors``, if given, finds only
    the errors of a text, in less time.
    """
    fixable = [place for place, finding in enumerate(findings) if finding.fix or finding.proposal]
    places = list(_affordable(findings, fixable, max(_FEWEST, _MOST_SEARCHED // (len(source.text) + 1))))
    left = 0 if len(source.text) > _LONG else max(_FEWEST, _MOST_READ // (texts * len(source.text) + 1))
    trials = _Trials(findings, left, lambda edits, cured: cures(source, edits, cured, before, examine, errors))
    ready = {place: fix for place in places if (fix := findings[place].fix)}
    ranks = ranks_in_lines(source, findings)
    ranked = sorted(ready, key=ranks.__getitem__)
    of_errors = [place for place in ranked if is_error_of_compiler(findings[place])]
    safe = [place for place in ranked if place not in of_errors and ready[place].applicability is Applicability.SAFE]
    chosen = trials.in_groups(of_errors, ready, left) | trials.in_groups(safe, ready, left // 2)
    others = [place for place in places if place not in of_errors and place not in chosen]
    while others and trials.left > 0:
        place = others.pop(0)
        candidates = _candidates(findings[place], _MOST_CANDIDATES, failed)
        chosen |= next(({place: fix} for fix in candidates if trials.succeed({place: fix})), {})
    rest = {place: fix for place in others for fix in _candidates(findings[place], 1, failed)}
    made, _ = merge_fixes(rest.values())
    compatible = {place: fix for place, fix in rest.items() if fix in made}
    if compatible and trials.succeed(compatible):
        chosen |= compatible
    return tuple(
        _offered(finding, chosen.get(place), source, parsed) if finding.fix or finding.proposal else finding
        for place, finding in enumerate(findings)
    )


class _Trials:
    """Trials of fixes, each for the finding at its place, and how many are ``left``."""

    def __init__(
        self, findings: Sequence[Finding], left: int, cure: Callable[[Sequence[Edit], Sequence[Finding]], bool]
    ) -> None:
        self.findings = findings
        self.left = left
        self.cure = cure

    def succeed(self, fixes: Mapping[int, Fix]) -> bool:
        """Return whether these fixes together cure their findings and add no other."""
        self.left -= 1
        made, edits = merge_fixes(fixes.values())
        return len(made) == len(fixes) and self.cure(edits, [self.findings[place] for place in fixes])

    def in_groups(self, places: Sequence[int], fixes: Mapping[int, Fix], most: int) -> dict[int, Fix]:
        """Return the fixes at ``places`` that succeed, in large groups if possible."""
        groups = accepted_groups(places, lambda group: self.succeed({place: fixes[place] for place in group}), most)
        return {place: fixes[place] for group in groups for place in group}


def ranks_in_lines(source: Source, findings: Sequence[Finding]) -> list[int]:
    """Return for each finding how many precede it on its line.

    Fixes of one line interfere with each other most often, so groups are best formed from different lines.
    """
    seen: Counter[int] = Counter()
    ranks = []
    for finding in findings:
        line = line_of(source, finding)
        ranks.append(seen[line])
        seen[line] += 1
    return ranks


def accepted_groups(items: Sequence[T], accepts: Callable[[Sequence[T]], bool], most: int) -> Iterator[Sequence[T]]:
    """Yield groups of ``items`` that ``accepts`` accepts: all together or, if that fails, halves and their halves.

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

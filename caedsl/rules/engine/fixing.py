"""Application of fixes: all that are compatible, then those that the result still offers, until none is left."""

from collections.abc import Sequence
from typing import NamedTuple

from caedsl.diagnostics.edits import apply_edits, merge_fixes
from caedsl.diagnostics.finding import Applicability, Edit, Finding, Fix
from caedsl.rules.engine.checking import Checked, Selection, check_source, examine_file
from caedsl.rules.engine.cures import Examine, cures, remains
from caedsl.rules.engine.verification import accepted_groups, ranks_in_lines
from caedsl.source import Source

_MOST_ROUNDS = 50
_MOST_READ = 200_000  # characters that rounds may read, in each variant of a sweep: what is left needs a second run
_FEWEST_ROUNDS = 3
_MOST_WEIGHED = 20  # fixes of one pass that are compared with each other, if that many rounds may be made


class Fixed(NamedTuple):
    """Spec after its fixes: the text, how many fixes were ``made``, and the result, ``checked``."""

    source: Source
    checked: Checked
    made: int


def fix_source(source: Source, selection: Selection = Selection(), unsafe: bool = False) -> Fixed:
    """Apply every safe fix, and with ``unsafe`` also those that change the model.

    A text that was not parsed whole is not changed, nor is a spec that this one extends. Fixes that were not verified
    are skipped, and so are those whose findings other fixes remove. Of fixes that interfere with each other, some are
    applied, and the others only if the result still offers them.
    """
    applicable = {Applicability.SAFE, Applicability.UNSAFE} if unsafe else {Applicability.SAFE}
    checked, made = check_source(source, selection), 0
    if not checked.spec.complete:
        return Fixed(source, checked, made)
    rounds = min(_MOST_ROUNDS, max(_FEWEST_ROUNDS, _MOST_READ // (checked.effort * len(source.text) + 1)))
    for _ in range(rounds):
        curable = [f for f in checked.findings if f.fix and f.fix.applicability in applicable and not f.path]
        if not curable:
            break
        chosen, edits = _together(source, curable, selection, rounds)
        source = Source(apply_edits(source.text, edits), source.path)
        checked = check_source(source, selection)
        made += len(chosen)
    return Fixed(source, checked, made)


def _together(
    source: Source, curable: Sequence[Finding], selection: Selection, rounds: int
) -> tuple[Sequence[Fix], Sequence[Edit]]:
    """Return fixes that work together, and their edits: each is needed, and none interferes with another.

    About as many fixes are compared, and as many parts of them tried, as ``rounds`` may be made.
    """

    def examined(text: Source) -> Sequence[Finding]:
        return examine_file(text, selection)

    needed = _needed(source, curable, examined, min(_MOST_WEIGHED, rounds))
    made = frozenset(merge_fixes(finding.fix for finding in needed if finding.fix)[0])
    cured = [finding for finding in needed if finding.fix in made]
    before = examined(source) if len(cured) > 1 else ()
    kept: list[Finding] = []

    def work(group: Sequence[Finding]) -> bool:
        if not kept and len(group) == 1:
            return True  # verified alone
        _, edits = merge_fixes(finding.fix for finding in (*kept, *group) if finding.fix)
        return cures(source, edits, (*kept, *group), before, examined)

    ranks = ranks_in_lines(source, cured)
    ranked = [cured[place] for place in sorted(range(len(cured)), key=ranks.__getitem__)]
    for group in accepted_groups(ranked, work, rounds):
        kept += group
    return merge_fixes(finding.fix for finding in kept if finding.fix)


def _needed(source: Source, curable: Sequence[Finding], examined: Examine, most: int) -> list[Finding]:
    """Return the findings that remain, with the same fixes, after the fixes of the others.

    Those whose fixes would then write something else wait for the next pass. Fixes of syntax errors are always needed.
    More than ``most`` fixes that change the model are not compared.
    """
    needed = list(curable)
    changing = [f for f in curable if f.fix and f.fix.applicability is Applicability.UNSAFE]
    for finding in changing if 1 < len(changing) <= most else ():
        others = [other for other in needed if other is not finding]
        if not others:
            break
        chosen, edits = merge_fixes(other.fix for other in others if other.fix)
        if finding.fix not in chosen and not remains(source, edits, finding, examined):
            needed = others
    return needed

"""Application of fixes: all that are compatible, then those that the result still offers, until none is left."""

from collections.abc import Sequence
from typing import NamedTuple

from caedsl.diagnostics.edits import apply_edits, merge_fixes
from caedsl.diagnostics.finding import Applicability, Edit, Finding, Fix
from caedsl.rules.engine.checking import Checked, Selection, check_source, examine_file
from caedsl.rules.engine.verification import Examine, cures, remains
from caedsl.source import Source

_MOST_ROUNDS = 50
_MOST_READ = 200_000  # characters of a text times rounds: a very large text may need a second run
_FEWEST_ROUNDS = 3
_MOST_WEIGHED = 20  # fixes of one pass that are compared with each other


class Fixed(NamedTuple):
    """Spec after its fixes: the text, how many fixes were ``made``, and the result, ``checked``."""

    source: Source
    checked: Checked
    made: int


def fix_source(source: Source, selection: Selection = Selection(), unsafe: bool = False) -> Fixed:
    """Apply every safe fix, and with ``unsafe`` also those that change the model.

    A text that was not parsed whole is not changed, nor is a spec that this one extends. Fixes that were not verified
    are skipped, and so are those whose findings other fixes remove. Fixes that interfere with each other are applied
    one by one, each to the result of the one before.
    """
    applicable = {Applicability.SAFE, Applicability.UNSAFE} if unsafe else {Applicability.SAFE}
    checked, made = check_source(source, selection), 0
    if not checked.spec.complete:
        return Fixed(source, checked, made)
    rounds = min(_MOST_ROUNDS, max(_FEWEST_ROUNDS, _MOST_READ // (len(source.text) + 1)))
    for _ in range(rounds):
        curable = [f for f in checked.findings if f.fix and f.fix.applicability in applicable and not f.path]
        if not curable:
            break
        chosen, edits = _together(source, curable, selection)
        source = Source(apply_edits(source.text, edits), source.path)
        checked = check_source(source, selection)
        made += len(chosen)
    return Fixed(source, checked, made)


def _together(source: Source, curable: Sequence[Finding], selection: Selection) -> tuple[Sequence[Fix], Sequence[Edit]]:
    """Return fixes that work together, and their edits: each is needed, and none interferes with another."""

    def examined(text: Source) -> Sequence[Finding]:
        return examine_file(text, selection)

    needed = _needed(source, curable, examined)
    chosen, edits = merge_fixes(finding.fix for finding in needed if finding.fix)
    made = frozenset(chosen)
    cured = [finding for finding in needed if finding.fix in made]
    if len(cured) > 1 and not cures(source, edits, cured, examined(source), examined):
        return chosen[:1], chosen[0].edits
    return chosen, edits


def _needed(source: Source, curable: Sequence[Finding], examined: Examine) -> list[Finding]:
    """Return the findings that remain after the fixes of the others; fixes of syntax errors are always needed."""
    needed = list(curable)
    changing = [f for f in curable if f.fix and f.fix.applicability is Applicability.UNSAFE]
    for finding in changing if 1 < len(changing) <= _MOST_WEIGHED else ():
        others = [other for other in needed if other is not finding]
        if not others:
            break
        chosen, edits = merge_fixes(other.fix for other in others if other.fix)
        if finding.fix not in chosen and not remains(source, edits, finding, examined):
            needed = others
    return needed

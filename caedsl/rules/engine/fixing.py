"""Making fixes: those that can be made together, then those that the result still offers, until none is left."""

from typing import NamedTuple

from caedsl.diagnostics.edits import apply_edits, merge_fixes
from caedsl.diagnostics.finding import Applicability
from caedsl.rules.engine.checking import Checked, Selection, check_source, examine
from caedsl.rules.engine.verification import cures
from caedsl.source import Source

_MOST_ROUNDS = 50
_MOST_READ = 200_000  # characters of a text times rounds: a huge one may need a second run
_FEWEST_ROUNDS = 3


class Fixed(NamedTuple):
    """A spec after its fixes: how many were ``made``, and the result, ``checked``."""

    checked: Checked
    made: int


def fix_source(source: Source, selection: Selection = Selection(), unsafe: bool = False) -> Fixed:
    """Makes every safe fix, and with ``unsafe`` those that change the model; a text that could not be read whole is left.

    A fix that was not verified is not made. Fixes that spoil each other are made one by one, each on the result of the one
    before.
    """
    applicable = {Applicability.SAFE, Applicability.UNSAFE} if unsafe else {Applicability.SAFE}
    checked, made = check_source(source, selection), 0
    if not checked.spec.complete:
        return Fixed(checked, made)
    rounds = min(_MOST_ROUNDS, max(_FEWEST_ROUNDS, _MOST_READ // (len(source.text) + 1)))
    for _ in range(rounds):
        curable = [f for f in checked.findings if f.fix and f.fix.applicability in applicable]
        if not curable:
            break
        chosen, edits = merge_fixes(finding.fix for finding in curable if finding.fix)
        now = frozenset(chosen)
        cured = [finding for finding in curable if finding.fix in now]
        before = examine(checked.source, selection).findings
        if len(cured) > 1 and not cures(checked.source, edits, cured, before, lambda s: examine(s, selection).findings):
            chosen, edits = chosen[:1], chosen[0].edits
        checked = check_source(Source(apply_edits(checked.source.text, edits), source.path), selection)
        made += len(chosen)
    return Fixed(checked, made)

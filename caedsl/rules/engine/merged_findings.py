"""Merging of findings with the same words at several places into one that lists the places."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

from caedsl.diagnostics.edits import merge_fixes
from caedsl.diagnostics.finding import Applicability, Finding, Fix, Label, Proposal, Severity
from caedsl.rules.engine.catalogue import find

_APPLICABILITIES = tuple(Applicability)
_SEVERITIES = tuple(Severity)


def merged(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings sorted by position, with findings of one rule and the same words merged.

    The merged finding has the place of the most serious one. Findings of the compiler are not merged: two misspelt
    words are two mistakes.
    """
    groups: dict[object, list[Finding]] = {}
    for place, finding in enumerate(findings):
        entry = find(finding.name)
        alone = entry is None or entry.check is None
        key = place if alone else (finding.name, finding.message, finding.help)
        groups.setdefault(key, []).append(finding)
    return [_one(group) for group in groups.values()]


def _one(group: Sequence[Finding]) -> Finding:
    first, *others = sorted(group, key=lambda f: (_SEVERITIES.index(f.severity), f.primary.span))
    if not others:
        return first
    places = tuple(Label(other.primary.span, "here too") for other in others)
    return replace(
        first,
        message=f"{first.message} (in {len(group)} places)",
        related=(*first.related, *places),
        fix=None,
        proposal=Proposal(
            partial(_candidates, group),
            first.proposal.otherwise if first.proposal else "",
            sum(finding.searches for finding in group),
        ),
        data={**first.data, "places": len(group)},
    )


def _candidates(group: Iterable[Finding]) -> Iterable[Fix]:
    """Yield the combined best fixes of all places, as one fix."""
    best = [next(iter(finding.candidates()), None) for finding in group]
    fixes = [fix for fix in best if fix is not None]
    chosen, edits = merge_fixes(fixes)
    if fixes and len(fixes) == len(best) and len(chosen) == len(fixes):
        titles = dict.fromkeys(fix.title for fix in fixes)
        yield Fix("; ".join(titles), edits, max((fix.applicability for fix in fixes), key=_APPLICABILITIES.index))

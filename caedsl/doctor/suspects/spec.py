"""Suspicions from ``caedsl check``: its findings about training, with their fixes.

An ``INFO`` finding is at most possible: it is named only if it explains a symptom and its fix wins.
"""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Severity
from caedsl.doctor.certainty import CERTAIN, LIKELY, POSSIBLE
from caedsl.doctor.suspicion import ProbesSoFar, ProposedChange, Suspicion
from caedsl.rules.engine.causes import KNOWN

_SURE = {Severity.ERROR: CERTAIN, Severity.WARNING: LIKELY, Severity.INFO: POSSIBLE}


def suspect(seen: ProbesSoFar) -> Iterator[Suspicion]:
    """Yield a suspicion for each finding that can make training fail."""
    source = seen.subject.model.source
    for finding in seen.subject.findings:
        if finding.name not in KNOWN:
            continue
        line = source.position(finding.primary.span.start).line
        place = f"{seen.subject.shown_path}:{line}{seen.subject.own_names(line)}"
        yield Suspicion(
            finding.name,
            _SURE[finding.severity],
            finding.message,
            place,
            finding.advice or KNOWN[finding.name].remedy,
            (ProposedChange(finding.fix.title, finding.fix.edits),) if finding.fix else (),
        )

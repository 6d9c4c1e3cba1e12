"""What ``caedsl check`` says of the spec: its errors and warnings about training are suspicions, with their fixes."""

from collections.abc import Iterator

from caedsl.diagnostics.finding import Severity
from caedsl.doctor.suspicion import CERTAIN, LIKELY, Change, Seen, Suspicion
from caedsl.rules.engine.causes import KNOWN


def suspect(seen: Seen) -> Iterator[Suspicion]:
    """Yield a suspicion for each error or warning that is a cause of failing trainings."""
    source = seen.subject.model.source
    for finding in seen.subject.findings:
        if finding.severity is Severity.INFO or finding.name not in KNOWN:
            continue
        line = source.position(finding.primary.span.start).line
        place = f"{source.path}:{line}{seen.subject.own_names(line)}"
        yield Suspicion(
            finding.name,
            CERTAIN if finding.severity is Severity.ERROR else LIKELY,
            finding.summary,
            place,
            finding.advice or KNOWN[finding.name].remedy,
            (Change(finding.fix.title, finding.fix.edits),) if finding.fix else (),
        )

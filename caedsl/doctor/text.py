"""A diagnosis as text: the verdict, the causes with evidence and place, what was ruled out, and the repairs."""

from collections.abc import Iterator

from caedsl.diagnostics.text import safe
from caedsl.doctor.examine import Diagnosis, Verdict
from caedsl.doctor.repairs import Repair
from caedsl.rules.engine.causes import DOCTOR_SYMPTOMS
from caedsl.training.monitors.engine.catalogue import find


def text(diagnosis: Diagnosis) -> str:
    """Return the whole report."""
    return safe("\n".join(_lines(diagnosis))) + "\n"


def headline(diagnosis: Diagnosis) -> str:
    """Return the verdict in one sentence."""
    first = diagnosis.causes[0] if diagnosis.causes else None
    match diagnosis.verdict:
        case Verdict.HEALTHY:
            return "healthy: neither the images nor the network nor its first steps show a fault"
        case Verdict.SLOW:
            rest = f"; {first.what}" if first is not None else ", and no cause for that is found"
            return f"only slow: the network learns{rest}"
        case Verdict.ILL:
            assert first is not None, "a cause is named"
            return f"the likeliest cause is that {first.what} ({first.cause})"
        case Verdict.UNKNOWN:
            return "cannot say: training fails, and none of the known causes explains it"


def symptom_text(symptom: str) -> str:
    """Return a symptom in words."""
    if symptom in DOCTOR_SYMPTOMS:
        return DOCTOR_SYMPTOMS[symptom]
    monitor = find(symptom)
    return monitor.summary.rstrip(".") if monitor is not None else symptom


def _lines(diagnosis: Diagnosis) -> Iterator[str]:
    yield f"{diagnosis.path}: {headline(diagnosis)}"
    for symptom in diagnosis.symptoms:
        yield f"  symptom: {symptom_text(symptom)} ({symptom})"
    yield from (f"  note: {note}" for note in diagnosis.notes)
    for number, cause in enumerate(diagnosis.causes, 1):
        yield ""
        yield f"{number}. {cause.cause}: {cause.what} ({cause.sure:.0%} sure)"
        yield f"   at       {cause.place}"
        yield f"   evidence {cause.evidence}"
        yield f"   remedy   {cause.remedy}"
        for repair in diagnosis.repairs:
            if repair.cause == cause.cause:
                yield f"   tried    {repair.title}: {repair.numbers}"
    if diagnosis.best is not None:
        yield ""
        yield "Repair, which --fix writes:"
        yield from _diff(diagnosis.best)
    yield from _list("Tried without success:", [f"{one.title} ({one.cause}): {one.numbers}" for one in diagnosis.tried])
    yield from _list("Ruled out:", [f"{one.cause}: {one.why}" for one in diagnosis.ruled_out])
    yield ""
    yield "What was seen:"
    for name, evidence in diagnosis.evidence.items():
        for place, line in enumerate(evidence.lines()):
            yield f"  {name if not place else '':<12}{line}"
    yield ""
    yield f"{diagnosis.seconds:.0f} seconds, seed {diagnosis.seed}"


def _diff(repair: Repair) -> Iterator[str]:
    yield from (f"  {line}" for line in repair.diff.splitlines())


def _list(heading: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield ""
        yield heading
        yield from (f"  {line}" for line in lines)

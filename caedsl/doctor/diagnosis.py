"""Result of an examination, and its report as text."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from caedsl.diagnostics.text import counted, printable
from caedsl.doctor.evidence import Evidence
from caedsl.doctor.repairs import Repair
from caedsl.doctor.ruled_out import RuledOut
from caedsl.doctor.suspicion import Suspicion
from caedsl.public import PublicNames
from caedsl.rules.engine.symptoms import DOCTOR_SYMPTOMS
from caedsl.training.monitors.engine.catalogue import find

MORE_TIME = "--budget 10min"
"""Option of the command for a longer examination."""


class Verdict(StrEnum):
    """Outcome of an examination: nothing found, only slow, a cause found, or failing without a known cause."""

    HEALTHY = "healthy"
    SLOW = "only slow"
    ILL = "ill"
    UNKNOWN = "cannot say"


@dataclass(frozen=True, repr=False)
class Diagnosis(PublicNames):
    """Result of an examination.

    ``causes`` are the named causes, the most likely first. ``repairs`` are the best for each, ``tried`` all other
    changes that were trained. ``evidence`` maps the name of each probe to what it found.
    """

    name: str
    path: str
    verdict: Verdict
    symptoms: tuple[str, ...]
    causes: tuple[Suspicion, ...]
    ruled_out: tuple[RuledOut, ...]
    repairs: tuple[Repair, ...]
    tried: tuple[Repair, ...]
    evidence: dict[str, Evidence]
    seed: int
    seconds: float
    notes: tuple[str, ...] = ()
    """Notes for the reader about the images and where they came from."""
    faster: Repair | None = None
    """Change that makes the network learn clearly faster, although nothing is wrong without it."""
    undecided: str = ""
    """Why nothing can be said, if there is no symptom but the network is not better than the mean image either."""

    @property
    def best(self) -> Repair | None:
        """The change to make: the repair of the most likely cause that has one, or else the faster one."""
        return self.repairs[0] if self.repairs else self.faster

    @property
    def trained(self) -> tuple[Repair, ...]:
        """All changes that were trained, the recommended ones first."""
        return (*self.repairs, *([self.faster] if self.faster is not None else []), *self.tried)

    @property
    def needs_more_time(self) -> bool:
        """Whether no change has won, and some trials were too short to decide."""
        return self.best is None and any(not repair.decided for repair in self.tried)

    @property
    def headline(self) -> str:
        """The verdict in one sentence."""
        first = self.causes[0] if self.causes else None
        also = f"; it learns faster with {self.faster.title}" if self.faster is not None else ""
        match self.verdict:
            case Verdict.HEALTHY:
                return f"healthy: neither the images nor the network nor its first steps show a fault{also}"
            case Verdict.SLOW:
                rest = f", but {first.what}" if first is not None else f", and no cause for that was found{also}"
                return f"only slow: the network learns{rest}"
            case Verdict.ILL:
                assert first is not None, "a cause is named"
                return f"the most likely cause is that {first.what} ({first.cause})"
            case Verdict.UNKNOWN:
                return f"cannot say: {self.undecided or 'training fails, but no known cause explains it'}"

    def __repr__(self) -> str:
        found = f"{counted(len(self.causes), 'cause')}, {counted(len(self.repairs), 'repair')}"
        return f"<diagnosis of {self.name}: {self.verdict}, {found}>"

    def __str__(self) -> str:
        """Return the whole report: verdict, causes, repairs, what was ruled out, and the evidence."""
        return "\n".join(printable(line.expandtabs()) for line in _lines(self))


def symptom_text(symptom: str) -> str:
    """Return a symptom in words."""
    if symptom in DOCTOR_SYMPTOMS:
        return DOCTOR_SYMPTOMS[symptom]
    monitor = find(symptom)
    return f"{monitor.summary[0].lower()}{monitor.summary[1:].rstrip('.')}" if monitor is not None else symptom


def _lines(diagnosis: Diagnosis) -> Iterator[str]:
    yield f"{diagnosis.path}: {diagnosis.headline}"
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
        if diagnosis.best is diagnosis.faster:
            yield f"Faster: {diagnosis.best.title}: {diagnosis.best.numbers}"
        yield "The change that --output FILE (or --fix, for a spec) writes:"
        yield from _diff(diagnosis.best)
    also = [f"{one.title} ({one.cause}), {one.outcome}: {one.numbers}" for one in diagnosis.tried]
    yield from _list("Also tried:", also)
    if diagnosis.needs_more_time:
        yield f"  These trials were short; give them more time: {MORE_TIME}"
    yield from _list("Ruled out:", [f"{one.cause}: {one.why}" for one in diagnosis.ruled_out])
    yield ""
    yield "Measurements:"
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

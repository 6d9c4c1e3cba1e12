"""Report of a diagnosis: its text, and the fields of its JSON, which programs read."""

import json
from collections.abc import Callable, Iterator
from dataclasses import fields, replace

from caedsl.doctor.as_json import as_json
from caedsl.doctor.diagnosis import Diagnosis, Verdict
from caedsl.doctor.probes.data import DataEvidence, Split
from caedsl.doctor.probes.first_steps import FirstStepsEvidence
from caedsl.doctor.probes.memorise import MemoriseEvidence
from caedsl.doctor.probes.rate import RateEvidence
from caedsl.doctor.probes.start import ImportedStart, LayerStart, StartEvidence
from caedsl.doctor.probes.stretched import StretchedEvidence
from caedsl.doctor.probes.targets import TargetEvidence
from caedsl.doctor.repairs import Repair
from caedsl.doctor.ruled_out import RuledOut
from caedsl.doctor.stepping import ErrorCurve
from caedsl.doctor.suspicion import Suspicion

EVIDENCE = (
    DataEvidence,
    Split,
    StartEvidence,
    LayerStart,
    ImportedStart,
    MemoriseEvidence,
    ErrorCurve,
    StretchedEvidence,
    RateEvidence,
    FirstStepsEvidence,
    TargetEvidence,
)


def ended(*ends: float) -> tuple[ErrorCurve, ...]:
    return tuple(ErrorCurve((100,), (end,)) for end in ends)


SHORT = Repair("dead-start", "`leaky_relu`", "", "", 100, (0, 1), ended(1.9, 1.9), ended(1.1, 1.0))
WON = Repair("dead-start", "`leaky_relu`", "", "", 100, (0, 1), ended(1.9, 1.9), ended(0.3, 0.4))
FOUND = Diagnosis(
    "name",
    "spec.cae",
    Verdict.ILL,
    ("posterior-collapse",),
    (Suspicion("dead-start", 0.9, "", "", ""),),
    (RuledOut("image-scale", ""),),
    (WON,),
    (SHORT,),
    {},
    0,
    1.0,
    faster=WON,
)


def test_trials_that_were_too_short_ask_for_more_time() -> None:
    assert "--budget" not in str(FOUND), "a repair was found"
    assert "give them more time: --budget 10min" in str(replace(FOUND, repairs=(), faster=None))


def test_symptoms_of_monitors_begin_like_others() -> None:
    assert "  symptom: almost no unit of a variational code depends on the image (posterior-collapse)\n" in str(FOUND)


def test_fields_are_those_of_the_version(golden: Callable[[str, str], None]) -> None:
    """If a field is gone, renamed or means something else, increase ``VERSION``; new fields do not need that."""
    shown = json.loads(as_json(FOUND))
    evidence = (f"{kind.__name__}: {' '.join(each.name for each in fields(kind))}" for kind in EVIDENCE)
    golden("\n".join([f"version {shown['version']}", *_names("", shown), *evidence, ""]), "fields_of_json.txt")


def _names(place: str, value: object) -> Iterator[str]:
    """Yield the place of an object and the names of its fields, and those of the objects in it."""
    if isinstance(value, list) and value:
        yield from _names(place, value[0])
    elif isinstance(value, dict):
        yield f"{place or 'diagnosis'}: {' '.join(value)}".rstrip()
        for name, inner in value.items():
            yield from _names(name, inner)

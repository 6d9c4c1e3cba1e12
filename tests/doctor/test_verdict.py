"""The verdict of a network without any symptom: it is healthy only if the examined steps show that it learns."""

from dataclasses import replace
from math import inf

import pytest

from caedsl.doctor.budget import StepsBudget
from caedsl.doctor.diagnosis import Verdict
from caedsl.doctor.examine import DECISIVE_BUDGET, examine, undecided_after
from caedsl.doctor.probes.data import DataProbe
from caedsl.doctor.probes.first_steps import FirstStepsEvidence, FirstStepsProbe
from caedsl.doctor.repairs import Repair
from caedsl.doctor.stepping import ErrorCurve
from caedsl.doctor.suspicion import ENOUGH, ProbesSoFar

from .subjects import HEALTHY, subject

FEW = "so few steps decide nothing"
NO_CAUSE = "no known cause explains it"
SLOW = HEALTHY.replace("adam lr=3e-3", "adam lr=3e-4")


@pytest.fixture(scope="module")
def seen() -> ProbesSoFar:
    examined = subject()
    return ProbesSoFar(examined, DataProbe().run(examined), first=FirstStepsProbe(1).run(examined))


def after(seen: ProbesSoFar, steps: int, left: float, whole: int = 1000) -> ProbesSoFar:
    assert isinstance(seen.first, FirstStepsEvidence)
    return replace(seen, first=replace(seen.first, steps=steps, whole=whole, curve=ErrorCurve((steps,), (left,))))


def tried(steps: int, left: float) -> Repair:
    """Return a repair next to which the original was trained for that many steps."""
    before = ErrorCurve((steps,), (left,))
    return Repair("low-learning-rate", "", "", "", steps, (0, 1), (before, before), (before, before))


@pytest.mark.parametrize(
    ("steps", "left", "whole", "why"),
    [
        (100, 1.67, 1000, FEW),
        (100, 0.95, 1000, FEW),
        (ENOUGH - 1, 1.01, 1000, FEW),
        (ENOUGH, 1.01, 1000, NO_CAUSE),
        (100, 1.01, 100, NO_CAUSE),
        (100, inf, 1000, FEW),
        (100, float("nan"), 1000, FEW),
        (100, 0.89, 1000, ""),
        (600, 0.3, 1000, ""),
    ],
)
def test_a_network_no_better_than_the_mean_image_is_not_healthy(
    seen: ProbesSoFar, steps: int, left: float, whole: int, why: str
) -> None:
    found = undecided_after(after(seen, steps, left, whole), ())
    assert why in found
    assert bool(found) == bool(why)


def test_the_longest_training_of_the_original_decides(seen: ProbesSoFar) -> None:
    poor, good = after(seen, 100, 1.2), after(seen, 100, 0.5)
    assert undecided_after(poor, [tried(400, 0.4)]) == ""
    assert "after 600 of 1,000 steps, the network is worse" in undecided_after(good, [tried(600, 1.1)])
    assert FEW in undecided_after(poor, [tried(400, 1.1)])


def test_the_budget_that_is_named_is_enough() -> None:
    little = examine(subject(SLOW), StepsBudget(500))
    assert little.verdict is Verdict.UNKNOWN, str(little)
    assert f"`--budget {DECISIVE_BUDGET}steps`" in little.headline
    enough = examine(subject(SLOW), StepsBudget(DECISIVE_BUDGET))
    assert enough.verdict is Verdict.HEALTHY, str(enough)
    long = examine(subject(SLOW.replace("epochs 20", "epochs 200")), StepsBudget(DECISIVE_BUDGET))
    first = long.evidence["first steps"]
    assert isinstance(first, FirstStepsEvidence)
    assert first.steps >= ENOUGH

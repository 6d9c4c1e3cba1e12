"""What a repair may change: never what the author declares about the data."""

from collections.abc import Sequence
from dataclasses import replace
from math import inf

import pytest

from benchmarks.faults.cases import Case, draw
from benchmarks.faults.parents import PARENTS
from caedsl.diagnostics.edits import apply_edits
from caedsl.diagnostics.finding import Edit
from caedsl.doctor.certainty import NAMED, UNPROVEN
from caedsl.doctor.evidence import StepProgress, silent
from caedsl.doctor.examine import after_repair, with_another_loss
from caedsl.doctor.probes.data import DataProbe
from caedsl.doctor.probes.first_steps import FirstStepsProbe
from caedsl.doctor.repairs import Repair, Trials
from caedsl.doctor.stepping import ErrorCurve
from caedsl.doctor.suspicion import ProbesSoFar, ProposedChange, Suspicion
from caedsl.rules.edits.trial import tried
from caedsl.rules.engine.causes import KNOWN
from caedsl.rules.engine.checking import check_source
from caedsl.source import Source, Span

from .subjects import HEALTHY, subject


def of_task(task: str) -> StepProgress:
    return silent


@pytest.mark.parametrize(
    ("old", "new"), [("in 0..1", "in 0..255"), ("1x8x8", "1x16x16"), ("data digits", "data digits limit=50")]
)
def test_a_change_that_declares_other_data_is_not_tried(old: str, new: str) -> None:
    examined = subject()
    start = HEALTHY.index(old)
    change = ProposedChange("other data", (Edit(Span(start, start + len(old)), new),))
    assert Trials(examined, 1).repair("image-scale", change, of_task) is None


def test_a_run_that_ends_early_is_compared_as_a_whole() -> None:
    """Otherwise no trial could show that a batch is too large, since a smaller one brings more steps."""
    text = HEALTHY.replace("batch 64; epochs 20", "batch 540; epochs 10")
    place = Span(text.index("540"), text.index("540") + 3)
    made = Trials(subject(text), 40).repair(
        "oversized-batch", ProposedChange("`batch 32`", (Edit(place, "32"),)), of_task
    )
    assert made is not None
    assert (made.steps, made.steps_before, made.before[0].steps[-1]) == (40, 10, 10)
    assert made.wins
    assert "left after 40 steps, and" in made.numbers
    assert "without it after all 10, with seeds" in made.numbers


@pytest.mark.parametrize(
    ("before", "after", "wins"),
    [
        ((0.42, 0.51), (0.34, 0.44), True),  # seeds differ more than the change improves
        ((0.42, 0.51), (0.30, 0.52), False),
        ((0.42, 0.51), (0.40, 0.49), False),
        ((2.0, 3.0), (0.95, 0.95), False),  # still as bad as the mean image
        ((inf, inf), (0.3, 0.4), True),
        ((inf, 0.5), (inf, 0.1), False),
        ((1.75, 0.12), (0.14, 0.18), True),  # a start that is dead with one seed
        ((1.75, 0.12), (0.14, 0.7), False),
    ],
)
def test_a_repair_wins_if_every_seed_improves_with_which_the_original_fails(
    before: tuple[float, float], after: tuple[float, float], wins: bool
) -> None:
    curves = [tuple(ErrorCurve((0, 9), (1.0, end)) for end in ends) for ends in (before, after)]
    assert Repair("strong-l2", "", "", "", 9, (0, 1), *curves).wins is wins


def test_a_change_that_improves_but_is_no_better_than_the_mean_image_decides_nothing() -> None:
    before, after = ([ErrorCurve((100,), (end,)) for end in ends] for ends in ((1.93, 1.94), (1.05, 0.86)))
    made = Repair("dead-start", "", "", "", 100, (0, 1), tuple(before), tuple(after))
    assert (made.wins, made.decided, made.outcome) == (False, False, "better, but not yet than the mean image")
    suspicion = Suspicion("dead-start", 0.99, "", "", "")
    assert after_repair(suspicion, made, least=0.0) == suspicion


@pytest.mark.parametrize(
    ("before", "after", "whole", "too_low"),
    [
        # A healthy variational network: 300 steps take the higher rate to 0.44, and its own to 0.67 of the variance.
        ((1.6, 0.97, 0.88, 0.78, 0.67), (1.6, 0.68, 0.56, 0.49, 0.44), 520, False),
        ((1.6, 0.97, 0.88, 0.78, 0.67), (1.6, 0.68, 0.56, 0.49, 0.44), 20_000, False),
        ((1.0, 1.0, 1.0, 1.0, 1.0), (1.0, 0.6, 0.5, 0.45, 0.4), 520, True),  # no progress at all
        ((1.0, 0.995, 0.99, 0.985, 0.98), (1.0, 0.6, 0.5, 0.45, 0.4), 600, True),  # 60 times as slow
        ((1.0, 0.995, 0.99, 0.985, 0.98), (1.0, 0.6, 0.5, 0.45, 0.4), 50_000, False),  # and with the time for it
        ((0.9, 0.8, 0.7, 0.6, 0.5), (0.9, 0.5, 0.3, 0.2, 0.15), 300, True),  # the trial was the whole run
        ((inf, inf, inf, inf, inf), (0.9, 0.5, 0.3, 0.2, 0.15), 300, True),
    ],
)
def test_a_rate_is_too_low_only_if_the_run_ends_before_it_comes_far(
    before: Sequence[float], after: Sequence[float], whole: int, too_low: bool
) -> None:
    old, new = (ErrorCurve((0, 75, 150, 225, 300), tuple(left)) for left in (before, after))
    made = Repair("low-learning-rate", "", "", "", 300, (0, 1), (old, old), (new, new), 300, whole)
    assert made.wins
    assert made.out_of_reach is too_low
    found = after_repair(Suspicion("low-learning-rate", UNPROVEN + 0.1, "", "", ""), made, least=made.gain)
    assert (found.sure >= NAMED) is too_low


def test_no_fix_of_a_cause_changes_the_data_of_its_spec() -> None:
    """For every fault of the catalogue whose cause the doctor may name."""
    changed = [name for case in draw(PARENTS, 3, 0) for name in changing(case)]
    assert changed == []


def changing(case: Case) -> list[str]:
    """Return the causes whose fixes declare other data than the faulty spec."""
    checked = check_source(Source(case.text))
    found = []
    for finding in checked.findings:
        if checked.model is None or finding.name not in KNOWN or finding.fix is None:
            continue
        fixed = tried(checked.model, finding.fix.edits)
        parts = ("input.shape", "input.range", "target.shape", "target.range", "data")
        before, after = ([part_of(model, part) for part in parts] for model in (checked.model, fixed or checked.model))
        found += [finding.name] if before != after else []
    return found


def part_of(model: object, path: str) -> object:
    for name in path.split("."):
        model = getattr(model, name)
    return model


@pytest.mark.parametrize(("after", "tried"), [((1.68, 1.7), 1), ((1.68, 1.0), 0), ((0.3, 0.3), 0)])
def test_a_change_that_ends_in_background_is_tried_with_another_loss(after: tuple[float, float], tried: int) -> None:
    """A rate that is too low hides that black is a cheap optimum: neither change alone trains."""
    examined = subject(HEALTHY.replace("lr=3e-3", "lr=1e-6"))
    first = replace(FirstStepsProbe(1).run(examined), background=(1.68, 1.9))
    seen = ProbesSoFar(examined, DataProbe().run(examined), first=first)
    place = Span(HEALTHY.index("3e-3"), HEALTHY.index("3e-3") + 4)
    change = ProposedChange("`lr=3e-3`", (Edit(place, "3e-3"),))
    before, curves = ([ErrorCurve((0, 9), (3.0, end)) for end in ends] for ends in ((2.9, 2.9), after))
    repair = Repair("low-learning-rate", "", "", "", 9, (0, 1), tuple(before), tuple(curves))
    both = with_another_loss(seen, change, repair)
    assert [one.title for one in both] == ["`lr=3e-3` and `loss bce`"] * tried
    for one in both:
        changed = apply_edits(examined.model.source.text, one.edits)
        assert "loss bce" in changed and "lr=3e-3" in changed
        assert with_another_loss(seen, one, repair) == []

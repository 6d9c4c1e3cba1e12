"""The benchmark of faults: its operators do what they say, and healthy specs have no warnings."""

import pytest

from benchmarks.faults.cases import alarms, draw, examine
from benchmarks.faults.controls import CONTROLS
from benchmarks.faults.operator_type import Operator
from benchmarks.faults.operators import OPERATORS
from benchmarks.faults.parents import PARENTS
from benchmarks.faults.scores import Share, scores
from caedsl.rules.engine.catalogue import FAMILIES, all_names
from caedsl.source import Source
from caedsl.syntax.parser import parse

HEALTHY = {**PARENTS, **CONTROLS}
STRENGTHS = [(operator, strength) for operator in OPERATORS for strength in operator.strengths]


@pytest.mark.parametrize("name", HEALTHY)
def test_nothing_warns_of_a_healthy_spec(name: str) -> None:
    assert alarms(HEALTHY[name]) == ()


def test_there_are_enough_of_each() -> None:
    assert len(PARENTS) >= 12
    assert len(CONTROLS) >= 30
    assert len(OPERATORS) >= 25


@pytest.mark.parametrize(("operator", "strength"), STRENGTHS, ids=lambda value: str(getattr(value, "name", value)))
def test_an_operator_changes_its_parent_and_leaves_a_text_that_parses(operator: Operator, strength: str) -> None:
    faulty = (operator.inject(parent, strength) for parent in PARENTS.values())
    changed = next((text for text in faulty if text is not None), None)
    assert changed is not None
    assert changed not in PARENTS.values()
    if operator.family != "language":
        assert parse(Source(changed))[1] == ()


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.name)
def test_the_right_rules_exist(operator: Operator) -> None:
    assert operator.family in FAMILIES
    assert operator.rules
    assert operator.rules | operator.also <= set(all_names())
    assert operator.harmless <= set(operator.strengths)


def test_a_draw_is_repeatable_and_takes_every_strength() -> None:
    first, again, other = (draw(PARENTS, 3, seed) for seed in (0, 0, 1))
    assert first == again != other
    assert {(case.operator.name, case.strength) for case in first} == {(o.name, s) for o, s in STRENGTHS}


def test_a_found_fault_is_distinguished_from_one_that_is_missed() -> None:
    draws = draw({"grey28_strided": PARENTS["grey28_strided"]}, 9, 0)
    found = examine(next(case for case in draws if case.operator.name == "rate too high" and case.strength == "strong"))
    borne = examine(next(case for case in draws if case.operator.name == "rate too high" and case.strength == "mild"))
    assert (found.found, found.false, found.repaired) == (True, (), True)
    assert (borne.found, borne.false) == (False, ())
    assert scores([found, borne]).recall == Share(1, 1)
    assert scores([found, borne], alarms=1).precision == Share(1, 2)


@pytest.mark.parametrize(
    ("hits", "total", "low", "high"), [(95, 100, 0.8882, 0.9785), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0)]
)
def test_wilson_intervals(hits: int, total: int, low: float, high: float) -> None:
    interval = Share(hits, total).interval
    assert interval == pytest.approx((low, high), abs=1e-4)


def test_a_share_of_nothing_has_no_value() -> None:
    assert Share(0, 0).value is None
    assert str(Share(0, 0)) == "-"

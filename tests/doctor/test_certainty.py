"""How certainties change, and which causes are therefore named."""

import pytest

from caedsl.doctor.certainty import (
    CERTAIN,
    LIKELY,
    NAMED,
    POSSIBLE,
    UNPROVEN,
    with_lost_repair,
    with_symptom,
    with_won_repair,
)


@pytest.mark.parametrize(
    ("level", "symptom", "both", "won"),
    [
        (CERTAIN, 0.99, 0.99, 0.99),
        (LIKELY, 0.85, 0.99, 0.95),
        (UNPROVEN, 0.45, 0.65, 0.55),
        (POSSIBLE, 0.4, 0.6, 0.3),
    ],
)
def test_a_symptom_and_a_won_repair_make_a_cause_surer(level: float, symptom: float, both: float, won: float) -> None:
    assert with_symptom(level) == pytest.approx(symptom)
    assert with_won_repair(with_symptom(level)) == pytest.approx(both)
    assert with_won_repair(level) == pytest.approx(won)


@pytest.mark.parametrize("level", [CERTAIN, LIKELY, UNPROVEN, POSSIBLE])
def test_a_symptom_alone_names_no_cause_and_a_lost_repair_leaves_none_named(level: float) -> None:
    assert (with_symptom(level) >= NAMED) == (level >= NAMED)
    assert with_lost_repair(with_symptom(level)) < NAMED

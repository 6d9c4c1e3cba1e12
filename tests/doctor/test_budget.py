"""Budgets: their notation, what is left, and steps that give the same answer whatever their duration."""

import pytest

from caedsl.doctor.budget import SecondsBudget, StepsBudget, budget_of
from caedsl.doctor.errors import DoctorError

from .subjects import HEALTHY, subject


@pytest.mark.parametrize(
    ("written", "left"), [("90s", 90), ("2min", 120), ("1.5 h", 5400), (12, 12), (0.0 + 30, 30)], ids=str
)
def test_seconds(written: float | str, left: float) -> None:
    budget = budget_of(written)
    assert isinstance(budget, SecondsBudget)
    assert left - 1 < budget.left <= left


@pytest.mark.parametrize("written", ["3000steps", "3_000 steps", "3,000 steps"])
def test_steps(written: str) -> None:
    budget = budget_of(written)
    assert isinstance(budget, StepsBudget)
    budget.spend(1000)
    assert budget.left == 2000
    budget.spend(5000)
    assert budget.left == 0


@pytest.mark.parametrize("written", ["soon", "0s", "25h", "10 steps", "-5s", 0.2, "", float("nan"), "3000"])
def test_what_is_no_budget(written: float | str) -> None:
    with pytest.raises(DoctorError, match="write a time from 1s to 24h"):
        budget_of(written)


def test_a_step_of_a_budget_of_seconds_is_measured() -> None:
    examined = subject(HEALTHY)
    assert 0 < SecondsBudget(5).step_cost(examined) < 60
    assert StepsBudget(500).step_cost(examined) == 1

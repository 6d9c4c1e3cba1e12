"""The shapes of the learning-rate schedules."""

from collections.abc import Callable
from math import cos, pi

import pytest
import torch
from torch.optim.lr_scheduler import (
    CosineAnnealingLR,
    ExponentialLR,
    LRScheduler,
    MultiStepLR,
    OneCycleLR,
    PolynomialLR,
    ReduceLROnPlateau,
)

from caedsl.model.settings import Optimizer, Schedule, Train, settled
from caedsl.training.schedules import learning_rate, plateau_of

STEPS, EPOCH = 100, 10


def curve(schedule: Schedule) -> list[float]:
    return [schedule.factor(step, STEPS, EPOCH) for step in range(STEPS)]


def test_constant_stays() -> None:
    assert set(curve(Schedule())) == {1.0}


@pytest.mark.parametrize(
    "schedule",
    [Schedule(name, {"warmup": 0.05}) for name in ("constant", "cosine", "plateau", "polynomial")]
    + [Schedule("step", {"warmup": 0.05, "at": 9})],
    ids=str,
)
def test_warmup_rises_linearly_to_the_whole_rate(schedule: Schedule) -> None:
    rising = curve(schedule)[:6]
    assert rising == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0, 1.0])


def test_cosine_falls_from_one_towards_zero() -> None:
    values = curve(Schedule("cosine"))
    assert values[0] == 1
    assert values[50] == pytest.approx(0.5)
    assert values[99] == pytest.approx((1 + cos(0.99 * pi)) / 2)
    assert values == sorted(values, reverse=True)


def rates_of(make: Callable[[torch.optim.Optimizer], LRScheduler]) -> list[float]:
    """Return the rates of ``STEPS`` steps with a PyTorch schedule and a rate of 1."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler, rates = make(optimizer), []
    for _ in range(STEPS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def test_cosine_is_pytorchs() -> None:
    assert curve(Schedule("cosine")) == pytest.approx(rates_of(lambda it: CosineAnnealingLR(it, STEPS)), abs=1e-9)


def test_onecycle_falls_as_pytorchs_does_between_the_same_ends() -> None:
    theirs = rates_of(
        lambda it: OneCycleLR(it, 1.0, total_steps=STEPS + 1, pct_start=31 / (STEPS + 1), cycle_momentum=False)
    )
    assert curve(Schedule("onecycle", {"warmup": 0.3}))[30:] == pytest.approx(theirs[30:], abs=1e-6)
    assert theirs[0] == pytest.approx(Schedule("onecycle", {"warmup": 0.3}).factor(-1, STEPS, EPOCH))


def test_plateau_counts_as_pytorch_counts() -> None:
    ours = plateau_of(Schedule("plateau", {"patience": 3, "factor": 0.5}))
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    theirs = ReduceLROnPlateau(optimizer, factor=0.5, patience=3, threshold=0.0)
    for score in (5.0, 4.0, 4.0, 4.5, 4.1, 4.2, 3.9, 3.9, 3.9, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 1.0):
        ours.update(score)
        theirs.step(score)
        assert ours.factor == optimizer.param_groups[0]["lr"]


def test_onecycle_rises_to_its_peak_and_falls_to_almost_nothing() -> None:
    values = curve(Schedule("onecycle", {"warmup": 0.3}))
    assert values[0] == pytest.approx(1 / 25 + 24 / 25 / 30)
    assert values[29:31] == pytest.approx([1, 1])
    assert values[:30] == sorted(values[:30])
    assert values[30:] == sorted(values[30:], reverse=True)
    assert 0 < values[99] < 1e-3


def test_step_falls_once_after_its_epoch() -> None:
    values = curve(Schedule("step", {"at": 4, "factor": 0.2}))
    assert values[:40] == [1.0] * 40
    assert values[40:] == [0.2] * 60


def test_plateau_falls_each_time_the_score_does_not() -> None:
    plateau = plateau_of(Schedule("plateau", {"patience": 1, "factor": 0.5}))
    factors = []
    for score in (3.0, 2.0, 2.5, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0):
        plateau.update(score)
        factors.append(plateau.factor)
    assert factors == [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125]


def test_other_schedules_ignore_the_score() -> None:
    plateau = plateau_of(Schedule("cosine"))
    for _ in range(5):
        plateau.update(1.0)
    assert plateau.factor == 1


@pytest.mark.parametrize(
    ("schedule", "theirs"),
    [
        (Schedule("exponential", {"gamma": 0.8}), lambda it: ExponentialLR(it, 0.8)),
        (Schedule("milestones", {"epochs": (2, 5), "factor": 0.3}), lambda it: MultiStepLR(it, [2, 5], 0.3)),
        (Schedule("step", {"at": 4, "factor": 0.3}), lambda it: MultiStepLR(it, [4], 0.3)),
    ],
)
def test_schedules_by_epochs_are_those_of_torch(
    schedule: Schedule, theirs: Callable[[torch.optim.Optimizer], LRScheduler]
) -> None:
    epochs = rates_of(theirs)[: STEPS // EPOCH]
    assert curve(schedule) == pytest.approx([rate for rate in epochs for _ in range(EPOCH)])


def test_polynomial_is_that_of_torch() -> None:
    ours = curve(Schedule("polynomial", {"power": 2.0}))
    assert ours == pytest.approx(rates_of(lambda it: PolynomialLR(it, STEPS, 2.0)))


def test_inverse_is_the_decay_of_old_keras() -> None:
    assert curve(Schedule("inverse", {"decay": 0.1}))[:4] == pytest.approx([1, 1 / 1.1, 1 / 1.2, 1 / 1.3])


def test_no_rate_is_below_the_floor() -> None:
    settings = settled(Train(optimizer=Optimizer(lr=1e-2), schedule=Schedule("cosine", {"min_lr": 1e-3})))
    assert settings is not None
    rates = [learning_rate(settings, step, STEPS, EPOCH) for step in range(STEPS)]
    assert (rates[0], min(rates), rates[-1]) == (1e-2, 1e-3, 1e-3)
    assert learning_rate(settings, 0, STEPS, EPOCH, lowered=1e-3) == 1e-3

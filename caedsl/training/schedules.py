"""Learning rate of a step, from the schedule and the losses of the epochs."""

from math import inf

from caedsl.model.settings import Schedule, Settled
from caedsl.vocabulary.schedules import FACTOR, PATIENCE, Plateau


def learning_rate(settings: Settled, step: int, steps: int, steps_per_epoch: int, lowered: float = 1.0) -> float:
    """Return the learning rate at ``step`` (counted from 0) of ``steps``; ``lowered`` is the factor of a plateau."""
    scheduled = settings.schedule.factor(step, steps, steps_per_epoch) * lowered
    return max(settings.optimizer.lr * scheduled, settings.schedule.min_lr)


def plateau_of(schedule: Schedule) -> Plateau:
    """Return the plateau detector of a schedule; its factor stays 1 if the schedule does not depend on losses."""
    if not schedule.kind.watches:
        return Plateau(inf, 1.0)
    return Plateau(schedule.number(PATIENCE), schedule.number(FACTOR))

"""Schedules of the learning rate, with one declaration each: pure functions of the step.

Training calls the functions, and emitted files contain their source.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from caedsl.vocabulary.option import FRACTION, FROM_ONE, NOT_NEGATIVE, POSITIVE, REQUIRED, Domain, Option, Type, Written
from caedsl.vocabulary.words import Words


@dataclass(frozen=True, kw_only=True)
class ScheduleKind:
    """Schedule of the learning rate.

    - ``factor`` returns the factor on the rate at ``step`` (counted from 0) of ``steps``, the first ``rising`` of which
      are the warm-up. It also takes the steps per epoch, and the ``own`` options by name.
    - ``start`` is the factor at which the warm-up begins, ``warmup`` the default of its share.
    - ``whole_run``: the factor depends on the length of the run.
    - ``watches``: the rate also falls when the loss of the epochs does not (see ``Plateau``).
    """

    name: str
    own: tuple[Option, ...]
    factor: Callable[..., float]
    start: float
    warmup: float
    whole_run: bool
    watches: bool

    @property
    def options(self) -> tuple[Option, ...]:
        """Options of the line."""
        return (WARMUP._replace(default=self.warmup), *self.own, MIN_LR)

    @property
    def is_constant(self) -> bool:
        """Whether only the warm-up changes the rate."""
        return self.factor is steady and not self.watches


WARMUP = Option(
    "warmup", Type.SHARE, 0.0, "share of all steps during which the rate rises to its full value", domain=FRACTION
)
MIN_LR = Option("min_lr", Type.NUMBER, 0.0, "smallest rate", domain=NOT_NEGATIVE)
FACTOR = Option("factor", Type.NUMBER, 0.1, "factor on the rate", domain=Domain(0, 1, True, True))
PATIENCE = Option("patience", Type.COUNT, 5, "epochs without a better score before the rate falls", domain=FROM_ONE)


def warm_up(step: int, rising: int, start: float) -> float:
    """Return the factor at ``step`` of a linear warm-up from ``start`` to 1 over ``rising`` steps."""
    return start + (1 - start) * (step + 1) / rising


def steady(step: int, rising: int, steps: int, steps_per_epoch: int) -> float:
    """Return 1."""
    return 1.0


def cosine(step: int, rising: int, steps: int, steps_per_epoch: int) -> float:
    """Return the factor of half a cosine from 1 to 0 (Loshchilov and Hutter, "SGDR", ICLR 2017)."""
    return (1 + math.cos(math.pi * (step - rising) / max(1, steps - rising))) / 2


def one_cycle(step: int, rising: int, steps: int, steps_per_epoch: int) -> float:
    """Return the factor of half a cosine from 1 to 1/250,000 (Smith and Topin, "Super-convergence", 2018)."""
    progress = (step - rising) / max(1, steps - rising)
    return 4e-6 + (1 - 4e-6) * (1 + math.cos(math.pi * progress)) / 2


def polynomial(step: int, rising: int, steps: int, steps_per_epoch: int, power: float) -> float:
    """Return the remaining share of the run, raised to ``power``."""
    return float((1 - (step - rising) / max(1, steps - rising)) ** power)


def single_step(step: int, rising: int, steps: int, steps_per_epoch: int, at: int, factor: float) -> float:
    """Return ``factor`` after epoch ``at``, and 1 before."""
    return factor if step >= at * steps_per_epoch else 1.0


def milestones(
    step: int, rising: int, steps: int, steps_per_epoch: int, epochs: tuple[int, ...], factor: float
) -> float:
    """Return ``factor`` raised to the number of ``epochs`` that have passed."""
    return float(factor ** sum(step >= epoch * steps_per_epoch for epoch in epochs))


def exponential(step: int, rising: int, steps: int, steps_per_epoch: int, gamma: float) -> float:
    """Return ``gamma`` raised to the number of epochs that have passed."""
    return float(gamma ** (step // steps_per_epoch))


def inverse(step: int, rising: int, steps: int, steps_per_epoch: int, decay: float) -> float:
    """Return 1 / (1 + decay · step), which Keras calls the ``decay`` of an optimizer."""
    return 1 / (1 + decay * step)


class Plateau:
    """Factor that falls when the loss has not improved for more than ``patience`` epochs, counted as in PyTorch."""

    def __init__(self, patience: float, multiplier: float) -> None:
        self.patience = patience
        self.multiplier = multiplier
        self.factor = 1.0
        self.best = math.inf
        self.waited = 0

    def update(self, loss: float) -> None:
        """Record the loss of an epoch."""
        self.waited = 0 if loss < self.best else self.waited + 1
        self.best = min(self.best, loss)
        if self.waited > self.patience:
            self.factor *= self.multiplier
            self.waited = 0


CONSTANT = ScheduleKind(name="constant", own=(), factor=steady, start=0.0, warmup=0.0, whole_run=False, watches=False)
COSINE = ScheduleKind(name="cosine", own=(), factor=cosine, start=0.0, warmup=0.0, whole_run=True, watches=False)
ONECYCLE = ScheduleKind(
    name="onecycle", own=(), factor=one_cycle, start=1 / 25, warmup=0.3, whole_run=True, watches=False
)
PLATEAU = ScheduleKind(
    name="plateau",
    own=(
        FACTOR,
        PATIENCE,
    ),
    factor=steady,
    start=0.0,
    warmup=0.0,
    whole_run=False,
    watches=True,
)
STEP = ScheduleKind(
    name="step",
    own=(Option("at", Type.COUNT, REQUIRED, "the epoch after which the rate falls", domain=FROM_ONE), FACTOR),
    factor=single_step,
    start=0.0,
    warmup=0.0,
    whole_run=False,
    watches=False,
)
MILESTONES = ScheduleKind(
    name="milestones",
    own=(
        Option("epochs", Type.COUNT, REQUIRED, "the epochs after which the rate falls", Written.REST, FROM_ONE),
        FACTOR,
    ),
    factor=milestones,
    start=0.0,
    warmup=0.0,
    whole_run=False,
    watches=False,
)
EXPONENTIAL = ScheduleKind(
    name="exponential",
    own=(Option("gamma", Type.NUMBER, 0.95, "factor on the rate after each epoch", domain=Domain(0, 1, True, True)),),
    factor=exponential,
    start=0.0,
    warmup=0.0,
    whole_run=False,
    watches=False,
)
INVERSE = ScheduleKind(
    name="inverse",
    own=(Option("decay", Type.NUMBER, REQUIRED, "d in the factor 1 / (1 + d · step)", domain=POSITIVE),),
    factor=inverse,
    start=0.0,
    warmup=0.0,
    whole_run=False,
    watches=False,
)
POLYNOMIAL = ScheduleKind(
    name="polynomial",
    own=(Option("power", Type.NUMBER, 1.0, "exponent of the remaining share of the run", domain=POSITIVE),),
    factor=polynomial,
    start=0.0,
    warmup=0.0,
    whole_run=True,
    watches=False,
)

SCHEDULES = Words(__name__, ScheduleKind)

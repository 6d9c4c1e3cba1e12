"""The resolved ``train`` block: every setting with its value, defaults filled in.

These classes say what a setting means; how each is written, and its domain, stands in ``settings_table``.
"""

from dataclasses import dataclass, fields
from typing import Any

from caedsl.vocabulary.option import Auto


@dataclass(frozen=True)
class LossTerm:
    """One loss of a weighted sum: ``mse mae huber bce ssim``; ``ssim`` is 1 - SSIM, so that it falls as images agree."""

    name: str
    weight: float = 1.0


@dataclass(frozen=True)
class Loss:
    """``sum(weight * term)``. ``reduction`` is over the pixels of one image (``mean`` or ``sum``); always the mean over a batch."""

    terms: tuple[LossTerm, ...] = (LossTerm("mse"),)
    reduction: str = "mean"


@dataclass(frozen=True)
class Optimizer:
    """``adam adamw sgd rmsprop`` with PyTorch's meaning of each number. ``weight_decay`` is decoupled for ``adamw`` alone.

    ``eps_hat`` replaces ``eps`` by Keras's: it is added to the root of the second moment before that is corrected for its
    start at zero (Kingma and Ba 2015, end of section 2), so that it weighs up to 30 times more in the first steps.
    ``lr`` is ``auto`` where it is to be found by a range test.
    """

    name: str = "adam"
    lr: float | Auto = 1e-3
    momentum: float = 0.0
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    eps_hat: float | None = None
    weight_decay: float = 0.0


@dataclass(frozen=True)
class Schedule:
    """How the learning rate moves: ``constant cosine onecycle plateau step``.

    ``warmup`` is the share of all steps over which the rate rises linearly from 0 (for ``onecycle``, to its peak).
    ``step`` multiplies the rate by ``factor`` once, after epoch ``at``.
    ``plateau`` multiplies by ``factor`` when the validation loss has not fallen for ``patience`` epochs.
    """

    name: str = "constant"
    warmup: float = 0.0
    at: int | None = None
    factor: float = 0.1
    patience: int = 5


@dataclass(frozen=True)
class Stop:
    """When to end before the last epoch: ``patience`` epochs without a better validation loss, ``after`` seconds."""

    patience: int | None = None
    after: float | None = None


@dataclass(frozen=True)
class Corrupt:
    """Damage to the input of a denoiser, in units of the input's range (its width is 1); the target stays clean.

    ``gaussian`` is the standard deviation of added noise (clipped to the range), ``masking`` the share of pixels set to the
    low end, ``saltpepper`` the share set to the low or the high end, half each.
    """

    gaussian: float = 0.0
    masking: float = 0.0
    saltpepper: float = 0.0


@dataclass(frozen=True)
class Augment:
    """Random changes to input and target alike: ``flip`` left to right (half of the images), ``shift`` by up to so many
    pixels each way, ``rotate`` by up to so many degrees each way."""

    flip: bool = False
    shift: int = 0
    rotate: float = 0.0


@dataclass(frozen=True)
class On:
    """What follows what a monitor says while training: ``trouble`` is ``warn`` (go on) or ``stop`` (end the run there)."""

    trouble: str = "warn"


@dataclass(frozen=True)
class Train:
    """All settings of a training run.

    ``validation`` is the share of the training images held out; ``clip`` the largest gradient norm; ``ema`` the decay of
    the averaged weights, which are then the ones validated and saved; ``precision`` is ``auto fp32 bf16 fp16``.
    ``batch`` is ``auto`` where it is to be found by trial steps.
    """

    loss: Loss = Loss()
    optimizer: Optimizer = Optimizer()
    schedule: Schedule = Schedule()
    batch: int | Auto = 128
    epochs: int = 20
    validation: float = 0.1
    stop: Stop = Stop()
    corrupt: Corrupt = Corrupt()
    augment: Augment = Augment()
    clip: float | None = None
    precision: str = "auto"
    ema: float | None = None
    seed: int = 0
    on: On = On()


@dataclass(frozen=True)
class SettledOptimizer(Optimizer):
    """An optimizer whose rate is known."""

    lr: float = 1e-3


@dataclass(frozen=True)
class Settled(Train):
    """Settings without ``auto``: those that a run is made of."""

    optimizer: SettledOptimizer = SettledOptimizer()
    batch: int = 128


def settled(settings: Train) -> Settled | None:
    """The settings where all numbers are known; None where one is still to be found."""
    if isinstance(settings.batch, str) or isinstance(settings.optimizer.lr, str):
        return None
    values = _values(settings)
    return Settled(**{**values, "optimizer": SettledOptimizer(**_values(settings.optimizer))})


def _values(settings: Train | Optimizer) -> dict[str, Any]:
    return {field.name: getattr(settings, field.name) for field in fields(settings)}

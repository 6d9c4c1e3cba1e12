"""The resolved ``train`` block: every setting with its value, defaults filled in.

The vocabulary says what a word means; ``settings_table`` says how each setting is written.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar, cast

from caedsl.vocabulary.augmentations import AUGMENTATIONS
from caedsl.vocabulary.corruptions import CORRUPTIONS
from caedsl.vocabulary.losses import LOSSES, LossKind
from caedsl.vocabulary.optimizers import MOMENTUM, OPTIMIZERS, WEIGHT_DECAY, OptimizerKind
from caedsl.vocabulary.option import REQUIRED, Auto, Option, Type
from caedsl.vocabulary.schedules import MIN_LR, SCHEDULES, WARMUP, ScheduleKind, steady, warm_up

Amount = float | tuple[float, float]
"""Number, or the ends of a range from which each sample draws its own."""
Value = bool | int | Amount | tuple[int, ...] | None
Values = Mapping[str, Value]
"""Values of options by name, with the declared defaults filled in."""


Kind = TypeVar("Kind")


def _declared(words: Mapping[str, Kind], name: str) -> Kind:
    if name not in words:
        raise ValueError(f"unknown word {name}")
    return words[name]


class _Chosen:
    """Setting whose options are declared in the vocabulary."""

    options: Values

    def number(self, option: Option) -> float:
        """Return the value of a numeric option, 0 if there is no such option or it has no value."""
        value = self.options.get(option.name)
        return value if isinstance(value, int | float) else 0.0


def _fill(options: Sequence[Option], given: Values) -> dict[str, Value]:
    """Return the value of every option.

    Raise ``ValueError`` for a value without an option, a flag that is not a boolean, and a boolean elsewhere.
    """
    filled = {option.name: given.get(option.name, option.default) for option in options}
    unknown = sorted(set(given) - set(filled))
    missing = [name for name, value in filled.items() if value is REQUIRED]
    if unknown or missing:
        raise ValueError(f"unknown options {unknown}" if unknown else f"missing options {missing}")
    for option in options:
        value = filled[option.name]
        if value is not option.default and isinstance(value, bool) != (option.type is Type.FLAG):
            raise ValueError(f"{option.name} is {option.type.value}, not {value}")
    return filled


@dataclass(frozen=True)
class LossTerm(_Chosen):
    """One loss of a weighted sum."""

    name: str
    weight: float = 1.0
    options: Values = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", _fill(self.kind.own, self.options))

    @property
    def kind(self) -> LossKind:
        """Declaration of the loss."""
        return _declared(LOSSES, self.name)


@dataclass(frozen=True)
class Loss:
    """Weighted sum of losses.

    ``reduction`` (``mean`` or ``sum``) is over the pixels of one image; over a batch it is always the mean. ``worst``
    is the share of an image's pixels that count, those with the largest loss; None for all.
    """

    terms: tuple[LossTerm, ...] = (LossTerm("mse"),)
    reduction: str = "mean"
    worst: float | None = None

    @property
    def probabilities(self) -> bool:
        """Whether a term needs values in 0..1."""
        return any(term.kind.probabilities for term in self.terms)


@dataclass(frozen=True)
class Optimizer(_Chosen):
    """Optimizer with PyTorch's meaning of each number; ``lr`` is ``auto`` if a range test is to find it.

    ``eps_hat`` replaces ``eps`` by Keras's: it is added to the root of the second moment before the bias correction of
    that moment (Kingma and Ba 2015, end of section 2), so that it weighs up to 30 times more in the first steps.
    """

    name: str = "adam"
    lr: float | Auto = 1e-3
    options: Values = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", _fill(self.declared(self.name), self.options))

    @staticmethod
    def declared(name: str) -> tuple[Option, ...]:
        """Return the declarations of the options of the optimizer ``name``."""
        return _declared(OPTIMIZERS, name).own

    @property
    def kind(self) -> OptimizerKind:
        """Declaration of the optimizer."""
        return _declared(OPTIMIZERS, self.name)

    @property
    def momentum(self) -> float:
        """Momentum, 0 for an optimizer without one."""
        return self.number(MOMENTUM)

    @property
    def weight_decay(self) -> float:
        """Weight decay, 0 for an optimizer without one."""
        return self.number(WEIGHT_DECAY)


@dataclass(frozen=True)
class Schedule(_Chosen):
    """Learning rate schedule."""

    name: str = "constant"
    options: Values = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", _fill(self.declared(self.name), self.options))

    @staticmethod
    def declared(name: str) -> tuple[Option, ...]:
        """Return the declarations of the options of the schedule ``name``."""
        return _declared(SCHEDULES, name).options

    @property
    def kind(self) -> ScheduleKind:
        """Declaration of the schedule."""
        return _declared(SCHEDULES, self.name)

    @property
    def warmup(self) -> float:
        """Warm-up, over which the rate rises to its full value, as a share of all steps."""
        return self.number(WARMUP)

    @property
    def min_lr(self) -> float:
        """Lowest rate."""
        return self.number(MIN_LR)

    @property
    def steady(self) -> bool:
        """Whether the rate is the same at every step."""
        return self == Schedule()

    @property
    def moves(self) -> bool:
        """Whether the factor changes from step to step without looking at the loss."""
        return self.warmup > 0 or self.kind.factor is not steady

    def rising(self, steps: int) -> int:
        """Return how many of ``steps`` belong to the warm-up."""
        return round(self.warmup * steps)

    def own(self) -> dict[str, Value]:
        """Return the options that the function of the factor takes."""
        return {} if self.kind.watches else {option.name: self.options[option.name] for option in self.kind.own}

    def factor(self, step: int, steps: int, steps_per_epoch: int) -> float:
        """Return the factor of the rate at ``step``, counted from 0; ``min_lr`` and plateaus are not applied."""
        (factor,) = self.factors((step,), steps, steps_per_epoch)
        return factor

    def factors(self, chosen: Iterable[int], steps: int, steps_per_epoch: int) -> Iterator[float]:
        """Yield the factor at each of the ``chosen`` steps."""
        kind, own, rising = self.kind, self.own(), self.rising(steps)
        for step in chosen:
            if step < rising:
                yield warm_up(step, rising, kind.start)
            else:
                yield kind.factor(step, rising, steps, steps_per_epoch, **own)


@dataclass(frozen=True)
class Stop:
    """Conditions that end a run early: ``patience`` epochs without a better validation loss, ``after`` seconds."""

    patience: int | None = None
    after: float | None = None


@dataclass(frozen=True)
class Corrupt(_Chosen):
    """Corruptions of the input of a denoiser and their amounts; the target stays clean."""

    options: Values = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", _fill(self.declared(), self.options))

    @staticmethod
    def declared(name: str = "") -> tuple[Option, ...]:
        """Return the declarations of the options."""
        return tuple(kind.option for kind in CORRUPTIONS.values())

    def amounts(self) -> dict[str, Amount]:
        """Return the amounts that are not 0, in the order in which they are applied."""
        given = {option.name: self.options[option.name] for option in self.declared()}
        return {name: cast(Amount, amount) for name, amount in given.items() if amount}


@dataclass(frozen=True)
class Augment(_Chosen):
    """Random changes to input and target alike, and their amounts."""

    options: Values = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", _fill(self.declared(), self.options))

    @staticmethod
    def declared(name: str = "") -> tuple[Option, ...]:
        """Return the declarations of the options."""
        return tuple(kind.option for kind in AUGMENTATIONS.values())

    def amounts(self) -> dict[str, float]:
        """Return the amounts that are not 0, in the order in which they are applied."""
        return {option.name: self.number(option) for option in self.declared() if self.options[option.name]}


@dataclass(frozen=True)
class On:
    """Response to a monitor's finding during training: ``trouble`` is ``warn`` (continue) or ``stop`` (end the run)."""

    trouble: str = "warn"


@dataclass(frozen=True)
class Train:
    """All settings of a training run.

    ``validation`` is the share of the training images held out. ``clip`` is the largest gradient norm. ``ema`` is the
    decay of the averaged weights, which are then validated and saved. ``precision`` is ``auto``, ``fp32``, ``bf16`` or
    ``fp16``. ``batch`` is ``auto`` if trial steps are to find it. The images of a step are computed in ``accumulate``
    parts, whose gradients are added up. ``threads`` is the number of CPU threads, or ``auto`` to measure it.
    ``deterministic`` asks for bit-identical results on CUDA too.
    """

    loss: Loss = Loss()
    optimizer: Optimizer = Optimizer()
    schedule: Schedule = Schedule()
    batch: int | Auto = 128
    accumulate: int = 1
    epochs: int = 20
    validation: float = 0.1
    stop: Stop = Stop()
    corrupt: Corrupt = Corrupt()
    augment: Augment = Augment()
    clip: float | None = None
    precision: str = "auto"
    threads: int | Auto = "auto"
    ema: float | None = None
    seed: int = 0
    deterministic: bool = False
    on: On = On()


@dataclass(frozen=True)
class SettledOptimizer(Optimizer):
    """Optimizer whose learning rate is known."""

    lr: float = 1e-3


@dataclass(frozen=True)
class Settled(Train):
    """Settings without ``auto``, as a run uses them."""

    optimizer: SettledOptimizer = SettledOptimizer()
    batch: int = 128

    @property
    def images_at_once(self) -> int:
        """Largest number of images that are in memory with their activations."""
        return -(-self.batch // self.accumulate)


def settled(settings: Train) -> Settled | None:
    """Return the settings without ``auto``; None if a number is still to be found."""
    if isinstance(settings.batch, str) or isinstance(settings.optimizer.lr, str):
        return None
    values = _values(settings)
    return Settled(**{**values, "optimizer": SettledOptimizer(**_values(settings.optimizer))})


def _values(settings: Train | Optimizer) -> dict[str, Any]:
    return {field.name: getattr(settings, field.name) for field in fields(settings)}

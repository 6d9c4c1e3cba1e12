"""Table of training settings: their options, domains and defaults."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from caedsl.model import settings
from caedsl.vocabulary.optimizers import OPTIMIZERS
from caedsl.vocabulary.option import AUTO, FRACTION, FROM_ONE, POSITIVE, REQUIRED, Auto, Domain, Option, Type, Written
from caedsl.vocabulary.precisions import PRECISIONS
from caedsl.vocabulary.schedules import SCHEDULES

UP_TO_A_BILLION = Domain(low=1, high=10**9)
UP_TO_A_THOUSAND = Domain(low=1, high=1024)


class SettingVariant(Protocol):
    """Word that selects the options of its line."""

    @property
    def options(self) -> tuple[Option, ...]:
        """Options of the line."""


def _value(
    name: str, type_: Type, about: str, domain: Domain = FROM_ONE, choices: tuple[str, ...] = ()
) -> tuple[Option, ...]:
    return (Option(name, type_, REQUIRED, about, Written.FIRST, domain, choices),)


def _optional(name: str, type_: Type, default: Any, about: str, domain: Domain) -> Option:
    return Option(name, type_, default, about, domain=domain)


class Setting(NamedTuple):
    """One word of the ``train`` block: its options, and what they build. A name selects one of ``variants``."""

    about: str
    options: tuple[Option, ...]
    build: Callable[..., Any] | None = None
    variants: Mapping[str, SettingVariant] | None = None
    some: bool = False
    """Whether at least one of the options must be set."""

    @property
    def fields(self) -> bool:
        """Whether each option is a field of the settings."""
        return self.build is None and len(self.options) > 1


def _optimizer(name: str, lr: float | Auto, **options: Any) -> settings.Optimizer:
    return settings.Optimizer(name, lr, options)


def _schedule(name: str, **options: Any) -> settings.Schedule:
    return settings.Schedule(name, options)


SETTINGS: Mapping[str, Setting] = {
    "loss": Setting("the [loss](#loss) to minimise, or a weighted sum such as `mse + 0.2 ssim`", ()),
    "optimizer": Setting("the optimizer", (), _optimizer, OPTIMIZERS),
    "schedule": Setting("how the learning rate changes", (), _schedule, SCHEDULES),
    "batch": Setting(
        "images per step; `auto` finds the fastest by trial steps",
        (
            Option("batch", Type.COUNT, REQUIRED, "images per step", Written.FIRST, UP_TO_A_BILLION, auto=True),
            _optional("accumulate", Type.COUNT, 1, "number of parts into which a step is split", FROM_ONE),
        ),
    ),
    "epochs": Setting(
        "passes over the training images",
        _value("epochs", Type.COUNT, "passes over the training images", UP_TO_A_BILLION),
    ),
    "validation": Setting(
        "share of the training images that is held out", _value("validation", Type.SHARE, "share held out", FRACTION)
    ),
    "stop": Setting(
        "when to stop early",
        (
            _optional("patience", Type.COUNT, None, "epochs without a better validation loss", FROM_ONE),
            _optional("after", Type.DURATION, None, "time after which training ends", POSITIVE),
        ),
        settings.Stop,
        some=True,
    ),
    "corrupt": Setting(
        "corruption of the input; the target stays clean",
        settings.Corrupt.declared(),
        lambda **amounts: settings.Corrupt(amounts),
        some=True,
    ),
    "augment": Setting(
        "random changes of the input and the target",
        settings.Augment.declared(),
        lambda **amounts: settings.Augment(amounts),
        some=True,
    ),
    "clip": Setting(
        "largest norm of the gradient", _value("clip", Type.NUMBER, "largest norm of the gradient", POSITIVE)
    ),
    "precision": Setting(
        "number format of the computation; weights and loss stay in fp32",
        _value("precision", Type.CHOICE, "number format", choices=(AUTO, *PRECISIONS)),
    ),
    "threads": Setting(
        "CPU threads per step; `auto` finds the fastest number by trial steps",
        (Option("threads", Type.COUNT, REQUIRED, "CPU threads", Written.FIRST, UP_TO_A_THOUSAND, auto=True),),
    ),
    "ema": Setting(
        "decay of the averaged weights, which are validated and saved",
        _value("ema", Type.NUMBER, "decay per step", Domain(0, 1, True, True)),
    ),
    "seed": Setting(
        "seed of all random numbers",
        (
            *_value("seed", Type.COUNT, "seed of all random numbers", Domain(0, 2**31 - 1)),
            Option("deterministic", Type.FLAG, False, "use reproducible kernels on CUDA", Written.BARE),
        ),
    ),
    "on": Setting(
        "whether a run continues when a monitor is certain of a failure",
        (
            Option(
                "trouble",
                Type.CHOICE,
                REQUIRED,
                "`warn` reports it and continues, `stop` ends the run",
                Written.WORDED,
                choices=("stop", "warn"),
            ),
        ),
        settings.On,
    ),
}


NAMED = frozenset((*(name for name, setting in SETTINGS.items() if setting.variants), "loss"))
"""Settings that need a name."""

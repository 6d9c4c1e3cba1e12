"""How each training setting is written: its options, their domains and defaults; and the block read by that table."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from caedsl.diagnostics.finding import Label
from caedsl.model import settings
from caedsl.resolve.binding import Bound, bind, filled
from caedsl.resolve.losses import read_loss
from caedsl.resolve.scope import Scope
from caedsl.source import Span
from caedsl.syntax import tree
from caedsl.vocabulary.option import FRACTION, FROM_ONE, NOT_NEGATIVE, POSITIVE, REQUIRED, Domain, Option, Type, Written

WHOLE_SHARE = Domain(low=0, high=1)
UP_TO_A_BILLION = Domain(low=1, high=10**9)

_LR = Option("lr", Type.NUMBER, 1e-3, "learning rate, or `auto`: found by a range test", domain=POSITIVE, auto=True)
_DECAY = Option("weight_decay", Type.NUMBER, 0.0, "weight decay", domain=NOT_NEGATIVE)
_MOMENTUM = Option("momentum", Type.NUMBER, 0.0, "momentum", domain=FRACTION)
_EPS = Option("eps", Type.NUMBER, 1e-8, "added to the root of the second moment", domain=POSITIVE)
_EPS_HAT = Option("eps_hat", Type.NUMBER, None, "Keras's epsilon, instead of `eps`", domain=POSITIVE)
_BETAS = (
    Option("beta1", Type.NUMBER, 0.9, "decay of the first moment", domain=FRACTION),
    Option("beta2", Type.NUMBER, 0.999, "decay of the second moment", domain=FRACTION),
)
OPTIMIZERS: Mapping[str, tuple[Option, ...]] = {
    "adam": (_LR, *_BETAS, _EPS, _EPS_HAT, _DECAY),
    "adamw": (_LR, *_BETAS, _EPS, _EPS_HAT, _DECAY._replace(default=0.01)),
    "sgd": (_LR._replace(default=1e-2), _MOMENTUM, _DECAY),
    "rmsprop": (_LR, _MOMENTUM, _EPS, _DECAY),
}

_WARMUP = Option("warmup", Type.SHARE, 0.0, "share of all steps over which the rate rises from 0", domain=FRACTION)
_FACTOR = Option("factor", Type.NUMBER, 0.1, "what the rate is multiplied by", domain=Domain(0, 1, True, True))
SCHEDULES: Mapping[str, tuple[Option, ...]] = {
    "constant": (_WARMUP,),
    "cosine": (_WARMUP,),
    "onecycle": (_WARMUP._replace(default=0.3, about="share of all steps over which the rate rises to its peak"),),
    "plateau": (
        _WARMUP,
        _FACTOR,
        Option(
            "patience", Type.COUNT, 5, "epochs without a better validation loss before the rate falls", domain=FROM_ONE
        ),
    ),
    "step": (
        _WARMUP,
        Option("at", Type.COUNT, REQUIRED, "the epoch after which the rate falls", domain=FROM_ONE),
        _FACTOR,
    ),
}


def _value(
    name: str, type_: Type, about: str, domain: Domain = FROM_ONE, choices: tuple[str, ...] = ()
) -> tuple[Option, ...]:
    return (Option(name, type_, REQUIRED, about, Written.FIRST, domain, choices),)


def _optional(name: str, type_: Type, default: Any, about: str, domain: Domain) -> Option:
    return Option(name, type_, default, about, domain=domain)


class Setting(NamedTuple):
    """One word of the ``train`` block: its options, and what they build. ``variants`` are options that a name chooses."""

    about: str
    options: tuple[Option, ...]
    build: Callable[..., Any] | None = None
    variants: Mapping[str, tuple[Option, ...]] | None = None
    some: bool = False
    """Whether at least one of the options must be given."""


SETTINGS: Mapping[str, Setting] = {
    "loss": Setting("what is minimised: `mse mae huber bce ssim`, or a weighted sum such as `mse + 0.2 ssim`", ()),
    "optimizer": Setting("how the weights are moved", (), settings.Optimizer, OPTIMIZERS),
    "schedule": Setting("how the learning rate moves", (), settings.Schedule, SCHEDULES),
    "batch": Setting(
        "images a step, or `auto`: found by trial steps",
        (Option("batch", Type.COUNT, REQUIRED, "images a step", Written.FIRST, UP_TO_A_BILLION, auto=True),),
    ),
    "epochs": Setting(
        "passes over the training images",
        _value("epochs", Type.COUNT, "passes over the training images", UP_TO_A_BILLION),
    ),
    "validation": Setting(
        "share of the training images held out", _value("validation", Type.SHARE, "share held out", FRACTION)
    ),
    "stop": Setting(
        "when to end early",
        (
            _optional("patience", Type.COUNT, None, "epochs without a better validation loss", FROM_ONE),
            _optional("after", Type.DURATION, None, "time after which training ends", POSITIVE),
        ),
        settings.Stop,
        some=True,
    ),
    "corrupt": Setting(
        "damage to the input; the target stays clean",
        (
            _optional(
                "gaussian", Type.NUMBER, 0.0, "standard deviation of added noise, the range being 1 wide", NOT_NEGATIVE
            ),
            _optional("masking", Type.SHARE, 0.0, "share of pixels set to the low end", WHOLE_SHARE),
            _optional("saltpepper", Type.SHARE, 0.0, "share of pixels set to either end", WHOLE_SHARE),
        ),
        settings.Corrupt,
        some=True,
    ),
    "augment": Setting(
        "random changes to input and target alike",
        (
            Option("flip", Type.FLAG, False, "half of the images left to right", Written.BARE),
            _optional("shift", Type.COUNT, 0, "up to so many pixels each way", FROM_ONE),
            _optional("rotate", Type.NUMBER, 0.0, "up to so many degrees each way", Domain(0, 180, low_open=True)),
        ),
        settings.Augment,
        some=True,
    ),
    "clip": Setting(
        "largest norm of the gradient", _value("clip", Type.NUMBER, "largest norm of the gradient", POSITIVE)
    ),
    "precision": Setting(
        "number format of the computation; weights and loss stay fp32",
        _value("precision", Type.CHOICE, "number format", choices=("auto", "fp32", "bf16", "fp16")),
    ),
    "ema": Setting(
        "decay of the averaged weights that are validated and saved",
        _value("ema", Type.NUMBER, "decay a step", Domain(0, 1, True, True)),
    ),
    "seed": Setting(
        "start of all random numbers", _value("seed", Type.COUNT, "start of all random numbers", Domain(0, 2**31 - 1))
    ),
    "on": Setting(
        "whether a run goes on when a monitor is sure that something goes wrong",
        (
            Option(
                "trouble",
                Type.CHOICE,
                REQUIRED,
                "`warn` says it and goes on, `stop` ends the run there",
                Written.WORDED,
                choices=("stop", "warn"),
            ),
        ),
        settings.On,
    ),
}

FOREIGN_SETTINGS = {
    "lr": "optimizer adam lr=1e-3",
    "learning_rate": "optimizer adam lr=1e-3",
    "batch_size": "batch 128",
    "early_stopping": "stop patience=10",
    "patience": "stop patience=10",
    "noise": "corrupt gaussian=0.2",
    "scheduler": "schedule cosine",
    "optim": "optimizer adam",
    "gradient_clip": "clip 1.0",
    "val_split": "validation 10%",
    "weight_decay": "optimizer adamw weight_decay=0.01",
}
"""What other libraries call a setting."""


def read_train(statements: Sequence[tree.Statement], places: dict[str, Span], scope: Scope) -> settings.Train:
    """The settings of a ``train`` block over their defaults; where each is written goes into ``places``."""
    values: dict[str, Any] = {}
    seen: dict[str, Span] = {}
    for statement in statements:
        name = statement.head.text
        if name not in SETTINGS:
            _report_unknown(statement, scope)
            continue
        if name in seen:
            scope.report(
                "duplicate-statement",
                statement.span,
                f"`{name}` is set twice",
                related=(Label(seen[name], "first set here"),),
                help="keep one of them",
            )
            continue
        seen[name] = statement.span
        if statement.block is not None:
            scope.report("unexpected-block", statement.head.span, f"`{name}` takes no block", help="remove the braces")
        value = _read_setting(name, statement, places, scope)
        if value is not None:
            values[name] = value
    return settings.Train(**values)


def _read_setting(name: str, statement: tree.Statement, places: dict[str, Span], scope: Scope) -> Any:
    place = f"train.{name}"
    places[place] = statement.span
    if name == "loss":
        return read_loss(statement, scope)
    setting = SETTINGS[name]
    if setting.variants is not None:
        return _read_variant(name, setting, statement, places, scope)
    bound = bind(name, statement.items, setting.options, scope)
    _keep_places(place, bound, places)
    values = filled(bound, setting.options, statement, scope)
    if values is None:
        return None
    if setting.build is None:
        return values[name]
    if setting.some and not bound.spans and not statement.broken:
        listed = ", ".join(f"`{option.name}`" for option in setting.options)
        scope.report("missing-value", statement.span, f"`{name}` needs at least one of {listed}")
        return None
    return setting.build(**values)


def _read_variant(name: str, setting: Setting, statement: tree.Statement, places: dict[str, Span], scope: Scope) -> Any:
    assert setting.variants is not None and setting.build is not None
    chosen = Option(name, Type.CHOICE, REQUIRED, setting.about, Written.FIRST, choices=tuple(setting.variants))
    given = next((item.text for item in statement.items if isinstance(item, tree.Word)), "")
    options = (chosen, *setting.variants.get(given, _any_options(setting.variants)))
    bound = bind(f"{name} {given}" if given in setting.variants else name, statement.items, options, scope)
    _keep_places(f"train.{name}", bound, places)
    values = filled(bound, options, statement, scope)
    if values is None or name in bound.failed:
        return None
    if values.get("eps_hat") is not None and "eps" in bound.spans:
        scope.report(
            "contradicting-options",
            bound.spans["eps_hat"],
            "`eps` and `eps_hat` are two meanings of one number",
            related=(Label(bound.spans["eps"], "given here too"),),
            help="keep `eps` for PyTorch's meaning, `eps_hat` for Keras's",
        )
    return setting.build(name=values.pop(name), **values)


def _any_options(variants: Mapping[str, tuple[Option, ...]]) -> tuple[Option, ...]:
    """Every option that some variant has, none required: what a line with an unknown name is held to."""
    merged = {option.name: option._replace(default=None) for options in variants.values() for option in options}
    return tuple(merged.values())


def _keep_places(place: str, bound: Bound, places: dict[str, Span]) -> None:
    for option, span in bound.spans.items():
        places[f"{place}.{option}"] = span


def _report_unknown(statement: tree.Statement, scope: Scope) -> None:
    word = statement.head.text
    foreign = FOREIGN_SETTINGS.get(word)
    near = None if foreign else scope.nearest(word, tuple(SETTINGS))
    help_line = f"write `{foreign}`" if foreign else f"settings are {', '.join(SETTINGS)}"
    span = statement.head.span
    scope.report("unknown-setting", span, f'unknown setting "{word}" in train', help=help_line, meant=near)

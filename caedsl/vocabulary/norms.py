"""Normalisations, with one declaration each: an option between a layer's main operation and its activation."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import FROM_ONE, POSITIVE, Domain, LayerOption, Option, Options, Type
from caedsl.vocabulary.shape import Shape, elements, is_map, text
from caedsl.vocabulary.words import Words

EPSILON = 1e-5
"""PyTorch's default for every normalisation."""
MOMENTUM = 0.1
"""PyTorch's default. Keras uses the complement: its ``momentum=0.99`` is 0.01 here."""
NONE = "none"
"""Word for no normalisation."""


@dataclass(frozen=True, kw_only=True)
class Norm:
    """Normalisation.

    - ``own`` are its options in addition to ``affine`` and ``eps``, which all have.
    - ``torch`` returns the call of its module for a layer's options and output.
    - ``groups`` counts the parts of one sample with separate statistics; None for statistics of a batch.
    - ``needs_map``: it cannot follow a vector. ``divides``: the channels must be a multiple of its ``groups``.
    - ``centres``: it subtracts the mean of each channel, and so removes a bias before it.
    - ``linear``: after training it is a linear map.
    - ``learned`` counts the parameters per channel with ``affine``.
    """

    name: str
    own: tuple[Option, ...]
    torch: Callable[[Options, Shape], Call]
    groups: Callable[[Options, Shape], int] | None
    needs_map: bool
    divides: bool
    centres: bool
    linear: bool
    learned: int

    @property
    def over_batch(self) -> bool:
        """Whether the statistics are those of a batch."""
        return self.groups is None


GROUPS: LayerOption[int] = LayerOption("groups", Type.COUNT, 8, "groups of `norm=group`", domain=FROM_ONE)
AFFINE: LayerOption[bool] = LayerOption(
    "affine", Type.SWITCH, True, "whether the normalisation learns a scale and a shift"
)
EPS: LayerOption[float] = LayerOption(
    "eps", Type.NUMBER, EPSILON, "added to the variance under the square root", domain=POSITIVE
)
MOMENTUM_OPTION: LayerOption[float] = LayerOption(
    "momentum",
    Type.NUMBER,
    MOMENTUM,
    "share of each batch in the running averages of `norm=batch`",
    domain=Domain(low=0, high=1, low_open=True),
)


def _changed(options: Options, *declared: Option) -> dict[str, Any]:
    """Return the options that differ from PyTorch's defaults, which are also the language's."""
    values = {option: options.of_any_type(option) for option in declared}
    return {option.name: value for option, value in values.items() if value != option.default}


def _batch(options: Options, shape: Shape) -> Call:
    rank = max(1, len(shape) - 1)
    return call(f"BatchNorm{rank}d", shape[0], **_changed(options, EPS, MOMENTUM_OPTION, AFFINE))


def _instance(options: Options, shape: Shape) -> Call:
    affine = {"affine": True} if options[AFFINE] else {}
    return call(f"InstanceNorm{len(shape) - 1}d", shape[0], **_changed(options, EPS), **affine)


def _layer(options: Options, shape: Shape) -> Call:
    if is_map(shape):
        return call("GroupNorm", 1, shape[0], **_changed(options, EPS, AFFINE))
    affine = {} if options[AFFINE] else {"elementwise_affine": False}
    return call("LayerNorm", shape[0], **_changed(options, EPS), **affine)


def _group(options: Options, shape: Shape) -> Call:
    return call("GroupNorm", options[GROUPS], shape[0], **_changed(options, EPS, AFFINE))


def _rms(options: Options, shape: Shape) -> Call:
    if is_map(shape):
        return call("ChannelRMSNorm", shape[0], eps=options[EPS], **_changed(options, AFFINE))
    affine = {} if options[AFFINE] else {"elementwise_affine": False}
    return call("RMSNorm", shape[0], eps=options[EPS], **affine)


def _channel(options: Options, shape: Shape) -> Call:
    if is_map(shape):
        return call("ChannelLayerNorm", shape[0], eps=options[EPS], **_changed(options, AFFINE))
    return _layer(options, shape)


BATCH = Norm(
    name="batch",
    own=(MOMENTUM_OPTION,),
    torch=_batch,
    groups=None,
    needs_map=False,
    divides=False,
    centres=True,
    linear=True,
    learned=2,
)
INSTANCE = Norm(
    name="instance",
    own=(),
    torch=_instance,
    groups=lambda options, shape: shape[0],
    needs_map=True,
    divides=False,
    centres=True,
    linear=False,
    learned=2,
)
LAYER = Norm(
    name="layer",
    own=(),
    torch=_layer,
    groups=lambda options, shape: 1,
    needs_map=False,
    divides=False,
    centres=False,
    linear=False,
    learned=2,
)
GROUP = Norm(
    name="group",
    own=(GROUPS,),
    torch=_group,
    groups=lambda options, shape: options[GROUPS],
    needs_map=False,
    divides=True,
    centres=False,
    linear=False,
    learned=2,
)
RMS = Norm(
    name="rms",
    own=(),
    torch=_rms,
    groups=lambda options, shape: elements(shape) // shape[0],
    needs_map=False,
    divides=False,
    centres=False,
    linear=False,
    learned=1,
)
CHANNEL = Norm(
    name="channel",
    own=(),
    torch=_channel,
    groups=lambda options, shape: elements(shape) // shape[0],
    needs_map=False,
    divides=False,
    centres=False,
    linear=False,
    learned=2,
)

NORMS = Words(__name__, Norm)
NAMES = (NONE, *NORMS)
NORM: LayerOption[str] = LayerOption("norm", Type.CHOICE, NONE, "normalisation", choices=NAMES)
OPTIONS = (
    NORM,
    AFFINE,
    EPS,
    *(option for norm in NORMS.values() for option in norm.own),
)

BELONGS_TO = {
    AFFINE.name: None,
    EPS.name: None,
    **{option.name: norm.name for norm in NORMS.values() for option in norm.own},
}
"""Options of a normalisation, and the normalisation that has them; None if all have them."""


def norm_of(options: Options) -> Norm | None:
    """Return the normalisation among the options of a layer, or None."""
    return NORMS.get(options.get(NORM, NONE))


def has(norm: str, option: str) -> bool:
    """Return whether ``norm`` has ``option``."""
    owner = BELONGS_TO[option]
    return norm in NORMS if owner is None else norm == owner


def misfit(options: Options, shape: Shape) -> Misfit | None:
    """Return why the normalisation cannot follow an output of ``shape``, or None."""
    norm = norm_of(options)
    if norm is None or norm.groups is None:
        return None
    if norm.needs_map and not is_map(shape):
        return Misfit(
            "needs-a-map",
            f"`norm={norm.name}` needs a feature map, but this layer returns {text(shape)}",
            help="use `norm=layer` or `norm=batch` on a vector",
            option=NORM.name,
        )
    groups = norm.groups(options, shape)
    if norm.divides and shape[0] % groups:
        return Misfit(
            "groups-do-not-divide",
            f"`norm={norm.name}` splits channels into {groups} groups, which do not divide {shape[0]} channels",
            help=f"use `groups={_largest_divisor(shape[0], groups)}`",
            option=GROUPS.name,
        )
    if elements(shape) // groups == 1:
        others = "`norm=layer` or `norm=batch`" if elements(shape) > 1 else "`norm=batch`"
        lost = "subtracts every number from itself" if norm.learned == 2 else "divides every number by itself"
        return Misfit(
            "needs-a-map",
            f"`norm={norm.name}` on {text(shape)} {lost}: nothing is left",
            help=f"use {others} here, or remove the normalisation",
            option=NORM.name,
        )
    return None


def _largest_divisor(number: int, at_most: int) -> int:
    return next(d for d in range(min(number, at_most), 0, -1) if number % d == 0)


def parameters(options: Options, shape: Shape) -> int:
    """Return the number of learned parameters of the normalisation of an output of ``shape``."""
    norm = norm_of(options)
    return 0 if norm is None or not options[AFFINE] else norm.learned * shape[0]


def calls(options: Options, shape: Shape) -> tuple[Call, ...]:
    """Return the call of the module that normalises an output of ``shape``; ``layer`` on a map has one group."""
    norm = norm_of(options)
    return () if norm is None else (norm.torch(options, shape),)

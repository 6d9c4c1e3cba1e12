"""Fitting of a layer's options to the rank of its input: one number per spatial axis."""

from collections.abc import Sequence

from caedsl.diagnostics.text import counted
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import Option, Options, Type
from caedsl.vocabulary.shape import NOUNS, Shape, axes_text, rank, text

_SPREADING = (Type.PER_AXIS, Type.PADDING, Type.SIDES)
"""Types whose single number applies to every axis."""


def rank_misfit(kind: str, ranks: Sequence[int], in_shape: Shape) -> Misfit | None:
    """Return why ``kind``, which takes inputs of these ranks, cannot take ``in_shape``."""
    if rank(in_shape) in ranks:
        return None
    if rank(in_shape) == 0:
        return Misfit(
            "needs-a-map",
            f"`{kind}` needs a feature map, but its input is a vector of {text(in_shape)} numbers",
            help=f"put `reshape CxHxW` before it, with C·H·W = {text(in_shape)}",
        )
    taken = " and ".join(f"{NOUNS[each]}s" for each in ranks if each)
    return Misfit(
        "needs-a-map",
        f"`{kind}` is for {taken}, but its input {text(in_shape)} has {_count(rank(in_shape))}: "
        f"{axes_text(rank(in_shape))}",
        help="use `upsample` or `deconv`, which take any number of axes",
    )


def spread(kind: str, declared: Sequence[Option], options: Options, axes: int) -> Options | Misfit:
    """Return the options with one number per axis; a single number applies to all axes."""
    changed: dict[Option, object] = {}
    for option in declared:
        value = options.of_any_type(option)
        if not isinstance(value, tuple) or option.type not in (*_SPREADING, Type.SIZE):
            continue
        if len(value) == 1 and option.type in _SPREADING:
            changed[option] = value * axes
        elif len(value) != axes:
            return Misfit(
                "wrong-type",
                f"`{kind}` has {_count(axes)} here, {axes_text(axes)}, but its `{option.name}` has "
                f"{counted(len(value), 'number')}",
                help=_remedy(option, axes),
                option=option.name,
            )
    return options.changed(changed) if changed else options


def _count(axes: int) -> str:
    return "one axis" if axes == 1 else f"{axes} axes"


def _remedy(option: Option, axes: int) -> str:
    each = f"one number for each axis ({axes_text(axes)})"
    return f"write {each}" if option.type is Type.SIZE or axes == 1 else f"write one number for all axes, or {each}"

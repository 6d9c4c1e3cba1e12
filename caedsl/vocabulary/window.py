"""Window of convolutions and pools: kernel, stride, dilation, padding, and the resulting sizes.

The sizes are those in PyTorch's documentation of ``Conv2d``, ``ConvTranspose2d`` and ``MaxPool2d``.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import FROM_ONE, NOT_NEGATIVE, LayerOption, Options, Type, Written
from caedsl.vocabulary.shape import Shape, Sides, Sizes

Reads = Callable[[int], tuple[int, int]]
"""First and last input along one axis that an output depends on; the last is smaller than the first if there is none.
"""

KERNEL: LayerOption[Sizes] = LayerOption("kernel", Type.PER_AXIS, (3,), "kernel", Written.SHORT, FROM_ONE, short="k")
STRIDE: LayerOption[Sizes] = LayerOption("stride", Type.PER_AXIS, (1,), "stride", Written.SHORT, FROM_ONE, short="s")
DILATION: LayerOption[Sizes] = LayerOption(
    "dilation", Type.PER_AXIS, (1,), "dilation", Written.SHORT, FROM_ONE, short="d"
)
CHANNEL_GROUPS: LayerOption[int] = LayerOption(
    "channel_groups", Type.COUNT, 1, "groups of channels", Written.SHORT, FROM_ONE, short="g"
)
DEPTHWISE: LayerOption[bool] = LayerOption(
    "depthwise", Type.FLAG, False, "as many groups as input channels", Written.BARE
)
OUTPUT_PAD: LayerOption[Sizes] = LayerOption(
    "output_pad",
    Type.PER_AXIS,
    (0,),
    "numbers added at the end of each axis of the output, as in PyTorch; for `pad=valid` and `pad=N`",
    domain=NOT_NEGATIVE,
)
TOO_LARGE = "kernel-too-large"
SAME_UPPER = "same_upper"
"""ONNX's word for TensorFlow's padding, whose ``SAME`` adds the odd zero at the end."""
PAD: LayerOption[str | Sizes | Sides] = LayerOption(
    "pad",
    Type.PADDING,
    "same",
    "padding: `same` keeps the size (multiplied or divided by the stride), `valid` adds none, a number is the number "
    "of zeros on each side",
    domain=NOT_NEGATIVE,
)


class Axis(NamedTuple):
    """Window along one axis; ``pad`` is a word, the zeros on each side, or those before and after."""

    size: int
    kernel: int
    stride: int
    dilation: int
    pad: str | int | Sides
    output_pad: int = 0

    @property
    def extent(self) -> int:
        """Number of inputs that the dilated kernel spans."""
        return self.dilation * (self.kernel - 1) + 1


class TransposedPadding(NamedTuple):
    """Paddings of a transposed convolution as PyTorch counts them, and what is then cut off at the end."""

    padding: int
    output_padding: int
    cut: int


@lru_cache(maxsize=4096)
def axes(options: Options, in_shape: Shape) -> tuple[Axis, ...]:
    """Return the window with these options, axis by axis."""
    ones, zeros = (1,) * (len(in_shape) - 1), (0,) * (len(in_shape) - 1)
    pad = options[PAD]
    return tuple(
        Axis(*numbers)
        for numbers in zip(
            in_shape[1:],
            options[KERNEL],
            options[STRIDE],
            options.get(DILATION, ones),
            pad if isinstance(pad, tuple) else (pad,) * len(ones),
            options.get(OUTPUT_PAD, zeros),
            strict=True,
        )
    )


def padding(axis: Axis) -> tuple[int, int]:
    """Return the zeros before and after, with which a ``same`` convolution returns ceil(size / stride).

    They are equal on both sides if that gives the right size, as PyTorch's ``padding`` argument requires; with
    ``same_upper`` an odd number of zeros has the larger half at the end, as in TensorFlow.
    """
    if isinstance(axis.pad, int):
        return axis.pad, axis.pad
    if isinstance(axis.pad, Sides):
        return axis.pad.before, axis.pad.after
    if axis.pad == "valid":
        return 0, 0
    total = max((-(-axis.size // axis.stride) - 1) * axis.stride + axis.extent - axis.size, 0)
    if axis.stride == 1 or axis.pad == SAME_UPPER:
        return total // 2, total - total // 2
    return (total + 1) // 2, (total + 1) // 2


@lru_cache(maxsize=1024)
def share_inside(axis: Axis, count: int) -> float:
    """Return the share of the kernel that lies on the input, on average over ``count`` positions."""
    before, after = padding(axis)
    end = axis.size + before - (axis.extent - 1)  # the first start whose window reaches beyond the input
    beyond = (_taps(before - place * axis.stride, axis) for place in range(min(count, -(-before // axis.stride))))
    first = max(0, -(-end // axis.stride))
    at_end = (_taps(place * axis.stride - end + 1, axis) for place in range(first, count)) if after else ()
    return max(1 - (sum(beyond) + sum(at_end)) / (count * axis.kernel), 1 / axis.kernel / count)


def _taps(places: int, axis: Axis) -> int:
    """Return the number of taps on this many consecutive positions at an end of the window."""
    return min(axis.kernel, -(-places // axis.dilation))


def convolved(axis: Axis) -> int:
    """Return the output size of a convolution; below 1 where the kernel does not fit."""
    return (axis.size + sum(padding(axis)) - axis.extent) // axis.stride + 1


def transposition(axis: Axis) -> TransposedPadding:
    """Return the paddings with which a transposed ``same`` convolution returns size · stride."""
    if axis.pad == "valid":
        return TransposedPadding(0, axis.output_pad, 0)
    if isinstance(axis.pad, int):
        return TransposedPadding(axis.pad, axis.output_pad, 0)
    excess = axis.extent - axis.stride
    if excess < 0:
        return TransposedPadding(0, -excess, 0)
    if axis.pad == SAME_UPPER:
        return TransposedPadding(excess // 2, 0, excess % 2)
    trim = (excess + 1) // 2
    if excess % 2 and max(axis.stride, axis.dilation) == 1:
        return TransposedPadding(excess // 2, 0, 1)
    return TransposedPadding(trim, 2 * trim - excess, 0)


def deconvolved(axis: Axis) -> int:
    """Return the output size of a transposed convolution."""
    t = transposition(axis)
    return (axis.size - 1) * axis.stride - 2 * t.padding + axis.extent + t.output_padding - t.cut


def pooled(axis: Axis, round_up: bool) -> int:
    """Return the output size of a pool; with ``round_up`` the last window may end outside, but must start inside."""
    assert isinstance(axis.pad, int)
    span = axis.size + 2 * axis.pad - axis.kernel
    if not round_up:
        return span // axis.stride + 1
    out = -(-span // axis.stride) + 1
    return out - 1 if (out - 1) * axis.stride >= axis.size + axis.pad else out


def too_large(kind: str, axis: Axis, which: str, pads: tuple[int, int]) -> Misfit:
    """Return the misfit of a window that is larger than the padded map."""
    padded = axis.size + sum(pads)
    sides = f" with {pads[0]} + {pads[1]} of padding" if any(pads) else ""
    dilated = f" (dilated by {axis.dilation}: {axis.extent})" if axis.dilation > 1 else ""
    return Misfit(
        TOO_LARGE,
        f"the {kind} kernel {axis.kernel}{dilated} is larger than the map: its {which} is {axis.size}{sides}",
        notes=(f"{which}: {axis.size} + {pads[0]} + {pads[1]} = {padded} < {axis.extent}",),
        help="use a smaller kernel, more padding, or one fewer reduction before it",
        option="kernel",
    )


def window_reads(axis: Axis, before: int, mirrored: bool = False, repeated: bool = False) -> Reads:
    """Return which inputs a window reads that starts ``before`` positions before the first input.

    With ``mirrored``, the padding has inputs instead of zeros; with ``repeated``, the outermost one.
    """

    def read(place: int) -> tuple[int, int]:
        start = place * axis.stride - before
        skipped = -(min(start, 0) // axis.dilation)
        taps = min(axis.kernel - 1, (axis.size - 1 - start) // axis.dilation)
        first, last = start + skipped * axis.dilation, start + taps * axis.dilation
        if mirrored:
            end = start + axis.extent - 1
            return min(first, 2 * (axis.size - 1) - max(end, axis.size - 1)), max(last, -min(start, 0))
        if repeated:
            return min(max(start, 0), axis.size - 1), min(max(start + axis.extent - 1, 0), axis.size - 1)
        return first, last

    return read


def transposed_reads(axis: Axis) -> Reads:
    """Return which inputs reach an output of a transposed convolution."""
    padding = transposition(axis).padding

    def read(place: int) -> tuple[int, int]:
        positions = (place + padding - tap * axis.dilation for tap in range(axis.kernel))
        inputs = [p // axis.stride for p in positions if p % axis.stride == 0 and 0 <= p < axis.size * axis.stride]
        return (inputs[-1], inputs[0]) if inputs else (0, -1)

    return read

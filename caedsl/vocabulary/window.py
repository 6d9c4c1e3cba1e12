"""The window of convolutions and pools: kernel, stride, dilation, padding, and the sizes that follow from them.

Sizes are those of PyTorch's documentation of ``Conv2d``, ``ConvTranspose2d`` and ``MaxPool2d``.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import FROM_ONE, NOT_NEGATIVE, Option, Type, Written
from caedsl.vocabulary.shape import Shape

Options = Mapping[str, Any]

KERNEL = Option("kernel", Type.PAIR, (3, 3), "kernel", Written.SHORT, FROM_ONE, short="k")
STRIDE = Option("stride", Type.PAIR, (1, 1), "stride", Written.SHORT, FROM_ONE, short="s")
DILATION = Option("dilation", Type.PAIR, (1, 1), "dilation", Written.SHORT, FROM_ONE, short="d")
GROUPS = Option("channel_groups", Type.COUNT, 1, "groups of channels", Written.SHORT, FROM_ONE, short="g")
DEPTHWISE = Option("depthwise", Type.FLAG, False, "as many groups as input channels", Written.BARE)
OUTPUT_PAD = Option(
    "output_pad",
    Type.PAIR,
    (0, 0),
    "rows and columns added on one side of the output, as in PyTorch; for `pad=valid` and `pad=N`",
    domain=NOT_NEGATIVE,
)


def padding_option(*words: str) -> Option:
    """The ``pad`` option of a kind that knows these words for it."""
    about = "padding: `same` keeps the size (times or over the stride), `valid` adds none, a number adds so many zeros on each side"
    return Option("pad", Type.PADDING, "same", about, choices=words, domain=NOT_NEGATIVE)


class Axis(NamedTuple):
    """The numbers of a window along one axis; ``pad`` is a word or the zeros on each side."""

    size: int
    kernel: int
    stride: int
    dilation: int
    pad: str | int
    output_pad: int = 0

    @property
    def extent(self) -> int:
        """How many inputs the dilated kernel spans."""
        return self.dilation * (self.kernel - 1) + 1


class Transposed(NamedTuple):
    """How a transposed convolution reaches its size: PyTorch's two paddings, and what is then cut off the far side."""

    padding: int
    output_padding: int
    cut: int


AXES = ("height", "width")


def axes(options: Options, in_shape: Shape) -> tuple[Axis, Axis]:
    """Height and width of a window that has these options."""
    pad = options["pad"]
    dilation, output_pad = options.get("dilation", (1, 1)), options.get("output_pad", (0, 0))
    height, width = (
        Axis(
            in_shape[1 + i],
            options["kernel"][i],
            options["stride"][i],
            dilation[i],
            pad if isinstance(pad, str) else pad[i],
            output_pad[i],
        )
        for i in range(2)
    )
    return height, width


def padding(axis: Axis) -> tuple[int, int]:
    """Zeros before and after, so that a convolution with ``same`` returns ceil(size / stride).

    Equal on both sides wherever that gives the right size, as PyTorch's own ``padding`` argument wants it.
    """
    if isinstance(axis.pad, int):
        return axis.pad, axis.pad
    if axis.pad == "valid":
        return 0, 0
    total = max((-(-axis.size // axis.stride) - 1) * axis.stride + axis.extent - axis.size, 0)
    if axis.stride == 1:
        return total // 2, total - total // 2
    return -(-total // 2), -(-total // 2)


def convolved(axis: Axis) -> int:
    """The output size of a convolution; below 1 where the kernel does not fit."""
    return (axis.size + sum(padding(axis)) - axis.extent) // axis.stride + 1


def transposition(axis: Axis) -> Transposed:
    """The paddings with which a transposed ``same`` convolution returns size · stride; as given for ``valid`` and numbers."""
    if axis.pad == "valid":
        return Transposed(0, axis.output_pad, 0)
    if isinstance(axis.pad, int):
        return Transposed(axis.pad, axis.output_pad, 0)
    excess = axis.extent - axis.stride
    if excess < 0:
        return Transposed(0, -excess, 0)
    trim = -(-excess // 2)
    if excess % 2 and max(axis.stride, axis.dilation) == 1:
        return Transposed(excess // 2, 0, 1)
    return Transposed(trim, 2 * trim - excess, 0)


def deconvolved(axis: Axis) -> int:
    """The output size of a transposed convolution."""
    t = transposition(axis)
    return (axis.size - 1) * axis.stride - 2 * t.padding + axis.extent + t.output_padding - t.cut


def pooled(axis: Axis, round_up: bool) -> int:
    """The output size of a pool; with ``round_up`` the last window may hang over the edge, but must start inside."""
    assert isinstance(axis.pad, int)
    span = axis.size + 2 * axis.pad - axis.kernel
    if not round_up:
        return span // axis.stride + 1
    out = -(-span // axis.stride) + 1
    return out - 1 if (out - 1) * axis.stride >= axis.size + axis.pad else out


def too_large(kind: str, axis: Axis, which: str, pads: tuple[int, int]) -> Misfit:
    """The misfit of a window that is larger than the padded map."""
    padded = axis.size + sum(pads)
    sides = f" with {pads[0]} + {pads[1]} of padding" if any(pads) else ""
    dilated = f" (dilated by {axis.dilation}: {axis.extent})" if axis.dilation > 1 else ""
    return Misfit(
        "kernel-too-large",
        f"the {kind} kernel {axis.kernel}{dilated} is larger than the map: its {which} is {axis.size}{sides}",
        notes=(f"{which}: {axis.size} + {pads[0]} + {pads[1]} = {padded} < {axis.extent}",),
        help="use a smaller kernel, more padding, or one reduction fewer before it",
        option="kernel",
    )


def factor_text(pair: tuple[int, int]) -> str:
    """``3`` for (3, 3) and ``5x3`` for (5, 3), as a spec writes it."""
    return str(pair[0]) if pair[0] == pair[1] else f"{pair[0]}x{pair[1]}"


def torch_pair(pair: tuple[int, int]) -> int | tuple[int, int]:
    """One number where both axes agree, as a PyTorch author writes it."""
    return pair[0] if pair[0] == pair[1] else pair

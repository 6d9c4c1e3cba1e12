"""``conv``: convolution."""

from typing import Any

from caedsl.vocabulary import norms
from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.convolution import CHANNELS, FINISHED, SHARED, Convolution, group_count, group_misfit
from caedsl.vocabulary.kernel_options import BIAS, kernel_misfit
from caedsl.vocabulary.kind import Draft, Window, carried, copied, written
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import Options, Type
from caedsl.vocabulary.placed import PlacedLayer
from caedsl.vocabulary.shape import Shape, Sides, axis_names, elements, joined, rank
from caedsl.vocabulary.window import (
    CHANNEL_GROUPS,
    DEPTHWISE,
    DILATION,
    KERNEL,
    OUTPUT_PAD,
    PAD,
    SAME_UPPER,
    STRIDE,
    Axis,
    Reads,
    axes,
    convolved,
    padding,
    too_large,
    window_reads,
)

REFLECT, REPLICATE, CIRCULAR = "reflect", "replicate", "circular"
BORDERS = {REFLECT: "ReflectionPad", REPLICATE: "ReplicationPad", CIRCULAR: "CircularPad"}
"""Paddings with values of the map itself, and PyTorch's modules for them."""
_MOST = {REFLECT: ("mirror", -1), CIRCULAR: ("wrap around", 0)}
"""Verb of the paddings that need as many values as they add, and more of these than the size allows."""
_ABOUT = (
    "padding: `same` and `same_upper` keep the size (divided by the stride), `valid` adds none, a number is the "
    "number of zeros on each side, `0..1` are those before and after; `reflect`, `replicate` and `circular` keep the "
    "size with values of the map itself"
)


class Conv(Convolution):
    """A convolution to this number of channels, with kernel 3 and "same" padding by default.

    With `pad=same` every side of the output is ceil(input / stride); `pad=same_upper` is the padding of TensorFlow,
    which adds an odd zero at the end. `depthwise` gives every input channel its own kernels; `g4` splits the channels
    into four groups.
    """

    name = "conv"
    window = Window.CONVOLUTION
    options = (
        *SHARED,
        PAD._replace(type=Type.SIDES, choices=("same", SAME_UPPER, "valid", *BORDERS), about=_ABOUT),
        *FINISHED,
    )
    example = "conv 64 k3 s2 relu norm=batch"

    def out_shape(self, options: Options, in_shape: Shape) -> Shape | Misfit:
        """Return the requested channels, with the sizes after the window."""
        misfit = group_misfit(options, in_shape) or kernel_misfit(options)
        if misfit:
            return misfit
        for axis, name in zip(axes(options, in_shape), axis_names(in_shape), strict=True):
            pads = padding(axis)
            if convolved(axis) < 1:
                return too_large("conv", axis, name, pads)
            verb, more = _MOST.get(str(axis.pad), ("", 0))
            if verb and max(pads) > axis.size + more:
                return Misfit(
                    "kernel-too-large",
                    f"`pad={axis.pad}` cannot {verb} {max(pads)} numbers of a map whose {name} is {axis.size}",
                    help="use `pad=same`, or a smaller kernel",
                    option=PAD.name,
                )
        shape = (options[CHANNELS], *(convolved(axis) for axis in axes(options, in_shape)))
        return norms.misfit(options, shape) or shape

    def arithmetic(self, layer: PlacedLayer, axis: int) -> str:
        """Return PyTorch's formula with its numbers."""
        window = axes(layer.options, layer.in_shape)[axis]
        before, after = padding(window)
        span = f"{window.size} + {before} + {after} - {window.extent}"
        return f"floor(({span}) / {window.stride}) + 1 = {convolved(window)}"

    def reason(self, layer: PlacedLayer, axis: int) -> str:
        """Return the rounded quotient, or the whole formula."""
        window = axes(layer.options, layer.in_shape)[axis]
        pads = sum(padding(window))
        same = window.pad in ("same", SAME_UPPER)
        if same or (window.extent == window.stride and not pads):
            return f"{'ceil' if same else 'floor'}({window.size}/{window.stride})"
        padded = f"{window.size} + {pads}" if pads else f"{window.size}"
        if window.stride == 1:
            return f"{padded} - {window.extent} + 1"
        return f"floor(({padded} - {window.extent})/{window.stride}) + 1"

    def fans(self, layer: PlacedLayer) -> tuple[float, float]:
        """Return the taps of all channels in the group; an input feeds taps / strides outputs of each channel."""
        groups, taps = group_count(layer.options, layer.in_shape), self.taps(layer)
        return layer.in_shape[0] // groups * taps, layer.out_shape[0] // groups * taps / self.strides(layer)

    def weight_fans(self, layer: PlacedLayer) -> tuple[float, float]:
        """Return the fans as torch computes them: without strides, and with all output channels in the second fan."""
        return self.fans(layer)[0], layer.out_shape[0] * self.taps(layer)

    def macs(self, layer: PlacedLayer) -> int:
        """Return one kernel application per position of the output."""
        return self.weights(layer) * elements(layer.out_shape[1:])

    def reads(self, layer: PlacedLayer) -> tuple[Reads, ...]:
        """Return the inputs under the dilated kernel."""
        windows = axes(layer.options, layer.in_shape)
        return tuple(
            window_reads(axis, padding(axis)[0], axis.pad == REFLECT, axis.pad == REPLICATE) for axis in windows
        )

    def twin(self, layer: PlacedLayer) -> tuple[Draft, ...] | None:
        """Return a convolution if the size stays the same, otherwise the deconvolution with the same window."""
        options = carried(layer) | written({CHANNELS: layer.in_shape[0]}) | copied(layer, KERNEL, DILATION)
        options |= copied(layer, CHANNEL_GROUPS, DEPTHWISE)
        if layer.in_shape[1:] == layer.out_shape[1:] and set(layer.options[STRIDE]) == {1}:
            return (Draft("conv", options | copied(layer, PAD)),)
        window = axes(layer.options, layer.in_shape)
        options |= copied(layer, STRIDE)
        if any(before != after for before, after in map(padding, window)):
            exact = all(convolved(axis) * axis.stride == axis.size for axis in window)
            same = SAME_UPPER if layer.options[PAD] == SAME_UPPER else "same"
            return (Draft("deconv", options | written({PAD: same})),) if exact else _cut_back(options, window)
        pads = tuple(padding(axis)[0] for axis in window)
        rest = tuple((axis.size + 2 * padding(axis)[0] - axis.extent) % axis.stride for axis in window)
        return (Draft("deconv", options | written({PAD: pads, OUTPUT_PAD: rest})),)

    def operation(self, layer: PlacedLayer) -> tuple[Call, ...]:
        """Return the convolution, after a padding layer if the two sides differ."""
        options, axes_of_space = layer.options, rank(layer.in_shape)
        pads = [padding(axis) for axis in axes(options, layer.in_shape)]
        keywords = self.keywords(layer)
        even = all(before == after for before, after in pads)
        ahead: tuple[Call, ...] = ()
        if even and any(before for before, _ in pads):
            keywords["padding"] = joined(tuple(before for before, _ in pads))
            if options[PAD] in BORDERS:
                keywords["padding_mode"] = options[PAD]
        elif not even:
            module = BORDERS.get(str(options[PAD]), "ZeroPad")
            # torch lists the last axis first.
            ahead = (call(f"{module}{axes_of_space}d", tuple(side for axis in reversed(pads) for side in axis)),)
        if not options[BIAS]:
            keywords["bias"] = False
        return (*ahead, call(f"Conv{axes_of_space}d", layer.in_shape[0], layer.out_shape[0], **keywords))


def _cut_back(options: dict[str, Any], window: tuple[Axis, ...]) -> tuple[Draft, ...] | None:
    """Return a transposed convolution with the smaller padding on both sides, and the crop of the rest."""
    pads, rests, crops = [], [], []
    for axis in window:
        before, after = padding(axis)
        pad = min(before, after)
        more = (convolved(axis) - 1) * axis.stride - 2 * pad + axis.extent - axis.size
        first = min(before - pad, max(more, 0))
        pads.append(pad)
        rests.append(max(-more, 0))
        crops.append(Sides(first, max(more - first, 0)))
    if len(set(crops)) > 1:
        return None
    back = Draft("deconv", options | written({PAD: tuple(pads), OUTPUT_PAD: tuple(rests)}))
    return (back,) if crops[0] == Sides(0, 0) else (back, Draft("crop", {"amount": crops[0]}))

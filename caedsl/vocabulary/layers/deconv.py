"""``deconv``: transposed convolution."""

from caedsl.vocabulary import norms
from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.convolution import CHANNELS, FINISHED, SHARED, Convolution, group_count, group_misfit
from caedsl.vocabulary.kernel_options import BIAS, kernel_misfit
from caedsl.vocabulary.kind import Draft, Window, carried, copied, written
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import Options
from caedsl.vocabulary.placed import PlacedLayer
from caedsl.vocabulary.shape import Shape, axis_names, elements, joined, rank
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
    deconvolved,
    transposed_reads,
    transposition,
)


class Deconv(Convolution):
    """A transposed convolution to this number of channels, with kernel 3 and "same" padding by default.

    With `pad=same` every side of the output is input · stride; `pad=same_upper` cuts an odd number at the end, as
    TensorFlow does. `pad=N output_pad=N` are PyTorch's parameters.
    """

    name = "deconv"
    window = Window.TRANSPOSED
    options = (*SHARED, PAD._replace(choices=("same", SAME_UPPER, "valid")), OUTPUT_PAD, *FINISHED)
    example = "deconv 32 k4 s2 relu"

    def out_shape(self, options: Options, in_shape: Shape) -> Shape | Misfit:
        """Return the requested channels, with the sizes after the transposed window."""
        misfit = group_misfit(options, in_shape) or kernel_misfit(options)
        if misfit:
            return misfit
        for axis, name in zip(axes(options, in_shape), axis_names(in_shape), strict=True):
            misfit = _axis_misfit(axis, name)
            if misfit:
                return misfit
        shape = (options[CHANNELS], *(deconvolved(axis) for axis in axes(options, in_shape)))
        return norms.misfit(options, shape) or shape

    def arithmetic(self, layer: PlacedLayer, axis: int) -> str:
        """Return PyTorch's formula with its numbers."""
        window = axes(layer.options, layer.in_shape)[axis]
        return f"{self.reason(layer, axis)} = {deconvolved(window)}"

    def reason(self, layer: PlacedLayer, axis: int) -> str:
        """Return PyTorch's formula."""
        window = axes(layer.options, layer.in_shape)[axis]
        pad, rest, cut = transposition(window)
        end = f" - {cut}" if cut else ""
        return f"({window.size} - 1)·{window.stride} - 2·{pad} + {window.extent} + {rest}{end}"

    def kernels(self, layer: PlacedLayer) -> int:
        """Return the input channels, which PyTorch's transposed weight lists first."""
        return layer.in_shape[0]

    def fans(self, layer: PlacedLayer) -> tuple[float, float]:
        """Return the inputs that reach one output, taps / strides of every channel in the group on average."""
        groups, taps = group_count(layer.options, layer.in_shape), self.taps(layer)
        return layer.in_shape[0] // groups * taps / self.strides(layer), layer.out_shape[0] // groups * taps

    def weight_fans(self, layer: PlacedLayer) -> tuple[float, float]:
        """Return the fans as torch computes them: it counts the output channels, the second axis, as inputs."""
        groups, taps = group_count(layer.options, layer.in_shape), self.taps(layer)
        return layer.out_shape[0] // groups * taps, layer.in_shape[0] * taps

    def macs(self, layer: PlacedLayer) -> int:
        """Return one kernel application per position of the input."""
        return self.weights(layer) * elements(layer.in_shape[1:])

    def reads(self, layer: PlacedLayer) -> tuple[Reads, ...]:
        """Return the inputs whose windows cover an output."""
        return tuple(map(transposed_reads, axes(layer.options, layer.in_shape)))

    def twin(self, layer: PlacedLayer) -> tuple[Draft, ...] | None:
        """Return the convolution with the same window; none if a dilated one adds a stride or more at the end."""
        window = axes(layer.options, layer.in_shape)
        if any(transposition(axis).output_padding >= axis.stride for axis in window):
            return None
        shared = (KERNEL, STRIDE, DILATION, CHANNEL_GROUPS, DEPTHWISE)
        options = carried(layer) | copied(layer, *shared)
        options |= written({CHANNELS: layer.in_shape[0]})
        if any(transposition(axis).cut for axis in window):
            same = SAME_UPPER if layer.options[PAD] == SAME_UPPER else "same"
            return (Draft("conv", options | written({PAD: same})),)
        return (Draft("conv", options | written({PAD: tuple(transposition(axis).padding for axis in window)})),)

    def operation(self, layer: PlacedLayer) -> tuple[Call, ...]:
        """Return the transposed convolution, and a negative padding if the end of an axis must be cut."""
        windows = [transposition(axis) for axis in axes(layer.options, layer.in_shape)]
        axes_of_space, keywords = rank(layer.in_shape), self.keywords(layer)
        if any(window.padding for window in windows):
            keywords["padding"] = joined(tuple(window.padding for window in windows))
        if any(window.output_padding for window in windows):
            keywords["output_padding"] = joined(tuple(window.output_padding for window in windows))
        if not layer.options[BIAS]:
            keywords["bias"] = False
        main = call(f"ConvTranspose{axes_of_space}d", layer.in_shape[0], layer.out_shape[0], **keywords)
        if not any(window.cut for window in windows):
            return (main,)
        # torch lists the last axis first.
        cuts = tuple(side for window in reversed(windows) for side in (0, -window.cut))
        return (main, call(f"ZeroPad{axes_of_space}d", cuts))


def _axis_misfit(axis: Axis, name: str) -> Misfit | None:
    if axis.output_pad and axis.pad in ("same", SAME_UPPER):
        return Misfit(
            "output-pad-misplaced",
            f"`output_pad` has no effect with `pad={axis.pad}`, which computes it",
            help="remove `output_pad`, or write the padding as a number: `pad=1 output_pad=1`",
            option=OUTPUT_PAD.name,
        )
    limit = max(axis.stride, axis.dilation)
    if axis.output_pad >= limit:
        return Misfit(
            "output-pad-misplaced",
            f"`output_pad` {axis.output_pad} must be smaller than the stride or the dilation ({limit})",
            help=f"use an `output_pad` of at most {limit - 1}" if limit > 1 else "remove it, or write a stride: `s2`",
            option=OUTPUT_PAD.name,
        )
    if deconvolved(axis) < 1:
        pad = transposition(axis).padding
        return Misfit(
            "kernel-too-large",
            f"the padding {pad} of this deconv removes the whole {name}",
            notes=(f"({axis.size} - 1)·{axis.stride} - 2·{pad} + {axis.extent} = {deconvolved(axis)}",),
            help="use a smaller `pad`",
            option=PAD.name,
        )
    return None

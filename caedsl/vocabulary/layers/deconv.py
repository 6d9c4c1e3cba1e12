"""``deconv``: two-dimensional transposed convolution."""

from fractions import Fraction

from caedsl.vocabulary import norms as normalisation
from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.convolution import FINISHED, SHARED, Convolution, group_count, group_misfit
from caedsl.vocabulary.kind import Line, Options, Reach, carried, needs_map
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.shape import Shape
from caedsl.vocabulary.window import (
    AXES,
    OUTPUT_PAD,
    Axis,
    axes,
    deconvolved,
    padding_option,
    torch_pair,
    transposition,
)


class Deconv(Convolution):
    """A two-dimensional transposed convolution to so many channels, 3x3 and "same" by default.

    With `pad=same` the output is input · stride high and wide. `pad=N output_pad=N` are PyTorch's own numbers.
    """

    name = "deconv"
    options = (*SHARED, padding_option("same", "valid"), OUTPUT_PAD, *FINISHED)
    example = "deconv 32 k4 s2 relu"

    def out_shape(self, options: Options, in_shape: Shape) -> Shape | Misfit:
        """Channels as asked, height and width by the transposed window."""
        misfit = needs_map("deconv", in_shape) or group_misfit(options, in_shape)
        if misfit:
            return misfit
        for axis, which in zip(axes(options, in_shape), AXES, strict=True):
            misfit = _axis_misfit(axis, which)
            if misfit:
                return misfit
        shape = (options["channels"], *(deconvolved(axis) for axis in axes(options, in_shape)))
        return normalisation.misfit(options, shape) or shape

    def arithmetic(self, layer: Layer) -> str:
        """PyTorch's formula with its numbers."""
        axis = axes(layer.options, layer.in_shape)[0]
        t = transposition(axis)
        cut = f" - {t.cut}" if t.cut else ""
        return (
            f"({axis.size} - 1)·{axis.stride} - 2·{t.padding} + {axis.extent} + {t.output_padding}{cut}"
            f" = {deconvolved(axis)}"
        )

    def fans(self, layer: Layer) -> tuple[float, float]:
        """On average k² / s² inputs of every channel in the group reach one output."""
        kernel, stride = layer.options["kernel"], layer.options["stride"]
        groups = group_count(layer.options, layer.in_shape)
        taps = kernel[0] * kernel[1]
        return layer.in_shape[0] // groups * taps / (stride[0] * stride[1]), layer.out_shape[0] // groups * taps

    def weight_fans(self, layer: Layer) -> tuple[float, float]:
        """torch takes the second axis of the weight, the output channels, for the first fan."""
        taps = layer.options["kernel"][0] * layer.options["kernel"][1]
        groups = group_count(layer.options, layer.in_shape)
        return layer.out_shape[0] // groups * taps, layer.in_shape[0] * taps

    def macs(self, layer: Layer) -> int:
        """One kernel application an input pixel."""
        return self.weights(layer) * layer.in_shape[1] * layer.in_shape[2]

    def reach(self, layer: Layer) -> tuple[Reach, Reach]:
        """An output sees ceil(k / s) inputs, and s outputs stand for one input."""
        height, width = (
            Reach(-(-a.extent // a.stride), Fraction(1, a.stride)) for a in axes(layer.options, layer.in_shape)
        )
        return height, width

    def twin(self, layer: Layer) -> tuple[Line, ...] | None:
        """The convolution with the same window; none where a dilated one adds as many rows as its stride, or more."""
        window = axes(layer.options, layer.in_shape)
        if any(transposition(axis).output_padding >= axis.stride for axis in window):
            return None
        options = {
            **carried(layer),
            **{name: layer.options[name] for name in ("kernel", "stride", "dilation", "channel_groups", "depthwise")},
            "channels": layer.in_shape[0],
        }
        if any(transposition(axis).cut for axis in window):
            return (Line("conv", options),)
        return (Line("conv", {**options, "pad": tuple(transposition(axis).padding for axis in window)}),)

    def operation(self, layer: Layer) -> tuple[Call, ...]:
        """``ConvTranspose2d``, and a negative padding where one row must be cut off the far side."""
        options = layer.options
        height, width = (transposition(axis) for axis in axes(options, layer.in_shape))
        keywords = self.keywords(layer)
        if height.padding or width.padding:
            keywords["padding"] = torch_pair((height.padding, width.padding))
        if height.output_padding or width.output_padding:
            keywords["output_padding"] = torch_pair((height.output_padding, width.output_padding))
        if not options["bias"]:
            keywords["bias"] = False
        cut = (call("ZeroPad2d", (0, -width.cut, 0, -height.cut)),) if height.cut or width.cut else ()
        return (call("ConvTranspose2d", layer.in_shape[0], layer.out_shape[0], **keywords), *cut)


def _axis_misfit(axis: Axis, which: str) -> Misfit | None:
    if axis.output_pad and axis.pad == "same":
        return Misfit(
            "output-pad-misplaced",
            "`output_pad` has no effect with `pad=same`, which computes it",
            help="leave `output_pad` out, or write the padding as a number: `pad=1 output_pad=1`",
            option="output_pad",
        )
    limit = max(axis.stride, axis.dilation)
    if axis.output_pad >= limit:
        return Misfit(
            "output-pad-misplaced",
            f"`output_pad` {axis.output_pad} must be smaller than the stride or the dilation ({limit})",
            help=f"use an `output_pad` of at most {limit - 1}",
            option="output_pad",
        )
    if deconvolved(axis) < 1:
        t = transposition(axis)
        return Misfit(
            "kernel-too-large",
            f"the padding {t.padding} of this deconv cuts the whole {which} away",
            notes=(f"({axis.size} - 1)·{axis.stride} - 2·{t.padding} + {axis.extent} = {deconvolved(axis)}",),
            help="use a smaller `pad`",
            option="pad",
        )
    return None

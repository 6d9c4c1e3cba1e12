"""``conv``: two-dimensional convolution."""

from fractions import Fraction

from caedsl.vocabulary import norms as normalisation
from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.convolution import FINISHED, SHARED, Convolution, group_count, group_misfit
from caedsl.vocabulary.kind import Line, Options, Reach, carried, needs_map
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.shape import Shape
from caedsl.vocabulary.window import AXES, axes, convolved, padding, padding_option, too_large, torch_pair


class Conv(Convolution):
    """A two-dimensional convolution to so many channels, 3x3 and "same" by default.

    With `pad=same` the output is ceil(input / stride) high and wide. `depthwise` gives every input channel its own
    kernels; `g4` splits the channels into four groups.
    """

    name = "conv"
    options = (*SHARED, padding_option("same", "valid", "reflect"), *FINISHED)
    example = "conv 64 k3 s2 relu norm=batch"

    def out_shape(self, options: Options, in_shape: Shape) -> Shape | Misfit:
        """Channels as asked, height and width by the window."""
        misfit = needs_map("conv", in_shape) or group_misfit(options, in_shape)
        if misfit:
            return misfit
        for axis, which in zip(axes(options, in_shape), AXES, strict=True):
            pads = padding(axis)
            if convolved(axis) < 1:
                return too_large("conv", axis, which, pads)
            if axis.pad == "reflect" and max(pads) >= axis.size:
                return Misfit(
                    "kernel-too-large",
                    f"`pad=reflect` cannot mirror {max(pads)} pixels of a map whose {which} is {axis.size}",
                    help="use `pad=same`, or a smaller kernel",
                    option="pad",
                )
        shape = (options["channels"], *(convolved(axis) for axis in axes(options, in_shape)))
        return normalisation.misfit(options, shape) or shape

    def arithmetic(self, layer: Layer) -> str:
        """PyTorch's formula with its numbers."""
        axis = axes(layer.options, layer.in_shape)[0]
        before, after = padding(axis)
        return f"floor(({axis.size} + {before} + {after} - {axis.extent}) / {axis.stride}) + 1 = {convolved(axis)}"

    def fans(self, layer: Layer) -> tuple[float, float]:
        """k² inputs of every channel in the group; an input feeds k² / s² outputs of each channel."""
        kernel, stride = layer.options["kernel"], layer.options["stride"]
        groups = group_count(layer.options, layer.in_shape)
        taps = kernel[0] * kernel[1]
        return layer.in_shape[0] // groups * taps, layer.out_shape[0] // groups * taps / (stride[0] * stride[1])

    def weight_fans(self, layer: Layer) -> tuple[float, float]:
        """torch counts no stride, and all output channels in the second fan."""
        taps = layer.options["kernel"][0] * layer.options["kernel"][1]
        return self.fans(layer)[0], layer.out_shape[0] * taps

    def macs(self, layer: Layer) -> int:
        """One kernel application an output pixel."""
        return self.weights(layer) * layer.out_shape[1] * layer.out_shape[2]

    def reach(self, layer: Layer) -> tuple[Reach, Reach]:
        """The dilated kernel and the stride."""
        height, width = (Reach(a.extent, Fraction(a.stride)) for a in axes(layer.options, layer.in_shape))
        return height, width

    def twin(self, layer: Layer) -> tuple[Line, ...] | None:
        """A convolution back where the size stays; otherwise the transposed one with the same window, exact for any size."""
        options = {
            **carried(layer),
            **{name: layer.options[name] for name in ("kernel", "dilation", "channel_groups", "depthwise")},
            "channels": layer.in_shape[0],
        }
        if layer.in_shape[1:] == layer.out_shape[1:] and layer.options["stride"] == (1, 1):
            return (Line("conv", {**options, "pad": layer.options["pad"]}),)
        window = axes(layer.options, layer.in_shape)
        options["stride"] = layer.options["stride"]
        if any(before != after for before, after in map(padding, window)):
            exact = all(convolved(axis) * axis.stride == axis.size for axis in window)
            return (Line("deconv", {**options, "pad": "same"}),) if exact else None
        pads = tuple(padding(axis)[0] for axis in window)
        rest = tuple((axis.size + 2 * padding(axis)[0] - axis.extent) % axis.stride for axis in window)
        return (Line("deconv", {**options, "pad": pads, "output_pad": rest}),)

    def operation(self, layer: Layer) -> tuple[Call, ...]:
        """``Conv2d``, behind a padding layer where the two sides differ."""
        options = layer.options
        pads = [padding(axis) for axis in axes(options, layer.in_shape)]
        keywords = self.keywords(layer)
        even = all(before == after for before, after in pads)
        ahead: tuple[Call, ...] = ()
        if even and any(before for before, _ in pads):
            keywords["padding"] = torch_pair((pads[0][0], pads[1][0]))
            if options["pad"] == "reflect":
                keywords["padding_mode"] = "reflect"
        elif not even:
            module = "ReflectionPad2d" if options["pad"] == "reflect" else "ZeroPad2d"
            ahead = (call(module, (*pads[1], *pads[0])),)
        if not options["bias"]:
            keywords["bias"] = False
        return (*ahead, call("Conv2d", layer.in_shape[0], layer.out_shape[0], **keywords))

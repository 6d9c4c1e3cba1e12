"""What the pools share."""

from fractions import Fraction
from typing import Any, ClassVar

from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.kind import DROPOUT, Kind, Line, Options, Reach, needs_map
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import FROM_ONE, NOT_NEGATIVE, REQUIRED, Option, Type, Written
from caedsl.vocabulary.shape import Shape
from caedsl.vocabulary.window import AXES, STRIDE, axes, pooled, too_large, torch_pair

SAME_AS_WINDOW = None
"""The default of a pool's stride."""


class Pool(Kind):
    """The base of the pools: a window that moves by its own size unless a stride is given, cut at the far edge."""

    module: ClassVar[str]
    options = (
        Option("kernel", Type.PAIR, REQUIRED, "the window", Written.FIRST, FROM_ONE, short="k"),
        STRIDE._replace(default=SAME_AS_WINDOW, about="stride; the window's size by default"),
        Option("pad", Type.PAIR, (0, 0), "padding on each side", domain=NOT_NEGATIVE),
        Option("ceil", Type.FLAG, False, "round the size up where the window does not divide it", Written.BARE),
        DROPOUT,
    )

    def out_shape(self, options: Options, in_shape: Shape) -> Shape | Misfit:
        """The channels of the input, height and width by the window."""
        misfit = needs_map(self.name, in_shape)
        if misfit:
            return misfit
        for axis, which in zip(axes(options, in_shape), AXES, strict=True):
            assert isinstance(axis.pad, int)
            if 2 * axis.pad > axis.kernel:
                return Misfit(
                    "kernel-too-large",
                    f"padding {axis.pad} is more than half of the window {axis.kernel}",
                    help=f"use `pad={axis.kernel // 2}` at most",
                    option="pad",
                )
            if axis.size + 2 * axis.pad < axis.kernel or pooled(axis, options["ceil"]) < 1:
                return too_large(self.name, axis, which, (axis.pad, axis.pad))
        return (in_shape[0], *(pooled(axis, options["ceil"]) for axis in axes(options, in_shape)))

    def arithmetic(self, layer: Layer) -> str:
        """PyTorch's formula with its numbers."""
        axis = axes(layer.options, layer.in_shape)[0]
        rounding = "ceil" if layer.options["ceil"] else "floor"
        padded = f"{axis.size} + 2·{axis.pad}" if axis.pad else f"{axis.size}"
        return f"{rounding}(({padded} - {axis.kernel}) / {axis.stride}) + 1 = {pooled(axis, layer.options['ceil'])}"

    def reach(self, layer: Layer) -> tuple[Reach, Reach]:
        """The window and its stride."""
        height, width = (Reach(a.kernel, Fraction(a.stride)) for a in axes(layer.options, layer.in_shape))
        return height, width

    def twin(self, layer: Layer) -> tuple[Line, ...]:
        """An upsampling to the size that the map had, so that odd sizes come back right."""
        return (Line("upsample", {"to": layer.in_shape[1:]}),)

    def operation(self, layer: Layer) -> tuple[Call, ...]:
        """The torch pool."""
        options = layer.options
        keywords: dict[str, Any] = {}
        if options["stride"] != options["kernel"]:
            keywords["stride"] = torch_pair(options["stride"])
        if options["pad"] != (0, 0):
            keywords["padding"] = torch_pair(options["pad"])
        if options["ceil"]:
            keywords["ceil_mode"] = True
        return (call(self.module, torch_pair(options["kernel"]), **keywords),)

"""Base of the pools."""

from typing import Any, ClassVar

from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.kind import DROPOUT, Draft, Kind, Role, Window, written
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import NOT_NEGATIVE, REQUIRED, LayerOption, Options, Type, Written
from caedsl.vocabulary.placed import PlacedLayer
from caedsl.vocabulary.shape import Shape, Sizes, axis_names, joined, rank
from caedsl.vocabulary.window import KERNEL, PAD, STRIDE, Axis, Reads, axes, pooled, too_large, window_reads

SAME_AS_WINDOW = None
"""Default of a pool's stride."""

POOL_PAD: LayerOption[Sizes] = LayerOption(PAD.name, Type.PER_AXIS, (0,), "padding on each side", domain=NOT_NEGATIVE)
CEIL: LayerOption[bool] = LayerOption(
    "ceil", Type.FLAG, False, "round the size up if the window does not divide it", Written.BARE
)


class Pool(Kind):
    """Base of the pools: a window that moves by its own size unless a stride is set, and is cut at the far edge."""

    role = Role.PASSING
    ranks = (1, 2, 3)
    window = Window.POOL
    module: ClassVar[str]
    options = (
        KERNEL._replace(default=REQUIRED, about="the window", written=Written.FIRST),
        STRIDE._replace(default=SAME_AS_WINDOW, about="stride; the window's size by default"),
        POOL_PAD,
        CEIL,
        DROPOUT,
    )

    def implied(self, options: Options) -> dict[str, Any]:
        """Return the stride, by default the window's size."""
        return written({STRIDE: options[KERNEL]})

    def out_shape(self, options: Options, in_shape: Shape) -> Shape | Misfit:
        """Return the channels of the input with the sizes after pooling."""
        for axis, name in zip(axes(options, in_shape), axis_names(in_shape), strict=True):
            assert isinstance(axis.pad, int)
            if 2 * axis.pad > axis.kernel:
                return Misfit(
                    "kernel-too-large",
                    f"padding {axis.pad} is more than half of the window {axis.kernel}",
                    help=f"use at most `pad={axis.kernel // 2}`",
                    option=PAD.name,
                )
            if pooled(axis, options[CEIL]) < 1:
                return too_large(self.name, axis, name, (axis.pad, axis.pad))
        return (in_shape[0], *(pooled(axis, options[CEIL]) for axis in axes(options, in_shape)))

    def arithmetic(self, layer: PlacedLayer, axis: int) -> str:
        """Return PyTorch's formula with its numbers."""
        window = axes(layer.options, layer.in_shape)[axis]
        result = pooled(window, layer.options[CEIL])
        return f"{_rounding(layer)}(({_padded(window)} - {window.kernel}) / {window.stride}) + 1 = {result}"

    def reason(self, layer: PlacedLayer, axis: int) -> str:
        """Return the rounded quotient, or the whole formula."""
        window = axes(layer.options, layer.in_shape)[axis]
        if window.kernel == window.stride and not window.pad:
            return f"{_rounding(layer)}({window.size}/{window.stride})"
        if window.stride == 1:
            return f"{_padded(window, total=True)} - {window.kernel} + 1"
        return f"{_rounding(layer)}(({_padded(window, total=True)} - {window.kernel})/{window.stride}) + 1"

    def reads(self, layer: PlacedLayer) -> tuple[Reads, ...]:
        """Return the inputs under the window."""
        windows = axes(layer.options, layer.in_shape)
        return tuple(window_reads(axis, axis.pad) for axis in windows if isinstance(axis.pad, int))

    def twin(self, layer: PlacedLayer) -> tuple[Draft, ...]:
        """Return an upsampling to the map's size, which also restores odd sizes."""
        return (Draft("upsample", {"to": layer.in_shape[1:]}),)

    def has_no_effect(self, layer: PlacedLayer) -> bool:
        """Return whether each window is a single position, and each position has one."""
        once = all(axis.kernel == axis.stride == 1 for axis in axes(layer.options, layer.in_shape))
        return once and layer.in_shape == layer.out_shape and not self.finish(layer)

    def operation(self, layer: PlacedLayer) -> tuple[Call, ...]:
        """Return the torch pool."""
        options = layer.options
        keywords: dict[str, Any] = {}
        if options[STRIDE] != options[KERNEL]:
            keywords["stride"] = joined(options[STRIDE])
        if any(options[POOL_PAD]):
            keywords["padding"] = joined(options[POOL_PAD])
        if options[CEIL]:
            keywords["ceil_mode"] = True
        return (call(f"{self.module}{rank(layer.in_shape)}d", joined(options[KERNEL]), **keywords),)


def _rounding(layer: PlacedLayer) -> str:
    return "ceil" if layer.options[CEIL] else "floor"


def _padded(axis: Axis, total: bool = False) -> str:
    assert isinstance(axis.pad, int)
    if not axis.pad:
        return f"{axis.size}"
    return f"{axis.size} + {2 * axis.pad}" if total else f"{axis.size} + 2·{axis.pad}"

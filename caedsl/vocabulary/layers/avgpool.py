"""``avgpool``: the mean of a window."""

from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import Options
from caedsl.vocabulary.pooling import Pool
from caedsl.vocabulary.shape import Shape, axis_names, rank
from caedsl.vocabulary.window import KERNEL, axes


class AvgPool(Pool):
    """The mean of each window; the stride is the window's size unless `s` is set.

    If the window does not divide a size, the rest is cut off; `ceil` rounds up instead.
    """

    name = "avgpool"
    module = "AvgPool"
    example = "avgpool 2"

    def out_shape(self, options: Options, in_shape: Shape) -> Shape | Misfit:
        """Return what every pool returns, but no volume may be smaller than the window, whatever its padding.

        PyTorch's ``AvgPool3d`` compares them without the padding, unlike the averages of signals and images.
        """
        for axis, name in zip(axes(options, in_shape), axis_names(in_shape), strict=True):
            if rank(in_shape) == 3 and axis.kernel > axis.size:
                return Misfit(
                    "kernel-too-large",
                    f"the avgpool window {axis.kernel} is larger than the map: its {name} is {axis.size}",
                    notes=("PyTorch's AvgPool3d needs a map of at least the window's size, without padding",),
                    help=f"use a window of at most {axis.size}, or one fewer reduction before it",
                    option=KERNEL.name,
                )
        return super().out_shape(options, in_shape)

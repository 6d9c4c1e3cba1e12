"""``upsample``: a larger map by interpolation."""

from fractions import Fraction

from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.kind import DROPOUT, Kind, Line, Options, Reach, needs_map
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import FROM_ONE, Option, Type, Written
from caedsl.vocabulary.shape import Shape
from caedsl.vocabulary.window import torch_pair


class Upsample(Kind):
    """A larger map by nearest or `bilinear` interpolation: `upsample 2`, or `upsample to 7x7` for an exact size."""

    name = "upsample"
    example = "upsample 2"
    options = (
        Option("factor", Type.PAIR, None, "how many times larger", Written.FIRST, FROM_ONE),
        Option("to", Type.SIZE, None, "the height and width to reach, instead of a factor", Written.WORDED, FROM_ONE),
        Option("mode", Type.CHOICE, "nearest", "interpolation", Written.BARE, choices=("nearest", "bilinear")),
        DROPOUT,
    )

    def out_shape(self, options: Options, in_shape: Shape) -> Shape | Misfit:
        """The channels of the input, at the size asked for."""
        misfit = needs_map("upsample", in_shape)
        if misfit:
            return misfit
        factor, to = options["factor"], options["to"]
        if (factor is None) == (to is None):
            return Misfit(
                "missing-value" if factor is None else "contradicting-options",
                "`upsample` needs a factor or a size" if factor is None else "`upsample` has both a factor and a size",
                help="write `upsample 2`, or `upsample to 7x7`",
            )
        if to is not None:
            return (in_shape[0], *to)
        return (in_shape[0], in_shape[1] * factor[0], in_shape[2] * factor[1])

    def arithmetic(self, layer: Layer) -> str:
        """The product, where a factor is given."""
        factor = layer.options["factor"]
        return f"{layer.in_shape[1]}·{factor[0]} = {layer.out_shape[1]}" if factor else ""

    def reach(self, layer: Layer) -> tuple[Reach, Reach]:
        """One input, or two neighbours when bilinear."""
        extent = 2 if layer.options["mode"] == "bilinear" else 1
        height, width = (Reach(extent, Fraction(layer.in_shape[i], layer.out_shape[i])) for i in (1, 2))
        return height, width

    def twin(self, layer: Layer) -> tuple[Line, ...] | None:
        """A mean over the pixels that one input became; none where the sizes do not divide."""
        factor = tuple(layer.out_shape[i] // layer.in_shape[i] for i in (1, 2))
        if any(layer.in_shape[i] * factor[i - 1] != layer.out_shape[i] for i in (1, 2)):
            return None
        return (Line("avgpool", {"kernel": factor}),)

    def operation(self, layer: Layer) -> tuple[Call, ...]:
        """``Upsample`` by factor or to a size."""
        options = layer.options
        if options["to"] is not None:
            return (call("Upsample", size=options["to"], mode=options["mode"]),)
        return (call("Upsample", scale_factor=torch_pair(options["factor"]), mode=options["mode"]),)

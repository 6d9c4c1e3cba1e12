"""``pixelshuffle``: sub-pixel upsampling."""

from fractions import Fraction

from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.kind import DROPOUT, Kind, Options, Reach, needs_map
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import FROM_ONE, REQUIRED, Option, Type, Written
from caedsl.vocabulary.shape import Shape


class PixelShuffle(Kind):
    """Sub-pixel upsampling (Shi et al. 2016, arXiv 1609.05158): N² channels become one, N times as high and wide."""

    name = "pixelshuffle"
    example = "pixelshuffle 2"
    options = (Option("factor", Type.COUNT, REQUIRED, "how many times larger", Written.FIRST, FROM_ONE), DROPOUT)

    def out_shape(self, options: Options, in_shape: Shape) -> Shape | Misfit:
        """Channels over N², height and width times N."""
        misfit = needs_map("pixelshuffle", in_shape)
        if misfit:
            return misfit
        factor, channels = options["factor"], in_shape[0]
        if channels % factor**2:
            return Misfit(
                "groups-do-not-divide",
                f"`pixelshuffle {factor}` turns {factor**2} channels into one, and {channels} channels do not divide so",
                notes=(f"{channels} = {channels // factor**2} · {factor**2} + {channels % factor**2}",),
                help=f"give the layer before it a multiple of {factor**2} channels",
                option="factor",
            )
        return (channels // factor**2, in_shape[1] * factor, in_shape[2] * factor)

    def arithmetic(self, layer: Layer) -> str:
        """The product."""
        return f"{layer.in_shape[1]}·{layer.options['factor']} = {layer.out_shape[1]}"

    def reach(self, layer: Layer) -> tuple[Reach, Reach]:
        """Every output comes from one input."""
        step = Reach(1, Fraction(1, layer.options["factor"]))
        return step, step

    def twin(self, layer: Layer) -> None:
        """None: no layer of the language gathers pixels back into channels."""
        return None

    def operation(self, layer: Layer) -> tuple[Call, ...]:
        """``PixelShuffle``."""
        return (call("PixelShuffle", layer.options["factor"]),)

"""``reshape``: the same numbers in another shape."""

from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.kind import FINISH, Kind, Line, Options, Reach
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.norms import misfit as norm_misfit
from caedsl.vocabulary.option import FROM_ONE, REQUIRED, Option, Type, Written
from caedsl.vocabulary.shape import Shape, elements, text


class Reshape(Kind):
    """The same numbers in another shape: back to a feature map after `dense`, or to a vector with one number."""

    name = "reshape"
    example = "reshape 32x7x7"
    options = (Option("shape", Type.SHAPE, REQUIRED, "the new shape", Written.FIRST, FROM_ONE), *FINISH)

    def out_shape(self, options: Options, in_shape: Shape) -> Shape | Misfit:
        """The shape asked for, which must hold as many numbers."""
        shape: Shape = options["shape"]
        if elements(shape) != elements(in_shape):
            return Misfit(
                "reshape-mismatch",
                f"`reshape {text(shape)}` holds {elements(shape)} numbers, but what comes before it has {elements(in_shape)}",
                notes=(f"{_product(shape)} != {_product(in_shape)}",),
                help=f"write a shape with {elements(in_shape)} numbers, or `dense {elements(shape)}` before it",
                option="shape",
            )
        return norm_misfit(options, shape) or shape

    def reach(self, layer: Layer) -> tuple[Reach, Reach] | None:
        """None: neighbours are no longer neighbours."""
        return None

    def twin(self, layer: Layer) -> tuple[Line, ...]:
        """The shape before."""
        return (Line("reshape", {"shape": layer.in_shape}),)

    def operation(self, layer: Layer) -> tuple[Call, ...]:
        """``Flatten`` and ``Unflatten`` as needed."""
        flatten = (call("Flatten"),) if len(layer.in_shape) > 1 else ()
        unflatten = (call("Unflatten", 1, layer.out_shape),) if len(layer.out_shape) > 1 else ()
        return (*flatten, *unflatten)


def _product(shape: Shape) -> str:
    return "·".join(map(str, shape)) + (f" = {elements(shape)}" if len(shape) > 1 else "")

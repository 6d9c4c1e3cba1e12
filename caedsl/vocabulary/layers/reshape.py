"""``reshape``: the same numbers in another shape."""

from caedsl.vocabulary import norms
from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.kind import FINISH, Draft, Kind, Role
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import FROM_ONE, REQUIRED, LayerOption, Options, Type, Written
from caedsl.vocabulary.placed import PlacedLayer
from caedsl.vocabulary.shape import Shape, elements, is_map, text

SHAPE: LayerOption[Shape] = LayerOption("shape", Type.SHAPE, REQUIRED, "the new shape", Written.FIRST, FROM_ONE)


class Reshape(Kind):
    """The same numbers in another shape: a feature map after `dense`, or a vector for a single number."""

    name = "reshape"
    role = Role.RESHAPING
    example = "reshape 32x7x7"
    options = (SHAPE, *FINISH)

    def out_shape(self, options: Options, in_shape: Shape) -> Shape | Misfit:
        """Return the requested shape, which must have the same number of values."""
        shape = options[SHAPE]
        if elements(shape) != elements(in_shape):
            return Misfit(
                "reshape-mismatch",
                f"`reshape {text(shape)}` has {elements(shape)} numbers, but its input has {elements(in_shape)}",
                notes=(f"{_product(shape)} != {_product(in_shape)}",),
                help=f"write a shape with {elements(in_shape)} numbers, or `dense {elements(shape)}` before it",
                option=SHAPE.name,
                data={"shape": shape, "numbers": elements(in_shape)},
            )
        return norms.misfit(options, shape) or shape

    def reason(self, layer: PlacedLayer, axis: int) -> str:
        """Return the name of the kind."""
        return self.name

    def twin(self, layer: PlacedLayer) -> tuple[Draft, ...]:
        """Return the reshape to the shape before."""
        return (Draft("reshape", {SHAPE.name: layer.in_shape}),)

    def has_no_effect(self, layer: PlacedLayer) -> bool:
        """Return whether the shape stays as it is, and nothing follows on the line."""
        return layer.in_shape == layer.out_shape and not self.finish(layer)

    def operation(self, layer: PlacedLayer) -> tuple[Call, ...]:
        """Return ``Flatten`` and ``Unflatten`` as needed."""
        flatten = (call("Flatten"),) if is_map(layer.in_shape) else ()
        unflatten = (call("Unflatten", 1, layer.out_shape),) if is_map(layer.out_shape) else ()
        return (*flatten, *unflatten)


def _product(shape: Shape) -> str:
    return "·".join(map(str, shape)) + (f" = {elements(shape)}" if len(shape) > 1 else "")

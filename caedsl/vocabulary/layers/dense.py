"""``dense``: a fully connected layer."""

from caedsl.vocabulary import norms
from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.kernel_options import BIAS, WEIGHTS, kernel_misfit
from caedsl.vocabulary.kind import FINISH, Draft, Kind, Role, carried, written
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import FROM_ONE, REQUIRED, LayerOption, Options, Type, Written
from caedsl.vocabulary.placed import PlacedLayer
from caedsl.vocabulary.shape import Shape, elements, is_map

UNITS: LayerOption[int] = LayerOption("units", Type.COUNT, REQUIRED, "outputs", Written.FIRST, FROM_ONE)


class Dense(Kind):
    """A fully connected layer to this number of values; it flattens a feature map first."""

    name = "dense"
    role = Role.WEIGHTED
    joins_all = True
    example = "dense 64 relu"
    options = (UNITS, *FINISH, *WEIGHTS)

    def out_shape(self, options: Options, in_shape: Shape) -> Shape | Misfit:
        """Return a vector."""
        shape = (options[UNITS],)
        return kernel_misfit(options) or norms.misfit(options, shape) or shape

    def weights(self, layer: PlacedLayer) -> int:
        """Return inputs times outputs."""
        return elements(layer.in_shape) * layer.out_shape[0]

    def fans(self, layer: PlacedLayer) -> tuple[float, float]:
        """Return the number of inputs and of outputs."""
        return elements(layer.in_shape), layer.out_shape[0]

    def macs(self, layer: PlacedLayer) -> int:
        """Return one operation per weight."""
        return self.weights(layer)

    def twin(self, layer: PlacedLayer) -> tuple[Draft, ...]:
        """Return the dense layer back, and the reshape to the map before it."""
        back = Draft("dense", carried(layer) | written({UNITS: elements(layer.in_shape)}))
        return (back, Draft("reshape", {"shape": layer.in_shape})) if is_map(layer.in_shape) else (back,)

    def operation(self, layer: PlacedLayer) -> tuple[Call, ...]:
        """Return ``Linear``, after ``Flatten`` for a map."""
        bias = {} if layer.options[BIAS] else {"bias": False}
        linear = call("Linear", elements(layer.in_shape), layer.out_shape[0], **bias)
        return (call("Flatten"), linear) if is_map(layer.in_shape) else (linear,)

"""``dense``: a fully connected layer."""

from caedsl.vocabulary import norms as normalisation
from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.kind import FINISH, WEIGHTS, Kind, Line, Options, carried
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import FROM_ONE, REQUIRED, Option, Type, Written
from caedsl.vocabulary.shape import Shape, elements, is_map


class Dense(Kind):
    """A fully connected layer to so many numbers; a feature map before it is flattened."""

    name = "dense"
    example = "dense 64 relu"
    options = (Option("units", Type.COUNT, REQUIRED, "outputs", Written.FIRST, FROM_ONE), *FINISH, *WEIGHTS)

    def out_shape(self, options: Options, in_shape: Shape) -> Shape | Misfit:
        """A vector."""
        shape = (options["units"],)
        return normalisation.misfit(options, shape) or shape

    def weights(self, layer: Layer) -> int:
        """Every input times every output."""
        return elements(layer.in_shape) * layer.out_shape[0]

    def fans(self, layer: Layer) -> tuple[float, float]:
        """All inputs, all outputs."""
        return elements(layer.in_shape), layer.out_shape[0]

    def macs(self, layer: Layer) -> int:
        """One for each weight."""
        return self.weights(layer)

    def reach(self, layer: Layer) -> None:
        """Every output sees every input."""
        return None

    def twin(self, layer: Layer) -> tuple[Line, ...]:
        """The dense layer back, and the map it came from."""
        back = Line("dense", {**carried(layer), "units": elements(layer.in_shape)})
        return (back, Line("reshape", {"shape": layer.in_shape})) if is_map(layer.in_shape) else (back,)

    def operation(self, layer: Layer) -> tuple[Call, ...]:
        """``Linear``, behind ``Flatten`` for a map."""
        bias = {} if layer.options["bias"] else {"bias": False}
        linear = call("Linear", elements(layer.in_shape), layer.out_shape[0], **bias)
        return (call("Flatten"), linear) if is_map(layer.in_shape) else (linear,)

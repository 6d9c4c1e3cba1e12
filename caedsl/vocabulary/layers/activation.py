"""Activations on their own lines, one kind per function, for networks that activate before a layer."""

from collections.abc import Mapping
from typing import Any

from caedsl.vocabulary.activations import ACTIVATION, FUNCTIONS, LINEAR, Activation
from caedsl.vocabulary.call import Call
from caedsl.vocabulary.kind import Draft, Kind, Role, copied
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import REQUIRED, LayerOption, Option, Options, Type, Written
from caedsl.vocabulary.placed import PlacedLayer
from caedsl.vocabulary.shape import Shape

VALUE: LayerOption[Any] = LayerOption("value", Type.NUMBER, None, "number of the function", Written.FIRST)
"""Option of these lines; its type, default and domain are those of the function's own option."""


class ActivationLine(Kind):
    """The activation with that name, applied to the output of the layer before."""

    role = Role.ADJUSTING
    linear = False

    def completed(self, given: Mapping[str, Any]) -> Options:
        """Return the number of the function, and the activation as other kinds have it."""
        own = super().completed(given)
        return own.changed({ACTIVATION: Activation(self.name, own.get(VALUE, None))})

    def out_shape(self, options: Options, in_shape: Shape) -> Shape | Misfit:
        """Return the input's shape."""
        return in_shape

    def twin(self, layer: PlacedLayer) -> tuple[Draft, ...]:
        """Return the same activation."""
        return (Draft(self.name, copied(layer, *self.options)),)

    def operation(self, layer: PlacedLayer) -> tuple[Call, ...]:
        """Return nothing: the activation is added as on any line."""
        return ()


def _example(option: Option) -> str:
    """Return the default of the option, or an example value if it has none."""
    if option.default is REQUIRED:
        return "-1..1" if option.type is Type.ENDS else "3"
    return format(option.default, "g")


def _kind(name: str) -> type[ActivationLine]:
    option = FUNCTIONS[name].option
    about = "" if option is None else f": {option.about}"
    value = "" if option is None else f" {_example(option)}"
    own = () if option is None else (LayerOption(*option._replace(name=VALUE.name, written=VALUE.written)),)
    return type(
        f"{name.title().replace('_', '')}Line",
        (ActivationLine,),
        {
            "__module__": __name__,
            "__doc__": f"The activation `{name}` on its own line{about}.",
            "name": name,
            "options": own,
            "example": f"{name}{value}",
        },
    )


ACTIVATION_LINES = {name: _kind(name) for name in FUNCTIONS if name != LINEAR.name}
"""The kind of each activation that changes its input."""

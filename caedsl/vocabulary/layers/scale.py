"""``scale``: a factor on its input."""

from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.kind import Draft, Kind, Role, copied
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.option import REQUIRED, LayerOption, Options, Type, Written
from caedsl.vocabulary.placed import PlacedLayer
from caedsl.vocabulary.shape import Shape

SCALING: LayerOption[float] = LayerOption("scaling", Type.NUMBER, REQUIRED, "the factor", Written.FIRST)
LEARNED: LayerOption[bool] = LayerOption(
    "learned", Type.FLAG, False, "start from the factor and learn one for each channel", Written.BARE
)


class Scale(Kind):
    """Multiplies its input by a factor, such as that of a residual: `residual { conv 64 relu; conv 64; scale 0.1 }`.

    With `learned`, each channel has a factor of its own, which starts at this number: the layer scale of ConvNeXt
    (Touvron et al. 2021, arXiv 2103.17239) is `scale 1e-6 learned`.
    """

    name = "scale"
    role = Role.ADJUSTING
    ranks = (0, 1, 2, 3)
    example = "scale 0.1"
    options = (SCALING, LEARNED)

    def out_shape(self, options: Options, in_shape: Shape) -> Shape | Misfit:
        """Return the input's shape."""
        if options[SCALING] or options[LEARNED]:
            return in_shape
        return Misfit(
            "out-of-domain",
            "`scale 0` returns zeros, whatever its input is",
            help="use another factor, or `scale 0 learned`, which starts from 0",
            option=SCALING.name,
        )

    def power(self, options: Options) -> float:
        """Return the square of the factor."""
        return options[SCALING] ** 2

    def parameters(self, layer: PlacedLayer) -> int:
        """Return one factor per channel, if they are learned."""
        return layer.in_shape[0] if layer.options[LEARNED] else 0

    def twin(self, layer: PlacedLayer) -> tuple[Draft, ...]:
        """Return the same layer."""
        return (Draft(self.name, copied(layer, SCALING, LEARNED)),)

    def has_no_effect(self, layer: PlacedLayer) -> bool:
        """Return whether the factor is 1 and stays 1."""
        return layer.options[SCALING] == 1 and not layer.options[LEARNED]

    def operation(self, layer: PlacedLayer) -> tuple[Call, ...]:
        """Return ``Scale``."""
        learned = {"channels": layer.in_shape[0]} if layer.options[LEARNED] else {}
        return (call("Scale", layer.options[SCALING], **learned),)

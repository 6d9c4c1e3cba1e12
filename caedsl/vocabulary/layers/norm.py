"""``norm``: a normalisation on its own line."""

from caedsl.vocabulary import norms
from caedsl.vocabulary.call import Call
from caedsl.vocabulary.kind import Draft, Kind, Role, copied
from caedsl.vocabulary.misfit import Misfit
from caedsl.vocabulary.norms import NONE, NORM
from caedsl.vocabulary.option import REQUIRED, LayerOption, Options, Written
from caedsl.vocabulary.placed import PlacedLayer
from caedsl.vocabulary.shape import Shape

CHOSEN: LayerOption[str] = LayerOption(
    *NORM._replace(default=REQUIRED, written=Written.FIRST, choices=tuple(name for name in norms.NAMES if name != NONE))
)


class NormLine(Kind):
    """Normalises its input, for networks that normalise before a convolution: `norm group groups=32`."""

    name = "norm"
    role = Role.ADJUSTING
    example = "norm batch"
    options = (CHOSEN, *norms.OPTIONS[1:])

    def out_shape(self, options: Options, in_shape: Shape) -> Shape | Misfit:
        """Return the input's shape."""
        return norms.misfit(options, in_shape) or in_shape

    def twin(self, layer: PlacedLayer) -> tuple[Draft, ...]:
        """Return the same normalisation."""
        return (Draft(self.name, copied(layer, *self.options)),)

    def operation(self, layer: PlacedLayer) -> tuple[Call, ...]:
        """Return nothing: the normalisation is added as on any line."""
        return ()

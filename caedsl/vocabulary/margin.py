"""Base of ``pad`` and ``crop``: a margin around a map."""

from typing import ClassVar

from caedsl.vocabulary.kind import Draft, Kind, Role, copied
from caedsl.vocabulary.option import REQUIRED, Domain, LayerOption, Options, Type, Written
from caedsl.vocabulary.placed import PlacedLayer
from caedsl.vocabulary.shape import Shape, Sides, Sizes, rank

AMOUNT: LayerOption[Sizes | Sides] = LayerOption(
    "amount", Type.SIDES, REQUIRED, "size of the margin on each side", Written.FIRST, Domain(low=0, high=2**20)
)


class Margin(Kind):
    """Base of both kinds; each inverts the other."""

    role = Role.PASSING
    ranks = (1, 2, 3)
    options = (AMOUNT,)
    undone_by: ClassVar[str]

    def twin(self, layer: PlacedLayer) -> tuple[Draft, ...]:
        """Return the other kind, with the same amounts."""
        return (Draft(self.undone_by, copied(layer, AMOUNT)),)

    def has_no_effect(self, layer: PlacedLayer) -> bool:
        """Return whether the margin has no size on any side."""
        return layer.in_shape == layer.out_shape

    def reason(self, layer: PlacedLayer, axis: int) -> str:
        """Return the line's own words."""
        margin = pairs(layer.options, layer.in_shape)[axis]
        return f"{self.name} {margin}"


def pairs(options: Options, in_shape: Shape) -> tuple[Sides, ...]:
    """Return the sizes before and after, axis by axis."""
    amount = options[AMOUNT]
    return (amount,) * rank(in_shape) if isinstance(amount, Sides) else tuple(Sides(each, each) for each in amount)

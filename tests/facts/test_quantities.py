from caedsl.facts.quantities import MEASURES
from caedsl.vocabulary.quantities import QUANTITIES


def test_every_quantity_is_measured() -> None:
    assert tuple(MEASURES) == QUANTITIES

"""The words that syntax errors know are those that are declared further up."""

from caedsl.resolve.settings_table import SETTINGS
from caedsl.syntax import keywords
from caedsl.vocabulary.quantities import QUANTITIES


def test_settings_and_quantities_are_those_of_the_language() -> None:
    assert SETTINGS.keys() == keywords.SETTINGS
    assert keywords.QUANTITIES == QUANTITIES


def test_each_block_is_a_statement() -> None:
    assert keywords.BLOCKS.keys() < {*keywords.STATEMENTS}

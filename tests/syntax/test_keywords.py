"""The words that syntax errors know are those that are declared further up."""

from caedsl.resolve.outputs import AS
from caedsl.resolve.settings_table import SETTINGS
from caedsl.syntax import keywords
from caedsl.vocabulary.layers.input_name import InputName
from caedsl.vocabulary.quantities import QUANTITIES
from caedsl.vocabulary.sources import SOURCES


def test_settings_and_quantities_are_those_of_the_language() -> None:
    assert SETTINGS.keys() == keywords.SETTINGS
    assert keywords.QUANTITIES == QUANTITIES


def test_outputs_are_named_by_one_word() -> None:
    assert keywords.AS == AS.name == InputName.name


def test_the_endings_of_files_are_those_that_sources_read() -> None:
    read = {name: source for name, source in SOURCES.items() if source.endings}
    assert {name: source.endings for name, source in read.items()} == keywords.ENDINGS
    assert [name for name, source in read.items() if source.folders] == [*keywords.FOLDERS]


def test_each_block_is_a_statement() -> None:
    assert keywords.BLOCKS.keys() < {*keywords.STATEMENTS}

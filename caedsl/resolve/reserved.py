"""Words of the language, which no constant can have as its name, because they could be written in its place."""

from collections.abc import Iterator
from functools import cache

from caedsl.resolve.merging.declared import declared_options
from caedsl.resolve.reading.lines import options_of
from caedsl.resolve.reading.respelling import SWITCHED
from caedsl.resolve.settings_table import SETTINGS
from caedsl.resolve.statement_words import EXTENDS
from caedsl.syntax.keywords import STATEMENTS
from caedsl.vocabulary.bottlenecks import FORMS
from caedsl.vocabulary.layers import KINDS
from caedsl.vocabulary.losses import LOSSES
from caedsl.vocabulary.option import AUTO, Option, Type, Written
from caedsl.vocabulary.sources import SOURCES
from caedsl.vocabulary.spelling import bare_words


@cache
def language_words() -> frozenset[str]:
    """Return every word that can be written alone in a spec, which excludes names of ``name=value`` options."""
    form_words = (word for form in FORMS for word in form.words)
    words = {*STATEMENTS, *KINDS, *SETTINGS, *SOURCES, *LOSSES, *form_words, AUTO, EXTENDS, "else", "real"}
    for option in _options():
        words.update(bare_words(option), option.choices)
        if option.type is Type.SWITCH:
            words.update(SWITCHED)
        if option.written is Written.WORDED:
            words.add(option.name)
    for setting in SETTINGS.values():
        words.update(setting.variants or {})
    return frozenset(words)


def _options() -> Iterator[Option]:
    for kind in KINDS.values():
        yield from options_of(kind)
    for statement in STATEMENTS:
        yield from declared_options("", statement)
    for setting in SETTINGS:
        yield from declared_options("train", setting)

"""Options that each statement declares in any of its forms."""

from collections.abc import Iterable, Sequence

from caedsl.resolve.inputs import INPUT_OPTIONS
from caedsl.resolve.losses import REDUCTION, WORST
from caedsl.resolve.mirroring.mirror import OPTIONS as MIRROR_OPTIONS
from caedsl.resolve.settings_table import SETTINGS
from caedsl.syntax import tree
from caedsl.vocabulary.bottlenecks import FORMS
from caedsl.vocabulary.losses import LOSSES
from caedsl.vocabulary.option import Option
from caedsl.vocabulary.sources import SOURCES


def declared_options(block: str, word: str) -> tuple[Option, ...]:
    """Return every option that some form of the statement ``word`` in ``block`` (empty at the top level) has."""
    if block == "train" and word in SETTINGS:
        setting = SETTINGS[word]
        variants = [variant.options for variant in (setting.variants or {}).values()]
        own = [kind.own for kind in LOSSES.values()] if word == "loss" else []
        return _union((setting.options, *variants, *([(REDUCTION, WORST), *own] if own else [])))
    if block:
        return ()
    match word:
        case "input" | "target":
            return INPUT_OPTIONS
        case "data":
            return _union(kind.options for kind in SOURCES.values())
        case "bottleneck":
            return _union(form.options for form in FORMS)
        case "decoder":
            return MIRROR_OPTIONS
        case _:
            return ()


def source_options(items: Sequence[tree.Item]) -> tuple[Option, ...]:
    """Return the options of the data source that ``items`` name, possibly after an ``else``."""
    name = next((item.text for item in items if isinstance(item, tree.WrittenWord) and item.text != "else"), "")
    return SOURCES[name].options if name in SOURCES else ()


def _union(tables: Iterable[Sequence[Option]]) -> tuple[Option, ...]:
    return tuple({option.name: option for options in tables for option in options}.values())

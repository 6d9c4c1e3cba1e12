"""The resolved ``train`` block in the words of the language, with every default visible."""

from collections.abc import Iterable, Iterator
from typing import Any

from caedsl.diagnostics.explanation import is_error
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.settings import Loss, Train
from caedsl.resolve.losses import WORST
from caedsl.resolve.resolve import resolve
from caedsl.resolve.settings_table import SETTINGS, Setting
from caedsl.source import Source
from caedsl.syntax.parser import parse
from caedsl.vocabulary.option import Option
from caedsl.vocabulary.spelling import value_text, written

_SMALLEST = "autoencoder a\ninput 1x8x8\nencoder { conv 1 }\nbottleneck\ndecoder mirror\n"

OFF = "off"
"""Text for a setting that is omitted and has no default value."""


def settings_lines(model: Autoencoder) -> Iterator[tuple[str, str, bool]]:
    """Yield each setting's word, its value with all options, and whether the spec writes it."""
    settings = model.train or Train()
    for name, setting in SETTINGS.items():
        yield name, setting_text(name, setting, settings), f"train.{name}" in model.places


def fault_of(settings: Train) -> str | None:
    """Return what a ``train`` block could not express about these settings; None if all values are valid."""
    try:
        lines = [line for name, setting in SETTINGS.items() if (line := _changed(name, setting, settings))]
    except KeyError as error:
        return f"unknown name {str(error)[:100]}"
    source = Source("".join((_SMALLEST, "train {\n", *lines, "}\n")))
    spec, syntax_findings = parse(source)
    findings = (*syntax_findings, *resolve(spec, source)[1])
    return next((finding.message for finding in findings if is_error(finding)), None)


def _changed(name: str, setting: Setting, settings: Train) -> str:
    """Return one setting as a line with the options that differ from their defaults; empty if none does."""
    value = getattr(settings, name)
    if value is None or isinstance(value, Loss) or (setting.variants is None and setting.build is None):
        return "" if value is None else f"{name} {setting_text(name, setting, settings)}\n"
    options = setting.options if setting.variants is None else setting.variants[value.name].options
    given = [
        written(option, number) for option in options if (number := value_of(value, option.name)) != option.default
    ]
    words = [*([value.name] if setting.variants is not None else []), *given]
    return f"{name} {' '.join(words)}\n" if words else ""


def setting_text(name: str, setting: Setting, settings: Train) -> str:
    """Return one setting as a spec would write it."""
    value = getattr(settings, name)
    if isinstance(value, Loss):
        return _loss(value)
    if setting.variants is not None:
        return " ".join((value.name, *_options(setting.variants[value.name].options, value)))
    if setting.build is not None:
        given = [option for option in setting.options if value_of(value, option.name) != option.default]
        return " ".join(_options(given if setting.some else setting.options, value)) or OFF
    if value is None:
        return OFF
    given = [option for option in setting.options[1:] if getattr(settings, option.name) != option.default]
    return " ".join((value_text(setting.options[0], value), *_options(given, settings)))


def _options(options: Iterable[Option], value: Any) -> list[str]:
    given = {option: value_of(value, option.name) for option in options}
    # Of two mutually exclusive options, show the one whose value is not the default.
    pairs = getattr(getattr(value, "kind", None), "exclusive", ())
    chosen = {second for _, second in pairs if value_of(value, second) is not None}
    left_out = {first for first, second in pairs if second in chosen}
    return [
        written(option, number)
        for option, number in given.items()
        if option.name not in left_out and number is not None and number is not False
    ]


def value_of(value: Any, name: str) -> Any:
    """Return the value of an option of a setting."""
    options = getattr(value, "options", {})
    return options[name] if name in options else getattr(value, name)


def _loss(loss: Loss) -> str:
    terms = " + ".join(term.name if term.weight == 1 else f"{term.weight:g} {term.name}" for term in loss.terms)
    own = [written(option, term.options[option.name]) for term in loss.terms for option in term.kind.own]
    worst = [] if loss.worst is None else [written(WORST, loss.worst)]
    return " ".join((terms, *own, f"reduction={loss.reduction}", *worst))

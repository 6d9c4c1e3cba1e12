"""The resolved ``train`` block in the words of the language, every default visible."""

from collections.abc import Iterator
from typing import Any

from caedsl.model.autoencoder import Autoencoder
from caedsl.model.settings import Loss, Train
from caedsl.resolve.settings_table import SETTINGS, Setting
from caedsl.vocabulary.option import Option
from caedsl.vocabulary.spelling import value_text, written

OFF = "off"
"""What stands for a setting that is left out and has no value then."""


def settings_lines(model: Autoencoder) -> Iterator[tuple[str, str, bool]]:
    """Each setting's word, its value with all options, and whether the spec writes it."""
    settings = model.train or Train()
    for name, setting in SETTINGS.items():
        yield name, setting_text(name, setting, getattr(settings, name)), f"train.{name}" in model.places


def setting_text(name: str, setting: Setting, value: Any) -> str:
    """One setting as a spec would write it."""
    if isinstance(value, Loss):
        return _loss(value)
    if setting.variants is not None:
        return " ".join((value.name, *_options(setting.variants[value.name], value)))
    if setting.build is not None:
        return OFF if setting.some and value == setting.build() else " ".join(_options(setting.options, value))
    return OFF if value is None else value_text(setting.options[0], value)


def _options(options: tuple[Option, ...], value: Any) -> list[str]:
    replaced = "eps" if getattr(value, "eps_hat", None) is not None else ""
    given = ((option, getattr(value, option.name)) for option in options if option.name != replaced)
    return [written(option, number) for option, number in given if number is not None and number is not False]


def _loss(loss: Loss) -> str:
    terms = " + ".join(term.name if term.weight == 1 else f"{term.weight:g} {term.name}" for term in loss.terms)
    return f"{terms} reduction={loss.reduction}"

"""Translations of all supported Keras classes."""

from collections.abc import Mapping

from caedsl.importing.keras import convolutions, finishing, shaping
from caedsl.importing.keras.topology import KerasLayer
from caedsl.importing.keras.translation import Counts, Translator

TRANSLATORS: Mapping[str, Translator] = {**convolutions.TRANSLATORS, **finishing.TRANSLATORS, **shaping.TRANSLATORS}


def known(layer: KerasLayer) -> bool:
    """Return whether a layer has a translation."""
    return layer.kind in TRANSLATORS and not layer.custom


def counts(layer: KerasLayer) -> Counts:
    """Return how many weights a layer has."""
    return TRANSLATORS[layer.kind].counts(layer.config)

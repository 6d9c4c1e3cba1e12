"""Errors of models that cannot be imported."""

from collections.abc import Iterable
from typing import NamedTuple

from caedsl.diagnostics.messages import MessageError


class UnsupportedLayer(NamedTuple):
    """Layer that a spec cannot express: its own name, what it is, and the closest alternative."""

    name: str
    what: str
    nearest: str

    def __str__(self) -> str:
        remedy = f"; {self.nearest}" if self.nearest else ""
        return f"{self.name}: {self.what}{remedy}"


class UnsupportedFeature(Exception):
    """Part of a layer that a spec cannot express: what it is, and the closest alternative."""

    def __init__(self, what: str, nearest: str = "") -> None:
        super().__init__(what)
        self.what, self.nearest = what, nearest


class ImportFailure(MessageError, ValueError):
    """Model that cannot become a spec; the message names each cause with its remedy, and nothing was written.

    ``was_read`` says whether the model itself could be read, so that the cause is in the model and not in its file.
    """

    def __init__(self, *lines: object, was_read: bool = False) -> None:
        super().__init__(*lines)
        self.was_read = was_read


def unsupported(model: str, layers: Iterable[UnsupportedLayer]) -> ImportFailure:
    """Return the error that lists every layer that a spec cannot express."""
    each = tuple(dict.fromkeys(layers))
    count = "1 layer has" if len(each) == 1 else f"{len(each)} layers have"
    listed = (f"  {layer}" for layer in each)
    return ImportFailure(f"{model} was not imported: {count} no equivalent in a spec", *listed, was_read=True)

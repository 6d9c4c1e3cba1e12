"""Places of layers and settings in a spec, and their names for users."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from caedsl.backends.torch.lower import lower
from caedsl.backends.torch.program import LayerModules
from caedsl.model.autoencoder import Autoencoder
from caedsl.resolve.resolve import resolve
from caedsl.source import Source, Span
from caedsl.syntax.parser import parse
from caedsl.vocabulary.kind import Role
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.layers import KINDS
from caedsl.vocabulary.spelling import line


@dataclass(frozen=True)
class NamedPlace:
    """Place in a spec: ``shown`` is for the terminal; ``layer``, ``setting`` and ``line`` are for the record."""

    shown: str
    layer: str | None
    setting: str | None
    line: int


class Places:
    """Places of a model, both in ``model.source``, shown as ``shown_path``, and in ``recorded``, the run's own spec."""

    def __init__(self, model: Autoencoder, recorded: Autoencoder, shown_path: str) -> None:
        self.model, self.recorded, self.path = model, recorded, shown_path
        self.origins: Sequence[LayerModules] = lower(model).origins
        self._recorded_layers = [origin.layer for origin in lower(recorded).origins]
        self._names = _names(model)

    @classmethod
    def of(cls, model: Autoencoder, recorded_text: str, shown_path: str) -> Self:
        """Return the places of a model; ``recorded_text`` is its spec as formatted in the run folder."""
        recorded = model
        if recorded_text != model.source.text:
            source = Source(recorded_text)
            recorded = resolve(parse(source)[0], source)[0] or model
        return cls(model, recorded, shown_path)

    def of_layer(self, number: int) -> NamedPlace:
        """Return the place of layer ``number`` of ``origins``."""
        layer = self.origins[number].layer
        words, part = self._words(layer), self._names[layer]
        shown = f"{self._shown(layer.span)}: `{words}` ({part})"
        return NamedPlace(shown, f"{part}: {words}", None, _line(self.recorded, self._recorded_layers[number].span))

    def of_setting(self, name: str) -> NamedPlace:
        """Return the place of a setting such as ``train.optimizer``, or of its block if it is left at its default."""
        word = name.rpartition(".")[2]
        return NamedPlace(
            f"{self._shown(self.model.place(name))}: `{word}`",
            None,
            name,
            _line(self.recorded, self.recorded.place(name)),
        )

    def _words(self, layer: Layer) -> str:
        """Return the layer's line; that of the bottleneck for a part of the code, which no line names by itself."""
        return line(layer) if layer.kind.name in KINDS else self.model.source.slice(layer.span)

    def _shown(self, span: Span) -> str:
        return f"{self.path}:{_line(self.model, span)}"


def _line(model: Autoencoder, span: Span) -> int:
    return model.source.position(span.start).line


def _names(model: Autoencoder) -> Mapping[Layer, str]:
    """Return a name for each layer, such as ``encoder 2`` for the encoder's second layer.

    Layers inside a residual are counted before it, in the order of computation.
    """
    names: dict[Layer, str] = {}
    counts: dict[str, int] = {}
    for part, layer in model.layers():
        if layer.kind.role is not Role.GROUPING:
            counts[part] = counts.get(part, 0) + 1
            names[layer] = f"{part} {counts[part]}"
    return names

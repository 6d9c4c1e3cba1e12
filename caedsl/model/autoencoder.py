"""The resolved model, which all later stages read: every size is known, the mirror built, defaults filled in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from caedsl.model.data import DataSource, InputRange, output_range
from caedsl.model.settings import Train
from caedsl.model.sweep import Sweep
from caedsl.source import Source, Span
from caedsl.vocabulary.joining import OTHER, Join
from caedsl.vocabulary.kind import Role
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.preprocessings import PreprocessingKind
from caedsl.vocabulary.shape import Shape, elements

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Input:
    """Input or target of the network: ``shape`` is channels and sizes; the spans are those of shape and range."""

    shape: Shape
    range: InputRange
    span: Span
    range_span: Span


@dataclass(frozen=True)
class Bottleneck:
    """Layers that make the code, and the settings of the code.

    ``form`` names the declaration in ``vocabulary/bottlenecks``. ``inverse`` starts the decoder: the way back from a
    vector, or the layers after the code in braces. ``weights`` are the weights of what the code adds to the loss:
    ``l1`` its activity penalty, ``kl`` the divergence of a variational code. ``noise`` is the standard deviation of the
    Gaussian noise that the decoder sees while training. The weights of what the form itself adds rise from 0 over
    ``warmup``, a share of all steps.
    """

    form: str
    code_shape: Shape
    layers: tuple[Layer, ...]
    inverse: tuple[Layer, ...]
    weights: Mapping[str, float]
    noise: float
    span: Span
    warmup: float = 0.0

    @property
    def l1(self) -> float:
        """Weight of the activity penalty on the code."""
        return self.weights.get("l1", 0.0)


@dataclass(frozen=True)
class Bound:
    """One line of ``require``: ``low <= quantity <= high``; an open end does not include the bound itself."""

    quantity: str
    low: float | None
    high: float | None
    low_open: bool
    high_open: bool
    text: str
    span: Span


@dataclass(frozen=True)
class Allowance:
    """``allow NAME "reason"``: the finding of that name is silenced in the whole spec.

    The reason is empty where the author has forgotten it, which is reported instead of the finding.
    """

    name: str
    reason: str
    span: Span


@dataclass(frozen=True)
class Autoencoder:
    """Whole model.

    If a spec has errors, the model holds what could be understood: ``complete`` is then False, and the layers of a part
    end before the first whose shape is unknown. ``target`` is what the decoder must return: the input, unless the spec
    has a ``target`` line. ``places`` maps top-level statements and train settings (``input``, ``train``,
    ``train.batch``, ``train.optimizer.lr`` …) to where they are written.
    """

    name: str
    source: Source
    input: Input
    target: Input
    data: tuple[DataSource, ...]
    encoder: tuple[Layer, ...]
    bottleneck: Bottleneck
    decoder: tuple[Layer, ...]
    mirrored: bool
    train: Train | None
    require: tuple[Bound, ...]
    sweep: Sweep | None = None
    allowances: tuple[Allowance, ...] = ()
    places: Mapping[str, Span] = field(default_factory=dict)
    complete: bool = True

    @cached_property
    def network_facts(self) -> dict[str, Any]:
        """Known facts about the network; models that the compiler made with one network share them."""
        return {}

    @cached_property
    def parts(self) -> tuple[tuple[str, tuple[Layer, ...]], ...]:
        """The layers in the order of the data: ``encoder``, ``bottleneck`` (which ends the encoder), ``decoder``.

        The inverse map of a dense bottleneck is the start of the decoder.
        """
        return (
            ("encoder", self.encoder),
            ("bottleneck", self.bottleneck.layers),
            ("decoder", (*self.bottleneck.inverse, *self.decoder)),
        )

    def layers(self) -> Iterator[tuple[str, Layer]]:
        """Every layer in the order of computation, with the name of its part; a group follows the layers inside it."""
        return iter(self._layers)

    @cached_property
    def _layers(self) -> tuple[tuple[str, Layer], ...]:
        return tuple((part, inner) for part, layers in self.parts for layer in layers for inner in layer.walk())

    @property
    def paired(self) -> bool:
        """Whether the target is not a copy of the input: other files, another shape or another range."""
        differs = (self.target.shape, self.target.range) != (self.input.shape, self.input.range)
        return differs or any(source.target is not None for source in self.data)

    @property
    def weighted(self) -> bool:
        """Whether the data line says where the weights of the samples in the loss are."""
        return any(source.weights is not None for source in self.data)

    @property
    def preprocessing(self) -> PreprocessingKind | None:
        """Preprocessing of each channel before the encoder; None for no preprocessing."""
        return self.data[0].preprocessing if self.data else None

    @property
    def output_range(self) -> InputRange:
        """The values that the last layer must reach: the range of the target, or of the preprocessed input."""
        return output_range(self.target.range, self.target is not self.input, self.data)

    @property
    def code_shape(self) -> Shape:
        """The shape of the code."""
        return self.bottleneck.code_shape

    @property
    def out_shape(self) -> Shape:
        """The shape that the decoder returns."""
        last = self.decoder or self.bottleneck.inverse
        return last[-1].out_shape if last else self.code_shape

    def reads_code(self, layer: Layer) -> bool:
        """Return whether a layer after the code reads the code itself by name, which does not bypass it."""
        before = self.bottleneck.layers or self.encoder
        last = before[-1] if before else None
        while last is not None and last.kind.role is Role.GROUPING and last.children:
            last = last.children[-1]
        return isinstance(layer.kind, Join) and layer.kind.reads_values and last is not None and layer.source is last

    @cached_property
    def bypasses(self) -> dict[str, Shape]:
        """Maps that the decoder reads besides the code, by name: outputs of the encoder, and the input itself."""
        encoder = {id(inner) for layer in (*self.encoder, *self.bottleneck.layers) for inner in layer.walk()}
        found: dict[str, Shape] = {}
        for layer in (*self.bottleneck.inverse, *self.decoder):
            for inner in layer.walk():
                if not isinstance(inner.kind, Join) or self.reads_code(inner):
                    continue
                if inner.source is None or id(inner.source) in encoder:
                    found[inner.kind.kept(inner.options)] = inner.options[OTHER]
        return found

    @property
    def leak(self) -> int:
        """Number of values that bypass the code."""
        return sum(map(elements, self.bypasses.values()))

    @property
    def compression(self) -> float:
        """Number of input values over the number that the decoder reads: the code, and what bypasses it."""
        return elements(self.input.shape) / (elements(self.code_shape) + self.leak)

    @property
    def folder(self) -> "Path":
        """Folder that relative paths of the spec start from."""
        from pathlib import Path

        return Path(self.source.path).parent if not self.source.path.startswith("<") else Path()

    def place(self, name: str) -> Span:
        """Return where a statement or setting is written, or the nearest enclosing statement for a default."""
        while name not in self.places and "." in name:
            name = name.rpartition(".")[0]
        return self.places.get(name, self.input.span)

"""What a model costs: parameters, multiply-accumulates, receptive field, memory of a training step."""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from caedsl.model.autoencoder import Autoencoder
from caedsl.model.settings import Train
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.shape import elements

BYTES = 4
"""A number in fp32."""


class Field(NamedTuple):
    """The receptive field of a layer's output: how many input pixels high and wide one output can depend on."""

    height: int
    width: int

    @property
    def smaller(self) -> int:
        """The shorter side."""
        return min(self)


def parameters(layers: Sequence[Layer]) -> int:
    """Learned numbers of these layers, those inside groups among them."""
    return sum(layer.kind.parameters(layer) for outer in layers for layer in outer.walk())


def macs(layers: Sequence[Layer]) -> int:
    """Multiply-accumulates of these layers for one image."""
    return sum(layer.kind.macs(layer) for outer in layers for layer in outer.walk())


def total_parameters(model: Autoencoder) -> int:
    """Learned numbers of the whole model."""
    return sum(parameters(layers) for _, layers in model.parts)


def total_macs(model: Autoencoder) -> int:
    """Multiply-accumulates of the whole model for one image."""
    return sum(macs(layers) for _, layers in model.parts)


class _Walker:
    """Follows the field through a chain: it grows by (extent - 1) · jump, the jump is the product of the strides.

    Source: Dumoulin and Visin 2016 (arXiv 1603.07285); an upsampling divides the jump.
    """

    def __init__(self, model: Autoencoder) -> None:
        self.whole = Field(*model.input.shape[1:])
        self.extent = [Fraction(1), Fraction(1)]
        self.jump = [Fraction(1), Fraction(1)]
        self.sees_all = False
        self.fields: dict[int, Field] = {}

    def follow(self, layers: Sequence[Layer]) -> None:
        for layer in layers:
            if layer.children:
                self._branch(layer.shortcut)
                self.follow(layer.children)
            else:
                self._step(layer)
            self.fields[id(layer)] = self.field

    def _branch(self, shortcut: Sequence[Layer]) -> None:
        kept = list(self.extent), list(self.jump), self.sees_all
        self.follow(shortcut)
        self.extent, self.jump, self.sees_all = kept

    def _step(self, layer: Layer) -> None:
        reach = layer.kind.reach(layer)
        if reach is None:
            self.sees_all = True
            return
        for axis, step in enumerate(reach):
            self.extent[axis] += (step.extent - 1) * self.jump[axis]
            self.jump[axis] *= step.stride

    @property
    def field(self) -> Field:
        if self.sees_all:
            return self.whole
        return Field(*(-(-side.numerator // side.denominator) for side in self.extent))


def receptive_fields(model: Autoencoder) -> dict[int, Field]:
    """The receptive field after every layer, by ``id(layer)``; a fully connected layer sees the whole input."""
    walker = _Walker(model)
    for _, layers in model.parts:
        walker.follow(layers)
    return walker.fields


def code_field(model: Autoencoder) -> Field:
    """The receptive field of one number of the code."""
    walker = _Walker(model)
    walker.follow(model.encoder)
    walker.follow(model.bottleneck.layers)
    return walker.field


def training_memory(model: Autoencoder, settings: Train | None = None) -> int:
    """An estimate, in bytes, of the memory that one training step needs (within about 30 %).

    In fp32: for each parameter its weight, its gradient and the optimiser's states; for each image of the batch every
    layer's output and that output's gradient. Where the batch is still to be found, that of one image.
    """
    settings = settings or model.train or Train()
    batch = 1 if isinstance(settings.batch, str) else settings.batch
    states = settings.optimizer.kind.states(settings.optimizer.options)
    outputs = elements(model.input.shape) + sum(elements(layer.out_shape) for _, layer in model.layers())
    return BYTES * (total_parameters(model) * (2 + states) + 2 * batch * outputs)

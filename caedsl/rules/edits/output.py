"""The output's activation: where a spec writes it, which one fits the images, and the edit that changes it."""

from caedsl.diagnostics.finding import Edit
from caedsl.facts.presets import pixel_range
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.trial import write
from caedsl.source import Span
from caedsl.vocabulary.activations import ACTIVATION, fitting
from caedsl.vocabulary.layer import Layer


def output_place(model: Autoencoder, layer: Layer) -> Span:
    """Where the activation of the output layer is written, or what stands for it."""
    return model.place("decoder.output") if model.mirrored else layer.place(ACTIVATION)


def fitting_activation(model: Autoencoder) -> str:
    """Return the activation that reaches the images' values and, where there is one, no others."""
    values = pixel_range(model)
    return str(fitting(values.low, values.high))


def activation_edit(model: Autoencoder, layer: Layer, activation: str) -> Edit | None:
    """Return the edit that gives the output layer another activation; None where it has no line of its own."""
    if model.mirrored:
        written = model.places.get("decoder.output")
        return Edit(written, f"output={activation}") if written else None
    return write(layer, ACTIVATION, activation) if layer.mirrors is None and ACTIVATION in layer.options else None

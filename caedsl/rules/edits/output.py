"""The output's activation: its place in the text, the activation that fits the images, and the edit that changes it."""

from caedsl.diagnostics.finding import Edit
from caedsl.facts.presets import pixel_range
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.trial import write
from caedsl.source import Span
from caedsl.vocabulary.activations import ACTIVATION, fitting
from caedsl.vocabulary.layer import Layer


def output_place(model: Autoencoder, layer: Layer) -> Span:
    """Return where the activation of the output layer is written, or the place that represents it."""
    return model.place("decoder.output") if model.mirrored else layer.place(ACTIVATION)


def fitting_activation(model: Autoencoder) -> str:
    """Return the activation that covers the images' values, and no others if such an activation exists."""
    values = pixel_range(model)
    return str(fitting(values.low, values.high))


def activation_edit(model: Autoencoder, layer: Layer, activation: str) -> Edit | None:
    """Return the edit that changes the output layer's activation, or None if the layer has no line of its own."""
    if model.mirrored:
        written = model.places.get("decoder.output")
        return Edit(written, f"output={activation}") if written else None
    return write(layer, ACTIVATION, activation) if layer.mirrors is None and ACTIVATION in layer.options else None

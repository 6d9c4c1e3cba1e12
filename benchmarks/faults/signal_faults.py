"""Faults of activations, data ranges, regularisation and numerics."""

from benchmarks.faults.edits import (
    Edits,
    convolutions,
    decoder_lines,
    hidden,
    is_normalised,
    losses,
    on_every,
    option_on_output,
    setting,
    statement,
    value_range,
    written,
)
from benchmarks.faults.operator_type import operator
from caedsl.facts.outputs import output_layer
from caedsl.facts.sizes import decoder_path, encoder_path
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.edits.trial import write
from caedsl.vocabulary import activations
from caedsl.vocabulary.kernel_options import INIT, L2
from caedsl.vocabulary.kind import DROPOUT
from caedsl.vocabulary.layers.dense import UNITS
from caedsl.vocabulary.norms import NORM


def unreachable_values(model: Autoencoder, fault: tuple[str, str]) -> Edits:
    """Declare a range of pixels that the output does not reach."""
    declared, activation = fault
    if "bce" in losses(model) or any(source.normalize for source in model.data):  # which sets the range itself
        return []
    outputs = option_on_output(model, activation)
    return [*value_range(model, declared), *outputs] if outputs else []


def standardised(model: Autoencoder, activation: str) -> Edits:
    """Use standardised images, of which a bounded output reaches only a part."""
    outputs = option_on_output(model, activation)
    if "bce" in losses(model) or not outputs:
        return []
    data = 'data npy "standardised.npy" limit=20000'
    return [*value_range(model, "in real"), *outputs, *statement(model, "data", data)]


def rectified_output(model: Autoencoder, _: None) -> Edits:
    unit = (model.input.range.low, model.input.range.high) == (0, 1)
    return option_on_output(model, "relu") if unit and "bce" not in losses(model) else []


def saturating(model: Autoencoder, normalised: bool) -> Edits:
    """Use sigmoids in every hidden layer."""
    layers = [layer for layer in hidden(model) if layer.activation.name != "linear"]
    sides = [sum(layer in written(part) for layer in layers) for part in (model.encoder, model.decoder)]
    if is_normalised(model) != normalised or sides[0] < 2 or (sides[1] < 2 and not model.mirrored):
        return []
    return on_every(layers, activations.ACTIVATION, "sigmoid")


def normalised_output(model: Autoencoder, _: None) -> Edits:
    output = output_layer(model)
    return [write(output, NORM, "norm=batch")] if output in decoder_lines(model) and output else []


def rectified_code(model: Autoencoder, most: int) -> Edits:
    """Put a ReLU on a code of at most this many numbers."""
    if model.bottleneck.form != "dense" or model.bottleneck.layers[-1].options[UNITS] > most:
        return []
    return [write(model.bottleneck.layers[-1], activations.ACTIVATION, "relu")]


def cross_entropy(model: Autoencoder, fault: str) -> Edits:
    """Use binary cross-entropy for pixels or outputs that are not probabilities."""
    if fault == "targets":
        outputs = option_on_output(model, "tanh")
        return [*setting(model, "loss bce"), *value_range(model, "in -1..1"), *outputs] if outputs else []
    outputs = option_on_output(model, fault)
    unit = (model.input.range.low, model.input.range.high) == (0, 1)
    return [*setting(model, "loss bce"), *outputs] if outputs and unit else []


def unscaled(model: Autoencoder, optimizer: str) -> Edits:
    if "bce" in losses(model) or is_normalised(model):
        return []
    outputs = option_on_output(model, "linear")
    return [*value_range(model, "in 0..255"), *outputs, *setting(model, optimizer)] if outputs else []


def weight_penalty(model: Autoencoder, strength: float) -> Edits:
    """Write the same L2 penalty on every convolution; it is weak compared with a sum over pixels."""
    if is_normalised(model) or model.train is None or model.train.loss.reduction == "sum":
        return []
    output = output_layer(model)
    layers = [*hidden(model), *([output] if output in decoder_lines(model) and output else [])]
    return on_every(convolutions(layers), L2, f"l2={strength:g}")


def coupled_decay(model: Autoencoder, strength: float) -> Edits:
    if model.train is None or is_normalised(model) or model.train.loss.reduction == "sum":
        return []
    if model.train.optimizer.name == "sgd":
        return []
    return setting(model, f"optimizer adam lr={model.train.optimizer.lr:g} weight_decay={strength:g}")


def heavy_dropout(model: Autoencoder, share: float) -> Edits:
    layers = [layer for layer in hidden(model) if layer in written(model.encoder)]
    return [write(layers[-1], DROPOUT, f"dropout={share}")]


def small_batch(model: Autoencoder, fault: tuple[int, bool]) -> Edits:
    """Use tiny batches in models whose batch normalisation sees maps of at most 2x2 pixels, or only larger ones."""
    size, tiny = fault
    sides = [layer.out_shape[1] for _, layer in model.layers() if layer.norm is not None and layer.norm.name == "batch"]
    return setting(model, f"batch {size}") if sides and (min(sides) <= 2) is tiny else []


def default_weights(model: Autoencoder, depth: tuple[int, int]) -> Edits:
    """Use PyTorch's default weights in every convolution of a deep model."""
    least, most = depth
    weighted = [layer for layer in (*encoder_path(model), *decoder_path(model)) if INIT in layer.options]
    if is_normalised(model) or not least <= len(weighted) <= most:
        return []
    lines = convolutions([*hidden(model), *decoder_lines(model)])
    return on_every(dict.fromkeys(lines), INIT, "init=torch")


def half_precision(model: Autoencoder, fault: tuple[str, str]) -> Edits:
    """Use 16-bit images, which exceed the largest fp16 number, or 8-bit images, which do not."""
    declared, loss = fault
    outputs = option_on_output(model, "linear")
    if losses(model) != ["mse"] or not outputs or (model.train and model.train.optimizer.name == "sgd"):
        return []
    return [*value_range(model, declared), *outputs, *setting(model, loss), *setting(model, "precision fp16")]


ACTIVATION = [
    operator(
        "output that cannot reach the pixels",
        "activation",
        "output-range",
        unreachable_values,
        strengths={"strong": ("in -1..1", "sigmoid"), "fatal": ("in 0..255", "sigmoid")},
        trained=True,
    ),
    operator(
        "standardised pixels behind a bound",
        "activation",
        "output-range final-relu",
        standardised,
        strengths={"mild": "tanh", "strong": "sigmoid", "fatal": "relu"},
    ),
    operator(
        "rectified output", "activation", "final-relu", rectified_output, also="mismatched-sgd-rate", trained=True
    ),
    operator(
        "saturating hidden layers",
        "activation",
        "saturating-hidden",
        saturating,
        strengths={"strong": False, "mild": True},
        harmless="mild",
        trained=True,
    ),
    operator("normalised output", "activation", "normalised-output", normalised_output, trained=True),
    operator(
        "rectified code",
        "activation",
        "relu-code",
        rectified_code,
        strengths={"strong": 16},
        trained=True,
    ),
]

DATA = [
    operator(
        "cross-entropy outside its range",
        "data",
        "bce-range",
        cross_entropy,
        strengths={"mild": "tanh", "strong": "linear", "fatal": "targets"},
    ),
    operator(
        "unscaled pixels",
        "data",
        "unscaled-data mismatched-sgd-rate",
        unscaled,
        strengths={"mild": "optimizer adam lr=1e-3", "strong": "optimizer sgd lr=0.01 momentum=0.9"},
        harmless="mild",
        trained=True,
    ),
]

REGULARISATION = [
    operator(
        "strong L2",
        "regularisation",
        "strong-l2",
        weight_penalty,
        strengths={"mild": 1e-5, "strong": 1e-2, "fatal": 0.1},
        harmless="mild",
        trained=True,
    ),
    operator(
        "strong weight decay under Adam",
        "regularisation",
        "strong-l2",
        coupled_decay,
        strengths={"mild": 1e-5, "strong": 0.05, "fatal": 0.5},
        harmless="mild",
        trained=True,
    ),
    operator(
        "heavy dropout",
        "regularisation",
        "heavy-dropout",
        heavy_dropout,
        strengths={"mild": 0.1, "strong": 0.7, "fatal": 0.9},
        harmless="mild",
        trained=True,
    ),
    operator(
        "batch normalisation of a few images",
        "regularisation",
        "small-batch-norm",
        small_batch,
        strengths={"mild": (2, False), "strong": (2, True), "fatal": (1, True)},
        harmless="mild",
        trained=True,
    ),
]

NUMERICS = [
    operator(
        "PyTorch's default weights in depth",
        "numerics",
        "fading-signal",
        default_weights,
        also="unused-default",
        strengths={"mild": (1, 8), "strong": (12, 23), "fatal": (24, 99)},
        harmless="mild",
        trained=True,
    ),
    operator(
        "overflow of sixteen bits",
        "numerics",
        "fp16-overflow",
        half_precision,
        also="unscaled-data",
        strengths={"mild": ("in 0..255", "loss mse reduction=sum"), "strong": ("in 0..65535", "loss mse")},
        harmless="mild",
    ),
]

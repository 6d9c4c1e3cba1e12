"""Steps after the main operation of a Keras layer: activation, normalisation, dropout and noise."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from caedsl.importing.errors import UnsupportedFeature
from caedsl.importing.keras.options import Config, activation, as_layer, number, penalties
from caedsl.importing.keras.topology import KerasLayer
from caedsl.importing.keras.translation import Counts, DraftLine, KerasTranslation, Translator
from caedsl.importing.keras.values import Value, permuted
from caedsl.importing.network import number_of
from caedsl.vocabulary.activations import Activation
from caedsl.vocabulary.form import CODE_L1, NOISE
from caedsl.vocabulary.kernel_options import L1, L2
from caedsl.vocabulary.layers.dropout import ELEMENTWISE, RATE
from caedsl.vocabulary.norms import AFFINE, EPS, GROUPS, MOMENTUM_OPTION, NORM
from caedsl.vocabulary.option import Option
from caedsl.vocabulary.shape import is_map


def finished(translation: KerasTranslation, layer: KerasLayer, value: Value) -> Value:
    """Add what follows a layer's operation; return its output."""
    value = _followed(translation, layer, value, activation(layer.config.get("activation"), translation.legacy))
    return _penalised(translation, layer, value)


def _followed(translation: KerasTranslation, layer: KerasLayer, value: Value, made: Activation | None) -> Value:
    return value if made is None else _changed(translation, layer, value, DraftLine(made.name, number_of(made)))


def _changed(translation: KerasTranslation, layer: KerasLayer, value: Value, line: DraftLine) -> Value:
    """Add a line that changes numbers in place; return its output."""
    return value.moved(translation.emit(layer, [value.key], value.ours, line))


def _penalised(translation: KerasTranslation, layer: KerasLayer, value: Value) -> Value:
    found = penalties(layer.config.get("activity_regularizer"))
    if not found:
        return value
    if L2 in found:
        raise UnsupportedFeature(
            "a penalty on squared outputs is not supported", "`l1=` on the bottleneck is Keras's L1 on the code"
        )
    return _changed(translation, layer, value, DraftLine(CODE_L1.name, {CODE_L1: found[L1]}))


def _activation(translation: KerasTranslation, layer: KerasLayer, inputs: Sequence[Value]) -> Value:
    return _followed(translation, layer, inputs[0], as_layer(layer.kind, layer.config, translation.legacy))


def _prelu(translation: KerasTranslation, layer: KerasLayer, inputs: Sequence[Value]) -> Value:
    (value,) = inputs
    shared = layer.config.get("shared_axes") or []
    shape = tuple(1 if axis in shared else size for axis, size in enumerate(value.shape, 1))
    (alpha,) = translation.arrays(layer, shape)
    channel = 0 if value.first or not value.is_map else -1
    if alpha.size not in (1, alpha.shape[channel]):
        raise UnsupportedFeature(
            f"it learns {alpha.size:,} slopes",
            "`prelu` learns one slope, and `channel_prelu` one for each channel: share the spatial axes",
        )
    slopes, word = alpha.ravel(), "prelu"
    if slopes.size > 1:
        value, word = translation.settled(layer, value), "channel_prelu"
        slopes = permuted(slopes, value.channels if value.is_map else value.order)
    return _changed(translation, layer, value, DraftLine(word, {}, {"weight": slopes}))


def _dropout(translation: KerasTranslation, layer: KerasLayer, inputs: Sequence[Value]) -> Value:
    (value,) = inputs
    rate = layer.config.get("rate", 0)
    channels = layer.kind.startswith("Spatial")
    if layer.config.get("noise_shape") is not None:
        raise UnsupportedFeature("its `noise_shape` is not supported", "SpatialDropout drops whole channels")
    if not rate:
        return value
    single = not channels and is_map(value.ours)
    return _changed(translation, layer, value, DraftLine("dropout", {RATE: number(rate), ELEMENTWISE: single}))


def _noise(translation: KerasTranslation, layer: KerasLayer, inputs: Sequence[Value]) -> Value:
    deviation = number(layer.config.get("stddev", 0))
    return _changed(translation, layer, inputs[0], DraftLine(NOISE.name, {NOISE: deviation}))


def _passed(translation: KerasTranslation, layer: KerasLayer, inputs: Sequence[Value]) -> Value:
    return _penalised(translation, layer, inputs[0]) if layer.kind == "ActivityRegularization" else inputs[0]


def _normalised(translation: KerasTranslation, layer: KerasLayer, inputs: Sequence[Value]) -> Value:
    """Translate the normalisations whose weights are one number per channel."""
    value = translation.settled(layer, inputs[0])
    batch = layer.kind == "BatchNormalization"
    size = value.ours[0]
    names = _weight_names(layer.config)
    for name in ("beta_regularizer", "gamma_regularizer", "beta_constraint", "gamma_constraint"):
        if layer.config.get(name) is not None:
            raise UnsupportedFeature(f"its `{name}` is not supported", "remove it")
    if layer.config.get("renorm"):
        raise UnsupportedFeature("its `renorm` is not supported", "remove it")
    arrays = translation.arrays(layer, *((size,) for _ in (*names, *(("", "") if batch else ()))))
    order = value.channels if value.is_map else value.order
    found = {
        name: permuted(array, order)
        for name, array in zip((*names, "running_mean", "running_var"), arrays, strict=False)
    }
    if names:
        found.setdefault("weight", np.ones(size, np.float32))
        found.setdefault("bias", np.zeros(size, np.float32))
    if len(names) == 1:
        translation.notes.append(
            f"{layer.key} learns no {'scale' if names == ['bias'] else 'shift'}; the layer in the spec learns one"
        )
    eps = number(layer.config.get("epsilon", 1e-3))
    options = {**_norm(layer, value), AFFINE: bool(names), EPS: eps}
    return _changed(translation, layer, value, DraftLine("norm", options, found))


def _norm(layer: KerasLayer, value: Value) -> dict[Option, Any]:
    """Return the normalisation, and the options that only it has."""
    axis = layer.config.get("axis", -1)
    axes = [each if each >= 0 else each + len(value.shape) + 1 for each in (axis if isinstance(axis, list) else [axis])]
    channel = 1 if value.first or not value.is_map else len(value.shape)
    whole = axes == list(range(1, len(value.shape) + 1))
    if layer.kind == "LayerNormalization":
        if len(value.shape) > 1 and not (whole and not _weight_names(layer.config)):
            raise UnsupportedFeature(
                "it normalises the channels of each place alone",
                "`norm=layer` normalises a whole map; `norm=rms` each position",
            )
        return {NORM: "layer"}
    if axes != [channel]:
        raise UnsupportedFeature(f"it normalises axis {axis}, which holds no channels", "use the axis of the channels")
    if layer.kind != "GroupNormalization":
        return {NORM: "batch", MOMENTUM_OPTION: float(f"{1 - layer.config.get('momentum', 0.99):.6g}")}
    groups = int(layer.config.get("groups", 32))
    groups = value.ours[0] if groups == -1 else groups
    if value.channels is not None and groups not in (1, value.ours[0]):
        raise UnsupportedFeature("its groups follow a Concatenate in another order", "put the later input first")
    return {NORM: "group", GROUPS: groups}


def _weight_names(config: Config) -> list[str]:
    return [name for name, has in (("weight", config.get("scale", True)), ("bias", config.get("center", True))) if has]


def _norm_counts(kept: int) -> Any:
    return lambda config: Counts(len(_weight_names(config)), kept)


def none(config: Config) -> Counts:
    """Return the counts of a layer without weights."""
    return Counts(0)


TRANSLATORS = {
    **dict.fromkeys(("Activation", "ReLU", "LeakyReLU", "ELU"), Translator(_activation, none, True)),
    **dict.fromkeys(("Relu", "Sigmoid", "Tanh", "Elu", "Silu", "Gelu"), Translator(_activation, none, True)),
    "PReLU": Translator(_prelu, lambda config: Counts(1), True),
    **dict.fromkeys(
        ("Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"), Translator(_dropout, none, True)
    ),
    "GaussianNoise": Translator(_noise, none, True),
    **dict.fromkeys(("ActivityRegularization", "Identity"), Translator(_passed, none, True)),
    "BatchNormalization": Translator(_normalised, _norm_counts(2), True),
    **dict.fromkeys(("LayerNormalization", "GroupNormalization"), Translator(_normalised, _norm_counts(0), True)),
}

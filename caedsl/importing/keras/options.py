"""Options that many Keras layers have: activation, initialisation, penalties, 32-bit numbers."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from caedsl.importing.errors import UnsupportedFeature
from caedsl.importing.keras.topology import is_custom
from caedsl.vocabulary import initialisations
from caedsl.vocabulary.activations import Activation
from caedsl.vocabulary.initialisations import STD
from caedsl.vocabulary.kernel_options import INIT, L1, L2
from caedsl.vocabulary.option import Option
from caedsl.vocabulary.spelling import number_text

Config = Mapping[str, Any]

ACTIVATIONS = {
    "relu": "relu",
    "elu": "elu",
    "selu": "selu",
    "gelu": "gelu",
    "silu": "silu",
    "swish": "silu",
    "mish": "mish",
    "softplus": "softplus",
    "tanh": "tanh",
    "sigmoid": "sigmoid",
    "relu6": "relu6",
    "hard_silu": "hardswish",
    "hard_swish": "hardswish",
    "hard_sigmoid": "hardsigmoid",
    "hard_tanh": "hardtanh",
}
"""Activations of Keras that are the same function, and their words."""
INITIALISATIONS = {
    "GlorotUniform": "glorot",
    "GlorotNormal": "glorot",
    "HeUniform": "he",
    "HeNormal": "he",
    "Orthogonal": "orthogonal",
    "OrthogonalInitializer": "orthogonal",
    "RandomNormal": "normal",
    "TruncatedNormal": "truncated_normal",
}
"""Initialisations of the same variance, and their words."""
_FORBIDDEN = (
    "bias_regularizer",
    "kernel_constraint",
    "bias_constraint",
    "depthwise_constraint",
    "pointwise_constraint",
)


def number(value: Any) -> float:
    """Return a number as its author wrote it: one that was stored in 32 bits has only the digits of these."""
    exact = float(value)
    narrow = np.float32(exact)
    return float(str(narrow)) if float(narrow) == exact else exact


def shown(value: Any) -> str:
    """Return a number in the fewest digits."""
    return number_text(number(value), exact=True)


def activation(value: Any, legacy: bool) -> Activation | None:
    """Return an activation of the language; None for a linear one."""
    if value is None or value == "linear":
        return None
    if isinstance(value, dict):
        if is_custom(value):
            raise UnsupportedFeature(
                f"its activation `{value.get('registered_name')}` is the author's own", "use one of Keras's"
            )
        inner = value.get("config")
        if isinstance(inner, dict):
            return as_layer(str(value.get("class_name")), inner, legacy)
        value = inner
    if value == "leaky_relu":
        return Activation("leaky_relu", 0.2)
    if value == "hard_sigmoid" and legacy:
        return Activation("hardsigmoid", 0.2)
    if value == "linear":
        return None
    word = ACTIVATIONS.get(str(value))
    if word is None:
        raise UnsupportedFeature(
            f"its activation `{value}` is not supported", "the activations are in docs/language.md"
        )
    return Activation(word)


def as_layer(kind: str, config: Config, legacy: bool) -> Activation | None:
    """Return the activation of a layer that does nothing else; None for a linear one."""
    if kind == "LeakyReLU":
        return _leaky(config.get("negative_slope", config.get("alpha", 0.3)))
    if kind == "ELU":
        return Activation("elu", number(config.get("alpha", 1.0)))
    if kind == "ReLU":
        return _relu(config)
    if kind == "Activation":
        return activation(config.get("activation"), legacy)
    plain = {"Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "Elu": "elu", "Silu": "silu", "Gelu": "gelu"}
    if kind in plain and not (kind == "Gelu" and config.get("approximate")):
        return Activation(plain[kind])
    raise UnsupportedFeature(f"its activation `{kind}` is not supported", "the activations are in docs/language.md")


def _leaky(slope: Any) -> Activation:
    return Activation("leaky_relu", number(slope)) if slope else Activation("relu")


def _relu(config: Config) -> Activation:
    top, slope, threshold = (config.get(name) or 0 for name in ("max_value", "negative_slope", "threshold"))
    if threshold or (top and slope):
        raise UnsupportedFeature(
            f"a threshold ({threshold}), or `max_value` with `negative_slope`, is not supported",
            "the closest is `relu`",
        )
    if top:
        return Activation("relu6") if top == 6 else Activation("clip", (0.0, number(top)))
    return _leaky(slope)


def weights_options(config: Config, prefix: str = "kernel") -> dict[Option, Any]:
    """Return the options of a layer's kernel: its initialisation and its penalties."""
    for name in _FORBIDDEN:
        if config.get(name) is not None:
            raise UnsupportedFeature(f"its `{name}` is not supported", "a spec has `l1=` and `l2=` on kernels")
    return _start(config.get(f"{prefix}_initializer")) | penalties(config.get(f"{prefix}_regularizer"))


def _start(value: Any) -> dict[Option, Any]:
    kind, config = class_and_config(value)
    word = INITIALISATIONS.get(kind)
    if word is None:
        return {}
    deviation: dict[Option, Any] = (
        {STD: number(config.get("stddev", 0.05))} if STD in initialisations.INITIALISATIONS[word].own else {}
    )
    return {INIT: word, **deviation}


def penalties(value: Any) -> dict[Option, Any]:
    """Return ``l1=`` and ``l2=`` of a regularizer."""
    if value is None:
        return {}
    kind, config = class_and_config(value)
    if kind.upper() not in ("L1", "L2", "L1L2", "L1_L2"):
        raise UnsupportedFeature(f"its regularizer `{kind}` is not supported", "a spec has `l1=` and `l2=`")
    return {option: number(config[option.name]) for option in (L1, L2) if config.get(option.name)}


def class_and_config(value: Any) -> tuple[str, Config]:
    """Return the class and the configuration of a serialized object."""
    if not isinstance(value, dict):
        return str(value), {}
    config = value.get("config")
    return str(value.get("class_name")), config if isinstance(config, dict) else {}


def per_axis(value: Any, count: int) -> tuple[int, ...]:
    """Return one whole number for each axis."""
    values = tuple(value) if isinstance(value, (list, tuple)) else (value,) * count
    if len(values) != count or not all(isinstance(each, int) and each >= 1 for each in values):
        raise UnsupportedFeature(f"`{value}` does not give {count} axes a size")
    return values

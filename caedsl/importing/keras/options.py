"""Options that many Keras layers have: activation, initialisation, penalties, 32-bit numbers."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from caedsl.importing.errors import UnsupportedFeature
from caedsl.importing.keras.topology import is_custom
from caedsl.importing.spelling import number

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


def shown(value: Any) -> str:
    """Return a number in the fewest digits; a number that was stored in 32 bits has only the digits of these."""
    exact = float(value)
    narrow = np.float32(exact)
    return number(float(str(narrow)) if float(narrow) == exact else exact)


def activation(value: Any, legacy: bool) -> tuple[str, str] | None:
    """Return the word of an activation and its options; None for a linear one."""
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
        return "leaky_relu", "0.2"
    if value == "hard_sigmoid" and legacy:
        return "hardsigmoid", "0.2"
    word = ACTIVATIONS.get(str(value))
    if value == "linear":
        return None
    if word is None:
        raise UnsupportedFeature(
            f"its activation `{value}` is not supported", "the activations are in docs/language.md"
        )
    return word, ""


def as_layer(kind: str, config: Config, legacy: bool) -> tuple[str, str] | None:
    """Return the word and the options of an activation that is a layer."""
    if kind == "LeakyReLU":
        slope = config.get("negative_slope", config.get("alpha", 0.3))
        return ("relu", "") if not slope else ("leaky_relu", shown(slope))
    if kind == "ELU":
        alpha = config.get("alpha", 1.0)
        return "elu", "" if alpha == 1 else shown(alpha)
    if kind == "ReLU":
        return _relu(config)
    if kind == "Activation":
        return activation(config.get("activation"), legacy)
    plain = {"Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "Elu": "elu", "Silu": "silu", "Gelu": "gelu"}
    if kind in plain and not (kind == "Gelu" and config.get("approximate")):
        return plain[kind], ""
    raise UnsupportedFeature(f"its activation `{kind}` is not supported", "the activations are in docs/language.md")


def _relu(config: Config) -> tuple[str, str]:
    top, slope, threshold = (config.get(name) or 0 for name in ("max_value", "negative_slope", "threshold"))
    if threshold or (top and slope):
        raise UnsupportedFeature(
            f"a threshold ({threshold}), or `max_value` with `negative_slope`, is not supported",
            "the closest is `relu`",
        )
    if top:
        return ("relu6", "") if top == 6 else ("clip", f"0..{shown(top)}")
    return ("leaky_relu", shown(slope)) if slope else ("relu", "")


def weights_options(config: Config, prefix: str = "kernel") -> str:
    """Return the options of a layer's kernel: its initialisation and its penalties."""
    for name in _FORBIDDEN:
        if config.get(name) is not None:
            raise UnsupportedFeature(f"its `{name}` is not supported", "a spec has `l1=` and `l2=` on kernels")
    return " ".join(
        filter(None, (_start(config.get(f"{prefix}_initializer")), *penalties(config.get(f"{prefix}_regularizer"))))
    )


def _start(value: Any) -> str:
    kind, config = _object(value)
    word = INITIALISATIONS.get(kind)
    if word in ("normal", "truncated_normal"):
        std = config.get("stddev", 0.05)
        return f"init={word}" if std == 0.02 else f"init={word} std={shown(std)}"
    return f"init={word}" if word else ""


def penalties(value: Any) -> tuple[str, ...]:
    """Return ``l1=`` and ``l2=`` of a regularizer."""
    if value is None:
        return ()
    kind, config = _object(value)
    if kind.upper() not in ("L1", "L2", "L1L2", "L1_L2"):
        raise UnsupportedFeature(f"its regularizer `{kind}` is not supported", "a spec has `l1=` and `l2=`")
    amounts = {name: config.get(name) or 0 for name in ("l1", "l2")}
    return tuple(f"{name}={shown(amount)}" for name, amount in amounts.items() if amount)


def _object(value: Any) -> tuple[str, Config]:
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

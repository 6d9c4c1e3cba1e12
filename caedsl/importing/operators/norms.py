"""PyTorch's normalisations as layers."""

from collections.abc import Mapping
from typing import Any

from caedsl.importing.errors import UnsupportedFeature
from caedsl.importing.operators.graph import AtenNode
from caedsl.importing.operators.translation import Translation, shaped
from caedsl.vocabulary.norms import AFFINE, EPS, GROUPS, MOMENTUM_OPTION, NORM
from caedsl.vocabulary.option import Option
from caedsl.vocabulary.shape import is_map


def batch_norm(translation: Translation, node: AtenNode) -> None:
    """Translate ``batch_norm``."""
    args = node.args
    if args["running_mean"] is None:
        raise UnsupportedFeature("it keeps no running averages (track_running_stats=False)", "`norm=batch` keeps them")
    roles = {role: args[role] for role in ("weight", "bias", "running_mean", "running_var")}
    _norm(translation, node, "batch", roles, {MOMENTUM_OPTION: args["momentum"]})


def instance_norm(translation: Translation, node: AtenNode) -> None:
    """Translate ``instance_norm``."""
    if node.args["running_mean"] is not None:
        raise UnsupportedFeature("it keeps running averages (track_running_stats=True)", "`norm=instance` has none")
    _norm(translation, node, "instance", {role: node.args[role] for role in ("weight", "bias")})


def group_norm(translation: Translation, node: AtenNode) -> None:
    """Translate ``group_norm``; a single group is a layer normalisation."""
    groups, roles = node.args["num_groups"], {role: node.args[role] for role in ("weight", "bias")}
    if groups == 1:
        _norm(translation, node, "layer", roles)
    else:
        _norm(translation, node, "group", roles, {GROUPS: groups})


def layer_norm(translation: Translation, node: AtenNode) -> None:
    """Translate ``layer_norm`` over a vector, or over a whole map without weights."""
    shape, normalised = translation.shape_of(translation.key(node.args["input"])), tuple(node.args["normalized_shape"])
    if normalised != shape or (is_map(shape) and node.args["weight"] is not None):
        raise UnsupportedFeature(
            f"it normalises {shaped(normalised)} of {shaped(shape)}, with a weight for each number",
            "`norm=layer` has a weight for each channel",
        )
    _norm(translation, node, "layer", {role: node.args[role] for role in ("weight", "bias")})


def rms_norm(translation: Translation, node: AtenNode) -> None:
    """Translate ``rms_norm`` over a vector."""
    shape = translation.shape_of(translation.key(node.args["input"]))
    if len(shape) != 1 or tuple(node.args["normalized_shape"]) != shape:
        raise UnsupportedFeature(
            f"it normalises a part of {shaped(shape)}", "`norm=rms` normalises the channels at each position"
        )
    weights = translation.weights(node, weight=node.args["weight"])
    eps = node.args["eps"] if node.args["eps"] is not None else 1.1920928955078125e-07
    translation.add(
        node,
        "norm",
        {NORM: "rms", AFFINE: "weight" in weights, EPS: eps},
        [translation.key(node.args["input"])],
        weights,
    )


def _norm(
    translation: Translation, node: AtenNode, norm: str, roles: dict[str, Any], own: Mapping[Option, Any] | None = None
) -> None:
    weights = translation.weights(node, **roles)
    if ("weight" in weights) != ("bias" in weights):
        raise UnsupportedFeature(
            "it has a scale without a shift", f"`norm={norm}` has both, or neither with `affine=off`"
        )
    options = {NORM: norm, AFFINE: "weight" in weights, EPS: node.args["eps"], **(own or {})}
    translation.add(node, "norm", options, [translation.key(node.args["input"])], weights)

"""PyTorch's normalisations as layers."""

from typing import Any

from caedsl.importing import spelling
from caedsl.importing.errors import UnsupportedFeature
from caedsl.importing.operators.graph import AtenNode
from caedsl.importing.operators.translation import Translation, shaped
from caedsl.vocabulary.shape import is_map


def batch_norm(t: Translation, node: AtenNode) -> None:
    """Translate ``batch_norm``."""
    args = node.args
    if args["running_mean"] is None:
        raise UnsupportedFeature("it keeps no running averages (track_running_stats=False)", "`norm=batch` keeps them")
    roles = {role: args[role] for role in ("weight", "bias", "running_mean", "running_var")}
    _norm(t, node, "batch", roles, momentum=args["momentum"])


def instance_norm(t: Translation, node: AtenNode) -> None:
    """Translate ``instance_norm``."""
    if node.args["running_mean"] is not None:
        raise UnsupportedFeature("it keeps running averages (track_running_stats=True)", "`norm=instance` has none")
    _norm(t, node, "instance", {role: node.args[role] for role in ("weight", "bias")})


def group_norm(t: Translation, node: AtenNode) -> None:
    """Translate ``group_norm``; a single group is a layer normalisation."""
    groups = node.args["num_groups"]
    kind = "layer" if groups == 1 else "group"
    _norm(t, node, kind, {role: node.args[role] for role in ("weight", "bias")}, groups=groups)


def layer_norm(t: Translation, node: AtenNode) -> None:
    """Translate ``layer_norm`` over a vector, or over a whole map without weights."""
    shape, normalised = t.shape_of(t.key(node.args["input"])), tuple(node.args["normalized_shape"])
    if normalised != shape or (is_map(shape) and node.args["weight"] is not None):
        raise UnsupportedFeature(
            f"it normalises {shaped(normalised)} of {shaped(shape)}, with a weight for each number",
            "`norm=layer` has a weight for each channel",
        )
    _norm(t, node, "layer", {role: node.args[role] for role in ("weight", "bias")})


def rms_norm(t: Translation, node: AtenNode) -> None:
    """Translate ``rms_norm`` over a vector."""
    shape = t.shape_of(t.key(node.args["input"]))
    if len(shape) != 1 or tuple(node.args["normalized_shape"]) != shape:
        raise UnsupportedFeature(
            f"it normalises a part of {shaped(shape)}", "`norm=rms` normalises the channels at each position"
        )
    weights = t.weights(node, weight=node.args["weight"])
    eps = node.args["eps"] if node.args["eps"] is not None else 1.1920928955078125e-07
    options = spelling.norm("rms", affine="weight" in weights, eps=eps)
    t.add(node, "norm", options, [t.key(node.args["input"])], weights)


def _norm(
    t: Translation, node: AtenNode, kind: str, roles: dict[str, Any], *, momentum: float = 0.1, groups: int = 8
) -> None:
    weights = t.weights(node, **roles)
    if ("weight" in weights) != ("bias" in weights):
        raise UnsupportedFeature(
            "it has a scale without a shift", f"`norm={kind}` has both, or neither with `affine=off`"
        )
    options = spelling.norm(kind, affine="weight" in weights, eps=node.args["eps"], momentum=momentum, groups=groups)
    t.add(node, "norm", options, [t.key(node.args["input"])], weights)

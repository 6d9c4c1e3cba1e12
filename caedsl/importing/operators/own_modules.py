"""Modules defined in an emitted file, recognised by class and parameters, and read as one layer each."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from caedsl.importing.errors import UnsupportedFeature
from caedsl.importing.network import Array
from caedsl.importing.operators.graph import AtenNode
from caedsl.importing.operators.translation import Translation
from caedsl.vocabulary.code_kinds import CODEBOOK, EMA, GRADIENT, UPDATE
from caedsl.vocabulary.layers.attention import HEADS
from caedsl.vocabulary.layers.gdn import INVERSE
from caedsl.vocabulary.layers.scale import LEARNED, SCALING
from caedsl.vocabulary.layers.squeeze_excitation import REDUCTION
from caedsl.vocabulary.norms import AFFINE, EPS, NORM
from caedsl.vocabulary.option import Option
from caedsl.vocabulary.shape import Shape
from caedsl.vocabulary.sparse_codes import TOPK

KindAndOptions = tuple[str, Mapping[Option, Any]]
"""Kind of a layer, and its options."""


class OwnModule(NamedTuple):
    """Nodes that run in one module of the emitted file, and its path."""

    path: str
    name: str
    nodes: tuple[AtenNode, ...]


def _gdn(module: OwnModule, weights: Mapping[str, Array], shape: Shape) -> KindAndOptions:
    return "gdn", {INVERSE: all(node.base != "rsqrt" for node in module.nodes)}


def _squeeze(module: OwnModule, weights: Mapping[str, Array], shape: Shape) -> KindAndOptions:
    return "se", {REDUCTION: shape[0] // len(weights["squeeze.weight"])}


def _attention(module: OwnModule, weights: Mapping[str, Array], shape: Shape) -> KindAndOptions:
    split = next(node for node in module.nodes if node.base in ("unflatten", "view", "reshape"))
    sizes = split.args.get("sizes", split.args.get("size"))
    return "attention", {HEADS: sizes[-2] if sizes else 1}


def _rms(module: OwnModule, weights: Mapping[str, Array], shape: Shape) -> KindAndOptions:
    return "norm", {NORM: "rms", AFFINE: "weight" in weights, EPS: _added(module)}


def _channel(module: OwnModule, weights: Mapping[str, Array], shape: Shape) -> KindAndOptions:
    return "norm", {NORM: "channel", AFFINE: "weight" in weights, EPS: _added(module)}


def _added(module: OwnModule) -> Any:
    """Return the number that the module adds first."""
    return next(node.args["other"] for node in module.nodes if node.base == "add")


def _scale(module: OwnModule, weights: Mapping[str, Array], shape: Shape) -> KindAndOptions:
    if "weight" in weights:
        return "scale", {SCALING: float(weights["weight"][0]), LEARNED: True}
    return "scale", {SCALING: float(next(node.args["other"] for node in module.nodes if node.base == "mul"))}


def _quantizer(module: OwnModule, weights: Mapping[str, Array], shape: Shape) -> KindAndOptions:
    return "quantized", {CODEBOOK: (len(weights["codebook"]),), UPDATE: EMA.name if "taken" in weights else GRADIENT}


def _topk(module: OwnModule, weights: Mapping[str, Array], shape: Shape) -> KindAndOptions:
    return TOPK.name, {TOPK: next(node.args["k"] for node in module.nodes if node.base == "topk")}


def _preprocessing(module: OwnModule, weights: Mapping[str, Array], shape: Shape) -> KindAndOptions:
    raise UnsupportedFeature(
        "it preprocesses samples, which a spec states in its `data` line",
        "write `normalize=gcn` or `normalize=instance` on that line, and import only the rest",
    )


_Reader = Callable[[OwnModule, Mapping[str, Array], Shape], KindAndOptions]
_READERS: dict[str, tuple[frozenset[str], _Reader]] = {
    "GDN": (frozenset({"beta", "gamma"}), _gdn),
    "SqueezeExcitation": (
        frozenset({"squeeze.weight", "squeeze.bias", "excite.weight", "excite.bias"}),
        _squeeze,
    ),
    "SelfAttention": (
        frozenset({"query_key_value.weight", "query_key_value.bias", "output.weight", "output.bias"}),
        _attention,
    ),
    "ChannelRMSNorm": (frozenset({"weight"}), _rms),
    "ChannelLayerNorm": (frozenset({"weight", "bias"}), _channel),
    "Scale": (frozenset({"weight"}), _scale),
    "TopK": (frozenset(), _topk),
    "SampleNormalise": (frozenset({"offset", "scale"}), _preprocessing),
    "Normalise": (frozenset({"offset", "scale"}), _preprocessing),
    "Quantizer": (frozenset({"codebook", "taken"}), _quantizer),
}
"""For each class, its parameters and buffers (some may be missing), and its reader."""


def own_modules(translation: Translation) -> dict[str, OwnModule]:
    """Return the modules, by the name of each of their nodes."""
    groups: dict[tuple[str, str], list[AtenNode]] = {}
    for node in translation.graph.nodes:
        for path, kind in node.scopes:
            name = kind.rpartition(".")[2]
            if name in _READERS and not kind.startswith("torch.nn."):
                groups.setdefault((path, name), []).append(node)
                break
    found: dict[str, OwnModule] = {}
    for (path, name), nodes in groups.items():
        if _weights(translation, path).keys() <= _READERS[name][0]:
            module = OwnModule(path, name, tuple(nodes))
            found.update({output: module for node in nodes for output in node.outputs})
    return found


def add_own(translation: Translation, module: OwnModule) -> None:
    """Add the layer of a module when its last node is reached."""
    inside = {name for node in module.nodes for name in node.outputs}
    outside = [name for node in module.nodes for name in node.refs if name not in inside]
    inputs = [name for name in dict.fromkeys(outside) if name not in translation.graph.tensors]
    last = module.nodes[-1]
    if len(inputs) != 1:
        raise UnsupportedFeature(f"a {module.name} that reads {len(inputs)} outputs", "")
    key, weights = translation.keys[inputs[0]], _weights(translation, module.path)
    try:
        kind, options = _READERS[module.name][1](module, weights, translation.shape_of(key))
    except (StopIteration, KeyError, TypeError):
        raise UnsupportedFeature(f"a {module.name} that differs from the one in emitted files", "") from None
    made = translation.add(last, kind, options, [key], weights)
    translation.replace(made, name=module.path)


def _weights(translation: Translation, path: str) -> dict[str, Array]:
    start = f"{path}."
    named = {
        own.removeprefix(start): placeholder
        for placeholder, own in translation.graph.parameters.items()
        if own.startswith(start)
    }
    return {
        role: translation.graph.tensors[placeholder].detach().float().numpy() for role, placeholder in named.items()
    }

"""PyTorch modules: exported in memory by ``torch.export``, and read like its files."""

import copy
import io
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import nn
from torch.nn.utils.parametrizations import _WeightNorm
from torch.nn.utils.parametrize import remove_parametrizations

from caedsl.importing.errors import ImportFailure
from caedsl.importing.network import Array, ForeignLayer, Network, with_frozen
from caedsl.importing.operators.aten import network_of
from caedsl.importing.operators.graph import AtenGraph
from caedsl.importing.torch.archive import read_archive
from caedsl.model.data import InputRange
from caedsl.vocabulary.kernel_options import WEIGHT_NORM
from caedsl.vocabulary.shape import MOST_AXES, Shape, text

_BATCH = 2


def module_network(module: nn.Module, shape: Sequence[int], values: InputRange = InputRange()) -> Network:
    """Return the network of a module for samples of ``shape``; raise ``ImportFailure`` if a spec cannot express it.

    ``values`` is the range of the samples' values. The module is first read in train mode, which shows its dropout and
    its noise, and otherwise in eval mode.
    """
    _require_module(module)
    name = type(module).__name__
    sample = _sample_shape(name, shape)
    own = _copy(module, name)
    normed = _plain_kernels(own)
    try:
        network = network_of(_graph(own.train(), sample, name), name, values)
    except ImportFailure:
        network = network_of(_graph(own.eval(), sample, name), name, values)
    layers = (_normed(layer, normed[layer.name]) if layer.name in normed else layer for layer in network.layers)
    network = replace(network, layers=tuple(layers))
    return with_frozen(network, (path for path, weight in own.named_parameters() if not weight.requires_grad))


def _require_module(given: object) -> None:
    if not isinstance(given, nn.Module):
        made = f"{given.__name__}(...)" if isinstance(given, type) else "a torch.nn.Module"
        raise ImportFailure(f"{str(given)[:80]} was not imported: it is not a module; give {made}")


def _plain_kernels(module: nn.Module) -> dict[str, dict[str, Array]]:
    """Replace kernels that are stored as direction and length by plain ones; return both by the path of the module."""
    normed: dict[str, dict[str, Array]] = {}
    for path, each in list(module.named_modules()):
        if not _has_weight_norm(each):
            continue
        state = each.state_dict().items()
        normed[path] = {role: value.numpy().copy() for role, value in state if role.startswith("parametrizations.")}
        # A copy shares the class, whose property `weight` is removed, with the author's module.
        own = {name: value for name, value in vars(type(each)).items() if name not in ("__dict__", "__weakref__")}
        each.__class__ = type(type(each).__name__, type(each).__bases__, own)
        remove_parametrizations(each, "weight")
    return normed


def _has_weight_norm(module: nn.Module) -> bool:
    """Return whether only the lengths along the first axis of the weight are learned separately."""
    kinds = getattr(module, "parametrizations", {})
    steps = list(kinds["weight"]) if "weight" in kinds else []
    return len(kinds) == 1 and [getattr(each, "dim", None) for each in steps if isinstance(each, _WeightNorm)] == [0]


def _normed(layer: ForeignLayer, parts: dict[str, Array]) -> ForeignLayer:
    if "weight" not in layer.weights:
        return layer
    return replace(layer, options=layer.options.changed({WEIGHT_NORM: True}), weights={**layer.weights, **parts})


def _sample_shape(name: str, shape: Sequence[int] | torch.Tensor) -> Shape:
    sizes = tuple(shape) if isinstance(shape, Sequence | torch.Tensor) else ()
    if not sizes or len(sizes) > MOST_AXES + 1 or any(not isinstance(size, int) or size < 1 for size in sizes):
        given = f"a tensor of shape {tuple(shape.shape)}" if isinstance(shape, torch.Tensor) else repr(shape)
        raise ImportFailure(
            f"{name} was not imported: its input is given as {given}, but a sample is channels and sizes without the "
            "batch, such as (1, 28, 28)"
        )
    return sizes


def _copy(module: nn.Module, name: str) -> nn.Module:
    """Return a copy in 32-bit numbers on the CPU, so that the author's module does not change."""
    lazy = [each for each in module.parameters() if nn.parameter.is_lazy(each)]
    if lazy:
        raise ImportFailure(f"{name} was not imported: it has lazy layers without weights; call it on a batch first")
    try:
        return copy.deepcopy(module).float().cpu()
    except (RuntimeError, TypeError) as error:
        raise ImportFailure(
            f"{name} was not imported: it cannot be copied ({_first(error)}); remove weight normalisation "
            "(`nn.utils.parametrize.remove_parametrizations`) and tensors that are part of a graph (`tensor.detach()`)"
        ) from None


def _graph(module: nn.Module, shape: Shape, name: str) -> AtenGraph:
    sample = torch.zeros(_BATCH, *shape)
    _try(module, sample, name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.export.export(module, (sample,))
            content = io.BytesIO()
            torch.export.save(program, content)
    except Exception as error:  # torch.export raises errors of many kinds, its own and those of the module
        raise ImportFailure(
            f"{name} was not imported: torch.export cannot follow its forward ({_first(error)}); it needs a forward "
            "whose steps do not depend on the numbers in x, with one tensor as input"
        ) from None
    return read_archive(content.getvalue(), name)


def _try(module: nn.Module, sample: torch.Tensor, name: str) -> None:
    """Run the module on a batch; raise ``ImportFailure``, which names the layer that fails."""
    entered_paths: list[str] = []
    names = {id(each): path for path, each in module.named_modules() if path}

    def entered(each: nn.Module, _: object) -> None:
        entered_paths.append(names.get(id(each), ""))

    def left(each: nn.Module, _: object, __: object) -> None:
        entered_paths.pop()

    hooks = [
        hook
        for each in module.modules()
        if id(each) in names
        for hook in (each.register_forward_pre_hook(entered), each.register_forward_hook(left))
    ]
    state = copy.deepcopy(module.state_dict())
    try:
        with torch.no_grad():
            output = module(sample)
    except Exception as error:  # the module is the author's, and may raise anything
        place = f"its layer {entered_paths[-1]} fails" if entered_paths else "it fails"
        shape = text(tuple(sample.shape[1:]))
        grey = sample.dim() == 3
        hint = f"; an image of one channel is (1, {', '.join(map(str, sample.shape[1:]))})" if grey else ""
        raise ImportFailure(
            f"{name} was not imported: {place} on samples of {shape} ({_first(error)}); correct the module, or give "
            f"the shape that it takes{hint}"
        ) from None
    finally:
        for hook in hooks:
            hook.remove()
        module.load_state_dict(state)
    if not isinstance(output, torch.Tensor | Sequence | Mapping):
        raise ImportFailure(
            f"{name} was not imported: its forward returns an object of class {type(output).__name__}; return a "
            "tensor, or a tuple or dictionary of tensors"
        )


def _first(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0]}"[:300] if lines else type(error).__name__

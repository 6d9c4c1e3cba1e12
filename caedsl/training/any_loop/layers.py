"""Find the layers of a module that caedsl did not build, by running it once."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.overrides import TorchFunctionMode

from caedsl.backends.torch.program import WEIGHTED
from caedsl.training.monitors.engine.observation import LayerFacts
from caedsl.training.monitors.engine.probe import in_eval_mode, reconstruction_in
from caedsl.vocabulary import norms
from caedsl.vocabulary.activations import FUNCTIONS
from caedsl.vocabulary.option import REQUIRED

_NORMS = {
    "BatchNorm": norms.BATCH,
    "InstanceNorm": norms.INSTANCE,
    "LayerNorm": norms.LAYER,
    "GroupNorm": norms.GROUP,
}
_REARRANGING = ("Flatten", "Unflatten", "Identity", "PixelShuffle", "PixelUnshuffle", "ChannelShuffle")
"""Classes in ``torch.nn`` that return the values they are given."""
_KINDS = {"ConvTranspose": "deconv", "Conv": "conv", "Linear": "dense"}
_WORDS = {
    call.name: function.name
    for function in reversed(tuple(FUNCTIONS.values()))
    if function.option is None or function.option.default is not REQUIRED
    for call in function.torch(function.option.default if function.option is not None else None, 1)
}
"""Name of each activation in the language, by its class in ``torch.nn``."""
_CLASSES = {word: name for name, word in _WORDS.items()}


@dataclass(frozen=True)
class ModuleLayer:
    """Module together with the normalisation, activation and dropout that follow it.

    ``paths`` are the paths of these modules in the whole module, ``facts`` has the layer as a spec writes it, and
    ``shape`` is the shape of its output without the batch. If a function computes the activation from the output of the
    last module, ``called`` is the matching class in ``torch.nn``, such as ``ReLU`` for ``F.relu``; otherwise it is
    empty.
    """

    paths: tuple[str, ...]
    facts: LayerFacts
    shape: tuple[int, ...]
    called: str = ""


@dataclass(frozen=True)
class Layout:
    """Layers in the order of computation.

    ``output`` and ``code`` are indices of layers, or None; ``code_path`` is the path of the module that returns the
    code, and ``code_size`` the number of values in it.
    """

    layers: tuple[ModuleLayer, ...]
    output: int | None
    code: int | None
    code_path: str
    code_size: int


def layout_of(module: nn.Module, sample: Tensor, target: Tensor, code: str | None) -> Layout:
    """Return the layers of ``module`` in the order in which they process ``sample``.

    ``code`` is the path of the module that returns the code; by default it is the last module of the layer with the
    smallest output. Raise ``ValueError`` if ``code`` is not such a path or the output does not have the shape of
    ``target``.
    """
    names = {part: name for name, part in module.named_modules()}
    ran: list[tuple[str, nn.Module, tuple[int, ...]]] = []
    shapes: dict[str, tuple[int, ...]] = {}
    functions = _CalledActivations()

    def begin(part: nn.Module, inputs: Any) -> None:
        functions.inside += 1

    def note(part: nn.Module, inputs: Any, output: Any) -> None:
        functions.inside -= not any(part.children())
        if isinstance(output, Tensor) and output.dim() > 1:
            shapes[names[part]] = tuple(output.shape[1:])
            if not any(part.children()) and not isinstance(part, (nn.Sequential, nn.Identity)):
                ran.append((names[part], part, tuple(output.shape[1:])))
                functions.output = names[part], output

    with ExitStack() as stack:
        for part in names:
            stack.callback(part.register_forward_hook(note).remove)
            if not any(part.children()):
                stack.callback(part.register_forward_pre_hook(begin).remove)
        stack.enter_context(functions)
        stack.enter_context(in_eval_mode(module))
        stack.enter_context(torch.no_grad())
        copies = {name: buffer.clone() for name, buffer in module.named_buffers()}
        made = reconstruction_in(_called(module, copies, sample), target)
        if made.shape != target.shape:
            raise ValueError(
                f"the module returns {tuple(made.shape[1:])} for a sample, but should return "
                f"{tuple(target.shape[1:])}: pass the expected output as `target`"
            )
    layers = _grouped(ran, functions.found)
    if not layers:
        raise ValueError("the module has no layers, so there is nothing to watch")
    return _placed(layers, shapes, tuple(target.shape[1:]), code)


def _called(module: nn.Module, buffers: Mapping[str, Tensor], sample: Tensor) -> Any:
    try:
        return functional_call(module, dict(buffers), (sample,))
    except (RuntimeError, TypeError, ValueError) as error:
        shape = "x".join(map(str, sample.shape[1:]))
        raise ValueError(
            f"the module fails on samples of {shape} of type {sample.dtype} ({type(error).__name__}: "
            f"{(str(error).splitlines() or [''])[0][:200]}): pass the samples that the module gets"
        ) from error


class _CalledActivations(TorchFunctionMode):
    """Recorder of activations that are called as functions on the output of a module, by the path of that module.

    ``inside`` is positive while a leaf module runs, whose own function calls do not count. ``output`` is the path and
    the output of the last leaf module.
    """

    def __init__(self) -> None:
        super().__init__()
        self.inside = 0
        self.output: tuple[str, Tensor] | None = None
        self.found: dict[str, str] = {}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        word = getattr(func, "__name__", "").rstrip("_")
        if self.output is not None and not self.inside and word in _CLASSES and args and args[0] is self.output[1]:
            self.found[self.output[0]] = word
            self.output = None
        return made


def _placed(
    layers: tuple[ModuleLayer, ...], shapes: dict[str, tuple[int, ...]], sample: tuple[int, ...], code: str | None
) -> Layout:
    if code is not None and code not in shapes:
        known = ", ".join(name for name in shapes if name and "." not in name)
        raise ValueError(f"code={code!r} is not a module that returns one tensor: choose one of {known}")
    smallest = min(range(len(layers)), key=lambda number: prod(layers[number].shape))
    path = code if code is not None else layers[smallest].paths[-1]
    inside = [number for number, layer in enumerate(layers) if any(_below(each, path) for each in layer.paths)]
    valued = (n for n in reversed(range(len(layers))) if layers[n].facts.words not in _REARRANGING)
    output = next((n for n in valued if prod(layers[n].shape) == prod(sample)), None)
    return Layout(layers, output, inside[-1] if inside else None, path, prod(shapes[path]))


def _below(path: str, owner: str) -> bool:
    return path == owner or path.startswith(f"{owner}.")


def _grouped(
    ran: Sequence[tuple[str, nn.Module, tuple[int, ...]]], called: Mapping[str, str]
) -> tuple[ModuleLayer, ...]:
    """Group modules into layers. Modules that run more than once are left out, since they are not a single layer."""
    used = [path for path, _, _ in ran]
    layers: list[ModuleLayer] = []
    for path, part, shape in ran:
        if used.count(path) > 1:
            continue
        finished = _finished(layers[-1].facts, part) if layers else None
        if finished is None:
            layers.append(ModuleLayer((path,), LayerFacts(_words(part, shape), shape[0]), shape))
        else:
            facts = finished._replace(units=shape[0])
            layers[-1] = ModuleLayer((*layers[-1].paths, path), facts, shape)
        if path in called:
            facts = _activated(layers[-1].facts, called[path])
            layers[-1] = replace(layers[-1], facts=facts, called=_CLASSES[called[path]])
    return tuple(layers)


def _finished(layer: LayerFacts, part: nn.Module) -> LayerFacts | None:
    """Return a layer with what a module after it adds to its line, or None if that is a layer of its own."""
    name = type(part).__name__
    if isinstance(part, nn.modules.dropout._DropoutNd):
        return _with(layer, f"dropout={part.p:g}", drops=part.p > 0)
    if norm := next((norm for start, norm in _NORMS.items() if name.startswith(start)), None):
        momentum = getattr(part, "momentum", norms.MOMENTUM)
        return _with(layer, f"norm={norm.name}", norm=norm, own_momentum=momentum != norms.MOMENTUM)
    return _activated(layer, _WORDS[name]) if name in _WORDS else None


def _activated(layer: LayerFacts, word: str) -> LayerFacts:
    return _with(layer, word, function=FUNCTIONS[word])


def _with(layer: LayerFacts, word: str, **changes: Any) -> LayerFacts:
    return layer._replace(words=f"{layer.words} {word}".strip(), **changes)


def _words(part: nn.Module, shape: tuple[int, ...]) -> str:
    name = type(part).__name__
    if name in WEIGHTED:
        return f"{next(word for start, word in _KINDS.items() if name.startswith(start))} {shape[0]}"
    return name

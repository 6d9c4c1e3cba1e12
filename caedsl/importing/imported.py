"""Imported model: the spec, the module with the original's weights, and the difference of their outputs."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from safetensors.torch import save
from torch import nn
from torch.nn.utils.parametrize import is_parametrized

from caedsl.backends.torch.instantiate import ConvolutionalAutoencoder, build
from caedsl.backends.torch.lower import lower
from caedsl.diagnostics.finding import Severity
from caedsl.facts.cost import BYTES, total_parameters
from caedsl.importing.errors import ImportFailure
from caedsl.importing.network import Array, Network
from caedsl.importing.writing import WrittenSpec, model_of, write
from caedsl.machine.memory import available_memory
from caedsl.model.autoencoder import Autoencoder
from caedsl.public import PublicNames
from caedsl.vocabulary.shape import elements, text

TOLERANCE = 1e-5
"""Largest allowed difference of outputs, relative to the largest output if that is above 1."""
ROUNDINGS, MOST_ROUNDING = 10, 1e-2
"""Largest difference of outputs that differ more: in multiples of what 32 bits round away from the spec's own, since
another order of sums rounds otherwise, and relative to the largest output, beyond which a comparison shows nothing."""
_SAMPLES = 4


@dataclass(frozen=True, eq=False)
class ImportedModel(PublicNames):
    """Imported model.

    ``spec`` is the formatted text, and ``module`` computes what the original computes. ``difference`` is the largest
    difference between their outputs on random samples. ``notes`` say what was decided: where the code is, and what the
    original does that a spec cannot say. Weights of ``module`` that the original does not train need no gradient.
    """

    spec: str
    model: Autoencoder
    module: ConvolutionalAutoencoder
    difference: float
    notes: tuple[str, ...]
    written: WrittenSpec

    @cached_property
    def layers(self) -> dict[int, tuple[str, ...]]:
        """The author's names of the layers, by their line in the spec, counted from 1."""
        return {self.spec.count("\n", 0, start) + 1: names for start, names in self.written.places}

    @cached_property
    def modules(self) -> dict[str, str]:
        """The author's names of the layers, by the path of the module that each became."""
        paths = {id(origin.layer): origin.paths for origin in lower(self.model).origins}
        return {
            path: line.layers[0].name
            for line, layers in self.written.placed(self.model)
            for layer in layers
            for path in paths.get(id(layer), ())
        }

    def __repr__(self) -> str:
        shapes = f"{text(self.model.input.shape)} to {text(self.model.code_shape)}"
        return f"<ImportedModel {self.model.name}: {shapes}, outputs differ by {self.difference:.1g}>"


def imported(network: Network, seed: int = 0) -> ImportedModel:
    """Return the model of a foreign network; raise ``ImportFailure`` if it cannot be rebuilt faithfully."""
    written, model, module = rebuilt(network)
    comparison = _compared(network, module, seed)
    errors = [each for each in written.checked.findings if each.severity is Severity.ERROR]
    error_notes = [f"`caedsl check` finds that it will not learn ({each.name}): {each.message}" for each in errors]
    notes = (*written.notes, *comparison.notes, *error_notes)
    return ImportedModel(written.text, model, module, comparison.difference, notes, written)


def rebuilt(network: Network) -> tuple[WrittenSpec, Autoencoder, ConvolutionalAutoencoder]:
    """Return the spec, the model and the module with the weights of a foreign network, without comparing outputs."""
    written = write(network)
    model = model_of(network, written)
    _check_size(network, model)
    module = build(model)
    _give_weights(network, written, model, module)
    return written, model, module.eval()


def _check_size(network: Network, model: Autoencoder) -> None:
    """Reject a network whose description needs more weights than it has, or more memory than there is."""
    available_weights = sum(array.size for layer in network.layers for array in layer.weights.values())
    needed_weights = total_parameters(model)
    if needed_weights > available_weights:
        raise ImportFailure(
            f"{network.name} was not imported: its description asks for {needed_weights:,} weights, and "
            f"it has {available_weights:,}"
        )
    outputs = elements(model.input.shape) + sum(elements(layer.out_shape) for _, layer in model.layers())
    needed_bytes, available_bytes = BYTES * (needed_weights + _SAMPLES * outputs), available_memory()
    if available_bytes is not None and needed_bytes > available_bytes:
        raise ImportFailure(
            f"{network.name} was not imported: comparing its outputs takes {needed_bytes:,} bytes of memory, and "
            f"{available_bytes:,} are available"
        )


def weights_bytes(module: ConvolutionalAutoencoder) -> bytes:
    """Return the weights of a module as a safetensors file, which ``train(weights=...)`` and ``open`` read."""
    made: bytes = save({name: tensor.contiguous() for name, tensor in module.state_dict().items()})
    return made


def _give_weights(network: Network, written: WrittenSpec, model: Autoencoder, module: ConvolutionalAutoencoder) -> None:
    paths = {id(origin.layer): origin.paths for origin in lower(model).origins}
    for line, layers in written.placed(model):
        own = [path for layer in layers for path in paths.get(id(layer), ())][1 if line.children else 0 :]
        modules = [each for each in map(module.get_submodule, own) if each.state_dict()]
        given = [each for each in line.layers if each.weights]
        if len(modules) != len(given):
            lost = _lost(network, line.layers[0].name, f"{len(given)} sets of weights")
            raise ImportFailure(lost, was_read=True)
        for target, source in zip(modules, given, strict=True):
            _give(network, source.name, target, source.weights)
            for role, weight in target.named_parameters():
                weight.requires_grad_(not network.frozen & {source.name, f"{source.name}.{role}"})


def _give(network: Network, name: str, target: nn.Module, weights: Mapping[str, Array]) -> None:
    tensors = {role: torch.from_numpy(np.array(array)) for role, array in weights.items()}
    if is_parametrized(target, "weight") and "weight" in tensors and tensors["weight"].shape == target.weight.shape:
        tensors |= _direction_and_length(target, tensors)
    own = target.state_dict()
    for role, tensor in own.items():
        if role == "num_batches_tracked":
            tensors.setdefault(role, tensor)
        elif role not in tensors or tensors[role].shape != tensor.shape:
            there = tuple(tensors[role].shape) if role in tensors else "missing"
            raise ImportFailure(_lost(network, name, f"{role}, which is {there} there and {tuple(tensor.shape)} here"))
    target.load_state_dict({role: tensors[role] for role in own})


def _direction_and_length(target: nn.Module, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Set a kernel that is stored as direction and length, from the original's own numbers if they reproduce it."""
    target.load_state_dict({role: tensors[role] for role in target.state_dict() if role in tensors}, strict=False)
    made = target.weight
    assert isinstance(made, torch.Tensor), "a kernel"
    if not torch.allclose(made, tensors["weight"], rtol=1e-5, atol=1e-7):
        target.weight = tensors["weight"]
    return {role: value for role, value in target.state_dict().items() if role.startswith("parametrizations.")}


def _lost(network: Network, name: str, what: str) -> str:
    return f"{network.name} was not imported: {name} has {what}, but the layer of the spec has others"


class _Comparison(NamedTuple):
    """Largest difference between two outputs, and what to say about it."""

    difference: float
    notes: tuple[str, ...] = ()


def _compared(network: Network, module: ConvolutionalAutoencoder, seed: int) -> _Comparison:
    """Compare the two outputs on random samples; raise ``ImportFailure`` if they differ by more than rounding."""
    random = np.random.default_rng(seed)
    samples = random.random((_SAMPLES, *network.input_shape), dtype=np.float32)
    if network.range.ends is not None:
        low, high = network.range.ends
        samples = samples * (high - low) + low
    expected = network.run(samples.astype(np.float32))
    batch = torch.from_numpy(samples.astype(np.float32))
    with torch.no_grad():
        outputs = module(batch).numpy()
    difference, size = float(np.max(np.abs(expected - outputs))), max(1.0, float(np.max(np.abs(expected))))
    if difference <= TOLERANCE * size:
        return _Comparison(difference)
    rounding = _rounding(module, batch, outputs)
    if not difference <= min(MOST_ROUNDING * size, ROUNDINGS * rounding):
        raise ImportFailure(
            f"{network.name} was not imported: the spec's outputs differ from the original's by {difference:.2g} on "
            f"random samples, but {TOLERANCE:g} is allowed; please report it with the model"
        )
    weights = "its weights are so large that rounding to 32 bits changes its outputs"
    return _Comparison(
        difference, (f"{weights} by up to {rounding:.2g}, so that they cannot be compared more closely",)
    )


@torch.no_grad()
def _rounding(module: ConvolutionalAutoencoder, samples: torch.Tensor, outputs: Array) -> float:
    """Return how far ``outputs``, computed in 32 bits, are from those in 64 bits."""
    exact = copy.deepcopy(module).double()(samples.double()).numpy()
    return float(np.max(np.abs(exact - outputs)))

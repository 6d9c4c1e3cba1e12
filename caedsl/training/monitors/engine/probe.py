"""Probe a model: run a few training images forward and backward through the plain module, and measure.

A probe does not change the run: running statistics are written to copies, gradients are returned instead of being
stored on the weights, and random numbers come from a separate stream. No other process takes part: layers that compute
over whole batches see these images alone.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.utils.parametrize import is_parametrized, type_before_parametrizations

from caedsl.backends.torch.draws import Draws
from caedsl.backends.torch.modules import GaussianNoise
from caedsl.backends.torch.program import CODE, WEIGHTED
from caedsl.backends.torch.seeds import derived_seed
from caedsl.data.sample import Sample
from caedsl.data.sample_format import channels_last
from caedsl.training.monitors.engine.observation import LayerProbe, ProbeResult
from caedsl.training.monitors.engine.probed import Located, Probed
from caedsl.training.parallel.processes import ALONE, training_with
from caedsl.training.precision import exact_output
from caedsl.training.sample import make_sample

MOVES = 1e-3
"""A unit of the code moves if its standard deviation over images exceeds this share of the largest one."""

FLAT = 1e-4
"""A sigmoid or tanh counts as flat where its slope is below this; a pixel gets almost no gradient there."""

Watch = Callable[[str, Tensor], None]


def differs_in_eval_mode(module: nn.Module) -> bool:
    """Return whether the module computes differently in eval mode: batch normalisation, dropout, noise."""
    kinds = (nn.modules.batchnorm._BatchNorm, nn.modules.dropout._DropoutNd, GaussianNoise)
    return any(isinstance(part, kinds) for part in module.modules())


@contextmanager
def undisturbed(training: Probed, *purpose: str | int) -> Iterator[Draws]:
    """Derive random numbers from the seed and ``purpose`` within the block, and keep PyTorch's own random state.

    Within the block, this process counts as training alone.
    """
    device = training.train.device
    with training_with(ALONE), torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(derived_seed(training.settings.seed, *purpose))
        yield Draws(training.settings.seed, *purpose)


@contextmanager
def hooked(module: nn.Module, paths: Sequence[str], watch: Watch) -> Iterator[None]:
    """Call ``watch`` within the block with the output of each of the modules at ``paths`` as it is computed."""

    def hook(path: str) -> Callable[[nn.Module, Any, Tensor], None]:
        return lambda part, inputs, output: watch(path, output.detach())

    with ExitStack() as stack:
        for path in paths:
            handle = module.get_submodule(path).register_forward_hook(hook(path))
            stack.callback(handle.remove)
        yield


def forward(training: Probed, seen: Tensor) -> Tensor:
    """Return the module's output for ``seen`` in its current mode, without updating running statistics."""
    module = training.module
    copies = {name: buffer.clone() for name, buffer in module.named_buffers()}
    exact = exact_output(module) if not training.precision.kind.exact else nullcontext()
    with exact, training.precision.autocast():
        returned = functional_call(module, copies, (seen,))
    return reconstruction_in(returned, seen)


def reconstruction_in(returned: Any, seen: Tensor) -> Tensor:
    """Return the reconstruction in a module's output: the tensor, or the first of several with the samples' shape.

    Several tensors come in a tuple, a mapping or the fields of an object. Raise ``ValueError`` if none has the shape.
    """
    if isinstance(returned, Tensor):
        return returned
    several = returned if isinstance(returned, Mapping | Sequence) else getattr(returned, "__dict__", {})
    tensors = several.values() if isinstance(several, Mapping) else several
    found = next((each for each in tensors if isinstance(each, Tensor) and each.shape == seen.shape), None)
    if found is None:
        raise ValueError(f"the module does not return a tensor of the samples' shape, {tuple(seen.shape)}")
    return found


@contextmanager
def in_eval_mode(module: nn.Module) -> Iterator[None]:
    """Switch the module to eval mode within the block, then restore the mode of each part."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, mode in modes:
            part.training = mode


def kernels(module: nn.Module, origins: Sequence[Located]) -> Mapping[int, nn.Parameter]:
    """Return the trainable kernel of each layer that has one, by the index of the layer."""
    found: dict[int, nn.Parameter] = {}
    for number, origin in enumerate(origins):
        for path in origin.paths:
            part = module.get_submodule(path)
            if type_before_parametrizations(part).__name__ in WEIGHTED:
                normed = is_parametrized(part, "weight")
                found[number] = part.get_parameter("parametrizations.weight.original1" if normed else "weight")
    return {number: weight for number, weight in found.items() if weight.requires_grad}


def gradients(training: Probed, loss: Tensor, weights: Sequence[Tensor]) -> Sequence[Tensor | None]:
    """Return the gradients of ``loss`` with respect to ``weights``.

    In fp16 the loss is scaled, as in training, so that gradients do not underflow.
    """
    if not weights:
        return []
    scale: float = training.scaler.get_scale()
    found = torch.autograd.grad(loss * scale, tuple(weights), allow_unused=True)
    return [gradient if gradient is None else gradient.float() / scale for gradient in found]


class Prober:
    """Taker of probes of the layers at ``origins``, always with the same images.

    ``output`` is the index of the layer that gives the reconstruction its values, or None; ``code`` is the path of the
    module that returns the code.
    """

    def __init__(
        self,
        training: Probed,
        origins: Sequence[Located],
        output: int | None,
        images: Sample,
        rounds: int,
        code: str = CODE,
    ) -> None:
        self.training = training
        self._code = code
        # Images may be sorted by class, so each probe takes evenly spaced ones.
        self.batches = [_spaced(images, slice(start, None, rounds)) for start in range(rounds)]
        self.mean_image = images.target.mean(dim=0)
        self.grey = self.mean_image.mean()
        self._layers = len(origins)
        self._kernels = kernels(training.module, origins)
        self._differs_in_eval_mode = differs_in_eval_mode(training.module)
        kinds = {
            path: type(training.module.get_submodule(path)).__name__ for origin in origins for path in origin.paths
        }
        self._ends = {origin.paths[-1]: number for number, origin in enumerate(origins)}
        self._relus = {
            path: number for number, origin in enumerate(origins) for path in origin.paths if kinds[path] == "ReLU"
        }
        ending = origins[output].paths if output is not None else ()
        self._flat = next((FLAT_WHERE[kinds[path]] for path in reversed(ending) if kinds[path] in FLAT_WHERE), None)

    def take(self, count: int, full_steps: float) -> ProbeResult:
        """Take probe number ``count`` (from 0), after ``full_steps`` steps at full rate; waits for the device once."""
        training = self.training
        measured: dict[str, Tensor] = {}
        with undisturbed(training, "probe", count) as draws:
            seen, target = self.pair(count, draws)
            with hooked(training.module, sorted({self._code, *self._ends, *self._relus}), self._measure(measured)):
                prediction = forward(training, seen)
            uneven = _unevenness(prediction.detach().float(), target)
            loss = training.objective.reconstruction(prediction, target)
            found = gradients(training, loss, tuple(self._kernels.values()))
            graded = {number: each for number, each in zip(self._kernels, found, strict=True) if each is not None}
            measured |= self._compare_gradients(graded)
            if self._differs_in_eval_mode:
                with in_eval_mode(training.module), torch.no_grad():
                    prediction = forward(training, seen)
                    loss = training.objective.reconstruction(prediction, target)
        moving = measured.pop("moving")
        measured |= {**self._compare(prediction.detach().float(), target), "loss": loss.detach(), "unevenness": uneven}
        return self._probe(full_steps, _read(measured), moving, self._kernels.keys() - graded.keys())

    def pair(self, count: int, draws: Draws) -> tuple[Tensor, Tensor]:
        """Return the module's input in probe number ``count``, and the expected output."""
        clean = self.batches[count % len(self.batches)]
        draws.begin(0, len(clean), device=clean.seen.device)
        seen = make_sample(clean, draws, self.training.input_range, self.training.settings.corrupt).seen
        return seen, clean.target

    def _measure(self, measured: dict[str, Tensor]) -> Watch:
        def watch(path: str, output: Tensor) -> None:
            if path in self._relus:
                largest = output.amax(dim=[0, *range(2, output.dim())])
                measured[f"{self._relus[path]} firing"] = (largest > 0).float().mean()
            if path != self._code and path not in self._ends:
                return
            output = output.float()
            apart = (output - output.mean(dim=0)).square_()
            if path == self._code:
                spread = apart.mean(dim=[0, *range(2, output.dim())] if output.dim() > 2 else 0).sqrt()
                measured["moving"] = spread > MOVES * spread.max()
            if path not in self._ends:
                return
            measured[f"{self._ends[path]} size"] = output.square().mean().sqrt()
            measured[f"{self._ends[path]} spread"] = apart.mean().sqrt()

        return watch

    def _compare_gradients(self, gradients: Mapping[int, Tensor]) -> dict[str, Tensor]:
        return {f"{number} gradient": gradient.norm() for number, gradient in gradients.items()}

    def _compare(self, prediction: Tensor, target: Tensor) -> dict[str, Tensor]:
        squared = (prediction - target).square()
        error = squared.mean()
        compared = {
            "error": error,
            "mean_error": (target - self.mean_image).square().mean(),
            "grey_error": (target - self.grey).square().mean(),
            "output_spread": prediction.var(dim=0, correction=0).mean().sqrt(),
            "image_spread": target.var(dim=0, correction=0).mean().sqrt(),
        }
        if self._flat is not None:
            compared["flat"] = (squared * self._flat(prediction)).mean() / error.clamp(min=1e-30)
        return compared

    def _probe(
        self, full_steps: float, numbers: Mapping[str, float], moving: Tensor, cut: Collection[int]
    ) -> ProbeResult:
        layers = tuple(
            LayerProbe(
                numbers[f"{number} size"],
                numbers[f"{number} spread"],
                numbers.get(f"{number} firing"),
                numbers.get(f"{number} gradient"),
                number in cut,
            )
            for number in range(self._layers)
        )
        whole = {name: numbers[name] for name in ProbeResult._fields if name in numbers}
        return ProbeResult(
            step=self.training.step,
            full_steps=full_steps,
            layers=layers,
            flat=whole.pop("flat", None),
            moving="".join("1" if moves else "0" for moves in moving.tolist()),
            **whole,
        )


def _unevenness(prediction: Tensor, target: Tensor) -> Tensor:
    """Return the standard deviation of the squared error over images, relative to its mean."""
    by_image = (prediction - target).square().flatten(1).mean(dim=1)
    return by_image.std(correction=0) / by_image.mean().clamp(min=1e-30)


def _read(measured: Mapping[str, Tensor]) -> Mapping[str, float]:
    values = torch.stack([value.float() for value in measured.values()]).tolist()
    return dict(zip(measured, values, strict=True))


FLAT_WHERE: Mapping[str, Callable[[Tensor], Tensor]] = {
    "Sigmoid": lambda y: y * (1 - y) < FLAT,
    "Tanh": lambda y: 1 - y.square() < FLAT,
    "ReLU": lambda y: y <= 0,
}
"""Functions from the output of an activation to where its slope is almost zero."""


def _spaced(images: Sample, places: slice) -> Sample:
    """Return the samples at these places in the channels-last layout, in which layers compute fastest."""
    taken = images.at(places)
    seen = channels_last(taken.seen)
    return replace(taken, seen=seen, target=channels_last(taken.target) if taken.paired else seen)

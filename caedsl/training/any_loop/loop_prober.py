"""Probes of a training loop that caedsl did not write."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from caedsl.backends.torch.draws import Draws
from caedsl.data.sample import Sample
from caedsl.model.data import InputRange
from caedsl.model.settings import Settled
from caedsl.training.any_loop.layers import Layout
from caedsl.training.monitors.engine.probe import FLAT_WHERE, Prober
from caedsl.training.precision import Precision

ALIKE = 1e-3
"""Standard deviation of a weight over a layer's units, relative to the largest weight, up to which they are alike."""

LossFunction = Callable[[Tensor, Tensor], Tensor]


@dataclass
class ReconstructionLoss:
    """Reconstruction loss of a loop."""

    function: LossFunction

    def reconstruction(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the mean over a batch; raise ``ValueError`` if the function returns anything but one number."""
        loss = self.function(prediction, target)
        if not isinstance(loss, Tensor) or loss.numel() != 1:
            given = f"{loss.numel():,} numbers" if isinstance(loss, Tensor) else f"a {type(loss).__name__}"
            raise ValueError(f"the function `loss` returns {given}, but must return a tensor with one: their mean")
        if prediction.requires_grad and not loss.requires_grad:
            raise ValueError(
                "the function `loss` returns a number without a gradient: compute it without `detach` and `no_grad`"
            )
        return loss


@dataclass
class SampleDevice:
    """Device of the samples."""

    device: torch.device


@dataclass
class ProbedLoop:
    """Part of a loop that a probe needs."""

    module: nn.Module
    settings: Settled
    train: SampleDevice
    precision: Precision
    scaler: torch.amp.GradScaler
    objective: ReconstructionLoss
    input_range: InputRange = field(default_factory=lambda: InputRange(None, None))
    step: int = 0


class LoopProber(Prober):
    """Prober that uses the samples of the latest step and recognises activations called as functions.

    It compares the gradients that the optimizer got with those of the reconstruction loss, and measures the latest step
    if ``keep_weights`` was called before it.
    """

    now: tuple[Tensor, Tensor]

    def __init__(self, training: ProbedLoop, layout: Layout, images: Sample) -> None:
        super().__init__(training, layout.layers, layout.output, images, 1, layout.code_path)
        for number, layer in enumerate(layout.layers):
            if layer.called == "ReLU":
                # The hook sees the value before the function; a channel is above 0 there exactly if it is after ReLU.
                self._relus[layer.paths[-1]] = number
        if layout.output is not None and (called := layout.layers[layout.output].called):
            self._flat = FLAT_WHERE.get(called)

        self._before: Mapping[int, Tensor] = {}

    def keep_weights(self) -> None:
        """Keep a copy of the kernels, with which the next probe compares them."""
        self._before = {number: kernel.detach().clone() for number, kernel in self._kernels.items()}

    def _compare_gradients(self, gradients: Mapping[int, Tensor]) -> dict[str, Tensor]:
        given = {number: self._kernels[number].grad for number in gradients}
        got, own = _joined({n: each for n, each in given.items() if each is not None}), _joined(gradients)
        before, self._before = self._before, {}
        compared = super()._compare_gradients(gradients)
        if before:
            start = _joined(before)
            compared["update"] = (_joined(self._kernels) - start).norm() / start.norm()
        if len(got) == len(own) and got.any():  # they are missing, or 0, if the loop has cleared them
            compared["passed"] = got.norm() / own.norm()
        return compared

    def pair(self, count: int, draws: Draws) -> tuple[Tensor, Tensor]:
        """Return samples of the current step and their targets."""
        return self.now


def _joined(tensors: Mapping[int, Tensor]) -> Tensor:
    """Return the values of all tensors as one vector."""
    return torch.cat([each.detach().float().flatten() for each in tensors.values()] or [torch.empty(0)])


def units_alike(kernel: Tensor) -> bool:
    """Return whether all units of a layer have the same weights, or all get the same from each unit before them."""
    several = [axis for axis in (0, 1) if kernel.shape[axis] > 1]
    size = kernel.detach().abs().max()
    return any(bool(kernel.detach().std(dim=axis).max() <= ALIKE * size) for axis in several)

"""Probes of a training loop that caedsl did not write."""

from collections.abc import Callable
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

LossFunction = Callable[[Tensor, Tensor], Tensor]


@dataclass
class ReconstructionLoss:
    """Reconstruction loss of a loop."""

    function: LossFunction

    def reconstruction(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the mean over a batch."""
        return self.function(prediction, target)


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
    """Prober that uses the samples of the latest step and recognises activations called as functions."""

    now: tuple[Tensor, Tensor]

    def __init__(self, training: ProbedLoop, layout: Layout, images: Sample) -> None:
        super().__init__(training, layout.layers, layout.output, images, 1, layout.code_path)
        for number, layer in enumerate(layout.layers):
            if layer.called == "ReLU":
                # The hook sees the value before the function; a channel is above 0 there exactly if it is after ReLU.
                self._relus[layer.paths[-1]] = number
        if layout.output is not None and (called := layout.layers[layout.output].called):
            self._flat = FLAT_WHERE.get(called)

    def pair(self, count: int, draws: Draws) -> tuple[Tensor, Tensor]:
        """Return samples of the current step and their targets."""
        return self.now

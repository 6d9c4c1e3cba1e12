"""Interfaces that a probe needs of layers and of the training, whether caedsl's own or a custom loop."""

from typing import Protocol

import torch
from torch import Tensor, nn

from caedsl.model.data import InputRange
from caedsl.model.settings import Settled
from caedsl.training.precision import Precision


class Located(Protocol):
    """Layer of a model, given by the modules that compute it."""

    @property
    def paths(self) -> tuple[str, ...]:
        """Paths of its modules, in the order of computation."""


class ProbeImages(Protocol):
    """Images on a device."""

    @property
    def device(self) -> torch.device:
        """Device of the images."""


class ProbeLoss(Protocol):
    """Reconstruction loss of a run."""

    def reconstruction(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the mean over a batch."""


class Probed(Protocol):
    """Training that can be probed: caedsl's own, or a custom loop."""

    @property
    def module(self) -> nn.Module:
        """Module in training."""

    @property
    def step(self) -> int:
        """Number of steps so far."""

    @property
    def settings(self) -> Settled:
        """Settings, as a spec would state them."""

    @property
    def input_range(self) -> InputRange:
        """Range of the images."""

    @property
    def train(self) -> ProbeImages:
        """Training images."""

    @property
    def precision(self) -> Precision:
        """Number format."""

    @property
    def scaler(self) -> torch.amp.GradScaler:
        """Gradient scaler."""

    @property
    def objective(self) -> ProbeLoss:
        """Loss that is minimised."""

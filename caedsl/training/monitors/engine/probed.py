"""What a probe has to know: of layers, and of the training that it looks into, caedsl's own or anybody's loop."""

from typing import Protocol

import torch
from torch import Tensor, nn

from caedsl.model.data import InputRange
from caedsl.model.settings import Settled
from caedsl.training.precision import Precision


class Located(Protocol):
    """Layer of a model: the paths of the modules that compute it, in their order."""

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths of its modules."""


class ProbeImages(Protocol):
    """Images that lie on a device."""

    @property
    def device(self) -> torch.device:
        """Where they lie."""


class ProbeLoss(Protocol):
    """Reconstruction loss of a run."""

    def reconstruction(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the mean over a batch."""


class Probed(Protocol):
    """What a probe has to know of the training that it looks into: caedsl's own, or anybody's loop."""

    @property
    def module(self) -> nn.Module:
        """The module that is trained."""

    @property
    def step(self) -> int:
        """The steps so far."""

    @property
    def settings(self) -> Settled:
        """Settings, as a spec would say them."""

    @property
    def input_range(self) -> InputRange:
        """The range of the images."""

    @property
    def train(self) -> ProbeImages:
        """The training images."""

    @property
    def precision(self) -> Precision:
        """The number format."""

    @property
    def scaler(self) -> torch.amp.GradScaler:
        """What scales gradients."""

    @property
    def objective(self) -> ProbeLoss:
        """What is minimised."""

"""The loss of a spec as PyTorch users write it."""

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional

from caedsl.backends.torch.lower import lower
from caedsl.model.autoencoder import Autoencoder

_LOSSES = {"mse": functional.mse_loss, "bce": functional.binary_cross_entropy}


def loss_of(model: Autoencoder) -> Callable[[nn.Module, Tensor, Tensor], Tensor]:
    """Return the mean loss with the L2 penalties, of (module, prediction, target)."""
    assert model.train is not None
    (term,) = model.train.loss.terms
    penalties = lower(model).penalties

    def loss(module: nn.Module, prediction: Tensor, target: Tensor) -> Tensor:
        total: Tensor = _LOSSES[term.name](prediction, target)
        for penalty in penalties:
            total = total + penalty.l2 * module.get_parameter(penalty.parameter).square().sum()
        return total

    return loss

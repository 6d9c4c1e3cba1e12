"""Measure the use of the code after each epoch: active units of a variational code, use of a codebook.

Codes are computed from held-out images, or from training images if none are held out. The images are evenly spaced and
not corrupted.

x: samples (batch, channels, then space); h: the input of the last module of the bottleneck, which makes the code.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from caedsl.backends.torch.instantiate import ConvolutionalAutoencoder
from caedsl.backends.torch.modules import Gaussian, Quantizer
from caedsl.training.batches import Batches

MEASURED = 1000
"""Largest number of images whose codes are measured."""
ACTIVE = 0.01
"""A unit is active if the variance of its mean over images is above this (Burda et al. 2016, arXiv 1509.00519)."""


class Measure(NamedTuple):
    """Measures of a code: their names, and the function that computes them from batches of h."""

    names: tuple[str, ...]
    of: Callable[[nn.Module, Iterable[Tensor]], tuple[float, ...]]


def measure_of(module: nn.Module) -> Measure | None:
    """Return the measures of the code of ``module``, or None if it has none."""
    if not isinstance(module, ConvolutionalAutoencoder) or not len(module.bottleneck):
        return None
    return next((measure for kind, measure in _MEASURES.items() if isinstance(module.bottleneck[-1], kind)), None)


@torch.no_grad()
def code_use(module: nn.Module, images: Batches, size: int) -> dict[str, float]:
    """Return the measures by name, computed in batches of ``size``; the module must be in eval mode."""
    measure = measure_of(module)
    if measure is None:
        return {}
    assert isinstance(module, ConvolutionalAutoencoder)
    seen: list[Tensor] = []
    # A hook is needed, since an encoder that joins outputs does not call its modules in sequence.
    handle = module.bottleneck[-1].register_forward_pre_hook(lambda last, given: seen.append(given[0]))
    try:
        batches = (_input(module, sample.seen, seen) for sample in images.spread(MEASURED).in_order(size))
        return dict(zip(measure.names, measure.of(module.bottleneck[-1], batches), strict=True))
    finally:
        handle.remove()


def _input(module: ConvolutionalAutoencoder, x: Tensor, seen: list[Tensor]) -> Tensor:
    """Return the input of the last module of the bottleneck for ``x``."""
    module.encode(x)
    return seen.pop()


def _units(gaussian: nn.Module, batches: Iterable[Tensor]) -> tuple[float, float]:
    """Return the mean KL divergence per sample in nats, and the number of active units."""
    count, total, squares, nats = 0, torch.zeros(()), torch.zeros(()), torch.zeros(())
    for h in batches:
        mean, log_variance = h.double().chunk(2, dim=1)
        log_variance = log_variance.clamp(-30, 20)
        count += len(h)
        total = total.to(h.device) + mean.sum(0)
        squares = squares.to(h.device) + mean.square().sum(0)
        nats = nats.to(h.device) + (mean.square() + log_variance.exp() - 1 - log_variance).sum() / 2
    variance = squares / count - (total / count).square()
    return nats.item() / count, float((variance > ACTIVE).sum().item())


def _vectors(quantizer: nn.Module, batches: Iterable[Tensor]) -> tuple[float, float]:
    """Return the perplexity of the codebook indices, and the share of the vectors that are used at all.

    If there are fewer positions than vectors, the share is that of as many vectors as there are positions.
    """
    assert isinstance(quantizer, Quantizer)
    vectors = len(quantizer.codebook)
    taken = sum(torch.bincount(quantizer.indices(h).flatten(), minlength=vectors) for h in batches)
    assert isinstance(taken, Tensor)
    positions = int(taken.sum())
    used = int((taken > 0).sum()) / min(vectors, positions)
    return torch.special.entr(taken.double() / positions).sum().exp().item(), used


_MEASURES: Mapping[type[nn.Module], Measure] = {
    Gaussian: Measure(("kl_nats", "active_units"), _units),
    Quantizer: Measure(("perplexity", "used_codes"), _vectors),
}

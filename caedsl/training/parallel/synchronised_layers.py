"""Layers that compute over a batch shared by several processes.

A single process computes statistics over the whole batch. These layers do the same across processes, with the same
result. x: batch, channels, then space if it is a map.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import prod
from typing import Any

import torch
from torch import Tensor, distributed, nn

from caedsl.backends.torch.modules import Gaussian, Quantizer, Sparsity
from caedsl.data.batch_share import BatchShare
from caedsl.training.parallel.processes import current

Forward = Callable[[Tensor], Tensor]
Method = Callable[..., Any]
BatchNorm = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
Batch = Callable[[], BatchShare]
"""Function that returns the current part of a batch."""


@contextmanager
def over_whole_batches(module: nn.Module, batch: Batch, group: distributed.ProcessGroup) -> Iterator[None]:
    """Make the layers of ``module`` compute over the batches of the ``group`` within the block, as one process would.

    Weights, running statistics and their names remain those of the module. While this process trains alone (see
    ``training_with``), the layers compute as usual.
    """
    changed: list[tuple[nn.Module, str]] = []
    for layer in module.modules():
        shared = _shared_form(layer, batch, group)
        methods = _shared_methods(layer, batch, group) | ({"forward": shared} if shared is not None else {})
        for name, method in methods.items():
            vars(layer)[name] = _while_together(layer, getattr(layer, name), method)
            changed.append((layer, name))
    try:
        yield
    finally:
        for layer, name in changed:
            del vars(layer)[name]


def _while_together(layer: nn.Module, plain: Method, shared: Method) -> Method:
    """Return a method that is ``shared`` in training, and in validation unless running statistics replace the batch."""

    def method(*x: Any) -> Any:
        together = current()
        used = layer.training or (together.validates and not isinstance(layer, _NORMS))
        return shared(*x) if used and together.count > 1 else plain(*x)

    return method


def _shared_methods(layer: nn.Module, batch: Batch, group: distributed.ProcessGroup) -> dict[str, Method]:
    """Return the methods of a code that need the whole batch: its divergence, or the updates of its codebook."""
    if isinstance(layer, (Gaussian, Sparsity)):
        divergence = layer.divergence
        return {"divergence": lambda h: divergence(_gathered(h, batch(), group))}
    if isinstance(layer, Quantizer) and layer.ema is not None:
        restart, follow = layer.restart, layer.follow

        def follow_all(h: Tensor, chosen: Tensor, ema: float) -> None:
            whole = _gathered(h, batch(), group)
            follow(whole, layer.indices(whole).flatten(), ema)

        return {"restart": lambda h: restart(_gathered(h, batch(), group)), "follow": follow_all}
    return {}


def sees_whole_batches(module: nn.Module) -> bool:
    """Return whether some layer of ``module`` computes over a batch shared by several processes."""
    kinds = (*_NORMS, Gaussian, Quantizer, Sparsity)
    return any(isinstance(layer, kinds) for layer in module.modules())


def _shared_form(layer: nn.Module, batch: Batch, group: distributed.ProcessGroup) -> Forward | None:
    if isinstance(layer, _NORMS):
        if next(iter(layer.buffers())).device.type == "cuda":
            synchronised: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(layer, group)  # type: ignore[no-untyped-call]
            return synchronised
        return lambda x: _normalised(x, layer, batch(), group)
    if isinstance(layer, (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)):
        plain: Forward = layer.forward
        return lambda x: _normalised_alone(x, layer, plain)
    return None


def _gathered(x: Tensor, part: BatchShare, group: distributed.ProcessGroup) -> Tensor:
    """Return the whole batch, gathered from the parts of all processes; gradients flow back to the parts."""
    before, behind = (x.new_zeros(images, *x.shape[1:]) for images in (part.start, part.whole - part.stop))
    return _total(torch.cat((before, x, behind)), group)


class _Sum(torch.autograd.Function):
    """Sum over all processes. Its gradient is also summed, since every process depends on the sum."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, group: distributed.ProcessGroup) -> Tensor:
        ctx.group = group
        total = x.clone()
        distributed.all_reduce(total, group=group)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        total = gradient.contiguous().clone()
        distributed.all_reduce(total, group=ctx.group)
        return total, None


def _total(x: Tensor, group: distributed.ProcessGroup) -> Tensor:
    total: Tensor = _Sum.apply(x, group)  # type: ignore[no-untyped-call]
    return total


def _normalised(x: Tensor, layer: BatchNorm, part: BatchShare, group: distributed.ProcessGroup) -> Tensor:
    """Apply batch normalisation over the whole batch (PyTorch's synchronised form needs CUDA)."""
    dims = [0, *range(2, x.dim())]
    values = part.whole * prod(x.shape[2:])
    shape = [1, -1] + [1] * (x.dim() - 2)
    with torch.autocast(x.device.type, enabled=False):
        wide = x.float()
        mean = _total(wide.sum(dims), group) / values
        centred = wide - mean.view(shape)
        variance = _total(centred.square().sum(dims), group) / values
        out: Tensor = centred * (variance + layer.eps).rsqrt().view(shape)
        if layer.affine:
            out = out * layer.weight.view(shape) + layer.bias.view(shape)
    _remember(layer, mean.detach(), variance.detach() * (values / (values - 1)))
    return out.to(x.dtype)


@torch.no_grad()
def _remember(layer: BatchNorm, mean: Tensor, variance: Tensor) -> None:
    """Update the running statistics as PyTorch's own layer does, with the unbiased variance."""
    if layer.running_mean is None or layer.running_var is None or layer.num_batches_tracked is None:
        return
    layer.num_batches_tracked.add_(1)
    momentum = 1 / layer.num_batches_tracked.item() if layer.momentum is None else layer.momentum
    layer.running_mean.lerp_(mean, momentum)
    layer.running_var.lerp_(variance, momentum)


def _normalised_alone(
    x: Tensor, layer: nn.InstanceNorm1d | nn.InstanceNorm2d | nn.InstanceNorm3d, plain: Forward
) -> Tensor:
    """Apply instance normalisation, also to a part without images, which PyTorch refuses."""
    if len(x):
        return plain(x)
    shape = (1, -1, *[1] * (x.dim() - 2))
    return x * layer.weight.view(shape) + layer.bias.view(shape) if layer.affine else x

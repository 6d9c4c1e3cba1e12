"""The few modules that PyTorch lacks. Emitted files carry their source, so they import nothing but torch.

Tensors: x_bchw = batch, channels, height, width.
"""

import torch
from torch import Tensor, nn


class Residual(nn.Module):
    """Adds its input, projected where the shapes differ, to the output of its body."""

    def __init__(self, body: nn.Module, shortcut: nn.Module | None = None) -> None:
        super().__init__()
        self.body = body
        self.shortcut = shortcut if shortcut is not None else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x) + self.shortcut(x)


class GaussianNoise(nn.Module):
    """Adds Gaussian noise of the given standard deviation while training."""

    def __init__(self, std: float) -> None:
        super().__init__()
        self.std = std

    def forward(self, x: Tensor) -> Tensor:
        return x + self.std * torch.randn_like(x) if self.training else x


class Gaussian(nn.Module):
    """Normal distribution whose means are the first half of the channels, and whose log-variances are the second.

    While training it returns a draw, and otherwise the mean.
    """

    def __init__(self, free_bits: float = 0.0) -> None:
        super().__init__()
        self.free_bits = free_bits

    def forward(self, h: Tensor) -> Tensor:
        mean, log_variance = h.chunk(2, dim=1)
        if not self.training:
            return mean
        return mean + torch.randn_like(mean) * (log_variance.clamp(-30, 20) / 2).exp()

    def divergence(self, h: Tensor) -> Tensor:
        """Return the KL divergence from a standard normal distribution, of a sample on average, in nats."""
        mean, log_variance = h.float().chunk(2, dim=1)
        log_variance = log_variance.clamp(-30, 20)
        each = (mean.square() + log_variance.exp() - 1 - log_variance) / 2
        return each.mean(dim=0).clamp(min=self.free_bits).sum()


class ScaledTanh(nn.Module):
    """Hyperbolic tangent times a factor, for outputs in -scale..scale."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * torch.tanh(x)


class ChannelRMSNorm(nn.Module):
    """Divides the channels at each position by the root of their mean square."""

    def __init__(self, channels: int, eps: float, affine: bool = True) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(channels)) if affine else None

    def forward(self, x: Tensor) -> Tensor:
        x = x * torch.rsqrt(x.square().mean(dim=1, keepdim=True) + self.eps)
        return x if self.weight is None else x * self.weight.view(-1, *[1] * (x.dim() - 2))


MODULES: dict[str, type[nn.Module]] = {
    "Residual": Residual,
    "GaussianNoise": GaussianNoise,
    "Gaussian": Gaussian,
    "ScaledTanh": ScaledTanh,
    "ChannelRMSNorm": ChannelRMSNorm,
}

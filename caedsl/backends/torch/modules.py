"""The few modules that PyTorch lacks. Emitted files carry their source, so they import nothing but torch.

Tensors have the axes batch and channels, and then the one to three axes of a map, which vectors lack.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional


class Residual(nn.Module):
    """Adds its input, projected where the shapes differ, to the output of its body."""

    def __init__(self, body: nn.Module, shortcut: nn.Module | None = None) -> None:
        super().__init__()
        self.body = body
        self.shortcut = shortcut if shortcut is not None else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x) + self.shortcut(x)


class Normalise(nn.Module):
    """Subtracts an offset from each channel and divides by a scale; ``undo`` multiplies and adds them again."""

    offset: Tensor
    scale: Tensor

    def __init__(
        self, channels: int, offsets: tuple[float, ...] = (), scales: tuple[float, ...] = (), undo: bool = False
    ) -> None:
        super().__init__()
        self.undo = undo
        self.register_buffer("offset", torch.tensor(offsets) if offsets else torch.zeros(channels))
        self.register_buffer("scale", torch.tensor(scales) if scales else torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        offset, scale = (each.view(-1, *[1] * (x.dim() - 2)) for each in (self.offset, self.scale))
        return x * scale + offset if self.undo else (x - offset) / scale


class SampleNormalise(nn.Module):
    """Normalises each sample by its own mean and mean absolute deviation, then all by one offset and one scale.

    With ``by_channel``, each channel of a sample is normalised by its own mean and standard deviation instead. With
    ``undo``, the second half of the channels is the original sample, whose mean and deviation the first half gets.
    """

    offset: Tensor
    scale: Tensor

    def __init__(self, undo: bool = False, by_channel: bool = False) -> None:
        super().__init__()
        self.undo, self.by_channel = undo, by_channel
        self.register_buffer("offset", torch.zeros(()))
        self.register_buffer("scale", torch.ones(()))

    def forward(self, x: Tensor, sample: Tensor | None = None) -> Tensor:
        """Normalise ``x`` by the mean and deviation of ``sample``, by default ``x`` itself."""
        if self.undo:
            x, sample = x.chunk(2, dim=1)
        sample = x if sample is None else sample
        axes = tuple(range(2 if self.by_channel else 1, x.dim()))
        mean = sample.mean(axes, keepdim=True)
        centred = sample - mean
        if self.by_channel:
            deviation = centred.square().mean(axes, keepdim=True).sqrt()
        else:
            deviation = centred.abs().mean(axes, keepdim=True)
        rounding = 1e-6 * mean.abs()  # values that are all equal can differ so much from their mean
        deviation = torch.where(deviation > rounding, deviation, torch.ones_like(deviation))
        if self.undo:
            return (x * self.scale + self.offset) * deviation + mean
        return ((x - mean) / deviation - self.offset) / self.scale


class GaussianNoise(nn.Module):
    """Adds Gaussian noise of the given standard deviation while training."""

    def __init__(self, std: float) -> None:
        super().__init__()
        self.std = std

    def forward(self, x: Tensor) -> Tensor:
        return x + self.std * self.draw_normal(x) if self.training else x

    def draw_normal(self, x: Tensor) -> Tensor:
        # The same numbers in every memory format, unlike those of `randn_like`.
        return torch.randn(x.shape, dtype=x.dtype, device=x.device)


class Gaussian(nn.Module):
    """Normal distribution whose means are the first half of the channels, and whose log-variances are the second.

    While training it returns a draw, and otherwise the mean.
    """

    def __init__(self, free_bits: float = 0.0, free_nats: float = 0.0) -> None:
        super().__init__()
        self.free_bits, self.free_nats = free_bits, free_nats

    def forward(self, h: Tensor) -> Tensor:
        mean, log_variance = h.chunk(2, dim=1)
        if not self.training:
            return mean
        return mean + self.draw_normal(mean) * (log_variance.clamp(-30, 20) / 2).exp()

    def draw_normal(self, mean: Tensor) -> Tensor:
        # The same numbers in every memory format, unlike those of `randn_like`.
        return torch.randn(mean.shape, dtype=mean.dtype, device=mean.device)

    def divergence(self, h: Tensor) -> Tensor:
        """Return the KL divergence from a standard normal distribution, of a sample on average, in nats.

        Below ``free_bits`` for a number of the code, or ``free_nats`` for a sample, it is constant.
        """
        mean, log_variance = h.float().chunk(2, dim=1)
        log_variance = log_variance.clamp(-30, 20)
        each = (mean.square() + log_variance.exp() - 1 - log_variance) / 2
        if self.free_nats:
            return each.flatten(1).sum(dim=1).clamp(min=self.free_nats).mean()
        return each.mean(dim=0).clamp(min=self.free_bits).sum()


class Quantizer(nn.Module):
    """Codebook: every place of a map takes the nearest vector, and the gradient passes straight through.

    During training, each vector follows the average of the inputs that it is nearest to. A vector that has not been the
    nearest for long is reset to a random input, and so are all vectors in the first step. Without ``ema`` the vectors
    are weights, which start between ``-spread`` and ``spread``.
    """

    codebook: Tensor
    taken: Tensor
    chosen: Tensor | None = None
    """The nearest vectors at the places of the last batch, during training."""

    def __init__(self, vectors: int, channels: int, ema: float | None = 0.99, spread: float | None = None) -> None:
        super().__init__()
        self.ema = ema
        if ema is None:
            spread = 1 / vectors if spread is None else spread
            self.codebook = nn.Parameter(torch.empty(vectors, channels).uniform_(-spread, spread))
        else:
            self.register_buffer("codebook", torch.zeros(vectors, channels))
            self.register_buffer("taken", torch.zeros(vectors))

    def forward(self, h: Tensor) -> Tensor:
        self.chosen = None
        if self.training:
            if self.ema is not None:
                self.restart(h.detach())
            self.chosen = self.indices(h)
            if self.ema is not None:
                self.follow(h.detach(), self.chosen.flatten(), self.ema)
        return h + (self.nearest(h) - h).detach()

    def flat(self, h: Tensor) -> Tensor:
        return h.movedim(1, -1).flatten(0, -2).to(self.codebook.dtype)

    def indices(self, h: Tensor) -> Tensor:
        """Return the number of the nearest vector at each place, samples first."""
        wide = torch.promote_types(self.codebook.dtype, torch.float32)  # 16 bits do not hold every number
        codebook, places = self.codebook.detach().to(wide), self.flat(h.detach()).to(wide)
        squares = codebook.square().sum(1)
        if self.training and h.device.type == "cpu":
            chosen = self.search(squares, places, codebook)
        else:
            chosen = torch.addmm(squares, places, codebook.T, alpha=-2).argmin(1)
        return chosen.view(h.shape[0], *h.shape[2:])

    def search(self, squares: Tensor, places: Tensor, codebook: Tensor) -> Tensor:
        """Return the same numbers; a processor finds minima faster than where they are, and fastest in its cache."""
        last = len(codebook) - 1
        order = torch.arange(last, -1, -1, dtype=codebook.dtype)
        room = codebook.new_empty(512, len(codebook))
        found = []
        for part in torch.split(places, len(room)):
            distances = torch.addmm(squares, part, codebook.T, alpha=-2, out=room[: len(part)])
            found.append(distances.le_(distances.amin(1, keepdim=True)).mul_(order).amax(1))
        return last - torch.cat(found).long()

    def nearest(self, h: Tensor) -> Tensor:
        chosen = self.indices(h) if self.chosen is None else self.chosen
        return functional.embedding(chosen, self.codebook).movedim(-1, 1).to(h.dtype)

    @torch.no_grad()
    def restart(self, h: Tensor) -> None:
        inputs = self.flat(h)
        unused = self.taken < 0.05
        fresh = inputs[self.draw_rows(inputs, len(self.codebook))]
        self.codebook.copy_(torch.where(unused[:, None], fresh, self.codebook))
        self.taken.copy_(torch.where(unused, 1.0, self.taken))

    def draw_rows(self, rows: Tensor, count: int) -> Tensor:
        return torch.randint(len(rows), (count,), device=rows.device)

    @torch.no_grad()
    def follow(self, h: Tensor, chosen: Tensor, ema: float) -> None:
        inputs = self.flat(h)
        sums = torch.zeros_like(self.codebook).index_add_(0, chosen, inputs)
        counts = torch.zeros_like(self.taken).index_add_(0, chosen, torch.ones_like(inputs[:, 0]))
        sums = ema * self.codebook * self.taken[:, None] + (1 - ema) * sums
        self.taken.mul_(ema).add_((1 - ema) * counts)
        self.codebook.copy_(sums / self.taken.clamp(min=1e-6)[:, None])

    def divergence(self, h: Tensor) -> Tensor:
        """Return the mean squared distance of the inputs from the codebook; its gradient is that of the inputs."""
        return functional.mse_loss(h.float(), self.nearest(h).detach().float())

    def distance(self, h: Tensor) -> Tensor:
        """Return the same distance; its gradient is that of the codebook."""
        return functional.mse_loss(self.nearest(h).float(), h.detach().float())


class TopK(nn.Module):
    """Keeps the ``kept`` largest numbers of each sample, and sets the others to 0."""

    def __init__(self, kept: int) -> None:
        super().__init__()
        self.kept = kept

    def forward(self, h: Tensor) -> Tensor:
        flat = h.flatten(1)
        largest = flat.topk(self.kept, dim=1)
        return torch.zeros_like(flat).scatter(1, largest.indices, largest.values).view(h.shape)


class Sparsity(nn.Module):
    """Returns its input; ``divergence`` measures how far the means of its units are from a target."""

    def __init__(self, target: float) -> None:
        super().__init__()
        self.target = target

    def forward(self, h: Tensor) -> Tensor:
        return h

    def divergence(self, h: Tensor) -> Tensor:
        """Return the KL divergence of the units' means over batch and places from the target, summed, in nats."""
        mean = h.float().flatten(2).mean(2).mean(0) if h.dim() > 2 else h.float().mean(0)
        mean = mean.clamp(1e-6, 1 - 1e-6)
        low, high = self.target, 1 - self.target
        return (low * (low / mean).log() + high * (high / (1 - mean)).log()).sum()


class ScaledTanh(nn.Module):
    """Hyperbolic tangent times a factor, for outputs in -scale..scale."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * torch.tanh(x)


class SoftCap(nn.Module):
    """Hyperbolic tangent of slope 1 at zero whose outputs lie in -cap..cap."""

    def __init__(self, cap: float) -> None:
        super().__init__()
        self.cap = cap

    def forward(self, x: Tensor) -> Tensor:
        return self.cap * torch.tanh(x / self.cap)


class HardSigmoid(nn.Module):
    """Line of a given slope through 1/2 at zero, cut at 0 and 1."""

    def __init__(self, slope: float) -> None:
        super().__init__()
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        return (self.slope * x + 0.5).clamp(0, 1)


class ChannelRMSNorm(nn.Module):
    """Divides the channels at each position by the root of their mean square."""

    def __init__(self, channels: int, eps: float, affine: bool = True) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(channels)) if affine else None

    def forward(self, x: Tensor) -> Tensor:
        x = x * torch.rsqrt(x.square().mean(dim=1, keepdim=True) + self.eps)
        return x if self.weight is None else x * self.weight.view(-1, *[1] * (x.dim() - 2))


class ChannelLayerNorm(nn.Module):
    """Layer normalisation of the channels at each position."""

    def __init__(self, channels: int, eps: float, affine: bool = True) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(channels)) if affine else None
        self.bias = nn.Parameter(torch.zeros(channels)) if affine else None

    def forward(self, x: Tensor) -> Tensor:
        x = x - x.mean(dim=1, keepdim=True)
        x = x * torch.rsqrt(x.square().mean(dim=1, keepdim=True) + self.eps)
        if self.weight is None or self.bias is None:
            return x
        shape = -1, *[1] * (x.dim() - 2)
        return x * self.weight.view(shape) + self.bias.view(shape)


class GDN(nn.Module):
    """Divisive normalisation of each channel by a learned mixture of all channels at the same place, or its inverse.

    The mixture is kept as square roots, so that it never divides by a negative number.
    """

    def __init__(self, channels: int, inverse: bool = False) -> None:
        super().__init__()
        self.inverse = inverse
        self.beta = nn.Parameter(torch.ones(channels))
        self.gamma = nn.Parameter(torch.eye(channels) * 0.1**0.5)

    def forward(self, x: Tensor) -> Tensor:
        kernel = self.gamma.square().view(*self.gamma.shape, *[1] * (x.dim() - 2))
        convolve = (functional.conv1d, functional.conv2d, functional.conv3d)[x.dim() - 3]
        mixture = convolve(x.square(), kernel, self.beta.square() + 1e-6)
        return x * (mixture.sqrt() if self.inverse else mixture.rsqrt())


class Scale(nn.Module):
    """Multiplies its input by a factor, or each channel by a learned one that starts there."""

    def __init__(self, factor: float, channels: int | None = None) -> None:
        super().__init__()
        self.factor = factor
        self.weight = None if channels is None else nn.Parameter(torch.full((channels,), factor))

    def forward(self, x: Tensor) -> Tensor:
        if self.weight is None:
            return x * self.factor
        return x * self.weight.view(-1, *[1] * (x.dim() - 2))


class SqueezeExcitation(nn.Module):
    """Weights each channel by a function of the means of all channels."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.squeeze = nn.Linear(channels, hidden)
        self.excite = nn.Linear(hidden, channels)

    def forward(self, x: Tensor) -> Tensor:
        means = x.flatten(2).mean(dim=2)
        weights = torch.sigmoid(self.excite(functional.relu(self.squeeze(means))))
        return x * weights.view(*weights.shape, *[1] * (x.dim() - 2))


class SelfAttention(nn.Module):
    """Scaled dot-product attention of every place of a map to all places."""

    def __init__(self, channels: int, heads: int = 1) -> None:
        super().__init__()
        self.heads = heads
        self.query_key_value = nn.Linear(channels, 3 * channels)
        self.output = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        places = x.flatten(2).transpose(1, 2)
        split = self.query_key_value(places).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        attended = functional.scaled_dot_product_attention(*split.unbind(0))
        mixed: Tensor = self.output(attended.transpose(1, 2).flatten(2))
        return mixed.transpose(1, 2).reshape(x.shape)


MODULES: dict[str, type[nn.Module]] = {
    "Residual": Residual,
    "Normalise": Normalise,
    "SampleNormalise": SampleNormalise,
    "GaussianNoise": GaussianNoise,
    "Gaussian": Gaussian,
    "Quantizer": Quantizer,
    "GDN": GDN,
    "Scale": Scale,
    "SqueezeExcitation": SqueezeExcitation,
    "SelfAttention": SelfAttention,
    "TopK": TopK,
    "Sparsity": Sparsity,
    "ScaledTanh": ScaledTanh,
    "SoftCap": SoftCap,
    "HardSigmoid": HardSigmoid,
    "ChannelRMSNorm": ChannelRMSNorm,
    "ChannelLayerNorm": ChannelLayerNorm,
}

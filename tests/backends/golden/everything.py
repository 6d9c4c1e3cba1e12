"""everything: a convolutional autoencoder for 1x16x20 images, codes of 5."""

import math
import sys
from collections.abc import Callable, Iterable
from functools import partial
from hashlib import sha256
from typing import Any

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


class Everything(nn.Module):
    """1x16x20 images with values in -1..1, codes of 5 numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(  # 1x16x20
            # half
            nn.Conv2d(1, 8, kernel_size=3, stride=2, padding=1),  # 8x8x10
            nn.ReLU(),
            Residual(
                nn.Sequential(
                    nn.Conv2d(8, 8, kernel_size=3, padding=1, bias=False),  # 8x8x10
                    nn.BatchNorm2d(8),
                    nn.ReLU(),
                    nn.Conv2d(8, 8, kernel_size=3, padding=1),  # 8x8x10
                ),
            ),  # 8x8x10
            nn.ReLU(),
            nn.ZeroPad2d((1, 2, 1, 2)),
            nn.Conv2d(8, 6, kernel_size=4),  # 6x8x10
            nn.LeakyReLU(negative_slope=0.1),
            nn.Conv2d(6, 6, kernel_size=3, groups=6, padding=1, padding_mode="reflect"),  # 6x8x10
            nn.MaxPool2d(3, stride=2, padding=1, ceil_mode=True),  # 6x5x6
        )
        self.bottleneck = nn.Sequential(  # 6x5x6
            nn.Flatten(),
            nn.Linear(180, 5),  # 5
        )
        self.decoder = nn.Sequential(  # 5
            GaussianNoise(0.1),
            nn.Linear(5, 180),  # 180
            nn.Unflatten(1, (6, 5, 6)),  # 6x5x6
            nn.Upsample(size=(8, 10), mode="nearest"),  # 6x8x10
            nn.Conv2d(6, 6, kernel_size=3, groups=6, padding=1, padding_mode="reflect"),  # 6x8x10
            nn.LeakyReLU(negative_slope=0.1),
            nn.ZeroPad2d((1, 2, 1, 2)),
            nn.Conv2d(6, 8, kernel_size=4),  # 8x8x10
            nn.ReLU(),
            # half
            Residual(
                nn.Sequential(
                    nn.Conv2d(8, 8, kernel_size=3, padding=1),  # 8x8x10
                    nn.ReLU(),
                    nn.Conv2d(8, 8, kernel_size=3, padding=1, bias=False),  # 8x8x10
                    nn.BatchNorm2d(8),
                ),
            ),  # 8x8x10
            nn.ReLU(),
            nn.ConvTranspose2d(8, 1, kernel_size=3, stride=2, padding=1, output_padding=1),  # 1x16x20
            nn.Tanh(),
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """He and Glorot and orthogonal initialisation; biases start at zero."""
        for layer in (self.encoder[0], self.encoder[2].body[0], self.decoder[7], self.decoder[9].body[0]):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        for layer in (
            self.encoder[2].body[3],
            self.bottleneck[1],
            self.decoder[1],
            self.decoder[9].body[2],
            self.decoder[11],
        ):
            nn.init.xavier_uniform_(layer.weight)
        nn.init.kaiming_normal_(self.encoder[5].weight, a=0.1, nonlinearity="leaky_relu")
        for layer in (self.encoder[7], self.decoder[4]):
            nn.init.orthogonal_(layer.weight)
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)

    def encode(self, x: Tensor) -> Tensor:
        """Return the codes (batch, 5) of images (batch, 1, 16, 20)."""
        if x.shape[1:] != (1, 16, 20):
            raise ValueError(f"this model takes samples of 1x16x20, not {tuple(x.shape[1:])}")
        return self.bottleneck(self.encoder(x))

    def decode(self, z: Tensor) -> Tensor:
        """Return the images that codes decode to."""
        return self.decoder(z)

    def forward(self, x: Tensor) -> Tensor:
        return self.decode(self.encode(x))


MULTIPLIER, INCREMENT = 1664525, 1013904223
DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)
WINDOW = 11
SIGMA = 1.5
K1, K2 = 0.01, 0.03
BANDED_SIDE = 64


def warm_up(step: int, rising: int, start: float) -> float:
    """Return the factor at ``step`` of a linear warm-up from ``start`` to 1 over ``rising`` steps."""
    return start + (1 - start) * (step + 1) / rising


def one_cycle(step: int, rising: int, steps: int, steps_per_epoch: int) -> float:
    """Return the factor of half a cosine from 1 to 1/250,000 (Smith and Topin, "Super-convergence", 2018)."""
    progress = (step - rising) / max(1, steps - rising)
    return 4e-6 + (1 - 4e-6) * (1 + math.cos(math.pi * progress)) / 2


def derived_seed(seed: int, *purpose: str | int) -> int:
    """Return a 63-bit seed that depends only on ``seed`` and its purpose."""
    text = "/".join(str(part) for part in (seed, *purpose))
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big") >> 1


def signed(word: int) -> int:
    """Return the low 32 bits of ``word`` as a signed number, which overflows as tensors do."""
    return (word + 2**31) % 2**32 - 2**31


def spread(words: Tensor) -> Tensor:
    """Return the first step of the hash, which transforms each word separately."""
    return words.mul(MULTIPLIER).add_(INCREMENT)


def pcg4d(places: int, sample: Tensor, step: Tensor, key: int) -> Tensor:
    """Hash the places counted from 0, a column of samples, a step and a key, 32 bits each, to samples x 4 x places.

    ``sample`` and ``step`` are spread already.
    """
    x = torch.arange(INCREMENT, INCREMENT + places * MULTIPLIER, MULTIPLIER, device=sample.device).to(torch.int32)
    w = signed(key * MULTIPLIER + INCREMENT)
    x = torch.add(x, sample, alpha=w)
    y = torch.addcmul(sample, step, x)
    z = torch.addcmul(step, x, y)
    words = torch.stack((x, y, z, (y * z).add_(w)), dim=1)
    words ^= (words >> 16).bitwise_and_(0xFFFF)
    x, y, z, last = words.unbind(1)
    x.addcmul_(y, last)
    y.addcmul_(z, x)
    z.addcmul_(x, y)
    last.addcmul_(y, z)
    return words


class Draws:
    """Random numbers of the samples of a step. Each use of them is a stream with a name.

    Values of a sample are numbered channels last, whatever their memory format.
    """

    def __init__(self, seed: int, *purpose: str | int) -> None:
        """Derive the numbers from ``seed`` and ``purpose``."""
        self._seed, self._purpose = seed, purpose
        self._keys: dict[str, int] = {}
        self._samples: Tensor | None = None
        self._step = torch.zeros(())

    @property
    def active(self) -> bool:
        """Whether a step is in progress."""
        return self._samples is not None

    def begin(self, step: int | Tensor, count: int, first: int = 0, device: torch.device | str = "cpu") -> "Draws":
        """Draw for samples ``first`` to ``first + count`` of the batch of ``step`` from now on."""
        self._samples = spread(torch.arange(first, first + count, dtype=torch.int32, device=device)).view(-1, 1)
        word = step if isinstance(step, Tensor) else torch.tensor(step, device=device)
        self._step = spread(word.to(torch.int32)).view(1, 1)
        return self

    def end(self) -> None:
        """End the step: layers draw from PyTorch's own generator again."""
        self._samples = None

    def key(self, stream: str) -> int:
        """Return the word of a stream, which follows from the seed and the purpose."""
        if stream not in self._keys:
            self._keys[stream] = signed(derived_seed(self._seed, *self._purpose, stream))
        return self._keys[stream]

    def words(self, stream: str, count: int) -> Tensor:
        """Return samples x 4 x places random words of 32 bits, ``count`` or a few more of each sample."""
        assert self._samples is not None, "no step is under way"
        return self._hashed(stream, count, self._samples)

    def _hashed(self, stream: str, count: int, samples: Tensor) -> Tensor:
        return pcg4d(-(-count // 4), samples, self._step, self.key(stream))

    def uniform(self, stream: str, *shape: int) -> Tensor:
        """Draw numbers in [0, 1), ``shape`` of them for each sample, in 32 bits."""
        return laid_out(fractions(self.words(stream, math.prod(shape))), shape)

    def normal(self, stream: str, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """Draw standard normal numbers, ``shape`` of them for each sample (Box and Muller 1958)."""
        words = self.words(stream, math.prod(shape))
        radius = (words[:, :2] >> 8).to(dtype).mul_(-(2.0**-24)).add_(0.5).log_().mul_(-2).sqrt_()  # of (0, 1]
        angle = words[:, 2:].to(dtype).mul_(math.pi * 2**-31)
        return laid_out(torch.cat((radius * angle.cos(), radius * angle.sin()), dim=1), shape)

    def chosen(self, stream: str, share: float, *shape: int) -> Tensor:
        """Draw whether each of ``shape`` values of each sample belongs to a random ``share`` of them."""
        bound = min(round(share * 2**32), 2**32 - 1) - 2**31
        return laid_out(self.words(stream, math.prod(shape)) < bound, shape)

    def of_batch(self, stream: str, count: int) -> Tensor:
        """Draw ``count`` numbers in [0, 1) that belong to the batch, not to one of its samples."""
        batch = torch.full((1, 1), -1, dtype=torch.int32, device=self._step.device)
        return fractions(self._hashed(stream, count, batch)).view(-1)[:count]


def fractions(words: Tensor) -> Tensor:
    """Return the high 24 bits of each word as a number in [0, 1)."""
    return (words >> 8).mul(2.0**-24).add_(0.5)


def laid_out(drawn: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Return the draws of each sample in ``shape``, channels first, with the memory format channels last."""
    values = drawn.flatten(1)[:, : math.prod(shape)]
    return values.reshape(len(values), *shape[1:], shape[0]).movedim(-1, 1)


def dropped(layer: Any, plain: Callable[[Tensor], Tensor], draws: Draws, stream: str, x: Tensor) -> Tensor:
    """Apply a dropout layer."""
    if not (draws.active and layer.training):
        return plain(x)
    shape = x.shape[1:] if isinstance(layer, nn.Dropout) else (x.shape[1], *[1] * (x.dim() - 2))
    kept = draws.chosen(stream, 1 - layer.p, *shape)
    return x * kept.to(x.dtype).div_(1 - layer.p) if layer.p < 1 else x * 0


def drawn_normal(layer: nn.Module, plain: Callable[[Tensor], Tensor], draws: Draws, stream: str, x: Tensor) -> Tensor:
    """Draw a standard normal number for each value of ``x``."""
    return draws.normal(stream, *x.shape[1:]).to(x.dtype) if draws.active else plain(x)


def drawn_rows(
    layer: nn.Module, plain: Callable[[Tensor, int], Tensor], draws: Draws, stream: str, rows: Tensor, count: int
) -> Tensor:
    """Draw the indices of ``count`` of the ``rows``, which come from all samples of the batch."""
    if not draws.active:
        return plain(rows, count)
    return (draws.of_batch(stream, count).double() * len(rows)).long()


def connect(model: nn.Module, draws: Draws) -> None:
    """Make the random layers of ``model`` draw from ``draws`` in a step; elsewhere they use PyTorch's generator."""
    for number, (layer, name, form) in enumerate(random_layers(model)):
        stream = f"layer {number}"
        draws.key(stream)  # a compiled network cannot derive it
        vars(layer)[name] = partial(form, layer, getattr(layer, name), draws, stream)


def disconnect(model: nn.Module) -> None:
    """Make the random layers of ``model`` use PyTorch's generator again."""
    for layer, name, _ in random_layers(model):
        vars(layer).pop(name, None)


def random_layers(model: nn.Module) -> Iterable[tuple[nn.Module, str, Callable[..., Tensor]]]:
    """Yield each random layer with the name of its method that draws, and the function that replaces this method."""
    for layer in model.modules():
        if isinstance(layer, DROPOUTS):
            yield layer, "forward", dropped
        elif hasattr(layer, "draw_normal"):
            yield layer, "draw_normal", drawn_normal
        elif hasattr(layer, "draw_rows"):
            yield layer, "draw_rows", drawn_rows


class WeightAverage:
    """Exponential moving average of the weights of ``module`` and of the running statistics of its normalisations.

    The decay of the first updates is at most (1 + t) / (10 + t), as in TensorFlow's ``ExponentialMovingAverage``, so
    that the random weights of the start are soon forgotten.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self.values = [value for value in module.state_dict(keep_vars=True).values() if value.is_floating_point()]
        self.averages = [value.detach().clone() for value in self.values]

    def share(self) -> float:
        """Count a step, and return the share of its values in the averages."""
        self.updates += 1
        return 1 - min(self.decay, (1 + self.updates) / (10 + self.updates))

    @torch.no_grad()
    def update(self) -> None:
        """Include the values after a step."""
        torch._foreach_lerp_(self.averages, self.values, self.share())

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange the module's values and the averages."""
        for value, average in zip(self.values, self.averages, strict=True):
            kept = value.clone()
            value.copy_(average)
            average.copy_(kept)


def draw_uniform_each(x: Tensor, draws: Draws, stream: str, amount: float) -> Tensor:
    """Draw a number of 0..1 for each sample."""
    return draws.uniform(stream, 1).squeeze(1)


def draw_symmetric(x: Tensor, draws: Draws, stream: str, amount: float) -> Tensor:
    """Draw a number of -``amount``..``amount`` for each sample."""
    return (2 * draws.uniform(stream, 1).squeeze(1) - 1) * amount


def draw_shift(x: Tensor, draws: Draws, stream: str, amount: int) -> Tensor:
    """Draw a whole number of -``amount``..``amount`` for each axis of each sample."""
    return (draws.uniform(stream, x.dim() - 2) * (2 * amount + 1)).long() - amount


def flip_last(x: Tensor, drawn: Tensor, low: float | None, high: float | None) -> Tensor:
    """Reverse the last axis of the samples whose number is below 1/2."""
    return torch.where(drawn.view(-1, *[1] * (x.dim() - 1)) < 0.5, x.flip(-1), x)


def resampled(x: Tensor, theta: Tensor) -> Tensor:
    """Return the samples at the places that the affine maps ``theta`` give, bilinearly, in the type of ``x``."""
    if not len(x):
        return x  # affine_grid refuses a batch without samples
    grid = functional.affine_grid(theta, list(x.shape), align_corners=False)
    return functional.grid_sample(x.float(), grid, padding_mode="border", align_corners=False).to(x.dtype)


def rotate(x: Tensor, drawn: Tensor, low: float | None, high: float | None) -> Tensor:
    """Rotate each image about its centre, by degrees."""
    height, width = x.shape[-2:]
    angle = drawn * (math.pi / 180)
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    # affine_grid works where both sides are 2 long: the ratio makes the rotation one of pixels, not of that square.
    rows = [cos, -sin * (height / width), zero, sin * (width / height), cos, zero]
    return resampled(x, torch.stack(rows, dim=1).view(-1, 2, 3))


def shift(x: Tensor, drawn: Tensor, low: float | None, high: float | None) -> Tensor:
    """Move each sample by whole pixels along each axis."""
    for axis, moved in enumerate(drawn.unbind(1), 2):
        length = x.shape[axis]
        places = (torch.arange(length, device=x.device) - moved.unsqueeze(1)).clamp(0, length - 1)
        shape = [len(x) if dim == 0 else length if dim == axis else 1 for dim in range(x.dim())]
        x = x.gather(axis, places.view(shape).expand_as(x))
    return x


def draw_normal(x: Tensor, draws: Draws, stream: str) -> Tensor:
    """Draw a standard normal number for each value of the samples, in at least 32 bits."""
    return draws.normal(stream, *x.shape[1:], dtype=torch.promote_types(x.dtype, torch.float32))


def draw_uniform(x: Tensor, draws: Draws, stream: str) -> Tensor:
    """Draw a number of 0..1 for each pixel of the samples, in 32 bits: fewer lose small shares."""
    return draws.uniform(stream, 1, *x.shape[2:])


def add_noise(x: Tensor, drawn: Tensor, amount: float | Tensor, low: float | None, high: float | None) -> Tensor:
    """Add noise of ``amount`` times the range's width; without a range, in the data's units."""
    width = 1.0 if low is None or high is None else high - low
    return x + (drawn * (amount * width)).to(x.dtype)


def add_clipped_noise(
    x: Tensor, drawn: Tensor, amount: float | Tensor, low: float | None, high: float | None
) -> Tensor:
    """Add noise, and clip the sum to the range, if there is one."""
    noisy = add_noise(x, drawn, amount, low, high)
    return noisy if low is None or high is None else noisy.clamp(low, high)


def mask_pixels(x: Tensor, drawn: Tensor, amount: float | Tensor, low: float | None, high: float | None) -> Tensor:
    """Set this share of the pixels to the low end of the range, or to 0 without a range."""
    return torch.where(drawn < amount, low or 0.0, x)


def salt_and_pepper(x: Tensor, drawn: Tensor, amount: float | Tensor, low: float | None, high: float | None) -> Tensor:
    """Set this share of the pixels to the ends of the range, half each; without a range to -3 and 3.

    These are three standard deviations of standardised data.
    """
    pepper, salt = (-3.0, 3.0) if low is None or high is None else (low, high)
    x = torch.where(drawn < amount / 2, pepper, x)
    return torch.where(drawn >= 1 - amount / 2, salt, x)


def gaussian_window(size: int, sigma: float, device: torch.device) -> Tensor:
    """Return a Gaussian of ``size`` samples that sum to 1, in 64 bits."""
    # Made on the device: a copy from main memory would make every step wait.
    x = torch.arange(size, dtype=torch.float64, device=device) - (size - 1) / 2
    weights = torch.exp(-x.square() / (2 * sigma**2))
    return weights / weights.sum()


def window_size(*sides: int) -> int:
    """Return the side of the window: 11, or the largest odd number that fits into a smaller image."""
    side = min(*sides, WINDOW)
    return side if side % 2 else side - 1


def is_banded(x: Tensor) -> bool:
    """Return whether matrix products filter faster than convolutions."""
    return x.device.type == "cpu" and max(x.shape[2:]) <= BANDED_SIDE


def blur(x: Tensor, window: Tensor) -> Tensor:
    """Filter along each axis in turn, wherever the whole window lies inside the image."""
    if is_banded(x):
        return banded_products(x, window)
    for axis in reversed(range(2, x.dim())):
        x = convolution(x, window, axis)
    return x


def banded_products(x: Tensor, window: Tensor) -> Tensor:
    """Filter along each axis, as products with matrices whose rows are the shifted ``window``."""
    for side in reversed(x.shape[2:]):
        one_hot = torch.eye(side, dtype=x.dtype, device=x.device)
        band = functional.conv1d(one_hot.unsqueeze(1), window.view(1, 1, -1)).squeeze(1)
        # The last axis becomes the first, so that the product has long rows and the next axis is the last.
        x = (band.T @ x.flatten(0, -2).T).view(-1, *x.shape[:-1])
    return x.movedim((-2, -1), (0, 1))


def convolution(x: Tensor, window: Tensor, axis: int) -> Tensor:
    """Filter along ``axis``, as a convolution of each channel."""
    channels, dims = x.shape[1], x.dim()
    convolve = (functional.conv1d, functional.conv2d, functional.conv3d)[dims - 3]
    shape = [len(window) if dim == axis else 1 for dim in range(dims)]
    return convolve(x, window.view(shape).expand(channels, *shape[1:]), groups=channels)


def contrast_and_ssim(x: Tensor, y: Tensor, data_range: float) -> tuple[Tensor, Tensor]:
    """Return the means of contrast times structure, and of SSIM, for each sample and channel.

    The window is Gaussian, 11 wide with sigma 1.5, at the positions where it lies inside the image, each channel by
    itself. On images smaller than 11 the window is the largest odd one that fits and sigma shrinks in proportion, so
    that its shape stays. ``data_range`` is the distance between the least and the greatest pixel value. The result has
    the images' own precision, and 32 bits at least.
    """
    size = window_size(*x.shape[2:])
    dtype = torch.promote_types(x.dtype, torch.float32)
    window = gaussian_window(size, SIGMA * size / WINDOW, x.device).to(dtype)
    with torch.autocast(x.device.type, enabled=False):
        # Variances do not depend on the level. Near zero their digits survive the subtraction of squares.
        level = y.to(dtype).flatten(2).mean(dim=2).detach().view(*y.shape[:2], *[1] * (y.dim() - 2))
        x, y = x.to(dtype) - level, y.to(dtype) - level
        # Products move samples to the end of the memory layout, where the four parts are then contiguous.
        axis = 0 if is_banded(x) else 1
        moments = torch.cat((x, y, x * x + y * y, x * y), dim=axis)
        mean_x, mean_y, squares, xy = blur(moments, window).chunk(4, dim=axis)
    c1, c2 = (K1 * data_range) ** 2, (K2 * data_range) ** 2
    covariance = xy - mean_x * mean_y
    variances = squares - mean_x.square() - mean_y.square()
    mean_x, mean_y = mean_x + level, mean_y + level
    luminance = (2 * mean_x * mean_y + c1) / (mean_x.square() + mean_y.square() + c1)
    contrast = (2 * covariance + c2) / (variances + c2)
    return contrast.flatten(2).mean(dim=2), (luminance * contrast).flatten(2).mean(dim=2)


def ssim_per_image(x: Tensor, y: Tensor, data_range: float) -> Tensor:
    """Return the mean SSIM index of each pair of images, between -1 and 1 (see ``contrast_and_ssim``)."""
    return contrast_and_ssim(x, y, data_range)[1].mean(dim=1)


def ssim_loss(x_hat: Tensor, x: Tensor, width: float) -> Tensor:
    """Return 1 - SSIM for pixels whose range has this ``width``."""
    return 1 - ssim_per_image(x_hat, x, width).mean()


def train(model: Everything, images: Tensor, epochs: int = 20, device: str = "cpu") -> None:
    """Train on images (number, 1, 16, 20) with values in -1..1.

    Full precision, on all images: validation and early stopping are left to the caller.
    """
    model.to(device).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0001, momentum=0.9, nesterov=False, weight_decay=0.0)
    average = WeightAverage(model, 0.9)
    draws = Draws(0)
    connect(model, draws)
    steps_per_epoch = -(-len(images) // 8)
    steps = epochs * steps_per_epoch
    rising = round(0.3 * steps)
    step = 0
    for epoch in range(1, epochs + 1):
        order = torch.Generator().manual_seed(derived_seed(0, "order", epoch))
        total = 0.0
        for indices in torch.randperm(len(images), generator=order).split(8):
            x = images[indices].to(device)
            draws.begin(step, len(x), device=device)
            drawn_1 = draw_uniform_each(x, draws, "flip", True)
            drawn_2 = draw_symmetric(x, draws, "rotate", 10.0)
            drawn_3 = draw_shift(x, draws, "shift", 2)
            x = flip_last(x, drawn_1, -1.0, 1.0)
            x = rotate(x, drawn_2, -1.0, 1.0)
            x = shift(x, drawn_3, -1.0, 1.0)
            drawn = draw_normal(x, draws, "gaussian")
            seen = add_clipped_noise(x, drawn, 0.1, -1.0, 1.0)
            drawn = draw_uniform(x, draws, "masking")
            seen = mask_pixels(seen, drawn, 0.1, -1.0, 1.0)
            drawn = draw_uniform(x, draws, "saltpepper")
            seen = salt_and_pepper(seen, drawn, 0.05, -1.0, 1.0)
            z = model.encode(seen)
            x_hat = model.decode(z)
            loss = functional.mse_loss(x_hat, x)
            loss = loss + 0.2 * ssim_loss(x_hat, x, 2.0)
            loss = loss + functional.huber_loss(x_hat, x, delta=1.0)
            loss = loss * x[0].numel()  # summed over the pixels of an image
            total += loss.item() * len(x)
            for name in ("encoder.0.weight", "decoder.11.weight"):
                loss = loss + 0.001 * model.get_parameter(name).square().sum()
            for name in ("encoder.5.weight", "decoder.7.weight"):
                loss = loss + 0.0001 * model.get_parameter(name).abs().sum()
            loss = loss + 0.001 * z.abs().flatten(1).sum(1).mean()
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            factor = warm_up(step, rising, 0.04) if step < rising else one_cycle(step, rising, steps, steps_per_epoch)
            optimizer.param_groups[0]["lr"] = 0.0001 * factor
            optimizer.step()
            average.update()
            step += 1
        print(f"epoch {epoch}: loss {total / len(images):.5f}")
    disconnect(model)
    average.swap()
    model.eval()


if __name__ == "__main__":
    import numpy
    from safetensors.torch import save_file

    if len(sys.argv) != 3:
        sys.exit("usage: python everything.py IMAGES.npy WEIGHTS.safetensors, with images (number, 1, 16, 20)")
    for path in sys.argv[1:2]:
        if not path.endswith(".npy"):
            sys.exit(f"{path} is not an .npy file: write one with numpy.save(path, images)")
    autoencoder = Everything()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    images = torch.from_numpy(numpy.load(sys.argv[1])).float()
    train(autoencoder, images, device=device)
    save_file(autoencoder.state_dict(), sys.argv[2])

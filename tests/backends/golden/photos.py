"""photos: a convolutional autoencoder for 3x64x64 images, codes of 256."""

import math
import sys
from hashlib import sha256

import torch
from torch import Tensor, nn
from torch.nn import functional


class Photos(nn.Module):
    """3x64x64 images with values in 0..1, codes of 256 numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(  # 3x64x64
            # half
            nn.Conv2d(3, 32, kernel_size=3, padding=1, bias=False),  # 32x64x64
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.Conv2d(32, 32, kernel_size=4, stride=2, padding=1, bias=False),  # 32x32x32
            nn.BatchNorm2d(32),
            nn.ReLU(),
            # quarter
            nn.Conv2d(32, 64, kernel_size=4, stride=2, padding=1, bias=False),  # 64x16x16
            nn.BatchNorm2d(64),
            nn.ReLU(),
            # eighth
            nn.Conv2d(64, 128, kernel_size=4, stride=2, padding=1, bias=False),  # 128x8x8
            nn.BatchNorm2d(128),
            nn.ReLU(),
        )
        self.bottleneck = nn.Sequential(  # 128x8x8
            nn.Flatten(),
            nn.Linear(8192, 256),  # 256
        )
        self.decoder = nn.Sequential(  # 256
            nn.Linear(256, 8192),  # 8192
            nn.ReLU(),
            nn.Unflatten(1, (128, 8, 8)),  # 128x8x8
            # eighth
            nn.ConvTranspose2d(128, 64, kernel_size=4, stride=2, padding=1, bias=False),  # 64x16x16
            nn.BatchNorm2d(64),
            nn.ReLU(),
            # quarter
            nn.ConvTranspose2d(64, 32, kernel_size=4, stride=2, padding=1, bias=False),  # 32x32x32
            nn.BatchNorm2d(32),
            nn.ReLU(),
            # half
            nn.ConvTranspose2d(32, 32, kernel_size=4, stride=2, padding=1, bias=False),  # 32x64x64
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.Conv2d(32, 3, kernel_size=3, padding=1),  # 3x64x64
            nn.Sigmoid(),
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """He and Glorot initialisation; biases start at zero."""
        for layer in (self.encoder[0], self.encoder[3], self.encoder[6], self.encoder[9], self.decoder[0]):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        for layer in (self.bottleneck[1], self.decoder[12]):
            nn.init.xavier_uniform_(layer.weight)
        nn.init.normal_(self.decoder[3].weight, std=0.0625)
        nn.init.normal_(self.decoder[6].weight, std=0.0883883)
        nn.init.normal_(self.decoder[9].weight, std=0.125)
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)

    def encode(self, x: Tensor) -> Tensor:
        """Return the codes (batch, 256) of images (batch, 3, 64, 64)."""
        return self.bottleneck(self.encoder(x))

    def decode(self, z: Tensor) -> Tensor:
        """Return the images that codes decode to."""
        return self.decoder(z)

    def forward(self, x: Tensor) -> Tensor:
        return self.decode(self.encode(x))


MULTIPLIER, INCREMENT = 1664525, 1013904223
WINDOW = 11
SIGMA = 1.5
K1, K2 = 0.01, 0.03
BANDED_SIDE = 64


def warm_up(step: int, rising: int, start: float) -> float:
    """Return the factor at ``step`` of a linear warm-up from ``start`` to 1 over ``rising`` steps."""
    return start + (1 - start) * (step + 1) / rising


def cosine(step: int, rising: int, steps: int, steps_per_epoch: int) -> float:
    """Return the factor of half a cosine from 1 to 0 (Loshchilov and Hutter, "SGDR", ICLR 2017)."""
    return (1 + math.cos(math.pi * (step - rising) / max(1, steps - rising))) / 2


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


def draw_uniform_each(x: Tensor, draws: Draws, stream: str, amount: float) -> Tensor:
    """Draw a number of 0..1 for each sample."""
    return draws.uniform(stream, 1).squeeze(1)


def flip_last(x: Tensor, drawn: Tensor, low: float | None, high: float | None) -> Tensor:
    """Reverse the last axis of the samples whose number is below 1/2."""
    return torch.where(drawn.view(-1, *[1] * (x.dim() - 1)) < 0.5, x.flip(-1), x)


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


def train(model: Photos, images: Tensor, epochs: int = 100, device: str = "cpu") -> None:
    """Train on images (number, 3, 64, 64) with values in 0..1.

    Full precision, on all images: validation and early stopping are left to the caller.
    """
    model.to(device).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.001, betas=(0.9, 0.999), eps=1e-08, weight_decay=0.01)
    draws = Draws(0)
    steps_per_epoch = -(-len(images) // 64)
    steps = epochs * steps_per_epoch
    rising = round(0.05 * steps)
    step = 0
    for epoch in range(1, epochs + 1):
        order = torch.Generator().manual_seed(derived_seed(0, "order", epoch))
        total = 0.0
        for indices in torch.randperm(len(images), generator=order).split(64):
            x = images[indices].to(device)
            draws.begin(step, len(x), device=device)
            drawn = draw_uniform_each(x, draws, "flip", True)
            x = flip_last(x, drawn, 0.0, 1.0)
            x_hat = model(x)
            loss = functional.mse_loss(x_hat, x)
            loss = loss + 0.2 * ssim_loss(x_hat, x, 1.0)
            total += loss.item() * len(x)
            optimizer.zero_grad()
            loss.backward()
            factor = warm_up(step, rising, 0.0) if step < rising else cosine(step, rising, steps, steps_per_epoch)
            optimizer.param_groups[0]["lr"] = 0.001 * factor
            optimizer.step()
            step += 1
        print(f"epoch {epoch}: loss {total / len(images):.5f}")
    model.eval()


if __name__ == "__main__":
    import numpy
    from safetensors.torch import save_file

    if len(sys.argv) != 3:
        sys.exit("usage: python photos.py IMAGES.npy WEIGHTS.safetensors, with images (number, 3, 64, 64)")
    for path in sys.argv[1:2]:
        if not path.endswith(".npy"):
            sys.exit(f"{path} is not an .npy file: write one with numpy.save(path, images)")
    autoencoder = Photos()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    images = torch.from_numpy(numpy.load(sys.argv[1])).float()
    train(autoencoder, images, device=device)
    save_file(autoencoder.state_dict(), sys.argv[2])

"""everything: a convolutional autoencoder for 1x16x20 images, codes of 5."""

import math
import sys

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
        return x + self.std * torch.randn_like(x) if self.training else x


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
            # bottleneck
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
            self.encoder[10],
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
        """Images (batch, 1, 16, 20) to codes (batch, 5)."""
        return self.encoder(x)

    def decode(self, z: Tensor) -> Tensor:
        """Codes to images."""
        return self.decoder(z)

    def forward(self, x: Tensor) -> Tensor:
        return self.decode(self.encode(x))


WINDOW = 11
SIGMA = 1.5
K1, K2 = 0.01, 0.03


def gaussian_window(size: int, sigma: float) -> Tensor:
    """A Gaussian of ``size`` samples that sum to 1, in 64 bits."""
    x = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    weights = torch.exp(-x.square() / (2 * sigma**2))
    return weights / weights.sum()


def window_size(height: int, width: int) -> int:
    """The side of the window: 11, or the largest odd number that fits into a smaller image."""
    side = min(height, width, WINDOW)
    return side if side % 2 else side - 1


def blur(x_bchw: Tensor, window: Tensor) -> Tensor:
    """Filter rows, then columns, wherever the whole window lies inside the image."""
    channels = x_bchw.shape[1]
    kernel = window.expand(channels, 1, 1, -1)
    rows = functional.conv2d(x_bchw, kernel, groups=channels)
    return functional.conv2d(rows, kernel.transpose(2, 3), groups=channels)


def ssim_per_image(x_bchw: Tensor, y_bchw: Tensor, data_range: float) -> Tensor:
    """The mean SSIM index of each pair of images, between -1 and 1, as a vector of length B.

    The window is Gaussian, 11x11 with sigma 1.5, at the positions where it lies inside the image, each channel by
    itself. On images smaller than 11 the window is the largest odd one that fits and sigma shrinks in proportion, so
    that its shape stays. ``data_range`` is the distance between the least and the greatest pixel value. The result has
    the images' own precision, and 32 bits at least.
    """
    size = window_size(*x_bchw.shape[-2:])
    dtype = torch.promote_types(x_bchw.dtype, torch.float32)
    window = gaussian_window(size, SIGMA * size / WINDOW).to(x_bchw.device, dtype)
    with torch.autocast(x_bchw.device.type, enabled=False):
        x, y = x_bchw.to(dtype), y_bchw.to(dtype)
        moments = torch.cat((x, y, x * x, y * y, x * y), dim=1)
        mean_x, mean_y, xx, yy, xy = blur(moments, window).chunk(5, dim=1)
    c1, c2 = (K1 * data_range) ** 2, (K2 * data_range) ** 2
    covariance = xy - mean_x * mean_y
    variances = xx - mean_x.square() + yy - mean_y.square()
    luminance = (2 * mean_x * mean_y + c1) / (mean_x.square() + mean_y.square() + c1)
    structure = (2 * covariance + c2) / (variances + c2)
    return (luminance * structure).flatten(1).mean(dim=1)


def moved(x: Tensor, pixels: float, degrees: float) -> Tensor:
    """Each image shifted by whole pixels and rotated, at random up to these amounts."""
    batch, _, height, width = x.shape
    angle = (2 * torch.rand(batch, device=x.device) - 1) * math.radians(degrees)
    down, right = ((2 * torch.rand(batch, device=x.device) - 1) * pixels for _ in range(2))
    cos, sin = angle.cos(), angle.sin()
    rows = [cos, -sin * height / width, 2 * right.round() / width, sin * width / height, cos, 2 * down.round() / height]
    grid = functional.affine_grid(torch.stack(rows, 1).view(-1, 2, 3), list(x.shape), align_corners=False)
    return functional.grid_sample(x, grid, padding_mode="border", align_corners=False)


def train(model: Everything, images: Tensor, epochs: int = 20, device: str = "cpu") -> None:
    """Train on images (number, 1, 16, 20) with values in -1..1.

    Full precision, on all images: validation and early stopping are left to the caller.
    """
    torch.manual_seed(0)
    model.to(device).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0001, momentum=0.9)
    steps_per_epoch = -(-len(images) // 8)
    steps = epochs * steps_per_epoch
    rising = round(0.3 * steps)

    def factor(step: int) -> float:
        if step < rising:
            return 0.04 + 0.96 * (step + 1) / rising
        return 4e-06 + 0.999996 * (1 + math.cos(math.pi * (step - rising) / max(1, steps - rising))) / 2

    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    average = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.9))
    for epoch in range(1, epochs + 1):
        total = 0.0
        for indices in torch.randperm(len(images)).split(8):
            x = images[indices].to(device)
            x = torch.where(torch.rand(len(x), 1, 1, 1, device=x.device) < 0.5, x.flip(-1), x)
            x = moved(x, pixels=2, degrees=10.0)
            seen = x
            seen = (seen + 0.2 * torch.randn_like(x)).clamp(-1.0, 1.0)
            seen = torch.where(torch.rand_like(x[:, :1]) < 0.1, -1.0, seen)
            drawn = torch.rand_like(x[:, :1])
            seen = torch.where(drawn < 0.025, -1.0, seen)
            seen = torch.where(drawn >= 0.975, 1.0, seen)
            z = model.encode(seen)
            x_hat = model.decode(z)
            loss = functional.mse_loss(x_hat, x)
            loss = loss + 0.2 * (1 - ssim_per_image(x_hat, x, 2.0).mean())
            loss = loss + functional.huber_loss(x_hat, x)
            loss = loss * x[0].numel()  # summed over the pixels of an image
            for name in ("encoder.0.weight", "decoder.11.weight"):
                loss = loss + 0.001 * model.get_parameter(name).square().sum()
            for name in ("encoder.5.weight", "decoder.7.weight"):
                loss = loss + 0.0001 * model.get_parameter(name).abs().sum()
            loss = loss + 0.001 * z.abs().flatten(1).sum(1).mean()
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            scheduler.step()
            average.update_parameters(model)
            total += loss.item() * len(x)
        print(f"epoch {epoch}: loss {total / len(images):.5f}")
    model.load_state_dict(average.module.state_dict())
    model.eval()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python everything.py IMAGES.pt WEIGHTS.pt, with images (number, 1, 16, 20)")
    autoencoder = Everything()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    train(autoencoder, torch.load(sys.argv[1]), device=device)
    torch.save(autoencoder.state_dict(), sys.argv[2])

"""deep_svdd: a convolutional autoencoder for 1x28x28 images, codes of 32."""

import sys
from collections.abc import Iterable
from hashlib import sha256

import torch
from torch import Tensor, nn
from torch.nn import functional


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


class DeepSvdd(nn.Module):
    """1x28x28 images with values in 0..1, codes of 32 numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(  # 1x28x28
            SampleNormalise(),
            nn.Conv2d(1, 8, kernel_size=5, padding=2, bias=False),  # 8x28x28
            nn.BatchNorm2d(8, eps=0.0001, affine=False),
            nn.LeakyReLU(),
            nn.MaxPool2d(2),  # 8x14x14
            nn.Conv2d(8, 4, kernel_size=5, padding=2, bias=False),  # 4x14x14
            nn.BatchNorm2d(4, eps=0.0001, affine=False),
            nn.LeakyReLU(),
            nn.MaxPool2d(2),  # 4x7x7
            nn.Flatten(),
            nn.Linear(196, 32, bias=False),  # 32
        )
        self.decoder = nn.Sequential(  # 32
            nn.Unflatten(1, (2, 4, 4)),  # 2x4x4
            nn.LeakyReLU(),
            nn.Upsample(scale_factor=2, mode="nearest"),  # 2x8x8
            nn.ConvTranspose2d(2, 4, kernel_size=5, padding=2, bias=False),  # 4x8x8
            nn.BatchNorm2d(4, eps=0.0001, affine=False),
            nn.LeakyReLU(),
            nn.Upsample(scale_factor=2, mode="nearest"),  # 4x16x16
            nn.ConvTranspose2d(4, 8, kernel_size=5, padding=3, bias=False),  # 8x14x14
            nn.BatchNorm2d(8, eps=0.0001, affine=False),
            nn.LeakyReLU(),
            nn.Upsample(scale_factor=2, mode="nearest"),  # 8x28x28
            nn.ConvTranspose2d(8, 1, kernel_size=5, padding=2, bias=False),  # 1x28x28
            nn.Sigmoid(),
            SampleNormalise(undo=True),
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Glorot initialisation."""
        for layer in (
            self.encoder[1],
            self.encoder[5],
            self.encoder[10],
            self.decoder[3],
            self.decoder[7],
            self.decoder[11],
        ):
            nn.init.xavier_uniform_(layer.weight)

    def encode(self, x: Tensor) -> Tensor:
        """Return the codes (batch, 32) of images (batch, 1, 28, 28)."""
        return self.encode_with_maps(x)[0]

    def encode_with_maps(self, x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the codes, and the maps that the decoder reads besides them."""
        kept = {}
        kept["raw input"] = x
        x = self.encoder(x)
        return x, {"raw input": kept["raw input"]}

    def decode(self, x: Tensor, maps: dict[str, Tensor] | None = None) -> Tensor:
        """Return the images that codes and their maps decode to."""
        if maps is None:
            raise ValueError("the decoder reads raw input of encode_with_maps besides the code")
        kept = dict(maps)
        x = self.decoder[0:13](x)
        x = torch.cat((x, kept["raw input"]), dim=1)
        x = self.decoder[13:14](x)
        return x

    def forward(self, x: Tensor) -> Tensor:
        return self.decode(*self.encode_with_maps(x))


def single_step(step: int, rising: int, steps: int, steps_per_epoch: int, at: int, factor: float) -> float:
    """Return ``factor`` after epoch ``at``, and 1 before."""
    return factor if step >= at * steps_per_epoch else 1.0


def contrast_ends(blocks: Iterable[Tensor]) -> tuple[Tensor, Tensor]:
    """Return the least value of samples normalised by their contrast, and the distance to the largest."""
    normalise = SampleNormalise()
    ends = torch.stack([torch.stack(normalise(block.float().cpu()).aminmax()) for block in blocks])
    low, high = ends[:, 0].amin(), ends[:, 1].amax()
    return low, torch.where(high > low, high - low, 1.0)


def derived_seed(seed: int, *purpose: str | int) -> int:
    """Return a 63-bit seed that depends only on ``seed`` and its purpose."""
    text = "/".join(str(part) for part in (seed, *purpose))
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big") >> 1


def train(model: DeepSvdd, images: Tensor, epochs: int = 150, device: str = "cpu") -> None:
    """Train on images (number, 1, 28, 28) with values in 0..1.

    Full precision, on all images: validation is left to the caller.
    """
    model.to(device).train()
    offset, scale = contrast_ends(images.split(512))
    for part in (model.encoder[0], model.decoder[-1]):
        part.offset.copy_(offset)
        part.scale.copy_(scale)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.0001, betas=(0.9, 0.999), eps=1e-08, weight_decay=0.0005)
    steps_per_epoch = -(-len(images) // 200)
    steps = epochs * steps_per_epoch
    step = 0
    for epoch in range(1, epochs + 1):
        order = torch.Generator().manual_seed(derived_seed(0, "order", epoch))
        total = 0.0
        for indices in torch.randperm(len(images), generator=order).split(200):
            x = images[indices].to(device)
            x_hat = model(x)
            x_hat_n = model.encoder[0](x_hat, x)
            x_n = model.encoder[0](x)
            loss = functional.mse_loss(x_hat_n, x_n)
            loss = loss * x[0].numel()  # summed over the pixels of an image
            total += loss.item() * len(x)
            optimizer.zero_grad()
            loss.backward()
            factor = single_step(step, 0, steps, steps_per_epoch, at=50, factor=0.1)
            optimizer.param_groups[0]["lr"] = 0.0001 * factor
            optimizer.step()
            step += 1
        print(f"epoch {epoch}: loss {total / len(images):.5f}")
    model.eval()


if __name__ == "__main__":
    import numpy
    from safetensors.torch import save_file

    if len(sys.argv) != 3:
        sys.exit("usage: python deep_svdd.py IMAGES.npy WEIGHTS.safetensors, with images (number, 1, 28, 28)")
    for path in sys.argv[1:2]:
        if not path.endswith(".npy"):
            sys.exit(f"{path} is not an .npy file: write one with numpy.save(path, images)")
    autoencoder = DeepSvdd()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    images = torch.from_numpy(numpy.load(sys.argv[1])).float()
    train(autoencoder, images, device=device)
    save_file(autoencoder.state_dict(), sys.argv[2])

"""deep_svdd: a convolutional autoencoder for 1x28x28 images, codes of 32."""

import sys
from hashlib import sha256

import torch
from torch import Tensor, nn
from torch.nn import functional


class DeepSvdd(nn.Module):
    """1x28x28 images with values in 0..1, codes of 32 numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(  # 1x28x28
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
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Glorot initialisation."""
        for layer in (
            self.encoder[0],
            self.encoder[4],
            self.encoder[9],
            self.decoder[3],
            self.decoder[7],
            self.decoder[11],
        ):
            nn.init.xavier_uniform_(layer.weight)

    def encode(self, x: Tensor) -> Tensor:
        """Return the codes (batch, 32) of images (batch, 1, 28, 28)."""
        return self.encoder(x)

    def decode(self, z: Tensor) -> Tensor:
        """Return the images that codes stand for."""
        return self.decoder(z)

    def forward(self, x: Tensor) -> Tensor:
        return self.decode(self.encode(x))


def single_step(step: int, rising: int, steps: int, steps_per_epoch: int, at: int, factor: float) -> float:
    """Return ``factor`` after epoch ``at``, and 1 before."""
    return factor if step >= at * steps_per_epoch else 1.0


def derived_seed(seed: int, *purpose: str | int) -> int:
    """Return a seed of 63 bits that depends on ``seed`` and on its purpose alone."""
    text = "/".join(str(part) for part in (seed, *purpose))
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big") >> 1


def train(model: DeepSvdd, images: Tensor, epochs: int = 150, device: str = "cpu") -> None:
    """Train on images (number, 1, 28, 28) with values in 0..1.

    Full precision, on all images: validation is left to the caller.
    """
    model.to(device).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.0001, betas=(0.9, 0.999), eps=1e-08, weight_decay=0.0005)
    steps_per_epoch = -(-len(images) // 200)
    steps = epochs * steps_per_epoch
    step = 0
    for epoch in range(1, epochs + 1):
        torch.manual_seed(derived_seed(0, "layers", epoch))
        order = torch.Generator().manual_seed(derived_seed(0, "order", epoch))
        total = 0.0
        for indices in torch.randperm(len(images), generator=order).split(200):
            x = images[indices].to(device)
            x_hat = model(x)
            loss = functional.mse_loss(x_hat, x)
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
            sys.exit(f"{path} is no .npy file: write one with numpy.save(path, images)")
    autoencoder = DeepSvdd()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    images = torch.from_numpy(numpy.load(sys.argv[1])).float()
    train(autoencoder, images, device=device)
    save_file(autoencoder.state_dict(), sys.argv[2])

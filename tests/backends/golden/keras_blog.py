"""keras_blog: a convolutional autoencoder for 1x28x28 images, codes of 8x4x4."""

import math
import sys
from hashlib import sha256

import torch
from torch import Tensor, nn
from torch.nn import functional


class KerasBlog(nn.Module):
    """1x28x28 images with values in 0..1, codes of 8x4x4 numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(  # 1x28x28
            nn.Conv2d(1, 16, kernel_size=3, padding=1),  # 16x28x28
            nn.ReLU(),
            nn.MaxPool2d(2),  # 16x14x14
            nn.Conv2d(16, 8, kernel_size=3, padding=1),  # 8x14x14
            nn.ReLU(),
            nn.MaxPool2d(2),  # 8x7x7
            nn.Conv2d(8, 8, kernel_size=3, padding=1),  # 8x7x7
            nn.ReLU(),
            nn.MaxPool2d(2, ceil_mode=True),  # 8x4x4
        )
        self.decoder = nn.Sequential(  # 8x4x4
            nn.Conv2d(8, 8, kernel_size=3, padding=1),  # 8x4x4
            nn.ReLU(),
            nn.Upsample(scale_factor=2, mode="nearest"),  # 8x8x8
            nn.Conv2d(8, 8, kernel_size=3, padding=1),  # 8x8x8
            nn.ReLU(),
            nn.Upsample(scale_factor=2, mode="nearest"),  # 8x16x16
            nn.Conv2d(8, 16, kernel_size=3),  # 16x14x14
            nn.ReLU(),
            nn.Upsample(scale_factor=2, mode="nearest"),  # 16x28x28
            nn.Conv2d(16, 1, kernel_size=3, padding=1),  # 1x28x28
            nn.Sigmoid(),
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Glorot initialisation; biases start at zero."""
        for layer in (
            self.encoder[0],
            self.encoder[3],
            self.encoder[6],
            self.decoder[0],
            self.decoder[3],
            self.decoder[6],
            self.decoder[9],
        ):
            nn.init.xavier_uniform_(layer.weight)
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)

    def encode(self, x: Tensor) -> Tensor:
        """Return the codes (batch, 8, 4, 4) of images (batch, 1, 28, 28)."""
        return self.encoder(x)

    def decode(self, z: Tensor) -> Tensor:
        """Return the images that codes decode to."""
        return self.decoder(z)

    def forward(self, x: Tensor) -> Tensor:
        return self.decode(self.encode(x))


def derived_seed(seed: int, *purpose: str | int) -> int:
    """Return a 63-bit seed that depends only on ``seed`` and its purpose."""
    text = "/".join(str(part) for part in (seed, *purpose))
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big") >> 1


def train(model: KerasBlog, images: Tensor, epochs: int = 50, device: str = "cpu") -> None:
    """Train on images (number, 1, 28, 28) with values in 0..1.

    Full precision, on all images: validation is left to the caller.
    """
    model.to(device).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001, betas=(0.9, 0.999), weight_decay=0.0)
    step = 0
    for epoch in range(1, epochs + 1):
        order = torch.Generator().manual_seed(derived_seed(0, "order", epoch))
        total = 0.0
        for indices in torch.randperm(len(images), generator=order).split(128):
            x = images[indices].to(device)
            x_hat = model(x)
            loss = functional.binary_cross_entropy(x_hat, x)
            total += loss.item() * len(x)
            optimizer.zero_grad()
            loss.backward()
            optimizer.param_groups[0]["eps"] = 1e-07 / math.sqrt(1 - 0.999 ** (step + 1))
            optimizer.step()
            step += 1
        print(f"epoch {epoch}: loss {total / len(images):.5f}")
    model.eval()


if __name__ == "__main__":
    import numpy
    from safetensors.torch import save_file

    if len(sys.argv) != 3:
        sys.exit("usage: python keras_blog.py IMAGES.npy WEIGHTS.safetensors, with images (number, 1, 28, 28)")
    for path in sys.argv[1:2]:
        if not path.endswith(".npy"):
            sys.exit(f"{path} is not an .npy file: write one with numpy.save(path, images)")
    autoencoder = KerasBlog()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    images = torch.from_numpy(numpy.load(sys.argv[1])).float()
    train(autoencoder, images, device=device)
    save_file(autoencoder.state_dict(), sys.argv[2])

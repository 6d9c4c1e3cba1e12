"""mnist_l2: a convolutional autoencoder for 1x28x28 images, codes of 32x14x14."""

from torch import Tensor, nn


class MnistL2(nn.Module):
    """1x28x28 images with values in 0..1, codes of 32x14x14 numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(  # 1x28x28
            nn.Conv2d(1, 64, kernel_size=3, padding=1),  # 64x28x28
            nn.ReLU(),
            nn.Conv2d(64, 32, kernel_size=3, padding=1),  # 32x28x28
            nn.ReLU(),
            nn.MaxPool2d(2),  # 32x14x14
        )
        self.decoder = nn.Sequential(  # 32x14x14
            nn.ConvTranspose2d(32, 32, kernel_size=3, padding=1),  # 32x14x14
            nn.ReLU(),
            nn.Upsample(scale_factor=2, mode="nearest"),  # 32x28x28
            nn.Conv2d(32, 64, kernel_size=3, padding=1),  # 64x28x28
            nn.ReLU(),
            nn.Conv2d(64, 1, kernel_size=3, padding=1),  # 1x28x28
            nn.Sigmoid(),
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Glorot initialisation; biases start at zero."""
        for layer in (self.encoder[0], self.encoder[2], self.decoder[0], self.decoder[3], self.decoder[5]):
            nn.init.xavier_uniform_(layer.weight)
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)

    def encode(self, x: Tensor) -> Tensor:
        """Return the codes (batch, 32, 14, 14) of images (batch, 1, 28, 28)."""
        return self.encoder(x)

    def decode(self, z: Tensor) -> Tensor:
        """Return the images that codes decode to."""
        return self.decoder(z)

    def forward(self, x: Tensor) -> Tensor:
        return self.decode(self.encode(x))

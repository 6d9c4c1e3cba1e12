"""Autoencoders published for PyTorch, rebuilt by hand."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

import caedsl
from caedsl.importing.errors import ImportFailure


class LinearMnist(nn.Module):
    """The fully connected one of many introductions: the loop flattens the images."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(28 * 28, 128),
            nn.ReLU(True),
            nn.Linear(128, 64),
            nn.ReLU(True),
            nn.Linear(64, 12),
            nn.ReLU(True),
            nn.Linear(12, 3),
        )
        self.decoder = nn.Sequential(
            nn.Linear(3, 12),
            nn.ReLU(True),
            nn.Linear(12, 64),
            nn.ReLU(True),
            nn.Linear(64, 128),
            nn.ReLU(True),
            nn.Linear(128, 28 * 28),
            nn.Tanh(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(self.encoder(x))  # type: ignore[no-any-return]


class ConvMnist(nn.Module):
    """Strided and pooled convolutions in two Sequentials."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 16, 3, stride=3, padding=1),
            nn.ReLU(True),
            nn.MaxPool2d(2, stride=2),
            nn.Conv2d(16, 8, 3, stride=2, padding=1),
            nn.ReLU(True),
            nn.MaxPool2d(2, stride=1),
        )
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(8, 16, 3, stride=2),
            nn.ReLU(True),
            nn.ConvTranspose2d(16, 8, 5, stride=3, padding=1),
            nn.ReLU(True),
            nn.ConvTranspose2d(8, 1, 2, stride=2, padding=1),
            nn.Tanh(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(self.encoder(x))  # type: ignore[no-any-return]


class FunctionalConv(nn.Module):
    """Activations in ``forward``, one pool used twice, no names that tell the parts."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 4, 3, padding=1)
        self.pool = nn.MaxPool2d(2, 2)
        self.t_conv1 = nn.ConvTranspose2d(4, 16, 2, stride=2)
        self.t_conv2 = nn.ConvTranspose2d(16, 3, 2, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = F.relu(self.t_conv1(x))
        return torch.sigmoid(self.t_conv2(x))


class ExampleVae(nn.Module):
    """The VAE of PyTorch's own examples: it flattens, draws, and returns flat images."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(784, 400)
        self.fc21 = nn.Linear(400, 20)
        self.fc22 = nn.Linear(400, 20)
        self.fc3 = nn.Linear(20, 400)
        self.fc4 = nn.Linear(400, 784)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h1 = F.relu(self.fc1(x))
        return self.fc21(h1), self.fc22(h1)

    def reparameterize(self, mu: Tensor, logvar: Tensor) -> Tensor:
        std = torch.exp(0.5 * logvar)
        eps = torch.randn_like(std)
        return mu + eps * std

    def decode(self, z: Tensor) -> Tensor:
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z))))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mu, logvar = self.encode(x.view(-1, 784))
        return self.decode(self.reparameterize(mu, logvar)), mu, logvar


class VanillaVae(nn.Module):
    """Convolutional VAE in a list of Sequentials (AntixK's), returning the input and the parameters besides."""

    def __init__(self) -> None:
        super().__init__()
        hidden = [8, 16, 32]
        modules: list[nn.Module] = []
        channels = 3
        for width in hidden:
            modules.append(
                nn.Sequential(nn.Conv2d(channels, width, 3, stride=2, padding=1), nn.BatchNorm2d(width), nn.LeakyReLU())
            )
            channels = width
        self.encoder = nn.Sequential(*modules)
        self.fc_mu = nn.Linear(32 * 16, 10)
        self.fc_var = nn.Linear(32 * 16, 10)
        self.decoder_input = nn.Linear(10, 32 * 16)
        self.decoder = nn.Sequential(
            *(
                nn.Sequential(
                    nn.ConvTranspose2d(a, b, 3, stride=2, padding=1, output_padding=1),
                    nn.BatchNorm2d(b),
                    nn.LeakyReLU(),
                )
                for a, b in ((32, 16), (16, 8))
            )
        )
        self.final_layer = nn.Sequential(
            nn.ConvTranspose2d(8, 8, 3, stride=2, padding=1, output_padding=1),
            nn.BatchNorm2d(8),
            nn.LeakyReLU(),
            nn.Conv2d(8, 3, 3, padding=1),
            nn.Tanh(),
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        flat = torch.flatten(self.encoder(x), start_dim=1)
        mu, log_var = self.fc_mu(flat), self.fc_var(flat)
        std = torch.exp(0.5 * log_var)
        z = torch.randn_like(std) * std + mu
        result = self.decoder_input(z).view(-1, 32, 4, 4)
        return [self.final_layer(self.decoder(result)), x, mu, log_var]


class PythaeConv(nn.Module):
    """Encoder and decoder as modules with lists of layers, as in pythae's MNIST benchmarks."""

    class Encoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv_layers = nn.Sequential(
                *(
                    nn.Sequential(nn.Conv2d(a, b, 4, 2, padding=1), nn.BatchNorm2d(b), nn.ReLU())
                    for a, b in ((1, 16), (16, 32), (32, 64))
                )
            )
            self.embedding = nn.Linear(64 * 9, 16)

        def forward(self, x: Tensor) -> Tensor:
            h = self.conv_layers(x)
            return self.embedding(h.reshape(x.shape[0], -1))  # type: ignore[no-any-return]

    class Decoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(16, 64 * 16)
            self.deconv_layers = nn.Sequential(
                nn.ConvTranspose2d(64, 32, 3, 2, padding=1),
                nn.BatchNorm2d(32),
                nn.ReLU(),
                nn.ConvTranspose2d(32, 16, 3, 2, padding=1, output_padding=1),
                nn.BatchNorm2d(16),
                nn.ReLU(),
                nn.ConvTranspose2d(16, 1, 3, 2, padding=1, output_padding=1),
                nn.Sigmoid(),
            )

        def forward(self, z: Tensor) -> Tensor:
            return self.deconv_layers(self.fc(z).reshape(z.shape[0], 64, 4, 4))  # type: ignore[no-any-return]

    def __init__(self) -> None:
        super().__init__()
        self.encoder = self.Encoder()
        self.decoder = self.Decoder()

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(self.encoder(x))  # type: ignore[no-any-return]


class Dcec(nn.Module):
    """The clustering autoencoder's network: odd sizes and an embedding between unnamed parts."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 5, stride=2, padding=2)
        self.conv2 = nn.Conv2d(32, 64, 5, stride=2, padding=2)
        self.conv3 = nn.Conv2d(64, 128, 3, stride=2, padding=0)
        self.embedding = nn.Linear(128 * 3 * 3, 10)
        self.deembedding = nn.Linear(10, 128 * 3 * 3)
        self.deconv3 = nn.ConvTranspose2d(128, 64, 3, stride=2, padding=0)
        self.deconv2 = nn.ConvTranspose2d(64, 32, 5, stride=2, padding=2, output_padding=1)
        self.deconv1 = nn.ConvTranspose2d(32, 1, 5, stride=2, padding=2, output_padding=1)
        self.relu = nn.ReLU(inplace=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.relu(self.conv3(self.relu(self.conv2(self.relu(self.conv1(x))))))
        z = self.embedding(x.view(x.size(0), -1))
        y = self.relu(self.deembedding(z)).view(z.size(0), 128, 3, 3)
        return self.deconv1(self.relu(self.deconv2(self.relu(self.deconv3(y))))), z


class Denoiser(nn.Module):
    """Upsampling by ``interpolate`` and dropout, as denoisers of many notebooks; noise is added while training."""

    def __init__(self) -> None:
        super().__init__()
        self.enc1 = nn.Conv2d(1, 32, 3, padding="same")
        self.enc2 = nn.Conv2d(32, 16, 3, padding="same")
        self.dec1 = nn.Conv2d(16, 32, 3, padding="same")
        self.dec2 = nn.Conv2d(32, 1, 3, padding="same")
        self.dropout = nn.Dropout2d(0.2)

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            x = x + 0.3 * torch.randn_like(x)
        x = F.max_pool2d(F.relu(self.enc1(x)), 2)
        x = F.max_pool2d(F.relu(self.enc2(self.dropout(x))), 2)
        x = F.relu(self.dec1(F.interpolate(x, scale_factor=2)))
        return torch.sigmoid(self.dec2(F.interpolate(x, size=(28, 28), mode="bilinear", align_corners=False)))


class DoubleConv(nn.Module):
    def __init__(self, a: int, b: int) -> None:
        super().__init__()
        self.double_conv = nn.Sequential(
            nn.Conv2d(a, b, 3, padding=1, bias=False), nn.BatchNorm2d(b), nn.ReLU(inplace=True),
            nn.Conv2d(b, b, 3, padding=1, bias=False), nn.BatchNorm2d(b), nn.ReLU(inplace=True),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return self.double_conv(x)  # type: ignore[no-any-return]


class UNet(nn.Module):
    """The usual U-Net, small: the skip comes first in each ``cat``."""

    def __init__(self) -> None:
        super().__init__()
        self.inc = DoubleConv(1, 4)
        self.down1 = nn.Sequential(nn.MaxPool2d(2), DoubleConv(4, 8))
        self.down2 = nn.Sequential(nn.MaxPool2d(2), DoubleConv(8, 16))
        self.up1 = nn.ConvTranspose2d(16, 8, 2, stride=2)
        self.conv1 = DoubleConv(16, 8)
        self.up2 = nn.ConvTranspose2d(8, 4, 2, stride=2)
        self.conv2 = DoubleConv(8, 4)
        self.outc = nn.Conv2d(4, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        x1 = self.inc(x)
        x2 = self.down1(x1)
        x3 = self.down2(x2)
        y = self.conv1(torch.cat([x2, self.up1(x3)], dim=1))
        y = self.conv2(torch.cat([x1, self.up2(y)], dim=1))
        return self.outc(y)  # type: ignore[no-any-return]


class Block(nn.Module):
    def __init__(self, a: int, b: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(a, b, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(b)
        self.conv2 = nn.Conv2d(b, b, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(b)
        self.shortcut = (
            nn.Sequential(nn.Conv2d(a, b, 1, stride, bias=False), nn.BatchNorm2d(b))
            if stride > 1 or a != b
            else nn.Identity()
        )

    def forward(self, x: Tensor) -> Tensor:
        out = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        out += self.shortcut(x)
        return F.relu(out)


class ResNetAe(nn.Module):
    """Residual blocks with projections, an average pool, and a decoder of resize convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(3, 8, 3, 1, 1),
            nn.ReLU(),
            Block(8, 8, 1),
            Block(8, 16, 2),
            Block(16, 32, 2),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(32, 16),
        )
        self.decoder = nn.Sequential(
            nn.Linear(16, 32 * 64), nn.Unflatten(1, (32, 8, 8)), nn.Upsample(scale_factor=2, mode="nearest"),
            nn.Conv2d(32, 16, 3, padding=1), nn.GroupNorm(4, 16), nn.SiLU(), nn.Upsample(scale_factor=2, mode="bilinear"),
            nn.Conv2d(16, 3, 3, padding=1), nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(self.encoder(x))  # type: ignore[no-any-return]


class Dcgan(nn.Module):
    """An encoder and a generator of DCGAN's kind, as in GANomaly: the code is a 1x1 map."""

    def __init__(self) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(3, 16, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(16, 32, 4, 2, 1, bias=False), nn.BatchNorm2d(32), nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(32, 20, 8, 1, 0, bias=False),
        )  # fmt: skip
        self.generator = nn.Sequential(
            nn.ConvTranspose2d(20, 32, 8, 1, 0, bias=False), nn.BatchNorm2d(32), nn.ReLU(True),
            nn.ConvTranspose2d(32, 16, 4, 2, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(True),
            nn.ConvTranspose2d(16, 3, 4, 2, 1, bias=False), nn.Tanh(),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return self.generator(self.main(x))  # type: ignore[no-any-return]


class SvddLeNet(nn.Module):
    """The autoencoder of Deep SVDD: affine-free normalisation in ``forward`` and ``interpolate``."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = nn.MaxPool2d(2, 2)
        self.conv1 = nn.Conv2d(1, 8, 5, bias=False, padding=2)
        self.bn1 = nn.BatchNorm2d(8, eps=1e-04, affine=False)
        self.conv2 = nn.Conv2d(8, 4, 5, bias=False, padding=2)
        self.bn2 = nn.BatchNorm2d(4, eps=1e-04, affine=False)
        self.fc1 = nn.Linear(4 * 7 * 7, 32, bias=False)
        self.deconv1 = nn.ConvTranspose2d(2, 4, 5, bias=False, padding=2)
        self.bn3 = nn.BatchNorm2d(4, eps=1e-04, affine=False)
        self.deconv2 = nn.ConvTranspose2d(4, 8, 5, bias=False, padding=3)
        self.bn4 = nn.BatchNorm2d(8, eps=1e-04, affine=False)
        self.deconv3 = nn.ConvTranspose2d(8, 1, 5, bias=False, padding=2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(F.leaky_relu(self.bn1(self.conv1(x))))
        x = self.pool(F.leaky_relu(self.bn2(self.conv2(x))))
        x = self.fc1(x.view(x.size(0), -1))
        x = x.view(x.size(0), int(32 / 16), 4, 4)
        x = F.interpolate(F.leaky_relu(x), scale_factor=2)
        x = F.interpolate(F.leaky_relu(self.bn3(self.deconv1(x))), scale_factor=2)
        x = F.interpolate(F.leaky_relu(self.bn4(self.deconv2(x))), scale_factor=2)
        return torch.sigmoid(self.deconv3(x))


class SegNet(nn.Module):
    """Pools that keep the positions of their maxima for the unpools of the decoder."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(8, 4, 3, padding=1)
        self.pool = nn.MaxPool2d(2, 2, return_indices=True)
        self.unpool = nn.MaxUnpool2d(2, 2)
        self.back2 = nn.Conv2d(4, 8, 3, padding=1)
        self.back1 = nn.Conv2d(8, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        size = x.size()
        x, places1 = self.pool(F.relu(self.conv1(x)))
        half = x.size()
        x, places2 = self.pool(F.relu(self.conv2(x)))
        x = F.relu(self.back2(self.unpool(x, places2, output_size=half)))
        return torch.sigmoid(self.back1(self.unpool(x, places1, output_size=size)))


class Signal(nn.Module):
    """A 1-D autoencoder for sensor data."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv1d(2, 8, 7, stride=2, padding=3), nn.ELU(), nn.Conv1d(8, 4, 7, stride=2, padding=3), nn.ELU()
        )
        self.decoder = nn.Sequential(
            nn.ConvTranspose1d(4, 8, 8, stride=2, padding=3), nn.ELU(), nn.ConvTranspose1d(8, 2, 8, stride=2, padding=3)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(self.encoder(x))  # type: ignore[no-any-return]


MODELS: dict[type[nn.Module], tuple[tuple[int, ...], str]] = {
    LinearMnist: ((784,), "3"),
    ConvMnist: ((1, 28, 28), "8x2x2"),
    FunctionalConv: ((3, 32, 32), "4x8x8"),
    ExampleVae: ((1, 28, 28), "20"),
    VanillaVae: ((3, 32, 32), "10"),
    PythaeConv: ((1, 28, 28), "16"),
    Dcec: ((1, 28, 28), "10"),
    Denoiser: ((1, 28, 28), "16x7x7"),
    UNet: ((1, 32, 32), "8x8x8"),
    ResNetAe: ((3, 32, 32), "16"),
    Dcgan: ((3, 32, 32), "20x1x1"),
    SvddLeNet: ((1, 28, 28), "32"),
    Signal: ((2, 64), "4x16"),
}


@pytest.mark.parametrize("kind", MODELS, ids=lambda kind: kind.__name__)
def test_public_autoencoders_come_in(kind: type[nn.Module]) -> None:
    torch.manual_seed(0)
    shape, code = MODELS[kind]
    module = kind()
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            if name.endswith(("running_mean", "running_var")):
                tensor.add_(torch.rand(tensor.shape) / 10)
    made = caedsl.from_torch(module, shape)
    assert made.difference < 1e-5
    assert "x".join(map(str, made.model.code_shape)) == code
    own, new = (sum(each.numel() for each in each.parameters()) for each in (module, made.module))
    assert own == new
    assert not [finding for finding in caedsl.check(made.spec) if finding.severity.value == "error"]


def test_unpools_read_the_positions_of_their_pools() -> None:
    torch.manual_seed(0)
    made = caedsl.from_torch(SegNet(), input=(3, 15, 20))
    assert made.difference < 1e-5
    assert "maxpool 2 as map1" in made.spec and "unpool map1" in made.spec


class Places(nn.Module):
    """Uses positions of maxima as numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        values, places = F.max_pool2d(self.conv(x), 2, return_indices=True)
        return F.interpolate(values + places, scale_factor=2)


def test_positions_read_as_numbers_are_refused() -> None:
    with pytest.raises(ImportFailure, match="places of the largest values; `unpool` alone reads them"):
        caedsl.from_torch(Places(), input=(1, 8, 8))

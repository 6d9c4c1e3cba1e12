"""From a description to a spec with the same weights."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest
import torch
from torch import nn

import caedsl
from caedsl.importing.errors import ImportFailure
from caedsl.importing.imported import imported
from caedsl.importing.network import Array, ForeignLayer, Network
from caedsl.vocabulary.convolution import CHANNELS
from caedsl.vocabulary.kind import written
from caedsl.vocabulary.layers.activation import VALUE
from caedsl.vocabulary.layers.dense import UNITS
from caedsl.vocabulary.layers.reshape import SHAPE
from caedsl.vocabulary.layers.upsample import FACTOR
from caedsl.vocabulary.norms import NORM
from caedsl.vocabulary.option import Option, Options
from caedsl.vocabulary.shape import Shape
from caedsl.vocabulary.window import KERNEL, PAD, STRIDE


def weights(module: nn.Module) -> dict[str, Array]:
    return {name: tensor.numpy() for name, tensor in module.state_dict().items()}


def layer(
    key: str,
    name: str,
    kind: str,
    options: Mapping[Option, Any],
    inputs: tuple[str, ...],
    shape: Shape,
    weights: Mapping[str, Array] = MappingProxyType({}),
) -> ForeignLayer:
    return ForeignLayer(key, name, kind, Options(written(options)), inputs, shape, weights)


def described(original: nn.Module, *layers: ForeignLayer) -> Network:
    original.eval()

    def run(samples: Array) -> Array:
        with torch.no_grad():
            made: Array = original(torch.from_numpy(samples)).numpy()
        return made

    return Network("Described", (1, 8, 8), layers, run)


def test_a_chain_becomes_a_spec_with_the_same_outputs() -> None:
    torch.manual_seed(0)
    conv, norm, down = nn.Conv2d(1, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.Linear(64, 5)
    back, out = nn.Linear(5, 64), nn.ConvTranspose2d(4, 1, 2, stride=2)
    original = nn.Sequential(
        conv, norm, nn.LeakyReLU(0.2), nn.MaxPool2d(2), nn.Flatten(), down, back, nn.Unflatten(1, (4, 4, 4)), out
    )
    nn.init.normal_(norm.running_mean)  # type: ignore[arg-type]
    made = imported(
        described(
            original,
            layer("a", "conv_a", "conv", {CHANNELS: 4}, ("input",), (4, 8, 8), weights(conv)),
            layer("b", "norm_b", "norm", {NORM: "batch"}, ("a",), (4, 8, 8), weights(norm)),
            layer("c", "act_c", "leaky_relu", {VALUE: 0.2}, ("b",), (4, 8, 8)),
            layer("d", "pool_d", "maxpool", {KERNEL: (2, 2)}, ("c",), (4, 4, 4)),
            layer("e", "flat_e", "reshape", {SHAPE: (64,)}, ("d",), (64,)),
            layer("f", "dense_f", "dense", {UNITS: 5}, ("e",), (5,), weights(down)),
            layer("g", "dense_g", "dense", {UNITS: 64}, ("f",), (64,), weights(back)),
            layer("h", "unflat_h", "reshape", {SHAPE: (4, 4, 4)}, ("g",), (4, 4, 4)),
            layer(
                "i", "up_i", "deconv", {CHANNELS: 1, KERNEL: (2, 2), STRIDE: (2, 2)}, ("h",), (1, 8, 8), weights(out)
            ),
        )
    )
    assert made.difference < 1e-5
    assert (
        made.spec
        == """\
autoencoder described
input 1x8x8 in 0..1

encoder {
  conv 4 norm=batch leaky_relu=0.2
  maxpool 2
  reshape 64
}
bottleneck dense 5
decoder {
  dense 64
  reshape 4x4x4
  deconv 1 k2 s2
}
"""
    )
    assert made.layers[5] == ("conv_a", "norm_b", "act_c")
    assert made.layers[9] == ("dense_f",)
    assert made.notes == ("the code is the output of dense_f (5), the smallest tensor",)


def test_joins_and_residuals() -> None:
    torch.manual_seed(0)
    first, inner, code = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 2, 3, 2, 1)
    back, out = nn.Conv2d(2, 4, 3, padding=1), nn.Conv2d(8, 1, 3, padding=1)

    class Original(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.parts = nn.ModuleList([first, inner, code, back, out])

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            a = first(x)
            b = torch.relu(a + inner(a))
            up = nn.functional.interpolate(back(code(b)), scale_factor=2)
            return out(torch.cat([up, b], 1))  # type: ignore[no-any-return]

    made = imported(
        described(
            Original(),
            layer("a", "first", "conv", {CHANNELS: 4}, ("input",), (4, 8, 8), weights(first)),
            layer("b", "inner", "conv", {CHANNELS: 4}, ("a",), (4, 8, 8), weights(inner)),
            layer("c", "sum", "add", {}, ("a", "b"), (4, 8, 8)),
            layer("d", "relu", "relu", {}, ("c",), (4, 8, 8)),
            layer("e", "code", "conv", {CHANNELS: 2, STRIDE: (2, 2)}, ("d",), (2, 4, 4), weights(code)),
            layer("f", "back", "conv", {CHANNELS: 4}, ("e",), (4, 4, 4), weights(back)),
            layer("g", "up", "upsample", {FACTOR: (2, 2)}, ("f",), (4, 8, 8)),
            layer("h", "cat", "concat", {}, ("g", "d"), (8, 8, 8)),
            layer("i", "out", "conv", {CHANNELS: 1}, ("h",), (1, 8, 8), weights(out)),
        )
    )
    assert "residual relu as map1 { conv 4 }" in " ".join(made.spec.split())
    assert "concat map1" in made.spec


def test_outputs_that_differ_are_refused() -> None:
    conv, back = nn.Conv2d(1, 2, 3, 2, 1), nn.ConvTranspose2d(2, 1, 2, 2)
    layers = (
        layer("a", "down", "conv", {CHANNELS: 2, STRIDE: (2, 2)}, ("input",), (2, 4, 4), weights(conv)),
        layer("b", "up", "deconv", {CHANNELS: 1, KERNEL: (2, 2), STRIDE: (2, 2)}, ("a",), (1, 8, 8), weights(back)),
    )
    network = described(nn.Sequential(conv, nn.ReLU(), back), *layers)
    with pytest.raises(ImportFailure, match="outputs differ from the original's by"):
        imported(network)


def test_a_spec_with_errors_is_refused_with_what_check_says() -> None:
    conv, back = nn.Conv2d(1, 2, 3, 2, 1), nn.ConvTranspose2d(2, 1, 3, 2)
    layers = (
        layer("a", "down", "conv", {CHANNELS: 2, STRIDE: (2, 2)}, ("input",), (2, 4, 4), weights(conv)),
        layer("b", "up", "deconv", {CHANNELS: 1, STRIDE: (2, 2), PAD: "valid"}, ("a",), (1, 9, 9), weights(back)),
    )
    with pytest.raises(ImportFailure, match="output-shape"):
        imported(described(nn.Sequential(conv, back), *layers))


class TwoScales(nn.Module):
    """Branches from the input, from a named output inside the encoder, and inside the decoder, with a factor."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Conv2d(1, 2, 1), nn.Conv2d(1, 3, 5, padding=2)
        self.down, self.near = nn.Conv2d(5, 8, 3, 2, 1), nn.Conv2d(8, 8, 1)
        self.far, self.code = nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 4, 1)
        self.up, self.one = nn.ConvTranspose2d(4, 6, 2, 2), nn.Conv2d(6, 2, 1)
        self.other, self.out = nn.Conv2d(6, 2, 3, padding=1), nn.Conv2d(4, 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        joined = torch.cat([self.left(x).relu(), self.right(x)], 1)
        down = self.down(joined).relu()
        near = self.near(down).relu()
        code = self.code(torch.relu(self.far(down)) * 0.5 + near)
        up = self.up(code).relu()
        return torch.sigmoid(self.out(torch.cat([self.one(up), self.other(up)], 1)))


def test_branches_come_back() -> None:
    made = caedsl.from_torch(TwoScales(), input=(1, 8, 8))
    assert made.difference < 1e-6
    assert made.spec.count("from ") >= 2 and "scale 0.5" in made.spec
    assert made.model.code_shape == (4, 4, 4) and not made.model.bypasses


def test_kernels_of_direction_and_length_come_back_and_the_module_keeps_its_own() -> None:
    normed = nn.utils.parametrizations.weight_norm
    module = nn.Sequential(
        normed(nn.Conv2d(1, 4, 3, padding=1, stride=2)), nn.ReLU(), normed(nn.ConvTranspose2d(4, 1, 2, 2))
    )
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    made = caedsl.from_torch(module, input=(1, 8, 8))
    assert made.spec.count("weight_norm") == 2 and made.difference < 1e-5
    assert all(torch.equal(before[name], tensor) for name, tensor in module.state_dict().items())
    assert list(before) == list(module.state_dict())
    module(torch.rand(1, 1, 8, 8)).sum().backward()


class Denoising(nn.Module):
    """Noise on the input, which has fewer numbers than any output before the last."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 1, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.first(x + 0.1 * torch.randn_like(x)))  # type: ignore[no-any-return]


def test_noise_on_the_input_is_not_the_code() -> None:
    made = caedsl.from_torch(Denoising(), input=(1, 8, 8))
    assert made.model.code_shape == (4, 8, 8) and "corrupt gaussian=0.1" in made.spec


class Joined(nn.Module):
    """Layers that work on each channel alone, after a join of three outputs whose order a spec has otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.a, self.b = nn.Conv2d(1, 2, 3, 2, 1), nn.Conv2d(2, 3, 3, padding=1), nn.Conv2d(3, 4, 1)
        self.factors, self.slopes, self.norm = nn.Parameter(torch.rand(9, 1, 1)), nn.PReLU(9), nn.BatchNorm2d(9)
        self.up = nn.ConvTranspose2d(9, 1, 2, 2)
        nn.init.uniform_(self.slopes.weight)
        nn.init.uniform_(self.norm.running_var, 0.5, 2)  # type: ignore[arg-type]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        down = self.down(x)
        a = self.a(down)
        joined = torch.cat([down, a, self.b(a)], 1)
        return self.up(self.slopes(self.norm(joined * self.factors)))  # type: ignore[no-any-return]


def test_weights_of_channels_follow_the_order_of_a_join() -> None:
    torch.manual_seed(0)
    made = caedsl.from_torch(Joined(), input=(1, 8, 8))
    assert made.difference < 1e-5 and "learned" in made.spec
    assert any("input channels of up are in the order of `concat`" in note for note in made.notes)

"""Normalisations and initialisations against PyTorch."""

from math import prod

import pytest
import torch
from torch import nn

from caedsl import check
from caedsl.backends.torch.instantiate import build
from caedsl.backends.torch.modules import ChannelLayerNorm, ChannelRMSNorm
from caedsl.rules.engine.example import whole_spec
from caedsl.vocabulary.initialisations import INITIALISATIONS
from caedsl.vocabulary.kernel_options import INIT
from caedsl.vocabulary.layer_initialisation import scheme, variance
from caedsl.vocabulary.norms import NORMS
from tests.resolve.written import model


def test_channel_is_layer_normalisation_of_the_channels_at_each_position() -> None:
    x = torch.randn(2, 5, 3, 4, generator=torch.Generator().manual_seed(0))
    ours, theirs = ChannelLayerNorm(5, eps=1e-3), nn.LayerNorm(5, eps=1e-3)
    with torch.no_grad():
        for module in (ours, theirs):
            module.get_parameter("weight").copy_(torch.linspace(0.5, 2, 5))
            module.get_parameter("bias").copy_(torch.linspace(-1, 1, 5))
        torch.testing.assert_close(ours(x), theirs(x.movedim(1, -1)).movedim(-1, 1))


def test_rms_divides_the_channels_at_each_position() -> None:
    x = torch.randn(2, 5, 3, 4, generator=torch.Generator().manual_seed(0))
    ours, theirs = ChannelRMSNorm(5, eps=1e-3), nn.RMSNorm(5, eps=1e-3)
    with torch.no_grad():
        for module in (ours, theirs):
            module.weight.copy_(torch.linspace(0.5, 2, 5))
        torch.testing.assert_close(ours(x), theirs(x.movedim(1, -1)).movedim(-1, 1))


@pytest.mark.parametrize("name", NORMS)
@pytest.mark.parametrize("affine", ["on", "off"])
def test_what_a_normalisation_declares_is_what_its_module_does(name: str, affine: str) -> None:
    norm = NORMS[name]
    spec = model(f"encoder {{ conv 4 norm={name} affine={affine} {'groups=2' if norm.divides else ''}; maxpool 2 }}")
    layer = spec.encoder[0]
    module = build(spec).encoder[1]
    learned = sum(weight.numel() for weight in module.parameters())
    assert learned == layer.kind.parameters(layer) - layer.kind.weights(layer)
    x = torch.randn(3, *layer.out_shape)
    channel_moved = x + torch.arange(4.0).view(1, 4, 1, 1)
    module.train()
    centres = torch.allclose(module(x), module(channel_moved), atol=1e-4)
    assert centres == norm.centres
    assert norm.over_batch == (not torch.allclose(module(x)[:1], module(x[:1]), atol=1e-4))
    module.eval()
    assert norm.linear == torch.allclose(module(3 * x) - module(0 * x), 3 * (module(x) - module(0 * x)), atol=1e-4)


@pytest.mark.parametrize("name", INITIALISATIONS)
@pytest.mark.parametrize(
    "line", ["conv 64 k5 relu", "conv 64 k5 leaky_relu=0.3", "conv 64 tanh", "deconv 64 k4 s2 relu"]
)
def test_the_variance_at_the_start_is_the_declared_one(name: str, line: str) -> None:
    own = " ".join(f"{option.name}=0.3" for option in INITIALISATIONS[name].own)
    spec = model(f"encoder {{ conv 64 k1; {line} init={name} {own}; maxpool 4 }}")
    torch.manual_seed(0)
    weight = build(spec).encoder[1].weight
    if name == "orthogonal" and line.startswith("deconv"):
        return  # torch's orthogonal matrix has the transposed convolution's kernel as its rows
    assert weight.var().item() == pytest.approx(variance(spec.encoder[1]), rel=0.05)


@pytest.mark.parametrize("written", ["std=0.1", "init=he std=0.1", "gain=2", "init=normal gain=2"])
def test_an_option_of_an_initialisation_without_it_has_no_effect(written: str) -> None:
    found = check(whole_spec(f"encoder {{ conv 8 relu {written}; maxpool 2 }}"))
    assert [finding.name for finding in found if finding.severity.value == "error"] == ["option-without-effect"]


@pytest.mark.parametrize(
    ("lines", "starts"),
    [
        ("conv 8; relu; maxpool 2", ["he"]),
        ("conv 8; norm batch; leaky_relu 0.3; maxpool 2", ["he"]),
        ("conv 8; tanh; maxpool 2", ["glorot"]),
        ("conv 8 tanh; relu; maxpool 2", ["glorot"]),
        ("conv 8; maxpool 2; relu", ["glorot"]),
        ("conv 8 as first; relu; conv 8; add first; relu; maxpool 2", ["he", "glorot"]),
        ("repeat 2 { conv 8 }; relu", ["glorot", "he"]),
        ("conv 8; repeat 2 { norm batch; relu; conv 8 }", ["he", "he", "glorot"]),
        ("stage a { conv 8 }; stage b { relu; maxpool 2 }", ["he"]),
        ("residual { conv 1 }; relu; maxpool 2", ["glorot"]),
    ],
)
def test_an_activation_on_the_next_line_decides_the_start(lines: str, starts: list[str]) -> None:
    spec = model(f"encoder {{ {lines} }}")
    weighted = [layer for layer in spec.layers() if layer[0] == "encoder"]
    assert [scheme(layer).name for _, layer in weighted if INIT in layer.options] == starts


def test_the_slope_on_the_next_line_counts() -> None:
    lines = ("conv 8 leaky_relu=0.3", "conv 8; leaky_relu 0.3")
    one, two = (model(f"encoder {{ {line}; maxpool 2 }}") for line in lines)
    assert variance(one.encoder[0]) == variance(two.encoder[0])


@pytest.mark.parametrize(
    ("shape", "line"),
    [
        ("4x9", "upsample 2 linear align_corners"),
        ("4x5x1", "upsample 3x2 bilinear align_corners"),
        ("4x5x6", "upsample to 7x9 bilinear align_corners"),
        ("4x3x4x5", "upsample 2 trilinear align_corners"),
    ],
)
def test_aligned_corners_are_those_of_pytorch(shape: str, line: str) -> None:
    end = f"decoder {{ dense {prod(map(int, shape.split('x')))}; reshape {shape} }}"
    spec = model(f"input {shape}\nencoder {{ {line} }}\nbottleneck dense 4\n{end}")
    layer = spec.encoder[0]
    x = torch.rand(1, *layer.in_shape, requires_grad=True)
    made = build(spec).encoder(x)
    mode = line.split()[-2]
    expected = nn.functional.interpolate(x, size=layer.out_shape[1:], mode=mode, align_corners=True)
    torch.testing.assert_close(made, expected)
    for axis, read in enumerate(layer.kind.reads(layer)):
        for place in range(layer.out_shape[1 + axis]):
            (grad,) = torch.autograd.grad(made.select(2 + axis, place).sum(), x, retain_graph=True)
            seen = grad[0].sum([other for other in range(grad.dim() - 1) if other != 1 + axis]).nonzero().flatten()
            low, high = read(place)
            assert (int(seen[0]), int(seen[-1])) == (low, high)


def test_aligned_corners_need_interpolation() -> None:
    (found,) = [
        each
        for each in check(whole_spec("decoder { upsample 2 align_corners; conv 1 sigmoid }"))
        if each.name == "option-without-effect"
    ]
    assert found.help == "add `bilinear`, or remove `align_corners`"

"""Layers between convolutions: each compared with an independent computation, and in a mirror."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from caedsl import check
from caedsl.backends.torch.instantiate import build
from caedsl.backends.torch.modules import GDN, Scale, SelfAttention, SqueezeExcitation
from caedsl.facts.signal import signal_path
from caedsl.rules.engine.example import whole_spec
from caedsl.vocabulary.joining import FROM
from caedsl.vocabulary.window import axes, padding
from tests.resolve.written import model


def errors(encoder: str) -> list[str]:
    text = f"autoencoder a\ninput 1x28x28\nencoder {{ {encoder} }}\nbottleneck dense 4\ndecoder mirror\n"
    return [f"{found.name}: {found.message}" for found in check(text) if found.severity.value == "error"]


@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (4, 1), (3, 2), (2, 2), (5, 2), (3, 3), (5, 3)])
@pytest.mark.parametrize("size", [7, 8, 9])
def test_same_upper_is_the_padding_of_tensorflow(kernel: int, stride: int, size: int) -> None:
    spec = model(f"input 1x{size}x{size} in real\nencoder {{ conv 1 k{kernel} s{stride} pad=same_upper }}")
    module = build(spec).encoder
    x = torch.randn(2, 1, size, size)
    # TensorFlow's documentation of "SAME": pad_along = max((ceil(n / s) - 1) * s + k - n, 0), half of it before.
    pads = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    sides = (pads // 2, pads - pads // 2)
    weight = next(layer for layer in module if isinstance(layer, nn.Conv2d))
    expected = functional.conv2d(functional.pad(x, sides * 2), weight.weight, weight.bias, stride)
    torch.testing.assert_close(module(x), expected)


@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (4, 1), (5, 2), (7, 3)])
@pytest.mark.parametrize("border", ["reflect", "replicate", "circular"])
@pytest.mark.parametrize("shape", ["2x9", "1x9x8", "1x7x6x8"])
def test_a_border_has_values_of_the_map(kernel: int, stride: int, border: str, shape: str) -> None:
    spec = model(f"input {shape} in real\nencoder {{ conv 3 k{kernel} s{stride} pad={border} }}\nbottleneck dense 2")
    zeros = model(f"input {shape} in real\nencoder {{ conv 3 k{kernel} s{stride} }}\nbottleneck dense 2")
    assert spec.encoder[0].out_shape == zeros.encoder[0].out_shape
    module, x = build(spec).encoder, torch.randn(2, *spec.input.shape)
    layer = next(each for each in module if hasattr(each, "kernel_size"))
    sides = [side for axis in reversed(axes(spec.encoder[0].options, spec.input.shape)) for side in padding(axis)]
    padded = functional.pad(x, sides, mode=border)
    convolve = (functional.conv1d, functional.conv2d, functional.conv3d)[len(x.shape) - 3]
    torch.testing.assert_close(module(x), convolve(padded, layer.weight, layer.bias, stride))


@pytest.mark.parametrize(
    ("encoder", "message"),
    [
        ("maxpool 14; conv 4 k5 pad=reflect", "kernel-too-large: `pad=reflect` cannot mirror 2 numbers of a map whose height is 2"),
        ("maxpool 14; conv 4 k7 pad=circular", "kernel-too-large: `pad=circular` cannot wrap around 3 numbers of a map whose height is 2"),
    ],
)  # fmt: skip
def test_a_border_needs_as_many_values_as_it_adds(encoder: str, message: str) -> None:
    assert errors(encoder) == [message]
    assert not errors(encoder.replace("reflect", "replicate").replace("circular", "replicate"))


@pytest.mark.parametrize(("kernel", "stride"), [(3, 2), (2, 2), (5, 2), (4, 2), (3, 3), (3, 1)])
def test_a_deconv_same_upper_is_the_gradient_of_its_convolution(kernel: int, stride: int) -> None:
    spec = model(f"input 1x5x5 in real\nencoder {{ deconv 1 k{kernel} s{stride} pad=same_upper bias=off }}")
    module, z = build(spec).encoder, torch.randn(1, 1, 5, 5)
    weight = next(layer for layer in module if isinstance(layer, nn.ConvTranspose2d)).weight
    size = 5 * stride
    pads = max(4 * stride + kernel - size, 0)
    x = torch.zeros(1, 1, size, size, requires_grad=True)
    convolved = functional.conv2d(functional.pad(x, (pads // 2, pads - pads // 2) * 2), weight, None, stride)
    (gradient,) = torch.autograd.grad(convolved, x, z)
    torch.testing.assert_close(module(z), gradient)


def test_squeeze_and_excitation_weighs_channels() -> None:
    module, x = SqueezeExcitation(4, 2), torch.randn(3, 4, 5, 6)
    means = x.mean(dim=(2, 3))
    hidden = torch.relu(means @ module.squeeze.weight.T + module.squeeze.bias)
    weights = torch.sigmoid(hidden @ module.excite.weight.T + module.excite.bias)
    torch.testing.assert_close(module(x), x * weights[:, :, None, None])


@pytest.mark.parametrize("heads", [1, 2])
def test_attention_is_that_of_torch(heads: int) -> None:
    module, theirs = SelfAttention(4, heads), nn.MultiheadAttention(4, heads, batch_first=True)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(module.query_key_value.weight)
        theirs.in_proj_bias.copy_(module.query_key_value.bias)
        theirs.out_proj.weight.copy_(module.output.weight)
        theirs.out_proj.bias.copy_(module.output.bias)
    x = torch.randn(2, 4, 3, 5)
    places = x.flatten(2).transpose(1, 2)
    expected = theirs(places, places, places)[0].transpose(1, 2).reshape(x.shape)
    torch.testing.assert_close(module(x), expected)


@pytest.mark.parametrize("shape", [(2, 3, 7), (2, 3, 4, 5), (2, 3, 2, 3, 4)])
def test_gdn_divides_by_a_mixture_and_its_inverse_multiplies(shape: tuple[int, ...]) -> None:
    x, ours, back = torch.randn(shape), GDN(3), GDN(3, inverse=True)
    with torch.no_grad():
        ours.gamma.uniform_()
        back.load_state_dict(ours.state_dict())
    mixture = torch.einsum("bc...,oc->bo...", x.square(), ours.gamma.square())
    root = (mixture + ours.beta.square().view(1, 3, *[1] * (x.dim() - 2)) + 1e-6).sqrt()
    torch.testing.assert_close(ours(x), x / root)
    torch.testing.assert_close(back(x), x * root)


def drops(line: str, x: Tensor) -> Tensor:
    torch.manual_seed(0)
    dropped: Tensor = build(model(f"input 4x8x8 in real\nencoder {{ {line} }}")).encoder.train()(x)
    return dropped


def test_elementwise_dropout_takes_single_numbers() -> None:
    x = torch.ones(2, 4, 8, 8)
    channels = drops("dropout 50%", x).flatten(2)
    assert ((channels == 0).all(dim=2) | (channels != 0).all(dim=2)).all()
    single = drops("dropout 50% elementwise", x).flatten(2)
    assert ((single == 0).any(dim=2) & (single != 0).any(dim=2)).all()


def test_lines_before_a_layer_stay_before_its_twin() -> None:
    spec = model(
        "encoder { conv 4; residual { norm batch; relu; conv 8 s2 }; norm batch; relu; conv 2 }\ndecoder mirror"
    )
    residual = next(layer for layer in spec.decoder if layer.kind.name == "residual")
    assert [layer.kind.name for layer in residual.children] == ["norm", "relu", "deconv"]


def test_lines_after_a_layer_become_options_of_a_twin() -> None:
    apart = model("encoder { conv 4; norm batch; relu; maxpool 2; conv 2; norm batch; relu }\ndecoder mirror")
    together = model("encoder { conv 4 norm=batch relu; maxpool 2; conv 2 norm=batch relu }\ndecoder mirror")
    described = [[(layer.kind.name, layer.options) for layer in spec.decoder] for spec in (apart, together)]
    assert described[0] == described[1]


@pytest.mark.parametrize(
    "encoder",
    [
        "conv 4 s2 k2 pad=0..1",
        "conv 4 k4 s3 pad=2..0",
        "conv 4 s2 pad=same_upper",
        "conv 4 s2 pad=same_upper; conv 4 s2 pad=same_upper; conv 4 s2 pad=same_upper",
        "pad 2..3; conv 4 s2; crop 1x2; globalpool",
        "conv 8; pixelunshuffle 2; gdn; se 4; conv 8; attention heads=2",
        "conv 8; pixelshuffle 2",
        "residual { conv 8 s2; shortcut { conv 4 s2; conv 8 k1 } }",
    ],
)
def test_a_mirror_returns_to_the_input(encoder: str) -> None:
    spec = model(f"input 1x28x28\nencoder {{ {encoder} }}\nbottleneck\ndecoder mirror")
    assert spec.out_shape == spec.input.shape
    assert build(spec)(torch.rand(2, 1, 28, 28)).shape == (2, 1, 28, 28)


@pytest.mark.parametrize(
    ("encoder", "found"),
    [
        ("norm", "missing-value: `norm` needs"),
        ("norm group groups=3; conv 4", "groups-do-not-divide"),
        ("norm instance momentum=0.5", "option-without-effect"),
        ("relu 3", "unexpected-value"),
        ("clip", "missing-value"),
        ("conv 4 pad=1..", "syntax-error"),
        ("conv 4 pad=0..-1", "out-of-domain"),
        ("deconv 4 pad=0..1", "wrong-type"),
        ("crop 14", "kernel-too-large: this crop cuts 14 + 14 of a height of 28"),
        ("pad -1", "out-of-domain"),
        ("pixelunshuffle 3", "groups-do-not-divide"),
        ("conv 4; se 8", "groups-do-not-divide: `se 8` leaves nothing of 4 channels"),
        ("conv 4; attention heads=3", "groups-do-not-divide: 3 heads do not divide the 4 channels"),
        ("dense 8; attention", "needs-a-map"),
        ("conv 4; shortcut { conv 4 }", "misplaced-statement"),
        ("residual { conv 4; shortcut { conv 5 } }", "residual-mismatch"),
        ("residual { conv 4; shortcut { conv 4 k1 }; shortcut { conv 4 k1 } }", "misplaced-statement"),
        ("residual { shortcut { conv 4 k1 } }", "residual-mismatch"),
        ("residual { conv 4; shortcut { } }", "missing-block"),
        ("BatchNorm2d", "unknown-layer"),
    ],
)
def test_a_wrong_line_is_one_finding(encoder: str, found: str) -> None:
    said = errors(encoder)
    assert len(said) == 1, said
    assert said[0].startswith(found)


@pytest.mark.parametrize("pool", ["maxpool 3 s2 pad=1", "avgpool 3 s2 pad=1", "maxpool 2 ceil", "avgpool 2 ceil"])
@pytest.mark.parametrize("space", ["1", "2", "1x1", "2x2", "1x1x1", "2x2x2", "3x3x3"])
def test_a_pool_takes_the_sizes_that_torch_takes(pool: str, space: str) -> None:
    spec = f"autoencoder a\ninput 1x{space}\nencoder {{ {pool} }}\nbottleneck\ndecoder mirror"
    name, window, *_ = pool.split()
    layer = getattr(nn, f"{'Max' if name == 'maxpool' else 'Avg'}Pool{len(space.split('x'))}d")
    settings = {"ceil_mode": True} if "ceil" in pool else {"stride": 2, "padding": 1}
    try:
        made = layer(int(window), **settings)(torch.zeros(1, 1, *map(int, space.split("x"))))
    except RuntimeError:
        assert [found.name for found in check(spec) if found.severity.value == "error"] == ["kernel-too-large"]
    else:
        assert model(spec.partition("\n")[2]).encoder[0].out_shape == tuple(made.shape[1:])


@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 5), (3, 4, 5, 6), (3, 4, 2, 5, 6)])
def test_scale_multiplies_all_numbers_or_each_channel(shape: tuple[int, ...]) -> None:
    x, learned = torch.randn(shape), Scale(0.5, channels=4)
    torch.testing.assert_close(Scale(-0.5)(x), -0.5 * x)
    torch.testing.assert_close(learned(x), 0.5 * x)
    assert learned.weight is not None
    with torch.no_grad():
        learned.weight.copy_(torch.arange(4.0))
    torch.testing.assert_close(learned(x).select(1, 3), 3 * x.select(1, 3))
    assert not list(Scale(2.0).parameters())


def test_a_scaled_residual_keeps_the_signal() -> None:
    plain, scaled = (
        signal_path(model(f"encoder {{ repeat 8 {{ residual {{ conv 1; {end} }} }} }}"))[7].total
        for end in ("conv 1", "conv 1; scale 0.1")
    )
    assert plain > 2
    assert 0 < scaled < 0.1


def test_a_factor_of_zero_is_an_error_unless_it_is_learned() -> None:
    assert errors("conv 4; scale 0; maxpool 2") == ["out-of-domain: `scale 0` returns zeros, whatever its input is"]
    assert not errors("residual { conv 1; scale 0 learned }; maxpool 2")


def test_concat_first_puts_the_named_channels_first() -> None:
    text = "encoder {{ conv 2 relu as f; maxpool 2 }}\nbottleneck conv 2\ndecoder {{ upsample 2; {}; conv 1 sigmoid }}"
    after, before = (build(model(text.format(join))).eval() for join in ("concat f", "concat f first"))
    before.load_state_dict(after.state_dict())
    kernel = before.decoder[1].weight
    with torch.no_grad():
        kernel.copy_(torch.cat([kernel[:, -2:], kernel[:, :-2]], dim=1))
        x = torch.rand(2, *after.sizes.own)
        torch.testing.assert_close(before(x), after(x))


@pytest.mark.parametrize("name", ["first", "x2", "bilinear"])
def test_the_name_of_an_output_may_look_like_an_option(name: str) -> None:
    end = f"decoder {{ upsample 2; concat {name} first; conv 1 sigmoid }}"
    text = f"encoder {{ conv 2 relu as {name}; maxpool 2 }}\nbottleneck conv 2\n{end}"
    assert model(text).decoder[1].options[FROM] == name


def test_a_codebook_for_the_channels_of_the_encoder_needs_no_convolution() -> None:
    spec = model(
        "encoder { conv 8 k3 s2 norm=batch relu }\nbottleneck quantized 32\ndecoder { upsample 2; conv 1 sigmoid }"
    )
    module = build(spec)
    assert [type(part).__name__ for part in module.bottleneck] == ["Quantizer"]
    assert module.bottleneck[0].codebook.shape == (32, 8)
    assert spec.code_shape == (8, 14, 14)


def test_the_initialisation_of_no_convolution_has_no_effect() -> None:
    text = "encoder { conv 8 s2 }\nbottleneck quantized 32 init=torch"
    (found,) = [found for found in check(whole_spec(text)) if found.severity.value == "error"]
    assert (found.name, found.help) == (
        "option-without-effect",
        "remove `init=`, or write `quantized 32x64` for a convolution to 64 channels",
    )

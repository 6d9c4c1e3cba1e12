"""Signals, images and volumes: torch is the referee in every rank."""

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from caedsl.api import SpecError, load
from caedsl.backends.torch.instantiate import build
from caedsl.facts.receptive_field import code_field
from caedsl.model.autoencoder import Autoencoder
from tests.backends.test_properties import hold_emitted_source, hold_shapes_and_costs, hold_training_step, resolved

FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
MODES = {1: "linear", 2: "bilinear", 3: "trilinear"}

WINDOWS = ["", "k1", "k2", "k4 s2", "s2", "k5 s3", "d2", "pad=valid", "pad=1", "pad=reflect", "pad=replicate"]
FINISHES = [
    "",
    "relu",
    "norm=batch tanh",
    "norm=instance",
    "norm=layer",
    "norm=group groups=2",
    "dropout=10%",
    "bias=off",
]


@st.composite
def layers(draw: st.DrawFn, rank: int, nested: bool = False) -> str:
    """Return one layer that every rank has."""
    window, finish = draw(st.sampled_from(WINDOWS)), draw(st.sampled_from(FINISHES))
    channels = draw(st.sampled_from([2, 4]))
    inner = "" if nested else draw(layers(rank, nested=True))
    kinds = [
        f"conv {channels} {window} {finish}",
        f"deconv {channels} {draw(st.sampled_from(['', 's2', 'k4 s2', 'k2 s2 pad=valid']))} {finish}",
        f"{draw(st.sampled_from(['maxpool', 'avgpool']))} {draw(st.sampled_from(['2', '2 ceil', 'k3 s2 pad=1']))}",
        f"upsample 2 {draw(st.sampled_from(['', MODES[rank]]))}",
        "dropout 20%",
        *([f"residual {{ {inner} }}"] if inner else []),
    ]
    return draw(st.sampled_from(kinds))


@st.composite
def specs(draw: st.DrawFn) -> str:
    """Return a mirrored spec of any rank, with sides that are often odd."""
    rank = draw(st.integers(1, 3))
    largest = {1: 40, 2: 14, 3: 8}[rank]
    sides = "x".join(str(draw(st.integers(4, largest))) for _ in range(rank))
    encoder = "; ".join(draw(st.lists(layers(rank), min_size=1, max_size=3)))
    code = draw(st.sampled_from(["", "conv 2", "dense 3", "variational 3", "variational conv 2", "quantized 8x3"]))
    return f"autoencoder a\ninput 1x{sides}\nencoder {{ {encoder} }}\nbottleneck {code}\ndecoder mirror"


@FEW
@given(specs())
def test_every_rank_is_torchs(source: str) -> None:
    model = resolved(source)
    if model is not None:
        hold_shapes_and_costs(model)
        hold_training_step(model)
        hold_emitted_source(model)
        assert model.out_shape == model.input.shape


FLAT_LAYERS = [
    "conv 4 relu",
    "conv 2 k4 s2",
    "deconv 3 s2",
    "maxpool 2",
    "avgpool 3 ceil",
    "upsample 2",
    "conv 2 norm=batch",
]


def row(line: str) -> str:
    """Write a line of a signal for an image of height 1."""
    words = []
    for word in line.split():
        if word[0] in "ks" and word[1:].isdigit():
            words.append(f"{word[0]}1x{word[1:]}")
        else:
            words.append(f"1x{word}" if word.isdigit() and line.split()[0] not in ("conv", "deconv") else word)
    kernel = [] if any(word.startswith("k") for word in words) or words[0] not in ("conv", "deconv") else ["k1x3"]
    return " ".join([*words, *kernel])


@FEW
@given(st.lists(st.sampled_from(FLAT_LAYERS), min_size=1, max_size=3), st.integers(9, 33))
def test_a_signal_is_an_image_of_height_one(lines: list[str], length: int) -> None:
    lines = ["conv 3", *lines]  # otherwise the mirror ends with a 3x3 convolution of its own

    def spec(shape: str, lines: list[str]) -> Autoencoder | None:
        return resolved(f"autoencoder a\ninput {shape}\nencoder {{ {'; '.join(lines)} }}\nbottleneck\ndecoder mirror")

    signal, image = spec(f"2x{length}", lines), spec(f"2x1x{length}", [row(line) for line in lines])
    assert (signal is None) == (image is None)
    if signal is None or image is None:
        return
    one, two = build(signal).eval(), build(image).eval()
    weights = one.state_dict()
    assert list(weights) == list(two.state_dict())
    two.load_state_dict(
        {
            name: value.view((*weights[name].shape[:2], 1, -1)) if value.dim() == 3 else value
            for name, value in weights.items()
        }
    )
    x = torch.rand(2, 2, length)
    torch.testing.assert_close(two(x.unsqueeze(2)).squeeze(2), one(x))


def measured_field(model: Autoencoder) -> tuple[int, ...]:
    """Return the largest distance between inputs to which one number of the code has a gradient."""
    module = build(model).eval().double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.abs_().add_(0.1)
    x = torch.rand(1, *model.input.shape, dtype=torch.double, requires_grad=True)
    code = module.encode(x)
    widest = [0] * (code.dim() - 2)
    for place in torch.cartesian_prod(*map(torch.arange, code.shape[2:])).reshape(-1, len(widest)).tolist():
        at: Tensor = code[(0, slice(None), *place)].sum()
        seen = torch.autograd.grad(at, x, retain_graph=True)[0][0].abs().sum(0).nonzero()
        if len(seen):
            widest = [max(wide, int(seen[:, i].max() - seen[:, i].min()) + 1) for i, wide in enumerate(widest)]
    return tuple(widest)


@pytest.mark.parametrize(
    ("shape", "encoder"),
    [
        ("1x24", "conv 2 k4 s2; upsample 2; conv 2"),
        ("1x24", "conv 2 k3 s3; upsample 3 linear; conv 2 k2"),
        ("1x9x11", "conv 2; upsample to 15x20 bilinear; conv 2"),
        ("1x9x11", "deconv 2 k3 s2; conv 2 s2 d2"),
        ("1x9x11", "residual { conv 3 s2; conv 3 k1 }; conv 2"),
        ("1x9x11", "conv 2 k4 pad=reflect; avgpool 2 ceil"),
        ("1x9x11", "conv 2; reshape 2x9x11; conv 2"),
        ("1x9x11", "conv 2; reshape 198; reshape 2x9x11; conv 2"),
        ("1x9x11", "residual { reshape 1x9x11 relu; conv 1; reshape 99; reshape 1x9x11 }; conv 2"),
        ("1x9x11", "conv 2 s2; pad 2; pad 1; conv 2 k7"),
        ("1x9", "deconv 2 k1 s3 pad=valid; deconv 2 k1 s2 pad=valid; conv 2 k7"),
        ("1x9x11", "conv 2 as a; conv 2 k5; reshape 198; reshape 2x9x11; add a; conv 2"),
        ("1x5x6x7", "conv 2; avgpool k3 s2 pad=1; deconv 2 s2"),
    ],
)
def test_the_receptive_field_is_that_of_the_gradient(shape: str, encoder: str) -> None:
    model = resolved(f"autoencoder a\ninput {shape} in real\nencoder {{ {encoder} }}\nbottleneck\ndecoder {{ conv 1 }}")
    assert model is not None
    assert code_field(model) == measured_field(model)


def test_a_pool_that_rounds_up_takes_a_side_of_one() -> None:
    model = load("autoencoder a\ninput 1x4x1\nencoder { maxpool 2 ceil }\nbottleneck\ndecoder mirror")
    assert model.code_shape == tuple(build(model).encode(torch.rand(1, 1, 4, 1)).shape[1:]) == (1, 2, 1)


@pytest.mark.parametrize(
    ("shape", "line", "words"),
    [
        ("1x28x28", "conv 4 k3x3x3", "2 axes here, height and width, but its `kernel` has 3 numbers"),
        ("1x8x8x8", "maxpool 2x2", "3 axes here, depth, height and width, but its `kernel` has 2 numbers"),
        ("1x288", "upsample to 7x7", "one axis here, length, but its `to` has 2 numbers"),
        ("1x288", "upsample 2 bilinear", "`bilinear` interpolates images, but this is a signal"),
        ("4x8x8x8", "pixelshuffle 2", "`pixelshuffle` is for images"),
        ("16", "conv 4", "channels and one to three sizes"),
    ],
)
def test_a_wrong_number_of_axes_is_one_finding(shape: str, line: str, words: str) -> None:
    with pytest.raises(SpecError) as caught:
        load(f"autoencoder a\ninput {shape}\nencoder {{ {line} }}\nbottleneck\ndecoder {{ conv 1 }}")
    (finding,) = caught.value.findings
    assert words in finding.message


def test_a_variational_code_draws_while_training_and_returns_its_mean_otherwise() -> None:
    model = load("autoencoder a\ninput 1x8x8\nencoder { conv 2 relu }\nbottleneck variational 3\ndecoder mirror")
    module, x = build(model), torch.rand(4, 1, 8, 8)
    assert not torch.equal(module.train().encode(x), module.encode(x))
    mean, log_variance = module.bottleneck[:-1](module.encoder(x)).chunk(2, dim=1)
    assert torch.equal(module.eval().encode(x), mean)
    normal = torch.distributions.Normal(mean, (log_variance / 2).exp())
    expected = torch.distributions.kl_divergence(normal, torch.distributions.Normal(0.0, 1.0)).sum(1).mean()
    divergence = module.bottleneck[-1].divergence(torch.cat((mean, log_variance), 1))  # type: ignore[operator]
    torch.testing.assert_close(divergence, expected)


def test_a_codebook_returns_its_nearest_vector_and_passes_the_gradient() -> None:
    model = load(
        "autoencoder a\ninput 1x8x8\nencoder { conv 2 relu }\nbottleneck quantized 5x3 ema=0.5\ndecoder mirror"
    )
    module, x = build(model), torch.rand(4, 1, 8, 8)
    module.train()(x)
    quantizer = module.eval().bottleneck[-1]
    h = module.bottleneck[:-1](module.encoder(x)).detach().requires_grad_()
    code = quantizer(h)
    distances = torch.cdist(h.movedim(1, -1).reshape(-1, 3), quantizer.get_buffer("codebook"))
    nearest = quantizer.get_buffer("codebook")[distances.argmin(1)]
    torch.testing.assert_close(code.movedim(1, -1).reshape(-1, 3), nearest)
    code.sum().backward()
    assert h.grad is not None
    assert torch.equal(h.grad, torch.ones_like(h))


def test_unused_vectors_start_again() -> None:
    model = load("autoencoder a\ninput 1x8x8\nencoder { conv 2 relu }\nbottleneck quantized 4x3\ndecoder mirror")
    module, x = build(model).train(), torch.rand(4, 1, 8, 8)
    module(x)
    codebook, taken = module.get_buffer("bottleneck.1.codebook"), module.get_buffer("bottleneck.1.taken")
    codebook[0], taken[0] = 1e3, 0.0
    module(x)
    assert codebook.abs().max() < 1e3

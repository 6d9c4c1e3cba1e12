"""Unpooling restores the positions of maxima, in every rank and for odd sizes."""

import pytest
import torch
from torch import nn

from caedsl import check
from caedsl.backends.torch.instantiate import build
from caedsl.facts.receptive_field import receptive_fields
from caedsl.facts.signal import signal_path
from tests.resolve.written import model

POOLS = ["2", "3", "2 ceil", "k3 s2", "k2 s3", "k3 s2 pad=1"]


def errors(text: str) -> list[str]:
    spec = f"autoencoder a\ninput 1x28x28\n{text}"
    return [f"{found.name}: {found.message}" for found in check(spec) if found.severity.value == "error"]


@pytest.mark.parametrize("size", ["28", "29", "28x21", "12x13x11"])
@pytest.mark.parametrize("pool", POOLS)
def test_it_computes_what_torch_does(pool: str, size: str) -> None:
    spec = model(
        f"input 1x{size}\nencoder {{ conv 3; maxpool {pool} as p }}\nbottleneck\ndecoder {{ unpool p; conv 1 }}"
    )
    module, x = build(spec), torch.rand(2, *spec.input.shape)
    rank = len(spec.input.shape) - 1
    convolution, pooling, last = module.encoder[0], module.encoder[1], module.decoder[0]
    pooling.return_indices = True
    code, places = pooling(convolution(x))
    pooling.return_indices = False
    unpool = getattr(nn, f"MaxUnpool{rank}d")(pooling.kernel_size, pooling.stride, pooling.padding)
    expected = last(unpool(code, places, output_size=list(x.shape[2:])))
    assert torch.equal(module(x), expected)
    found, maps = module.encode_with_maps(x)
    assert torch.equal(found, code)
    assert torch.equal(maps["p.places"], places)
    module(x).sum().backward()
    assert convolution.get_parameter("weight").grad is not None


@pytest.mark.parametrize("size", ["28x28", "27x21", "29", "9x10x11"])
@pytest.mark.parametrize("pool", ["2", "2 ceil", "k3 s2 pad=1"])
def test_a_mirror_puts_maxima_back(pool: str, size: str) -> None:
    encoder = f"stage a {{ conv 4 relu; maxpool {pool} }}; conv 8 relu; maxpool {pool} as mine; conv 8 relu"
    spec = model(f"input 1x{size}\nencoder {{ {encoder} }}\nbottleneck conv 2\ndecoder mirror upsample=unpool")
    assert [layer.kind.name for _, layer in spec.layers()].count("unpool") == 2
    assert list(spec.bypasses) == ["mine.places", "pool1.places"]
    assert build(spec)(torch.rand(2, *spec.input.shape)).shape[1:] == spec.input.shape


def test_samples_of_other_sizes_fit_where_the_pools_divide_them() -> None:
    spec = model("encoder { conv 4; maxpool 2 as p }\nbottleneck conv 2\ndecoder { conv 4; unpool p; conv 1 }")
    module = build(spec)
    assert module(torch.rand(1, 1, 36, 40)).shape == (1, 1, 36, 40)
    with pytest.raises(ValueError, match="28x28"):
        module(torch.rand(1, 1, 29, 28))


def test_the_places_count_as_what_goes_around_the_code() -> None:
    spec = model("encoder { conv 4; maxpool 2 as p }\nbottleneck conv 2\ndecoder { conv 4; unpool p; conv 1 }")
    assert spec.bypasses == {"p.places": (4, 14, 14)}
    with pytest.raises(ValueError, match=r"p\.places"):
        build(spec).decode(torch.rand(1, 2, 14, 14))


def test_one_pool_may_be_read_and_undone() -> None:
    spec = model(
        "encoder { conv 4; maxpool 2 as p }\nbottleneck conv 2\ndecoder { concat p; conv 4; unpool p; conv 1 }"
    )
    assert set(spec.bypasses) == {"p", "p.places"}
    assert build(spec)(torch.rand(1, 1, 28, 28)).shape == (1, 1, 28, 28)


def test_zeros_take_their_share_of_the_signal() -> None:
    spec = model("encoder { conv 4; maxpool 2 as p }\nbottleneck\ndecoder { unpool p; conv 1 }")
    unpool = spec.decoder[0]
    assert {gain.layer: gain.own for gain in signal_path(spec)}[unpool] == pytest.approx(-0.602, abs=1e-3)
    assert receptive_fields(spec)[id(unpool)] == (4, 4)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "encoder { conv 4 as a; maxpool 2 }\nbottleneck\ndecoder { unpool a; conv 1 }",
            "wrong-type: `unpool a` needs the positions of maxima, but `a` is the output of `conv`",
        ),
        (
            "encoder { conv 4; avgpool 2 as a }\nbottleneck\ndecoder { unpool a; conv 1 }",
            "wrong-type: `unpool a` needs the positions of maxima, but `a` is the output of `avgpool`",
        ),
        (
            "encoder { conv 4; maxpool 2 as p }\nbottleneck\ndecoder { unpool input; conv 1 }",
            "wrong-type: `unpool input` needs the positions of maxima, but `input` is the network's input",
        ),
        (
            "encoder { conv 4; maxpool 2 as p }\nbottleneck conv 2\ndecoder { unpool p; conv 1 }",
            "sizes-do-not-meet: `unpool p` inverts a pool that returned 4x14x14, but its input is 2x14x14",
        ),
        (
            "encoder { conv 4; maxpool 2 as p; conv 4 s2 }\nbottleneck\ndecoder { unpool p; upsample 2; conv 1 }",
            "sizes-do-not-meet: `unpool p` inverts a pool that returned 4x14x14, but its input is 4x7x7",
        ),
        (
            "encoder { conv 4; avgpool 2 }\nbottleneck\ndecoder mirror upsample=unpool",
            "no-mirror: `upsample=unpool` returns maxima to their positions, but `avgpool` has no positions of maxima",
        ),
        (
            "encoder { conv 4; maxpool 2 }\nbottleneck\ndecoder { unpool; conv 1 }",
            "missing-value: `unpool` needs `output`: a name",
        ),
    ],
)
def test_what_cannot_be_undone_is_one_error(text: str, found: str) -> None:
    (message,) = errors(text)
    assert message.startswith(found)

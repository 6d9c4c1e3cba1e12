"""A bottleneck of several layers: the code, the layers after it, and its mirror."""

import pytest
import torch

from caedsl import check
from caedsl.backends.torch.instantiate import build
from tests.resolve.written import model


def parts(text: str) -> dict[str, list[str]]:
    spec = model(text)
    assert build(spec)(torch.rand(2, *spec.input.shape)).shape[1:] == spec.out_shape
    return {part: [f"{layer.kind.name} {layer.out_shape}" for layer in layers] for part, layers in spec.parts}


def errors(text: str) -> list[str]:
    spec = f"autoencoder a\ninput 1x8x8\n{text}"
    return [f"{found.name}: {found.message}" for found in check(spec) if found.severity.value == "error"]


def test_the_code_is_the_output_with_the_fewest_numbers() -> None:
    text = """input 1x8x8
encoder { conv 4 relu; maxpool 2 }
bottleneck { dense 32 relu; dense 5; norm batch; tanh; dense 32 relu }
decoder mirror"""
    found = parts(text)
    assert found["bottleneck"] == ["dense (32,)", "dense (5,)", "norm (5,)", "tanh (5,)"]
    assert found["decoder"][:3] == ["dense (32,)", "dense (64,)", "reshape (4, 4, 4)"]
    spec = model(text)
    module, x = build(spec).eval(), torch.rand(3, 1, 8, 8)
    assert module.encode(x).shape == (3, *spec.code_shape) == (3, 5)
    assert torch.equal(module.decode(module.encode(x)), module(x))


def test_a_name_says_where_the_code_is() -> None:
    found = parts(
        """input 1x8x8
encoder { conv 4 relu }
bottleneck { conv 2 relu as code; conv 1; conv 4 relu }
decoder mirror"""
    )
    assert (found["bottleneck"], found["decoder"][:2]) == (["conv (2, 8, 8)"], ["conv (1, 8, 8)", "conv (4, 8, 8)"])


@pytest.mark.parametrize(
    ("inside", "decoder"),
    [
        ("dense 32; dense 5; dense 32", ["dense (32,)", "dense (64,)", "reshape (4, 4, 4)"]),
        ("dense 32; dense 5", ["dense (32,)", "dense (64,)", "reshape (4, 4, 4)"]),
        ("dense 32; dense 5; dense 64; reshape 4x4x4", ["dense (64,)", "reshape (4, 4, 4)"]),
        ("conv 8; conv 2; conv 8", ["conv (8, 4, 4)", "conv (4, 4, 4)"]),
        ("conv 2; conv 4", ["conv (4, 4, 4)"]),
        ("residual { conv 4 }; conv 2 s2", ["deconv (4, 4, 4)", "residual (4, 4, 4)"]),
    ],
)
def test_a_mirror_undoes_what_the_layers_behind_the_code_do_not(inside: str, decoder: list[str]) -> None:
    found = parts(f"input 1x8x8\nencoder {{ conv 4 relu; maxpool 2 }}\nbottleneck {{ {inside} }}\ndecoder mirror")
    assert found["decoder"] == [*decoder, "upsample (4, 8, 8)", "conv (1, 8, 8)"]


def test_nothing_is_added_before_a_decoder_that_is_written_out() -> None:
    found = parts(
        """input 1x8x8
encoder { conv 4 relu }
bottleneck l1=1e-3 noise=0.1 { dense 5 }
decoder { dense 64; reshape 1x8x8 }"""
    )
    assert found["decoder"] == ["dense (64,)", "reshape (1, 8, 8)"]


def test_outputs_are_named_and_read_across_the_braces() -> None:
    found = parts(
        """input 1x8x8
encoder { conv 4 relu as a }
bottleneck { conv 4 as b; add a; conv 1; conv 4; concat b }
decoder { conv 1; concat a; conv 1 }"""
    )
    assert found["bottleneck"][1] == "add (4, 8, 8)"
    assert found["decoder"][1] == "concat (8, 8, 8)"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "encoder { conv 4 }\nbottleneck { }\ndecoder mirror",
            "missing-block: the braces of this bottleneck contain no layers",
        ),
        (
            "encoder { conv 4 }\nbottleneck conv 4 { conv 2 }\ndecoder mirror",
            "unexpected-value: `conv 4` cannot be written before the braces of a bottleneck",
        ),
        (
            "encoder { conv 4 }\nbottleneck { dense 8; dense 2; dense 9 }\ndecoder mirror",
            "no-mirror: `decoder mirror` cannot continue from 9, where this bottleneck ends",
        ),
        (
            "encoder { conv 4 }\nbottleneck { dense 8; dens 2 }\ndecoder mirror",
            'unknown-layer: unknown layer "dens"',
        ),
        (
            "encoder { conv 4 }\nbottleneck { dense 8; reshape 3x1x1 }\ndecoder mirror",
            "reshape-mismatch:",
        ),
    ],
)
def test_a_bottleneck_that_cannot_be_is_one_error(text: str, found: str) -> None:
    messages = errors(text)
    assert [message.startswith(found) for message in messages] == [True], messages

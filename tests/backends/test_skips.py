"""Connections around the code: results, costs, mirrors, figures, errors."""

import pytest
import torch
from torch import nn

from caedsl import check
from caedsl.backends.torch.fast.rewrite import fast_form
from caedsl.backends.torch.instantiate import build
from caedsl.facts.receptive_field import receptive_fields
from caedsl.facts.signal import signal_path
from caedsl.figures.graph import render
from tests.resolve.written import model

UNET = """encoder { conv 4 relu as fine; maxpool 2; conv 8 relu as coarse; maxpool 2 }
bottleneck conv 2
decoder { upsample 2; concat coarse; conv 4 relu; upsample 2; add fine; concat input; conv 1 sigmoid }
"""


def errors(text: str) -> list[str]:
    spec = f"autoencoder a\ninput 1x28x28\n{text}"
    return [f"{found.name}: {found.message}" for found in check(spec) if found.severity.value == "error"]


def test_a_network_computes_what_its_lines_say() -> None:
    module, x = build(model(UNET)), torch.rand(2, 1, 28, 28)
    e, d = module.encoder, module.decoder
    fine = e[1](e[0](x))
    coarse = e[4](e[3](e[2](fine)))
    code = module.bottleneck(e[5](coarse))
    up = d[2](d[1](torch.cat((d[0](code), coarse), dim=1)))
    joined = torch.cat((d[3](up) + fine, x), dim=1)
    assert torch.equal(module(x), d[5](d[4](joined)))
    assert torch.equal(module.encode(x), code)


def test_a_code_alone_is_no_sample_of_a_network_with_skips() -> None:
    module, x = build(model(UNET)), torch.rand(2, 1, 28, 28)
    code, maps = module.encode_with_maps(x)
    assert list(maps) == ["coarse", "fine", "input"]
    assert torch.equal(module.decode(code, maps), module(x))
    for given in (None, {"fine": maps["fine"]}):
        with pytest.raises(ValueError, match="the decoder reads `coarse`"):
            module.decode(code, given)


def test_the_code_is_what_the_bottleneck_returns() -> None:
    """The monitors and the terms of the code watch the bottleneck, which may have connections of its own."""
    module = build(model("encoder { conv 4; maxpool 2 }\nbottleneck { dense 6 as a; dense 6; add a }\ndecoder mirror"))
    codes: list[torch.Tensor] = []
    module.bottleneck.register_forward_hook(lambda part, given, code: codes.append(code))
    x = torch.rand(2, 1, 28, 28)
    module(x)
    assert torch.equal(codes.pop(), module.encode(x))


def test_what_goes_around_the_code_counts() -> None:
    spec = model(UNET)
    assert spec.bypasses == {"coarse": (8, 14, 14), "fine": (4, 28, 28), "input": (1, 28, 28)}
    assert spec.compression == 784 / (2 * 49 + 8 * 196 + 5 * 784)


@pytest.mark.parametrize("how", ["concat", "add"])
@pytest.mark.parametrize("size", ["28x28", "27x21"])
@pytest.mark.parametrize(
    "encoder",
    [
        "conv 4 relu; maxpool 2; conv 8 relu; maxpool 2; conv 8 relu",
        "conv 4 relu; conv 8 s2 relu; conv 8 s2 relu",
        "stage a { conv 4 relu; maxpool 2 }; stage b { conv 8 relu; conv 8 relu }; stage c { maxpool 2; conv 8 }",
        "conv 4; residual { conv 8 s2 relu; conv 8 }; conv 8 s2",
    ],
)
def test_a_mirror_reads_every_map_before_it_is_made_smaller(encoder: str, size: str, how: str) -> None:
    spec = model(f"input 1x{size}\nencoder {{ {encoder} }}\nbottleneck conv 2\ndecoder mirror skips={how}")
    assert spec.out_shape == spec.input.shape
    assert list(spec.bypasses) == ["skip2", "skip1"]
    assert build(spec)(torch.rand(2, *spec.input.shape)).shape[1:] == spec.input.shape


def test_the_receptive_field_and_the_signal_follow_both_ways() -> None:
    spec = model("encoder { conv 4 k1 as a; conv 4 k7 }\nbottleneck\ndecoder { conv 4 k1; add a; conv 1 k3 }")
    fields = receptive_fields(spec)
    assert [fields[id(layer)] for layer in spec.decoder] == [(7, 7), (7, 7), (9, 9)]
    only = model("encoder { conv 4 k1 as a; conv 4 k7 }\nbottleneck\ndecoder { concat a; conv 1 k1 }")
    assert receptive_fields(only)[id(only.decoder[-1])] == (7, 7)
    assert len(signal_path(spec)) == len([*spec.layers()])


BRANCHES = """block two_scales width {
  conv width relu as trunk
  conv width k1 relu as narrow
  from trunk
  conv width k5 relu
  concat narrow
}
encoder { two_scales 2; maxpool 2; two_scales 3; globalpool as means; from input; avgpool 28; dense 4; concat means }
bottleneck dense 2
decoder { dense 49; reshape 1x7x7; conv 4 as up; from input; avgpool 4; add up; upsample 4; conv 1 sigmoid }
"""


def test_a_branch_computes_from_the_output_that_it_names() -> None:
    module, x = build(model(BRANCHES.replace("add up", "concat up"))), torch.rand(2, 1, 28, 28)
    e, d, functional = module.encoder, module.decoder, nn.functional

    def two_scales(x: torch.Tensor, first: int) -> torch.Tensor:
        trunk = e[first](x).relu()
        return torch.cat((e[first + 4](trunk).relu(), e[first + 2](trunk).relu()), dim=1)

    means = two_scales(functional.max_pool2d(two_scales(x, 0), 2), 7).mean((2, 3))
    joined = torch.cat((e[-1](x.mean((2, 3))), means), dim=1)
    up = d[2](d[0](module.bottleneck(joined)).view(2, 1, 7, 7))
    whole = torch.cat((functional.avg_pool2d(x, 4), up), dim=1)
    expected = d[-2](functional.interpolate(whole, scale_factor=4)).sigmoid()
    torch.testing.assert_close(module(x), expected)


def test_the_receptive_field_and_the_signal_follow_a_branch() -> None:
    spec = model("encoder { conv 4 k3 as a; conv 4 k9 as b; from a; conv 4 k5; add b }\nbottleneck\ndecoder { conv 1 }")
    fields = receptive_fields(spec)
    assert [fields[id(layer)][0] for layer in spec.encoder] == [3, 11, 3, 7, 11]
    powers = {gain.layer.kind.name: gain.total for gain in signal_path(spec)}
    assert powers["from"] == signal_path(spec)[0].total


GATED = """encoder {
  conv 6 as wide
  globalpool
  dense 2 relu
  dense 6 sigmoid
  reshape 6x1x1 as channels
  from wide
  multiply channels
  maxpool 2
}
bottleneck conv 2
decoder { upsample 2; conv 1 sigmoid as mask; from wide; multiply mask; conv 1; multiply input }
"""


def test_a_product_weights_channels_positions_or_both() -> None:
    module, x = build(model(GATED)), torch.rand(2, 1, 28, 28)
    e, d, functional = module.encoder, module.decoder, nn.functional
    wide = e[0](x)
    squeeze, excite = (layer for layer in e if isinstance(layer, nn.Linear))
    gate = excite(squeeze(wide.mean((2, 3))).relu()).sigmoid()
    weighted = wide * gate[:, :, None, None]
    code = module.bottleneck(functional.max_pool2d(weighted, 2))
    mask = d[1](functional.interpolate(code, scale_factor=2)).sigmoid()
    torch.testing.assert_close(module(x), d[3](wide * mask) * x)


def test_a_product_has_the_power_of_both_factors() -> None:
    spec = model("encoder { conv 4 as a; conv 4; multiply a }\nbottleneck\ndecoder { conv 1 }")
    one, other, product = (gain.total for gain in signal_path(spec)[:3])
    assert product == one + other


def test_a_gate_is_no_resolution_that_a_decoder_should_pass_through() -> None:
    assert not [
        found for found in check(f"autoencoder a\ninput 1x28x28\n{GATED}") if found.name == "unmatched-resolution"
    ]


def test_a_named_stage_is_read_like_its_last_layer() -> None:
    stage = "stage s as a { conv 4 k1; conv 4 k3 norm=batch }"
    spec = model(f"encoder {{ {stage}; conv 4 k7 init=torch as b; from a; add b }}\nbottleneck\ndecoder {{ conv 1 }}")
    start = next(gain for gain in signal_path(spec) if gain.layer.kind.name == "from")
    assert receptive_fields(spec)[id(start.layer)] == (3, 3)
    assert start.total == 0


def test_the_decoder_reads_the_code_by_its_name() -> None:
    spec = model(
        "encoder { conv 4 s2 relu; stage s { conv 2 as code } }\nbottleneck noise=0.5\n"
        "decoder { conv 3 as a; from code; conv 2 k1; add code; concat a; upsample 2; conv 1 sigmoid }"
    )
    assert (spec.bypasses, spec.compression) == ({}, 784 / (2 * 196))
    module, x = build(spec).eval(), torch.rand(2, 1, 28, 28)
    code = module.encode(x)
    d = module.decoder
    joined = torch.cat((d[2](code) + code, d[1](code)), dim=1)
    assert torch.equal(module.decode(code), d[-1](d[-2](d[-3](joined))))


def test_graphs_draw_the_way_around_the_code() -> None:
    drawn = str(render(model(UNET), "mmd"))
    assert drawn.count("-.->") == 3
    assert "input -.->" in drawn


def test_a_network_with_skips_trains_as_it_is_written() -> None:
    module = build(model(UNET))
    assert fast_form(module, (1, 28, 28)) is module
    assert isinstance(module.encoder, nn.Sequential)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "encoder { conv 4 as a; maxpool 2 }\nbottleneck conv 2\ndecoder { concat a; conv 1 }",
            "sizes-do-not-meet: `concat a` joins 2x14x14 and `a`, which is 4x28x28",
        ),
        (
            "encoder { conv 4 as a; maxpool 2 }\nbottleneck conv 2\ndecoder { upsample 2; add a; conv 1 }",
            "sizes-do-not-meet: `add a` sums 2x28x28 and `a`, which is 4x28x28",
        ),
        (
            "encoder { conv 4 as a; conv 2; multiply a; maxpool 2 }\nbottleneck conv 2\ndecoder mirror",
            "sizes-do-not-meet: `multiply a` multiplies 2x28x28 and `a`, which is 4x28x28",
        ),
        (
            "encoder { conv 4 as a; globalpool as b; from a; multiply b }\nbottleneck conv 2\ndecoder { conv 1 }",
            "sizes-do-not-meet: `multiply b` multiplies 4x28x28 and `b`, which is 4",
        ),
        (
            "encoder { conv 1 sigmoid as a; conv 4 k1; globalpool; reshape 4x1x1; multiply a; maxpool 2 }\n"
            "bottleneck conv 2\ndecoder { upsample 2; conv 1 }",
            "sizes-do-not-meet: `multiply a` multiplies 4x1x1 and `a`, which is 1x28x28",
        ),
        (
            "encoder { conv 4; maxpool 2 }\nbottleneck conv 2\ndecoder { upsample 2; concat a; conv 1 }",
            'unknown-name: no output has the name "a"',
        ),
        (
            "encoder { concat a; conv 4 as a; maxpool 2 }\nbottleneck conv 2\ndecoder { upsample 2; conv 1 }",
            "unknown-name: `a` is named below this line",
        ),
        (
            "encoder { conv 4 as a; conv 4 as a; maxpool 2 }\nbottleneck conv 2\ndecoder { upsample 2; concat a; conv 1 }",
            "duplicate-statement: `a` names two outputs",
        ),
        (
            "encoder { conv 4 as a; conv 4 as a; from a; conv 4; maxpool 2 }\n"
            "bottleneck conv 2\ndecoder { upsample 2; concat a; conv 1 }",
            "duplicate-statement: `a` names two outputs",
        ),
        (
            "encoder { conv 4 as input; maxpool 2 }\nbottleneck conv 2\ndecoder mirror",
            "duplicate-statement: `input` is the name",
        ),
        (
            "encoder { conv 4 as a; concat a; conv 4; maxpool 2 }\nbottleneck conv 2\ndecoder mirror",
            "no-mirror: `decoder mirror` cannot invert this `concat`",
        ),
        (
            "encoder { conv 4; maxpool 2; conv 8; maxpool 2 }\nbottleneck conv 2\ndecoder mirror skips=add channels=/2",
            "sizes-do-not-meet",
        ),
        (
            "encoder { conv 4 as a; conv 4; from a; conv 4 s2 }\nbottleneck conv 2\ndecoder { upsample 2; conv 1 }",
            "dropped-output: `from a` drops the output of the line before, which has no name",
        ),
        (
            "encoder { conv 4 as a; conv 4 as b; from a; conv 4 s2 }\nbottleneck conv 2\ndecoder { upsample 2; conv 1 }",
            "dropped-output: no line reads `b`",
        ),
        (
            "encoder { conv 4 s2 as a }\nbottleneck conv 2\ndecoder { from a; upsample 2; conv 1 }",
            "dropped-output: `from a` drops the code",
        ),
        (
            "encoder { conv 4 s2 as a }\nbottleneck dense 2\ndecoder { from a; upsample 2; conv 1 }",
            "dropped-output: `from a` drops the code",
        ),
        (
            "encoder { conv 4 s2 as a }\nbottleneck { conv 2 as code; from a; conv 4 }\ndecoder { upsample 2; conv 1 }",
            "dropped-output: `from a` drops the code",
        ),
        (
            "encoder { conv 4 as a; from a; maxpool 2 }\nbottleneck conv 2\ndecoder { upsample 2; conv 1 }",
            "misplaced-statement: `from a` has no effect",
        ),
        (
            "encoder { from input; conv 4 s2 }\nbottleneck conv 2\ndecoder { upsample 2; conv 1 }",
            "misplaced-statement: `from input` has no effect",
        ),
        (
            "encoder { conv 4 as a; conv 4 as b; from a; conv 4; add b; maxpool 2 }\nbottleneck\ndecoder mirror",
            "no-mirror: `decoder mirror` cannot invert this `from`",
        ),
        (
            "encoder { conv 4 as a; conv 4 as b; from a as c; concat b }\nbottleneck dense 2\ndecoder { conv 1 }",
            'unknown-option: unknown word "as" on from',
        ),
        (
            "encoder { repeat 2 { conv 4 as a; conv 4 }; add a; maxpool 2 }\nbottleneck conv 2\ndecoder mirror",
            "duplicate-statement: `a` names several outputs, one for each copy",
        ),
        (
            "encoder { conv 4 s2 as a; globalpool; concat a }\nbottleneck dense 2\ndecoder { upsample 2; conv 1 }",
            "sizes-do-not-meet: `concat a` joins 4 and `a`, which is 4x14x14",
        ),
        ("encoder { conv 4 as; maxpool 2 }\nbottleneck conv 2\ndecoder mirror", "missing-value"),
        ("encoder { concat; conv 4 }\nbottleneck conv 2\ndecoder mirror", "missing-value"),
    ],
)
def test_a_wrong_connection_is_one_finding(text: str, found: str) -> None:
    said = errors(text)
    assert len(said) == 1, said
    assert said[0].startswith(found)


def test_sizes_that_do_not_meet_show_where_the_output_was_made() -> None:
    text = "autoencoder a\ninput 1x28x28\nencoder { conv 4 as a; maxpool 2 }\nbottleneck conv 2\ndecoder { concat a; conv 1 }"
    found = next(each for each in check(text) if each.name == "sizes-do-not-meet")
    assert [(text[label.span.start : label.span.end], label.text) for label in found.related] == [
        ("as a", "`a` is 4x28x28")
    ]


def test_a_name_that_nothing_reads_is_reported_once() -> None:
    text = "autoencoder a\ninput 1x28x28\nencoder { conv 4 s2 as a }\nbottleneck conv 2\ndecoder mirror"
    assert [found.message for found in check(text) if found.name == "unused-output"] == ["no line reads the output `a`"]


def test_an_output_may_be_called_like_an_option() -> None:
    """`x2` and `k3` are names after `as`, `concat` and `add`, which need one."""
    named = model(UNET.replace("fine", "x2").replace("coarse", "k3"))
    assert build(named)(torch.rand(2, 1, 28, 28)).shape == (2, 1, 28, 28)

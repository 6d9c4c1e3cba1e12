"""Names inside residuals and blocks: what is computed, what follows from it, and what is wrong."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from caedsl import check
from caedsl.backends.torch.instantiate import build
from caedsl.facts.receptive_field import receptive_fields
from caedsl.facts.signal import signal_path
from caedsl.figures.graph import render
from caedsl.rules.engine.checking import check_source
from caedsl.rules.engine.fixing import fix_source
from caedsl.source import Source
from caedsl.vocabulary.spelling import line
from tests.importing.rebuilt import emitted
from tests.resolve.written import model

GATED = """block gated width {
  residual {
    norm channel as normed
    conv width k1
    conv width depthwise as gate
    from normed
    conv width k1
    conv width depthwise
    multiply gate
    stage attention { as map; globalpool; dense width; reshape 4x1x1; multiply map }
    conv width k1
    scale 0.5 learned
  }
}
encoder { conv 4 relu; gated 4 x2; maxpool 2 }
bottleneck conv 2
decoder { upsample 2; conv 1 sigmoid }
"""
NESTED = """encoder {
  conv 4 as stem
  residual relu as outer {
    as x
    conv 4 as a
    residual { conv 3; concat stem; conv 4 }
    add a
    shortcut { conv 4 k1; add stem }
  }
  maxpool 2
}
bottleneck conv 2
decoder { residual { upsample 2; concat a; conv 4; add outer }; multiply x; conv 1 sigmoid }
"""


def errors(text: str) -> list[str]:
    spec = f"autoencoder a\ninput 1x28x28\n{text}"
    return [f"{found.name}: {found.message}" for found in check(spec) if found.severity.value == "error"]


def test_a_gated_block_computes_what_its_lines_say() -> None:
    module, x = build(model(GATED)), torch.rand(2, 1, 28, 28)
    e = module.encoder

    def gated(x: Tensor, first: int) -> Tensor:
        norm, wide, deep, wide_two, deep_two, _, _, squeeze, _, last, scale = e[first : first + 11]
        normed = norm(x)
        product = deep_two(wide_two(normed)) * deep(wide(normed))
        weights = squeeze(product.mean((2, 3)))[:, :, None, None]
        returned: Tensor = x + scale(last(product * weights))
        return returned

    code = module.bottleneck(functional.max_pool2d(gated(gated(e[:2](x), 2), 13), 2))
    torch.testing.assert_close(module.encode(x), code)


def test_nested_residuals_read_what_is_outside_them_and_are_read_from_outside() -> None:
    spec = model(NESTED)
    module, x = build(spec), torch.rand(2, 1, 28, 28)
    e, d = module.encoder, module.decoder
    stem, a = e[0](x), e[1](e[0](x))
    inner = a + e[3](torch.cat((e[2](a), stem), dim=1))
    outer = (inner + a + e[4](stem) + stem).relu()
    code = module.bottleneck(functional.max_pool2d(outer, 2))
    up = functional.interpolate(code, scale_factor=2)
    body = d[1](torch.cat((up, a), dim=1)) + outer
    shortcut = nn.Sequential(*d[2:4])(code)
    torch.testing.assert_close(module(x), d[4]((body + shortcut) * stem).sigmoid())
    assert spec.bypasses == {"a": (4, 28, 28), "outer": (4, 28, 28), "x": (4, 28, 28)}


@pytest.mark.parametrize("text", [GATED, NESTED])
def test_the_emitted_module_is_the_same(text: str) -> None:
    spec = model(text)
    module, written = build(spec), emitted(spec)
    written.load_state_dict(module.state_dict(), strict=True)
    x = torch.rand(2, 1, 28, 28)
    assert torch.equal(module.eval()(x), written.eval()(x))


def test_a_residual_without_names_keeps_its_module() -> None:
    encoder = "residual { as x; conv 1; add x }; residual { conv 2; conv 4 }"
    module = build(model(f"encoder {{ {encoder} }}\nbottleneck\ndecoder {{ conv 1 }}"))
    assert [name for name, _ in module.encoder.named_children()] == ["0", "1"]
    assert [type(each).__name__ for each in module.encoder] == ["Conv2d", "Residual"]


def test_the_receptive_field_and_the_signal_follow_the_names() -> None:
    residual = "residual { as x; conv 4 k9 as a; from x; conv 4 k3; add a; conv 4 k1 }"
    spec = model(f"encoder {{ conv 4 k1; {residual} }}\nbottleneck\ndecoder {{ conv 1 }}")
    fields = {line(layer): receptive_fields(spec)[id(layer)][0] for _, layer in spec.layers()}
    assert (fields["as x"], fields["from x"], fields["conv 4"], fields["residual"]) == (1, 1, 3, 9)
    doubled = model("encoder { conv 4 k1; residual { as x; multiply x } }\nbottleneck\ndecoder { conv 1 }")
    stem, residual_gain = (gain.total for gain in signal_path(doubled)[:2])
    assert 10**residual_gain == pytest.approx(10**stem + 10 ** (2 * stem))


def test_a_mirror_leaves_names_out_and_unpools_inside_residuals() -> None:
    residual = "residual {{ {} norm batch; relu; conv 4; norm batch; relu; conv 4 {} }}"
    text = (
        "encoder {{ conv 4; stage s {{ {} maxpool 2; {} }}; conv 8 s2 }}\nbottleneck conv 2\ndecoder mirror skips=add"
    )
    plain, named = (
        model(text.format(first, residual.format(*own)))
        for first, own in (("", ("", "")), ("as y; add y;", ("as x;", "; add x")))
    )
    assert [line(layer).replace("add y", "add skip1") for _, layer in plain.layers() if layer.mirrors] == [
        line(layer) for _, layer in named.layers() if layer.mirrors
    ]
    pooled = model(
        "encoder { conv 4; residual { maxpool 2; conv 4 } }\nbottleneck conv 2\ndecoder mirror upsample=unpool"
    )
    assert [line(layer) for each in pooled.decoder for layer in each.children] == ["conv 4", "unpool pool1"]
    assert build(pooled)(torch.rand(2, 1, 28, 28)).shape == (2, 1, 28, 28)


@pytest.mark.parametrize("kind", ["mmd", "dot", "svg"])
def test_graphs_draw_what_is_read_inside_a_residual(kind: str) -> None:
    drawn = str(render(model(NESTED), kind))
    assert "stem" in drawn
    assert "outer" in drawn


@pytest.mark.parametrize(
    ("encoder", "found"),
    [
        ("conv 4; residual { add a; conv 4 as a }", "unknown-name: `a` is named below this line"),
        ("conv 4; residual { conv 4; add a }", 'unknown-name: no output has the name "a"'),
        ("conv 4; residual { conv 4 as a; maxpool 2; add a }", "sizes-do-not-meet: `add a` sums 4x14x14 and `a`"),
        ("conv 4 as a; residual { as a; conv 4; add a }", "duplicate-statement: `a` names two outputs"),
        ("repeat 2 { residual { conv 4 as a; add a } }; add a", "duplicate-statement: `a` names several outputs"),
        (
            "conv 4 as a; residual { conv 4; from a; conv 4 }",
            "dropped-output: `from a` drops the output of the line before",
        ),
        ("conv 4 as a; residual { as b; conv 4 as c; from b; conv 4 }", "dropped-output: no line reads `c`"),
        ("conv 4; as a; conv 4; add a", "misplaced-statement: `as a` on a line of its own"),
        ("conv 4 as b; as a; conv 4; add a; add b", "misplaced-statement: `as a` on a line of its own"),
        ("conv 4; residual { as a }", "misplaced-statement: `as a` names what this block is given"),
        ("conv 4; residual { as; conv 4 }", "missing-value"),
        ("conv 4; residual { as a x2; conv 4; add a }", "unknown-option"),
    ],
)
def test_a_wrong_name_inside_is_one_finding(encoder: str, found: str) -> None:
    said = errors(f"encoder {{ {encoder} }}\nbottleneck conv 2\ndecoder {{ conv 1 }}")
    assert len(said) == 1, said
    assert said[0].startswith(found)


def test_a_block_that_reads_the_input_of_the_network_for_its_own_is_told_how() -> None:
    encoder = "block grown n { conv n; concat input }\nencoder { conv 4 s2; grown 4 }"
    text = f"autoencoder a\ninput 1x28x28\n{encoder}\nbottleneck conv 2\ndecoder {{ upsample 2; conv 1 }}"
    (found,) = (each for each in check(text) if each.severity.value == "error")
    assert found.help == "begin the block with `as x` and read `x`: `input` is the input of the network"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("conv 4\n  as a\n  conv 4\n  add a", "conv 4 as a\n  conv 4\n  add a"),
        ("conv 4; as a; conv 4; add a", "conv 4 as a; conv 4; add a"),
        ("residual { conv 4 }; as a; conv 4; add a", "residual as a { conv 4 }; conv 4; add a"),
    ],
)
def test_the_fix_puts_the_name_on_the_line_above(before: str, after: str) -> None:
    text = "autoencoder a\ninput 1x28x28\nencoder {{\n  {}\n  maxpool 2\n}}\nbottleneck conv 2\ndecoder mirror\n"
    fixed = fix_source(Source(text.format(before))).checked.source.text
    assert after in fixed


def test_a_name_that_nothing_reads_inside_a_residual_is_reported() -> None:
    text = "autoencoder a\ninput 1x28x28\nencoder { residual { as x; conv 4 s2 } }\nbottleneck conv 2\ndecoder mirror"
    found = [each.message for each in check_source(Source(text)).findings if each.name == "unused-output"]
    assert found == ["no line reads the output `x`"]

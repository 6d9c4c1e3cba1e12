"""Lines that return their input as it is are found, in agreement with PyTorch, and their fix removes them."""

import pytest
import torch

from caedsl.api import check, load
from caedsl.backends.torch.instantiate import build
from caedsl.rules.engine.checking import check_source
from caedsl.rules.engine.fixing import fix_source
from caedsl.source import Source

SPEC = """autoencoder a
input 2x8x8
encoder {{
  conv 4 k1 relu
  {line}
  conv 2
}}
bottleneck
decoder {{ conv 2 sigmoid }}
"""
IDLE = [
    "maxpool 1",
    "maxpool 1 s1",
    "avgpool 1x1",
    "pad 0",
    "pad 0..0",
    "crop 0",
    "crop 0x0",
    "upsample 1",
    "upsample 1 bilinear",
    "upsample to 8x8",
    "dropout 0",
    "dropout 0% elementwise",
    "reshape 4x8x8",
    "pixelshuffle 1",
    "pixelunshuffle 1",
    "maxpool 1 x3",
    "scale 1",
    "relu",
    "relu x2",
    "elu 0.5",
    "leaky_relu 0.2",
    "prelu",
]
IN_LINE = [
    ("conv 4 x1", "x1", "conv 4"),
    ("conv 4 x=1", "x=1", "conv 4"),
    ("conv 4 dropout=0", "dropout=0", "conv 4"),
    ("dense 256 l2=0 relu; reshape 4x8x8", "l2=0", "dense 256 relu; reshape 4x8x8"),
    ("conv 4 l1=0 x3", "l1=0", "conv 4 x3"),
    ("conv 4 k1 d2", "d2", "conv 4 k1"),
    ("deconv 4 k1x1 d3 pad=valid", "d3", "deconv 4 k1x1 pad=valid"),
    ("conv 4 k3x1 d1x2 pad=1x0", "d1x2", "conv 4 k3x1 pad=1x0"),
    ("repeat 1 { conv 4 }", "repeat 1", "conv 4"),
    ("stage a { repeat 1 { conv 4 relu; conv 4 } }", "repeat 1", "stage a { conv 4 relu; conv 4 }"),
    ("repeat 2 { repeat 1 { conv 4 } }", "repeat 1", "repeat 2 { conv 4 }"),
    ("repeat 2 { maxpool 1; conv 4 }", "maxpool 1", "repeat 2 { conv 4 }"),
    ("repeat 2 { conv 4; maxpool 1 }", "maxpool 1", "repeat 2 { conv 4 }"),
    ("conv 4; relu x2", "x2", "conv 4; relu"),
    ("conv 4; relu6 x=3", "x=3", "conv 4; relu6"),
    ("repeat 2 { conv 4; relu x2 }", "x2", "repeat 2 { conv 4; relu }"),
]
"""Lines, what has no effect in them, and the lines without it."""
WORKING = [
    "selu x2",
    "repeat 2 { conv 4; silu x2 }",
    "maxpool 3 s1 pad=1",
    "maxpool 1 dropout=10%",
    "upsample 1 dropout=10%",
    "reshape 4x8x8 tanh",
    "reshape 4x8x8 norm=batch",
    "pad 0x1; crop 0x1",
    "dropout 1%",
    "norm batch",
    "tanh",
    "relu6",
    "clip 0..100",
    "softplus",
    "norm batch; relu",
    "norm batch; norm instance",
    "norm batch; norm batch affine=off",
    "conv 4 norm=batch relu; norm batch",
    "conv 4 norm=batch dropout=10%; norm batch",
    "norm layer; norm layer",
    "conv 4; leaky_relu; leaky_relu",
    "residual { relu; conv 4 }",
    "scale 1 learned",
    "scale 0.5",
    "conv 4 x2 s1 dropout=10%",
    "repeat 2 { conv 4 }",
    "conv 4 k1 d1",
    "conv 4 k3x1 d2",
]


def found(text: str) -> list[str]:
    return [text[slice(*finding.primary.span)] for finding in check(text) if finding.name == "layer-without-effect"]


def output(text: str) -> torch.Tensor:
    torch.manual_seed(0)
    module = build(load(text))
    reconstruction: torch.Tensor = module(torch.rand(2, 2, 8, 8, generator=torch.Generator().manual_seed(1)))
    return reconstruction


def with_line(line: str) -> str:
    return SPEC.format(line=line)


@pytest.mark.parametrize("line", IDLE)
def test_a_layer_without_effect_is_found_and_its_line_removed(line: str) -> None:
    text = with_line(line)
    assert found(text) == [line]
    (finding,) = (finding for finding in check(text) if finding.name == "layer-without-effect")
    assert finding.fix is not None
    (edit,) = finding.fix.edits
    without = text[: edit.span.start] + edit.text + text[edit.span.end :]
    assert without == SPEC.replace("  {line}\n", "").format()
    assert torch.equal(output(text), output(without))


@pytest.mark.parametrize("line", WORKING)
def test_a_layer_with_an_effect_is_not(line: str) -> None:
    assert found(with_line(line)) == []


@pytest.mark.parametrize(("line", "idle", "without"), IN_LINE)
def test_a_part_of_a_line_without_effect_is_found_and_removed(line: str, idle: str, without: str) -> None:
    text = with_line(line)
    assert found(text) == [idle]
    fixed = fix_source(Source(text)).source.text
    assert fixed == with_line(without)
    assert torch.equal(output(text), output(fixed))


@pytest.mark.parametrize(
    ("line", "idle", "without"),
    [
        ("norm batch; norm batch", "norm batch", "norm batch"),
        ("norm batch x2", "x2", "norm batch"),
        ("norm instance x=3; relu", "x=3", "norm instance; relu"),
        ("conv 4 norm=batch; norm batch; relu", "norm batch", "conv 4 norm=batch; relu"),
        ("stage a { norm batch; norm batch }", "norm batch", "stage a { norm batch }"),
        ("repeat 2 { conv 4; norm batch; norm batch }", "norm batch", "repeat 2 { conv 4; norm batch }"),
    ],
)
def test_a_repeated_normalisation_is_found_and_removed(line: str, idle: str, without: str) -> None:
    """The outputs differ by `eps`, which the second normalisation adds to a variance of 1."""
    text = with_line(line)
    assert found(text) == [idle]
    fixed = fix_source(Source(text)).source.text
    assert fixed == with_line(without)
    assert torch.allclose(output(text), output(fixed), atol=1e-4)


def test_an_option_that_replaces_a_default_is_not() -> None:
    first, second = "defaults conv dropout=10%\n", "defaults conv bias=on\n"
    text = with_line("conv 4 dropout=0").replace("input", f"{first}{second}input")
    assert found(text) == []
    assert found(text.replace(first, "")) == ["dropout=0"]


@pytest.mark.parametrize(
    "line",
    ["conv 4 relu as x1; conv 4; add x1", "conv 4 relu x2 as x1; conv 4; concat x1 first", "stage x1 { conv 4 relu }"],
)
def test_a_name_that_looks_like_a_repeat_is_not(line: str) -> None:
    assert found(with_line(line)) == []


def test_an_option_of_the_bottleneck_is_not() -> None:
    """`--set bottleneck.noise=0` and variants switch options off."""
    assert found(SPEC.format(line="tanh").replace("bottleneck", "bottleneck conv 2 dropout=0 l1=0 noise=0")) == []


def test_a_number_with_a_name_may_have_another_value() -> None:
    text = with_line("maxpool factor").replace("input", "let factor = 1\ninput")
    assert found(text) == []
    block = with_line("down").replace("input", "block down by=1 { conv 4 relu; maxpool by }\ninput")
    assert found(block) == []


def test_a_line_that_has_an_effect_at_one_of_its_places_is_not() -> None:
    assert found(with_line("repeat 2 { upsample to 16x16 }")) == []


@pytest.mark.parametrize(
    "line", ["repeat { conv 4 }", "repeat 1 norm=group { conv 4 }", "repeat 1 1 { conv 4 }", "conv"]
)
def test_a_block_that_no_line_uses_may_hold_any_items(line: str) -> None:
    text = with_line("tanh").replace("input", f"block odd n=1 {{ {line} }}\ninput")
    checked = check_source(Source(text))
    assert not checked.failures and checked.model is not None


@pytest.mark.parametrize(
    ("lines", "idle"),
    [
        ("sigmoid; relu", "relu"),
        ("conv 4 relu6; relu6", "relu6"),
        ("conv 4 hardtanh; clip -2..2", "clip -2..2"),
        ("conv 4 clip=0..1; maxpool 2; reshape 16x2x2; clip 0..1", "clip 0..1"),
        ("stage a { conv 4 relu }; relu", "relu"),
        ("conv 4 relu; dropout 10%; relu", "relu"),
        ("conv 4 relu6; dropout 10%; relu6", ""),
        ("conv 4 hardtanh; clip -0.5..2", ""),
        ("conv 4 relu; conv 4; relu", ""),
    ],
)
def test_an_activation_that_always_returns_its_input_is_found(lines: str, idle: str) -> None:
    assert found(with_line(f"{lines}; conv 4")) == [idle] * bool(idle)


@pytest.mark.parametrize("line", ["conv 4 relu; relu", "conv 4; relu; relu", "conv 4 relu; maxpool 2; relu; conv 4"])
def test_removing_an_idle_activation_leaves_a_mirrored_network_as_it_is(line: str) -> None:
    text = with_line(line).replace("decoder { conv 2 sigmoid }", "decoder mirror")
    fixed = fix_source(Source(text)).source.text
    assert fixed.count("relu") == text.count("relu") - 1
    assert torch.equal(output(text), output(fixed))


def test_an_activation_whose_twin_has_an_effect_is_not() -> None:
    text = with_line("conv 4; maxpool 8; relu").replace("decoder { conv 2 sigmoid }", "decoder mirror")
    assert found(text) == []


MIRRORED = """autoencoder a
input 1x16x16
encoder {{ {lines} }}
bottleneck dense 8
decoder mirror {option}
"""


@pytest.mark.parametrize(
    ("lines", "option", "idle"),
    [
        ("conv 4 k4 s2 relu", "upsample=bilinear", True),
        ("conv 4 k4 s2 relu", "upsample=unpool", True),
        ("conv 4 k4 s2 relu", "upsample=nearest", False),
        ("conv 4 relu; maxpool 2", "upsample=bilinear", False),
        ("conv 4 relu; maxpool 2", "upsample=unpool", False),
        ("conv 4 relu; conv 4 relu", "skips=add", True),
        ("conv 4 relu; maxpool 2", "skips=add", False),
        ("conv 4 relu; conv 4 relu", "channels=/1", True),
        ("conv 4 relu; conv 4 relu", "channels=/2", False),
        ("dense 16 relu", "channels=/2", True),
        ("conv 4 relu; conv 4 relu", "norm=none", True),
        ("conv 4 norm=batch; conv 4 norm=batch relu", "norm=none", False),
        ("conv 4 relu; conv 4 relu", "norm=batch", False),
    ],
)
def test_an_option_without_which_the_mirror_is_the_same_is_removed(lines: str, option: str, idle: bool) -> None:
    text = MIRRORED.format(lines=lines, option=option)
    assert found(text) == [option] * idle
    without = MIRRORED.format(lines=lines, option="").replace("mirror \n", "mirror\n")
    assert fix_source(Source(text)).source.text == (without if idle else text)

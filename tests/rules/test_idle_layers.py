"""Lines that return their input as it is are found, in agreement with PyTorch, and their fix removes them."""

import pytest
import torch

from caedsl.api import check, load
from caedsl.backends.torch.instantiate import build

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
]
WORKING = [
    "maxpool 3 s1 pad=1",
    "maxpool 1 dropout=10%",
    "upsample 1 dropout=10%",
    "reshape 4x8x8 tanh",
    "reshape 4x8x8 norm=batch",
    "pad 0x1; crop 0x1",
    "dropout 1%",
    "norm batch",
    "tanh",
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


def test_a_number_with_a_name_may_have_another_value() -> None:
    text = with_line("maxpool factor").replace("input", "let factor = 1\ninput")
    assert found(text) == []
    block = with_line("down").replace("input", "block down by=1 { conv 4 relu; maxpool by }\ninput")
    assert found(block) == []


def test_a_line_that_has_an_effect_at_one_of_its_places_is_not() -> None:
    assert found(with_line("repeat 2 { upsample to 16x16 }")) == []

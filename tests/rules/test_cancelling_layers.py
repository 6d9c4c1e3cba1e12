"""Two lines that undo each other are found, in agreement with PyTorch, and their fix removes both."""

import pytest
import torch

from caedsl.api import check
from caedsl.rules.engine.fixing import fix_source
from caedsl.source import Source
from tests.rules.test_idle_layers import output

NAME = "cancelling-layers"
SPEC = """autoencoder a
input 2x8x8
encoder {{
  conv 4 k1 relu
  {line}
  conv 2 s2
}}
bottleneck
decoder {{ upsample 2; conv 2 sigmoid }}
"""
CANCELLING = [
    ("pad 1; crop 1", ""),
    ("pad 0x1; crop 0x1", ""),
    ("pad 1; crop 1x1; pad 0..1; crop 1..0", "pad 0..1; crop 1..0"),
    ("pad 0..1\n  crop 0..1", ""),
    ("upsample 2; maxpool 2", ""),
    ("upsample 2; avgpool 2", ""),
    ("upsample 2x1; maxpool 2x1 ceil", ""),
    ("upsample to 16x16; avgpool 2", ""),
    ("pixelshuffle 2; pixelunshuffle 2", ""),
    ("pixelunshuffle 2; pixelshuffle 2", ""),
    ("tanh; pad 1; crop 1; tanh", "tanh; tanh"),
    ("pad 1 # a comment\n  crop 1 # another\n", "# a comment\n# another"),
    ("pad 1\n  # a comment\n  crop 1", "# a comment"),
    ("residual { pad 1; crop 1; conv 4 }", "residual { conv 4 }"),
    ("repeat 2 { conv 4; upsample 2; maxpool 2 }", "repeat 2 { conv 4 }"),
]
"""Lines, and what remains of them."""
WORKING = [
    "crop 1; pad 1",
    "pad 0..1; crop 1..0",
    "upsample 2 bilinear; maxpool 2",
    "upsample 2; maxpool 2 s2 pad=1",
    "upsample 2; maxpool 3 s2 pad=1",
    "upsample 2; maxpool 2 dropout=10%",
    "upsample 2 dropout=10%; avgpool 2",
    "upsample 2; tanh; maxpool 2",
    "maxpool 2; upsample 2",
    "upsample 4; maxpool 2; maxpool 2",
    "pixelshuffle 2 dropout=10%; pixelunshuffle 2",
    "pad 1 x2; crop 1 x2",
    "pad 1 as wide; crop 1",
    "upsample 2 as fine; maxpool 2; upsample 2; concat fine; maxpool 2",
    "repeat 2 { pixelunshuffle 2; conv 16; pixelshuffle 2 }",
]


def with_line(line: str) -> str:
    return SPEC.format(line=line)


def found(text: str) -> list[str]:
    return [text[slice(*finding.primary.span)] for finding in check(text) if finding.name == NAME]


@pytest.mark.parametrize(("lines", "left"), CANCELLING)
def test_two_lines_that_cancel_are_found_and_removed(lines: str, left: str) -> None:
    text = with_line(lines)
    assert len(found(text)) == 1
    fixed = fix_source(Source(text)).source.text
    assert fixed.split() == with_line(left).split()
    assert torch.equal(output(text), output(fixed))


@pytest.mark.parametrize("lines", WORKING)
def test_lines_with_an_effect_together_are_not(lines: str) -> None:
    assert found(with_line(lines)) == []


def test_a_number_with_a_name_may_have_another_value() -> None:
    assert found(with_line("pad side; crop 1").replace("input", "let side = 1\ninput")) == []


@pytest.mark.parametrize(
    ("option", "is_found"), [("", True), ("upsample=bilinear", False), ("upsample=unpool", False), ("skips=add", False)]
)
def test_the_mirror_of_two_lines_cancels_too_or_they_are_not_found(option: str, is_found: bool) -> None:
    text = with_line("upsample 2; maxpool 2; conv 4 k1 relu").replace(
        "decoder { upsample 2; conv 2 sigmoid }", f"decoder mirror {option}"
    )
    assert bool(found(text)) == is_found
    if is_found:
        assert torch.equal(output(text), output(fix_source(Source(text)).source.text))

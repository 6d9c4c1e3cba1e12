"""Words and numbers without the space between them are one finding whose fix keeps all of them."""

import pytest

from caedsl.diagnostics.edits import apply_edits
from tests.resolve.one_mistake.cases import errors, hold_one_finding, in_encoder, whole

NUMBERS = [
    ("convv", "`conv 32`"),
    ("conv 8k3", "`8 k3`"),
    ("conv 8k3s2relu", "`8 k3 s2 relu`"),
    ("conv 8k5x3", "`8 k5x3`"),
    ("conv 8 k3s1", "`k3 s1`"),
    ("conv 8 s1relu", "`s1 relu`"),
    ("maxpool 2s2", "`2 s2`"),
    ("dense 8relu", "`8 relu`"),
    ("conv8", "`conv 8`"),
    ("conv_8k3", "`conv 8 k3`"),
    ("conv1 8 k3", "`conv`"),
]
GLUED = [
    ("conv 8 convrelu", "conv 8 relu"),
    ("conv 8 relunorm=batch", "conv 8 relu norm=batch"),
    ("conv 8 relul2=1e-3", "conv 8 relu l2=1e-3"),
    ("conv 8 k3relus1", "conv 8 k3 relu s1"),
    ("conv 8 relux2", "conv 8 relu x2"),
    ("conv 8 relurelu", "conv 8 relu"),
    ("conv 8 norm=batchrelu", "conv 8 norm=batch relu"),
    ("conv 8 depthwiserelu", "conv 8 depthwise relu"),
    ("conv 8 k3 reluconv 8 k3", "conv 8 k3 relu; conv 8 k3"),
    ("convrelu 8", "conv 8 relu"),
    ("conv_relu 8 k3", "conv 8 k3 relu"),
    ("maxpool 2ceil; upsample 2", "maxpool 2 ceil; upsample 2"),
    ("upsample 2bilinear; maxpool 2", "upsample 2 bilinear; maxpool 2"),
    ("upsampleto 16x16; maxpool 2", "upsample to 16x16; maxpool 2"),
    ("residualrelu { conv 8 }", "residual relu { conv 8 }"),
    ("stagedown { conv 8 }", "stage down { conv 8 }"),
    ("dropout0.1", "dropout 0.1"),
    ("dropout10%", "dropout 10%"),
    ("conv 8 as fine; conv 8; concatfine", "conv 8 as fine; conv 8; concat fine"),
    ("residual { conv 8 } as fine; conv 8; concat fine", ""),
]
"""Words without the space between them, and the lines that they mean; empty if only a help says so."""


@pytest.mark.parametrize(("line", "shown"), NUMBERS)
def test_a_number_without_a_space_is_one_finding(line: str, shown: str) -> None:
    hold_one_finding(in_encoder(line), shown)


@pytest.mark.parametrize(("line", "meant"), GLUED)
def test_words_without_a_space_are_one_finding_whose_fix_keeps_all_of_them(line: str, meant: str) -> None:
    text = in_encoder(line).replace("decoder mirror", "decoder { upsample 2; conv 1 sigmoid }")
    (finding,) = errors(text)
    assert bool(finding.fix) == bool(meant)
    if finding.fix is not None:
        fixed = apply_edits(text, finding.fix.edits)
        assert fixed == text.replace(line, meant) and not errors(fixed)


@pytest.mark.parametrize(
    ("statement", "line", "meant"),
    [
        ("data", "datadigits", "data digits"),
        ("bottleneck", "bottleneckconv 2", "bottleneck conv 2"),
        ("decoder", "decodermirror", "decoder mirror"),
    ],
)
def test_a_statement_that_its_value_follows_without_a_space_is_one_error(statement: str, line: str, meant: str) -> None:
    text = whole(**{statement: line})
    (found,) = errors(text)
    assert found.fix is not None
    assert apply_edits(text, found.fix.edits) == whole(**{statement: meant})

"""Braces that are missing or in the wrong place, and lines that are joined or divided, are one finding."""

import pytest

from caedsl.diagnostics.edits import apply_edits
from tests.resolve.one_mistake.cases import errors, whole

IN_PLACE = [
    ("data", "data\n  mnist else digits", "`data mnist else digits`"),
    ("data", "data mnist else\n  digits limit=5", "`data mnist else digits limit=5`"),
    ("autoencoder", "autoencoder\n  volumes", "`autoencoder volumes`"),
    ("train", "train {\n  optimizer\n    adamw lr=3e-4\n  batch 8\n}", "`optimizer adamw lr=3e-4`"),
    ("train", "train {\n  loss # of the images\n    mse\n}", "`loss mse`"),
    ("train", "train {\n  schedule\n  batch 8\n}", "`schedule constant`"),
    ("encoder", "'block' half width { conv width s2 relu }\nencoder { half 8; half 4 }", '`"`'),
    ("train", "require { parameters < 1M }\ntrain batch 8\n}", "`train {`"),
    ("encoder", "encoder conv 8 s2\n  residual relu { conv 8 relu; conv 8 }\n}", "`encoder {`"),
    ("train", '"train" { loss mse; batch 8 }', "start with the word"),
    ("train", "(train) { loss mse; batch 8 }", "start with the word"),
    ("train", "{ loss mse; batch 8 }", "`encoder {`"),
    ("train", "\n{\n  loss mse\n  batch 8\n}", "`encoder {`"),
    ("encoder", "encoder conv 8 s2 relu; conv 4 relu }", "`encoder {`"),
    ("encoder", "encoder stage a { conv 8 s2 relu }; conv 4 }", "`encoder {`"),
    ("encoder", "encoder { stage a conv 8 s2 relu }; conv 4 }", "`stage a {`"),
    ("encoder", "encoder { repeat 2 conv 8 relu }; conv 8 s2 }", "`repeat 2 {`"),
    ("train", "train batch 8; epochs 2 }", "`train {`"),
    ("encoder", "encoder = [\n conv 8 s2 relu\n]", "`encoder {`"),
    ("encoder", "encoder = nn.Sequential(\n conv 8 s2 relu\n)", "`encoder {`"),
    ("train", "train { loss: binary_crossentropy }", "`loss bce`"),
    ("train", "train { optimizer = Adam(1e-3) }", "`optimizer adam lr=1e-3`"),
    ("encoder", "encoder { conv 8 s2 relu; {conv: 8} }", "`conv 8`"),
    ("encoder", "encoder {\n conv 8 s2 relu\n {conv: 8}\n}", "`conv 8`"),
    ("encoder", "encoder { conv 8 s2 relu; {conv: 8, kernel: 3} }", "`conv 8 k3`"),
    ("encoder", "encoder {\n conv {filters: 8, kernel_size: 3}\n maxpool 2\n}", "`conv 8 k3`"),
    ("encoder", "encoder { conv: {filters: 8}; maxpool 2 }", "`conv 8`"),
    ("encoder", "encoder { conv 8 {kernel: 3, activation: relu}; maxpool 2 }", "`conv 8 k3 relu`"),
    ("encoder", "encoder { conv 8 s2; residual { conv 8 } x2 }", "`repeat 2 { ... }`"),
    ("encoder", "encoder { conv 8 {}; maxpool 2 }", "remove the braces"),
    ("input", "input {shape: 1x16x16}", "remove the braces"),
    ("train", "train { optimizer {lr: 1e-3}; batch 8 }", "remove the braces"),
    ("train", "train { batch 8; bacth 16 }", "`batch`"),
    ("decoder", "decoder { mirror }", "`decoder mirror`"),
    ("decoder", "decoder { nn.Upsample(16); conv 1 sigmoid }", "`upsample to 16x16`"),
    ("encoder", "encoder { conv 8 s2 relu; globalpool 1; reshape 8x1x1 }", "delete `1`"),
    ("encoder", "encoder = { conv 8 k4 s2 relu }", "`encoder {`"),
    ("encoder", "encoder2 { conv 8 k4 s2 relu }", "`encoder`"),
    ("autoencoder", '"""my net"""\nautoencoder a', "`# my net`"),
    ("encoder", "encoder {\n  conv 8 s2 relu -- wide\n}", "`conv 8 s2 relu # wide`"),
    ("encoder", "-- the encoder\nencoder { conv 8 s2 relu }", "`# the encoder`"),
    ("train", "train:\n{\n  batch 8\n}", "by `{`"),
    ("train", "train with { batch 8 }", "delete `with`"),
    ("train", "train { batch 8 } epochs 3", "`epochs 3` inside the braces"),
    ("train", "train { batch 8 } lr=1e-3", "`optimizer adam lr=1e-3` inside the braces"),
    ("encoder", "encoder { conv 8 s2 relu } norm=batch", "`conv 16 norm=batch`"),
    ("decoder", "decoder { upsample 2; conv 1 } sigmoid", "`sigmoid` inside the braces"),
    ("decoder", "decoder { upsample 2; conv 1 } output=sigmoid", "`sigmoid` on the last line"),
    ("bottleneck", "bottleneck { conv 2 } beta=2", "inside the braces"),
]
"""Statements with braces, each in the place of another statement."""
WITHOUT_BRACES = [
    ("encoder", "encoder\n  conv 8 s2 relu", "`encoder {`"),
    ("encoder", "encoder # the encoder\n  conv 8 s2 relu # a\n\n  conv 4 relu # b", "`encoder {`"),
    ("encoder", "encoder\n  conv 8 s2 relu\n  conv 4 relu\n}", "`encoder {`"),
    ("encoder", "encoder:\n  conv 8 s2 relu\n  conv 4 relu", "replace the colon by `{`"),
    ("encoder", "encoder {\n  residual\n  conv 1 relu\n  conv 1\n  }\n  conv 8 s2\n}", "`residual {`"),
    ("encoder", "encoder {\n  repeat 2\n  conv 1 relu\n  }\n  conv 8 s2\n}", "`repeat 2 {`"),
    ("encoder", "encoder {\n  conv 8 s2\n  residual\n  conv 8 relu\n}", "`residual {"),
    ("bottleneck", "bottleneck\n  dense 8\n  relu", "`bottleneck {`"),
    ("decoder", "decoder\n  upsample 2\n  conv 1 sigmoid", "`decoder {`"),
    ("decoder", "decoder\n  upsample 2\n  conv 1 sigmoid\n}", "`decoder {`"),
    ("train", "train\n  batch 8\n  epochs 3", "`train {`"),
    ("train", "require\n  parameters < 1M", "`require {`"),
    ("train", "sweep\n  train.batch 8 16", "`sweep {`"),
    ("train", "sweep\n  train.batch 8 16\n}", "`sweep {`"),
    ("encoder", "block down width\n  conv width s2\nencoder { down 8 }", "`block down width {`"),
    ("encoder", "block down width\n  conv width s2\n}\nencoder { down 8 }", "`block down width {`"),
]


@pytest.mark.parametrize(("statement", "line", "shown"), IN_PLACE)
def test_a_block_in_other_words_is_one_finding(statement: str, line: str, shown: str) -> None:
    (finding,) = errors(whole(**{statement: line}))
    assert shown in finding.help


@pytest.mark.parametrize(("statement", "lines", "shown"), WITHOUT_BRACES)
def test_a_block_without_braces_is_one_finding_and_its_lines_are_read(statement: str, lines: str, shown: str) -> None:
    (finding,) = errors(whole(**{statement: lines}))
    assert shown in finding.help
    if finding.fix is not None:
        assert not errors(apply_edits(whole(**{statement: lines}), finding.fix.edits))


@pytest.mark.parametrize("lines", ["encodr\n  conv 8 s2 relu\n  conv 4", "encoder\n  conv 8 s2 relu\n  cnov 4"])
def test_a_second_mistake_in_a_block_without_braces_is_a_second_finding(lines: str) -> None:
    assert len(errors(whole(encoder=lines))) == 2


def test_a_brace_that_closes_nothing_is_still_one() -> None:
    (finding,) = errors(whole(encoder="encoder { conv 8 s2 relu } }"))
    assert "closes nothing" in finding.message


@pytest.mark.parametrize(
    ("lines", "other"),
    [
        ("bottleneck dense 8 decoder mirror", "; decoder mirror"),
        ("bottleneck decoder mirror", "bottleneck; decoder mirror"),
        ("bottleneck conv 2 decoder { upsample 2; conv 1 sigmoid }", "conv 2; decoder {"),
    ],
)
def test_statements_on_one_line_are_read_after_one_finding(lines: str, other: str) -> None:
    text = whole(bottleneck=lines, decoder="")
    (finding,) = errors(text)
    assert finding.fix is not None
    fixed = apply_edits(text, finding.fix.edits)
    assert other in fixed and not errors(fixed)

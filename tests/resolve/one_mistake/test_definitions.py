"""A constant, a block or another statement that is not written as it should be is one finding."""

import pytest

from caedsl.diagnostics.edits import apply_edits
from tests.resolve.one_mistake.cases import beside_the_others, errors, whole

LINES = [
    ("let w", "let w = 32"),
    ("let w 5", "let w = 5"),
    ("let size = 3x3", "where it is used"),
    ("block", "block NAME {"),
    ('allow\n overcomplete "why"', 'allow overcomplete "why"'),
    ("mirror", "decoder mirror"),
    ("let s2 = 5", "my_s2"),
    ("block down width k 4 {\n  conv width k=k\n}", "`k=4`"),
    ("block down width=None k=4 {\n  conv width k=k\n}", "`width` alone"),
    ("block down<width> {\n  conv width\n}", "`width`"),
    ("block down-sample width {\n  conv width\n}", "`block down_sample { ... }`"),
    ('import "base.cae"', '`autoencoder NAME extends "base.cae"`'),
    ("let range = 0..1", "where it is used"),
    ("encoder2 { conv 8 }", "has its `encoder` already"),
    ("Decoder { conv 8 }", "has its `decoder` already"),
    ("epochs 10", "`train { epochs 10 }`"),
    ("lr 1e-4", "`train { optimizer adam lr=1e-4 }`"),
]
IN_PLACE = [
    ("encoder", "let width = -8\nencoder { conv width s2; conv width; conv width }", ""),
    ("encoder", "defaults conv k5 leaky_relu 0.01 init=glorot\nencoder { conv 8 s2 }", "`leaky_relu=0.01`"),
    ("encoder", "let width =\nencoder { conv width s2 }", "after the `=`"),
    ("encoder", "block (half) width { conv width s2 }\nencoder { half 8; half 4 }", "`block down width"),
    ("encoder", "'block' half width { conv width s2 relu }\nencoder { half 8; half 4 }", '`"`'),
    ("encoder", "block half: width { conv width s2 relu }\nencoder { half 8; half 4 }", "`block half width {`"),
    ("data", "defaults conv l2=1e-6 defaults dense l2=1e-6", "`;` before `defaults`"),
]
"""Definitions in the place of the encoder or another statement."""
CONSTANTS = [
    ("letwidth = 8", "`let width = 8`"),
    ("let_width = 8", "`let width = 8`"),
    ("let\n  width = 8", "`let width = 8`"),
    ("let # of the encoder\n  width = 8", "on one line"),
    ("let width\n  = 8", "`let width = 8`"),
    ("let width =\n  8", "`let width = 8`"),
    ("let width =\n  4 +\n  4", "`let width = 4 + 4`"),
    ("width = 8", "`let width = 8`"),
    ("width: 8", "`let width = 8`"),
    ("width 8", "`let width = 8`"),
    ("const width = 8", "`let width = 8`"),
    ("let width := 8", "`let width = 8`"),
    ("let width be 8", "`let width = 8`"),
    ("let width = 8 channels", "`let width = 8`"),
    ("let { width = 8 }", "without braces"),
    ("let {\n  width = 8\n}", "without braces"),
    ("let width = 8, depth = 2", "`let width = 8; let depth = 2`"),
    ("let width = 8 depth = 2", "`let width = 8; let depth = 2`"),
]
"""Definitions of the constant of an encoder."""
BLOCKS = [
    "blocks half width { conv width s2 relu }",
    "blocks\nhalf width { conv width s2 relu }",
    "blocks { half width { conv width s2 relu } }",
    "block {\n  half width { conv width s2 relu }\n}",
    "half width { conv width s2 relu }",
    "def half width { conv width s2 relu }",
]
"""Definitions of the block of an encoder."""


@pytest.mark.parametrize(("line", "shown"), LINES)
def test_a_statement_beside_the_others_gives_one_finding(line: str, shown: str) -> None:
    text = beside_the_others(line)
    for name, used in {"s2": ("conv 8", "conv s2"), "range": ("1x16x16", "1x16x16 in range")}.items():
        text = text.replace(*used) if line.startswith(f"let {name} ") else text
    found = errors(text)
    assert len(found) == 1, [finding.message for finding in found]
    assert shown in found[0].help


@pytest.mark.parametrize(("statement", "line", "shown"), IN_PLACE)
def test_a_definition_in_other_words_is_one_finding(statement: str, line: str, shown: str) -> None:
    (finding,) = errors(whole(**{statement: line}))
    assert shown in finding.help


@pytest.mark.parametrize(("line", "shown"), CONSTANTS)
def test_a_constant_that_is_not_defined_as_it_should_be_is_one_finding(line: str, shown: str) -> None:
    text = whole(data=f"data digits\n{line}", encoder="encoder { conv width s2 relu; repeat 1 { conv 8 } }")
    (finding,) = errors(text.replace("repeat 1", "repeat depth") if "depth" in line else text)
    assert shown in finding.help
    if finding.fix is not None:
        assert not errors(apply_edits(text, finding.fix.edits))


@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_that_is_not_defined_as_it_should_be_is_one_finding(block: str) -> None:
    (finding,) = errors(whole(data=f"data digits\n{block}", encoder="encoder { half 8; half 4 }"))
    assert "`block half width { ... }`" in finding.help or finding.help == "did you mean `block`?"


@pytest.mark.parametrize("written", ["(width, s=2)", " (width, s=2)", "(width s=2)", "(width,s = 2)"])
def test_parameters_in_parentheses_are_reported_once_and_their_uses_are_read(written: str) -> None:
    text = f"block down{written} {{ conv width k4 s=s relu }}\nencoder {{ down 8; down 4 s=1 }}"
    (finding,) = errors(f"autoencoder a\ninput 1x8x8\n{text}\nbottleneck\ndecoder mirror")
    assert finding.help.replace(" = ", "=") == "write `block down width s=2 {`"


def test_a_second_value_of_a_block_gets_the_name_of_its_parameter() -> None:
    text = "block down width factor { conv width k4 s=factor relu }\nencoder { down 8 2 }"
    (finding,) = errors(f"autoencoder a\ninput 1x8x8\n{text}\nbottleneck\ndecoder mirror")
    assert finding.help == "write `factor=2`"


def test_a_parenthesised_parameter_is_reported_once_and_its_uses_are_read() -> None:
    block = "block down(width) { conv width k4 s2 relu }"
    text = whole(data=f"data digits\n{block}", encoder="encoder { down(8); down(4) }")
    (finding,) = errors(text)
    assert "`block down width { ... }`" in finding.help
    assert not errors(text.replace("down(width)", "down width"))


def test_a_block_whose_name_is_misspelt_is_one_error() -> None:
    text = whole(data="data digits\nblock hlaf width { conv width s2 relu }", encoder="encoder { half 8; half 4 }")
    (found,) = errors(text)
    assert found.help == "did you mean `hlaf`?"


@pytest.mark.parametrize(
    ("block", "written"),
    [("blockhalf width {", "block half"), ("block\n half width {", "block half width { … }")],
)
def test_a_block_whose_name_is_glued_or_on_the_next_line_is_one_error(block: str, written: str) -> None:
    text = whole(data=f"data digits\n{block} conv width s2 relu }}", encoder="encoder { half 8; half 4 }")
    (found,) = errors(text)
    assert found.help == f"write `{written}`"
    assert found.fix is not None
    assert not errors(apply_edits(text, found.fix.edits))

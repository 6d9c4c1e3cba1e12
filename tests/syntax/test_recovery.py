"""An error costs its own statement and no other."""

import pytest

from caedsl.source import Source
from caedsl.syntax.limits import MAX_FINDINGS
from caedsl.syntax.parser import parse
from caedsl.syntax.printer import print_head

FOUR_ERRORS = """\
autoencoder broken
input 1x28x28 in 0..
data digits

encoder {
  conv 16 k3, relu
  maxpool 2
  conv 8 kernel=
}

bottleneck dense 32
decoder mirror

train {
  loss (mse
  batch 128
}
"""


def test_four_errors_give_four_findings_and_every_other_statement_survives() -> None:
    source = Source(FOUR_ERRORS)
    spec, findings = parse(source)
    assert [source.position(finding.primary.span.start).line for finding in findings] == [2, 6, 8, 15]
    assert [(print_head(statement), statement.broken) for statement in spec.walk()] == [
        ("autoencoder broken", False),
        ("input 1x28x28 in", True),
        ("data digits", False),
        ("encoder", False),
        ("conv 16 k3 relu", False),
        ("maxpool 2", False),
        ("conv 8", True),
        ("bottleneck dense 32", False),
        ("decoder mirror", False),
        ("train", False),
        ("loss", True),
        ("batch 128", False),
    ]
    assert not spec.complete


def test_a_cured_statement_keeps_the_places_of_the_text() -> None:
    text = "conv 64, k3,relu kernel: 5"
    text = text.replace(": ", "=")
    (statement,) = parse(Source(text))[0].statements
    assert [text[slice(*item.span)] for item in statement.items] == ["64", "k3", "relu", "kernel=5"]
    text = "input [1, 28, 28] in 0..1"
    (statement,) = parse(Source(text))[0].statements
    assert [text[slice(*item.span)] for item in statement.items] == ["[1, 28, 28]", "in", "0..1"]


def test_a_forgotten_brace_is_found_by_the_indent() -> None:
    text = "encoder {\n  stage a {\n    conv 8\n  maxpool 2\n}\n\ndecoder {\n  conv 1\n}\n"
    spec, (finding,) = parse(Source(text))
    assert Source(text).position(finding.primary.span.start) == (2, 11)
    encoder, decoder = spec.statements
    assert [child.head.text for child in encoder.block or ()] == ["stage", "maxpool"]
    assert [child.head.text for child in decoder.block or ()] == ["conv"]


def test_without_indents_a_forgotten_brace_is_one_finding() -> None:
    spec, (finding,) = parse(Source("encoder {\nconv 8\nbottleneck\ndecoder {\nconv 1\n}\n"))
    assert finding.message == "this `{` is never closed"
    assert [statement.head.text for statement in spec.walk()] == ["encoder", "conv", "bottleneck", "decoder", "conv"]


@pytest.mark.parametrize(
    "text",
    ["{" * 10_000, "a {" * 10_000, "a {\n" * 10_000, "conv " + "(" * 10_000, "let a = " + "1+" * 10_000 + "1"],
    ids=["braces", "blocks", "lines", "parentheses", "operators"],
)
def test_what_is_nested_too_deeply_is_one_finding(text: str) -> None:
    _, findings = parse(Source(text))
    assert [finding.name for finding in findings] == ["nested-too-deeply"]


def test_the_deepest_nesting_that_is_allowed() -> None:
    blocks = "a {\n" * 32 + "}\n" * 32
    assert parse(Source(blocks))[1] == ()
    assert [finding.name for finding in parse(Source(f"a {{\n{blocks}}}"))[1]] == ["nested-too-deeply"]
    parentheses = f"{'(' * 32}1{')' * 32}"
    assert parse(Source(f"a {parentheses}"))[1] == ()
    assert [finding.name for finding in parse(Source(f"a ({parentheses})"))[1]] == ["nested-too-deeply"]
    assert parse(Source("a " + "1 + " * 100 + "1"))[1] == ()
    assert [finding.name for finding in parse(Source("a " + "1 + " * 101 + "1"))[1]] == ["nested-too-deeply"]


def test_many_blocks_side_by_side_are_no_nesting() -> None:
    spec, findings = parse(Source("a {\n  b (1)\n}\n" * 100))
    assert not findings
    assert spec.complete
    assert len(spec.statements) == 100


def test_after_twenty_findings_the_rest_is_counted() -> None:
    _, findings = parse(Source("conv: 1\n" * 25))
    assert len(findings) == MAX_FINDINGS + 1
    assert findings[-1].message == "5 more syntax errors are not shown"
    _, findings = parse(Source("conv: 1\n" * 20))
    assert len(findings) == MAX_FINDINGS


@pytest.mark.parametrize("text", ["\x00\x01\x02", "PK\x03\x04\x05\x06\x07\x08", "autoencoder a\0\n{{{"])
def test_binary_content_is_one_finding(text: str) -> None:
    spec, findings = parse(Source(text))
    assert [finding.name for finding in findings] == ["not-text"]
    assert spec.statements == ()


def test_a_string_left_open_takes_no_brace_of_its_line_along() -> None:
    spec, findings = parse(Source('data { folder "photos }\nencoder { conv 8 }\n'))
    assert [finding.name for finding in findings] == ["unclosed-string"]
    assert [statement.head.text for statement in spec.statements] == ["data", "encoder"]


def test_statements_in_a_foreign_comment_are_no_statements() -> None:
    spec, findings = parse(Source("// encoder { ; x\n/* conv 8 {\n } */\nconv 16\n"))
    assert len(findings) == 2
    assert [print_head(statement) for statement in spec.statements] == ["conv 16"]


def test_a_brace_forgotten_at_the_end_of_a_line_costs_no_other_line() -> None:
    text = "autoencoder a\nencoder { conv 8 relu; maxpool 2\nbottleneck dense 4\ndecoder mirror\ntrain { loss mse }\n"
    spec, findings = parse(Source(text))
    assert [finding.name for finding in findings] == ["unbalanced-braces"]
    words = ["autoencoder", "encoder", "bottleneck", "decoder", "train"]
    assert [statement.head.text for statement in spec.statements] == words

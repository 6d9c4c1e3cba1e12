"""Blocks with parameters: used as layers, checked once, and bounded."""

import time

import pytest

from caedsl.api import check, load
from caedsl.diagnostics.finding import Finding, Severity
from caedsl.resolve.merging.merge import merge
from caedsl.rules.engine.fixing import fix_source
from caedsl.source import Source
from caedsl.syntax.formatter import format_source
from caedsl.syntax.parser import parse
from caedsl.vocabulary.spelling import line


def spec(blocks: str, encoder: str, decoder: str = "mirror") -> str:
    return f"autoencoder a\ninput 1x32x32\n{blocks}\nencoder {{ {encoder} }}\nbottleneck\ndecoder {decoder}\n"


def errors(text: str) -> list[Finding]:
    return [finding for finding in check(text) if finding.severity is Severity.ERROR]


def encoder_lines(text: str) -> list[str]:
    return [line(layer) for layer in load(text).encoder]


DOWN = "block down width k=3 { conv width kernel relu; conv width s2 relu }".replace("kernel", "k=k")


def test_a_block_stands_for_its_layers() -> None:
    assert encoder_lines(spec(DOWN, "down 8; down 16 k=5")) == [
        "conv 8 relu",
        "conv 8 s2 relu",
        "conv 16 k5 relu",
        "conv 16 s2 relu",
    ]
    assert encoder_lines(spec(DOWN, "down 8 k5 x2"))[2:] == ["conv 8 k5 relu", "conv 8 s2 relu"]
    assert load(spec(DOWN, "down 8")).out_shape == (1, 32, 32)


def test_arguments_are_numbers_and_constants() -> None:
    text = spec("let w = 4\nblock d width drop=0.1 { conv width*2 s2 dropout=drop }", "d w; d w + 2 drop=0.25")
    assert encoder_lines(text) == ["conv 8 s2 dropout=10%", "conv 12 s2 dropout=25%"]


def test_blocks_use_the_blocks_above_them() -> None:
    blocks = "block unit width { conv width relu }\nblock down width { unit width x2; maxpool 2 }"
    assert encoder_lines(spec(blocks, "down 4")) == ["conv 4 relu", "conv 4 relu", "maxpool 2"]


@pytest.mark.parametrize(
    ("blocks", "encoder", "message"),
    [
        ("block d width { conv width; d width }", "d 8", "uses itself"),
        ("block a { b }\nblock b { conv 8 }", "a; b", "cannot be used here"),
        (DOWN, "down", "`down` needs `width`"),
        (DOWN, "down 8 16", "`16` is one too many"),
        (DOWN, "down 8 depth=3", 'unknown option "depth"'),
        (DOWN, "donw 8", 'unknown layer "donw"'),
        (DOWN, "down 8 { conv 4 }", "takes no block"),
        ("block down width { cnov width }", "down 8; down 16; down 8", 'unknown layer "cnov"'),
        ("block down width { conv wdith s2 }", "down 8", "`wdith` is not a number"),
        ("block conv width { deconv width }", "conv 8", "`conv` is a word of the language"),
        ("block d relu { deconv 8 }", "d 8", "`relu` is a word of the language"),
        (f"{DOWN}\n{DOWN}", "down 8", "is defined twice"),
        ("block", "conv 8", "needs a"),
        ("block d { }", "conv 8", "has no layers"),
        ("block d width { }", "d 8; d 16", "has no layers"),
        ("block d width width { conv width }", "d 8", "has two parameters `width`"),
        ("block d width width=3 { conv width }", "d 8", "has two parameters `width`"),
        ("block d 8 { conv 8 }", "d", "is not a parameter"),
        ("block d width { dense width; conv 8 }", "d 8", "needs a feature map"),
    ],
)
def test_one_mistake_gives_one_finding(blocks: str, encoder: str, message: str) -> None:
    found = errors(spec(blocks, encoder))
    assert len(found) == 1, [finding.message for finding in found]
    assert message in found[0].message


def test_a_finding_points_at_the_definition_and_names_the_use() -> None:
    for block in ("block d width { dense width; conv 8 }", "block d width { cnov width }"):
        text = spec(block, "conv 4; d 8")
        (finding,) = errors(text)
        assert finding.primary.span.start < text.index("\nencoder")
        assert [(text[slice(*label.span)], label.text) for label in finding.related] == [("d 8", "used here")]


def test_what_is_never_used_is_found() -> None:
    names = [finding.name for finding in check(spec("block d width k=3 { conv width s2 }", "d 8; conv 4"))]
    assert "unused-constant" in names
    assert "unused-block" in [finding.name for finding in check(spec(DOWN, "conv 8 s2"))]


def test_blocks_in_blocks_are_bounded() -> None:
    blocks = ["block b0 w { conv w }"]
    blocks += [f"block b{i} w {{ b{i - 1} w; b{i - 1} w + 1 }}" for i in range(1, 25)]
    start = time.process_time()
    found = errors(spec("\n".join(blocks), "b24 4"))
    assert time.process_time() - start < 20
    assert [finding.name for finding in found] == ["too-many-layers"]


def test_a_block_keeps_its_meaning_when_it_is_formatted() -> None:
    text, findings = format_source(Source(spec(DOWN, "down 8 k=5 x2")))
    assert text is not None
    assert not findings
    assert encoder_lines(text) == encoder_lines(spec(DOWN, "down 8 k=5 x2"))


def test_blocks_are_merged_by_their_names() -> None:
    base, _ = parse(Source("block a w { conv w }\nblock b { conv 8 }"))
    changes, _ = parse(Source("block b { conv 16 }"))
    merged = merge(base, changes)
    assert [len(merged.statements), merged.statements[0] == base.statements[0]] == [2, True]
    assert merged.statements[1] == changes.statements[0]


def test_a_long_chain_of_blocks_is_one_finding() -> None:
    nested = "{ stage s " * 20
    chain = [f"block b{i} {nested}{{ b{i - 1} }}{' }' * 20}" for i in range(1, 100)]
    assert [f.name for f in errors(spec("\n".join(["block b0 { conv 8 }", *chain]), "b99"))] == ["nested-too-deeply"]
    long = [f"block b{i} {{ b{i - 1} }}" for i in range(1, 3000)]
    assert [f.name for f in errors(spec("\n".join(["block b0 { conv 8 }", *long]), "b2999"))] == ["nested-too-deeply"]


@pytest.mark.parametrize(
    ("blocks", "encoder", "left"),
    [
        ("block gone width {\n  conv width\n}\n" + DOWN, "down 8 k5", DOWN),
        ("block gone width { conv width }; " + DOWN, "down 8 k5", DOWN),
        ("block d width k=3 { conv width }", "d 8", "block d width { conv width }"),
        ("block d width k=3 { conv width }", "d 8 k=5", "block d width k=3 { conv width }"),
        ("block d width { conv 8 s2 }", "d 8", "block d width { conv 8 s2 }"),
    ],
)
def test_what_no_line_uses_is_removed_unless_a_use_gives_it(blocks: str, encoder: str, left: str) -> None:
    fixed = fix_source(Source(spec(blocks, encoder))).checked.source.text
    assert fixed == spec(left, encoder)

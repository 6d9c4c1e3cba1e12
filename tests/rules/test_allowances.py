"""Allowances belong to statements, whatever the line breaks and the strings."""

import pytest

from caedsl.diagnostics import Finding
from caedsl.rules.engine.checking import check_source
from caedsl.rules.engine.fixing import fix_source
from caedsl.source import Source
from caedsl.syntax.formatter import format_source

SPEC = """\
autoencoder a
input 1x28x28 in 0..1
data mnist
encoder {{ {encoder} }}{behind}
{above}
bottleneck{beside}
decoder mirror
"""
WIDE = "conv 16 relu; maxpool 2"


def findings(text: str) -> tuple[Finding, ...]:
    return check_source(Source(text)).findings


def names(text: str) -> list[str]:
    return sorted(finding.name for finding in findings(text))


def spec(encoder: str = WIDE, behind: str = "", above: str = "", beside: str = "") -> str:
    return SPEC.format(encoder=encoder, behind=behind, above=above, beside=beside)


COMMENT = "# cae: allow[overcomplete] it is a study"


def test_the_finding_is_there() -> None:
    assert "overcomplete" in names(spec())


@pytest.mark.parametrize("written", [{"beside": f"  {COMMENT}"}, {"above": COMMENT}])
def test_a_comment_behind_or_above_a_statement_allows(written: dict[str, str]) -> None:
    assert not {"overcomplete", "unused-allowance"} & set(names(spec(**written)))


@pytest.mark.parametrize("written", [{"behind": f" {COMMENT}"}, {"encoder": f"conv 16 relu {COMMENT}\nmaxpool 2"}])
def test_a_comment_at_another_statement_does_not(written: dict[str, str]) -> None:
    assert {"overcomplete", "unused-allowance"} <= set(names(spec(**written)))


def test_a_comment_behind_a_block_allows_inside_it() -> None:
    pool = "conv 8 k4 s4 relu; maxpool 2; conv 16 relu"
    assert "cut-by-pooling" in names(spec(pool))
    allowed = spec(pool, behind=" # cae: allow[cut-by-pooling] the border is empty")
    assert not {"cut-by-pooling", "unused-allowance"} & set(names(allowed))
    broken = allowed.replace("{ ", "{\n").replace("; ", "\n").replace(" }", "\n}")
    assert names(broken) == names(allowed)


def test_an_allowance_inside_a_string_has_no_effect() -> None:
    text = spec().replace("data mnist", 'data folder "# cae: allow[overcomplete] x"')
    assert "overcomplete" in names(text)


@pytest.mark.parametrize(
    "encoder",
    [
        "conv 8 s2 relu; conv 8 s2 rellu; conv 16 s2 sigmoid; conv 8 sigmoid",
        "conv 8 k4 s4 relu; maxpool 2; cnov 8; conv 8 sigmoid",
        "conv 16 relu norm=batch; conv 16 relu bias=on norm=batch; maxpool 2 x; conv 4",
    ],
)
def test_findings_do_not_depend_on_line_breaks(encoder: str) -> None:
    together = spec(encoder)
    assert names(together) == names(spec(encoder.replace("; ", "\n")))


@pytest.mark.parametrize("place", ["behind", "above", "beside"])
def test_formatting_keeps_what_a_comment_allows(place: str) -> None:
    text = spec(WIDE + "; conv 8 relu" * 12 + "; conv 4 k9 g1 relu pad=same init=he bias=on", **{place: f" {COMMENT}"})
    formatted, _ = format_source(Source(text))
    assert formatted is not None
    assert names(formatted) == names(text)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (spec(behind=" # cae: allow[cut-by-pooling] no"), spec()),
        (spec(above="# cae: allow[cut-by-pooling] no").replace("\n\n", "\n"), spec().replace("\n\n", "\n")),
        (spec() + 'allow cut-by-pooling "no"\n', spec()),
        (
            spec(beside=" # cae: allow[overcomplete, cut-by-pooling] a study"),
            spec(beside=" # cae: allow[overcomplete] a study"),
        ),
    ],
)
def test_an_unused_allowance_is_removed(text: str, left: str) -> None:
    assert fix_source(Source(text)).checked.source.text == left


def test_an_allowance_in_the_wrong_statement_names_the_right_one_and_is_not_removed() -> None:
    text = spec(behind=f" {COMMENT}")
    (unused,) = (finding for finding in findings(text) if finding.name == "unused-allowance")
    assert text[slice(*unused.related[0].span)].startswith("bottleneck")
    assert unused.fix is None and "move the comment" in unused.help
    assert COMMENT in fix_source(Source(text)).source.text


@pytest.mark.parametrize(
    ("comment", "shown"),
    [
        ("# CAE: allow[overcomplete] a study", "cae: allow"),
        ("# cae: disable=overcomplete", "cae: allow"),
        ("# cae: allow(overcomplete) a study", "# cae: allow[overcomplete] a study"),
    ],
)
def test_an_allowance_in_another_notation_is_reported(comment: str, shown: str) -> None:
    (finding,) = (each for each in findings(spec(beside=f" {comment}")) if each.name == "allowance-without-reason")
    assert shown in finding.help


def test_another_word_than_allow_is_reported_and_fixed() -> None:
    ignored = spec(beside=f"  {COMMENT.replace('allow', 'ignore')}")
    assert "allowance-without-reason" in names(ignored)
    assert COMMENT in fix_source(Source(ignored)).source.text
    assert names(spec(beside="  # cae: see the paper [3]")) == names(spec())


def test_the_code_of_a_rule_leads_to_its_name() -> None:
    text = spec(beside="  # cae: allow[CAE302] it is a study")
    (unknown,) = (finding for finding in findings(text) if finding.name == "unknown-rule")
    assert "`overcomplete`" in unknown.help


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (spec(beside=f" {COMMENT}", above=COMMENT), spec(above=COMMENT)),
        (
            spec(beside=" # cae: allow[overcomplete, overcomplete] a study"),
            spec(beside=" # cae: allow[overcomplete] a study"),
        ),
        (spec(above='allow overcomplete "a"\nallow overcomplete "b"'), spec(above='allow overcomplete "a"')),
        (spec(above='allow overcomplete "a"', beside=f" {COMMENT}"), spec(above='allow overcomplete "a"')),
    ],
)
def test_a_second_allowance_of_the_same_finding_is_removed(text: str, left: str) -> None:
    (finding,) = (finding for finding in findings(text) if finding.name == "unused-allowance")
    assert finding.message == "`overcomplete` is already allowed"
    assert [label.text for label in finding.related] == ["already allowed by this"]
    assert fix_source(Source(text)).source.text == left


@pytest.mark.parametrize(
    "allowance",
    [
        "# cae: allow[overcomplete]",
        "# cae: allow(overcomplete) it is a study",
        "# cae: allow=overcomplete it is a study",
        "# cae: allow[overcomplet] it is a study",
        "# cae: ignore[overcomplete] it is a study",
        "# CAE: allow[overcomplete] it is a study",
        "allow overcomplete",
        "allow overcomplete it is a study",
        'allow overcomplet "it is a study"',
        'allow "it is a study" overcomplete',
        'allow CAE302 "it is a study"',
    ],
)
def test_a_mistake_in_an_allowance_is_the_only_finding(allowance: str) -> None:
    others = [name for name in names(spec()) if name != "overcomplete"]
    found = findings(spec(above=allowance))
    about = [each for each in found if each.name in ("allowance-without-reason", "unknown-rule")]
    assert sorted(each.name for each in found) == sorted([*others, *(each.name for each in about)])
    assert len(about) == 1


def test_a_reason_before_the_name_is_kept_in_the_remedy() -> None:
    (about,) = (each for each in findings(spec(above='allow "a study" overcomplete')) if "allow" in each.name)
    assert about.help == 'write `allow overcomplete "a study"`'


def test_a_name_that_resembles_none_allows_nothing() -> None:
    assert {"overcomplete", "unknown-rule"} <= set(names(spec(above='allow flying "it"')))

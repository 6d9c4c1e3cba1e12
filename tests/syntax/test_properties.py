"""Properties of every tree, every layout and every text."""

from hypothesis import given
from hypothesis import strategies as st
from lark.exceptions import UnexpectedInput

from caedsl.diagnostics.edits import apply_edits
from caedsl.diagnostics.finding import Applicability
from caedsl.source import Source
from caedsl.syntax import tree
from caedsl.syntax.formatter import format_source
from caedsl.syntax.limits import MAX_FINDINGS
from caedsl.syntax.parser import automaton, grammar, parse
from caedsl.syntax.printer import print_spec
from caedsl.syntax.recovery import recover
from caedsl.syntax.spelling import canonical_spec
from tests.strategies import layouts, specs

_TOKENS = [
    *["conv", "k3", "encoder", "train", "64", "1x28x28", ".5", "5.", "1E-3", "0..1", "=", "..", "+", "-", "*", "/"],
    *["{", "}", "(", ")", ";", "\n", "\r\n", "\r", " ", "  ", "\t", '"', '"a b"', "#", "# fmt: off", "//", "/*", "*/"],
    *[",", ":", "[", "]", "->", "==", "<", ">=", "×", "–", "“", "'", "\u00a0", "\ufeff", "é", "@", "\x07", "9" * 50],
]
soups = st.lists(st.sampled_from(_TOKENS), max_size=30).map("".join)
code_points = st.lists(st.integers(0, 0x10FFFF).map(chr), max_size=30).map("".join)
any_texts = soups | code_points | st.binary().map(lambda data: data.decode("latin-1"))


def _comments(text: str) -> list[str]:
    """Return the comments of a formatted text, found independently of the formatter."""
    found = []
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        in_string = False
        for place, character in enumerate(line):
            in_string ^= character == '"'
            if character == "#" and not in_string:
                found.append(line[place:].rstrip(" \t"))
                break
    return found


@given(specs())
def test_parsing_a_printed_tree_gives_the_tree(spec: tree.Spec) -> None:
    assert parse(Source(print_spec(spec))) == (spec, ())


@given(specs())
def test_reading_statement_by_statement_gives_the_same_tree_where_nothing_is_wrong(spec: tree.Spec) -> None:
    assert recover(print_spec(spec), automaton()) == (spec, ())


@given(st.data(), specs())
def test_layout_has_no_meaning(data: st.DataObject, spec: tree.Spec) -> None:
    text, _ = data.draw(layouts(spec))
    assert parse(Source(text)) == (spec, ())


@given(st.data(), specs())
def test_formatting_keeps_meaning_and_comments_and_is_stable(data: st.DataObject, spec: tree.Spec) -> None:
    text, comments = data.draw(layouts(spec))
    formatted, findings = format_source(Source(text))
    assert not findings
    assert formatted is not None
    assert canonical_spec(parse(Source(formatted))[0]) == canonical_spec(spec)
    assert _comments(formatted) == comments
    assert format_source(Source(formatted)) == (formatted, ())
    assert not formatted or formatted.endswith(("\n", "\r"))


@given(specs())
def test_a_printed_canonical_tree_is_formatted_already(spec: tree.Spec) -> None:
    text = print_spec(canonical_spec(spec))
    assert format_source(Source(text)) == (text, ())


@given(any_texts)
def test_no_text_raises_and_findings_lie_in_it(text: str) -> None:
    spec, findings = parse(Source(text))
    assert spec.complete == (not findings)
    assert len(findings) <= MAX_FINDINGS + 1
    for finding in findings:
        assert finding.message
        assert finding.help
        assert all(
            0 <= label.span.start <= label.span.end <= len(text) for label in (finding.primary, *finding.related)
        )
    for statement in spec.walk():
        assert text[slice(*statement.head.span)] == statement.head.text or findings


@given(any_texts)
def test_there_are_findings_exactly_where_the_grammar_does_not_fit(text: str) -> None:
    if "\0" in text or text.startswith("\ufeff"):
        return
    try:
        grammar().parse(text, start="spec")
        fits = True
    except UnexpectedInput:
        fits = False
    _, findings = parse(Source(text))
    assert fits == (not findings) or findings[0].name == "not-text"


@given(any_texts)
def test_what_has_errors_is_not_formatted(text: str) -> None:
    _, findings = parse(Source(text))
    formatted, reported = format_source(Source(text))
    assert reported == findings
    assert (formatted is None) == bool(findings)


@given(soups)
def test_a_safe_fix_cures_its_finding(text: str) -> None:
    _, findings = parse(Source(text))
    for finding in findings if len(findings) <= MAX_FINDINGS else ():
        if finding.fix:
            assert finding.fix.applicability is Applicability.SAFE
            _, remaining = parse(Source(apply_edits(text, finding.fix.edits)))
            assert len(remaining) < len(findings)

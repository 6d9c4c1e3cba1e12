"""The tree of a text, its places, and the grammar's cache."""

from pathlib import Path

import lark
import pytest

from caedsl.source import Source
from caedsl.syntax import parser
from caedsl.syntax.tree import Divisor, Group, Negative, Number, Operation, Option, Range, Sign, Size, Text, Word
from tests.conftest import ROOT
from tests.strategies import NOWHERE


def _items(text: str) -> tuple[object, ...]:
    spec, findings = parser.parse(Source(text))
    assert not findings
    (statement,) = spec.statements
    return statement.items


def word(text: str) -> Word:
    return Word(text, NOWHERE)


def number(text: str) -> Number:
    return Number(text, NOWHERE)


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("input 1x28x28 in 0..1", (Size((1, 28, 28), NOWHERE), word("in"), Range(number("0"), number("1"), NOWHERE))),
        ("in -1..1", (Range(Negative(number("1"), NOWHERE), number("1"), NOWHERE),)),
        ("in 2x3..4", (Range(Size((2, 3), NOWHERE), number("4"), NOWHERE),)),
        ("a -1", (Negative(number("1"), NOWHERE),)),
        ("x a -1", (word("a"), Negative(number("1"), NOWHERE))),
        ("x a - 1", (Operation("-", word("a"), number("1"), NOWHERE),)),
        ("x a-1", (Operation("-", word("a"), number("1"), NOWHERE),)),
        ("x 1+2*3", (Operation("+", number("1"), Operation("*", number("2"), number("3"), NOWHERE), NOWHERE),)),
        ("x (1)*2", (Operation("*", Group(number("1"), NOWHERE), number("2"), NOWHERE),)),
        ("conv 64 l2=1e-3", (number("64"), Option(word("l2"), number("1e-3"), NOWHERE))),
        (
            "decoder mirror channels=/2",
            (word("mirror"), Option(word("channels"), Divisor(number("2"), NOWHERE), NOWHERE)),
        ),
        ("parameters < 500k", (Sign("<", NOWHERE), number("500k"))),
        ('folder "a #;{b"', (Text("a #;{b", NOWHERE),)),
        ("x 10% .5 5. 30min 1x2y", tuple(map(number, ["10%", ".5", "5.", "30min", "1x2y"]))),
    ],
)
def test_items(text: str, items: tuple[object, ...]) -> None:
    assert _items(text) == items


def test_spans_cover_the_words_they_stand_for() -> None:
    text = "# a\nx (1 + 2)*3 a=/2 -4 1..2 {\n  y\n}"
    spec, _findings = parser.parse(Source(text))
    (statement,) = spec.statements
    assert [text[slice(*item.span)] for item in statement.items] == ["(1 + 2)*3", "a=/2", "-4", "1..2"]
    assert text[slice(*statement.span)] == "x (1 + 2)*3 a=/2 -4 1..2"
    assert [text[slice(*inner.span)] for inner in statement.block or ()] == ["y"]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r", ";", " ; # c\n", "\n\n \t\n"])
def test_line_ends(line_end: str) -> None:
    spec, findings = parser.parse(Source(f"a 1{line_end}b {{{line_end}c{line_end}}}{line_end}"))
    assert not findings
    assert [statement.head.text for statement in spec.walk()] == ["a", "b", "c"]


def test_a_byte_order_mark_is_skipped() -> None:
    spec, findings = parser.parse(Source("\ufeffconv 64"))
    assert not findings
    assert spec.statements[0].head.span == (1, 5)


@pytest.mark.parametrize("text", ["", "\n", "# only a comment", "# a; b", " \t;;\n# c\n"])
def test_a_text_without_statements(text: str) -> None:
    spec, findings = parser.parse(Source(text))
    assert (spec.statements, spec.complete, findings) == ((), True, ())


def test_the_grammar_has_no_conflicts_and_no_overlapping_terminals() -> None:
    text = (ROOT / "grammars" / "cae.lark").read_text("utf-8")
    lark.Lark(text, parser="lalr", lexer="basic", start=["spec", "head", "unreadable"], strict=True)
    assert len(text.splitlines()) < 120


@pytest.fixture
def cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    return tmp_path / "caedsl"


def _parses() -> bool:
    """Whether a parser built afresh, past the one of this process, reads a spec."""
    return bool(parser.grammar.__wrapped__().parse("conv 64", start="spec").statements)


def test_the_analysed_grammar_is_kept_and_rebuilt_where_damaged(cache_folder: Path) -> None:
    assert _parses()
    (file,) = cache_folder.iterdir()
    whole = file.read_bytes()
    for damaged in (b"", b"garbage", whole[: len(whole) // 3], whole[:70]):
        file.write_bytes(damaged)
        assert _parses()
        assert len(file.read_bytes()) > len(whole) // 2


def test_without_a_folder_to_write_to_nothing_is_kept(cache_folder: Path) -> None:
    cache_folder.write_text("a file where the folder should be")
    assert _parses()
    assert cache_folder.is_file()


def test_a_relative_cache_folder_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")
    monkeypatch.setenv("LOCALAPPDATA", "cache")
    assert _parses()
    assert not list(tmp_path.iterdir())

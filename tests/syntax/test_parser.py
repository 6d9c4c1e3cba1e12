"""The tree of a text, its places, and the grammar's parse tables."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import lark
import pytest

from caedsl.source import Source
from caedsl.syntax import parser
from caedsl.syntax.tree import (
    ComparisonSign,
    Divisor,
    Negative,
    Number,
    Operation,
    Parenthesised,
    QuotedText,
    Range,
    Size,
    WrittenOption,
    WrittenWord,
)
from tests.conftest import ROOT
from tests.strategies import NOWHERE
from tests.trees import tree as python_tree


def _items(text: str) -> tuple[object, ...]:
    spec, findings = parser.parse(Source(text))
    assert not findings
    (statement,) = spec.statements
    return statement.items


def word(text: str) -> WrittenWord:
    return WrittenWord(text, NOWHERE)


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
        ("x (1)*2", (Operation("*", Parenthesised(number("1"), NOWHERE), number("2"), NOWHERE),)),
        ("conv 64 l2=1e-3", (number("64"), WrittenOption(word("l2"), number("1e-3"), NOWHERE))),
        (
            "decoder mirror channels=/2",
            (word("mirror"), WrittenOption(word("channels"), Divisor(number("2"), NOWHERE), NOWHERE)),
        ),
        ("parameters < 500k", (ComparisonSign("<", NOWHERE), number("500k"))),
        ('folder "a #;{b"', (QuotedText("a #;{b", NOWHERE),)),
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


def test_the_parse_tables_are_those_of_the_grammar() -> None:
    generate = [sys.executable, str(ROOT / "grammars" / "generate.py"), "--check"]
    ended = subprocess.run(generate, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def test_no_cache_is_read_or_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    assert parser.grammar.__wrapped__().parse("conv 64", start="spec").statements
    assert not list(tmp_path.iterdir())


def test_nothing_in_the_package_unpickles_or_evaluates() -> None:
    """There are no plug-ins either: no entry points of other packages are loaded."""
    suspicious = re.compile(r"\b(pickle|shelve|marshal|entry_points|eval|exec|compile|__import__|torch\.(load|save))\b")
    for path in (ROOT / "caedsl").rglob("*.py"):
        for node in ast.walk(python_tree(path)) if suspicious.search(path.read_text()) else ():
            names = {alias.name for alias in node.names} if isinstance(node, ast.Import | ast.ImportFrom) else set()
            module = node.module if isinstance(node, ast.ImportFrom) else ""
            assert not {"pickle", "shelve", "marshal", "entry_points"} & {*names, module}, path
            called = node.func if isinstance(node, ast.Call) else None
            used = called.id if isinstance(called, ast.Name) else ""
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                used = f"{node.value.id}.{node.attr}"
            dangerous = {"eval", "exec", "compile", "__import__", "torch.load", "torch.save", "metadata.entry_points"}
            assert used not in dangerous, f"{path}:{getattr(node, 'lineno', 0)}: {used}"

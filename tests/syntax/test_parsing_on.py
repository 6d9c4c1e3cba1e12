"""Texts that begin like the one parsed before: their tree and their errors are those of a fresh parser."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from caedsl.source import Source
from caedsl.syntax import parser
from tests.conftest import SPECS

INSERTED = ["", "8", "x", "\n", "{", "\n{", "}", "; ", "#", '"', " # cae\n", "conv 8\n", "train { epochs 3 }\n"]


def parsed(text: str) -> str:
    return repr(parser.parse(Source(text)))


@settings(max_examples=150)
@given(st.sampled_from(SPECS), st.floats(0, 1), st.integers(0, 3), st.sampled_from(INSERTED))
def test_a_changed_text_has_the_tree_that_it_has_alone(spec: Path, where: float, removed: int, inserted: str) -> None:
    text = spec.read_text("utf-8")
    place = round(where * len(text))
    changed = text[:place] + inserted + text[place + removed :]
    parser._recent.cache_clear()
    alone = parsed(changed)
    parser._recent.cache_clear()
    parsed(text)
    assert parsed(changed) == alone


def test_statements_before_a_change_are_not_parsed_again() -> None:
    text = SPECS[0].read_text("utf-8")
    first, _ = parser.parse(Source(text))
    parser.parse(Source("train { batch 32 }"))
    second, _ = parser.parse(Source(f"{text}\n# a comment\n"))
    *known, _ = zip(first.statements, second.statements, strict=True)
    assert all(one is other for one, other in known)

"""The rooms that users read most avoid constructions that a native speaker would not write."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOMS = ("cli", "resolve", "rules", "syntax", "vocabulary")
PACKAGE = Path(__file__).parents[1] / "caedsl"
AVOIDED = re.compile(
    r"\banew\b|\bbeside (?:the|it|its|that|them)\b|\bhas no place\b|\bgoes? on with\b|\bfor ever\b"
    r"|\bleave [^;,.]{1,30} out\b|\bin the place of\b|\bby heart\b|\bcalled so\b|\bis to be\b|\bstands? (?:inside|alone)\b"
)


def texts(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, " ".join(node.value.split())


@pytest.mark.parametrize("room", ROOMS)
def test_messages_and_docstrings_read_naturally(room: str) -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{line}: {match[0]}"
        for path in sorted((PACKAGE / room).rglob("*.py"))
        for line, text in texts(path)
        if (match := AVOIDED.search(text))
    ]
    assert not found

"""Messages and docstrings avoid constructions that a native speaker would not write."""

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.trees import tree

PACKAGE = Path(__file__).parents[1] / "caedsl"
PACKAGES = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
AVOIDED = re.compile(
    r"\banew\b|\bbeside\b|\bhas no place\b|\bgo(?:es)? on\b|\bfor ever\b|\bmended\b|\blikeliest\b|\bbelongs? into\b"
    r"|\b(?:None|False) where\b|\binforms? (?:if|about|for|above|below)\b|\b(?:in|out)side of\b|\baxes of space\b|(?<![`\w])trainings\b(?!`)"
    r"|\bleave [^;,.]{1,30} out\b|\bin the place of\b|\bby heart\b|\bcalled so\b|\bis to be\b"
    r"|\bstands? (?:inside|alone|between|before|behind|here|there|in)\b"
    r"|(?<!there )\b(?:is|are) no (?!better|worse|larger|smaller|longer|faster|more|less|lower|higher)[a-z`]+"
)


def texts(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, " ".join(node.value.split())


@pytest.mark.parametrize("package", PACKAGES)
def test_messages_and_docstrings_read_naturally(package: str) -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{line}: {match[0]}"
        for path in sorted((PACKAGE / package).rglob("*.py"))
        for line, text in texts(path)
        if (match := AVOIDED.search(text))
    ]
    assert not found


PROPERTIES = {"property", "cached_property"}


@pytest.mark.parametrize("package", PACKAGES)
def test_a_property_is_described_by_a_noun_phrase(package: str) -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in sorted((PACKAGE / package).rglob("*.py"))
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef) and PROPERTIES & set(map(ast.unparse, node.decorator_list))
        if (ast.get_docstring(node) or "").startswith("Return ")
    ]
    assert not found


NUMBERED = re.compile(r" (?:[a-z]+ )?[a-z]{2,}s\b")
"""Match what follows a number in a text: a plural."""


def numbers_of_plurals(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the numbers in f-strings that are followed by a plural, whether there is one thing or several."""
    for node in ast.walk(tree(path)):
        if not isinstance(node, ast.JoinedStr):
            continue
        for number, text in itertools.pairwise(node.values):
            if not (isinstance(number, ast.FormattedValue) and isinstance(text, ast.Constant)):
                continue
            source, form = ast.unparse(number.value), number.format_spec
            is_number = source.startswith("len(") or (form is not None and ast.unparse(form) == "f','")
            if is_number and not source.isupper() and NUMBERED.match(str(text.value)):
                yield node.lineno, f"{{{source}}}{text.value}"


@pytest.mark.parametrize("package", ["cli", "console", "evaluation", "inference", "report"])
def test_one_thing_is_not_called_several(package: str) -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{line}: {text}"
        for path in sorted((PACKAGE / package).rglob("*.py"))
        for line, text in numbers_of_plurals(path)
    ]
    assert not found, "use `counted` of caedsl.diagnostics.text"

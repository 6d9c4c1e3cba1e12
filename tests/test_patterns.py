"""No regular expression of the package takes exponential time for a text that it does not match."""

import ast
import re
from collections.abc import Iterator
from re import _constants, _parser
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.trees import tree

USED = ("compile", "match", "fullmatch", "search", "sub", "split", "findall", "finditer")
REPEATS = (_constants.MAX_REPEAT, _constants.MIN_REPEAT)


def patterns() -> Iterator[str]:
    """Yield the literal patterns in the package."""
    for path in sorted((ROOT / "caedsl").rglob("*.py")):
        for node in ast.walk(tree(path)):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in USED
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == "re"
                and node.args
                and isinstance(node.args[0], ast.Constant)
            ):
                yield str(node.args[0].value)


def ambiguous(parsed: Any) -> bool:
    """Return whether an endless repeat has a body that may consist of another endless repeat alone.

    Such a repeat can divide the same text in exponentially many ways.
    """
    for operation, argument in parsed:
        if operation in REPEATS:
            _, most, body = argument
            if most == _constants.MAXREPEAT and repeats_alone(body):
                return True
        if any(ambiguous(inner) for inner in inside(argument)):
            return True
    return False


def repeats_alone(body: Any) -> bool:
    """Return whether the items of ``body`` can all be empty but one that is an endless repeat."""
    needed = [item for item in body if _parser.SubPattern(body.state, [item]).getwidth()[0]]
    if len(needed) == 1 and needed[0][0] is _constants.SUBPATTERN:
        return repeats_alone(needed[0][1][3])
    if len(needed) == 1 and needed[0][0] is _constants.BRANCH:
        return any(map(repeats_alone, needed[0][1][1]))
    endless = [item for item in body if item[0] in REPEATS and item[1][1] == _constants.MAXREPEAT]
    return bool(endless) and (not needed or (len(needed) == 1 and needed[0] in endless))


def inside(argument: Any) -> Iterator[Any]:
    """Yield the patterns inside the argument of an operation."""
    if isinstance(argument, _parser.SubPattern):
        yield argument
    elif isinstance(argument, (tuple, list)):
        for each in argument:
            yield from inside(each)


@pytest.mark.filterwarnings("ignore:Possible nested set")
def test_no_pattern_is_ambiguous() -> None:
    found = sorted(set(patterns()))
    assert len(found) > 50
    assert not [pattern for pattern in found if ambiguous(_parser.parse(pattern))]


@pytest.mark.parametrize("pattern", [r"(?:\s*[\w.+-]+%?\s*,?)+", r"(a+)+", r"(?:a*b?)*", r"(?:b+|c)*"])
def test_an_ambiguous_pattern_is_found(pattern: str) -> None:
    assert ambiguous(_parser.parse(pattern))
    assert re.compile(pattern)

"""The tree is formatted, linted and typed, as pyproject.toml says."""

import ast
import re
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.trees import tree


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        pytest.param(["mypy"], marks=pytest.mark.torch),  # it reads PyTorch's types, for half a minute
    ],
    ids=" ".join,
)
def test_tree_is_clean(command: list[str]) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout


def test_each_property_of_all_specs_names_tests_that_exist() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    _, _, properties = page.partition("## Properties that hold for all specs")
    _, *others = re.split(r"^\d\. ", properties, flags=re.MULTILINE)
    assert len(others) == 8
    for text in others:
        pieces = re.split(r"`(tests/[\w/]+\.py)`:", text)
        named = dict(zip(pieces[1::2], pieces[2::2], strict=True))
        assert named, text
        for file, tests in named.items():
            defined = {node.name for node in tree(ROOT / file).body if isinstance(node, ast.FunctionDef)}
            assert {*re.findall(r"`(test_\w+)`", tests)} - defined == set(), file


def test_each_class_has_a_name_of_its_own() -> None:
    """A name has the same meaning everywhere.

    Modules in emitted files are named after the words that they compute; the watches of Keras and Lightning are named
    like that of a plain loop.
    """
    shared_on_purpose = {"Watch"}
    homes: dict[str, list[str]] = {}
    for path in sorted((ROOT / "caedsl").rglob("*.py")):
        if path.name == "modules.py":
            continue
        for node in tree(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(str(path.relative_to(ROOT)))
    assert {name: places for name, places in homes.items() if len(places) > 1 and name not in shared_on_purpose} == {}

"""The tree is formatted, linted and typed, as pyproject.toml says."""

import ast
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.trees import tree


@pytest.mark.parametrize(
    "command",
    [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]],
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

"""One declaration per word: outside of it, code asks for a word's properties and never for its name."""

import ast
from collections.abc import Iterator

import pytest

from caedsl.vocabulary.activations import FUNCTIONS
from caedsl.vocabulary.augmentations import AUGMENTATIONS
from caedsl.vocabulary.bottlenecks import FORMS
from caedsl.vocabulary.code_kinds import PLACEABLE
from caedsl.vocabulary.corruptions import CORRUPTIONS
from caedsl.vocabulary.initialisations import INITIALISATIONS
from caedsl.vocabulary.layers import KINDS
from caedsl.vocabulary.losses import LOSSES
from caedsl.vocabulary.norms import NORMS
from caedsl.vocabulary.optimizers import OPTIMIZERS
from caedsl.vocabulary.preprocessings import PREPROCESSINGS
from caedsl.vocabulary.schedules import SCHEDULES
from caedsl.vocabulary.sources import SOURCES
from tests.conftest import ROOT

TABLES = {
    "KINDS": KINDS,
    "PLACEABLE": PLACEABLE,
    "FUNCTIONS": FUNCTIONS,
    "NORMS": NORMS,
    "INITIALISATIONS": INITIALISATIONS,
    "LOSSES": LOSSES,
    "OPTIMIZERS": OPTIMIZERS,
    "SCHEDULES": SCHEDULES,
    "CORRUPTIONS": CORRUPTIONS,
    "AUGMENTATIONS": AUGMENTATIONS,
    "SOURCES": SOURCES,
    "PREPROCESSINGS": PREPROCESSINGS,
}
WORDS = {word for table in TABLES.values() for word in table} | {word for form in FORMS for word in form.words}
ORDINARY = {
    "add",
    "batch",
    "clip",
    "constant",
    "crop",
    "folder",
    "group",
    "inverse",
    "layer",
    "normal",
    "norm",
    "pad",
    "plateau",
    "scale",
    "shift",
    "shortcut",
    "stage",
    "step",
    "torch",
}
"""Words that code also uses in other senses: they count only where they are compared with the name of something."""
NAMES = {"kind", "word", "name", "form", "function", "how", "upsample"}
"""Attributes that hold the name of something."""

APART = {
    "extras.py": "names of the package's extras",
    "diagnostics/foreign_layers.py": "names of layers in other libraries, each with the word that is meant",
    "diagnostics/foreign_words.py": "other names of other libraries, each with the word that is meant",
    "syntax/errors": "calls of other libraries, `Conv2d(8, 3)`; this room is below the vocabulary",
    "importing": "one translation for each operator of other libraries, from names that are often the same",
}
"""Where words stand that belong to other libraries, and why."""


def _words(node: ast.AST) -> set[str]:
    """Return the words among the constants of an expression, or of a tuple, list or set of them."""
    nodes = node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else [node]
    return {each.value for each in nodes if isinstance(each, ast.Constant) and each.value in WORDS}


def _is_name(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in NAMES


def _asked(node: ast.AST) -> set[str]:
    """Return the words whose names a piece of code asks for."""
    match node:
        case ast.Compare():
            sides = [node.left, *node.comparators]
            words = set().union(*map(_words, sides))
            return words if any(map(_is_name, sides)) else words - ORDINARY
        case ast.Match():
            patterns = [
                each.value for case in node.cases for each in ast.walk(case) if isinstance(each, ast.MatchValue)
            ]
            words = set().union(*map(_words, patterns))
            return words if _is_name(node.subject) else words - ORDINARY
        case ast.Dict():
            return set().union(*(_words(key) for key in node.keys if key is not None)) - ORDINARY
        case ast.Subscript(value=ast.Name(id=table)) if table in TABLES:
            return _words(node.slice)
        case ast.Call(func=ast.Attribute(value=ast.Name(id=table), attr="get")) if table in TABLES:
            return _words(node.args[0])
    return set()


def _found(code: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(code)):
        yield from ((node.lineno, word) for word in sorted(_asked(node)))  # type: ignore[attr-defined]


def test_no_word_is_asked_for_by_its_name() -> None:
    """A new word needs no change elsewhere, and no place can forget it."""
    package = ROOT / "caedsl"
    files = [path for path in sorted(package.rglob("*.py")) if "vocabulary" not in path.parts]
    found = [
        f"{path.relative_to(ROOT)}:{line}: {word}"
        for path in files
        if not any(path.is_relative_to(package / place) for place in APART)
        for line, word in _found(path.read_text("utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        'x.name == "conv"',
        '"batch" != x.norm.name',
        'name in ("adam", "sgd")',
        'line.kind not in {"norm", "crop"}',
        'if "mse" in line: pass',
        'TABLE = {"relu": 1, "other": 2}',
        'match x.kind:\n    case "add" | "concat": pass',
        'KINDS["stage"]',
        'LOSSES.get("bce")',
    ],
)
def test_each_way_of_asking_is_seen(code: str) -> None:
    assert list(_found(code))


def test_each_place_apart_exists() -> None:
    assert all((ROOT / "caedsl" / place).exists() for place in APART)

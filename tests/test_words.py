"""Words and options are declared once, and code asks for their properties; rules ask the model, never the text."""

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
from tests.trees import tree

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
    "mean",
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
    "syntax/keywords.py": "words that syntax errors name, held equal to the vocabulary above by a test",
    "syntax/errors": "calls of other libraries, `Conv2d(8, 3)`; this package is below the vocabulary",
    "importing": "one translation for each operator of other libraries, from names that are often the same",
}
"""Where words stand that belong to other libraries, and why."""


HOLDERS = {"values", "spans", "options", "failed", "inherited", "by_name"}
"""Mappings and sets whose keys are the names of options."""

WRITTEN_ELSEWHERE = {
    "importing": "options and weights of other libraries, by the names that they have there",
    "report": "values of charts, by what the charts show",
    "syntax": "this package is below the vocabulary",
    "vocabulary": "the declarations themselves",
}
"""Where mappings of those names hold something else, and what."""


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


def _found(code: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(code):
        yield from ((node.lineno, word) for word in sorted(_asked(node)))  # type: ignore[attr-defined]


def _called(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _holds_options(node: ast.AST) -> bool:
    """Return whether an expression is a mapping or a set of options, or one joined from them."""
    return any(
        _called(each) in HOLDERS for each in ([node.left, node.right] if isinstance(node, ast.BinOp) else [node])
    )


def _texts(node: ast.AST) -> set[str]:
    """Return the texts among the constants of an expression, or of a set of them."""
    nodes = node.elts if isinstance(node, ast.Set) else [node]
    return {each.value for each in nodes if isinstance(each, ast.Constant) and isinstance(each.value, str)}


def _read_by_name(node: ast.AST) -> set[str]:
    """Return the names, as texts, by which a piece of code reads options."""
    match node:
        case ast.Subscript() if _holds_options(node.value):
            return _texts(node.slice)
        case ast.Call(func=ast.Attribute(attr="get" | "pop" | "setdefault") as method) if _holds_options(method.value):
            return _texts(node.args[0])
        case ast.Compare(ops=[ast.In() | ast.NotIn()]) if _holds_options(node.comparators[0]):
            return _texts(node.left)
        case ast.BinOp(op=ast.BitAnd() | ast.Sub()) if _holds_options(node):
            return _texts(node.left) | _texts(node.right)
        case ast.Call(func=ast.Attribute(attr="number")):
            return _texts(node.args[0])
        case ast.Compare(ops=[ast.Eq() | ast.NotEq()]):
            sides = [node.left, *node.comparators]
            named = {_called(getattr(side, "value", side) if _called(side) == "name" else side) for side in sides}
            return set().union(*map(_texts, sides)) if "option" in named else set()
    return set()


def test_no_option_is_read_by_a_text() -> None:
    """Code reads an option by its declaration, so that a misspelt one is a type error: `values[UNITS.name]`."""
    package = ROOT / "caedsl"
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {name}"  # type: ignore[attr-defined]
        for path in sorted(package.rglob("*.py"))
        if path.relative_to(package).parts[0] not in WRITTEN_ELSEWHERE
        for node in ast.walk(tree(path))
        for name in _read_by_name(node)
    ]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        'layer.spans["norm"]',
        'values["output"]',
        'bound.values.get("norm")',
        '"units" in layer.spans',
        '{"norm", BIAS.name} & bound.failed',
        'option.name == "times"',
        'misfit.option == "norm"',
        'optimizer.number("momentum")',
    ],
)
def test_each_way_of_reading_an_option_is_seen(code: str) -> None:
    assert any(map(_read_by_name, ast.walk(ast.parse(code))))


def test_no_word_is_asked_for_by_its_name() -> None:
    """A new word needs no change elsewhere, and no place can forget it."""
    package = ROOT / "caedsl"
    files = [path for path in sorted(package.rglob("*.py")) if "vocabulary" not in path.parts]
    found = [
        f"{path.relative_to(ROOT)}:{line}: {word}"
        for path in files
        if not any(path.is_relative_to(package / place) for place in APART)
        for line, word in _found(tree(path))
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
    assert list(_found(ast.parse(code)))


def test_each_place_apart_exists() -> None:
    assert all((ROOT / "caedsl" / place).exists() for place in (*APART, *WRITTEN_ELSEWHERE))


MESSAGES = {"message", "help", "advice", "notes"}
"""Attributes of a finding that hold prose."""
TAKING_APART = {
    *("split", "rsplit", "partition", "rpartition", "splitlines", "startswith", "endswith", "find", "rfind", "rindex"),
    *("strip", "lstrip", "rstrip", "removeprefix", "removesuffix", "isdigit", "lower", "upper", "casefold"),
}
"""Methods of texts that look into one."""


def _is_text_of_author(node: ast.AST) -> bool:
    """Return whether an expression is the text of the spec, or a piece of it."""
    return ast.unparse(node).endswith("source.text") or (isinstance(node, ast.Call) and _called(node.func) == "slice")


def _parsed_in_rule(node: ast.AST) -> bool:
    """Return whether a piece of code reads something out of a message or out of the spec's text."""
    match node:
        case ast.Import():
            return any(alias.name == "re" for alias in node.names)
        case ast.ImportFrom():
            return node.module == "re"
        case ast.Attribute(ctx=ast.Load()):
            return node.attr in MESSAGES
        case ast.Call(func=ast.Attribute(attr=method)):
            return method in TAKING_APART
        case ast.Compare():
            return any(map(_is_text_of_author, [node.left, *node.comparators]))
        case ast.Subscript():
            return _is_text_of_author(node.value)
    return False


def test_no_rule_parses_text_or_messages() -> None:
    """Rules ask the model, the tree and a finding's data; `engine/` and `edits/` deal with texts."""
    rules = ROOT / "caedsl" / "rules"
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)}"  # type: ignore[attr-defined]
        for path in sorted(rules.rglob("*.py"))
        if path.relative_to(rules).parts[0] not in ("engine", "edits")
        for node in ast.walk(tree(path))
        if _parsed_in_rule(node)
    ]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        "import re",
        "from re import compile",
        'finding.message == "unknown"',
        '"did you mean" in finding.help',
        'size.endswith("numbers")',
        'model.source.slice(span) == "x1"',
        '"sigmoid" in model.source.text',
        "model.source.text[3:]",
        'name.split("-")',
    ],
)
def test_each_way_of_parsing_is_seen(code: str) -> None:
    assert any(map(_parsed_in_rule, ast.walk(ast.parse(code))))

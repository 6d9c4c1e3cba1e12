"""The documentation of rules: each reported name has a file, and the examples of each file are correct."""

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import caedsl
from caedsl.diagnostics import Label, Report, Severity
from caedsl.diagnostics.json import render_json
from caedsl.rules.engine import catalogue
from caedsl.rules.engine.rule import Entry
from caedsl.source import Source, Span
from tests.rules.fragments import checked

PACKAGE = Path(caedsl.__file__).parent
CODES = {family: f"CAE{number}" for number, family in enumerate(catalogue.FAMILIES, start=1)}
HEADINGS = ("What it does", "Why is this bad?", "Example", "Instead", "How sure")
ENTRIES = catalogue.every()
BY_NAME = {entry.rule.name: entry for entry in ENTRIES}
REPORTING = {"report", "Finding", "Misfit", "Misread", "Rule"}
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.M | re.S)
_NAME = re.compile(r"[a-z]+(-[a-z]+)+")


def reported_names() -> Iterator[str]:
    """Yield every kebab-case name that a call in the package reports a finding under."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and _called(node) in REPORTING and node.args:
                yield from (
                    constant.value
                    for argument in node.args[:2]
                    for constant in ast.walk(argument)
                    if isinstance(constant, ast.Constant)
                    and isinstance(constant.value, str)
                    and _NAME.fullmatch(constant.value)
                )


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def example(entry: Entry, heading: str) -> tuple[str, str]:
    """Return the language and the text of the block under a heading."""
    section = entry.documentation.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    block = _BLOCK.search(section)
    assert block, f"{entry.rule.name} has no block under {heading}"
    return block[1], block[2]


def test_every_name_that_is_reported_has_a_file() -> None:
    names = set(reported_names())
    assert {"syntax-error", "missing-value", "contradicting-options", "output-shape", "unused-allowance"} <= names
    assert names <= set(BY_NAME), f"no rule file for {names - set(BY_NAME)}"


def test_codes_and_names_are_unique() -> None:
    assert len({entry.rule.code for entry in ENTRIES}) == len({entry.rule.name for entry in ENTRIES}) == len(ENTRIES)


@pytest.mark.parametrize("family", catalogue.FAMILIES)
def test_code_name_file_and_family_agree(family: str) -> None:
    for name in catalogue.names(family):
        known = catalogue.entry(name)
        rule = known.rule
        assert known.family == family
        assert rule.name == name
        assert re.fullmatch(rf"{CODES[family]}\d\d", rule.code), f"{name} is {rule.code}"


def test_the_compiler_family_has_no_checks() -> None:
    assert all(entry.check is None for entry in ENTRIES if entry.family == catalogue.COMPILER_FAMILY)


@pytest.mark.parametrize("name", BY_NAME)
def test_documentation_has_its_headings_in_order(name: str) -> None:
    documentation = BY_NAME[name].documentation
    summary, _, rest = documentation.partition("\n")
    assert summary.endswith(".")
    assert not rest.split("\n")[0], "the summary is one line"
    headings = re.findall(r"^## (.+)$", documentation, re.M)
    assert [heading for heading in headings if heading in HEADINGS] == list(HEADINGS)
    assert set(headings) <= {*HEADINGS, "References"}


@pytest.mark.parametrize("name", BY_NAME)
def test_the_example_is_found(name: str) -> None:
    language, text = example(BY_NAME[name], "Example")
    text = text.encode().decode("unicode_escape") if language == "text" else text
    assert name in {finding.name for finding in checked(text).findings}


@pytest.mark.parametrize("name", BY_NAME)
def test_what_to_write_instead_is_not_found(name: str) -> None:
    entry = BY_NAME[name]
    findings = checked(example(entry, "Instead")[1]).findings
    assert name not in {finding.name for finding in findings}
    # The syntax of a single line is shown in specs to which other rules may object.
    worst = (Severity.ERROR,) if entry.family == catalogue.COMPILER_FAMILY else (Severity.ERROR, Severity.WARNING)
    assert not [f"{finding.name}: {finding.message}" for finding in findings if finding.severity in worst]


def test_an_allowance_may_name_a_rule_with_hyphens() -> None:
    allowing = (
        'bottleneck\nallow no-bottleneck "the identity is what we study"\nencoder { conv 8 relu x3; conv 4 relu }'
    )
    names = {finding.name for finding in checked(allowing).findings}
    assert not names & {"no-bottleneck", "unknown-rule", "allowance-without-reason"}


def test_an_allowance_is_not_called_unused_where_an_error_kept_its_rule_from_running() -> None:
    spec = (
        "autoencoder a\ninput 1x28x28\nencoder { cnov 64 x4; maxpool 2 }\n"
        "bottleneck # cae: allow[overcomplete] wide on purpose\ndecoder mirror\n"
    )
    assert {finding.name for finding in checked(spec).findings} == {"unknown-layer"}
    assert checked(spec.replace("cnov", "conv")).findings == ()


def test_what_does_not_depend_on_an_unreadable_line_is_still_reported() -> None:
    spec = (
        "autoencoder a\ninput 1x28x28\ndata cifar10\nencoder { conv (8 relu; maxpool 2 }\n"
        "bottleneck\ndecoder mirror\ntrain { optimizer adam lr=3 }\n"
    )
    assert {finding.name for finding in checked(spec).findings} == {
        "syntax-error",
        "data-channels",
        "high-learning-rate",
    }


NO_NUMBERS = {"no-data"}
"""Rules whose finding is that something is not there."""


@pytest.mark.parametrize("entry", catalogue.checks(), ids=lambda entry: entry.rule.name)
def test_findings_carry_their_numbers_as_json_has_them(entry: Entry) -> None:
    """A rule provides its values as data, so that programs need not parse its message."""
    (finding, *_) = [f for f in checked(example(entry, "Example")[1]).findings if f.name == entry.rule.name]
    assert finding.data or entry.rule.name in NO_NUMBERS
    report = Report(Source("autoencoder example"), (replace(finding, primary=Label(Span(0, 1)), related=(), fix=None),))
    (written,) = json.loads(render_json([report]))["findings"]
    assert set(written["data"]) == set(finding.data)

"""The documentation: its snippets, its commands, its tables and its links."""

import re
from pathlib import Path

import pytest

from caedsl.syntax.keywords import STATEMENTS
from caedsl.vocabulary.kind import Kind
from caedsl.vocabulary.layers import KINDS
from caedsl.vocabulary.quantities import QUANTITIES
from tests.conftest import ROOT
from tests.docs import reference
from tests.docs.conftest import Shell
from tests.docs.markdown import PAGES, Block, blocks, matches
from tests.docs.snippets import expected, found, whole
from tests.docs.walk import walk

SNIPPETS = [block for page in PAGES for block in blocks(page) if block.language == "cae"]
WALKED = [
    page
    for page in PAGES
    if page.name != "README.md" and any(block.language in ("console", "python") for block in blocks(page))
]


@pytest.mark.parametrize("block", SNIPPETS, ids=str)
def test_snippet_has_the_findings_that_it_announces(block: Block) -> None:
    spec = whole(block)
    announced, there = expected(spec), found(spec)
    severities = {"error", "warning"} if not block.words else {"error", *(severity for _, severity, _ in announced)}
    assert {finding for finding in there if finding[1] in severities} == announced


@pytest.mark.parametrize("page", WALKED, ids=lambda page: page.name)
def test_page_does_what_it_shows(page: Path, project: Path, shell: Shell) -> None:
    walk(page, project, shell)


def test_tables_are_those_of_the_declarations() -> None:
    text = reference.PAGE.read_text("utf-8")
    assert text == reference.regenerated(text), "run `python -m tests.docs.reference`, and read what changed"
    for name in reference.SECTIONS:
        assert f"<!-- generated: {name} -->" in text


def test_picture_is_what_graph_draws(tmp_path: Path) -> None:
    drawn = tmp_path / reference.PICTURE.name
    reference.picture(drawn)
    assert drawn.read_bytes() == reference.PICTURE.read_bytes(), "run `python -m tests.docs.reference`, and look at it"


def test_reference_names_every_statement_and_quantity() -> None:
    text = reference.PAGE.read_text("utf-8")
    for word in (*STATEMENTS, *QUANTITIES):
        assert f"`{word}" in text


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_example_of_a_kind_is_in_the_language(kind: Kind) -> None:
    statements = f"autoencoder a\ninput 1x28x28\nencoder {{ {kind.example} }}\nbottleneck\ndecoder {{ conv 1 }}\n"
    families = {name for _, _, name in found(statements)}
    assert not families & {"unknown-option", "unexpected-value", "wrong-type", "missing-value", "missing-block"}


@pytest.mark.parametrize(
    "page",
    [
        page
        for folder in (".", "docs/**", "benchmarks", "examples", "specs")
        for page in sorted(ROOT.glob(f"{folder}/*.md"))
    ],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"", text):
        link = target[0] or target[1]
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        there = page.parent / path if path else page
        assert there.exists(), f"{page.name} links to {link}"
        if anchor:
            assert anchor in _anchors(there), f"{page.name} links to {link}"


def _anchors(page: Path) -> set[str]:
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_pages_hold_no_path_of_a_machine() -> None:
    for page in PAGES:
        assert not re.search(r"/(home|Users|work|tmp|root)/", page.read_text("utf-8")), page.name


@pytest.mark.parametrize(
    ("shown", "actual", "same"),
    [
        ("a\nb", "a\nb\n", True),
        ("a\n…\nd", "a\nb\nc\nd\n", True),
        ("took … s", "took 12 s", True),
        ("a", "a\nb", False),
        ("a.c", "abc", False),
        ("a\n…", "a", True),
    ],
)
def test_comparison_of_outputs(shown: str, actual: str, same: bool) -> None:
    assert matches(shown, actual) is same

"""``docs/why-it-fails.md`` quotes what ``check`` reports about the article's models, and names rules that exist."""

import re

import pytest

from caedsl.diagnostics.concise import render_concise
from caedsl.rules.engine.catalogue import all_names
from caedsl.rules.engine.checking import check_source
from caedsl.source import Source
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "why-it-fails.md").read_text("utf-8")


@pytest.mark.parametrize("name", ["mnist_pitfalls", "mnist_wide", "mnist_l2"])
def test_the_page_quotes_what_check_says(name: str) -> None:
    text = (ROOT / "specs" / f"{name}.cae").read_text("utf-8")
    bare = re.sub(r"[ \t]*# cae: allow\[.*", "", text)
    assert (bare == text) is (name == "mnist_pitfalls")
    said = render_concise(check_source(Source(bare, f"{name}.cae")).reports)
    assert "overcomplete" in said
    assert f"```text\n{said}```" in PAGE


def test_the_page_names_rules_that_exist() -> None:
    named = re.findall(r"\]\(rules/([a-z0-9-]+)\.md\)", PAGE)
    assert len(named) > 20
    assert set(named) <= set(all_names())

"""``caedsl rule`` and the pages of ``docs/rules``."""

import json
import re
from pathlib import Path

import pytest

from caedsl.rules.engine import catalogue, documentation
from caedsl.rules.engine.checking import check_source
from caedsl.rules.engine.example import examples, whole_spec
from caedsl.rules.engine.rule import Entry
from caedsl.source import Source
from caedsl.training.monitors.engine import catalogue as watching
from tests.cli.test_check import Run, run

__all__ = ["run"]

RULES = catalogue.every()
MONITORS = watching.names()
NOT_IN_MARKDOWN = {"not-text", "bidirectional-control"}  # text that a page cannot hold
HEADINGS = ["What it does", "Why is this bad?", "Example", "Instead", "How sure"]


@pytest.mark.parametrize("word", ["unknown-layer", "CAE121", "cae121", "Unknown-Layer"])
def test_a_rule_is_found_by_name_and_code(run: Run, word: str) -> None:
    known = catalogue.find("unknown-layer")
    assert known is not None
    code, out, _ = run(word.replace("121", known.rule.code[3:]), command="rule")
    assert code == 0
    assert out.splitlines()[0] == f"{known.rule.code} unknown-layer"
    assert "Why is this bad?" in out
    assert "```" not in out
    assert "##" not in out
    assert max(map(len, out.splitlines())) <= 110


def test_an_unknown_rule_is_code_2_with_a_suggestion(run: Run) -> None:
    code, out, err = run("unknown-lyaer", command="rule")
    assert (code, out) == (2, "")
    assert "did you mean `unknown-layer`?" in err


def test_without_a_name_every_rule_and_monitor_is_listed(run: Run) -> None:
    code, out, _ = run(command="rule")
    assert code == 0
    assert [line.split()[1] for line in out.splitlines()] == [*(entry.rule.name for entry in RULES), *MONITORS]


@pytest.mark.parametrize("monitor", MONITORS)
def test_a_monitor_is_found_by_name(run: Run, monitor: str) -> None:
    code, out, _ = run(monitor, command="rule")
    assert code == 0
    assert out.splitlines()[0] == monitor
    assert "Why is this bad?" in out
    assert "##" not in out


def test_an_unknown_monitor_is_code_2_with_a_suggestion(run: Run) -> None:
    code, _, err = run("dead-lyaer", command="rule")
    assert code == 2
    assert "did you mean `dead-layer`?" in err


def test_all_prints_every_document(run: Run) -> None:
    out = run("--all", command="rule")[1]
    assert out.count("Why is this bad?") == len(RULES) + len(MONITORS)
    listed = json.loads(run("--all", "--output-format", "json", command="rule")[1])
    assert [rule["name"] for rule in listed["rules"]] == [entry.rule.name for entry in RULES]
    assert [monitor["name"] for monitor in listed["monitors"]] == list(MONITORS)


@pytest.mark.parametrize("entry", RULES, ids=lambda entry: entry.rule.name)
def test_every_rule_is_documented(entry: Entry) -> None:
    """The headings are complete and in order, the example has the finding, and the spec under Instead does not."""
    headings = re.findall(r"^## (.+)$", entry.documentation, re.MULTILINE)
    assert [heading for heading in headings if heading in HEADINGS] == HEADINGS
    assert documentation.summary_of(entry).endswith(".")
    bad, good = (list(examples(entry.documentation, heading)) for heading in ("Example", "Instead"))
    assert good
    assert bad or entry.rule.name in NOT_IN_MARKDOWN
    for fragment in bad:
        assert entry.rule.name in names(fragment), fragment
    for fragment in good:
        assert entry.rule.name not in names(fragment), fragment


def names(fragment: str) -> set[str]:
    return {finding.name for finding in check_source(Source(whole_spec(fragment))).findings}


def test_codes_and_names_are_unique_and_codes_follow_the_families() -> None:
    assert len({entry.rule.code for entry in RULES}) == len(RULES)
    assert len({entry.rule.name for entry in RULES}) == len(RULES)
    for entry in RULES:
        assert entry.rule.code.startswith(f"CAE{catalogue.FAMILIES.index(entry.family) + 1}"), entry.rule.name


def test_the_pages_are_what_the_rules_say() -> None:
    assert documentation.stale_pages() == [], "run `python -m caedsl.rules.engine.documentation`"


def test_stale_pages_are_found_and_rewritten(tmp_path: Path) -> None:
    documentation.write_pages(tmp_path)
    assert documentation.stale_pages(tmp_path) == []
    (tmp_path / "unknown-layer.md").write_text("old")
    (tmp_path / "no-such-rule.md").write_text("old")
    (tmp_path / "README.md").unlink()
    assert documentation.stale_pages(tmp_path) == ["README.md", "no-such-rule.md", "unknown-layer.md"]
    documentation.write_pages(tmp_path)
    assert documentation.stale_pages(tmp_path) == []

"""The README: its examples work, and .ci/run executes its first commands on a fresh machine."""

import re
from pathlib import Path

from tests.conftest import ROOT
from tests.docs.conftest import Shell
from tests.docs.markdown import blocks
from tests.docs.walk import commands, walk

README = ROOT / "README.md"
CI = ROOT / ".ci" / "run"


def test_readme_does_what_it_shows(project: Path, shell: Shell) -> None:
    walk(README, project, shell)


def test_first_commands_are_run_on_a_fresh_machine() -> None:
    shown = [command for block in blocks(README) if block.language == "console" for command, _ in commands(block)]
    script = CI.read_text("utf-8")
    assert "pip install '.[train]' && caedsl train specs/digits.cae" in shown
    assert "pip install '.[dev]' && pytest" in shown
    for line in ("pip install '.[dev]'", "pytest", "pip install '.[train]'", "caedsl train specs/digits.cae"):
        assert re.search(rf"^(step )?\"?{re.escape(line)}\"?$", script, re.MULTILINE), line
    assert CI.stat().st_mode & 0o111


def test_hooks_are_those_of_the_project() -> None:
    shown = re.findall(r"- id: (\S+)", README.read_text("utf-8"))
    offered = re.findall(r"^- id: (\S+)", (ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"), re.MULTILINE)
    assert shown
    assert set(shown) <= set(offered)

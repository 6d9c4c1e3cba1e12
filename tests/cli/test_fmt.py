"""``caedsl fmt`` as a user runs it."""

import io
import os
import stat
import sys
from pathlib import Path

import pytest

from caedsl.cli import fmt
from caedsl.source import Source
from caedsl.syntax.formatter import FormatterBug
from tests.cli.test_check import CLEAN, Run, run, write

__all__ = ["run"]

UNTIDY = CLEAN.replace("conv 16 relu", "conv   16 k3x3 relu")
TIDY = CLEAN.replace("conv 16 relu", "conv 16 k3 relu")


def test_a_spec_is_formatted_in_place(run: Run) -> None:
    file = write("a.cae", UNTIDY.replace("\n", "\r\n"))
    file.chmod(0o604)
    assert run("a.cae", command="fmt") == (0, "Formatted a.cae\n1 spec formatted.\n", "")
    assert file.read_bytes().decode() == TIDY.replace("\n", "\r\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o604
    assert os.listdir() == ["a.cae"]
    assert run("a.cae", command="fmt") == (0, "1 spec already formatted.\n", "")


def test_check_says_what_would_change_and_writes_nothing(run: Run) -> None:
    file = write("a.cae", UNTIDY)
    write("b.cae", TIDY)
    assert run(".", "--check", command="fmt") == (
        1,
        "Would format a.cae\n1 spec would change, 1 spec already formatted.\n",
        "",
    )
    assert file.read_text() == UNTIDY
    assert run("b.cae", "--check", command="fmt")[0] == 0


def test_diff_is_all_there_is_on_standard_output(run: Run) -> None:
    file = write("a.cae", UNTIDY)
    code, out, err = run("a.cae", "--diff", command="fmt")
    assert code == 1
    assert out.startswith("--- a.cae\n+++ a.cae\n")
    assert "+encoder { conv 16 k3 relu; maxpool 2 }" in out
    assert "would change" in err
    assert file.read_text() == UNTIDY


def test_standard_input_is_formatted_to_standard_output(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for text in (UNTIDY, TIDY):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        code, out, _ = run("-", command="fmt")
        assert (code, out) == (0, TIDY)


def test_a_spec_with_syntax_errors_is_refused(run: Run) -> None:
    broken = UNTIDY.replace("dense 32", "dense (32, 3")
    file = write("a.cae", broken)
    code, out, err = run("a.cae", command="fmt")
    assert code == 1
    assert out == "1 spec not changed because of syntax errors.\n"
    assert "a.cae:5" in err
    assert "CAE1" in err
    assert file.read_text() == broken


def test_a_bug_in_the_formatter_leaves_the_file(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(source: Source) -> None:
        raise FormatterBug("formatting would change a comment")

    monkeypatch.setattr(fmt, "format_source", break_down)
    file = write("a.cae", UNTIDY)
    code, _, err = run("a.cae", command="fmt")
    assert code == 2
    assert "bug in caedsl; please report" in err
    assert file.read_text() == UNTIDY


def test_what_cannot_be_read_or_written_is_reported_and_the_rest_formatted(run: Run) -> None:
    write("locked.cae", UNTIDY).chmod(0o444)
    write("z.cae", UNTIDY)
    code, out, err = run("nowhere.cae", "locked.cae", "z.cae", command="fmt")
    assert code == 2
    assert out == "Formatted z.cae\n1 spec formatted.\n"
    assert [line.split(":")[1].strip() for line in err.splitlines()] == ["nowhere.cae", "locked.cae"]
    assert Path("z.cae").read_text() == TIDY


def test_numbers_without_a_space_between_them_are_set_apart(run: Run) -> None:
    file = write("a.cae", TIDY.replace("dense 32", "32x7x70.5"))
    assert run("a.cae", command="fmt")[0] == 0
    assert "bottleneck 32x7x70 0.5\n" in file.read_text()


def test_the_project_can_exclude_specs(run: Run) -> None:
    write("pyproject.toml", '[tool.caedsl]\nexclude = ["drafts"]\n')
    write("drafts/a.cae", UNTIDY)
    write("b.cae", TIDY)
    assert run(".", "--check", command="fmt") == (0, "1 spec already formatted.\n", "")


def test_wrong_usage_and_help(run: Run) -> None:
    code, _, err = run(command="fmt")
    assert code == 2
    assert err.startswith("caedsl: ")
    code, out, _ = run("--help", command="fmt")
    assert code == 0
    assert "Exit codes: 0 fine; 1 syntax errors" in out

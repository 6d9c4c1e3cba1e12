"""What shells complete: commands, options, rule names and spec files, in bash, zsh and fish."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SHELLS = ("bash", "zsh", "fish")


def completed(shell: str, line: str, folder: Path) -> str:
    words = line.split(" ")
    asked = {
        "bash": {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)},
        "zsh": {"_TYPER_COMPLETE_ARGS": line},
        "fish": {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }[shell]
    ended = subprocess.run(
        [sys.executable, "-m", "caedsl"],
        env={**os.environ, "_CAEDSL_COMPLETE": f"complete_{shell}", **asked},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in ended.stderr
    return ended.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("one.cae", "two.txt", "sub/three.cae", ".hidden/four.cae"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    return tmp_path


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("line", "wanted", "unwanted"),
    [
        ("caedsl exp", ["export"], ["train"]),
        ("caedsl train --ep", ["--epochs"], ["--seed"]),
        ("caedsl rule over", ["overcomplete", "overfitting"], ["no-bottleneck"]),
        ("caedsl check --output", ["--output-format"], ["--fix"]),
        ("caedsl fmt --d", ["--diff"], ["--check"]),
        ("caedsl check ", ["one.cae", "sub"], ["two.txt", "hidden"]),
        ("caedsl show sub/", ["three.cae"], ["one.cae"]),
        ("caedsl train o", ["one.cae"], ["sub"]),
    ],
)
def test_words_are_completed(shell: str, line: str, wanted: list[str], unwanted: list[str], folder: Path) -> None:
    out = completed(shell, line, folder)
    assert all(word in out for word in wanted), out
    assert not any(word in out for word in unwanted), out


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_of_each_shell_is_shown(shell: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "caedsl", "--show-completion", shell],
        env={**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "_CAEDSL_COMPLETE" in ended.stdout

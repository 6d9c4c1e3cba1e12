"""What shells complete: commands, options, rule names and spec files, in bash, zsh and fish."""

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from caedsl.cli.main import main

SHELLS = ("bash", "zsh", "fish")


@pytest.fixture
def completed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[str, str], str]:
    """Return what the program, in this process, answers to a shell that completes a line."""

    def ask(shell: str, line: str) -> str:
        words = line.split(" ")
        asked = {
            "bash": {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)},
            "zsh": {"_TYPER_COMPLETE_ARGS": line},
            "fish": {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
        }[shell]
        for name, value in {"_CAEDSL_COMPLETE": f"complete_{shell}", **asked}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["caedsl"])
        with suppress(SystemExit):
            main()
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return out

    return ask


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
        ("caedsl check one.cae --select over", ["overcomplete"], ["overfitting"]),
        ("caedsl check --ignore dense-dominates,over", ["dense-dominates,overcomplete"], ["overfitting"]),
        ("caedsl check --output-format js", ["json"], ["full"]),
        ("caedsl show su", ["sub/three.cae"], ["one.cae"]),
        ("caedsl fmt --d", ["--diff"], ["--check"]),
        ("caedsl check ", ["one.cae", "sub"], ["two.txt", "hidden"]),
        ("caedsl show sub/", ["three.cae"], ["one.cae"]),
        ("caedsl train o", ["one.cae"], ["sub"]),
        ("caedsl export run --part de", ["decoder"], ["encoder"]),
        ("caedsl export run --score t", ["top=1%"], ["mse"]),
        ("caedsl calibrate run --score m", ["mse", "mae"], ["ssim"]),
        ("caedsl score run --score bl", ["blurmax"], ["mse"]),
        ("caedsl evaluate run --score la", ["latent"], ["mse"]),
    ],
)
def test_words_are_completed(
    shell: str, line: str, wanted: list[str], unwanted: list[str], completed: Callable[[str, str], str]
) -> None:
    out = completed(shell, line)
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

"""``show -``, ``emit -`` and ``graph -`` read the spec from standard input, as ``check -`` does."""

import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ran
from tests.conftest import ROOT

SPEC = (ROOT / "specs" / "mnist_mirror.cae").read_bytes()
COMMANDS = ("show", "emit", "graph")


@pytest.fixture
def piped(caedsl: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Ran]:
    """Run a command with bytes on standard input, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def run(content: bytes, *arguments: object) -> Ran:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
            return caedsl(*arguments)

    return run


@pytest.mark.parametrize("command", ["show", "emit"])
def test_the_output_is_that_of_the_file(command: str, piped: Callable[..., Ran]) -> None:
    from_file = piped(b"", command, ROOT / "specs" / "mnist_mirror.cae")
    assert piped(SPEC, command, "-") == from_file
    assert from_file.code == 0


def test_a_diagram_is_named_after_the_model(piped: Callable[..., Ran], tmp_path: Path) -> None:
    assert piped(SPEC, "graph", "-") == Ran(0, "drew mnist_mirror.svg\n", "")
    assert (tmp_path / "mnist_mirror.svg").read_text("utf-8").startswith("<svg ")


@pytest.mark.parametrize("command", COMMANDS)
def test_findings_name_standard_input(command: str, piped: Callable[..., Ran]) -> None:
    ran = piped(SPEC.replace(b"maxpool 2", b"maxpool 99"), command, "-")
    assert ran.code == 1
    assert "<stdin>:" in ran.err


@pytest.mark.parametrize("command", COMMANDS)
def test_bytes_that_are_no_text_are_a_clear_error(command: str, piped: Callable[..., Ran]) -> None:
    ran = piped(b"\xff\xfe\x00", command, "-")
    assert ran.code in (1, 2)
    assert "<stdin>" in ran.err

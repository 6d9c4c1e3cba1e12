"""Every command under lost streams and signals, and what it writes and runs."""

import io
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from errno import ENOSPC, EPIPE
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from caedsl.cli.app import app
from caedsl.cli.main import main
from caedsl.report import chart_frame
from tests.cli.workplace import COMMANDS, new_place, whole

__all__ = ["new_place", "whole"]  # the fixtures

if sys.platform == "win32":
    pytest.skip("signals and descriptors are those of POSIX", allow_module_level=True)

Hear = Callable[[str, tuple[Any, ...]], object]
heard: list[Hear] = []


@cache
def add_hook() -> None:
    """Add the hook once, and not on import: it cannot be removed, and slows the tests that follow."""
    sys.addaudithook(lambda event, arguments, heard=heard: [each(event, arguments) for each in heard] and None)


@contextmanager
def audited(hear: Hear) -> Iterator[None]:
    """Call ``hear`` for the audit events of Python inside the context."""
    add_hook()
    heard.append(hear)
    try:
        yield
    finally:
        heard.remove(hear)


WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
CHANGES = {
    "os.remove": 1,
    "os.rename": 2,
    "os.mkdir": 1,
    "os.rmdir": 1,
    "os.symlink": 2,
    "os.link": 2,
    "os.truncate": 1,
}
"""Events whose first arguments, so many, are paths that are changed."""
FORBIDDEN = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "os.forkpty",
    "pty.spawn",
    "pickle.find_class",
    "socket.connect",
)
OWN = ["-P", "-m", "caedsl.importing.separate_process"]
"""Arguments of the Python that reads HDF5 files and runs ONNX models."""
CACHES = (
    str(Path.home() / ".config/matplotlib"),
    str(Path.home() / ".cache/matplotlib"),
    str(Path(tempfile.gettempdir(), "torchinductor_")),
)
"""How the paths of libraries' own caches start."""


class Undisturbed(NamedTuple):
    """What a command did in a folder: its exit code, its output, the files afterwards, and its audit events that matter."""

    folder: Path
    code: int
    printed: str
    files: set[str]
    events: list[tuple[str, tuple[Any, ...]]]


@pytest.fixture(autouse=True)
def as_a_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Show no traceback, and write no bytecode of modules that are imported first."""
    monkeypatch.delenv("CAEDSL_DEBUG", raising=False)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the doctor train for a few steps, and charts be drawn once: what is found and drawn does not matter here."""
    monkeypatch.setattr("caedsl.doctor.probes.memorise.STEPS", 4)
    monkeypatch.setattr("caedsl.doctor.probes.memorise.LONG", (5,))
    monkeypatch.setattr("caedsl.training.search.learning_rate.STEPS", 10)
    monkeypatch.setattr("caedsl.report.chart_frame.SCREENS", chart_frame.SCREENS[:1])


@pytest.fixture(scope="module")
def done() -> dict[str, Undisturbed]:
    """Return the commands that were run undisturbed, for the tests of what they did and of what disturbs them."""
    return {}


@pytest.fixture
def undisturbed(
    done: dict[str, Undisturbed], new_place: Callable[[], Path], capsys: pytest.CaptureFixture[str]
) -> Callable[[str], Undisturbed]:
    """Return a function that runs a command in a fresh folder, once."""

    def run(command: str) -> Undisturbed:
        if command not in done:
            folder, events = new_place(), []

            def hear(event: str, arguments: tuple[Any, ...]) -> None:
                if event == "open" or event in CHANGES or event in FORBIDDEN:
                    events.append((event, arguments))

            with audited(hear):
                code = main(command.split())
            done[command] = Undisturbed(folder, code, capsys.readouterr().out, files_below(folder), events)
        return done[command]

    return run


def files_below(folder: Path) -> set[str]:
    """Return the files in a folder; the names of new runs hold the time."""
    names = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {str(Path("runs", *name.parts[2:])) if name.parts[0] == "runs" else str(name) for name in names}


def test_every_command_is_here() -> None:
    there = {(entry.name or entry.callback.__name__) for entry in app.registered_commands if entry.callback}
    assert {command.split()[0] for command in COMMANDS if command[0] != "-"} == there


class Lost(io.TextIOWrapper):
    """Standard stream whose writes fail with the error of this number."""

    def __init__(self, number: int) -> None:
        super().__init__(io.BytesIO(), "utf-8")
        self.number = number

    def write(self, text: str) -> int:
        raise OSError(self.number, os.strerror(self.number))


LOST = {
    "closed": {"stdin": None, "stdout": None, "stderr": None},
    "full": {"stdout": Lost(ENOSPC), "stderr": Lost(ENOSPC)},
    "unread": {"stdout": Lost(EPIPE)},
}


@pytest.mark.parametrize("command", COMMANDS, scope="module")
def test_lost_streams_change_no_result(
    command: str,
    undisturbed: Callable[[str], Undisturbed],
    new_place: Callable[[], Path],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, code, printed, files, _ = undisturbed(command)
    for case, streams in LOST.items():
        folder = new_place()
        with monkeypatch.context() as patched:
            for name, stream in streams.items():
                patched.setattr(sys, name, stream)
            lost = main(command.split())
        out, err = capsys.readouterr()
        assert lost == (2 if printed and case != "unread" else code), case
        assert files_below(folder) == files, case
        assert "Traceback" not in out + err and "this is a bug" not in err, case


@pytest.mark.parametrize("command", COMMANDS, scope="module")
def test_a_command_writes_where_it_is_told_and_runs_nothing(
    command: str, undisturbed: Callable[[str], Undisturbed], whole: Path
) -> None:
    """Names relative to an open folder, which only run folders and outputs use, are seen in the files afterwards."""
    ran = undisturbed(command)
    allowed = COMMANDS[command].split()
    assert {name.split("/")[0] for name in ran.files ^ files_below(whole)} <= set(allowed)
    for event, arguments in ran.events:
        if event == "subprocess.Popen" and arguments[1][1:] == OWN:
            continue
        assert event not in FORBIDDEN, (event, arguments)
        count = CHANGES.get(event, int(event == "open" and bool(arguments[2] & WRITES)))
        for path in arguments[:count]:
            assert isinstance(path, int) or is_told(os.fsdecode(path), allowed, ran.folder), (event, arguments)


def is_told(path: str, allowed: list[str], folder: Path) -> bool:
    """Return whether a path is that of an output or of a temporary file beside it, or does not matter."""
    if path == os.devnull or "/" not in path or path.startswith(CACHES):
        return True
    first = Path(os.path.relpath(folder / path, folder)).parts[0]
    return any(first.startswith((name, f".{name}.")) for name in allowed)


@pytest.mark.parametrize("command", [command for command, written in COMMANDS.items() if written], scope="module")
def test_a_signal_leaves_what_was_there(
    command: str, new_place: Callable[[], Path], whole: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The signal comes when the first output is complete, and about to get its name."""
    folder, sent = new_place(), []

    def interrupt(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "os.rename" and not sent:
            sent.append(arguments)
            signal.raise_signal(signal.SIGTERM)

    with audited(interrupt):
        assert main(command.split()) == 130
    assert sent
    assert files_below(folder) == files_below(whole)
    assert capsys.readouterr().err.endswith("caedsl: interrupted\n")

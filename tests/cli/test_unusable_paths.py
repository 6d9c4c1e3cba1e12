"""Every path that a command takes may be a pipe, a device, a socket, a link to nowhere or to itself, or another kind.

None is waited for, read without end or replaced, and each gives a message that names it.
"""

import os
import re
import socket
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import get_type_hints

import pytest

from caedsl.cli.app import app
from tests.cli.workplace import SPEC, new_place, place, whole, words_of
from tests.conftest import Ran
from tests.runs.test_damaged_run_folders import at_most

__all__ = ["new_place", "place", "whole"]  # the fixtures

if sys.platform == "win32":
    pytest.skip("pipes, devices and links are those of POSIX", allow_module_level=True)

SECONDS = 300

READ = {
    ("check", "paths"): ["check {bad}"],
    ("fmt", "paths"): ["fmt {bad}", "fmt --check {bad}"],
    ("show", "spec"): ["show {bad}"],
    ("graph", "spec"): ["graph {bad}"],
    ("emit", "spec"): ["emit {bad}"],
    ("data", "spec"): ["data {bad}"],
    ("train", "spec"): ["train {bad}"],
    ("train", "resume"): ["train --resume {bad}"],
    ("train", "weights"): ["train tiny.cae --out new --weights {bad}"],
    ("doctor", "subject"): ["doctor {bad}", "doctor {bad}.onnx --data digits", "doctor {bad}.py:Net --data digits"],
    ("evaluate", "run"): ["evaluate {bad}"],
    ("evaluate", "test"): ["evaluate run --test {bad}", "evaluate run --test {bad}.csv"],
    ("report", "run"): ["report {bad}"],
    ("compare", "runs"): ["compare {bad}", "compare run {bad}"],
    ("reconstruct", "run"): ["reconstruct {bad} images -o new"],
    ("reconstruct", "path"): [
        *(f"reconstruct run {{bad}}{ending} -o new" for ending in ("", ".png", ".npz")),
        "reconstruct run 'npz \"{bad}.npz\"' -o new",
    ],
    ("encode", "run"): ["encode {bad}"],
    ("encode", "path"): ["encode run {bad}"],
    ("decode", "run"): ["decode {bad} codes.npy -o new"],
    ("decode", "codes"): [f"decode run {{bad}}.{ending} -o new" for ending in ("npy", "npz", "csv", "parquet")],
    ("sample", "run"): ["sample {bad} -o new"],
    ("calibrate", "run"): ["calibrate {bad}"],
    ("calibrate", "good"): ["calibrate run {bad}"],
    ("score", "run"): ["score {bad} images"],
    ("score", "paths"): ["score run {bad}", "score run images {bad}.npy"],
    ("export", "run"): ["export {bad} -o new"],
    ("export", "samples"): ["export run --samples {bad} -o new.pt2"],
    ("runs", "folder"): ["runs {bad}"],
    ("import", "model"): [
        f"import {{bad}}.{ending}" for ending in ("keras", "h5", "onnx", "pt2", "pt", "py", "py:Net")
    ],
}
"""Commands by their name and a parameter that is a path to read, which is ``bad``."""

WRITTEN = {
    ("graph", "output"): ["graph tiny.cae -o {bad}.svg"],
    ("emit", "output"): ["emit tiny.cae -o {bad}"],
    ("data", "output"): ["data tiny.cae --overwrite -o {bad}.png"],
    ("train", "out"): ["train tiny.cae --quiet --out {bad}"],
    ("doctor", "html"): ["doctor tiny.cae --budget 1s --quiet --overwrite --html {bad}"],
    ("doctor", "output"): ["doctor tiny.cae --budget 1s --quiet --overwrite -o {bad}"],
    ("report", "output"): ["report run --overwrite -o {bad}.html"],
    ("reconstruct", "output"): [
        "reconstruct run images --overwrite -o {bad}",
        *(f"reconstruct run images.npy --overwrite -o {{bad}}{ending}" for ending in ("", ".npy", ".npz")),
    ],
    ("encode", "output"): [f"encode run images --overwrite -o {{bad}}.{ending}" for ending in ("npz", "csv")],
    ("decode", "output"): [f"decode run codes.npy --overwrite -o {{bad}}{ending}" for ending in ("", ".npy")],
    ("sample", "output"): [f"sample run --overwrite -o {{bad}}{ending}" for ending in ("", ".npy")],
    ("score", "csv"): ["score run images --overwrite --csv {bad}"],
    ("score", "maps"): ["score run images --overwrite --maps {bad}"],
    ("export", "output"): [f"export run --overwrite -o {{bad}}{ending}" for ending in ("", ".pt2")],
    ("import", "output"): ["import net.keras --overwrite -o {bad}"],
    ("import", "weights"): ["import net.keras --overwrite --weights {bad}"],
    ("new", "name"): ["new {bad}"],
}
"""Commands by their name and a parameter that is a path to write."""

OTHERS = {"data_dir", "data_root"}
"""Folders whose own kind does not matter: files of published names are looked for in one, none is read outside the
other."""

KINDS: dict[str, Callable[[Path], object]] = {
    "pipe": os.mkfifo,
    "socket": lambda path: _bind(path),
    "device": lambda path: path.symlink_to("/dev/zero"),
    "dangling": lambda path: path.symlink_to("nowhere/at/all"),
    "loop": lambda path: path.symlink_to(path.name),
    "node": lambda path: os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3)),
    "folder": lambda path: path.mkdir() or (path / "kept.txt").write_text("kept"),
    "forbidden": lambda path: path.write_text(SPEC) and path.chmod(0),
}


def _bind(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(path.name)  # the whole path may be too long for one


def kinds() -> list[str]:
    """Return the kinds that stop this user: nothing is forbidden to root, and only root may create devices."""
    return [kind for kind in KINDS if kind != ("node" if os.geteuid() else "forbidden")]


def made(kind: str, command: str) -> Path:
    """Create something of this kind under the name that a command uses, and return its path."""
    ending = re.search(r"\{bad\}((?:\.\w+)?)", command)
    assert ending is not None
    path = Path(f"{kind}{ending[1]}" + (".cae" if command.startswith("new ") else ""))
    KINDS[kind](path)
    return path


def described(path: Path) -> tuple[object, ...]:
    """Return what must stay the same of a path."""
    status = path.lstat()
    link = os.readlink(path) if path.is_symlink() else None
    return stat.S_IFMT(status.st_mode), status.st_ino, link, sorted(os.listdir(path)) if path.is_dir() else None


def named(command: str) -> str:
    """Return the name of a test."""
    return command.replace("{bad}", "BAD")


@pytest.mark.parametrize("command", [each for commands in READ.values() for each in commands], ids=named)
def test_paths_to_read(command: str, place: Path, caedsl: Callable[..., Ran]) -> None:
    for kind in kinds():
        path = made(kind, command)
        before = described(path)
        with at_most(SECONDS):
            ran = caedsl(*words_of(command, kind))
        assert ran.code == 2 or command == "runs {bad}", ran
        assert kind in ran.err + ran.out or command.startswith("doctor"), ran
        assert described(path) == before, ran


@pytest.mark.parametrize("command", [each for commands in WRITTEN.values() for each in commands], ids=named)
def test_paths_to_write(command: str, place: Path, caedsl: Callable[..., Ran]) -> None:
    """What is there stays what it is, even if files may be replaced.

    No case leads to a device of the system: run by root, a command that fails this test would replace it.
    """
    for kind in {"pipe", "socket", "node"} & set(kinds()):
        path = made(kind, command)
        before = described(path)
        with at_most(SECONDS):
            ran = caedsl(*words_of(command, kind))
        assert ran.code == 2, ran
        assert kind in ran.err, ran
        assert described(path) == before, ran


def test_every_path_is_here() -> None:
    """``check`` and ``fmt`` have their own parser, and a spec may be standard input, so their paths are texts."""
    texts = {"spec", "subject", "model", "name"}
    found = {("check", "paths"), ("fmt", "paths")}
    for entry in app.registered_commands:
        assert entry.callback is not None
        for parameter, kind in get_type_hints(entry.callback).items():
            is_path = "Path" in str(kind) or parameter in texts
            if is_path and parameter not in OTHERS and (entry.name or entry.callback.__name__) != "rule":
                found.add((entry.name or entry.callback.__name__, parameter))
    assert found == {*READ, *WRITTEN}

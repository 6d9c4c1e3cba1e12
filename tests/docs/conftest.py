"""A copy of the project in which pages may do what they show."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import ROOT

Shell = Callable[[str], "subprocess.CompletedProcess[str]"]

_COPIED = ("caedsl", "grammars", "specs", "examples")
_PROGRAMS = {"python": [], "caedsl": ["-m", "caedsl"], "torchrun": ["-m", "torch.distributed.run"]}
_ENVIRONMENT = {"COLUMNS": "100", "NO_COLOR": "1", "OMP_NUM_THREADS": "1", "LANG": "C.UTF-8"}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of a user's files and a model saved by Keras, as the current folder."""
    folder = tmp_path / "project"
    folder.mkdir()
    for name in _COPIED:
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "tests" / "importing" / "keras" / "files" / "article.keras", folder / "mnist.keras")
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    return folder


@pytest.fixture
def shell(project: Path, tmp_path: Path, python: str) -> Shell:
    """Return a function that runs a command line there.

    ``caedsl`` runs the copy, ``python`` is this Python, and ``~/Pictures`` holds photographs.
    """
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, options in _PROGRAMS.items():
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec {shlex.join([python, *options])} "$@"\n')
        program.chmod(0o755)
    pictures = tmp_path / "home" / "Pictures"
    pictures.mkdir(parents=True)
    for number in range(12):
        Image.effect_mandelbrot((90, 70), (-2 + number / 8, -1.5, 1 - number / 8, 1.5), 60).convert("RGB").save(
            pictures / f"{number}.jpg"
        )
    environment = {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(project),
        "HOME": str(tmp_path / "home"),
        **_ENVIRONMENT,
    }

    def run(command: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["bash", "-c", command],
            cwd=project,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            check=False,
            timeout=300,
        )

    return run

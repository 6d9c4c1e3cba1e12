"""Each benchmark runs, on so little data that its figures are meaningless."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.torch
ROOT = Path(__file__).resolve().parents[2]

SMALL = {
    "codes": ["--rounds", "1", "--steps", "2", "--batch", "2"],
    "evaluation": ["specs/digits.cae", "--rounds", "1", "--steps", "2", "--held-out", "10"],
    "monitors": ["specs/digits.cae", "--rounds", "1", "--steps", "5"],
}
"""Measure in their own process, and change nothing in it."""
IN_PROCESSES = {
    "inference": ["specs/digits.cae", "--images", "24", "--rounds", "1", "--batch", "8"],
    "streaming": ["--images", "20", "--rounds", "1", "--seconds", "0.01"],
    "threads": ["specs/digits.cae", "--images", "64", "--epochs", "2", "--rounds", "1", "--busy", "0"],
    "startup": ["--runs", "1"],
}


@pytest.mark.parametrize("name", SMALL)
def test_it_runs_on_little(name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    script = f"benchmarks/{name}.py"
    monkeypatch.setattr(sys, "argv", [script, *SMALL[name]])
    monkeypatch.setattr(sys, "path", [str(ROOT / "benchmarks"), *sys.path])
    runpy.run_path(script, run_name="__main__")
    assert "ratio" in capsys.readouterr().out


@pytest.mark.parametrize("name", IN_PROCESSES)
def test_it_runs_with_its_processes_on_little(name: str, python: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [python, f"benchmarks/{name}.py", *IN_PROCESSES[name]]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "ratio" in done.stdout

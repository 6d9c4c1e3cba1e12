"""Each benchmark runs, on so little data that its figures are meaningless."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.torch
ROOT = Path(__file__).resolve().parents[2]

SMALL = {
    "codes": ["--rounds", "1", "--steps", "2", "--batch", "2"],
    "evaluation": ["specs/digits.cae", "--rounds", "1", "--steps", "2", "--held-out", "10"],
    "inference": ["specs/digits.cae", "--images", "24", "--rounds", "1", "--batch", "8"],
    "monitors": ["specs/digits.cae", "--rounds", "1", "--steps", "5"],
    "streaming": ["--images", "150", "--rounds", "1", "--seconds", "0.1"],
    "threads": ["specs/digits.cae", "--images", "200", "--epochs", "2", "--rounds", "1", "--busy", "0"],
    "startup": ["--runs", "1"],
}


@pytest.mark.parametrize("name", SMALL)
def test_it_runs_on_little(name: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, f"benchmarks/{name}.py", *SMALL[name]]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "ratio" in done.stdout

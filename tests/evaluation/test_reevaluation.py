"""Repeated evaluation of a run from its folder alone, on a machine that rounds differently."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from caedsl.evaluation.evaluated_run import train_and_evaluate
from caedsl.evaluation.reevaluation import evaluate_again
from tests.training.tiny import model_of

SPEC = """
autoencoder small
input 1x8x8
data digits limit=300
encoder { conv 8 relu norm=batch; conv 8 leaky_relu s2 }
bottleneck dense 6
decoder { dense 128 relu; reshape 8x4x4; upsample 2; conv 8 relu; conv 1 sigmoid }
train { epochs 2; corrupt gaussian=0.3 saltpepper=5% }
"""
ELSEWHERE = {
    "another processor": {
        "ATEN_CPU_CAPABILITY": "default",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
        "OPENBLAS_CORETYPE": "Nehalem",
    },
    "one thread": {"OMP_NUM_THREADS": "1"},
}


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run, brought to another place."""
    made = tmp_path_factory.mktemp("made") / "run"
    train_and_evaluate(model_of(SPEC), spec_text=SPEC, out=made, pictures=False)
    return Path(shutil.move(made, tmp_path_factory.mktemp("moved") / "it"))


@pytest.mark.parametrize("machine", ELSEWHERE)
def test_another_machine_comes_to_the_same_digits(machine: str, moved: Path) -> None:
    command = [sys.executable, "-m", "caedsl", "evaluate", str(moved)]
    environment = {**os.environ, **ELSEWHERE[machine]}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert "all values agree" in ran.stdout


def test_a_digit_that_differs_is_reported(moved: Path) -> None:
    metrics = json.loads((moved / "metrics.json").read_text())
    before = metrics["scores"]["model"]["mse"]
    metrics["scores"]["model"]["mse"] = changed = float(f"{before * (1 + 2e-5):.6g}")
    (moved / "metrics.json").write_text(json.dumps(metrics))
    assert evaluate_again(moved).differences == (f"scores.model.mse: {changed} then, {before} now",)

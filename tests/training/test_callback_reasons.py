"""Reasons to stop that callbacks return."""

from pathlib import Path

import pytest

from caedsl.runs.errors import TrainingError
from caedsl.training.loop import Callback, Training
from caedsl.training.train import train

from .tiny import model_of

pytestmark = pytest.mark.torch
SPEC = """autoencoder stopped
input 1x8x8
data digits limit=40
encoder { conv 2; maxpool 2 }
bottleneck dense 2
decoder mirror
train { batch 8; epochs 2; threads 1; precision fp32 }
"""


class AtOnce(Callback):
    def on_start(self, training: Training) -> str:
        return "enough"


def test_a_reason_before_the_first_step_is_an_error_and_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="before its first step, with the reason 'enough'"):
        train(model_of(SPEC), spec_text=SPEC, out=tmp_path / "run", callbacks=[AtOnce()])
    assert not (tmp_path / "run").exists()

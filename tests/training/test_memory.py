"""Out-of-memory errors name what fits, found by trying after the failure."""

import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from caedsl.machine.memory import own_process
from caedsl.runs.errors import TrainingError
from caedsl.runs.history import Step
from caedsl.training.errors import OutOfMemoryError, is_out_of_memory
from caedsl.training.loop import Callback, Training
from caedsl.training.objective import Losses
from caedsl.training.prepare import prepare
from caedsl.training.run import Run
from caedsl.training.search.trials import copy_of, fits
from caedsl.training.train import train
from caedsl.vocabulary.term import Term

from .tiny import QUICK, blobs, model_of, tiny

SPEC = """
autoencoder small
input 1x8x8
data digits limit=60
encoder { conv 2 relu norm=batch; maxpool 2 }
bottleneck dense 3
decoder mirror
train { optimizer adam lr=LR; batch 40; epochs 3; precision fp32 }
"""
SAYINGS = (
    RuntimeError("[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory"),
    RuntimeError("could not create a primitive"),
    RuntimeError("CUDA error: out of memory"),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    MemoryError(),
)


def run(out: Path, lr: str = "1e-2") -> Run:
    text = SPEC.replace("LR", lr)
    with own_process():
        return train(model_of(text), spec_text=text, out=out)


def room_for(images: int, monkeypatch: pytest.MonkeyPatch, error: Exception, after: int = 0) -> None:
    """Let the allocator have room for only so many images from step ``after`` on."""
    take_step = Training.take_step

    def optimize(self: Training, *x: Any) -> Losses:
        if len(x[0]) > images and (self.step >= after or len(x[0]) != 40):
            raise error
        return take_step(self, *x)

    monkeypatch.setattr(Training, "take_step", optimize)


@pytest.mark.parametrize("error", SAYINGS, ids=lambda error: str(error)[:30] or "MemoryError")
def test_the_error_names_the_batch_that_fits(error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room_for(13, monkeypatch, error)
    with pytest.raises(OutOfMemoryError, match=r"^out of memory with batch 40: 10 fit: add `--set train\.batch=10`"):
        run(tmp_path / "run")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux needs a limit")
def test_a_run_in_python_leaves_the_limits_of_the_process_alone(tmp_path: Path) -> None:
    import resource

    class Limits(Callback):
        def __init__(self) -> None:
            self.found: set[tuple[int, int]] = set()

        def on_step(self, training: Training, step: Step) -> None:
            self.found.add(resource.getrlimit(resource.RLIMIT_DATA))

    text, limits, before = SPEC.replace("LR", "1e-2"), Limits(), resource.getrlimit(resource.RLIMIT_DATA)
    train(model_of(text), spec_text=text, out=tmp_path / "run", callbacks=[limits])
    assert limits.found == {before}


def test_the_error_in_python_suggests_half_the_batch_and_tries_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room_for(13, monkeypatch, SAYINGS[0])
    text = SPEC.replace("LR", "1e-2")
    with pytest.raises(OutOfMemoryError, match=r"^out of memory with batch 40: try `--set train\.batch=20`"):
        train(model_of(text), spec_text=text, out=tmp_path / "run")


def test_the_error_says_where_nothing_smaller_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room_for(0, monkeypatch, SAYINGS[0])
    with pytest.raises(OutOfMemoryError, match=r"while this run holds memory: try `--set train\.batch=1`"):
        run(tmp_path / "run")


def test_a_refusal_of_onednn_that_no_batch_cures_is_not_reported_as_out_of_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room_for(0, monkeypatch, SAYINGS[1])
    with pytest.raises(TrainingError, match=r"^oneDNN, .* fails for every batch size"):
        run(tmp_path / "run")


def test_what_was_learned_before_is_kept_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run(tmp_path / "whole")
    room_for(30, monkeypatch, SAYINGS[3], after=whole.history.epochs[0].step)
    with pytest.raises(OutOfMemoryError, match=r"20 fit.*the best weights before it are in .*run"):
        run(tmp_path / "run")
    first = (tmp_path / "run" / "history.jsonl").read_text().splitlines()
    assert len(first) == 1
    assert (tmp_path / "run" / "weights.safetensors").exists()


def test_memory_that_runs_out_in_the_range_test_is_the_same_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room_for(25, monkeypatch, SAYINGS[0])
    with pytest.raises(OutOfMemoryError, match=r"with batch 40: 20 fit"):
        run(tmp_path / "run", lr="auto")


def test_other_errors_stay_what_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    room_for(0, monkeypatch, RuntimeError("something else"))
    with pytest.raises(RuntimeError, match="something else"):
        fits(prepare(tiny(), blobs(), QUICK), 4)


def test_a_trial_changes_nothing_of_the_run() -> None:
    training = prepare(tiny(), blobs(), QUICK, code=[Term("l1", 1e-3, "bottleneck")])
    before = training.weights()
    trial = copy_of(training)
    assert fits(trial, 8)
    assert all(torch.equal(value, before[name]) for name, value in training.weights().items())
    assert not all(torch.equal(value, before[name]) for name, value in trial.weights().items())
    assert not training.optimizer.state
    assert training.step == 0

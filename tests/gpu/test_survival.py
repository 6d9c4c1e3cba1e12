"""Interrupted runs on a GPU, and how they resume."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from caedsl.training.compiled_network import CompiledNetwork
from caedsl.training.errors import OutOfMemoryError
from caedsl.training.resume import resume
from tests.training.test_resume import SPEC, begin, killed_at, rows
from tests.training.tiny import always_keep

from .runs import pictures, run_on, steps


def test_a_run_resumed_within_an_epoch_continues_identically(
    gpu: torch.device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(tmp_path / "whole", device=gpu.type)
    always_keep(monkeypatch)
    killed_at(8, monkeypatch, lambda: begin(tmp_path / "killed", device=gpu.type))
    resume(tmp_path / "killed", device=gpu.type)
    for mine, theirs in zip(rows(tmp_path / "whole"), rows(tmp_path / "killed"), strict=True):
        assert mine["loss"] == pytest.approx(theirs["loss"], rel=1e-4)
    assert json.loads((tmp_path / "killed" / "state.json").read_text())["state"] == "finished"


def test_a_batch_that_does_not_fit_is_an_error_that_names_one_that_does(cuda: torch.device, tmp_path: Path) -> None:
    held = torch.empty(int(0.9 * torch.cuda.mem_get_info(cuda)[0]), dtype=torch.uint8, device=cuda)
    wide = SPEC.replace("conv 2 relu", "conv 60000 relu").replace("batch 10", "batch 60")
    with pytest.raises(OutOfMemoryError, match=r"out of memory with batch 60"):
        begin(tmp_path / "run", wide, device="cuda")
    del held


def test_training_continues_without_a_compiler_that_fails_in_the_backward_pass(
    cuda: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(torch.autograd.Function):
        @staticmethod
        def forward(ctx: object, x: torch.Tensor) -> torch.Tensor:
            return x.clone()

        @staticmethod
        def backward(ctx: object, *gradients: torch.Tensor) -> torch.Tensor:
            raise RuntimeError("no working C compiler")

    monkeypatch.setattr(torch, "compile", lambda network, **settings: lambda x: Broken.apply(network(x)))
    run = run_on(cuda, "precision fp32", images=pictures(64, 1, 12, 12))
    compiled = CompiledNetwork(run.module)
    run.network = run.joined = compiled
    losses = steps(run, 20)
    assert compiled.failure == "no working C compiler"
    assert losses[-1] < losses[0]


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="this needs two CUDA devices")
def test_two_devices_take_the_steps_of_one(tmp_path: Path) -> None:
    (tmp_path / "spec.cae").write_text(SPEC)
    for name, start in (("one", []), ("two", ["torch.distributed.run", "--nproc-per-node", "2", "-m"])):
        command = [sys.executable, "-m", *start, "caedsl", "train", "spec.cae", "--out", name, "--device", "cuda"]
        subprocess.run(command, cwd=tmp_path, check=True)
    for mine, theirs in zip(rows(tmp_path / "one"), rows(tmp_path / "two"), strict=True):
        assert mine["loss"] == pytest.approx(theirs["loss"], rel=1e-3)

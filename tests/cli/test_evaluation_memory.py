"""An evaluation that does not fit into memory continues in smaller pieces, or says why it cannot."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from caedsl.evaluation.halving import HalvingPredictor
from caedsl.evaluation.reevaluation import TOLERANCE
from caedsl.runs.errors import RunError
from caedsl.runs.listing import read_run
from caedsl.runs.run_folder import RunFolder
from caedsl.training.errors import OutOfMemoryError
from tests.conftest import Ran

SPEC = """autoencoder tiny
input 1x8x8
data digits limit=60
encoder { conv 2 relu; maxpool 2 }
bottleneck dense 2
decoder mirror
train { epochs 1; batch 16; corrupt gaussian=0.1; precision fp32 }
"""

Run = Callable[..., Ran]


class Limited:
    """A predictor that has memory for a few images."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.sizes: list[int] = []

    def __call__(self, x_bchw: Tensor) -> Tensor:
        self.sizes.append(len(x_bchw))
        if len(x_bchw) > self.most:
            raise RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory")
        return 2 * x_bchw


def test_it_halves_until_the_images_fit_and_keeps_the_size() -> None:
    limited = Limited(5)
    pieces, images = HalvingPredictor(limited), torch.rand(32, 1, 4, 4)
    assert torch.equal(pieces(images), 2 * images)
    assert limited.sizes == [32, 16, 8, *8 * [4]]
    limited.sizes.clear()
    assert torch.equal(pieces(images[:6]), 2 * images[:6])
    assert limited.sizes == [4, 2]


def test_not_even_one_image_is_an_error_and_others_are_not_hidden() -> None:
    with pytest.raises(OutOfMemoryError, match="no room for one sample"):
        HalvingPredictor(Limited(0))(torch.rand(3, 1, 4, 4))

    def broken(x_bchw: Tensor) -> Tensor:
        raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes do not fit"):
        HalvingPredictor(broken)(torch.rand(3, 1, 4, 4))


def trained(tmp_path: Path, caedsl: Run, name: str) -> tuple[Ran, Path]:
    (tmp_path / "tiny.cae").write_text(SPEC)
    return caedsl("train", tmp_path / "tiny.cae", "--out", tmp_path / name), tmp_path / name


def test_pieces_give_the_same_digits(tmp_path: Path, caedsl: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    _, whole = trained(tmp_path, caedsl, "whole")

    def limited(self: HalvingPredictor, x_bchw: Tensor) -> Tensor:
        return torch.cat([self.predictor(piece) for piece in torch.split(x_bchw, 3)])

    monkeypatch.setattr(HalvingPredictor, "__call__", limited)
    _, pieces = trained(tmp_path, caedsl, "pieces")
    scores = [json.loads((run / "metrics.json").read_text())["scores"] for run in (pieces, whole)]
    assert scores[0]["model"] == pytest.approx(scores[1]["model"], rel=TOLERANCE)


def test_a_run_without_metrics_says_why_and_can_be_evaluated(
    tmp_path: Path,
    caedsl: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(self: HalvingPredictor, x_bchw: Tensor) -> Tensor:
        raise OutOfMemoryError("out of memory: no room for one sample")

    with monkeypatch.context() as patched:
        patched.setattr(HalvingPredictor, "__call__", full)
        ran, run = trained(tmp_path, caedsl, "run")
    assert ran.code == 2
    assert f"caedsl train --resume {run} evaluates them" in ran.err
    record = read_run(run)
    assert record is not None
    assert record.state == "failed"
    assert record.error is not None and record.error.startswith("not evaluated: out of memory")
    assert caedsl("train", "--resume", run).code == 0
    assert json.loads((run / "metrics.json").read_text())["images"] == 6


def test_a_run_that_was_killed_before_its_evaluation_is_not_finished(tmp_path: Path, caedsl: Run) -> None:
    _, run = trained(tmp_path, caedsl, "run")
    (run / "metrics.json").unlink()
    record = read_run(run)
    assert record is not None
    assert (record.state, record.error) == (
        "crashed",
        "it ended before its evaluation: `caedsl train --resume` evaluates it",
    )


def test_a_picture_that_cannot_be_written_is_a_note(
    tmp_path: Path,
    caedsl: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write = RunFolder.write_bytes

    def no_pictures(self: RunFolder, name: str, content: bytes) -> Path:
        if name.endswith(".png"):
            raise RunError(f"cannot write {name}: no space left on device")
        return write(self, name, content)

    monkeypatch.setattr(RunFolder, "write_bytes", no_pictures)
    ran, run = trained(tmp_path, caedsl, "run")
    assert ran.code == 0
    assert "training continues without pictures" in ran.err and "the run is complete except for this picture" in ran.err
    assert (run / "metrics.json").exists()


def test_memory_that_runs_out_elsewhere_is_reported_too(
    tmp_path: Path,
    caedsl: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*arguments: object) -> None:
        raise MemoryError

    monkeypatch.setattr("caedsl.evaluation.evaluated_run.evaluate", full)
    ran, _ = trained(tmp_path, caedsl, "run")
    assert ran.code == 2
    assert "out of memory while the run was evaluated" in ran.err

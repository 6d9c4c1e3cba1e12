"""The training benchmark: contenders train in turns, on the same images, to the same loss.

A contender that cannot do so is skipped.
"""

import sys
from pathlib import Path

import pytest

from benchmarks.contenders import CONTENDERS, LOOP, Contender, arithmetic, roofline
from benchmarks.contenders.task import Task
from benchmarks.training import Result, print_table, race

SPEC = """\
autoencoder small
input 1x8x8
data digits
encoder { conv 8 relu l2=1e-4; maxpool 2 }
bottleneck
decoder { upsample 2; conv 1 sigmoid }
train { loss mse; optimizer adam lr=1e-2; batch 32 }
"""


def test_the_contenders_come_to_the_same_loss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], python: str
) -> None:
    spec = tmp_path / "small.cae"
    spec.write_text(SPEC)
    monkeypatch.setattr(sys, "executable", python)
    monkeypatch.setitem(CONTENDERS, "absent", Contender("by_nobody", ""))
    task = Task(str(spec), images=320, epochs=9)
    results = race(["caedsl fp32", "by hand fp32", LOOP, "absent"], task)
    ours, theirs, _ = results
    assert [len(result.seconds) for result in results] == [8, 8, 8]
    first, last = ours.losses[0], ours.losses[-1]
    assert first is not None and last is not None and last < 0.7 * first
    assert last == pytest.approx(theirs.losses[-1], rel=0.1)
    monkeypatch.setattr(arithmetic, "SIDES", (64,))
    monkeypatch.setattr(roofline, "COPIED", 1 << 16)
    print_table(results, task)
    said = capsys.readouterr()
    assert "absent is left out" in said.err
    assert "caedsl fp32" in said.out


def test_a_loss_that_a_contender_does_not_return_is_no_nan() -> None:
    assert Result("silent", losses=[None]).last_loss == "-"
    assert Result("diverged", losses=[float("nan")]).last_loss == "nan"
    assert Result("trained", losses=[0.25]).last_loss == "0.25000"


def test_the_work_of_a_training_step(tmp_path: Path) -> None:
    spec = tmp_path / "small.cae"
    spec.write_text(SPEC)
    first, last = 8 * 8 * 8 * 9, 8 * 8 * 8 * 9
    assert arithmetic.work_of(Task(str(spec), 32, 1).model) == 2 * (2 * first + 3 * last)


def test_a_layer_is_bound_by_its_products_or_its_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = tmp_path / "small.cae"
    spec.write_text(SPEC)
    monkeypatch.setattr(
        roofline, "_product_seconds", lambda rows, depth, columns, dtype, device: rows * depth * columns
    )
    monkeypatch.setattr(roofline, "bytes_a_second", lambda dtype, device: 1e30)
    task = Task(str(spec), 32, 1)
    first = last = 8 * 8 * 8 * 9
    merged = 4 / 9  # 4 products a pixel instead of 9: the kernel takes the upsampling over
    assert roofline.images_a_second(task.model, 32, "fp32", "cpu") == pytest.approx(1 / (2 * first + merged * 3 * last))
    monkeypatch.setattr(roofline, "bytes_a_second", lambda dtype, device: 1e-30)
    numbers = 3 * 64 + 2 * 512 + 3 * 512 + 2 * 128 + 3 * 128 + 2 * 64
    assert roofline.images_a_second(task.model, 32, "fp32", "cpu") == pytest.approx(1e-30 / (4 * numbers))

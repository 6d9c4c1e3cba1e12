"""The race of training: contenders train by turns, on the same images, to the same loss.

One that cannot is left out.
"""

from pathlib import Path

import pytest

from benchmarks.contenders import CONTENDERS, Contender
from benchmarks.contenders.arithmetic import Bound
from benchmarks.contenders.task import Task
from benchmarks.training import print_table, race

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
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "small.cae"
    spec.write_text(SPEC)
    monkeypatch.setitem(CONTENDERS, "absent", Contender("by_nobody", ""))
    task = Task(str(spec), images=320, epochs=9)
    results = race(["caedsl fp32", "by hand fp32", "absent"], task)
    ours, theirs = results
    assert [len(result.seconds) for result in results] == [8, 8]
    assert ours.losses[-1] < 0.7 * ours.losses[0]
    assert ours.losses[-1] == pytest.approx(theirs.losses[-1], rel=0.1)
    print_table(results, task)
    said = capsys.readouterr()
    assert "absent is left out" in said.err
    assert "caedsl fp32" in said.out


def test_the_work_of_a_training_step(tmp_path: Path) -> None:
    spec = tmp_path / "small.cae"
    spec.write_text(SPEC)
    first, last = 8 * 8 * 8 * 9, 8 * 8 * 8 * 9
    assert Bound.of(Task(str(spec), 32, 1).model, "fp32").work == 2 * (2 * first + 3 * last)

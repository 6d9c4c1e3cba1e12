"""A run that ended early resumes as if it had not been interrupted."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from caedsl.runs.errors import RunError
from caedsl.training.loop import Training
from caedsl.training.objective import Losses
from caedsl.training.reporter import Reporter
from caedsl.training.resume import resume
from caedsl.training.train import train
from caedsl.vocabulary.augmentations import AUGMENTATIONS
from caedsl.vocabulary.corruptions import CORRUPTIONS
from caedsl.vocabulary.optimizers import OPTIMIZERS
from caedsl.vocabulary.schedules import SCHEDULES
from tests.backends.test_same_steps import example, required
from tests.conftest import ROOT

from .tiny import always_keep, model_of

SPEC = """
autoencoder small
input 1x8x8
data digits limit=60
encoder { conv 2 relu norm=batch dropout=0.2; maxpool 2 }
bottleneck dense 3
decoder mirror
train { optimizer adam lr=1e-2; batch 10; epochs 3; corrupt gaussian=0.2; augment flip shift=1; precision fp32 }
"""
VARIANTS = {
    "adam": SPEC,
    "averaged": SPEC.replace("epochs 3", "epochs 3; ema 0.9; clip 1; schedule plateau patience=1"),
    "momentum": SPEC.replace("adam lr=1e-2", "sgd lr=1e-2 momentum=0.9").replace(
        "epochs 3", "epochs 3; schedule cosine"
    ),
    "rmsprop": SPEC.replace("adam lr=1e-2", "rmsprop lr=1e-2").replace("epochs 3", "epochs 3; schedule onecycle"),
    "bf16": SPEC.replace("fp32", "bf16").replace("epochs 3", "epochs 3; validation 0%"),
}


CODES = (
    "variational 3 beta=0.1 warmup=50%",
    "quantized 6x2 ema=0.9",
    "quantized 6x2 update=gradient",
    "variational conv 2 free_bits=0.1",
    "variational 3 free_nats=1",
    "variational 3 capacity=2 warmup=50%",
    "dense 6 topk=2 noise=0.1",
    "conv 2 sigmoid sparsity=10%",
)
LOSSES = ("mse", "bce", "huber worst=25%", "mae + 0.1 ssim", "charbonnier reduction=sum", "focal")


def every_word() -> Iterator[str]:
    """Yield specs that together have every optimizer, schedule, corruption and augmentation, and every kind of code."""
    words = zip(
        cycle(f"{name} lr=1e-3 {required(kind.own)}" for name, kind in OPTIMIZERS.items()),
        cycle(f"{name} {required(kind.options)} warmup=20%" for name, kind in SCHEDULES.items()),
        cycle(example(kind.option) for kind in CORRUPTIONS.values()),
        cycle(example(kind.option) for kind in AUGMENTATIONS.values() if 2 in kind.ranks),
        cycle(CODES),
        cycle(LOSSES),
        strict=False,
    )
    longest = max(map(len, (OPTIMIZERS, SCHEDULES, CORRUPTIONS, AUGMENTATIONS, CODES, LOSSES)))
    for optimizer, schedule, corruption, augmentation, code, loss in islice(words, longest):
        lines = f"loss {loss}; optimizer {optimizer}; schedule {schedule}; corrupt {corruption}; augment {augmentation}"
        text = SPEC.partition("train {")[0].replace("dense 3", code)
        yield f"{text}train {{ {lines}; batch 10 accumulate=2; epochs 3; precision fp32 }}\n"


VARIANTS |= {text.rpartition("train {")[2].partition("; corrupt")[0]: text for text in every_word()}


class Killed(BaseException):
    """Exception that no code of the package expects."""


def killed_at(step: int, monkeypatch: pytest.MonkeyPatch, work: Callable[[], object]) -> None:
    """Run ``work`` and kill it once the step has been taken, so that only files written by then exist."""
    take_step = Training.take_step

    def optimize_or_die(self: Training, *x: Any) -> Losses:
        if self.step == step:
            raise Killed
        return take_step(self, *x)

    with monkeypatch.context() as patched:
        patched.setattr(Training, "take_step", optimize_or_die)
        # A process that is killed writes nothing more.
        patched.setattr("caedsl.training.run._save_what_was_learned", lambda *_: None)
        patched.setattr("caedsl.training.train.RunFolder.discard", lambda _: None)
        with pytest.raises(Killed):
            work()


def begin(out: Path, text: str = SPEC, **options: Any) -> None:
    train(model_of(text), spec_text=text, out=out, **options)


def rows(run: Path) -> list[dict[str, float]]:
    read = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    return [{key: value for key, value in row.items() if "second" not in key} for row in read]


def assert_same(a: Path, b: Path) -> None:
    assert rows(a) == rows(b)
    for name in ("weights.safetensors", "last.safetensors"):
        mine, theirs = load_file(a / name), load_file(b / name)
        assert mine.keys() == theirs.keys()
        assert all(torch.equal(mine[key], theirs[key]) for key in mine)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run of ``SPEC`` that was not disturbed."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    begin(folder)
    return folder


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_killed_run_ends_as_one_that_was_not(variant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = VARIANTS[variant]
    begin(tmp_path / "whole", text)
    always_keep(monkeypatch)
    killed_at(2, monkeypatch, lambda: begin(tmp_path / "killed", text))
    killed_at(8, monkeypatch, lambda: resume(tmp_path / "killed"))
    resume(tmp_path / "killed")
    assert_same(tmp_path / "whole", tmp_path / "killed")
    assert json.loads((tmp_path / "killed" / "state.json").read_text())["state"] == "finished"


def test_a_run_killed_before_its_first_checkpoint_starts_from_the_beginning(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_at(2, monkeypatch, lambda: begin(tmp_path / "killed"))
    resume(tmp_path / "killed")
    assert_same(whole, tmp_path / "killed")


@pytest.mark.parametrize("step", [1, 6, 15])
def test_an_interrupted_run_resumes_where_it_stopped(
    step: int, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_step = Training.take_step

    def interrupted(self: Training, *x: Any) -> Losses:
        if self.step == step:
            os.kill(os.getpid(), signal.SIGTERM)
        return take_step(self, *x)

    with monkeypatch.context() as patched:
        patched.setattr(Training, "take_step", interrupted)
        begin(tmp_path / "run")
    assert json.loads((tmp_path / "run" / "state.json").read_text())["state"] == "interrupted"
    resume(tmp_path / "run")
    assert_same(whole, tmp_path / "run")


def test_more_epochs_are_as_if_they_had_been_asked_for_at_once(tmp_path: Path) -> None:
    begin(tmp_path / "three")
    begin(tmp_path / "five", SPEC.replace("epochs 3", "epochs 5"))
    resume(tmp_path / "three", epochs=5)
    assert_same(tmp_path / "five", tmp_path / "three")
    assert "epochs 5" in (tmp_path / "three" / "spec.cae").read_text()
    assert json.loads((tmp_path / "three" / "settings.json").read_text())["epochs"] == 5
    (tmp_path / "three" / "metrics.json").write_text("{}")
    with pytest.raises(RunError, match=r"finished its 5 epochs.*--epochs 10"):
        resume(tmp_path / "three")


def test_epochs_that_would_have_changed_the_past_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(tmp_path / "run", VARIANTS["momentum"])
    with pytest.raises(RunError, match=r"schedule cosine depends on the 3 epochs.*--epochs 4"):
        resume(tmp_path / "run", epochs=4)
    with pytest.raises(RunError, match="--epochs 2 is less than the 3"):
        resume(tmp_path / "run", epochs=2)
    (tmp_path / "run" / "metrics.json").write_text("{}")
    with pytest.raises(RunError, match=r"start a new run from .* with --epochs 6: schedule cosine depends on the 3"):
        resume(tmp_path / "run")


def test_a_run_that_ended_by_patience_cannot_be_resumed(tmp_path: Path) -> None:
    text = SPEC.replace("adam lr=1e-2", "sgd lr=1e-30").replace("epochs 3", "epochs 9; stop patience=1")
    begin(tmp_path / "run", text)
    before = rows(tmp_path / "run")
    assert resume(tmp_path / "run").history.ended == "patience"
    assert rows(tmp_path / "run") == before
    (tmp_path / "run" / "metrics.json").write_text("{}")
    with pytest.raises(RunError, match="`stop` setting"):
        resume(tmp_path / "run")


def test_the_time_of_all_parts_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    always_keep(monkeypatch)
    killed_at(8, monkeypatch, lambda: begin(tmp_path / "run"))
    finished = resume(tmp_path / "run")
    seconds = [row.seconds for row in finished.history.epochs]
    assert seconds == sorted(seconds)


def test_two_processes_cannot_train_in_one_folder(tmp_path: Path) -> None:
    refused: list[str] = []

    class Second(Reporter):
        def epoch(self, row: object) -> None:
            with pytest.raises(RunError) as error:
                resume(tmp_path / "run")
            refused.append(str(error.value))

    begin(tmp_path / "run", reporter=Second())
    assert "another process is training in" in refused[0]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked processes")
def test_killed_for_real_at_random_moments(python: str) -> None:
    command = [python, "-m", "tests.training.kill_runs", "2"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr

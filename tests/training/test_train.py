"""A run from a spec to its folder."""

import csv
import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from caedsl.data.errors import DataError
from caedsl.model.autoencoder import Autoencoder
from caedsl.runs import file_names as run_files
from caedsl.runs.errors import RunError, TrainingError
from caedsl.runs.history import Step
from caedsl.training.errors import NotFiniteError
from caedsl.training.loop import Training
from caedsl.training.objective import Losses
from caedsl.training.reporter import Reporter
from caedsl.training.run import Run
from caedsl.training.train import train

from .tiny import always_keep, model_of

SPEC = """
autoencoder small
input 1x8x8
data digits limit=60
encoder { conv 2 relu l2=1e-2; maxpool 2 }
bottleneck dense 3 l1=1e-3
decoder mirror
train { optimizer adam lr=1e-2; batch 20; epochs 3; precision fp32 }
"""
LEARNED = {"history.csv", "history.jsonl", "weights.safetensors", "last.safetensors"}
UNKEPT = {"spec.cae", "settings.json", "environment.json", "state.json", "validation.txt", *LEARNED}
FILES = {*UNKEPT, "checkpoint.safetensors"}


def run(tmp_path: Path, text: str = SPEC, **options: object) -> Run:
    return train(model_of(text), spec_text=text, out=tmp_path / "run", **options)  # type: ignore[arg-type]


def test_a_run_leaves_all_that_is_needed_to_use_and_repeat_it(tmp_path: Path) -> None:
    finished = run(tmp_path)
    assert {path.name for path in finished.folder.path.iterdir()} == FILES
    assert (tmp_path / "run" / "spec.cae").read_text() == SPEC
    assert json.loads((tmp_path / "run" / "settings.json").read_text())["optimizer"]["lr"] == 1e-2
    environment = json.loads((tmp_path / "run" / "environment.json").read_text())
    assert environment["torch"] == torch.__version__
    assert environment["precision"] == "fp32"
    assert environment["data"]["name"] == "digits"
    assert (environment["data"]["train"], environment["data"]["validation"]) == (54, 6)
    assert len(environment["data"]["sha256"]) == 64
    assert environment["notes"] == ["limited to 60 randomly chosen images"]


def test_history_is_read_back_to_the_last_digit(tmp_path: Path) -> None:
    finished = run(tmp_path)
    with (tmp_path / "run" / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["validation"]) for row in rows] == [row.validation for row in finished.history.epochs]
    assert [int(row["step"]) for row in rows] == [3, 6, 9]
    assert all(float(row["loss"]) > float(row["reconstruction"]) for row in rows)


def test_weights_are_those_of_the_returned_module(tmp_path: Path) -> None:
    finished = run(tmp_path)
    best = load_file(tmp_path / "run" / "weights.safetensors")
    assert all(torch.equal(value, best[name]) for name, value in finished.module.state_dict().items())


def test_the_same_spec_gives_the_same_weights(tmp_path: Path) -> None:
    run(tmp_path / "a")
    run(tmp_path / "b")
    first, second = ((tmp_path / name / "run" / "last.safetensors").read_bytes() for name in "ab")
    assert first == second


class Acting(Reporter):
    """Callback that acts after the first epoch."""

    def __init__(self, act: Callable[[], None]) -> None:
        self.act = act
        self.said: list[str] = []

    def note(self, text: str) -> None:
        self.said.append(text)

    def epoch(self, row: object) -> None:
        self.act()


@pytest.fixture
def any_signal() -> Iterator[None]:
    """Give the signals their usual handlers: `nohup`, or a shell in the background, may have had them ignored."""
    usual = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGTERM: signal.SIG_DFL,
        signal.SIGHUP: signal.SIG_DFL,
    }
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="the system has no such signal")
@pytest.mark.parametrize("names", ["SIGINT", "SIGTERM", "SIGHUP", "SIGTERM SIGHUP SIGTERM"])
def test_a_signal_ends_the_run_with_what_was_learned_saved(tmp_path: Path, names: str, any_signal: None) -> None:
    """A session that ends sends several signals."""
    numbers = [getattr(signal, name) for name in names.split()]
    before = list(map(signal.getsignal, numbers))
    finished = run(tmp_path, reporter=Acting(lambda: [signal.raise_signal(number) for number in numbers]))
    assert finished.history.ended == "interrupted"
    assert [row.epoch for row in finished.history.epochs] == [1]
    assert {path.name for path in finished.folder.path.iterdir()} == FILES
    assert list(map(signal.getsignal, numbers)) == before


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="the system has no such signal")
def test_a_signal_that_is_ignored_stays_ignored(tmp_path: Path, any_signal: None) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    finished = run(tmp_path, reporter=Acting(lambda: signal.raise_signal(signal.SIGHUP)))
    assert finished.history.ended != "interrupted"


def test_a_second_interruption_ends_at_once_and_still_saves(tmp_path: Path) -> None:
    def twice() -> None:
        # Signal this thread: a signal to the process may reach another, and two may then count as one.
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    # What the first Ctrl-C restores must be Python's own handler, whatever this process has done before.
    before, reporter = signal.signal(signal.SIGINT, signal.default_int_handler), Acting(twice)
    try:
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path, reporter=reporter)
    finally:
        signal.signal(signal.SIGINT, before)
    assert f"interrupted at once; the best weights before it are in {tmp_path / 'run'}" in reporter.said
    assert {path.name for path in (tmp_path / "run").iterdir()} == UNKEPT


def test_notes_of_the_data_are_reported(tmp_path: Path) -> None:
    reporter = Acting(lambda: None)
    run(tmp_path, reporter=reporter)
    assert reporter.said == ["limited to 60 randomly chosen images"]


def test_a_spec_without_train_or_without_images_cannot_be_trained(tmp_path: Path) -> None:
    without = SPEC[: SPEC.index("train")]
    with pytest.raises(TrainingError, match="no `train` block"):
        run(tmp_path, without)
    with pytest.raises(DataError, match=r"only 1 image, but training and validation"):
        run(tmp_path, SPEC.replace("limit=60", "limit=1"))
    with pytest.raises(DataError, match=r"missing\.npy"):
        run(tmp_path, SPEC.replace("data digits limit=60", 'data npy "missing.npy"'))
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_fails_later_keeps_what_it_learned_and_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_step = Training.take_step

    def fail_in_epoch_2(self: Training, *x: Any) -> Losses:
        losses = take_step(self, *x)
        return losses._replace(total=losses.total * float("nan")) if self.step == 5 else losses

    monkeypatch.setattr(Training, "take_step", fail_in_epoch_2)
    with pytest.raises(NotFiniteError, match=r"nan at step 5 \(epoch 2\).*the best weights before it are in .*run"):
        run(tmp_path)
    assert {path.name for path in (tmp_path / "run").iterdir()} == UNKEPT


def test_weights_are_saved_while_training_continues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    always_keep(monkeypatch)
    seen: list[bool] = []

    class Watching(Reporter):
        def step(self, step: Step) -> None:
            seen.append((tmp_path / "run" / "weights.safetensors").exists())

    run(tmp_path, reporter=Watching())
    assert (seen[0], seen[-1]) == (False, True)


def test_a_disk_that_fills_up_while_training_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    always_keep(monkeypatch)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    def fill() -> None:
        monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(RunError, match="no space left on device"):
        run(tmp_path, reporter=Acting(fill))
    assert not [path for path in (tmp_path / "run").iterdir() if path.name.endswith(".part")]


def test_a_folder_in_use_is_refused_before_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path)
    weights = (tmp_path / "run" / run_files.BEST).read_bytes()
    with pytest.raises(RunError, match="not empty"):
        run(tmp_path)
    assert (tmp_path / "run" / run_files.BEST).read_bytes() == weights


def test_the_model_is_not_changed_by_training(tmp_path: Path) -> None:
    model: Autoencoder = model_of(SPEC)
    finished = train(model, spec_text=SPEC, out=tmp_path / "run")
    assert finished.model is model
    assert finished.held_out[0] == "validation"


def test_terms_are_recorded_by_name_and_add_up_to_the_loss(tmp_path: Path) -> None:
    text = SPEC.replace("epochs 3", "epochs 3; loss mse + 0.2 ssim")
    finished = run(tmp_path, text)
    with (tmp_path / "run" / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    names = list(finished.history.terms)
    assert names[:2] == ["mse", "ssim"]
    assert [column for column in rows[0] if column in names] == names
    for row, epoch in zip(rows, finished.history.epochs, strict=True):
        assert [float(row[name]) for name in names] == list(epoch.terms.values())
        assert sum(epoch.terms.values()) == pytest.approx(epoch.loss, rel=1e-5)
        assert epoch.terms["mse"] + epoch.terms["ssim"] == pytest.approx(epoch.reconstruction, rel=1e-5)

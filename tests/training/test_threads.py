"""The number of CPU threads: measured, given, recorded, and reused by a resumed run."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from caedsl.backends.torch.render import emit
from caedsl.runs.history import Step
from caedsl.training.loop import Training
from caedsl.training.pace import WINDOW_SECONDS, Pace
from caedsl.training.prepare import prepare
from caedsl.training.reporter import Reporter
from caedsl.training.resume import resume
from caedsl.training.search import threads
from caedsl.training.search.threads import FEWEST_STEPS, SHARE_OF_RUN, SHARE_ON_BUSY_CORES, counts_up_to, measure
from caedsl.training.train import train

from .test_resume import SPEC, assert_same, killed_at
from .tiny import QUICK, always_keep, blobs, model_of, tiny

LONG = replace(QUICK, epochs=200)


@pytest.fixture(autouse=True)
def _no_real_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only count the threads: several of them would spin beside the other tests and take most of the time."""
    counts = [1]
    monkeypatch.setattr(torch, "get_num_threads", lambda: counts[-1])
    monkeypatch.setattr(torch, "set_num_threads", counts.append)


class Clock:
    """A clock on which steps take as long as the number of threads of their run says."""

    def __init__(self, seconds: dict[int, float], monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.steps = 0.0, 0
        take_step = Training.take_step

        def timed(training: Training, *x: Any) -> Any:
            assert training.threads == torch.get_num_threads()
            self.now += seconds[training.threads]
            self.steps += 1
            return take_step(training, *x)

        monkeypatch.setattr(Training, "take_step", timed)

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("seconds", "fastest"),
    [
        ({1: 3.0, 2: 2.0, 4: 1.0}, 4),
        ({1: 3.0, 2: 0.5, 4: 1.0}, 2),
        ({1: 0.1, 2: 0.5, 4: 1.0}, 1),
        ({1: 0.95, 2: 1.0, 4: 1.0}, 4),  # too small a gain to be more than noise
    ],
)
def test_the_fastest_count_is_kept(seconds: dict[int, float], fastest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock({count: time / 1000 for count, time in seconds.items()}, monkeypatch)
    training = prepare(tiny(), blobs(), LONG)
    before, state = training.weights(), torch.get_rng_state()
    count = torch.get_num_threads()
    found = measure(training, (1, 2, 4), clock)
    assert found.threads == fastest
    assert found.seconds == pytest.approx({count: time / 1000 for count, time in seconds.items()})
    assert torch.get_num_threads() == count
    assert training.step == 0 and torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in training.weights().items())


def test_a_count_that_is_far_slower_takes_one_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock({1: 0.001, 2: 2.0}, monkeypatch)
    assert measure(prepare(tiny(), blobs(), replace(LONG, epochs=1000)), (1, 2), clock).threads == 1
    assert clock.now < 2 * 2.0 + 3 * 0.2


@pytest.mark.parametrize("epochs", [1, 5, 20, 50, 200, 5000])
def test_the_search_is_a_small_part_of_the_run(epochs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(dict.fromkeys((1, 2, 4), 0.01), monkeypatch)
    training = prepare(tiny(), blobs(), replace(QUICK, epochs=epochs))
    found = measure(training, (1, 2, 4), clock, busy=lambda: False)
    assert clock.steps <= SHARE_OF_RUN * training.steps
    assert bool(found.seconds) == (clock.steps > 0) == (epochs >= 50)
    assert clock.now < 3


@pytest.mark.parametrize("epochs", [1, 4, 5, 20])
def test_a_short_run_is_searched_while_other_processes_are_busy(epochs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock({1: 0.1, 2: 5.0, 4: 5.0}, monkeypatch)
    training = prepare(tiny(), blobs(), replace(QUICK, epochs=epochs))
    found = measure(training, (1, 2, 4), clock, busy=lambda: True)
    searched = training.steps >= 3 * FEWEST_STEPS / SHARE_ON_BUSY_CORES
    assert clock.steps == (3 * FEWEST_STEPS if searched else 0)
    assert found.threads == (1 if searched else 4)


@pytest.mark.parametrize(("most", "counts"), [(1, (1,)), (2, (1, 2)), (6, (1, 2, 4, 6)), (8, (1, 2, 4, 8))])
def test_powers_of_two_and_all_cores_are_tried(most: int, counts: tuple[int, ...]) -> None:
    assert counts_up_to(most) == counts


@pytest.fixture
def two_are_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulate a machine with four cores on which two threads are fastest."""
    monkeypatch.setattr(threads, "usable_threads", lambda: 4)
    monkeypatch.setattr(threads, "allowed_cores", lambda: 4)
    monkeypatch.setattr(threads, "measure", lambda *_, **__: threads.ThreadTimes(2, {1: 3e-3, 2: 1e-3, 4: 2e-3}))


def environment(run: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((run / "environment.json").read_text())
    return read


def test_a_run_records_its_threads_and_a_resumed_one_takes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, two_are_faster: None
) -> None:
    seen: list[int] = []
    take_step = Training.take_step

    def noticed(training: Training, *x: Any) -> Any:
        seen.append(torch.get_num_threads())
        return take_step(training, *x)

    monkeypatch.setattr(Training, "take_step", noticed)
    train(model_of(SPEC), spec_text=SPEC, out=tmp_path / "whole")
    record = environment(tmp_path / "whole")
    assert record["threads"] == 2
    assert record["notes"][-1] == "threads auto: 2 of 4 (milliseconds per step: 1: 3, 2: 1, 4: 2)"

    always_keep(monkeypatch)
    killed_at(4, monkeypatch, lambda: train(model_of(SPEC), spec_text=SPEC, out=tmp_path / "killed"))
    monkeypatch.setattr(threads, "measure", None)
    monkeypatch.setattr(threads, "usable_threads", lambda: 1)
    resume(tmp_path / "killed")
    assert set(seen) == {2}
    assert_same(tmp_path / "whole", tmp_path / "killed")


def test_a_number_in_the_spec_is_used_and_emitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = SPEC.replace("epochs 3", "epochs 1; threads 3")
    monkeypatch.setattr(threads, "measure", None)
    monkeypatch.setattr(threads, "allowed_cores", lambda: 2)
    said: list[str] = []
    reporter = Reporter()
    reporter.note = said.append  # type: ignore[method-assign]
    train(model_of(text), spec_text=text, out=tmp_path / "run", reporter=reporter)
    assert environment(tmp_path / "run")["threads"] == 3
    assert any("3 threads" in note and "2 cores" in note for note in said)
    assert "torch.set_num_threads(3)" in emit(model_of(text), training=True)
    assert "set_num_threads" not in emit(model_of(SPEC), training=True)


def test_cores_are_read_without_pytorch() -> None:
    code = "import caedsl.cli.train, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def paced(seconds: list[float], load: float) -> list[str]:
    """Return the notes of a run with given step times, with one reading per step."""
    notes: list[str] = []
    now = 0.0
    training: Any = SimpleNamespace(step=0, note=notes.append, train=SimpleNamespace(device=torch.device("cpu")))
    pace = Pace(lambda: now, lambda: load)
    pace.on_start(training)
    for number, duration in enumerate(seconds, 1):
        now += duration
        training.step = number
        pace.on_step(training, Step(1, number, len(seconds), 0.0, 1.0, {}))
        now += 1000  # callbacks and validation, which are not part of a step
        pace.on_epoch(training)
    return notes


START = [WINDOW_SECONDS / 10] * 10


def test_a_run_that_becomes_slow_says_so_once_with_the_cause() -> None:
    torch.set_num_threads(2)
    (note,) = paced([*START, *[4 * WINDOW_SECONDS / 10] * 30], load=1000.0)
    assert note.startswith("steps take 4.0 times as long as at the start of this run")
    assert "load 1000.0" in note and "threads 1" in note
    (note,) = paced([*START, *[4 * WINDOW_SECONDS / 10] * 30], load=0.0)
    assert "quota" in note


def test_a_slow_run_with_one_thread_is_not_advised_to_take_one() -> None:
    (note,) = paced([*START, *[4 * WINDOW_SECONDS / 10] * 30], load=1000.0)
    assert "load 1000.0" in note
    assert "threads 1" not in note and "OMP_WAIT_POLICY" not in note


@pytest.mark.parametrize("later", [[2 * WINDOW_SECONDS / 10] * 30, [50 * WINDOW_SECONDS, *START, *START], START])
def test_a_steady_run_and_one_that_slept_say_nothing(later: list[float]) -> None:
    assert paced([*START, *later], load=1000.0) == []
